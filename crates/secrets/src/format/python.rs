//! Python: the assignments of texts to names at the outermost level of a module. Nothing is worked out:
//! what is not written as a text is refused, and what is not an assignment is code.

mod words;

use crate::SecretValue;
use crate::format::entry::Entry;
use crate::format::entry::Malformed;
use crate::format::entry::utf8;
use words::Statement;
use words::Word;
use words::statements;

/// Why a value is not taken.
const EXPRESSION: &str = "is an expression of Python: only texts in quotes are taken";
const FORMATTED: &str = "is an f-string, whose text only Python can work out";
const NAMED: &str = "has a character by its name (`\\N{…}`): write the character itself";

/// What a module says.
pub(super) struct Module {
    /// Its assignments.
    pub entries: Vec<Entry>,
    /// The line of the first statement that is neither an assignment nor needed for one.
    pub code: Option<usize>,
}

/// All assignments of a module.
pub(super) fn module(text: &[u8]) -> Result<Module, Malformed> {
    let mut module = Module { entries: Vec::new(), code: None };
    for statement in statements(utf8(text)?)? {
        let line = statement.line;
        let is_outer = statement.indent == 0;
        let read = if is_outer { assignments(&statement.words) } else { Vec::new() };
        if read.is_empty() && !(is_outer && is_harmless(&statement)) {
            module.code = module.code.or(Some(line));
        }
        module.entries.extend(read.into_iter().map(|(key, value)| Entry { key, line, value }));
    }
    Ok(module)
}

/// Whether a statement does nothing: a text that describes the module, or the import of what variables
/// of the environment are set with.
fn is_harmless(statement: &Statement<'_>) -> bool {
    match statement.words.as_slice() {
        [Word::Text(_), ..] => statement.words.iter().all(|word| matches!(word, Word::Text(_))),
        [Word::Name("import"), Word::Name("os")]
        | [Word::Name("from"), Word::Name("os"), Word::Name("import"), Word::Name("environ")] => true,
        words => words.is_empty(),
    }
}

