//! Dotenv: nothing is substituted. A whole file is read assignment by assignment, so that each has
//! its line; of what is looked up the text is read at once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;

use ::dotenv::EnvLoader;
use ::dotenv::EnvMap;
use ::dotenv::EnvSequence;
use ::dotenv::Error;
use zeroize::Zeroize;

use doppio_text::name::EnvName;

use crate::SecretValue;
use crate::format::dispute;
use crate::format::entry::Entry;
use crate::format::entry::Malformed;
use crate::format::entry::utf8;
use crate::format::entry::without_mark;
use crate::format::expression;
use crate::format::pointer::NoMember;
use crate::format::scalar::Scalar;
use crate::randomness::is_random;

/// What one assignment comes to.
enum Assignment {
    /// Blank, or a comment.
    Nothing,
    Value(String, SecretValue),
    /// The quote is not closed yet: the value goes on in the next line.
    Open(char),
    Wrong(usize, String),
}

/// All assignments.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = utf8(without_mark(text))?;
    let mut entries = Vec::new();
    let (mut line, mut rest) = (1, text);
    while !rest.is_empty() {
        let (chunk, found) = next(rest);
        let malformed = |at: usize, why: &str| Malformed { line: at, why: why.to_owned() };
        match found {
            Assignment::Nothing => {}
            Assignment::Value(key, value) => {
                if EnvName::from_str(&key).is_err() || is_random(&key) {
                    return Err(malformed(line, "the text before the `=` is not a variable's name"));
                }
                if chunk.trim_end_matches(['\r', '\n']).contains('\r') {
                    let why = "the value contains a carriage return, which would be lost: write it in \
                               double quotes as `\\r`";
                    return Err(malformed(line, why));
                }
                let is_disputed = dispute::is_disputed(chunk, value.plain());
                let why = is_disputed.then_some(dispute::WHY).or_else(|| expression::of_assignment(chunk));
                entries.push(Entry { key, line, value: why.map_or(Ok(value), Err) });
            }
            Assignment::Open(quote) => {
                return Err(malformed(line, &format!("the value has no closing `{quote}`")));
            }
            Assignment::Wrong(at, why) => return Err(malformed(line + at - 1, &why)),
        }
        line += chunk.matches('\n').count();
        rest = &rest[chunk.len()..];
    }
    Ok(entries)
}

/// Where and why others read a different value of a variable.
fn disputed(text: &[u8], name: &str) -> Option<String> {
    // The last one counts.
    let (line, is_disputed) = assignments(text, name).pop()?;
    is_disputed.then(|| disputed_at(line, name))
}

/// Whether a variable has more than one assignment.
fn is_twice(text: &[u8], name: &str) -> bool {
    assignments(text, name).len() > 1
}

/// The lines of all assignments to a variable, and whether others read another value there.
fn assignments(text: &[u8], name: &str) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    each(text, |at, key, is_disputed| {
        if key == name {
            found.push((at.line, is_disputed));
        }
    });
    found
}

/// Where an assignment stands: its line, and its bytes in the text without a byte order mark.
#[derive(Debug)]
struct Located {
    line: usize,
    bytes: Range<usize>,
}

/// Calls `found` for each assignment with its name, and whether others read another value there.
fn each(text: &[u8], mut found: impl FnMut(Located, String, bool)) {
    let text = std::str::from_utf8(without_mark(text)).unwrap_or_default();
    let (mut line, mut start) = (1, 0);
    while start < text.len() {
        let (chunk, assignment) = next(&text[start..]);
        let end = start + chunk.len();
        if let Assignment::Value(key, value) = assignment {
            found(Located { line, bytes: start..end }, key, dispute::is_disputed(chunk, value.plain()));
        }
        line += chunk.matches('\n').count();
        start = end;
    }
}

/// Where the variables of a dotenv text stand, without their values.
#[derive(Debug)]
pub(crate) struct Index(HashMap<String, (Located, bool)>);

impl Index {
    /// Reads a whole text.
    ///
    /// # Errors
    ///
    /// The first fault, by location and without the text.
    pub(crate) fn new(text: &[u8]) -> Result<Self, String> {
        whole(text)?.values_mut().for_each(Zeroize::zeroize);
        let mut variables = HashMap::new();
        // The last one counts.
        each(text, |at, key, is_disputed| {
            variables.insert(key, (at, is_disputed));
        });
        Ok(Self(variables))
    }

    /// The value of a variable in the text that the index is of; none if it is empty or not there.
    ///
    /// # Errors
    ///
    /// When other readers read another value.
    pub(crate) fn select(&self, text: &[u8], name: &str) -> Result<Option<SecretValue>, String> {
        let Some((at, is_disputed)) = self.0.get(name) else { return Ok(None) };
        let chunk =
            without_mark(text).get(at.bytes.clone()).and_then(|chunk| std::str::from_utf8(chunk).ok());
        let value = match chunk.map(parse) {
            Some(Assignment::Value(key, value)) if key == name => value,
            _ => return Err(format!("line {}: the file has changed while it was read", at.line)),
        };
        match (value.plain().is_empty(), is_disputed) {
            (true, _) => Ok(None),
            (false, true) => Err(disputed_at(at.line, name)),
            (false, false) => Ok(Some(value)),
        }
    }
}

fn disputed_at(line: usize, name: &str) -> String {
    format!("line {line}: the value of `{name}` {}", dispute::WHY)
}

