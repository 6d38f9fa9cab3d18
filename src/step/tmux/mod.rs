//! tmux sessions on a host.
//!
//! A session's environment and command go through a private FIFO, never through tmux: its server
//! keeps every argument, variable and command that it is given for as long as it lives. The same
//! way works from tmux 2.1 on, whether a server runs already or not.

mod capture;
mod kill;
mod new;
mod send;
mod session;
mod wait;

pub(super) use capture::TmuxCapture;
pub(super) use kill::TmuxKill;
pub(super) use new::IfExists;
pub(super) use new::REFUSES_FILES;
pub(super) use new::Start;
pub(super) use new::TmuxNew;
pub(super) use new::credentials;
pub(super) use send::TmuxSend;
pub(super) use send::type_line;
pub(super) use session::Session;
pub(super) use session::alive;
pub(super) use session::checked;
pub(super) use wait::TmuxWait;
