//! What is wrong with a text that is not TOML, in words that name the slip rather than the grammar.
//!
//! A parser that goes on after an error reports the echoes of that error, too. Of a cascade only the
//! first is kept: one error per table, and one alone where a bracket or a string is never closed.

use crate::Span;

/// One error of the syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) label: Option<String>,
    pub(crate) help: Option<String>,
    /// Where to write what.
    pub(crate) edit: Option<(Span, String)>,
}

impl Slip {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: None, help: None, edit: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn edit(self, span: Span, text: impl Into<String>) -> Self {
        Self { edit: Some((span, text.into())), ..self }
    }
}

/// What is wrong with a text, and from where on nothing that was read of it can be believed.
pub(crate) struct Slips {
    pub(crate) all: Vec<Slip>,
    pub(crate) lost_from: Option<usize>,
}

/// Says what is wrong. `errors` are the parser's: where, and its message. `shows_values` says whether
/// messages may repeat a value.
pub(crate) fn slips(text: &str, mut errors: Vec<(Span, String)>, shows_values: bool) -> Slips {
    if errors.is_empty() {
        return Slips { all: Vec::new(), lost_from: None };
    }
    if let Some(slip) = other_language(text).or_else(|| unclosed(text)) {
        return Slips { lost_from: Some(slip.span.start), all: vec![slip] };
    }
    errors.sort_by_key(|(span, _)| span.start);
    let heads = table_heads(text);
    let mut seen = None;
    let mut all = Vec::new();
    for (span, message) in &errors {
        let table = heads.partition_point(|head| *head <= span.start);
        if seen.replace(table) != Some(table) {
            all.push(slip(text, span.clone(), message, shows_values));
        }
        if message.starts_with("unclosed table") {
            return Slips { all, lost_from: Some(span.start) };
        }
    }
    Slips { all, lost_from: None }
}

/// Offsets of the lines that begin a table.
pub fn table_heads(text: &str) -> Vec<usize> {
    let mut heads = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            heads.push(offset);
        }
        offset += line.len();
    }
    heads
}

/// A text of another language.
fn other_language(text: &str) -> Option<Slip> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let is_key = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte))
        };
        let is_yaml = line == "---"
            || line.starts_with("- ")
            || line.split_once(':').is_some_and(|(key, rest)| {
                is_key(key) && (rest.is_empty() || rest.starts_with(' ')) && !line.contains('=')
            });
        let (language, help) = if is_yaml && !text.lines().any(|line| line.starts_with("[[")) {
            ("YAML", "write `key = \"value\"` for `key: value`, and `[[step]]` for an item of a list")
        } else if line.starts_with('{') {
            ("JSON", "write `key = \"value\"` for `\"key\": \"value\"`, and `[table]` for a nested object")
        } else {
            return None;
        };
        let slip = Slip::new(start..start + line.len(), format!("not TOML: this looks like {language}"));
        return Some(slip.help(help));
    }
    None
}

