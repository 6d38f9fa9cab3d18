//! The way to a server: TCP, or a command of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::Join;
use tokio::io::join;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::sync::watch;

use doppio_process::Chunks;
use doppio_process::Program;
use doppio_process::Running;
use doppio_process::Stdin;
use doppio_process::Stdout;

use crate::AddressFamily;
use crate::HostError;
use crate::HostSpec;
use crate::error::words;

/// A second address is tried when the first has not answered for this long (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// How long a command may take to report why it failed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why there is no stream, and whether trying again soon can help.
pub(in crate::ssh) struct Failure {
    pub error: HostError,
    pub is_passing: bool,
}

impl Failure {
    /// Trying again would give the same.
    pub(in crate::ssh) fn lasting(error: HostError) -> Self {
        Self { error, is_passing: false }
    }

    /// Trying again may help.
    pub(in crate::ssh) fn passing(error: HostError) -> Self {
        Self { error, is_passing: true }
    }
}

/// Connects by TCP. All addresses of the name are tried, each with a head start; the first that
/// answers wins.
pub(in crate::ssh) async fn tcp(spec: &HostSpec) -> Result<TcpStream, Failure> {
    let attempt = async {
        let found = tokio::net::lookup_host((spec.hostname.as_str(), spec.port)).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(found) => found.filter(|address| is_of(spec.family, address)).collect(),
            Err(error) => {
                return Err(Failure::lasting(HostError::no_address(&spec.name, &spec.hostname, &error)));
            }
        };
        race(&addresses).await.map_err(|error| {
            let passing =
                matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset);
            Failure {
                error: HostError::unreachable(&spec.name, &spec.address(), &error),
                is_passing: passing,
            }
        })
    };
    let limit = spec.deadlines.tcp;
    let stream = tokio::time::timeout(limit, attempt).await.unwrap_or_else(|_| {
        Err(Failure::lasting(HostError::silent(&spec.name, &spec.address(), "answer to TCP", limit)))
    })?;
    // Without it each exchange would wait for the other side's delayed acknowledgement.
    stream
        .set_nodelay(true)
        .map_err(|error| Failure::passing(HostError::unreachable(&spec.name, &spec.address(), &error)))?;
    Ok(stream)
}

fn is_of(family: AddressFamily, address: &SocketAddr) -> bool {
    match family {
        AddressFamily::Any => true,
        AddressFamily::V4 => address.is_ipv4(),
        AddressFamily::V6 => address.is_ipv6(),
    }
}

async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut tries: FuturesUnordered<_> = addresses
        .iter()
        .zip(0u32..)
        .map(|(address, index)| async move {
            tokio::time::sleep(HEAD_START * index).await;
            TcpStream::connect(address).await
        })
        .collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    while let Some(tried) = tries.next().await {
        match tried {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A command whose stdin and stdout are the connection.
pub(in crate::ssh) struct Proxy {
    pub pipes: Join<Stdout, Stdin>,
    /// What it writes to stderr.
    pub said: watch::Receiver<String>,
    /// The command is ended a moment after this is dropped.
    pub open: oneshot::Sender<()>,
}

/// Starts such a command.
pub(in crate::ssh) fn proxy(spec: &HostSpec, command: &str) -> Result<Proxy, Failure> {
    let failed = |error: io::Error| {
        Failure::lasting(
            HostError::new(format!("cannot start the proxy command of `{}`", spec.name))
                .cause(error.to_string()),
        )
    };
    let mut running = Program::shell(format!("exec {command}")).start().map_err(failed)?;
    let missing = || io::Error::other("it has no pipes");
    let stdin = running.stdin.take().ok_or_else(missing).map_err(failed)?;
    let stdout = running.stdout.take().ok_or_else(missing).map_err(failed)?;
    let (say, said) = watch::channel(String::new());
    let (open, closed) = oneshot::channel();
    tokio::spawn(attend(running, say, closed));
    Ok(Proxy { pipes: join(stdout, stdin), said, open })
}

/// Hears what the command has to say, and ends it after the connection. A command may close its
/// stdout before it says why.
async fn attend(mut running: Running, said: watch::Sender<String>, mut closed: oneshot::Receiver<()>) {
    let mut stderr = Chunks::new(running.stderr.take());
    let hear = async move {
        while let Some(bytes) = stderr.next().await {
            said.send_replace(words(&bytes));
        }
    };
    tokio::pin!(hear);
    tokio::select! {
        () = &mut hear => drop(closed.await),
        _ = &mut closed => drop(tokio::time::timeout(LAST_WORDS, hear).await),
    }
    // It is killed here if it still runs.
    drop(running);
}

/// What a proxy command that failed had to say.
pub(in crate::ssh) async fn last_words(mut said: watch::Receiver<String>) -> Option<String> {
    let end = async { while said.changed().await.is_ok() {} };
    // A child of it may hold the pipe open.
    drop(tokio::time::timeout(LAST_WORDS, end).await);
    let said = said.borrow().clone();
    (!said.is_empty()).then(|| format!("the proxy command said: {said}"))
}
