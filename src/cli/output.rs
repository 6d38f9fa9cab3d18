//! How a command says its words. What people read passes [`doppio_text::page`] here, whoever wrote
//! it; what programs read is left as it is.

use std::fmt::Display;
use std::io;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::error::ContextKind;
use clap::error::ContextValue;
use clap::error::ErrorKind;
use serde::Serialize;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::exact;
use doppio_text::page;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::literals;
use crate::cli::literals::Literals;
use crate::ui::Paint;
use crate::ui::report;
use crate::ui::table::Table;

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    /// For people; a run is a tree on a terminal and lines elsewhere
    Auto,
    /// For people, in lines
    Plain,
    /// For programs
    Json,
}

/// The choice of it: the same on every command.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct OutputArgs {
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "auto")]
    output: OutputFormat,
    /// The same as `--output json`
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl OutputArgs {
    /// What was chosen.
    pub(super) fn format(self) -> OutputFormat {
        if self.json { OutputFormat::Json } else { self.output }
    }

    /// Whether it is for programs.
    pub(super) fn is_json(self) -> bool {
        self.format() == OutputFormat::Json
    }
}

/// Writes data to stdout. A reader that went away ends the command quietly.
pub(super) fn data(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.or_world("cannot write to stdout"),
    }
}

/// Writes a value to stdout as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let line = serde_json::to_string(value).or_world("cannot write JSON")? + "\n";
    data(line.as_bytes())
}

/// Writes values to stdout as one array of JSON.
pub(super) fn json_array(values: impl Iterator<Item = serde_json::Value>) -> Result<(), CliError> {
    json(&values.collect::<Vec<_>>())
}

/// Writes text for people to stdout: whole lines, each fit to be shown.
pub(super) fn text(text: &str) -> Result<(), CliError> {
    data(page(text).as_bytes())
}

/// When there is colour: the same on every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl ColourChoice {
    /// Makes it the choice for all that is written from here on.
    pub(super) fn choose(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// Text in red, bold and the like, by the numbers of ECMA-48's SGR; what writes it drops the colour where
/// there is none.
pub(super) fn styled(style: &str, text: &str) -> String {
    Paint(true).with(style, text)
}

/// Writes text for people to stdout as [`text`] does, each line painted where there is colour.
pub(super) fn painted_lines(text: &str, paint: impl Fn(&str) -> String) -> Result<(), CliError> {
    let lines: String = page(text).lines().map(|line| paint(line) + "\n").collect();
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.or_world("cannot write to stdout"),
    }
}

/// Writes a table to stdout.
pub(super) fn table<const N: usize>(table: &Table<N>) -> Result<(), CliError> {
    text(&table.draw())
}

/// Writes a table to stdout, in colour where there is colour: its cells are fit to be shown already.
pub(super) fn coloured_table<const N: usize>(table: &Table<N>) -> Result<(), CliError> {
    data(table.draw_in(paint()).as_bytes())
}

/// Whether stdout is in colour, as the terminal and the environment have it.
pub(super) fn paint() -> Paint {
    Paint(anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never)
}

/// Columns of a terminal; none if it is not one, or does not know.
pub(super) fn columns(of: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Writes a line for people to stderr, or several; if nobody reads it, there is nothing to do.
pub(super) fn line(text: &str) {
    coloured("", text);
}

/// Writes a line of our own words to stderr, in colour where there is colour.
pub(super) fn painted_line(text: &str) {
    writeln!(anstream::stderr().lock(), "{text}").ok();
}

/// Writes warnings to stderr, a line each.
pub(super) fn warnings(warnings: impl IntoIterator<Item = impl Display>) {
    for warning in warnings {
        line(&format!("warning: {warning}"));
    }
}

/// Writes a line with a word before it, in colour where there is colour. A token that stands in it, which
/// may have been typed as the value of an option, is not repeated.
fn coloured(word: &str, text: &str) {
    writeln!(anstream::stderr().lock(), "{word}{}", Literals::masked(&page(text))).ok();
}

/// Writes what to do next to stderr.
pub(super) fn hint(text: &str) {
    coloured("\x1b[1;36mhint\x1b[0m: ", text);
}

/// Draws faults on stderr.
pub(super) fn faults(source: &Source, faults: &[Diagnostic]) {
    let drawn = report::draw(&literals::hidden(source), faults);
    // What was typed on the command line may stand in them as well.
    let drawn = Literals::of([source.text(), drawn.as_str()]).mask().text(&drawn);
    writeln!(anstream::stderr().lock(), "{drawn}").ok();
}

/// clap's own errors, help and version. An extra argument may be a value, so it is not repeated.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    let is_option = |value: &ContextValue| value.to_string().starts_with('-');
    if error.kind() == ErrorKind::UnknownArgument
        && !error.get(ContextKind::InvalidArg).is_some_and(is_option)
    {
        error.remove(ContextKind::InvalidArg);
    }
    for (kind, value) in fitted(&error) {
        // A tip repeats it as well.
        error.remove(ContextKind::Suggested);
        error.insert(kind, value);
    }
    let printed = error.print();
    if error.use_stderr() {
        return ExitCode::from(Kind::Usage.exit_code());
    }
    match printed {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            fail(&CliError::world("cannot write to stdout").cause(why.to_string()))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// What clap repeats of the command line, fit to be shown: it may have been pasted, or come out of a file.
fn fitted(error: &clap::Error) -> Vec<(ContextKind, ContextValue)> {
    let fit = |text: &String| exact(text.as_bytes());
    let fitted = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(fit(text))),
        ContextValue::Strings(texts) => Some(ContextValue::Strings(texts.iter().map(fit).collect())),
        _ => None,
    };
    let all = error.context().filter_map(|(kind, value)| Some((kind, value, fitted(value)?)));
    all.filter(|(_, value, fitted)| *value != fitted).map(|(kind, _, fitted)| (kind, fitted)).collect()
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
