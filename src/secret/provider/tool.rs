//! Asking a vendor's own program, where only that can tell.

use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::Pid;

use crate::secret::SecretValue;
use crate::secret::provider::Local;
use crate::secret::provider::ProviderError;
use crate::secret::source::end_with_descendants;

/// How long it may take; one that asks something has no terminal and would wait for ever.
const DEADLINE: Duration = Duration::from_secs(15);

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
/// When it can't be started or does not end in time.
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
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(local.env().all())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| trouble(error.to_string()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // One that does not read its stdin is free to close it.
        pipe.write_all(stdin).ok();
    }
    let (sender, printed) = mpsc::channel();
    let mut stdout = child.stdout.take().ok_or_else(|| trouble("no output".to_owned()))?;
    std::thread::spawn(move || {
        let mut bytes = Vec::with_capacity(64 << 10);
        let read = stdout.by_ref().take(4 << 20).read_to_end(&mut bytes).map(|_| SecretValue::new(bytes));
        sender.send(read).ok();
    });
    let printed = printed.recv_timeout(DEADLINE);
    let ended = end(&mut child, printed.is_ok());
    match printed {
        Ok(Ok(value)) => Ok(ended.then_some(value)),
        Ok(Err(error)) => Err(trouble(error.to_string())),
        Err(_) => Err(trouble(format!("it did not end within {} seconds", DEADLINE.as_secs()))),
    }
}

/// Waits for its end, or brings it about, with that of all that it has started; whether it was a
/// good one.
fn end(child: &mut Child, has_printed: bool) -> bool {
    if !has_printed {
        end_with_descendants(Pid::from_child(child));
    }
    child.wait().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::BufRead;
    use std::io::BufReader;
    use std::time::Instant;

    use super::*;

    #[test]
    fn one_that_is_too_late_ends_with_what_it_has_started() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let state = || fs::read_to_string(format!("/proc/{}/stat", number.trim())).unwrap_or_default();
        assert!(state().contains("sleep") || state().contains("(sh)"), "{}", state());
        assert!(!end(&mut child, false));
        let deadline = Instant::now() + Duration::from_secs(20);
        // Dead, and looked at by its parent or not yet.
        while !state().is_empty() && !state().contains(") Z ") {
            assert!(Instant::now() < deadline, "{}", state());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