/// A bracket or a text of several lines that is never closed.
fn unclosed(text: &str) -> Option<Slip> {
    let bytes = text.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    // Opening of the texts of several lines so far, with where each ends.
    let mut long: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    let mut is_line_start = true;
    while let Some(byte) = bytes.get(at) {
        if is_line_start && !open.is_empty() && is_head(&text[at..]) {
            let bracket = open[0];
            let opening = char::from(bytes[bracket]);
            let closing = if opening == '[' { ']' } else { '}' };
            let slip = Slip::new(bracket..bracket + 1, format!("this `{opening}` is never closed"));
            return Some(slip.help(format!("add `{closing}` before line {}", line_of(text, at))));
        }
        is_line_start = *byte == b'\n' || (is_line_start && matches!(byte, b' ' | b'\t'));
        match byte {
            b'#' => at = end_of_line(text, at),
            b'"' | b'\'' if bytes[at..].starts_with(&[*byte; 3]) => {
                let start = at;
                at = end_of_long(bytes, at + 3, *byte);
                long.push((start, at));
            }
            b'"' | b'\'' => {
                let end = end_of_short(bytes, at + 1, *byte);
                // Its line has a quote too few or too many, and the bracket may well be there.
                if end.is_err() && !open.is_empty() {
                    if let Some(slip) = quoted_quote(text, at..end_of_line(text, at)) {
                        return Some(slip);
                    }
                    let slip = Slip::new(at..at + 1, "the quotes of this line do not pair up");
                    return Some(slip.help(
                        "end each text with the quote that begins it; write `\\\"` for a quote within `\"…\"`",
                    ));
                }
                at = end.unwrap_or_else(|end| end);
            }
            b'[' | b'{' if open.is_empty() && is_head(&text[at..]) => at = end_of_line(text, at),
            b'[' | b'{' => {
                open.push(at);
                at += 1;
            }
            b']' | b'}' => {
                open.pop();
                at += 1;
            }
            _ => at += 1,
        }
    }
    let (last, end) = *long.last()?;
    if end <= bytes.len() {
        return None;
    }
    // Where one is not closed, the next one's opening closes it, and so on to the end.
    let opens_next = |end: usize| {
        let before = text[..end - 3].rsplit('\n').next().unwrap_or_default();
        before.trim_end().ends_with(['=', ',', '['])
    };
    let culprit = long.iter().find(|(_, end)| *end <= bytes.len() && opens_next(*end));
    let (start, _) = culprit.copied().unwrap_or((last, end));
    let quotes = &text[start..start + 3];
    let slip =
        Slip::new(start..start + 3, format!("the text that begins here is never closed by `{quotes}`"));
    let next = culprit.map(|(_, end)| format!(" before line {}", line_of(text, *end - 3)));
    Some(slip.help(format!("add `{quotes}` at its end{}", next.unwrap_or_default())))
}

/// Whether a line is the head of a table, and can't be part of a value.
fn is_head(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    let line = line.split(" #").next().unwrap_or_default().trim();
    let double = line.strip_prefix("[[").and_then(|line| line.strip_suffix("]]"));
    let Some(name) = double.or_else(|| line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))) else {
        return false;
    };
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(name, "true" | "false" | "inf" | "nan")
        && name.bytes().all(is_bare)
}

fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length)
}

/// Behind the closing quotes; past the end of the text if there are none.
fn end_of_long(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() {
        if quote == b'"' && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at..].starts_with(&[quote; 3]) {
            // Up to two more belong to the text.
            let more = bytes[at + 3..].iter().take(2).take_while(|byte| **byte == quote).count();
            return at + 3 + more;
        } else {
            at += 1;
        }
    }
    bytes.len() + 1
}

/// Behind the closing quote; else the end of the line.
fn end_of_short(bytes: &[u8], mut at: usize, quote: u8) -> Result<usize, usize> {
    while at < bytes.len() && bytes[at] != b'\n' {
        if quote == b'"' && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            return Ok(at + 1);
        } else {
            at += 1;
        }
    }
    Err(at.min(bytes.len()))
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].bytes().filter(|byte| *byte == b'\n').count()
}

