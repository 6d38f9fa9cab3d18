//! Reads a shell text once, from its beginning to its end.

use crate::shell::survey::found::Pipe;
use crate::shell::survey::found::Survey;
use crate::shell::survey::found::Use;
use crate::shell::survey::line::Line;
use crate::shell::survey::line::Word;
use crate::shell::survey::line::command;
use crate::shell::survey::line::expanded_name;
use crate::shell::survey::line::is_capital;

/// Commands that succeed whatever becomes of what they read.
const PASSING: [&str; 4] = ["tee", "cat", "head", "grep"];

/// Commands whose failure nobody waits for.
const SAFE: [&str; 24] = [
    ":", "awk", "cat", "cut", "date", "df", "du", "echo", "env", "grep", "head", "ls", "printenv", "printf",
    "ps", "sed", "seq", "sort", "tail", "tr", "true", "uniq", "wc", "yes",
];

/// How deep substitutions are followed.
const DEEPEST: usize = 20;

/// Reads a text.
pub fn survey(text: &str) -> Survey {
    let mut found = Survey::default();
    Scanner { text: text.as_bytes(), pos: 0, found: &mut found, documents: Vec::new(), depth: 0 }
        .commands(None, true);
    if found.sets_pipefail || found.uses.iter().any(|of| of.name == "PIPESTATUS") {
        found.pipes.clear();
    }
    found
}

/// What ends a pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Plain,
    Tested,
    Background,
}

struct Scanner<'t, 'f> {
    text: &'t [u8],
    pos: usize,
    found: &'f mut Survey,
    /// Delimiters of here-documents that begin at the next newline, and whether they expand.
    documents: Vec<(String, bool)>,
    depth: usize,
}

