//! Ports of this machine that lead to ports as a host sees them: `direct-tcpip` channels (RFC 4254, 7.2) of a
//! connection of their own.
//!
//! The connection is not the one of steps: it stands still while a message for one of its channels has
//! nowhere to go, and a program of this machine that does not read may do that to it.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use russh::ChannelMsg;
use russh::client::Msg;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::net::tcp::WriteHalf;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::ForwardEvent;
use crate::HostError;
use crate::HostSpec;
use crate::ssh::armed::Reader;
use crate::ssh::armed::Writer;
use crate::ssh::client::why;
use crate::ssh::connect::Connection;
use crate::ssh::options::ConnectOptions;
use crate::ssh::reach::reach;

/// Bytes, and the room that they take.
type Piece = (Vec<u8>, OwnedSemaphorePermit);

/// Bytes that may wait here for a program that does not read, for each of its connections.
const WAITING: usize = 64 << 20;

/// How long it may read nothing when so many wait. Meanwhile the whole connection stands still: there is
/// no flow control for one channel alone.
const STUCK: Duration = Duration::from_secs(30);

/// What is read at once. In bytes.
const CHUNK: usize = 32 << 10;

/// How long somebody who connects waits for the host.
const PATIENCE: Duration = Duration::from_secs(30);

/// The wait before the first try to connect again; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The least wait after a try that failed: servers keep out who fails often.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A connection that has lasted this long was a good one: the next try comes at once.
const GOOD: Duration = Duration::from_mins(1);

/// The connection that ports lead through: made again, for as long as this lives, when it breaks.
pub(crate) struct Tunnel {
    name: String,
    current: watch::Receiver<Option<Arc<Connection>>>,
    keeper: JoinHandle<()>,
    events: mpsc::UnboundedSender<ForwardEvent>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Tunnel {
    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) async fn open(
        spec: HostSpec,
        options: ConnectOptions,
        events: mpsc::UnboundedSender<ForwardEvent>,
    ) -> Result<Self, HostError> {
        let first = Arc::new(reach(&spec, &options).await?);
        let (current, watch_it) = watch::channel(Some(first));
        let name = spec.name.clone();
        let keeper = tokio::spawn(keep(spec, options, current, events.clone()));
        Ok(Self { name, current: watch_it, keeper, events })
    }

    /// Serves one connection to a port of this machine.
    pub(crate) async fn serve(&self, client: TcpStream, from: SocketAddr, to: (&str, u16)) {
        let channel = match self.channel(from, to).await {
            Ok(channel) => channel,
            Err(error) => {
                reset(&client);
                // Nobody listens when all is over.
                self.events.send(ForwardEvent::Refused(error)).ok();
                return;
            }
        };
        if pass(client, channel).await == Over::Stuck {
            let text =
                format!("a program that is connected to {}:{} on `{}` was cut off", to.0, to.1, self.name);
            let why = format!(
                "{} MiB wait for it, and it has read nothing for {} s",
                WAITING >> 20,
                STUCK.as_secs()
            );
            self.events.send(ForwardEvent::Refused(HostError::new(text).cause(why))).ok();
        }
    }

    async fn channel(
        &self,
        from: SocketAddr,
        (host, port): (&str, u16),
    ) -> Result<russh::Channel<Msg>, HostError> {
        let failed =
            |why: String| HostError::new(format!("no way to {host}:{port} on `{}`", self.name)).cause(why);
        let mut current = self.current.clone();
        let opened = timeout(PATIENCE, async {
            let connection = match current.wait_for(Option::is_some).await {
                Ok(connection) => connection.clone(),
                Err(_) => None,
            };
            let connection = connection.ok_or_else(|| failed("the connection was given up".to_owned()))?;
            let from_ip = from.ip().to_string();
            let opening =
                connection.handle.channel_open_direct_tcpip(host, port.into(), from_ip, from.port().into());
            opening.await.map_err(|error| match error {
                russh::Error::ChannelOpenFailure(russh::ChannelOpenFailure::AdministrativelyProhibited) => {
                    failed("its sshd allows no forwarding".to_owned())
                        .hint("write `AllowTcpForwarding yes` in its sshd_config")
                }
                russh::Error::ChannelOpenFailure(_) => failed("nothing answers there".to_owned()),
                error => failed(connection.ended().unwrap_or_else(|| why(&error))),
            })
        });
        opened.await.unwrap_or_else(|_| Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))))
    }
}

