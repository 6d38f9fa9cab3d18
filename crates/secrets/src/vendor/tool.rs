//! Asking a vendor's own program, where only that knows.

use std::time::Duration;

use doppio_process::Broken;
use doppio_process::Heard;
use doppio_process::Limits;
use doppio_process::Program;

use crate::SecretValue;
use crate::vendor::Local;
use crate::vendor::ProviderError;

/// No credential is longer; and a program that asks something has no terminal and would wait for ever.
const LIMITS: Limits = Limits { longest: 4 << 20, deadline: Duration::from_secs(15) };

/// Whether there is such a program on the `PATH`.
pub(super) fn is_there(local: &Local<'_>, program: &str) -> bool {
    let Some(path) = local.env().get("PATH") else { return false };
    std::env::split_paths(path).any(|folder| folder.join(program).is_file())
}

/// What a program prints on its standard output; none if it ends with a failure. What it says on
/// standard error may hold anything, so it is dropped.
///
/// # Errors
///
/// When it can't be started, prints too much or does not end in time.
pub(super) fn ask(
    local: &Local<'_>,
    argv: &[&str],
    stdin: &[u8],
) -> Result<Option<SecretValue>, ProviderError> {
    let shown = argv.join(" ");
    let trouble = |cause: String| ProviderError {
        cause: format!("`{shown}`: {cause}"),
        hint: format!("run `{shown}` yourself to see why"),
    };
    let (program, arguments) = argv.split_first().ok_or_else(|| trouble("no program".to_owned()))?;
    let program = Program::new(program).args(arguments).env_only(local.env().all()).without_stderr();
    heard(program.hear_blocking(Some(stdin), LIMITS)).map_err(|error| trouble(error.to_string()))
}

fn heard(heard: Result<Heard, Broken>) -> Result<Option<SecretValue>, Broken> {
    let mut heard = heard?;
    let printed = SecretValue::new(std::mem::take(&mut *heard.stdout));
    Ok(heard.status.success().then_some(printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_prints_is_taken_if_it_ends_well() {
        let printed = |script| {
            let program = Program::shell(script).without_stderr();
            heard(program.hear_blocking(Some(b"in"), LIMITS)).unwrap().map(|value| value.plain().to_vec())
        };
        assert_eq!(printed("cat; echo oh >&2").as_deref(), Some(&b"in"[..]));
        assert_eq!(printed("cat; exit 1"), None);
    }

    #[tokio::test]
    async fn it_can_be_asked_from_the_runtime() {
        let env = [("PATH".into(), "/usr/bin:/bin".into())].into_iter().collect();
        let local = Local::new(&env, "/nonexistent".as_ref());
        let printed = ask(&local, &["echo", "hunter2"], b"").unwrap().unwrap();
        assert_eq!(printed.plain(), b"hunter2\n");
    }
}
