//! The connection to a host, also to a rented machine: by whichever way lets us in first.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::Endpoint;
use crate::HostError;
use crate::HostSpec;
use crate::RentedMachines;
use crate::Stage;
use crate::ssh::connect::Connection;
use crate::ssh::connect::TRIES;
use crate::ssh::connect::connect;
use crate::ssh::dial;
use crate::ssh::identity;
use crate::ssh::options::ConnectOptions;

/// A further way is tried when the one before it hasn't let us in for this long. A login takes some ten
/// round trips, so that the worse way wins only where the better one is closed.
const HEAD_START: Duration = Duration::from_secs(2);

/// The waits for a machine that has let us in before, in milliseconds.
const AGAIN: [u64; 3] = [500, 1000, 2000];

/// The waits for a key that the vendor was told of to be on its machine.
const KEY_WAITS: [u64; 5] = [1, 2, 4, 8, 8];

/// Connects and logs in to a host.
///
/// # Errors
///
/// As [`connect`], and when the vendor of a rented machine can't be asked.
pub(crate) async fn reach(spec: &HostSpec, options: &ConnectOptions) -> Result<Connection, HostError> {
    match &spec.rented {
        Some(id) => Box::pin(reach_rented(id, spec, options)).await,
        None => connect(spec, options, TRIES).await,
    }
}

/// A rented machine as a host with an address: that of the first way that answers. Other hosts have theirs.
///
/// # Errors
///
/// When its vendor can't be asked, or it has no way.
pub(crate) async fn locate(
    spec: HostSpec,
    machines: Option<&dyn RentedMachines>,
) -> Result<HostSpec, HostError> {
    let Some(id) = &spec.rented else { return Ok(spec) };
    let machines = machines.ok_or_else(|| no_vendor(&spec))?;
    let ways = machines.endpoints(id).await?;
    let mut last = None;
    for endpoint in &ways {
        let reached = reached_by(&spec, endpoint);
        match dial::tcp(&reached).await {
            Ok(_) => return Ok(reached),
            Err(failure) => last = Some(failure.error),
        }
    }
    Err(last.unwrap_or_else(|| no_way(&spec)))
}

/// A login that is refused is tried again after the vendor has put our key on the machine: keys of
/// rented machines vanish.
async fn reach_rented(id: &str, spec: &HostSpec, options: &ConnectOptions) -> Result<Connection, HostError> {
    let machines = options.rented.as_deref().ok_or_else(|| no_vendor(spec))?;
    let refused = match races(id, spec, options, machines).await {
        Err(error) if error.stage == Some(Stage::Login) => error,
        done => return done,
    };
    let Some(key) = identity::own_key(spec, options).await else { return Err(refused) };
    match machines.attach_key(id, &key).await {
        Ok(true) => {}
        Ok(false) => return Err(refused),
        Err(error) => return Err(told(refused, "the key could not be attached", &error)),
    }
    options.prompt.notice(&format!("`{}` refused our key; its vendor was asked to attach it", spec.name));
    let mut last = refused;
    for secs in KEY_WAITS {
        tokio::time::sleep(Duration::from_secs(secs)).await;
        last = match race(id, spec, options, machines).await {
            Err(error) if error.stage == Some(Stage::Login) => error,
            done => return done,
        };
    }
    Err(last.cause("its vendor was asked to attach the key, and it is refused all the same"))
}

/// A machine that has let us in before may be between two connections; of one that has not yet, whoever
/// waits for it knows for how long.
async fn races(
    id: &str,
    spec: &HostSpec,
    options: &ConnectOptions,
    machines: &dyn RentedMachines,
) -> Result<Connection, HostError> {
    let mut pauses = AGAIN.into_iter();
    loop {
        let error = match race(id, spec, options, machines).await {
            Err(error) if error.stage.is_some_and(|stage| stage <= Stage::Banner) => error,
            done => return done,
        };
        let pause = pauses.next().filter(|_| options.winners.of(id).is_some());
        let Some(millis) = pause else { return Err(error) };
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

async fn race(
    id: &str,
    spec: &HostSpec,
    options: &ConnectOptions,
    machines: &dyn RentedMachines,
) -> Result<Connection, HostError> {
    let mut ways = machines.endpoints(id).await?;
    let winner = options.winners.of(id);
    // The way that won last time goes first.
    ways.sort_by_key(|endpoint| winner != Some(endpoint.way));
    let start = &tokio::sync::Notify::new();
    let mut tries: FuturesUnordered<_> = ways
        .iter()
        .zip(0u32..)
        .map(|(endpoint, index)| async move {
            if index > 0 {
                // At once where the ones before it have failed.
                tokio::select! {
                    () = tokio::time::sleep(HEAD_START * index) => {}
                    () = start.notified() => {}
                }
            }
            (endpoint, connect(&reached_by(spec, endpoint), options, 1).await)
        })
        .collect();
    let mut failed: Option<HostError> = None;
    while let Some((endpoint, tried)) = tries.next().await {
        match tried {
            Ok(connection) => {
                options.winners.set(id, endpoint.way);
                return Ok(connection);
            }
            Err(error) => {
                start.notify_waiters();
                failed = Some(match failed {
                    None => error,
                    // What got further says more.
                    Some(other) if other.stage >= error.stage => told(other, endpoint.way, &error),
                    Some(other) => told(error, "another way", &other),
                });
            }
        }
    }
    Err(failed.unwrap_or_else(|| no_way(spec)))
}

fn told(mut error: HostError, way: &str, other: &HostError) -> HostError {
    error.causes.push(format!("{way}: {}", other.message));
    error.causes.extend(other.causes.iter().cloned());
    if error.hint.is_none() {
        error.hint.clone_from(&other.hint);
    }
    error
}

fn reached_by(spec: &HostSpec, endpoint: &Endpoint) -> HostSpec {
    HostSpec {
        hostname: endpoint.hostname.clone(),
        port: endpoint.port,
        user: endpoint.user.clone(),
        rented: None,
        ..spec.clone()
    }
}

fn no_way(spec: &HostSpec) -> HostError {
    HostError::new(format!("`{}` has no SSH endpoint yet", spec.name))
}

fn no_vendor(spec: &HostSpec) -> HostError {
    HostError::new(format!("`{}` is a rented machine, and nobody here knows where it is", spec.name))
}
