//! How a command prints its result. stdout is data, stderr is for people.

use std::io;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::ui::report;

/// Writes data to stdout. A reader that went away ends the command quietly.
///
/// # Errors
///
/// When stdout can't be written to.
pub(super) fn data(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::world("cannot write to stdout").cause(error.to_string())),
    }
}

/// Writes a line for people to stderr; if nobody reads it, there is nothing to do.
pub(super) fn line(text: &str) {
    writeln!(anstream::stderr().lock(), "{text}").ok();
}

/// clap's own errors, help and version. An extra argument may be a value, so it is not repeated.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    let is_option = |value: &ContextValue| value.to_string().starts_with('-');
    if error.kind() == ErrorKind::UnknownArgument
        && !error.get(ContextKind::InvalidArg).is_some_and(is_option)
    {
        error.remove(ContextKind::InvalidArg);
    }
    let code = if error.use_stderr() { Kind::Usage.exit_code() } else { 0 };
    error.print().ok();
    ExitCode::from(code)
}

/// The error of a command that failed.
pub(super) fn fail(error: &CliError) -> ExitCode {
    for (source, faults) in &error.faults {
        line(&report::draw(source, faults));
    }
    if let Some(message) = &error.message {
        line(&format!("\x1b[1;31merror\x1b[0m: {message}"));
    }
    for cause in &error.causes {
        line(&format!("  cause: {cause}"));
    }
    if !error.hints.is_empty() {
        line("");
    }
    for hint in &error.hints {
        line(&format!("\x1b[1;36mhint\x1b[0m: {hint}"));
    }
    error.exit_code()
}
