//! Another program that is asked for secrets: no shell, nothing secret in its arguments, stdin
//! closed or a pipe, what it prints in memory that is wiped.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use crate::secret::SecretValue;
use crate::secret::source::SourceError;

/// Nothing that a program prints is longer, in bytes.
const LONGEST: usize = 32 << 20;

/// What is kept of its complaints, in bytes.
const COMPLAINTS: u64 = 16 << 10;

/// A program and how it is started.
#[derive(Debug)]
pub(super) struct Program {
    /// Its name, or the path that the settings give.
    pub path: PathBuf,
    /// Where it is to be had.
    pub get: &'static str,
    /// What is set in its environment besides what Doppio has in its own.
    pub variables: Vec<(&'static str, OsString)>,
}

/// What it printed.
#[derive(Debug)]
pub(super) struct Printed {
    /// Whether it ended with 0.
    pub success: bool,
    pub stdout: Zeroizing<Vec<u8>>,
    /// Its complaints.
    pub stderr: String,
}

impl Program {
    /// Runs it to its end; the caller has the deadline, and it dies with the call.
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
        let name = self.path.display();
        let mut command = tokio::process::Command::new(&self.path);
        command
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (variable, value) in secrets {
            let text = std::str::from_utf8(value.plain())
                .ok()
                .filter(|text| !text.contains('\0'))
                .ok_or_else(|| SourceError::unfit(format!("the value for `{variable}` is no text")))?;
            command.env(variable, text);
        }
        let mut child = command.spawn().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                return SourceError::unreachable(
                    format!("`{name}` is not installed"),
                    format!("install it ({}), or write its path as `program` to the settings", self.get),
                );
            }
            SourceError::unreachable(format!("cannot start `{name}`: {error}"), "look at the file's mode")
        })?;
        let (into, mut out, mut complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let (Some(mut into), Some(text)) = (into, stdin) {
                // One that ends without reading is told by how it ends.
                drop(into.write_all(text).await);
            }
        };
        let read = async {
            let mut stdout = Zeroizing::new(Vec::new());
            if let Some(out) = &mut out {
                read_all(out, &mut stdout).await?;
            }
            Ok::<_, std::io::Error>(stdout)
        };
        let listen = async {
            let mut text = Vec::new();
            if let Some(complaints) = &mut complaints {
                complaints.take(COMPLAINTS).read_to_end(&mut text).await?;
                // More would block it; it is thrown away.
                tokio::io::copy(complaints, &mut tokio::io::sink()).await?;
            }
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&text).into_owned())
        };
        let broken = |error: std::io::Error| {
            SourceError::unreachable(format!("`{name}`: {error}"), format!("run `{name}` by hand"))
        };
        let ((), stdout, stderr) = futures_util::future::join3(write, read, listen).await;
        let (stdout, stderr) = (stdout.map_err(broken)?, stderr.map_err(broken)?);
        let status = child.wait().await.map_err(broken)?;
        Ok(Printed { success: status.success(), stdout, stderr })
    }
}

impl Printed {
    /// Whether a complaint has one of these words, whatever their case.
    pub(super) fn complains(&self, words: &[&str]) -> bool {
        let complaint = self.complaint().to_lowercase();
        words.iter().any(|word| complaint.contains(word))
    }

    /// What it complains of, on one line and not too long. Some programs complain on stdout; what
    /// a program that failed prints is no value.
    pub(super) fn complaint(&self) -> String {
        let stdout = if self.success { "".into() } else { String::from_utf8_lossy(&self.stdout) };
        let text = if self.stderr.trim().is_empty() { stdout.as_ref() } else { self.stderr.as_str() };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().filter(|character| !character.is_control()).take(300).collect()
    }
}

/// Reads to the end. A vector that grows leaves its old bytes behind, so it is moved by hand.
async fn read_all(
    from: &mut (impl AsyncReadExt + Unpin),
    into: &mut Zeroizing<Vec<u8>>,
) -> Result<(), std::io::Error> {
    into.reserve_exact(64 << 10);
    while from.read_buf(&mut **into).await? > 0 {
        if into.len() > LONGEST {
            return Err(std::io::Error::other("it printed more than 32 MiB"));
        }
        if into.capacity() - into.len() < 4 << 10 {
            let mut longer = Zeroizing::new(Vec::with_capacity(into.capacity() * 2));
            longer.extend_from_slice(into);
            *into = longer;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> Program {
        Program { path: path.into(), get: "https://example.com", variables: vec![("GIVEN", "x".into())] }
    }

    #[tokio::test]
    async fn what_it_prints_is_kept_apart() {
        let secret = ("TOKEN", SecretValue::new(b"hunter2".to_vec()));
        let printed = program("sh")
            .run_with(
                &["-c", "cat; printf \"$GIVEN$TOKEN\"; echo oh no >&2; exit 3"],
                Some(b"in "),
                &[secret],
            )
            .await
            .unwrap();
        assert_eq!(printed.stdout.as_slice(), b"in xhunter2");
        assert_eq!((printed.success, printed.complaint().as_str()), (false, "oh no"));
        assert!(printed.complains(&["oh"]));
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
