//! From a host's address to an authenticated session.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use russh::client::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::HostError;
use crate::HostSpec;
use crate::Stage;
use crate::deadlines::Times;
use crate::error::seconds;
use crate::error::words;
use crate::ssh::auth;
use crate::ssh::banner::BannerStream;
use crate::ssh::banner::Cutter;
use crate::ssh::banner::Heard;
use crate::ssh::banner::Way;
use crate::ssh::client;
use crate::ssh::client::Learnt;
use crate::ssh::dial;
use crate::ssh::dial::Failure;
use crate::ssh::dial::Proxy;
use crate::ssh::host_key::Judge;

pub(crate) use crate::ssh::client::Client;
pub(crate) use crate::ssh::handshakes::Handshakes;
use crate::ssh::options::ConnectOptions;

/// Tries of one connect, where a passing trouble ended the others.
pub(in crate::ssh) const TRIES: u32 = 4;

/// The longest wait before the second try; it doubles from then on.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// What the server said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerInfo {
    /// Its first line, as in `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
    pub banner: String,
    /// The host key's algorithm and fingerprint, as in `ssh-ed25519 SHA256:…`.
    pub host_key: String,
    /// What it wants a person to read before logging in; empty mostly.
    pub notice: String,
    /// How the login succeeded, as in `key SHA256:… of ~/.ssh/id_ed25519`.
    pub login: String,
    /// How long each phase took.
    pub times: Times,
}

/// A session that is logged in. Dropping it ends it; share it behind an `Arc`.
pub(crate) struct Connection {
    /// russh's own handle of the session: `channel_open_session` takes `&self`.
    pub handle: Handle<Client>,
    /// What the server said of itself.
    pub server: ServerInfo,
    ended: watch::Receiver<Option<String>>,
    _cutter: Cutter,
    /// The session that this one goes through.
    _through: Option<Box<Connection>>,
}

impl Connection {
    /// Why the session ended, in a few words; none while it lives.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Says good-bye and waits a little until the session has ended.
    pub(crate) async fn hang_up(&self) {
        let bye = async {
            if self.handle.disconnect(russh::Disconnect::ByApplication, "", "").await.is_ok() {
                self.wait_ended().await;
            }
        };
        // A server that no longer answers is left alone.
        drop(tokio::time::timeout(Duration::from_secs(1), bye).await);
    }

    /// Waits until the session ends and says why.
    pub(crate) async fn wait_ended(&self) -> String {
        wait_ended(self.ended.clone()).await
    }
}

async fn wait_ended(mut ended: watch::Receiver<Option<String>>) -> String {
    let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
    reason.unwrap_or_else(|| "the session was dropped".to_owned())
}

/// Connects and logs in; through the jump hosts where there are any. A passing trouble (refused,
/// reset, turned away, cut off) is tried again, `most` times in all, while the whole deadline lasts.
///
/// # Errors
///
/// One [`HostError`] per cause that the user can do something about.
pub(in crate::ssh) async fn connect(
    spec: &HostSpec,
    options: &ConnectOptions,
    most: u32,
) -> Result<Connection, HostError> {
    let mut wait = FIRST_WAIT;
    let mut tried = 0;
    loop {
        tried += 1;
        let broken = match chain(spec, options, most).await {
            Ok(connection) => return Ok(connection),
            Err(broken) => broken,
        };
        if !broken.on_the_way || tried >= most {
            return Err(broken.error);
        }
        tokio::time::sleep(jitter(wait)).await;
        wait *= 2;
    }
}

/// Why there is no session behind the jump hosts.
struct Broken {
    error: HostError,
    /// Whether the session that the way went through has ended meanwhile.
    on_the_way: bool,
}

/// Connects through the jump hosts as far as the key of the host, which is decided about; it is not
/// logged in to.
///
/// # Errors
///
/// As those of [`connect`].
pub(crate) async fn check_host_key(spec: &HostSpec, options: &ConnectOptions) -> Result<(), HostError> {
    let mut through: Option<Box<Connection>> = None;
    for next in &spec.jump {
        let way = |mut error: HostError| {
            error.causes.insert(0, format!("on the way to `{}`", spec.name));
            error
        };
        through = Some(Box::new(hop(next, through, options, TRIES).await.map_err(way)?));
    }
    let greeted =
        Box::pin(greet(spec, through.as_deref(), options)).await.map_err(|failure| failure.error)?;
    // A server that no longer answers is left alone.
    let bye = greeted.handle.disconnect(russh::Disconnect::ByApplication, "", "");
    drop(tokio::time::timeout(Duration::from_secs(1), bye).await);
    Ok(())
}

