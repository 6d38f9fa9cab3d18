//! What a POSIX shell text uses and hides, for warnings. It is read loosely: what can't be read is left
//! out, and nothing is an error.

use std::collections::HashSet;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Survey {
    /// Variables with capital names whose value the text takes as it is, in order: `$NAME` and `${NAME}`,
    /// and not `${NAME:-…}`, which says what to do without one.
    pub uses: Vec<Use>,
    /// Pipes whose end is that of a command which only passes on what it reads.
    pub pipes: Vec<Pipe>,
    /// Names that stand in the text in another way: assigned, read into, declared.
    names: HashSet<String>,
    /// It reads another text, which may set anything.
    reads_others: bool,
    sets_pipefail: bool,
}

/// A variable whose value is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// As it is written: `$NAME`, or `${NAME` with what follows it.
    pub written: String,
}

/// A pipe that hides how its first commands end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipe {
    /// The name of the last command.
    pub last: String,
    /// From the last `|` to that name, as it is written.
    pub written: String,
}

/// Commands that succeed whatever becomes of what they read.
const PASSING: [&str; 4] = ["tee", "cat", "head", "grep"];

/// Commands whose failure nobody waits for.
const SAFE: [&str; 15] = [
    ":", "cat", "date", "df", "du", "echo", "env", "head", "ls", "printenv", "printf", "ps", "seq", "true",
    "yes",
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

impl Survey {
    /// The names that the text uses and can't have a value for by itself.
    pub fn unset(&self) -> impl Iterator<Item = &Use> {
        let seen = (!self.reads_others).then(|| self.uses.iter().filter(|of| !self.names.contains(&of.name)));
        seen.into_iter().flatten()
    }
}

/// A word of a command: where it begins, and its text without quotes.
#[derive(Debug, Clone, Default)]
struct Word {
    at: usize,
    text: String,
    has_begun: bool,
}

/// What the words of one list of commands add up to.
#[derive(Default)]
struct Line {
    word: Word,
    words: Vec<Word>,
    /// The commands of the pipe before this one.
    piped: Vec<Vec<Word>>,
    /// Where the last `|` stands.
    bar: usize,
    is_target: bool,
    in_condition: bool,
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
                _ if Some(byte) == closing => break,
                b' ' | b'\t' | b'\r' => self.end_word(&mut line),
                b'\n' => {
                    self.end_pipe(&mut line, Ending::Plain, judged);
                    self.documents();
                }
                b'#' if !line.word.has_begun => self.skip_to_newline(),
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
                    self.commands(Some(b')'), false);
                    begin(&mut line.word, at).push_str(if is_subshell { "(" } else { "()" });
                }
                b'<' | b'>' => self.redirect(&mut line, byte),
                b'\\' => {
                    let next = self.peek(0);
                    self.pos += 1;
                    if next != Some(b'\n') {
                        begin(&mut line.word, at).extend(next.map(char::from));
                    }
                }
                b'\'' => {
                    let end = self.text[self.pos..].iter().position(|byte| *byte == b'\'');
                    let end = end.map_or(self.text.len(), |end| self.pos + end);
                    let inner = self.slice(self.pos, end);
                    begin(&mut line.word, at).push_str(&inner);
                    self.pos = end + 1;
                }
                b'"' => {
                    let from = self.pos;
                    self.quoted();
                    let inner = self.slice(from, self.pos.saturating_sub(1));
                    begin(&mut line.word, at).push_str(&inner);
                }
                b'$' => {
                    self.dollar();
                    let written = self.slice(at, self.pos);
                    begin(&mut line.word, at).push_str(&written);
                }
                b'`' if self.depth < DEEPEST => {
                    self.commands(Some(b'`'), false);
                    begin(&mut line.word, at).push('`');
                }
                _ => begin(&mut line.word, at).push(char::from(byte)),
            }
        }
        self.end_pipe(&mut line, Ending::Plain, judged);
        self.depth -= 1;
    }

    fn skip_to_newline(&mut self) {
        let rest = &self.text[self.pos..];
        self.pos += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn redirect(&mut self, line: &mut Line, byte: u8) {
        if line.word.text.bytes().all(|byte| byte.is_ascii_digit()) {
            line.word = Word::default();
        }
        self.end_word(line);
        match self.peek(0) {
            Some(b'(') if self.depth < DEEPEST => {
                self.pos += 1;
                self.commands(Some(b')'), false);
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
                self.commands(Some(b')'), false);
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
                let to = self.pos + 1;
                if !is_guarded {
                    let written = format!("${}", self.slice(start, to));
                    self.note(name, written);
                }
                while let Some(byte) = self.peek(0) {
                    if byte == b'}' || byte == b'\n' {
                        break;
                    }
                    self.expanded();
                }
                self.pos += 1;
                self.depth -= 1;
            }
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                let name = self.name();
                self.note(name.clone(), format!("${name}"));
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

    fn note(&mut self, name: String, written: String) {
        if is_capital(&name) {
            self.found.uses.push(Use { name, written });
        }
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
        line.words.push(word);
    }

    fn end_command(&mut self, line: &mut Line) {
        self.end_word(line);
        let words = std::mem::take(&mut line.words);
        if let Some(command) = command(&words) {
            let has = |text: &str| words.iter().any(|word| word.text == text);
            self.found.reads_others |= matches!(command.text.as_str(), "." | "source" | "eval");
            self.found.sets_pipefail |= command.text == "set" && has("pipefail");
        }
        line.piped.push(words);
    }

    fn end_pipe(&mut self, line: &mut Line, ending: Ending, judged: bool) {
        self.end_command(line);
        let piped = std::mem::take(&mut line.piped);
        let first = piped[0].first().map_or("", |word| word.text.as_str());
        match first {
            "if" | "elif" | "while" | "until" => line.in_condition = true,
            "then" | "do" | "else" | "fi" | "done" => line.in_condition = false,
            _ => {}
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
            let written = self.slice(line.bar, last.at + last.text.len());
            self.found.pipes.push(Pipe { last: name.to_owned(), written });
        }
    }
}

fn begin(word: &mut Word, at: usize) -> &mut String {
    if !word.has_begun {
        *word = Word { at, text: String::new(), has_begun: true };
    }
    &mut word.text
}

/// The word of a command that names it, behind reserved words and assignments.
fn command(words: &[Word]) -> Option<&Word> {
    const BEFORE: [&str; 10] = ["then", "do", "else", "{", "time", "sudo", "command", "exec", "if", "while"];
    words.iter().find(|word| {
        let is_assignment = word.text.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        });
        !is_assignment && !BEFORE.contains(&word.text.as_str())
    })
}

