//! The text of a netrc, as Python's `netrc` reads it: what `requests`, wandb and pip see.

use zeroize::Zeroizing;

/// One machine's entry.
pub(super) struct Entry {
    /// The machine; empty for `default`.
    pub machine: String,
    /// Who.
    pub login: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// The line that is not netrc syntax, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub usize);

/// All entries, in order. Of two for one machine Python takes the later one.
///
/// # Errors
///
/// When a word stands where none belongs.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let mut words = Words { rest: text, line: 1 };
    let mut logins: Vec<Entry> = Vec::new();
    while let Some(word) = words.next() {
        let machine = match word.as_str() {
            word if word.starts_with('#') => {
                words.skip_line();
                continue;
            }
            "macdef" => {
                words.skip_macro();
                continue;
            }
            "machine" => words.next().ok_or(Malformed(words.line))?.to_string(),
            "default" => String::new(),
            _ => return Err(Malformed(words.line)),
        };
        let mut entry = Entry { machine, login: String::new(), password: Zeroizing::default() };
        loop {
            let (before, line) = (words.rest, words.line);
            let Some(word) = words.next() else { break };
            match word.as_str() {
                word if word.starts_with('#') => words.skip_line(),
                "machine" | "default" | "macdef" => {
                    (words.rest, words.line) = (before, line);
                    break;
                }
                "login" | "user" => entry.login = words.next().unwrap_or_default().to_string(),
                "account" => drop(words.next()),
                "password" => entry.password = words.next().unwrap_or_default(),
                _ => return Err(Malformed(words.line)),
            }
        }
        logins.push(entry);
    }
    Ok(logins)
}

/// The entry for a machine, or the one for all others.
pub(super) fn find<'a>(logins: &'a [Entry], machine: &str) -> Option<&'a Entry> {
    let of = |name: &str| logins.iter().rev().find(|login| login.machine == name);
    of(machine).or_else(|| of(""))
}

struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl Words<'_> {
    /// The next word: between white space, or in double quotes; a backslash takes the next
    /// character as it is.
    fn next(&mut self) -> Option<Zeroizing<String>> {
        let text = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.count(self.rest.len() - text.len());
        let quoted = text.starts_with('"');
        let body = if quoted { &text[1..] } else { text };
        if body.is_empty() && !quoted {
            return None;
        }
        let mut word = Zeroizing::new(String::with_capacity(body.len().min(4096)));
        let mut characters = body.char_indices();
        let mut end = body.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' if quoted => {
                    end = at + 1;
                    break;
                }
                ' ' | '\t' | '\r' | '\n' if !quoted => {
                    end = at;
                    break;
                }
                '\\' => word.extend(characters.next().map(|(_, character)| character)),
                other => word.push(other),
            }
        }
        self.count(usize::from(quoted) + end);
        Some(word)
    }

    fn skip_line(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.count(end);
    }

    /// A macro goes on to the next empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |at| at + 2);
        self.count(end);
    }

    fn count(&mut self, bytes: usize) {
        let (over, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += over.matches('\n').count();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_macros_are_understood() {
        let text = "# mine\nmachine a.example login me password \"two words\\\"\" # c\n\
                    machine b.example\n  user you\n  password p\\ q\n\
                    macdef init\ncd /x\nmachine no\n\n\
                    default login any password other\n";
        let logins = parse(text).unwrap();
        assert_eq!(logins.len(), 3);
        assert_eq!(find(&logins, "a.example").unwrap().password.as_str(), "two words\"");
        let other = find(&logins, "b.example").unwrap();
        assert_eq!((other.login.as_str(), other.password.as_str()), ("you", "p q"));
        assert_eq!(find(&logins, "c.example").unwrap().password.as_str(), "other");
    }

    #[test]
    fn a_stray_word_is_told_by_its_line() {
        assert_eq!(parse("machine a login b password c\nstray").err(), Some(Malformed(2)));
    }
}
