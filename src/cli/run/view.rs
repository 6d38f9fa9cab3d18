//! Which view of a run, and where it writes.

use std::io::BufWriter;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::output;
use crate::cli::output::OutputFormat;
use crate::engine::Cancel;
use crate::ui::Detail;
use crate::ui::Json;
use crate::ui::Paint;
use crate::ui::Plain;
use crate::ui::Progress;
use crate::ui::Screen;
use crate::ui::View;

/// How long output waits for a terminal that does not read.
const WATCHER: Duration = Duration::from_secs(5);

/// The same for a program that reads stdout.
const PROGRAM: Duration = Duration::from_mins(1);

/// How much of a run is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct DetailArgs {
    /// Show notices and the end of the run only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Show also which processes run, and how each secret travels; in lines
    #[arg(short, long)]
    verbose: bool,
}

impl DetailArgs {
    /// What was chosen.
    pub(super) fn detail(self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Notices,
            (false, false) => Detail::Steps,
            (false, true) => Detail::Everything,
        }
    }
}

/// The view, on a thread of its own.
pub(super) fn screen(form: OutputFormat, detail: Detail, context: &Context) -> Screen {
    let (view, patience): (Box<dyn View>, _) = match form {
        OutputFormat::Json => (Box::new(Json::new(BufWriter::new(std::io::stdout()))), PROGRAM),
        OutputFormat::Auto if is_tree(form, detail, context) => {
            let paint = Paint(context.is_coloured());
            let columns = output::columns(std::io::stderr()).unwrap_or(80);
            (Box::new(Progress::new(paint, columns)), WATCHER)
        }
        OutputFormat::Auto | OutputFormat::Plain => {
            (Box::new(Plain::new(BufWriter::new(std::io::stderr())).showing(detail)), WATCHER)
        }
    };
    Screen::new(view, patience)
}

/// Whether the run is shown as a tree that moves.
pub(super) fn is_tree(form: OutputFormat, detail: Detail, context: &Context) -> bool {
    let is_dumb = context.env.text("TERM").is_none_or(|term| term == "dumb");
    let is_usual = form == OutputFormat::Auto && detail == Detail::Steps;
    is_usual && !context.is_plain() && !is_dumb
}

/// How long the end of a run waits until all of it has been shown.
pub(super) fn last_words(is_data: bool, wish: Cancel) -> Duration {
    match (wish, is_data) {
        (Cancel::Force, _) => Duration::from_secs(1),
        (Cancel::Ask(_), _) => Duration::from_secs(10),
        (Cancel::No, true) => Duration::from_hours(24),
        (Cancel::No, false) => Duration::from_mins(1),
    }
}
