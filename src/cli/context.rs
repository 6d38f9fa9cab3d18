//! What every command gets: the environment, the home, and what the terminal is like.

use std::io::IsTerminal;
use std::path::PathBuf;

use doppio_hosts::FirstContact;
use doppio_secrets::Environment;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::handed;
use crate::cli::opened::Opened;
use crate::cli::output::ColourChoice;

/// The world as the command found it.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The process environment.
    pub env: Environment,
    /// The user's home.
    pub home: PathBuf,
    /// Where the command was given.
    pub cwd: PathBuf,
    /// Whether stdin is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// When there is colour.
    pub colour: ColourChoice,
    /// The sources that were asked, to be closed at the end.
    pub opened: Opened,
}

impl Context {
    /// Reads them, once.
    pub(super) fn from_process() -> Result<Self, CliError> {
        #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
        let env: Environment = std::env::vars_os().collect();
        handed::keep(&env);
        let home = env
            .folder("HOME")
            .or_else(|| env.folder("USERPROFILE"))
            .ok_or_else(|| CliError::world("there is no home directory").hint("set `HOME`"))?;
        let cwd = std::env::current_dir().or_world("there is no current directory")?;
        Ok(Self {
            env,
            home,
            cwd,
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            colour: ColourChoice::default(),
            opened: Opened::default(),
        })
    }

    /// Whether what is drawn on a terminal is in colour.
    pub(super) fn is_coloured(&self) -> bool {
        match self.colour {
            ColourChoice::Auto => self.env.get("NO_COLOR").is_none(),
            ColourChoice::Always => true,
            ColourChoice::Never => false,
        }
    }

    /// What happens to a host key that nobody knows: where `CI` is set, nobody is there to look at it.
    pub(super) fn first_contact(&self) -> FirstContact {
        if self.is_ci() { FirstContact::Refuse } else { FirstContact::Accept }
    }

    fn is_ci(&self) -> bool {
        self.env.text("CI").is_some_and(|value| !matches!(value, "" | "0" | "false"))
    }

    /// Whether nobody is watching: stderr is not a terminal, or `CI` is set.
    pub(super) fn is_plain(&self) -> bool {
        !self.stderr_is_terminal || self.is_ci()
    }
}
