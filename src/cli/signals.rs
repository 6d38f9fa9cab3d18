//! Signals that come for this process.

use rustix::process::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::mpsc;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;

/// Listens from now on, until the receiver is dropped.
pub(super) fn listen(numbers: impl IntoIterator<Item = Signal>) -> Result<mpsc::Receiver<Signal>, CliError> {
    let (send, came) = mpsc::channel(16);
    for number in numbers {
        let mut signals =
            signal(SignalKind::from_raw(number.as_raw())).or_world("cannot listen for signals")?;
        let send = send.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if send.send(number).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(came)
}