/// One of the parser's errors, in words for people who do not know the grammar.
fn slip(text: &str, span: Span, message: &str, shows_values: bool) -> Slip {
    let at = span.start.min(text.len());
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[line_start..end_of_line(text, at)];
    if let Some(dots) = line.find("...").filter(|_| line.contains("{ ...") || line.contains("{...")) {
        let span = line_start + dots..line_start + dots + 3;
        return Slip::new(span, "`...` stands for something that was left out").help("write it out");
    }
    let (kind, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let next = text[at..].chars().next();
    let after_quote = text[..at].chars().next_back().filter(|quote| matches!(quote, '"' | '\''));
    if let (Some(quote), Some(letter)) = (after_quote, next)
        && (kind.starts_with("missing comma") || kind == "unexpected key or value")
        && (letter.is_alphanumeric() || letter == '\\')
    {
        let slip = Slip::new(at - 1..at, format!("this `{quote}` ends the string"));
        return slip.help(match quote {
            '"' => "write `\\\"` for a quote within `\"…\"`, or put the text between `\"\"\"`",
            _ => "put a text that has a `'` between `\"…\"`",
        });
    }
    if matches!(kind, "invalid basic string" | "invalid literal string" | "missing escaped value") {
        if let Some(slip) = quoted_quote(text, line_start..line_start + line.len()) {
            return slip;
        }
        if matches!(next, Some(',' | ']' | '}')) {
            return Slip::new(span, "there is no value");
        }
    }
    match kind {
        "key with no value"
        | "missing assignment between key-value pairs"
        | "invalid unquoted key"
        | "unquoted keys cannot be empty" => {
            no_value(text, line_start, line).or_else(|| odd_key(line, line_start, at)).unwrap_or_else(|| {
                let key = line[..at - line_start].trim().trim_start_matches('{').trim();
                Slip::new(span, format!("`=` is missing behind `{key}`"))
            })
        }
        "duplicate key" => {
            let key = text.get(span.clone()).unwrap_or_default().to_owned();
            Slip::new(span, format!("`{key}` stands here a second time")).help("keep one of the two")
        }
        "invalid basic string" | "invalid literal string" => {
            let quote = if kind == "invalid basic string" { "\"" } else { "'" };
            Slip::new(span, "the string does not end on its line")
                .help(format!("end it with `{quote}`; a text of several lines stands between `\"\"\"`"))
        }
        "missing escaped value" | "too few unicode value digits" => {
            let found: String = text[at.saturating_sub(1)..].chars().take(2).collect();
            Slip::new(at.saturating_sub(1)..at, format!("`{found}` is not an escape of TOML"))
                .help("write `\\\\` for a backslash; in `'…'` and `'''…'''` it stands for itself")
        }
        "unexpected key or value" if matches!(next, Some(',' | ';')) => {
            Slip::new(at..at + 1, "a line of TOML ends without a sign").edit(at..at + 1, "")
        }
        "unexpected key or value" => Slip::new(span, "a value stands before this on the same line")
            .help("put the next key on a line of its own"),
        "unclosed table" => {
            odd_key(line, line_start, at).unwrap_or_else(|| Slip::new(span, "`]` is missing"))
        }
        "unclosed array table" => {
            let missing = if line[..at - line_start].ends_with(']') { "]" } else { "]]" };
            Slip::new(span, format!("`{missing}` is missing")).edit(at..at, missing)
        }
        "extra comma in array" => {
            Slip::new(span.clone(), "a comma stands where a value belongs").edit(span, "")
        }
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            Slip::new(span.clone(), "a comma is missing").edit(span, ",")
        }
        _ => bare_value(text, &span, kind, shows_values).unwrap_or_else(|| {
            let slip = Slip::new(span, format!("not TOML: {kind}"));
            Slip { label: (!expected.is_empty()).then(|| format!("expected {expected}")), ..slip }
        }),
    }
}

/// A text that ends with a backslash, as paths of Windows do: it quotes the quote that should end the text.
fn quoted_quote(text: &str, line: Span) -> Option<Slip> {
    let whole = &text[line.clone()];
    let found = whole.match_indices("\\\"").find(|(at, _)| {
        let rest = whole[at + 2..].trim_start();
        rest.is_empty() || rest.starts_with([',', ']', '}', '#'])
    });
    let at = line.start + found?.0;
    let slip = Slip::new(at..at + 2, "`\\\"` is a quote within the string, and does not end it");
    Some(slip.help("write `\\\\` for a backslash, or put the text between `'…'`").edit(at..at + 1, "\\\\"))
}

