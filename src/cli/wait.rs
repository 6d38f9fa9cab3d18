//! Waiting for what is on the network.

use std::pin::Pin;
use std::pin::pin;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;

/// Runs what waits on the network, on this thread. Leases of its sources are returned when it is
/// done, also after a failure.
pub(super) fn block_on<T>(context: &Context, work: impl Future<Output = T>) -> Result<T, CliError> {
    let mut done = None;
    drive(context, pin!(async { done = Some(work.await) }))?;
    done.ok_or_else(|| CliError::world("the runtime ended before the work did"))
}

/// The same for every kind of work: a runtime is much code, so it is compiled once.
fn drive(context: &Context, work: Pin<&mut dyn Future<Output = ()>>) -> Result<(), CliError> {
    let runtime = Builder::new_current_thread().enable_all().build().or_world("cannot start the runtime")?;
    runtime.block_on(async {
        work.await;
        context.opened.close().await;
    });
    // Threads that wait for a keychain or a resolver must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(())
}
