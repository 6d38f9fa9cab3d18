//! Another program that is asked for secrets: no shell, nothing secret in its arguments, stdin
//! closed or a pipe, what it prints in memory that is wiped.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_text::brief;

use crate::SecretValue;
use crate::source::SourceError;

/// Nothing that a program prints is longer; and no call, which has a deadline of its own, lasts
/// longer, even where the program asks the user something.
const LIMITS: Limits = Limits { longest: 32 << 20, deadline: Duration::from_mins(10) };

/// What a shell, `env` or `nice` ends with where the program below can't be run or is not there
/// (POSIX, "Exit Status for Commands"): then the password manager itself has said nothing.
const NOT_RUN: [i32; 2] = [126, 127];

/// A program and how it is started.
#[derive(Debug)]
pub(super) struct Program {
    /// Its name, or the path that the settings give.
    pub path: PathBuf,
    /// Where to get it.
    pub get: &'static str,
    /// What is set in its environment besides what Doppio has in its own.
    pub variables: Vec<(&'static str, OsString)>,
    /// What its error messages mean.
    pub complaints: &'static [Complaint],
}

/// What an error message means that has one of these words. The first that fits counts; the last of a
/// program fits always, for it has no words.
pub(super) type Complaint = (&'static [&'static str], Meaning);

/// What an error message means: a cause and a hint. A cause with a colon at its end is followed by
/// the message.
#[derive(Debug)]
pub(super) enum Meaning {
    Missing,
    NotAllowed(&'static str, &'static str),
    Unreachable(&'static str, &'static str),
}

/// What it printed.
pub(super) struct Printed {
    /// Whether it ended with 0.
    pub success: bool,
    pub stdout: Zeroizing<Vec<u8>>,
    /// Its complaints.
    pub stderr: String,
}

impl Program {
    /// Runs it to its end; the caller has the deadline, and it dies with the call. A failure is what
    /// its message means.
    pub(super) async fn run(&self, arguments: &[&str], stdin: Option<&[u8]>) -> Result<Printed, SourceError> {
        self.run_with(arguments, stdin, &[]).await
    }

    /// The same with secrets in its environment.
    pub(super) async fn run_with(
        &self,
        arguments: &[&str],
        stdin: Option<&[u8]>,
        secrets: &[(&str, SecretValue)],
    ) -> Result<Printed, SourceError> {
        let printed = self.hear(arguments, stdin, secrets).await?;
        if printed.success { Ok(printed) } else { Err(printed.means(self.complaints)) }
    }

    async fn hear(
        &self,
        arguments: &[&str],
        stdin: Option<&[u8]>,
        secrets: &[(&str, SecretValue)],
    ) -> Result<Printed, SourceError> {
        let name = self.path.display();
        let mut program = doppio_process::Program::new(&self.path).args(arguments);
        for (variable, value) in &self.variables {
            program = program.env(variable, value);
        }
        for (variable, value) in secrets {
            let text = std::str::from_utf8(value.plain())
                .ok()
                .filter(|text| !text.contains('\0'))
                .ok_or_else(|| SourceError::unfit(format!("the value for `{variable}` is not text")))?;
            program = program.env(variable, text);
        }
        let by_hand = || format!("run `{name}` by hand to see what it says");
        let heard = program.hear(stdin, LIMITS).await.map_err(|error| match error {
            Broken::NotStarted(error) if error.kind() == std::io::ErrorKind::NotFound => {
                SourceError::unreachable(
                    format!("`{name}` is not installed"),
                    format!("install it ({}), or write its path as `program` to the settings", self.get),
                )
            }
            Broken::NotStarted(error) => {
                SourceError::unreachable(format!("cannot start `{name}`: {error}"), "check the file's mode")
            }
            Broken::TooLong => {
                SourceError::unreachable(format!("`{name}` printed more than 32 MiB"), by_hand())
            }
            error => SourceError::unreachable(format!("`{name}`: {error}"), by_hand()),
        })?;
        let printed = Printed {
            success: heard.status.success(),
            stdout: heard.stdout,
            stderr: String::from_utf8_lossy(&heard.stderr).into_owned(),
        };
        if heard.status.code().is_some_and(|code| NOT_RUN.contains(&code)) {
            let cause = format!("`{name}` can't be run: {}", printed.complaint());
            return Err(SourceError::unreachable(cause, by_hand()));
        }
        Ok(printed)
    }
}

/// Without what it printed: that may be a secret.
impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed").field("success", &self.success).finish_non_exhaustive()
    }
}

impl Printed {
    /// Whether an error message has one of these words, whatever their case. What it quotes does
    /// not count: an item may be called "Locked keys".
    fn complains(&self, words: &[&str]) -> bool {
        let complaint = unquoted(&self.complaint()).to_lowercase();
        words.iter().any(|word| complaint.contains(word))
    }

