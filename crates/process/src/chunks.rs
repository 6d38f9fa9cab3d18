//! A pipe, by what comes out of it.

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;

/// What is read at once, in bytes.
const CHUNK: usize = 32 << 10;

/// Reads a pipe piece by piece. It is not read ahead: whoever is slow holds the program up.
#[derive(Debug)]
pub struct Chunks<R> {
    pipe: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Chunks<R> {
    /// Of this pipe; none is at its end at once.
    pub fn new(pipe: Option<R>) -> Self {
        Self { pipe, buffer: vec![0; CHUNK] }
    }

    /// The next bytes; none at the end, or when the pipe breaks.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        if let Ok(count @ 1..) = self.pipe.as_mut()?.read(&mut self.buffer).await {
            return Some(self.buffer[..count].to_vec());
        }
        self.pipe = None;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pipe_is_read_to_its_end() {
        let mut chunks = Chunks::new(Some(&b"made up"[..]));
        assert_eq!(chunks.next().await.as_deref(), Some(&b"made up"[..]));
        assert_eq!((chunks.next().await, chunks.next().await), (None, None));
        assert_eq!(Chunks::<&[u8]>::new(None).next().await, None);
    }
}
