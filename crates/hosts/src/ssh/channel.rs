//! One session channel from its opening to its close, each in a task of its own.
//!
//! The task is the only one that reads the channel, and it always does: the connection stands
//! still as long as a message for one of its channels has nowhere to go. It closes the channel
//! in the end whatever happens, for a channel that is only dropped stays open.

use std::sync::Arc;
use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::sync::oneshot;
use tokio::time::timeout;

use doppio_secrets::SecretValue;
use doppio_text::name::EnvName;

use crate::HostError;
use crate::bootstrap;
use crate::bootstrap::Challenge;
use crate::ssh::announced::announced;
use crate::ssh::armed::Armed;
use crate::ssh::armed::Reader;
use crate::ssh::armed::Refused;
use crate::ssh::armed::Writer;
use crate::ssh::drain::idle;
use crate::ssh::drain::run;
use crate::ssh::pooled::Pooled;
use crate::ssh::pooled::Slot;
use crate::ssh::pooled::Urgent;

/// How long a server may take to open a channel.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

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
    let announced = async {
        let challenge = Challenge::new().map_err(|error| {
            Refused::Never(HostError::new("no challenge could be made").cause(error.to_string()))
        })?;
        request(&writer, &env, &challenge).await?;
        announced(&mut reader, &writer, env.len(), challenge).await
    };
    let announced = announced.await;
    drop(env);
    let mut has_run = false;
    match announced {
        Ok((leader, accepted, challenge)) => {
            let (start, started) = oneshot::channel();
            // Dropped when this task ends.
            let (_over, over) = oneshot::channel();
            let armed = Armed { leader, challenge, accepted, writer: Arc::clone(&writer), start, over };
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
            HostError::new("the server refuses to open a channel").cause(format!("{reason:?}")),
        )),
        Ok(Err(_)) => Err(Refused::Dead(pooled.why_ended().await)),
        Err(_) => {
            pooled.give_up();
            Err(Refused::Dead(format!("no answer within {} seconds", OPEN_LIMIT.as_secs())))
        }
    }
}

/// Asks for everything in one flight, the challenge with it; the answers come in the same order.
async fn request(
    writer: &Writer,
    env: &[(EnvName, SecretValue)],
    challenge: &Challenge,
) -> Result<(), Refused> {
    let dead = |_| Refused::Dead(String::new());
    for (name, value) in env {
        #[expect(
            clippy::disallowed_methods,
            reason = "the environment request of the channel is what carries the value"
        )]
        let text = value.reveal(|bytes| String::from_utf8(bytes.to_vec()));
        // The one who divides the variables sends no other ones here.
        let text =
            text.map_err(|_| Refused::Never(HostError::new(format!("the value of `{name}` is not text"))))?;
        writer.set_env(true, name.as_str(), text).await.map_err(dead)?;
    }
    writer.exec(true, bootstrap::COMMAND).await.map_err(dead)?;
    writer.data(challenge.line().as_bytes()).await.map_err(dead)
}