/// One session after the other, each through the one before.
async fn chain(spec: &HostSpec, options: &ConnectOptions, most: u32) -> Result<Connection, Broken> {
    let mut through: Option<Box<Connection>> = None;
    for (at, next) in spec.jump.iter().chain([spec]).enumerate() {
        let before = through.as_ref().map(|connection| connection.ended.clone());
        let connection = hop(next, through, options, most).await.map_err(|mut error| {
            if at < spec.jump.len() {
                error.causes.insert(0, format!("on the way to `{}`", spec.name));
            }
            Broken { error, on_the_way: before.is_some_and(|ended| ended.borrow().is_some()) }
        })?;
        if at == spec.jump.len() {
            return Ok(connection);
        }
        through = Some(Box::new(connection));
    }
    unreachable!("the last hop is the host itself")
}

/// One session, with its tries.
async fn hop(
    spec: &HostSpec,
    through: Option<Box<Connection>>,
    options: &ConnectOptions,
    most: u32,
) -> Result<Connection, HostError> {
    let start = Instant::now();
    let mut wait = FIRST_WAIT;
    let mut tried = 0;
    let opened = loop {
        tried += 1;
        let failure = match open(spec, through.as_deref(), options).await {
            Ok(opened) => break opened,
            Err(failure) => failure,
        };
        let pause = jitter(wait);
        if !failure.is_passing || tried >= most || start.elapsed() + pause >= spec.deadlines.total {
            let error = failure.error;
            return Err(match tried {
                1 => error,
                _ => error.cause(format!("tried {tried} times in {}", seconds(whole(start.elapsed())))),
            });
        }
        tokio::time::sleep(pause).await;
        wait *= 2;
    };
    Ok(Connection {
        handle: opened.handle,
        server: opened.server,
        ended: opened.ended,
        _cutter: opened.cutter,
        _through: through,
    })
}

struct Opened {
    handle: Handle<Client>,
    server: ServerInfo,
    ended: watch::Receiver<Option<String>>,
    cutter: Cutter,
}

/// A session whose host key was decided about, and that is not logged in.
struct Greeted {
    handle: Handle<Client>,
    heard: Arc<Heard>,
    times: Times,
    learnt: Arc<Mutex<Learnt>>,
    ended: watch::Receiver<Option<String>>,
    cutter: Cutter,
}

/// One try: way, banner, key exchange, login.
async fn open(
    spec: &HostSpec,
    through: Option<&Connection>,
    options: &ConnectOptions,
) -> Result<Opened, Failure> {
    let address = spec.address();
    let _turn = options.handshakes.turn(&address).await;
    // Boxed, or every future above would be as large.
    let Greeted { mut handle, heard, mut times, learnt, ended, cutter } =
        Box::pin(greet(spec, through, options)).await?;
    let begin = Instant::now();
    let logged_in = auth::log_in(spec, options, &mut handle, &ended).await;
    if !matches!(logged_in, Err(auth::Refusal::Silent(_) | auth::Refusal::Cut(_))) {
        options.handshakes.remember(&address, logged_in.is_err());
    }
    times.login = begin.elapsed();
    let learnt = std::mem::take(&mut *learnt.lock().expect("no holder panics"));
    match logged_in {
        Ok(login) => {
            let banner = heard.banner_line().unwrap_or_default();
            let server =
                ServerInfo { banner, host_key: learnt.host_key, notice: learnt.notice, login, times };
            Ok(Opened { handle, server, ended, cutter })
        }
        Err(refusal) => {
            let is_passing = matches!(refusal, auth::Refusal::Cut(_));
            let mut error = refusal.into_error().at(Stage::Login);
            if !learnt.notice.trim().is_empty() {
                error.causes.push(format!("the server said: {}", words(learnt.notice.as_bytes())));
            }
            Err(Failure { error, is_passing })
        }
    }
}

fn at_tcp(failure: Failure) -> Failure {
    Failure { error: failure.error.at(Stage::Tcp), ..failure }
}

/// Way, banner and key exchange; what the server says of its key is decided about.
async fn greet(
    spec: &HostSpec,
    through: Option<&Connection>,
    options: &ConnectOptions,
) -> Result<Greeted, Failure> {
    let judge = Judge::new(spec, options).map_err(Failure::lasting)?;
    let begin = Instant::now();
    let mut times = Times::default();
    let (way, proxy): (Box<dyn Way>, _) = match (&spec.proxy_command, through) {
        (Some(command), _) => {
            let Proxy { pipes, said, open } = dial::proxy(spec, command).map_err(at_tcp)?;
            (Box::new(pipes), Some((said, open)))
        }
        (None, Some(through)) => (jump(spec, through).await.map_err(at_tcp)?, None),
        (None, None) => (Box::new(dial::tcp(spec).await.map_err(at_tcp)?), None),
    };
    times.way = begin.elapsed();
    let (proxy_said, open) = proxy.unzip();
    let (stream, heard, cutter) = BannerStream::new(way, open);
    let config = Arc::new(client::config(spec, &judge));
    let (handler, learnt, ended) = Client::new(judge);
    let handle = match shake_hands(spec, stream, (&heard, &mut times), config, handler, &learnt).await {
        Ok(handle) => handle,
        Err(mut failure) => {
            let stage = if heard.banner_line().is_some() { Stage::KeyExchange } else { Stage::Banner };
            failure.error = failure.error.at(stage);
            if let Some(said) = proxy_said {
                failure.error.causes.extend(dial::last_words(said).await);
            }
            return Err(failure);
        }
    };
    Ok(Greeted { handle, heard, times, learnt, ended, cutter })
}

