//! Ctrl-C and its like → what the user wants of the run, and of a program that can't end because
//! nobody reads what it says.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::run::talk::NoEcho;
use crate::cli::signals;
use crate::engine::Cancel;
use crate::ui::Voice;

/// How long the last words of a program that was told to end may take.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What was told by signals so far.
pub(super) struct Signals {
    wish: watch::Receiver<Cancel>,
    run_is_over: Arc<AtomicBool>,
    echo: Arc<NoEcho>,
}

/// Listens from now on. The first signal asks, a second one forces, a third one ends the program as
/// it stands. Once the run is over, the first one gives up what `screen` still has to show.
pub(super) fn listen(
    cancel: &watch::Sender<Cancel>,
    screen: Voice,
    echo: Arc<NoEcho>,
) -> Result<Signals, CliError> {
    let mut came = signals::listen([Signal::INT, Signal::TERM, Signal::HUP])?;
    let run_is_over = Arc::new(AtomicBool::new(false));
    let signals =
        Signals { wish: cancel.subscribe(), run_is_over: Arc::clone(&run_is_over), echo: Arc::clone(&echo) };
    let cancel = cancel.clone();
    tokio::spawn(async move {
        while let Some(number) = came.recv().await {
            let reason = match number {
                Signal::INT => "interrupted",
                Signal::TERM => "terminated",
                _ => "the terminal was closed",
            };
            let wish = *cancel.borrow();
            let next = match wish {
                Cancel::No => Cancel::Ask(reason),
                // A terminal that closes sends its signal more than once.
                Cancel::Ask(_) | Cancel::Force if number == Signal::HUP => wish,
                Cancel::Ask(_) => Cancel::Force,
                Cancel::Force => exit(&echo),
            };
            cancel.send_replace(next);
            if run_is_over.load(Ordering::Relaxed) {
                screen.give_up();
            } else if next == Cancel::Force {
                // What is left to say takes a moment, if anybody listens.
                let screen = screen.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LAST_WORDS).await;
                    screen.give_up();
                });
            }
        }
    });
    Ok(signals)
}

impl Signals {
    /// From now on a signal does not mean the steps.
    pub(super) fn run_is_over(&self) {
        self.run_is_over.store(true, Ordering::Relaxed);
    }

    /// All is done but saying so: a program that was told to end does not wait for ever to be
    /// listened to.
    pub(super) fn only_words_are_left(&self) {
        let (mut wish, echo) = (self.wish.clone(), Arc::clone(&self.echo));
        tokio::spawn(async move {
            if wish.wait_for(|wish| *wish != Cancel::No).await.is_ok() {
                tokio::time::sleep(LAST_WORDS).await;
                exit(&echo);
            }
        });
    }
}

/// Ends the program, whatever it waits for.
#[expect(clippy::disallowed_methods, reason = "`main` waits for somebody to read its last words")]
fn exit(echo: &NoEcho) -> ! {
    echo.restore();
    std::process::exit(i32::from(Kind::Interrupted.exit_code()))
}
