//! Who connects to the sandbox and has not logged in: any user of this machine can. They get little
//! memory, and soon the end of the connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::watch;

/// So many at once: more than Doppio itself, which has five handshakes with a host at a time.
const MOST: usize = 16;

/// So much is read of one, in bytes: a key exchange and a login take less than 8 KiB.
const HEARD: usize = 32 << 10;

/// How long a login may take.
const GRACE: Duration = Duration::from_secs(30);

/// Room for those who have not logged in.
pub(in crate::ssh) struct Strangers(Arc<Semaphore>);

impl Default for Strangers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Strangers {
    /// Another one; none while there are too many.
    pub(in crate::ssh) fn admit(&self) -> Option<Stranger> {
        let room = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(Stranger { login: watch::channel(false).0, _room: room })
    }
}

/// One who has not logged in.
pub(in crate::ssh) struct Stranger {
    login: watch::Sender<bool>,
    _room: OwnedSemaphorePermit,
}

impl Stranger {
    /// What is told when it has logged in.
    pub(in crate::ssh) fn login(&self) -> watch::Sender<bool> {
        self.login.clone()
    }

    /// Passes on what it sends until it has logged in; then it is none any more.
    ///
    /// # Errors
    ///
    /// When it sends too much, takes too long, or goes.
    pub(in crate::ssh) async fn hear(
        self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let mut login = self.login.subscribe();
        let mut buffer = vec![0; HEARD];
        let mut heard = 0;
        let listen = async {
            loop {
                let read = tokio::select! {
                    biased;
                    _ = login.wait_for(|has_logged_in| *has_logged_in) => return Ok(()),
                    read = from.read(&mut buffer[heard..]) => read?,
                };
                if read == 0 {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                to.write_all(&buffer[heard..heard + read]).await?;
                heard += read;
            }
        };
        tokio::time::timeout(GRACE, listen).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // case L11
    #[tokio::test(start_paused = true)]
    async fn little_is_read_before_the_login() {
        let stranger = Strangers::default().admit().unwrap();
        let flood = vec![b'x'; 1 << 20];
        let mut heard = Vec::new();
        assert!(stranger.hear(&mut flood.as_slice(), &mut heard).await.is_err());
        assert_eq!(heard.len(), HEARD);
    }

    // case L11
    #[tokio::test(start_paused = true)]
    async fn whoever_says_nothing_is_not_waited_for() {
        let (_silent, mut socket) = tokio::io::duplex(64);
        let stranger = Strangers::default().admit().unwrap();
        let error = stranger.hear(&mut socket, &mut tokio::io::sink()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    // case L11
    #[tokio::test]
    async fn there_is_room_for_a_few_and_again_when_one_has_logged_in() {
        let strangers = Strangers::default();
        let mut all: Vec<_> = (0..MOST).map(|_| strangers.admit().unwrap()).collect();
        assert!(strangers.admit().is_none());
        let stranger = all.pop().unwrap();
        stranger.login().send_replace(true);
        stranger.hear(&mut tokio::io::empty(), &mut tokio::io::sink()).await.unwrap();
        assert!(strangers.admit().is_some());
    }
}