/// A way through a jump host.
async fn jump(spec: &HostSpec, through: &Connection) -> Result<Box<dyn Way>, Failure> {
    let address = spec.address();
    let opening =
        through.handle.channel_open_direct_tcpip(spec.hostname.clone(), u32::from(spec.port), "127.0.0.1", 0);
    let limit = spec.deadlines.tcp;
    match tokio::time::timeout(limit, opening).await {
        Err(_) => {
            let expected = "answer through its jump host";
            Err(Failure::lasting(HostError::silent(&spec.name, &address, expected, limit)))
        }
        Ok(Ok(channel)) => Ok(Box::new(channel.into_stream())),
        Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
            let error = HostError::new(format!("the jump host cannot reach `{}` at {address}", spec.name))
                .cause(format!("it answers: {reason:?}"))
                .hint("check the address and port as the jump host sees them, and AllowTcpForwarding in its sshd_config");
            Err(Failure::lasting(error))
        }
        Ok(Err(error)) => Err(Failure::lasting(
            HostError::new(format!("the jump host of `{}` was lost", spec.name))
                .cause(through.ended().unwrap_or_else(|| client::why(&error))),
        )),
    }
}

/// Banner and key exchange, each within its deadline.
async fn shake_hands(
    spec: &HostSpec,
    stream: BannerStream,
    (heard, times): (&Heard, &mut Times),
    config: Arc<russh::client::Config>,
    handler: Client,
    learnt: &Mutex<Learnt>,
) -> Result<Handle<Client>, Failure> {
    let (name, address) = (&spec.name, spec.address());
    let begin = Instant::now();
    let handshake = russh::client::connect_stream(config, stream, handler);
    tokio::pin!(handshake);
    let banner = tokio::time::timeout(spec.deadlines.banner, async {
        tokio::select! {
            biased;
            done = &mut handshake => Some(done),
            () = heard.banner() => None,
        }
    });
    let done = match banner.await {
        Err(_) => {
            let said = words(&heard.before_banner());
            let error = HostError::silent(name, &address, "SSH banner", spec.deadlines.banner);
            let error = if said.is_empty() { error } else { error.cause(format!("it said: {said}")) };
            return Err(Failure::lasting(error));
        }
        Ok(Some(done)) => done,
        Ok(None) => {
            times.banner = begin.elapsed();
            tokio::time::timeout(spec.deadlines.kex, handshake).await.map_err(|_| {
                let banner = heard.banner_line().unwrap_or_default();
                let error = HostError::silent(name, &address, "key exchange", spec.deadlines.kex);
                Failure::lasting(error.cause(format!("its banner was `{banner}`")))
            })?
        }
    };
    times.key_exchange = begin.elapsed().saturating_sub(times.banner);
    done.map_err(|error| {
        if let Some(refusal) = learnt.lock().expect("no holder panics").refusal.take() {
            return Failure::lasting(refusal.at(Stage::HostKey));
        }
        explain(spec, heard, &error)
    })
}

/// Why a handshake was aborted, from what the server said until then.
fn explain(spec: &HostSpec, heard: &Heard, error: &russh::Error) -> Failure {
    let (name, address) = (&spec.name, spec.address());
    let said = words(&heard.before_banner());
    if heard.banner_line().is_some() {
        let closed = matches!(error, russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_));
        let mut failed = HostError::handshake(name, &address, client::why(error));
        failed.hint = client::hint(error);
        return Failure { error: failed, is_passing: closed };
    }
    // sshd says the first before 9.8 and the second from then on, in place of its banner.
    if said.contains("MaxStartups") {
        return Failure::passing(HostError::throttled(name, &address, &said));
    }
    if said.contains("Not allowed at this time") {
        // Coming back at once would make it longer.
        return Failure::lasting(HostError::throttled(name, &address, &said));
    }
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) if said.is_empty() => {
            Failure::passing(HostError::turned_away(name, &address, ""))
        }
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_) => {
            Failure::lasting(HostError::turned_away(name, &address, &said))
        }
        _ => Failure::lasting(HostError::not_ssh(name, &address, &said)),
    }
}

/// Between half and all of it, so that those who failed together don't come back together.
fn jitter(wait: Duration) -> Duration {
    let mut random = [0];
    // Without randomness the longest wait is as good as any.
    let share = getrandom::fill(&mut random).map_or(255, |()| u32::from(random[0]));
    wait / 2 + wait / 2 * share / 255
}

/// Rounded to tenths of a second.
fn whole(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis() / 100 * 100).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_vary_within_bounds() {
        let wait = Duration::from_millis(500);
        for _ in 0..100 {
            assert!((wait / 2..=wait).contains(&jitter(wait)));
        }
    }
}