/// Whether a name looks like a variable of the environment.
fn is_capital(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unset(text: &str) -> Vec<String> {
        survey(text).unset().map(|of| of.written.clone()).collect()
    }

    fn pipes(text: &str) -> Vec<String> {
        survey(text).pipes.into_iter().map(|pipe| pipe.written).collect()
    }

    #[test]
    fn names_that_nothing_in_the_text_sets_are_found() {
        assert_eq!(
            unset("rm -rf ${WORKDIR}/x \"$DATA/y\" $(ls $TMP_X) `ls $TMP_Y`"),
            ["${WORKDIR}", "$DATA", "$TMP_X", "$TMP_Y"]
        );
        assert_eq!(unset("cat <<E\n$NAME\nE\ncat <<'E'\n$OTHER\nE\n"), ["$NAME"]);
        assert_eq!(unset("echo ${FILE%.gz} ${LIST[0]} $${DIR}"), ["${FILE%", "${LIST[", "${DIR}"]);
    }

    #[test]
    fn names_that_the_text_sets_or_guards_are_not() {
        for text in [
            "OUT=/x; rm $OUT",
            "export OUT=/x\nrm ${OUT}",
            "read -r OUT; echo $OUT",
            "for OUT in a b; do echo $OUT; done",
            "echo ${OUT:-x} ${OUT:?unset} ${OUT-} ${OUT:+a}",
            ": ${OUT:=/x}; rm $OUT",
            "OUT=(a b); echo ${OUT[0]}",
            "printf -v OUT x; echo $OUT",
            "(( OUT=1 )); echo $OUT",
            ". ./env.sh; echo $OUT",
            "eval \"$(tool)\"; echo $OUT",
            "sh -c 'echo $OUT' # $OUT",
            "echo '$OUT' \\$OUT $out $1 $$ ${secret:OUT} ${env.OUT} $X",
            "OUT+=x; echo $OUT",
        ] {
            assert_eq!(unset(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn pipes_that_hide_a_failure_are_found() {
        assert_eq!(pipes("false | tee log"), ["| tee"]);
        assert_eq!(pipes("set -u\npython train.py 2>&1 |& tee -a log\necho done"), ["|& tee"]);
        assert_eq!(pipes("for x in a; do\n  run $x\ndone | tee log"), ["| tee"]);
        assert_eq!(pipes("make | sudo tee log && ./a"), ["| sudo tee"]);
        assert_eq!(pipes("nvidia-smi | grep A100; make | head -5"), ["| grep", "| head"]);
        assert_eq!(pipes("(a; b) | cat"), ["| cat"]);
        assert_eq!(pipes("if x; then make | tee log; fi"), ["| tee"]);
    }

    #[test]
    fn other_pipes_are_not() {
        for text in [
            "echo a | tee log",
            "ls -l | head",
            "cat x | grep y",
            "make | sort",
            "if make | grep -q x; then y; fi",
            "! make | grep x",
            "make | grep -q x || exit 1",
            "set -o pipefail; make | tee log",
            "set -euo pipefail\nmake | tee log",
            "make | tee log; exit ${PIPESTATUS[0]}",
            "x=$(make | head -1)",
            "make | tee log &",
            "echo 'make | tee log' # make | tee",
            "cat <<E\nmake | tee log\nE\n",
            "make || tee log",
        ] {
            assert_eq!(pipes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn any_text_has_an_end() {
        for unit in ["$(", "`", "\"", "${X", "(", "<<E\n", "'", "\\", "|", "<(", "${", "case a in a) "] {
            for count in [1, 2, 3000] {
                survey(&unit.repeat(count));
            }
        }
    }
}
