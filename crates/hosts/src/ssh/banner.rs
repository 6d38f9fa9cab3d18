//! The stream below a handshake. It keeps what the server says before and in its first line, for
//! errors: russh throws it away.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::sync::oneshot;
use tokio::sync::watch;

/// More than any banner; a server that says more before it is not listened to.
const MOST: usize = 8 * 1024;

/// Any way to a server: TCP, a channel of a jump host, a command.
pub(in crate::ssh) trait Way: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Way for S {}

/// A stream whose beginning is kept, and which can be cut off from outside.
pub(in crate::ssh) struct BannerStream {
    inner: Box<dyn Way>,
    heard: Arc<Heard>,
    /// Resolves when the other half is dropped.
    cut: Option<oneshot::Receiver<()>>,
    /// What ends with the stream.
    _open: Option<oneshot::Sender<()>>,
}

/// What was heard so far; shared with who waits for the banner.
#[derive(Debug, Default)]
pub(in crate::ssh) struct Heard {
    begin: Mutex<Vec<u8>>,
    has_banner: watch::Sender<bool>,
}

/// Ends the stream when it is dropped.
#[derive(Debug)]
pub(in crate::ssh) struct Cutter {
    _hold: oneshot::Sender<()>,
}

impl BannerStream {
    pub(in crate::ssh) fn new(
        inner: Box<dyn Way>,
        open: Option<oneshot::Sender<()>>,
    ) -> (Self, Arc<Heard>, Cutter) {
        let heard = Arc::new(Heard::default());
        let (hold, cut) = oneshot::channel();
        (Self { inner, heard: heard.clone(), cut: Some(cut), _open: open }, heard, Cutter { _hold: hold })
    }

    fn is_cut(&mut self, context: &mut Context<'_>) -> bool {
        self.cut.as_mut().is_none_or(|cut| Pin::new(cut).poll(context).is_ready())
    }
}

impl Heard {
    /// Waits for the server's `SSH-…` line.
    pub(in crate::ssh) async fn banner(&self) {
        let mut has_banner = self.has_banner.subscribe();
        // The sender lives as long as `self`.
        drop(has_banner.wait_for(|has_banner| *has_banner).await);
    }

    /// The server's `SSH-…` line, if it came.
    pub(in crate::ssh) fn banner_line(&self) -> Option<String> {
        let begin = self.begin.lock().expect("no holder panics");
        begin
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .find(|line| line.starts_with(b"SSH-"))
            .map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
    }

    /// All that came before the `SSH-…` line, or instead of it.
    pub(in crate::ssh) fn before_banner(&self) -> Vec<u8> {
        let begin = self.begin.lock().expect("no holder panics");
        let lines = begin.split_inclusive(|&byte| byte == b'\n');
        lines.take_while(|line| !line.starts_with(b"SSH-")).flatten().copied().collect()
    }

    fn hear(&self, bytes: &[u8]) {
        if *self.has_banner.borrow() || bytes.is_empty() {
            return;
        }
        let mut begin = self.begin.lock().expect("no holder panics");
        let room = MOST.saturating_sub(begin.len());
        begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
        drop(begin);
        if self.banner_line().is_some() {
            self.has_banner.send_replace(true);
        }
    }
}

impl AsyncRead for BannerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut(context) {
            self.cut = None;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.heard.hear(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for BannerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // russh tells why a session ended only when this succeeds.
        Pin::new(&mut self.inner).poll_shutdown(context).map(|_| Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn hear(bytes: &'static [u8]) -> Arc<Heard> {
        let (mut stream, heard, _cutter) =
            BannerStream::new(Box::new(tokio::io::join(bytes, tokio::io::sink())), None);
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn what_comes_before_the_banner_is_kept() {
        let heard = hear(b"Welcome\r\nto us\r\nSSH-2.0-x y\r\n\0\0binary").await;
        assert_eq!(heard.banner_line().as_deref(), Some("SSH-2.0-x y"));
        assert_eq!(heard.before_banner(), b"Welcome\r\nto us\r\n");
    }

    #[tokio::test]
    async fn half_a_banner_is_none() {
        let heard = hear(b"SSH-2.0-x").await;
        assert_eq!(heard.banner_line(), None);
        let heard = hear(b"Exceeded MaxStartups\r\n").await;
        assert_eq!(heard.before_banner(), b"Exceeded MaxStartups\r\n");
    }

    #[tokio::test]
    async fn a_cut_stream_ends() {
        let (inner, _other) = tokio::io::duplex(1);
        let (mut stream, _heard, cutter) = BannerStream::new(Box::new(inner), None);
        let read = tokio::spawn(async move { stream.read_u8().await });
        tokio::task::yield_now().await;
        drop(cutter);
        assert_eq!(read.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
