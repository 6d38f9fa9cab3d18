//! Signals on their way to a command.

use std::io;
use std::process::Child;
use std::thread;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::WaitId;
use rustix::process::WaitIdOptions;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use doppio_process::is_at_terminal;

use crate::cli::error::CliError;
use crate::cli::signals;

/// What is passed on besides those that ask to end.
const OTHERS: [Signal; 3] = [Signal::WINCH, Signal::USR1, Signal::USR2];

/// What the terminal sends to the command by itself: Ctrl-C and Ctrl-\ go to the whole foreground
/// group.
const BY_TERMINAL: [Signal; 2] = [Signal::INT, Signal::QUIT];

/// Those that ask to end.
const ENDING: [Signal; 4] = [Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP];

/// Signals that came for us.
pub(super) struct Signals {
    came: mpsc::Receiver<Signal>,
}

/// Listens from now on.
pub(super) fn listen() -> Result<Signals, CliError> {
    Ok(Signals { came: signals::listen(ENDING.into_iter().chain(OTHERS))? })
}

/// Says when the command has ended. It is not reaped by that: its number stays its own.
pub(super) fn end_of(child: &Child) -> io::Result<oneshot::Receiver<()>> {
    let pid = pid(child)?;
    let (send, ended) = oneshot::channel();
    thread::Builder::new().name("end of the command".to_owned()).spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while rustix::process::waitid(WaitId::Pid(pid), options).err() == Some(rustix::io::Errno::INTR) {}
        send.send(()).ok();
    })?;
    Ok(ended)
}

fn pid(child: &Child) -> io::Result<Pid> {
    let number = i32::try_from(child.id()).map_err(io::Error::other)?;
    Pid::from_raw(number).ok_or_else(|| io::Error::other("the command has no number"))
}

impl Signals {
    /// Waits for a signal that asks to end.
    pub(super) async fn end(&mut self) {
        while let Some(number) = self.came.recv().await {
            if ENDING.contains(&number) {
                return;
            }
        }
    }

    /// Passes signals on until the command has ended.
    pub(super) async fn pass_on_to(
        &mut self,
        child: &Child,
        mut ended: oneshot::Receiver<()>,
    ) -> io::Result<()> {
        let pid = pid(child)?;
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return Ok(()),
                Some(number) = self.came.recv() => {
                    if !(BY_TERMINAL.contains(&number) && is_at_terminal()) {
                        // It is not reaped yet, so this can reach no other process.
                        rustix::process::kill_process(pid, number).ok();
                    }
                }
            }
        }
    }

    /// Waits until all output is over, or a signal says that nobody wants to wait. Says why output
    /// was lost, if some was.
    pub(super) async fn wait_for(&mut self, mut outputs: mpsc::Receiver<io::Error>) -> Option<io::Error> {
        let mut lost = None;
        loop {
            tokio::select! {
                biased;
                heard = outputs.recv() => match heard {
                    Some(error) => lost = Some(error),
                    None => return lost,
                },
                Some(number) = self.came.recv() => {
                    if ENDING.contains(&number) {
                        return lost;
                    }
                }
            }
        }
    }
}