/// A key that TOML has in quotes only, or an empty one. It stands on the line of an error at `at`: in the
/// head of a table, or before a `=`.
fn odd_key(line: &str, line_start: usize, at: usize) -> Option<Slip> {
    let head = line.trim();
    let (from, to) = if head.starts_with('[') && head.ends_with(']') {
        let from = line.find(|c: char| c != '[' && !c.is_whitespace()).unwrap_or(line.len());
        (from, line.trim_end_matches(|c: char| c == ']' || c.is_whitespace()).len().max(from))
    } else {
        let from = line[..at - line_start].rfind(['{', ',']).map_or(0, |before| before + 1);
        (from, from + line[from..].find('=')?)
    };
    let key = line[from..to].trim();
    let start = line_start + to - line[from..to].trim_start().len();
    let span = start..start + key.len();
    if key.is_empty() {
        let what =
            if head.starts_with('[') { "a table needs a name" } else { "there is no key before the `=`" };
        return Some(Slip::new(line_start + to..(line_start + to + 1), what));
    }
    if key.starts_with(['"', '\'']) {
        let slip = Slip::new(span.start..span.start + 1, "the quotes of this line do not pair up");
        return Some(slip.help("end each key and each text with the quote that begins it"));
    }
    if key.len() > LONGEST_KEY || key.contains(['"', '\'', '\\', '[', ']', '(', ';', '#']) {
        return None;
    }
    let quoted = format!("\"{key}\"");
    if key.split('.').any(|part| part.trim().is_empty()) {
        let slip =
            Slip::new(span.clone(), format!("a part of `{key}` is empty: dots join the parts of a key"));
        return Some(slip.help("in quotes, dots are part of the key").edit(span, quoted));
    }
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!key.chars().all(is_bare)).then(|| {
        let slip = Slip::new(span.clone(), format!("`{key}` is not a key without quotes"));
        slip.help("without quotes, a key has letters from `a` to `z`, digits, `-` and `_`").edit(span, quoted)
    })
}

/// A longer text before a `=` is hardly meant as a key, in bytes.
const LONGEST_KEY: usize = 60;

/// A line of `key: value` or `key value`.
fn no_value(text: &str, line_start: usize, line: &str) -> Option<Slip> {
    let indent = line.len() - line.trim_start().len();
    let rest = line.trim_start();
    if rest.starts_with("- ") {
        let span = line_start + indent..line_start + indent + 1;
        return Some(
            Slip::new(span, "a list of YAML")
                .help("write `[[step]]` above each step, and lists as `[\"a\", \"b\"]`"),
        );
    }
    let colon =
        line.find(": ").or_else(|| line.trim_end().ends_with(':').then(|| line.trim_end().len() - 1))?;
    let before = line[..colon].rsplit(['{', ',']).next().unwrap_or_default().trim();
    let is_key =
        !before.is_empty() && before.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-\"".contains(&b));
    let span = line_start + colon..line_start + colon + 1;
    (is_key && text.get(span.clone()) == Some(":"))
        .then(|| Slip::new(span.clone(), "`:` stands where TOML has `=`").edit(span, " ="))
}

