//! The terminal as somebody who can be asked.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::thread;
use std::thread::JoinHandle;

use rustix::process::Signal;
use rustix::termios::LocalModes;
use rustix::termios::OptionalActions;
use rustix::termios::Termios;
use rustix::termios::tcgetattr;
use rustix::termios::tcsetattr;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use doppio_secrets::Prompt;
use doppio_secrets::SecretValue;
use doppio_text::shown;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;

/// What the terminal's own line takes, with its line break: a longer one loses its end.
const LINE: usize = if cfg!(target_os = "linux") { 4095 } else { 1023 };

/// Asks on the terminal; if stdin or stderr is not one, nobody can be asked.
#[derive(Debug)]
pub(super) struct Terminal {
    attended: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// There is no terminal.
    #[error("there is no terminal to ask")]
    Nobody,
    /// What was typed or pasted has more than one line.
    #[error("the answer has more than one line")]
    Lines,
    /// The terminal cuts lines of this length.
    #[error("the answer is longer than a line of the terminal can be")]
    TooLong,
    /// The terminal failed.
    #[error("the terminal can't be used: {0}")]
    Failed(#[from] io::Error),
}

impl Terminal {
    /// The terminal of this process.
    pub(super) fn new(context: &Context) -> Self {
        Self { attended: is_attended(context) }
    }

    /// A hidden answer. The echo is off before the question is shown, so that not even a fast
    /// paste is seen; what is left of a paste is dropped rather than given to the shell.
    pub(super) fn ask(&self, question: &str) -> Result<SecretValue, NoAnswer> {
        if !self.attended {
            return Err(NoAnswer::Nobody);
        }
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let silence = Silence::over(&terminal, question)?;
        write!(terminal, "{}: ", shown(question))?;
        let mut line = Zeroizing::new(Vec::with_capacity(LINE + 1));
        let mut byte = Zeroizing::new([0]);
        while line.len() < LINE && terminal.read(&mut *byte)? == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        let is_more = rustix::io::ioctl_fionread(&terminal).map_err(io::Error::from)? > 0;
        drop(silence);
        if line.len() >= LINE - 1 {
            return Err(NoAnswer::TooLong);
        }
        if is_more {
            return Err(NoAnswer::Lines);
        }
        Ok(SecretValue::new(line.to_vec()))
    }
}

impl Terminal {
    /// Whether the user says yes; anything but `y` or `yes` is no.
    pub(super) fn confirm(&self, question: &str) -> Result<bool, NoAnswer> {
        if !self.attended {
            return Err(NoAnswer::Nobody);
        }
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        write!(terminal, "{} [y/N] ", shown(question))?;
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < LINE && terminal.read(&mut byte)? == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        Ok(matches!(line.trim_ascii(), b"y" | b"Y" | b"yes" | b"Yes" | b"YES"))
    }
}

/// Asks for a yes; `otherwise` is what to do where nobody can be asked.
pub(super) fn ask(question: &str, otherwise: &str, context: &Context) -> Result<bool, CliError> {
    Terminal::new(context).confirm(question).map_err(|error| match error {
        NoAnswer::Nobody => CliError::usage("there is no terminal to ask on").hint(otherwise),
        other => CliError::world(other.to_string()),
    })
}

/// Whether somebody is there to answer.
pub(super) fn is_attended(context: &Context) -> bool {
    context.stdin_is_terminal && context.stderr_is_terminal
}

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> Option<SecretValue> {
        match self.ask(question) {
            Ok(answer) => Some(answer),
            Err(NoAnswer::Nobody) => None,
            Err(error) => {
                output::line(&format!("warning: {error}"));
                None
            }
        }
    }

    fn notice(&self, text: &str) {
        output::line(text);
    }
}

/// A terminal without echo; as it was when dropped.
struct Silence {
    terminal: File,
    before: Termios,
    guard: Option<Guard>,
}

/// Keeps the echo off until it is dropped.
struct Guard {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Silence {
    fn over(terminal: &File, question: &str) -> io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        let mut silence = Self { terminal, before, guard: None };
        silence.guard = Some(guard(silence.terminal.try_clone()?, format!("{}: ", shown(question)), silent)?);
        Ok(silence)
    }
}

/// Whoever is stopped by Ctrl-Z and brought back finds the terminal as the shell likes it: the
/// echo is switched off again then, and the question asked again. On a thread of its own, since
/// whoever asks waits for the terminal and for nothing else.
fn guard(mut terminal: File, question: String, silent: Termios) -> io::Result<Guard> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut resumed = {
        let _entered = runtime.enter();
        signal(SignalKind::from_raw(Signal::CONT.as_raw()))?
    };
    let (stop, mut stopped) = oneshot::channel();
    let watch = async move {
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                _ = resumed.recv() => {
                    tcsetattr(&terminal, OptionalActions::Now, &silent).ok();
                    terminal.write_all(question.as_bytes()).ok();
                }
            }
        }
    };
    let thread = thread::Builder::new().name("prompt".to_owned()).spawn(move || runtime.block_on(watch))?;
    Ok(Guard { stop, thread })
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(Guard { stop, thread }) = self.guard.take() {
            drop(stop);
            // Nothing else ends it; its own panic has been reported.
            thread.join().ok();
        }
        // `Flush` drops what was typed and not read.
        tcsetattr(&self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}
