//! Reading a channel: what comes before its script, what the script prints, and its end.

use std::pin::pin;
use std::time::Duration;

use russh::ChannelMsg;
use russh::Sig;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::Exit;
use crate::Output;
use crate::output_pipe::Linger;
use crate::output_pipe::PipeWriter;
use crate::ssh::armed::Reader;
use crate::ssh::pooled::Pooled;

/// How long a server may take to answer in between; one that never does is not waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Reads, and drops, what comes while nothing runs yet: files of the login shell may have left
/// something behind that prints.
pub(super) async fn idle(
    reader: &mut Reader,
    mut started: oneshot::Receiver<PipeWriter>,
) -> Option<PipeWriter> {
    loop {
        tokio::select! {
            // First, for output of the script can't come before it.
            biased;
            writer = &mut started => return writer.ok(),
            message = reader.wait() => match message {
                None | Some(ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::ExitStatus { .. }) => return None,
                Some(_) => {}
            },
        }
    }
}

/// Hands output on until the script is over. Its exit status may come before the last of its output,
/// and processes that are not the script's, or that it left behind, may hold the output open for
/// ever: after the exit status it is over when the output ends or [`Linger`] says so.
pub(super) async fn run(pooled: &Pooled, reader: &mut Reader, writer: &PipeWriter) {
    let mut exit = None;
    let mut eof = false;
    let mut linger = Linger::default();
    let mut round = pin!(round(pooled));
    while exit.is_none() || !eof {
        let message = tokio::select! {
            // First, so that what had come is counted before the answer that came behind it.
            biased;
            message = reader.wait() => message,
            () = writer.abandoned() => return,
            () = &mut round, if exit.is_some() => {
                if linger.is_over() {
                    break;
                }
                round.set(self::round(pooled));
                continue;
            }
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                linger.hear();
                writer.send(Output::Stdout(data.into())).await;
            }
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                linger.hear();
                writer.send(Output::Stderr(data.into())).await;
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                // The number is what the process gave: 0 to 255 everywhere that is known.
                exit = Some(Exit::Code(i32::try_from(exit_status).unwrap_or(i32::MAX)));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                exit = Some(Exit::Signal(signal(&signal_name)));
            }
            Some(ChannelMsg::Eof) => eof = true,
            Some(ChannelMsg::Close) => {
                let why = "the server closed the channel without an exit status";
                writer.end(exit.unwrap_or_else(|| Exit::Lost(why.to_owned())));
                return;
            }
            Some(_) => {}
            None => {
                let lost = match exit {
                    Some(exit) => exit,
                    None => Exit::Lost(pooled.why_ended().await),
                };
                writer.end(lost);
                return;
            }
        }
    }
    if let Some(exit) = exit {
        writer.end(exit);
    }
}

/// One round of waiting for the last output: the server's answer comes behind all that it had read
/// from the script when it was asked.
async fn round(pooled: &Pooled) {
    let answer = timeout(ANSWER_LIMIT, pooled.connection.handle.send_ping());
    let _unanswered = tokio::join!(answer, sleep(Linger::ROUND));
}

fn signal(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.split('@').next().unwrap_or_default().to_owned(),
        known => format!("{known:?}"),
    }
}