/// The first assignment: as many lines as its quotes need.
fn next(text: &str) -> (&str, Assignment) {
    let mut end = line_end(text, 0);
    loop {
        let chunk = &text[..end];
        match parse(chunk) {
            Assignment::Open(quote) => {
                // Only a line with the quote can close it.
                let Some(at) = text[end..].find(quote) else { return (chunk, Assignment::Open(quote)) };
                end = line_end(text, end + at);
            }
            found => return (chunk, found),
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

fn parse(chunk: &str) -> Assignment {
    use ::dotenv::ParseErrorKind;
    let mut found = match load(chunk.as_bytes()) {
        Ok(found) => found,
        Err(Error::Parse(fault, _)) => {
            return match fault.kind() {
                ParseErrorKind::UnterminatedQuote(quote) => Assignment::Open(*quote),
                // A character of the name may be one of a value that went astray.
                ParseErrorKind::InvalidKeyCharacter(_) | ParseErrorKind::InvalidValueCharacter(_) => {
                    Assignment::Wrong(fault.line(), "there is a control character".to_owned())
                }
                ParseErrorKind::MissingEquals => {
                    Assignment::Wrong(fault.line(), "expected `NAME=value`".to_owned())
                }
                kind => Assignment::Wrong(fault.line(), kind.to_string()),
            };
        }
        Err(_) => return Assignment::Wrong(1, "it can't be read".to_owned()),
    };
    let Some(key) = found.keys().next().cloned() else { return Assignment::Nothing };
    let value = found.remove(&key).unwrap_or_default();
    found.values_mut().for_each(Zeroize::zeroize);
    Assignment::Value(key, SecretValue::new(value.into_bytes()))
}

fn load(text: &[u8]) -> Result<EnvMap, Error> {
    EnvLoader::with_reader(text).sequence(EnvSequence::InputOnly).load()
}

/// All variables, the last of those with the same name. Faults are reported by location, without
/// the text.
fn whole(text: &[u8]) -> Result<EnvMap, String> {
    load(text).map_err(|error| match error {
        Error::Parse(fault, _) => {
            format!("line {}, column {}: {}", fault.line(), fault.column(), fault.kind())
        }
        _ => "it is not UTF-8 text".to_owned(),
    })
}

/// All variables of a dotenv text that are not empty.
pub(crate) fn variables(text: &[u8]) -> Result<Vec<(String, SecretValue)>, String> {
    let mut variables = whole(text)?;
    let names: Vec<String> = variables.keys().cloned().collect();
    let value =
        |name: String| variables.remove(&name).map(|value| (name, SecretValue::new(value.into_bytes())));
    Ok(names.into_iter().filter_map(value).filter(|(_, value)| !value.plain().is_empty()).collect())
}

/// The value of one variable of a dotenv text. Faults are reported by location, without the text.
fn select(text: &[u8], name: &str) -> Result<Option<SecretValue>, String> {
    let mut variables = whole(text)?;
    let found = variables.remove(name);
    variables.values_mut().for_each(Zeroize::zeroize);
    Ok(found.filter(|value| !value.is_empty()).map(|value| SecretValue::new(value.into_bytes())))
}

/// The member, which is a variable.
pub(super) fn member_of(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, NoMember> {
    let found = select(text.as_bytes(), &path[0]).map_err(|_| NoMember::Format)?;
    if path.len() != 1 {
        return Ok(None);
    }
    if is_twice(text.as_bytes(), &path[0]) {
        return Err(NoMember::twice());
    }
    match found.as_ref().and_then(|_| disputed(text.as_bytes(), &path[0])) {
        Some(why) => Err(NoMember::Member(why)),
        None => Ok(found),
    }
}

/// All values; none where the text is not dotenv text.
pub(super) fn scalars(text: &str) -> Vec<Scalar> {
    let found = variables(text.as_bytes()).unwrap_or_default();
    found.iter().map(|(key, value)| Scalar::new(key, value.plain(), false)).collect()
}

#[cfg(test)]
mod tests {
    use crate::format::Format;
    use crate::format::whole::tests::told;

    #[test]
    fn values_keep_every_byte() {
        let text = "\u{feff}# c\r\nA=p$HOME\\n\r\n\nexport B='one\ntwo $B' # c\nC=\"a\\nb\"\nD=\nE = x y # z\nF=it's so\nG='a\\b'\nH=q#r\n";
        assert_eq!(
            told(Format::Dotenv, text),
            [
                "2: A=\"p$HOME\\\\n\"",
                "4: B=\"one\\ntwo $B\"",
                "6: C=\"a\\nb\"",
                "7: D=\"\"",
                "8: E=\"x y\"",
                "9: F=\"it's so\"",
                "10: G=\"a\\\\b\"",
                "11: H=\"q#r\"",
            ]
        );
    }

    #[test]
    fn what_others_read_otherwise_is_refused() {
        assert_eq!(
            told(Format::Dotenv, "A=plain-one\nB=pa\\$ss\n"),
            [
                "1: A=\"plain-one\"",
                "2: B means something else to other readers of dotenv files: write it in single quotes, or store it \
                 with `doppio secret set`",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_has_its_line() {
        for (text, fault) in [
            ("A=1\n\nB='hunter2\nC=2\n", "line 3: the value has no closing `'`"),
            ("A=1\nhunter2\n", "line 2: expected `NAME=value`"),
            ("A='x\ny' hunter2\n", "line 2: expected a comment or end of line after the quoted value"),
            ("A=1\nhunter-2=x\n", "line 2: the text before the `=` is not a variable's name"),
            (
                "A=1\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC==\n",
                "line 2: the text before the `=` is not a variable's name",
            ),
            (
                "A=1\r\nB='x\r\ny'\r\n",
                "line 2: the value contains a carriage return, which would be lost: write it in double quotes as `\\r`",
            ),
            ("A=1\n=x\n", "line 2: expected an environment variable name"),
        ] {
            assert_eq!(told(Format::Dotenv, text), [fault], "{text:?}");
        }
        assert_eq!(told(Format::Dotenv, "\n# nothing\n"), [""; 0]);
    }
}
