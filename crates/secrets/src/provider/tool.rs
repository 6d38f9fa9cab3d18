//! Asking a vendor's own program, where only that knows.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::SecretValue;
use crate::provider::Local;
use crate::provider::ProviderError;
use crate::source::Running;

/// How long it may take; a program that asks something has no terminal and would wait for ever.
const DEADLINE: Duration = Duration::from_secs(15);

/// No credential is longer, in bytes.
const LONGEST: usize = 4 << 20;

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
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(local.env().all())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // Whoever asks may be on a thread of the runtime, and none can wait inside another.
    let printed = std::thread::scope(|scope| {
        let asked = scope.spawn(|| wait(hear(&mut command, stdin, DEADLINE)));
        asked.join().unwrap_or_else(|_| Err("Doppio could not read its answer".to_owned()))
    });
    printed.map_err(trouble)
}

fn wait<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}

async fn hear(
    command: &mut Command,
    stdin: &[u8],
    deadline: Duration,
) -> Result<Option<SecretValue>, String> {
    let running = Running::start(command).map_err(|error| error.to_string())?;
    let mut heard = tokio::time::timeout(deadline, running.finish(Some(stdin), LONGEST))
        .await
        .map_err(|_| format!("it did not end within {} seconds", deadline.as_secs()))?
        .map_err(|error| error.to_string())?;
    let printed = SecretValue::new(std::mem::take(&mut *heard.stdout));
    Ok(heard.status.success().then_some(printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(script: &str, deadline: Duration) -> Result<Option<SecretValue>, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        wait(hear(&mut command, b"in", deadline))
    }

    #[test]
    fn what_it_prints_is_taken_if_it_ends_well() {
        let printed = |script| heard(script, DEADLINE).unwrap().map(|value| value.plain().to_vec());
        assert_eq!(printed("cat; echo oh >&2").as_deref(), Some(&b"in"[..]));
        assert_eq!(printed("cat; exit 1"), None);
    }

    #[test]
    fn too_much_is_not_cut_off() {
        assert_eq!(heard("head -c 5000000 /dev/zero", DEADLINE).unwrap_err(), "it printed too much");
    }

    #[test]
    fn one_that_prints_nothing_more_has_to_end_all_the_same() {
        let fault = heard("exec >&-; sleep 600", Duration::from_secs(1)).unwrap_err();
        assert_eq!(fault, "it did not end within 1 seconds");
    }

    #[tokio::test]
    async fn it_can_be_asked_from_the_runtime() {
        let env = [("PATH".into(), "/usr/bin:/bin".into())].into_iter().collect();
        let local = Local::new(&env, "/nonexistent".as_ref());
        let printed = ask(&local, &["echo", "hunter2"], b"").unwrap().unwrap();
        assert_eq!(printed.plain(), b"hunter2\n");
    }
}