impl Scanner<'_, '_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.pos + ahead).copied()
    }

    /// Whether arithmetic begins behind the `(` before this: it ends with `))`, and commands do not.
    fn end_of_arithmetic(&self) -> Option<usize> {
        let start = self.pos + 1;
        let rest = self.text.get(start..).filter(|_| self.peek(0) == Some(b'('))?;
        let mut open = 0_usize;
        for (length, byte) in rest.iter().enumerate() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => return (rest.get(length + 1) == Some(&b')')).then_some(start + length),
                _ => {}
            }
        }
        None
    }

    /// Reads arithmetic up to where its `))` stands. Any name in it may be set there.
    fn arithmetic(&mut self, end: usize) {
        self.pos += 1;
        while self.pos < end {
            match self.text[self.pos] {
                byte if byte == b'_' || byte.is_ascii_alphanumeric() => {
                    let name = self.name();
                    if is_capital(&name) {
                        self.found.names.insert(name);
                    }
                }
                _ => self.expanded(),
            }
        }
        self.pos = self.pos.max(end + 2);
    }

    fn slice(&self, from: usize, to: usize) -> String {
        String::from_utf8_lossy(&self.text[from..to.min(self.text.len())]).into_owned()
    }

    /// Reads commands up to `closing`, or to the end. `judged` says whether how they end counts.
    fn commands(&mut self, closing: Option<u8>, judged: bool) {
        self.depth += 1;
        let mut line = Line::default();
        while let Some(byte) = self.peek(0) {
            let at = self.pos;
            self.pos += 1;
            match byte {
                b')' if line.is_in_pattern() && !line.ends_case() => {
                    self.end_word(&mut line);
                    line.set_in_pattern(false);
                }
                b'(' if line.is_in_pattern() && !line.word.has_begun => {}
                _ if Some(byte) == closing => break,
                b' ' | b'\t' | b'\r' => self.end_word(&mut line),
                b'\n' if line.awaits_command() => self.documents(),
                b'\n' => {
                    self.end_pipe(&mut line, Ending::Plain, judged);
                    self.documents();
                }
                b'#' if !line.word.has_begun => {
                    self.skip_to_newline();
                    self.found.literal.push(at..self.pos);
                }
                b';' if matches!(self.peek(0), Some(b';' | b'&')) => {
                    self.pos += 1;
                    self.end_pipe(&mut line, Ending::Plain, judged);
                    line.set_in_pattern(true);
                }
                b';' | b')' => self.end_pipe(&mut line, Ending::Plain, judged),
                b'&' if self.peek(0) == Some(b'>') => self.end_word(&mut line),
                b'&' if self.peek(0) == Some(b'&') => {
                    self.pos += 1;
                    self.end_pipe(&mut line, Ending::Tested, judged);
                }
                b'&' => self.end_pipe(&mut line, Ending::Background, judged),
                b'|' if self.peek(0) == Some(b'|') => {
                    self.pos += 1;
                    self.end_pipe(&mut line, Ending::Tested, judged);
                }
                b'|' => {
                    self.pos += usize::from(self.peek(0) == Some(b'&'));
                    self.end_command(&mut line);
                    line.bar = at;
                }
                b'(' if self.depth < DEEPEST => {
                    let is_subshell = !line.word.has_begun;
                    match self.end_of_arithmetic().filter(|_| is_subshell) {
                        Some(end) => self.arithmetic(end),
                        None => self.commands(Some(b')'), false),
                    }
                    line.word.begin(at).push_str(if is_subshell { "(" } else { "()" });
                }
                b'<' | b'>' => self.redirect(&mut line, byte),
                b'\\' => {
                    let next = self.peek(0);
                    self.pos += 1;
                    if next != Some(b'\n') {
                        line.word.begin(at).extend(next.map(char::from));
                    }
                }
                b'\'' => {
                    let end = self.text[self.pos..].iter().position(|byte| *byte == b'\'');
                    let end = end.map_or(self.text.len(), |end| self.pos + end);
                    let inner = self.slice(self.pos, end);
                    self.found.literal.push(self.pos..end);
                    line.word.begin(at).push_str(&inner);
                    self.pos = end + 1;
                }
                b'"' => {
                    let from = self.pos;
                    self.quoted();
                    let inner = self.slice(from, self.pos.saturating_sub(1));
                    line.word.begin(at).push_str(&inner);
                }
                b'$' => {
                    self.dollar();
                    let written = self.slice(at, self.pos);
                    line.word.begin(at).push_str(&written);
                }
                b'`' if self.depth < DEEPEST => {
                    self.commands(Some(b'`'), false);
                    line.word.begin(at).push('`');
                }
                _ => line.word.begin(at).push(char::from(byte)),
            }
            line.word.at.end = self.pos.min(self.text.len());
        }
        self.end_pipe(&mut line, Ending::Plain, judged);
        self.depth -= 1;
    }

    fn skip_to_newline(&mut self) {
        let rest = &self.text[self.pos..];
        self.pos += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn redirect(&mut self, line: &mut Line, byte: u8) {
        let text = &line.word.text;
        let variable = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            line.word = Word::default();
        } else if let Some(variable) = variable {
            // It receives the number of the descriptor.
            self.found.names.insert(variable.to_owned());
            line.word = Word::default();
        }
        self.end_word(line);
        match self.peek(0) {
            Some(b'(') if self.depth < DEEPEST => {
                self.pos += 1;
                self.commands(Some(b')'), false);
                line.is_target = false;
                return;
            }
            Some(b'<') if byte == b'<' && self.peek(1) == Some(b'<') => self.pos += 2,
            Some(b'<') if byte == b'<' => {
                self.pos += 1 + usize::from(self.peek(1) == Some(b'-'));
                self.document();
                return;
            }
            Some(b'&' | b'>' | b'|') => self.pos += 1,
            _ => {}
        }
        line.is_target = true;
    }

    /// Notes a here-document by its delimiter.
    fn document(&mut self) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        while self.peek(0).is_some_and(|byte| blank(&byte)) {
            self.pos += 1;
        }
        let rest = &self.text[self.pos..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b";|&<>)".contains(byte);
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let written = self.slice(self.pos, self.pos + length);
        self.pos += length;
        let delimiter = written.replace(['\'', '"', '\\'], "");
        let expands = delimiter == written;
        self.documents.push((delimiter, expands));
    }

    /// Reads past the bodies of here-documents.
    fn documents(&mut self) {
        for (delimiter, expands) in std::mem::take(&mut self.documents) {
            let body = self.pos;
            while self.pos < self.text.len() {
                let start = self.pos;
                self.skip_to_newline();
                let end = self.pos;
                self.pos += 1;
                if self.slice(start, end).trim_start_matches('\t') == delimiter {
                    break;
                }
                if expands {
                    self.pos = start;
                    while self.pos < end {
                        self.expanded();
                    }
                    self.pos = self.pos.max(end + 1);
                }
            }
            if !expands {
                self.found.literal.push(body..self.pos.min(self.text.len()));
            }
        }
    }

    /// Reads to the end of `"…"`.
    fn quoted(&mut self) {
        while let Some(byte) = self.peek(0) {
            if byte == b'"' {
                self.pos += 1;
                return;
            }
            self.expanded();
        }
        self.pos += 1;
    }

    /// Reads one byte where only expansions mean something, or an expansion.
    fn expanded(&mut self) {
        let byte = self.peek(0);
        self.pos += 1;
        match byte {
            Some(b'\\') => self.pos += 1,
            Some(b'$') => self.dollar(),
            Some(b'`') if self.depth < DEEPEST => self.commands(Some(b'`'), false),
            _ => {}
        }
    }

    /// Reads what stands behind a `$`.
    fn dollar(&mut self) {
        match self.peek(0) {
            // How a recipe writes `${`.
            Some(b'$') if self.peek(1) == Some(b'{') => {
                self.pos += 1;
                self.dollar();
            }
            Some(b'(') if self.depth < DEEPEST => {
                self.pos += 1;
                match self.end_of_arithmetic() {
                    Some(end) => self.arithmetic(end),
                    None => self.commands(Some(b')'), false),
                }
            }
            Some(b'{') if self.depth < DEEPEST => {
                self.depth += 1;
                let start = self.pos;
                self.pos += 1;
                let name = self.name();
                let next = self.peek(0);
                let guards = |byte: u8| matches!(byte, b'-' | b'=' | b'?' | b'+');
                let is_guarded = match next {
                    Some(b':') => self.peek(1).is_none_or(|byte| guards(byte) || byte.is_ascii_alphabetic()),
                    Some(byte) => guards(byte) || byte == b'.',
                    None => true,
                };
                let assigns = next == Some(b'=') || (next == Some(b':') && self.peek(1) == Some(b'='));
                if assigns {
                    self.found.names.insert(name.clone());
                }
                let noted = (!is_guarded).then(|| self.note(name, start - 1)).flatten();
                while let Some(byte) = self.peek(0) {
                    if byte == b'}' || byte == b'\n' {
                        break;
                    }
                    self.expanded();
                }
                self.pos = self.text.len().min(self.pos + usize::from(self.peek(0) == Some(b'}')));
                if let Some(noted) = noted {
                    self.found.uses[noted].at.end = self.pos;
                }
                self.depth -= 1;
            }
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                let start = self.pos - 1;
                let name = self.name();
                self.note(name, start);
            }
            _ => {}
        }
    }

    fn name(&mut self) -> String {
        let rest = &self.text[self.pos..];
        let in_name = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
        let length = rest.iter().take_while(|byte| in_name(byte)).count();
        self.pos += length;
        self.slice(self.pos - length, self.pos)
    }

    /// Notes the use of a name, from `start` to where the text is read; its index, if it is one of those
    /// that are looked at.
    fn note(&mut self, name: String, start: usize) -> Option<usize> {
        is_capital(&name).then(|| {
            self.found.uses.push(Use { name, at: start..self.pos });
            self.found.uses.len() - 1
        })
    }

    fn end_word(&mut self, line: &mut Line) {
        let word = std::mem::take(&mut line.word);
        if !word.has_begun || std::mem::take(&mut line.is_target) {
            return;
        }
        let name: String = word.text.chars().take_while(|c| *c == '_' || c.is_ascii_alphanumeric()).collect();
        let rest = &word.text[name.len()..];
        if is_capital(&name) && (rest.is_empty() || rest.starts_with(['=', '+', '['])) {
            self.found.names.insert(name);
        }
        line.push(word);
    }

    fn end_command(&mut self, line: &mut Line) {
        self.end_word(line);
        let words = std::mem::take(&mut line.words);
        if let Some(command) = command(&words) {
            let has = |text: &str| words.iter().any(|word| word.text == text);
            self.found.reads_others |= matches!(command.text.as_str(), "." | "source" | "eval");
            self.found.sets_pipefail |= command.text == "set" && has("pipefail");
            if matches!(command.text.as_str(), "[" | "[[" | "test" | "-n" | "-z") {
                self.note_asked(&words, command.at.start);
            }
        }
        line.piped.push(words);
    }

    /// Notes the names that a test asks about, which stands at `at`.
    fn note_asked(&mut self, words: &[Word], at: usize) {
        for pair in words.windows(2).filter(|pair| matches!(pair[0].text.as_str(), "-n" | "-z")) {
            if let Some(name) = expanded_name(&pair[1].text) {
                self.found.asked.entry(name.to_owned()).or_insert(at);
            }
        }
    }

    fn end_pipe(&mut self, line: &mut Line, ending: Ending, judged: bool) {
        self.end_command(line);
        let piped = std::mem::take(&mut line.piped);
        let mut first = "";
        for word in &piped[0] {
            first = &word.text;
            match first {
                "if" | "elif" | "while" | "until" => line.in_condition = true,
                "then" | "do" | "else" | "fi" | "done" => line.in_condition = false,
                "{" => {}
                _ => break,
            }
        }
        if !judged || line.in_condition || first == "!" || ending == Ending::Background || piped.len() < 2 {
            return;
        }
        let Some(last) = piped.last().and_then(|words| command(words)) else { return };
        let name = last.text.rsplit('/').next().unwrap_or_default();
        // What asks a question by `grep` wants its answer.
        let is_asked = name == "grep" && ending == Ending::Tested;
        let is_safe =
            |words: &Vec<Word>| command(words).is_some_and(|word| SAFE.contains(&word.text.as_str()));
        if PASSING.contains(&name) && !is_asked && !piped[..piped.len() - 1].iter().all(is_safe) {
            self.found.pipes.push(Pipe { last: name.to_owned(), at: line.bar..last.at.end });
        }
    }
}
