//! The one error at the top: what the user reads, and the exit code.

use std::process::ExitCode;

use doppio_hosts::HostError;
use doppio_rented::QueryError;
use doppio_rented::RentedError;
use doppio_secrets::SecretError;
use doppio_secrets::source::SourceError;
use doppio_text::Diagnostic;
use doppio_text::NotOwn;
use doppio_text::Source;

use crate::rentals::NoVendor;

/// All that went wrong, as one error: what is right for the first of them, with the words of all.
pub(super) fn all(outcomes: impl IntoIterator<Item = Result<(), CliError>>) -> Result<(), CliError> {
    let mut errors = outcomes.into_iter().filter_map(Result::err);
    let Some(mut first) = errors.next() else { return Ok(()) };
    for other in errors {
        first.causes.extend(other.message);
        first.causes.extend(other.causes);
        first.hints.extend(other.hints);
    }
    Err(first)
}

/// Whose problem it is; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A step failed: 1.
    StepFailed,
    /// The recipe, the settings or the command line are wrong: 2.
    Usage,
    /// Something outside prevents it (secret, host, login, disk): 3.
    World,
    /// A bug in Doppio: 70.
    Bug,
    /// The user interrupted: 130.
    Interrupted,
    /// The command that `secret exec` started ended with this code, which is not 0.
    OfCommand(u8),
}

impl Kind {
    /// The process's exit code.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::StepFailed => 1,
            Self::Usage => 2,
            Self::World => 3,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::OfCommand(code) => code,
        }
    }
}

/// Why a command ends with something else than 0.
#[derive(Debug)]
pub(super) struct CliError {
    /// Whose problem it is.
    pub kind: Kind,
    /// One line, lowercase, names in backticks; none when everything has been reported already.
    pub message: Option<String>,
    /// From what Doppio was doing down to what the system said.
    pub causes: Vec<String>,
    /// What to do, with the command to type.
    pub hints: Vec<String>,
    /// Faults with locations, drawn before the message.
    pub faults: Vec<(Source, Vec<Diagnostic>)>,
}

impl CliError {
    /// An error of this kind with one line.
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::silent(kind) }
    }

    /// Wrong recipe, settings or command line.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something outside prevents it.
    pub(super) fn world(message: impl Into<String>) -> Self {
        Self::new(Kind::World, message)
    }

    /// Nothing more to report: only the exit code.
    pub(super) fn silent(kind: Kind) -> Self {
        Self { kind, message: None, causes: Vec::new(), hints: Vec::new(), faults: Vec::new() }
    }

    /// A source can't do `what`.
    pub(super) fn of_source(what: impl Into<String>, error: &SourceError) -> Self {
        let kind = if matches!(error, SourceError::Unfit { .. }) { Kind::Usage } else { Kind::World };
        error.hint().into_iter().fold(Self::new(kind, what).cause(error.to_string()), Self::hint)
    }

    /// Faults of a text.
    pub(super) fn faults(source: Source, faults: Vec<Diagnostic>) -> Self {
        Self { faults: vec![(source, faults)], ..Self::silent(Kind::Usage) }
    }

    /// Adds a cause.
    #[must_use]
    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }
}

/// An error of the system as the command's: something outside prevents it.
pub(super) trait OrWorld<T> {
    /// `message` says what can't be done, the error why.
    fn or_world(self, message: impl Into<String>) -> Result<T, CliError>;
}

impl<T, E: ToString> OrWorld<T> for Result<T, E> {
    fn or_world(self, message: impl Into<String>) -> Result<T, CliError> {
        self.map_err(|error| CliError::world(message).cause(error.to_string()))
    }
}

impl From<NotOwn> for CliError {
    fn from(error: NotOwn) -> Self {
        Self::world(error.to_string()).hint(error.hint())
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        Self { causes: error.causes, hints: error.hint.into_iter().collect(), ..Self::world(error.message) }
    }
}

impl From<RentedError> for CliError {
    fn from(error: RentedError) -> Self {
        let is_ours = matches!(error, RentedError::BadOrder(_) | RentedError::BadBase { .. });
        let kind = if is_ours { Kind::Usage } else { Kind::World };
        Self::new(kind, error.to_string()).hint(error.hint())
    }
}

impl From<QueryError> for CliError {
    fn from(error: QueryError) -> Self {
        Self::usage(error.to_string()).hint(error.hint)
    }
}

impl From<NoVendor> for CliError {
    fn from(error: NoVendor) -> Self {
        match error {
            NoVendor::Secret(error) => error.into(),
            NoVendor::Client(_, ref unread) => Self::world(error.to_string()).hint(unread.hint.clone()),
            NoVendor::InSandbox(_) => Self::world(error.to_string()),
            NoVendor::Rented(error) => error.into(),
        }
    }
}

impl From<SecretError> for CliError {
    fn from(error: SecretError) -> Self {
        error.hint().into_iter().fold(Self::world(error.to_string()), Self::hint)
    }
}
