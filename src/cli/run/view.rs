//! Which view of a run, and where it writes.

use std::io::BufWriter;
use std::time::Duration;

use crate::cli::context::Context;
use crate::ui::Json;
use crate::ui::Paint;
use crate::ui::Plain;
use crate::ui::Progress;
use crate::ui::Screen;
use crate::ui::View;

/// How to show a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// A tree on a terminal, lines elsewhere
    Auto,
    /// Lines on stderr
    Plain,
    /// One event a line on stdout
    Json,
}

/// How long output waits for a terminal that does not read.
const WATCHER: Duration = Duration::from_secs(5);

/// The same for a program that reads stdout.
const PROGRAM: Duration = Duration::from_mins(1);

/// The view, on a thread of its own.
pub(super) fn screen(form: Form, context: &Context) -> Screen {
    let (view, patience): (Box<dyn View>, _) = match form {
        Form::Json => (Box::new(Json::new(BufWriter::new(std::io::stdout()))), PROGRAM),
        Form::Auto if is_tree(form, context) => {
            let paint = Paint(context.env.get("NO_COLOR").is_none());
            (Box::new(Progress::new(paint, columns())), WATCHER)
        }
        Form::Auto | Form::Plain => (Box::new(Plain::new(BufWriter::new(std::io::stderr()))), WATCHER),
    };
    Screen::new(view, patience)
}

/// Whether the run is shown as a tree that moves.
pub(super) fn is_tree(form: Form, context: &Context) -> bool {
    let is_dumb = context.env.text("TERM").is_none_or(|term| term == "dumb");
    form == Form::Auto && !context.is_plain() && !is_dumb
}

/// How long the end of a run waits until all of it has been shown.
pub(super) fn last_words(form: Form, forced: bool) -> Duration {
    match form {
        _ if forced => Duration::from_secs(1),
        Form::Json => Duration::from_hours(24),
        Form::Auto | Form::Plain => Duration::from_mins(1),
    }
}

/// Columns of the terminal.
fn columns() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
}
