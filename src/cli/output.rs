//! How a command says its words. What people read passes [`doppio_text::page`] here, whoever wrote
//! it; what programs read is left as it is.

use std::io;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::page;

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

/// Writes text for people to stdout: whole lines, each fit to be shown.
///
/// # Errors
///
/// As [`data`].
pub(super) fn text(text: &str) -> Result<(), CliError> {
    data(&page(text))
}

/// Writes a line for people to stderr, or several; if nobody reads it, there is nothing to do.
pub(super) fn line(text: &str) {
    coloured("", text);
}

/// Writes a line with a word before it, in colour where there is colour.
fn coloured(word: &str, text: &str) {
    writeln!(anstream::stderr().lock(), "{word}{}", page(text)).ok();
}

/// Writes what to do next to stderr.
pub(super) fn hint(text: &str) {
    coloured("\x1b[1;36mhint\x1b[0m: ", text);
}

/// Draws faults on stderr.
pub(super) fn faults(source: &Source, faults: &[Diagnostic]) {
    writeln!(anstream::stderr().lock(), "{}", report::draw(source, faults)).ok();
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
        self::faults(source, faults);
    }
    if let Some(message) = &error.message {
        coloured("\x1b[1;31merror\x1b[0m: ", message);
    }
    for cause in &error.causes {
        line(&format!("  cause: {cause}"));
    }
    if !error.hints.is_empty() {
        line("");
    }
    for hint in &error.hints {
        self::hint(hint);
    }
    error.exit_code()
}
