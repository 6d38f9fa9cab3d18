//! A channel that only waits for its script.

use std::sync::Arc;

use russh::client;
use tokio::sync::oneshot;

use crate::HostError;
use crate::Stdin;
use crate::bootstrap::Challenge;
use crate::bootstrap::Leader;
use crate::output_pipe::PipeWriter;
use crate::payload::Payload;

/// What is written to a channel.
pub(super) type Writer = russh::ChannelWriteHalf<client::Msg>;

/// What is read from it.
pub(super) type Reader = russh::ChannelReadHalf;

/// A channel whose bootstrap waits for its payload.
pub(in crate::ssh) struct Armed {
    /// What the bootstrap said of itself.
    pub leader: Leader,
    /// What it has answered.
    pub challenge: Challenge,
    /// For each variable that was asked for, whether the server took it.
    pub accepted: Vec<bool>,
    pub(super) writer: Arc<Writer>,
    /// Where output goes, from the script's start on.
    pub(super) start: oneshot::Sender<PipeWriter>,
    /// Comes when the channel is over.
    pub(super) over: oneshot::Receiver<()>,
}

/// Why there is no channel.
#[derive(Debug)]
pub(in crate::ssh) enum Refused {
    /// The connection has all the channels that the server allows.
    Full,
    /// The server closed it before it had answered. Dropbear does so when the command of another
    /// channel ends in the moment between this one's opening and its request.
    Again,
    /// The connection is over.
    Dead(String),
    /// It will not be otherwise next time: what happened, what the server said, what to do.
    Never(HostError),
}

impl Armed {
    /// Whether it can still be used.
    pub(in crate::ssh) fn is_usable(&self) -> bool {
        !self.start.is_closed()
    }

    /// Sends the payload and what is meant for the script; from here on it runs. `None` when the
    /// channel went away before anything was sent.
    pub(in crate::ssh) fn start(
        self,
        payload: Payload,
        stdin: Option<Stdin>,
        writer: PipeWriter,
    ) -> Option<Leader> {
        // The reader must know where output goes before there can be any.
        self.start.send(writer).ok()?;
        let Self { writer, over, leader, .. } = self;
        tokio::spawn(async move {
            let mut pipe = writer.make_writer();
            // A script that never reads leaves the writer waiting, until the channel is over.
            tokio::select! {
                fed = payload.feed(&mut pipe, stdin) => if fed.is_ok() {
                    let _dead = writer.eof().await;
                },
                _ = over => {}
            }
        });
        Some(leader)
    }
}