    /// What its error message means.
    pub(super) fn means(&self, complaints: &[Complaint]) -> SourceError {
        let said = |cause: &str| match cause.strip_suffix(':') {
            Some(cause) if self.complaint().is_empty() => cause.to_owned(),
            Some(_) => format!("{cause} {}", self.complaint()),
            None => cause.to_owned(),
        };
        let fits = |(words, _): &&Complaint| words.is_empty() || self.complains(words);
        let (_, meaning) = complaints.iter().find(fits).expect("the last complaint fits always");
        match meaning {
            Meaning::Missing => SourceError::Missing,
            Meaning::NotAllowed(cause, hint) => SourceError::not_allowed(said(cause), *hint),
            Meaning::Unreachable(cause, hint) => SourceError::unreachable(said(cause), *hint),
        }
    }

    /// Its error message, on one line and not too long. Some programs print errors on stdout; what
    /// a program that failed prints is not a value.
    fn complaint(&self) -> String {
        let stdout = if self.success { "".into() } else { String::from_utf8_lossy(&self.stdout) };
        let text = if self.stderr.trim().is_empty() { stdout.as_ref() } else { self.stderr.as_str() };
        brief(text, 300)
    }
}

/// A text without what stands in quotation marks. A mark opens where no word is before it, and
/// closes where none goes on: `isn't` has none.
fn unquoted(text: &str) -> String {
    let mut kept = String::new();
    let (mut end, mut before) = (None, ' ');
    let mut symbols = text.chars().peekable();
    while let Some(symbol) = symbols.next() {
        let ends_here = !symbols.peek().is_some_and(|next| next.is_alphanumeric());
        match end {
            Some(mark) if symbol == mark && ends_here => end = None,
            Some(_) => {}
            None if before.is_alphanumeric() => kept.push(symbol),
            None => match symbol {
                '"' | '\'' | '`' => end = Some(symbol),
                '“' => end = Some('”'),
                '‘' => end = Some('’'),
                _ => kept.push(symbol),
            },
        }
        before = symbol;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> Program {
        const ALL: &[Complaint] = &[(&[], Meaning::Unreachable("it failed:", "look"))];
        let variables = vec![("GIVEN", "x".into())];
        Program { path: path.into(), get: "https://example.com", variables, complaints: ALL }
    }

    #[test]
    fn what_is_quoted_is_left_out() {
        assert_eq!(unquoted(r#""Locked keys" isn't an item"#), " isn't an item");
        assert_eq!(unquoted("can't read 'op://Bob's/a': `b`, “c” and \"d"), "can't read : ,  and ");
        assert_eq!(unquoted("is locked"), "is locked");
    }

    #[tokio::test]
    async fn what_it_prints_is_kept_apart() {
        let secret = ("TOKEN", SecretValue::new(b"hunter2".to_vec()));
        let printed = program("sh")
            .hear(&["-c", "cat; printf \"$GIVEN$TOKEN\"; echo oh no >&2; exit 3"], Some(b"in "), &[secret])
            .await
            .unwrap();
        assert_eq!(printed.stdout.as_slice(), b"in xhunter2");
        assert_eq!((printed.success, printed.complaint().as_str()), (false, "oh no"));
        assert!(printed.complains(&["oh"]));
        let meaning = printed.means(program("sh").complaints);
        assert_eq!(meaning, SourceError::unreachable("it failed: oh no", "look"));
        let shown = format!("{printed:?}");
        assert_eq!(shown, "Printed { success: false, .. }");
    }

    #[tokio::test]
    async fn one_whose_interpreter_is_gone_could_not_be_asked() {
        for (script, code) in [("echo env: node: not found >&2; exit 127", 127), ("exit 126", 126)] {
            let fault = program("sh").run(&["-c", script], None).await.unwrap_err();
            assert!(matches!(fault, SourceError::Unreachable { .. }), "{code}: {fault}");
        }
    }

    #[tokio::test]
    async fn one_that_prints_too_much_says_so_at_once() {
        let fault = program("cat").run(&["/dev/zero"], None).await.unwrap_err();
        assert_eq!(fault.to_string(), "`cat` printed more than 32 MiB");
    }

    #[tokio::test]
    async fn much_goes_both_ways() {
        let much = vec![b'x'; 1 << 20];
        let printed =
            program("sh").run(&["-c", "cat; head -c 100000 /dev/zero >&2"], Some(&much)).await.unwrap();
        assert_eq!((printed.success, printed.stdout.len()), (true, much.len()));
    }

    #[tokio::test]
    async fn one_that_is_not_there_says_where_to_get_it() {
        let fault = program("no-such-program").run(&[], None).await.unwrap_err();
        assert_eq!(fault.to_string(), "`no-such-program` is not installed");
        assert!(fault.hint().unwrap().contains("https://example.com"));
    }
}
