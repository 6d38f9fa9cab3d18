//! One session channel from its opening to its close, each in a task of its own.
//!
//! The task is the only one that reads the channel, and it always does: the connection stands
//! still as long as a message for one of its channels has nowhere to go. It closes the channel
//! in the end whatever happens, for a channel that is only dropped stays open.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use russh::ChannelMsg;
use russh::ChannelOpenFailure;
use russh::Sig;
use tokio::sync::oneshot;
use tokio::time::timeout;

use doppio_secrets::SecretValue;
use doppio_text::name::EnvName;

use crate::Exit;
use crate::Output;
use crate::bootstrap;
use crate::bootstrap::Leader;
use crate::bootstrap::Listener;
use crate::output_pipe::LINGER;
use crate::output_pipe::LINGER_LIMIT;
use crate::output_pipe::PipeWriter;
use crate::ssh::armed::Armed;
use crate::ssh::armed::Refused;
use crate::ssh::armed::Writer;
use crate::ssh::pooled::Pooled;
use crate::ssh::pooled::Slot;
use crate::ssh::pooled::Urgent;

/// How long a server may take to open a channel.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

/// How long a login shell may take until the bootstrap announces itself.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(45);

type Reader = russh::ChannelReadHalf;

/// Opens a channel and starts the bootstrap on it, with `env` asked for before. The work goes on
/// in a task of its own, so that nothing is left half done when the asker goes away.
pub(in crate::ssh) async fn arm(
    pooled: &Arc<Pooled>,
    slot: Slot,
    env: Vec<(EnvName, SecretValue)>,
) -> Result<Armed, Refused> {
    let (ready, armed) = oneshot::channel();
    tokio::spawn(tend(Arc::clone(pooled), slot, env, ready));
    armed.await.unwrap_or_else(|_| Err(Refused::Dead("the channel's task ended".to_owned())))
}

/// The life of a channel.
async fn tend(
    pooled: Arc<Pooled>,
    slot: Slot,
    env: Vec<(EnvName, SecretValue)>,
    ready: oneshot::Sender<Result<Armed, Refused>>,
) {
    let (mut reader, writer) = match open(&pooled, &slot).await {
        Ok(channel) => channel,
        Err(refused) => {
            // The slot is free before the asker hears of it.
            drop(slot);
            let _gone = ready.send(Err(refused));
            return;
        }
    };
    slot.opened();
    let writer = Arc::new(writer);
    let announced = match request(&writer, &env).await {
        Ok(()) => announced(&mut reader, env.len()).await,
        Err(refused) => Err(refused),
    };
    drop(env);
    let mut has_run = false;
    match announced {
        Ok((leader, accepted)) => {
            let (start, started) = oneshot::channel();
            // Dropped when this task ends.
            let (_over, over) = oneshot::channel();
            let armed = Armed { leader, accepted, writer: Arc::clone(&writer), start, over };
            if ready.send(Ok(armed)).is_ok()
                && let Some(writer) = idle(&mut reader, started).await
            {
                run(&pooled, &mut reader, &writer).await;
                has_run = true;
            }
        }
        Err(Refused::Dead(_)) => {
            let _gone = ready.send(Err(Refused::Dead(pooled.why_ended().await)));
        }
        Err(refused) => {
            let _gone = ready.send(Err(refused));
        }
    }
    let _dead = writer.close().await;
    drop(slot);
    if has_run {
        refill(&pooled);
    }
}

/// Opens channels ahead, as far as there is room and nobody waits for it.
pub(in crate::ssh) fn refill(pooled: &Arc<Pooled>) {
    while let Some(slot) = pooled.slot_ahead() {
        let pooled = Arc::clone(pooled);
        tokio::spawn(async move {
            let armed = arm(&pooled, slot, Vec::new()).await;
            pooled.came(armed);
        });
    }
}

/// A channel for something that can't wait: a spare one, or one beyond the limit, which leaves
/// room for that.
pub(in crate::ssh) async fn urgent(pooled: &Arc<Pooled>) -> Result<Armed, Refused> {
    match pooled.urgent()? {
        Urgent::Spare(armed) => Ok(*armed),
        Urgent::Slot(slot) => arm(pooled, slot, Vec::new()).await,
    }
}

async fn open(pooled: &Pooled, slot: &Slot) -> Result<(Reader, Writer), Refused> {
    match timeout(OPEN_LIMIT, pooled.connection.handle.channel_open_session()).await {
        Ok(Ok(channel)) => Ok(channel.split()),
        // Servers have several codes for this, some of which mean something else elsewhere: that
        // there is another channel tells more.
        Ok(Err(russh::Error::ChannelOpenFailure(_))) if pooled.has_others(slot) => Err(Refused::Full),
        Ok(Err(russh::Error::ChannelOpenFailure(
            ChannelOpenFailure::ConnectFailed | ChannelOpenFailure::ResourceShortage,
        ))) => Err(Refused::Full),
        Ok(Err(russh::Error::ChannelOpenFailure(reason))) => Err(Refused::Never(
            "the server refuses to open a channel".to_owned(),
            vec![format!("{reason:?}")],
        )),
        Ok(Err(_)) => Err(Refused::Dead(pooled.why_ended().await)),
        Err(_) => {
            pooled.give_up();
            Err(Refused::Dead(format!("no answer within {} seconds", OPEN_LIMIT.as_secs())))
        }
    }
}

