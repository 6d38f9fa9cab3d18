//! Work that may never return, on a detached thread.

use std::time::Duration;

use tokio::sync::oneshot;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// The deadline has passed; the thread goes on by itself.
    Deadline,
    /// The work panicked, or no thread could be started.
    Died,
}

/// Does `work` on a plain thread of its own, so that neither the runtime nor the end of the
/// process waits for it.
///
/// # Errors
///
/// When it does not come back in time, or panics.
pub async fn detached<T: Send + 'static>(
    deadline: Option<Duration>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stuck> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("secret source".to_owned())
        .spawn(move || sender.send(work()).ok())
        .map_err(|_| Stuck::Died)?;
    let Some(deadline) = deadline else { return receiver.await.map_err(|_| Stuck::Died) };
    match tokio::time::timeout(deadline, receiver).await {
        Ok(result) => result.map_err(|_| Stuck::Died),
        Err(_) => Err(Stuck::Deadline),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_that_hangs_is_left_behind() {
        let (_open, never) = mpsc::channel::<()>();
        let stuck = detached(Some(Duration::from_millis(20)), move || never.recv().is_ok()).await;
        assert_eq!(stuck, Err(Stuck::Deadline));
        assert_eq!(detached(None, || 7).await, Ok(7));
    }
}