/// A value that is neither quoted nor a number.
fn bare_value(text: &str, span: &Span, kind: &str, shows_values: bool) -> Option<Slip> {
    const KINDS: [&str; 9] = [
        "invalid boolean",
        "string values must be quoted",
        "invalid float",
        "invalid value",
        "invalid integer number",
        "invalid date-time",
        "unexpected leading zero",
        "missing value",
        "missing value for key",
    ];
    if !KINDS.contains(&kind) {
        return None;
    }
    let start = span.start.min(text.len());
    let length = text[start..].find([',', ']', '}', '#', '\n']).unwrap_or(text.len() - start);
    let token = text[start..start + length].trim_end();
    let whole = start..start + token.len();
    if token.is_empty() {
        return Some(Slip::new(whole, "there is no value"));
    }
    if let Some((value, _)) = token.split_once(' ').filter(|(_, rest)| rest.contains('=')) {
        let end = start + value.len();
        return Some(Slip::new(end..end, "a comma is missing").edit(end..end, ","));
    }
    let lower = token.to_ascii_lowercase();
    let what = if shows_values { format!("`{token}`") } else { "this".to_owned() };
    let digits = token.trim_start_matches('0');
    Some(match lower.as_str() {
        "true" | "false" => {
            Slip::new(whole.clone(), format!("`{token}` is `{lower}` in TOML")).edit(whole, lower)
        }
        "yes" | "on" => Slip::new(whole.clone(), format!("`{token}` is `true` in TOML")).edit(whole, "true"),
        "no" | "off" => {
            Slip::new(whole.clone(), format!("`{token}` is `false` in TOML")).edit(whole, "false")
        }
        "null" | "none" | "nil" | "~" => {
            Slip::new(whole, format!("TOML has no `{token}`")).help("leave the key out")
        }
        _ if kind == "unexpected leading zero" && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = if digits.is_empty() { "0" } else { digits };
            Slip::new(whole.clone(), "a number of TOML has no zeros in front").edit(whole, number)
        }
        _ => {
            if let Some(seconds) = seconds(&lower) {
                Slip::new(whole.clone(), format!("{what} is neither a number nor a string"))
                    .help("times are numbers of seconds")
                    .edit(whole, seconds.to_string())
            } else {
                let slip =
                    Slip::new(whole.clone(), format!("{what} is not a value of TOML: a text needs quotes"));
                if !shows_values || token.contains(['"', '\'', '\\']) {
                    slip
                } else {
                    slip.edit(whole, format!("\"{token}\""))
                }
            }
        }
    })
}