/// Asks for everything in one flight; the answers come in the same order.
async fn request(writer: &Writer, env: &[(EnvName, SecretValue)]) -> Result<(), Refused> {
    let dead = |_| Refused::Dead(String::new());
    for (name, value) in env {
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment request of the channel is what carries the value"
        )]
        let text = value.reveal(|bytes| String::from_utf8(bytes.to_vec()));
        // The one who divides the variables sends no other ones here.
        let text =
            text.map_err(|_| Refused::Never(format!("the value of `{name}` is not text"), Vec::new()))?;
        writer.set_env(true, name.as_str(), text).await.map_err(dead)?;
    }
    writer.exec(true, bootstrap::COMMAND).await.map_err(dead)
}

/// Counts the answers and waits for the bootstrap.
async fn announced(reader: &mut Reader, env: usize) -> Result<(Leader, Vec<bool>), Refused> {
    let mut listener = Listener::default();
    let mut complaint = Vec::new();
    let listening = listen(reader, env, &mut listener, &mut complaint);
    if let Ok(result) = timeout(ANNOUNCE_LIMIT, listening).await {
        return result;
    }
    let what = format!("the login shell did not start a command within {} seconds", ANNOUNCE_LIMIT.as_secs());
    Err(Refused::Never(what, said(&listener, &complaint, env)))
}

async fn listen(
    reader: &mut Reader,
    env: usize,
    listener: &mut Listener,
    complaint: &mut Vec<u8>,
) -> Result<(Leader, Vec<bool>), Refused> {
    let mut answers = Vec::with_capacity(env + 1);
    let mut code = None;
    loop {
        let Some(message) = reader.wait().await else { return Err(Refused::Dead(String::new())) };
        match message {
            ChannelMsg::Success => answers.push(true),
            ChannelMsg::Failure if answers.len() == env => {
                return Err(Refused::Never("the server refuses to run commands".to_owned(), Vec::new()));
            }
            ChannelMsg::Failure => answers.push(false),
            ChannelMsg::Data { data } => match listener.hear(&data) {
                // Nothing can follow the announcement before the payload is there.
                Ok(Some((leader, _))) => {
                    answers.resize(env, false);
                    return Ok((leader, answers));
                }
                Ok(None) => {}
                Err(bootstrap::TooMuchNoise) => {
                    let what = "the login shell keeps printing instead of starting a command".to_owned();
                    return Err(Refused::Never(what, said(listener, complaint, env)));
                }
            },
            ChannelMsg::ExtendedData { data, .. } if complaint.len() < 4096 => {
                complaint.extend_from_slice(&data);
            }
            ChannelMsg::ExitStatus { exit_status } => code = Some(exit_status),
            ChannelMsg::Close if answers.len() <= env && code.is_none() && listener.is_silent() => {
                return Err(Refused::Again);
            }
            ChannelMsg::Close => {
                let ended = code.map(|code| format!(" (exit status {code})")).unwrap_or_default();
                let what = format!("the login shell ended before it started a command{ended}");
                return Err(Refused::Never(what, said(listener, complaint, env)));
            }
            _ => {}
        }
    }
}

/// What the login shell printed, for an error; nothing when a secret had been sent, for it might
/// be in there.
fn said(listener: &Listener, complaint: &[u8], env: usize) -> Vec<String> {
    if env > 0 {
        return Vec::new();
    }
    let complaint = String::from_utf8_lossy(complaint).trim().to_owned();
    [complaint, listener.noise()].into_iter().filter(|text| !text.is_empty()).collect()
}

/// Reads, and drops, what comes while nothing runs yet: files of the login shell may have left
/// something behind that prints.
async fn idle(reader: &mut Reader, mut started: oneshot::Receiver<PipeWriter>) -> Option<PipeWriter> {
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

/// Hands output on until the script is over: its exit status and the end of its output have come,
/// in either order.
async fn run(pooled: &Pooled, reader: &mut Reader, writer: &PipeWriter) {
    let mut exit = None;
    let mut eof = false;
    let mut since = Instant::now();
    while exit.is_none() || !eof {
        let message = tokio::select! {
            message = next(reader, exit.is_some()) => message,
            () = writer.abandoned() => return,
        };
        let Some(message) = message else {
            // Children in the background hold the output open.
            break;
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                let sent = Instant::now();
                writer.send(Output::Stdout(data.into())).await;
                since += sent.elapsed();
            }
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                let sent = Instant::now();
                writer.send(Output::Stderr(data.into())).await;
                since += sent.elapsed();
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                // The number is what the process gave: 0 to 255 everywhere that is known.
                exit = Some(Exit::Code(i32::try_from(exit_status).unwrap_or(i32::MAX)));
                since = Instant::now();
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                exit = Some(Exit::Signal(signal(&signal_name)));
                since = Instant::now();
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
        if exit.is_some() && since.elapsed() > LINGER_LIMIT {
            break;
        }
    }
    if let Some(exit) = exit {
        writer.end(exit);
    }
}

/// The next message; outer none when the script is over and nothing came for a while.
async fn next(reader: &mut Reader, is_over: bool) -> Option<Option<ChannelMsg>> {
    if is_over { timeout(LINGER, reader.wait()).await.ok() } else { Some(reader.wait().await) }
}

fn signal(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.split('@').next().unwrap_or_default().to_owned(),
        known => format!("{known:?}"),
    }
}