/// Connects again when the connection has broken, for ever.
async fn keep(
    spec: HostSpec,
    options: ConnectOptions,
    current: watch::Sender<Option<Arc<Connection>>>,
    events: mpsc::UnboundedSender<ForwardEvent>,
) {
    let mut wait = FIRST_WAIT;
    loop {
        let connection = current.borrow().clone();
        let begin = Instant::now();
        let Some(connection) = connection else { return };
        let ended = connection.wait_ended().await;
        drop(connection);
        current.send_replace(None);
        events.send(ForwardEvent::Lost(ended)).ok();
        if begin.elapsed() > GOOD {
            wait = FIRST_WAIT;
        }
        let mut told = None;
        let again = loop {
            sleep(jitter(wait)).await;
            wait = (wait * 2).clamp(AFTER_FAILURE, LONGEST_WAIT);
            match reach(&spec, &options).await {
                Ok(connection) => break connection,
                Err(error) => {
                    if told.as_ref() != Some(&error.message) {
                        told = Some(error.message.clone());
                        events.send(ForwardEvent::Refused(error)).ok();
                    }
                }
            }
        };
        current.send_replace(Some(Arc::new(again)));
        events.send(ForwardEvent::Back).ok();
    }
}

/// Between half and all of it.
fn jitter(wait: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(u32::MAX);
    wait / 2 + wait.mul_f64(f64::from(share) / f64::from(u32::MAX) / 2.0)
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Both sides have ended.
    Whole,
    /// One side is gone.
    Broken,
    /// The program of this machine does not read.
    Stuck,
}

/// The program learns that something went wrong, rather than of an end.
fn reset(client: &TcpStream) {
    client.set_zero_linger().ok();
}

/// Passes bytes on in both directions until both have ended, or either side is gone.
async fn pass(mut client: TcpStream, channel: russh::Channel<Msg>) -> Over {
    client.set_nodelay(true).ok();
    let (mut reader, writer) = channel.split();
    let over = {
        let (from_client, to_client) = client.split();
        let (queue, queued) = mpsc::unbounded_channel();
        let up = send(from_client, &writer);
        let mut out = pin!(write_out(queued, to_client));
        tokio::select! {
            both = async { tokio::try_join!(up, &mut out) } => whole(both.is_ok()),
            over = receive(&mut reader, queue) => match over {
                Over::Whole => whole(out.await.is_ok()),
                over => over,
            },
        }
    };
    if over != Over::Whole {
        reset(&client);
    }
    // One that is only dropped stays open.
    writer.close().await.ok();
    over
}

fn whole(is_whole: bool) -> Over {
    if is_whole { Over::Whole } else { Over::Broken }
}

/// What the program sends, to the host; its end, too.
async fn send(mut client: ReadHalf<'_>, writer: &Writer) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match client.read(&mut chunk).await? {
            0 => return writer.eof().await.map_err(io::Error::other),
            // Waits for the host to have room.
            count => writer.data(&chunk[..count]).await.map_err(io::Error::other)?,
        }
    }
}

/// What the host sends, into the queue, until it closes the channel, or the connection breaks.
async fn receive(reader: &mut Reader, queue: mpsc::UnboundedSender<Piece>) -> Over {
    let room = Arc::new(Semaphore::new(WAITING));
    let mut queue = Some(queue);
    loop {
        match reader.wait().await {
            Some(ChannelMsg::Data { data }) => {
                let bytes = data.len().clamp(1, WAITING);
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                let free = timeout(STUCK, Arc::clone(&room).acquire_many_owned(bytes)).await;
                let Ok(Ok(permit)) = free else { return Over::Stuck };
                // Behind an end nothing comes that counts.
                if let Some(queue) = &queue {
                    queue.send((data.to_vec(), permit)).ok();
                }
            }
            Some(ChannelMsg::Eof) => queue = None,
            Some(ChannelMsg::Close) => return Over::Whole,
            Some(_) => {}
            None => return Over::Broken,
        }
    }
}

/// What is in the queue, to the program; its end, too.
async fn write_out(mut queued: mpsc::UnboundedReceiver<Piece>, mut client: WriteHalf<'_>) -> io::Result<()> {
    while let Some((bytes, _room)) = queued.recv().await {
        client.write_all(&bytes).await?;
    }
    client.shutdown().await
}
