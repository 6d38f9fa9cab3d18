//! Ctrl-C and its like → what the user wants of the run.

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;

use crate::cli::error::CliError;
use crate::engine::Cancel;

/// Listens from now on. The first signal asks, a second one forces.
///
/// # Errors
///
/// When the system does not let us listen.
pub(super) fn listen(cancel: &watch::Sender<Cancel>) -> Result<(), CliError> {
    let kinds = [
        (SignalKind::interrupt(), "interrupted"),
        (SignalKind::terminate(), "terminated"),
        (SignalKind::hangup(), "the terminal was closed"),
    ];
    for (kind, reason) in kinds {
        let mut signals = signal(kind)
            .map_err(|error| CliError::world("cannot listen for signals").cause(error.to_string()))?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                cancel.send_modify(|wish| {
                    *wish = match wish {
                        Cancel::No => Cancel::Ask(reason),
                        // A terminal that closes sends its signal more than once.
                        Cancel::Ask(_) if kind == SignalKind::hangup() => *wish,
                        Cancel::Ask(_) | Cancel::Force => Cancel::Force,
                    }
                });
            }
        });
    }
    Ok(())
}
