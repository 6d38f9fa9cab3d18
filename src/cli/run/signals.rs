//! Ctrl-C and its like → what the user wants of the run.

use rustix::process::Signal;
use tokio::sync::watch;

use crate::cli::error::CliError;
use crate::cli::signals;
use crate::engine::Cancel;

/// Listens from now on. The first signal asks, a second one forces.
pub(super) fn listen(cancel: &watch::Sender<Cancel>) -> Result<(), CliError> {
    let mut came = signals::listen([Signal::INT, Signal::TERM, Signal::HUP])?;
    let cancel = cancel.clone();
    tokio::spawn(async move {
        while let Some(number) = came.recv().await {
            let reason = match number {
                Signal::INT => "interrupted",
                Signal::TERM => "terminated",
                _ => "the terminal was closed",
            };
            cancel.send_modify(|wish| {
                *wish = match wish {
                    Cancel::No => Cancel::Ask(reason),
                    // A terminal that closes sends its signal more than once.
                    Cancel::Ask(_) if number == Signal::HUP => *wish,
                    Cancel::Ask(_) | Cancel::Force => Cancel::Force,
                }
            });
        }
    });
    Ok(())
}
