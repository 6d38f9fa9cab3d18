//! Talking to the user while a tree moves on the same terminal.

use rustix::termios::LocalModes;
use rustix::termios::OptionalActions;
use rustix::termios::tcgetattr;
use rustix::termios::tcgetpgrp;
use rustix::termios::tcsetattr;

use doppio_secrets::Prompt;
use doppio_secrets::SecretValue;

use crate::cli::terminal::Terminal;
use crate::ui::Voice;

/// The terminal, with the tree out of the way while it asks.
pub(in crate::cli) struct Talk {
    terminal: Terminal,
    /// Of the tree, if there is one.
    tree: Option<Voice>,
}

impl Talk {
    pub(super) fn new(terminal: Terminal, tree: Option<Voice>) -> Self {
        Self { terminal, tree }
    }
}

impl Prompt for Talk {
    fn secret(&self, question: &str) -> Option<SecretValue> {
        let _guest = self.tree.as_ref().map(Voice::borrow_screen);
        self.terminal.secret(question)
    }

    fn notice(&self, text: &str) {
        match &self.tree {
            Some(tree) => tree.say(text),
            None => self.terminal.notice(text),
        }
    }
}

/// A terminal that does not echo: a key, or the `^C` of an interrupt, would tear the tree. As it
/// was when dropped.
pub(in crate::cli) struct NoEcho {
    was_on: bool,
}

impl NoEcho {
    /// Turns the echo off if there is a tree, and this process has a terminal to itself.
    pub(in crate::cli) fn new(is_tree: bool) -> Self {
        Self { was_on: is_tree && set_echo(false) == Some(true) }
    }

    /// Turns it on again, if it was on.
    pub(super) fn restore(&self) {
        if self.was_on {
            set_echo(true);
        }
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Sets the echo; what it was before, or none if that is unknown. A job in the background would be
/// stopped for trying.
fn set_echo(on: bool) -> Option<bool> {
    let terminal = std::io::stdin();
    if tcgetpgrp(&terminal).ok()? != rustix::process::getpgrp() {
        return None;
    }
    let mut modes = tcgetattr(&terminal).ok()?;
    let was_on = modes.local_modes.contains(LocalModes::ECHO);
    modes.local_modes.set(LocalModes::ECHO, on);
    tcsetattr(&terminal, OptionalActions::Now, &modes).ok()?;
    Some(was_on)
}
