//! Which view of a run, and where it writes.

use std::io::BufWriter;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::output;
use crate::engine::Cancel;
use crate::ui::Json;
use crate::ui::Paint;
use crate::ui::Plain;
use crate::ui::Progress;
use crate::ui::Screen;
use crate::ui::View;

/// How to show a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ViewChoice {
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
pub(super) fn screen(form: ViewChoice, context: &Context) -> Screen {
    let (view, patience): (Box<dyn View>, _) = match form {
        ViewChoice::Json => (Box::new(Json::new(BufWriter::new(std::io::stdout()))), PROGRAM),
        ViewChoice::Auto if is_tree(form, context) => {
            let paint = Paint(context.env.get("NO_COLOR").is_none());
            let columns = output::columns(std::io::stderr()).unwrap_or(80);
            (Box::new(Progress::new(paint, columns)), WATCHER)
        }
        ViewChoice::Auto | ViewChoice::Plain => {
            (Box::new(Plain::new(BufWriter::new(std::io::stderr()))), WATCHER)
        }
    };
    Screen::new(view, patience)
}

/// Whether the run is shown as a tree that moves.
pub(super) fn is_tree(form: ViewChoice, context: &Context) -> bool {
    let is_dumb = context.env.text("TERM").is_none_or(|term| term == "dumb");
    form == ViewChoice::Auto && !context.is_plain() && !is_dumb
}

/// How long the end of a run waits until all of it has been shown.
pub(super) fn last_words(form: ViewChoice, wish: Cancel) -> Duration {
    match (wish, form) {
        (Cancel::Force, _) => Duration::from_secs(1),
        (Cancel::Ask(_), _) => Duration::from_secs(10),
        (Cancel::No, ViewChoice::Json) => Duration::from_hours(24),
        (Cancel::No, ViewChoice::Auto | ViewChoice::Plain) => Duration::from_mins(1),
    }
}