/// A time such as `5m`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let factor = match &text[digits..] {
        "s" | "sec" | "secs" => 1,
        "m" | "min" | "mins" => 60,
        "h" | "hr" | "hrs" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TomlTable;

    /// What is wrong with a text: line, message, and what the edit would write.
    fn told(text: &str) -> Vec<String> {
        let (_, errors) = TomlTable::parse_recoverable(text);
        let errors =
            errors.iter().map(|error| (error.span().unwrap_or_default(), error.message().to_owned()));
        let slips = slips(text, errors.collect(), true);
        let told = |slip: Slip| {
            let edit = slip.edit.map_or(String::new(), |(_, text)| format!(" → {text}"));
            format!("{} {}{edit}", line_of(text, slip.span.start), slip.message)
        };
        slips.all.into_iter().map(told).collect()
    }

    /// One line in a table, with a sound table behind it.
    fn line(line: &str) -> Vec<String> {
        told(&format!("[a]\n{line}\n\n[b]\nx = 1\n"))
    }

    #[test]
    fn each_slip_has_one_answer() {
        for (text, answer) in [
            ("name = train", "2 `train` is not a value of TOML: a text needs quotes → \"train\""),
            ("name: \"x\"", "2 `:` stands where TOML has `=` →  ="),
            ("r = { max: 3 }", "2 `:` stands where TOML has `=` →  ="),
            ("name = True", "2 `True` is `true` in TOML → true"),
            ("name = yes", "2 `yes` is `true` in TOML → true"),
            ("when = null", "2 TOML has no `null`"),
            ("name = \"open", "2 the string does not end on its line"),
            ("name = 'open", "2 the string does not end on its line"),
            ("name = \"C:\\dir\"", "2 `\\d` is not an escape of TOML"),
            ("name = \"C:\\\"", "2 `\\\"` is a quote within the string, and does not end it → \\\\"),
            (
                "r = { dir = \"C:\\\", a = 1 }",
                "2 `\\\"` is a quote within the string, and does not end it → \\\\",
            ),
            ("list = [\"C:\\\"] # x", "2 `\\\"` is a quote within the string, and does not end it → \\\\"),
            ("na me = \"x\"", "2 `na me` is not a key without quotes → \"na me\""),
            ("näme = \"x\"", "2 `näme` is not a key without quotes → \"näme\""),
            ("$name = 1", "2 `$name` is not a key without quotes → \"$name\""),
            ("r = { a = 1, b c = 5 }", "2 `b c` is not a key without quotes → \"b c\""),
            ("a..b = 1", "2 a part of `a..b` is empty: dots join the parts of a key → \"a..b\""),
            (".a = 1", "2 a part of `.a` is empty: dots join the parts of a key → \".a\""),
            ("= 5", "2 there is no key before the `=`"),
            ("r = { = 5 }", "2 there is no key before the `=`"),
            ("\"a = 5", "2 the quotes of this line do not pair up"),
            ("r = { a = }", "2 there is no value"),
            ("list = [,]", "2 a comma stands where a value belongs → "),
            ("[]", "2 a table needs a name"),
            ("[x y]", "2 `x y` is not a key without quotes → \"x y\""),
            ("[x.]", "2 a part of `x.` is empty: dots join the parts of a key → \"x.\""),
            ("list = [\"a\" \"b\"]", "2 a comma is missing → ,"),
            ("r = { a = 3 b = 5 }", "2 a comma is missing → ,"),
            ("list = [\"a\"", "2 this `[` is never closed"),
            ("r = { a = 3", "2 this `{` is never closed"),
            ("c = { command = \"echo \"hi\" there\" }", "2 this `\"` ends the string"),
            ("name = 'it's'", "2 this `'` ends the string"),
            ("name \"x\"", "2 `=` is missing behind `name`"),
            ("name =", "2 there is no value"),
            ("a = 1\na = 2", "3 `a` stands here a second time"),
            ("secs = 5m", "2 `5m` is neither a number nor a string → 300"),
            ("secs = 05", "2 a number of TOML has no zeros in front → 5"),
            ("list = [a, b]", "2 `a` is not a value of TOML: a text needs quotes → \"a\""),
            ("- name: x", "2 a list of YAML"),
            ("[b.c", "2 this `[` is never closed"),
            ("c = { ... }", "2 `...` stands for something that was left out"),
        ] {
            let found = line(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with(answer), "{text}: {found:?}");
        }
    }

    #[test]
    fn the_head_of_the_last_table_is_closed() {
        assert_eq!(told("[[x]\nid = 1\n"), ["1 `]` is missing → ]"]);
        assert_eq!(told("[[x\nid = 1\n"), ["1 `]]` is missing → ]]"]);
    }

    #[test]
    fn a_text_without_its_end_is_named_where_it_begins() {
        let step = |id: &str| format!("[[step]]\nid = \"{id}\"\nc = {{ command = \"\"\"\nmake\n\"\"\" }}\n");
        let whole: String = ["a", "b", "c"].map(step).concat();
        for (number, line) in [3, 8, 13].into_iter().enumerate() {
            let at = whole.match_indices("\"\"\" }").nth(number).expect("it is there").0;
            let text = format!("{}{}", &whole[..at], &whole[at + 3..]);
            let told = told(&text);
            assert_eq!(told, [format!("{line} the text that begins here is never closed by `\"\"\"`")]);
        }
        let closed = "[a]\nc = \"\"\"\n[b]\nx = \"\"\"\nd = y\n";
        assert_eq!(told(closed).len(), 1);
    }

    #[test]
    fn other_languages_are_known() {
        assert_eq!(told("# c\nname: x\nsteps:\n  - run: y\n"), ["2 not TOML: this looks like YAML"]);
        assert_eq!(told("---\n- hosts: all\n"), ["1 not TOML: this looks like YAML"]);
        assert_eq!(told("{\n  \"name\": 1\n}\n"), ["1 not TOML: this looks like JSON"]);
    }

    #[test]
    fn one_error_for_each_table() {
        let found = told("[a]\nx = y\nz = w\n[b]\nok = 1\n[c]\nx = y\n");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
