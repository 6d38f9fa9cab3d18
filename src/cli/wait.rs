//! Waiting for what is on the network.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;

/// Runs what waits on the network, on this thread. Leases of its sources are returned when it is
/// done, also after a failure.
pub(super) fn block_on<T>(context: &Context, work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_world("cannot start the runtime")?;
    let done = runtime.block_on(async {
        let done = work.await;
        context.opened.close().await;
        done
    });
    // Threads that wait for a keychain or a resolver must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    Ok(done)
}
