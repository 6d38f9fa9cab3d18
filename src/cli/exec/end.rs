//! How a command on hosts ended, and the exit code.

use std::io;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::run::end::Ended;
use crate::cli::run::end::told;
use crate::event::End;
use crate::event::RunStatus;
use crate::event::StepState;
use crate::event::StepStatus;
use crate::ui::failures_of;

/// Signals by their number, from 1 on, as they are the same everywhere.
const SIGNALS: [&str; 15] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM",
];

/// What there is to say at the end.
pub(super) struct Ending {
    /// Whether there is one host, whose command's exit code is ours.
    pub is_one: bool,
}

impl Ending {
    /// Says how it went.
    pub(super) fn say(&self, ended: &Ended) -> Result<(), CliError> {
        let state = &ended.state;
        ended.warn();
        if let Err(error) = &ended.shown {
            let kind =
                if error.kind() == io::ErrorKind::Interrupted { Kind::Interrupted } else { Kind::World };
            return Err(CliError::new(kind, "cannot write the output").cause(error.to_string()));
        }
        let failed: Vec<&StepState> = state
            .leaves()
            .filter(|step| matches!(step.status, StepStatus::Failed | StepStatus::Lost))
            .collect();
        if state.status == Some(RunStatus::Cancelled) && failed.is_empty() {
            let reason = state.cancelling.as_ref().map_or("interrupted", |reason| reason.as_str());
            return Err(CliError::new(Kind::Interrupted, format!("the command was stopped: {reason}")));
        }
        if state.status == Some(RunStatus::Success) {
            return Ok(());
        }
        if self.is_one
            && let [step] = failed.as_slice()
            && let Some(code) = step.end.as_ref().and_then(code)
        {
            // As with `ssh`, what it has to say it has said itself.
            return Err(CliError::silent(Kind::OfCommand(code)));
        }
        let kind = kind(&failed);
        let (failures, hints) = failures_of(state, |_| "the command".to_owned(), ("host", "hosts"));
        Err(told(kind, failures, hints))
    }
}

/// The exit code of a command that has ended, as a shell has it.
fn code(end: &End) -> Option<u8> {
    match end {
        // What a host says may be any number; only 0 is success.
        End::Exit { code } => Some(u8::try_from(*code & 0xff).unwrap_or(1).max(1)),
        End::Signal { name } => {
            let number = SIGNALS.iter().position(|known| known == name)?;
            u8::try_from(129 + number).ok()
        }
        _ => None,
    }
}

/// Whose problem it is.
fn kind(failed: &[&StepState]) -> Kind {
    let ends = || failed.iter().filter_map(|step| step.end.as_ref());
    if ends().any(|end| matches!(end, End::Error { bug: true, .. })) {
        return Kind::Bug;
    }
    let is_world = |end: &End| matches!(end, End::Error { world: true, .. } | End::Lost { .. });
    if ends().count() > 0 && ends().all(is_world) { Kind::World } else { Kind::StepFailed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_a_shell() {
        let codes = [1, 127, 256, -1].map(|code| self::code(&End::Exit { code }));
        assert_eq!(codes, [Some(1), Some(127), Some(1), Some(255)]);
        let of = |name: &str| code(&End::Signal { name: name.to_owned() });
        assert_eq!([of("KILL"), of("TERM"), of("X")], [Some(137), Some(143), None]);
        assert_eq!(code(&End::Timeout), None);
    }
}