type Assigned = (String, Result<SecretValue, &'static str>);

/// What a statement assigns; nothing where it is not an assignment.
fn assignments(words: &[Word<'_>]) -> Vec<Assigned> {
    if let Some(found) = call(words) {
        return found;
    }
    // `A = B = "x"`
    let mut sides: Vec<&[Word<'_>]> = Vec::new();
    let (mut from, mut depth) = (0, 0_usize);
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Sign("(" | "[" | "{") => depth += 1,
            Word::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Word::Sign("=") if depth == 0 => {
                sides.push(&words[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    let value = &words[from..];
    let names: Option<Vec<String>> = sides.into_iter().map(target).collect();
    let Some(names) = names.filter(|names| !names.is_empty()) else { return Vec::new() };
    names.into_iter().flat_map(|name| values(&name, value)).collect()
}

/// What stands on the left: a name, with or without its type, or a variable of the environment.
fn target(words: &[Word<'_>]) -> Option<String> {
    match words {
        [Word::Name(name)] | [Word::Name(name), Word::Sign(":"), ..] => Some((*name).to_owned()),
        [rest @ .., Word::Sign("["), Word::Text(key), Word::Sign("]")] if is_environ(rest) => text(key),
        _ => None,
    }
}

fn text(word: &Result<SecretValue, words::NoText>) -> Option<String> {
    String::from_utf8(word.as_ref().ok()?.plain().to_vec()).ok()
}

fn is_environ(words: &[Word<'_>]) -> bool {
    matches!(words, [Word::Name("environ")] | [Word::Name("os"), Word::Sign("."), Word::Name("environ")])
}

/// `os.environ.setdefault("A", "x")`, `os.putenv("A", "x")`, `os.environ.update({"A": "x"})`.
fn call(words: &[Word<'_>]) -> Option<Vec<Assigned>> {
    let open = words.iter().position(|word| matches!(word, Word::Sign("(")))?;
    let (callee, arguments) = words.split_at(open);
    let [Word::Sign("("), arguments @ .., Word::Sign(")")] = arguments else { return None };
    match callee {
        [Word::Name("os"), Word::Sign("."), Word::Name("putenv")] => {}
        [environ @ .., Word::Sign("."), Word::Name("setdefault")] if is_environ(environ) => {}
        [environ @ .., Word::Sign("."), Word::Name("update")] if is_environ(environ) => {
            return members("", arguments);
        }
        _ => return None,
    }
    let [Word::Text(key), Word::Sign(","), value @ ..] = arguments else { return None };
    Some(values(&text(key)?, value))
}

/// What a name is set to: a text, or the members of a table of texts.
fn values(name: &str, words: &[Word<'_>]) -> Vec<Assigned> {
    if let Some(members) = members(&format!("{name}/"), words) {
        return members;
    }
    vec![(name.to_owned(), value(words))]
}

/// The members of `{"A": "x", …}` or `dict(A="x", …)`; none for anything else.
fn members(above: &str, words: &[Word<'_>]) -> Option<Vec<Assigned>> {
    let (inner, sign) = match words {
        [Word::Sign("{"), inner @ .., Word::Sign("}")] => (inner, ":"),
        [Word::Name("dict"), Word::Sign("("), inner @ .., Word::Sign(")")] => (inner, "="),
        _ => return None,
    };
    let mut members = Vec::new();
    for member in split(inner) {
        let (key, rest) = member.split_first()?;
        let key = match key {
            Word::Text(key) if sign == ":" => text(key)?,
            Word::Name(key) if sign == "=" => (*key).to_owned(),
            _ => return None,
        };
        let [Word::Sign(found), value @ ..] = rest else { return None };
        if *found != sign {
            return None;
        }
        members.extend(values(&format!("{above}{key}"), value));
    }
    Some(members)
}

/// The parts between the commas that stand in no further brackets.
fn split<'a, 'b>(words: &'b [Word<'a>]) -> Vec<&'b [Word<'a>]> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Sign("(" | "[" | "{") => depth += 1,
            Word::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Word::Sign(",") if depth == 0 => {
                parts.push(&words[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&words[from..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// The text that a value is, written as one or as several after each other.
fn value(words: &[Word<'_>]) -> Result<SecretValue, &'static str> {
    let words = match words {
        [Word::Sign("("), inner @ .., Word::Sign(")")] => inner,
        words => words,
    };
    if matches!(words, [Word::Name("None")]) {
        return Err(crate::format::entry::NULL);
    }
    let mut whole: Option<SecretValue> = None;
    for word in words {
        let Word::Text(text) = word else { return Err(EXPRESSION) };
        let text = text.as_ref().map_err(|why| match why {
            words::NoText::Formatted => FORMATTED,
            words::NoText::Named => NAMED,
        })?;
        whole = Some(match whole {
            None => text.clone(),
            Some(before) => SecretValue::new([before.plain(), text.plain()].concat()),
        });
    }
    whole.ok_or(EXPRESSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let module = match module(text.as_bytes()) {
            Ok(module) => module,
            Err(fault) => return vec![fault.to_string()],
        };
        let mut told: Vec<String> = module
            .entries
            .iter()
            .map(|entry| match &entry.value {
                Ok(value) => {
                    format!("{}: {}={:?}", entry.line, entry.key, String::from_utf8_lossy(value.plain()))
                }
                Err(why) => format!("{}: {} {why}", entry.line, entry.key),
            })
            .collect();
        told.extend(module.code.map(|line| format!("code in line {line}")));
        told
    }

    // case J2
    #[test]
    fn texts_are_read_as_python_reads_them() {
        let text = "\"\"\"Keys.\"\"\"\nimport os\nA = 'p$\\n'  # c\nB = r\"hf_\\n\"\nC: str = \"x\" 'y'\n\
                    os.environ[\"D\"] = (\n    \"one\"\n    b\"two\"\n)\nE = \"\"\"three\nlines\"\"\"\n\
                    F = G = u'\\x41\\u00e9\\101\\q'\nH = {'I': \"in\", 'J': {'K': 'deep'},}\n\
                    os.environ.setdefault('L', 'set'); M = dict(N=\"n\")\n";
        assert_eq!(
            told(text),
            [
                "3: A=\"p$\\n\"",
                "4: B=\"hf_\\\\n\"",
                "5: C=\"xy\"",
                "6: D=\"onetwo\"",
                "10: E=\"three\\nlines\"",
                "12: F=\"AéA\\\\q\"",
                "12: G=\"AéA\\\\q\"",
                "13: H/I=\"in\"",
                "13: H/J/K=\"deep\"",
                "14: L=\"set\"",
                "14: M/N=\"n\"",
            ]
        );
    }

    // case J2
    #[test]
    fn what_python_would_have_to_work_out_is_refused() {
        for (value, why) in [
            ("os.environ[\"HF_TOKEN\"]", EXPRESSION),
            ("os.getenv('A', 'hunter2')", EXPRESSION),
            ("f\"hf_{x}\"", FORMATTED),
            ("'a' + 'b'", EXPRESSION),
            ("'a'.strip()", EXPRESSION),
            ("['a', 'b']", EXPRESSION),
            ("open('x').read()", EXPRESSION),
            ("B", EXPRESSION),
            ("8000", EXPRESSION),
            ("'\\N{BULLET}'", NAMED),
            ("None", "is null"),
        ] {
            assert_eq!(told(&format!("A = {value}\n")), [format!("1: A {why}")], "{value}");
        }
        assert_eq!(told("A = 'x'\n\nclass B:\n    C = 'y'\n"), ["1: A=\"x\"", "code in line 3"]);
        assert_eq!(told("from os import path\nA = 'x'\n"), ["2: A=\"x\"", "code in line 1"]);
        assert_eq!(told("if x == 'y':\n    A = 'x'\n"), ["code in line 1"]);
        assert_eq!(told("A = 'x"), ["line 1: a text in quotes has no end"]);
        assert_eq!(told("A = (\n'x'\n"), ["line 1: a bracket is not closed"]);
    }
}
