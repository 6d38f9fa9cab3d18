//! Words and the commands that they add up to.

use std::ops::Range;

/// A word of a command: where it stands, and its text without quotes.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    pub(super) at: Range<usize>,
    pub(super) text: String,
    pub(super) has_begun: bool,
}

impl Word {
    /// Its text, to be continued; it begins at an offset if it has not begun.
    pub(super) fn begin(&mut self, at: usize) -> &mut String {
        if !self.has_begun {
            *self = Self { at: at..at, text: String::new(), has_begun: true };
        }
        &mut self.text
    }
}

/// What the words of one list of commands add up to.
#[derive(Default)]
pub(super) struct Line {
    pub(super) word: Word,
    pub(super) words: Vec<Word>,
    /// The commands of the pipe before this one.
    pub(super) piped: Vec<Vec<Word>>,
    /// Where the last `|` stands.
    pub(super) bar: usize,
    pub(super) is_target: bool,
    pub(super) in_condition: bool,
    /// For each `case` that is open, whether a pattern is read.
    cases: Vec<bool>,
}

impl Line {
    /// Whether what stands here is a pattern of `case`.
    pub(super) fn is_in_pattern(&self) -> bool {
        self.cases.last() == Some(&true)
    }

    /// Whether a `|` stands before this: the command behind it may stand on the next line.
    pub(super) fn awaits_command(&self) -> bool {
        !self.piped.is_empty() && self.words.is_empty() && !self.word.has_begun
    }

    /// Whether the word so far ends the last `case`.
    pub(super) fn ends_case(&self) -> bool {
        self.word.text == "esac" && self.words.is_empty() && !self.cases.is_empty()
    }

    /// The commands of a pattern follow, or another pattern.
    pub(super) fn set_in_pattern(&mut self, is_in_pattern: bool) {
        if let Some(case) = self.cases.last_mut() {
            *case = is_in_pattern;
            self.forget();
        }
    }

    /// Adds a word that is over, and looks whether a `case` begins or ends with it.
    pub(super) fn push(&mut self, word: Word) {
        self.word = word;
        let is_esac = self.ends_case();
        let begins_patterns = self.word.text == "in";
        self.words.push(std::mem::take(&mut self.word));
        if is_esac {
            self.cases.pop();
        } else if begins_patterns
            && self.words.iter().rev().nth(2).is_some_and(|word| word.text == "case")
            && command(&self.words).is_some_and(|word| word.text == "case")
        {
            self.cases.push(true);
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.words.clear();
        self.piped.clear();
    }
}

/// Reserved words and commands before the one that counts.
const BEFORE: [&str; 13] =
    ["if", "elif", "then", "else", "while", "until", "do", "{", "!", "time", "sudo", "command", "exec"];

/// The word of a command that names it, behind reserved words and assignments.
pub(super) fn command(words: &[Word]) -> Option<&Word> {
    words.iter().find(|word| {
        let is_assignment = word.text.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        });
        !is_assignment && !BEFORE.contains(&word.text.as_str())
    })
}

/// Whether a name looks like a variable of the environment.
pub(super) fn is_capital(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c == '_' || c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The name that a text such as `$NAME` or `${NAME:-}` begins with.
pub(super) fn expanded_name(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?.trim_start_matches(['$', '{']);
    let length = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    Some(&rest[..length]).filter(|name| is_capital(name))
}
