//! `az` and `azd`, run as every program that Doppio asks for a secret: without stdin, and ended with
//! all that they have started when the call ends.

use std::ffi::OsStr;
use std::io;
use std::process::Output;
use std::time::Duration;

use azure_identity::Executor;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;

/// No answer with a token is longer; and no call, which has a deadline of its own, lasts longer.
const LIMITS: Limits = Limits { longest: 1 << 20, deadline: Duration::from_mins(10) };

/// Runs them.
#[derive(Debug)]
pub(super) struct Tools;

impl Executor for Tools {
    fn run<'own, 'program, 'list, 'word, 'all>(
        &'own self,
        program: &'program OsStr,
        args: &'list [&'word OsStr],
    ) -> BoxFuture<'all, io::Result<Output>>
    where
        'own: 'all,
        'program: 'all,
        'list: 'all,
        'word: 'all,
        Self: 'all,
    {
        let program = Program::new(program).args(args);
        async move {
            let mut heard = program.hear(None, LIMITS).await.map_err(|error| match error {
                Broken::NotStarted(error) | Broken::System(error) => error,
                error => io::Error::other(error),
            })?;
            let stdout = std::mem::take(&mut *heard.stdout);
            Ok(Output { status: heard.status, stdout, stderr: heard.stderr })
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tool_is_heard() {
        let args = ["-c", "cat; printf token; echo words >&2; exit 3"].map(OsStr::new);
        let output = Tools.run(OsStr::new("sh"), &args).await.unwrap();
        assert_eq!(
            (output.status.code(), output.stdout, output.stderr),
            (Some(3), b"token".to_vec(), b"words\n".to_vec())
        );
        let error = Tools.run(OsStr::new("no-such-program"), &[]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
