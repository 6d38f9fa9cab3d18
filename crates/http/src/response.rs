//! An answer, read to its end.

use std::fmt;

use reqwest::StatusCode;
use zeroize::Zeroizing;

use crate::body::append;

/// An answer, whatever its status. Its `Debug` has no body.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body, which may hold a value.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why no whole answer came.
#[derive(Debug)]
pub enum NoResponse {
    /// It is longer than any answer.
    TooLong,
    /// The connection was not made, or broke. The address, which may name a secret, is not in it.
    Broken(reqwest::Error),
}

impl From<reqwest::Error> for NoResponse {
    fn from(error: reqwest::Error) -> Self {
        Self::Broken(error.without_url())
    }
}

impl Response {
    /// Sends a request and reads its answer, of at most `longest` bytes.
    ///
    /// # Errors
    ///
    /// When no whole answer comes, or a longer one.
    pub async fn of(request: reqwest::RequestBuilder, longest: usize) -> Result<Self, NoResponse> {
        let mut answer = request.send().await?;
        let room = answer.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(room.unwrap_or(16 << 10).min(longest)));
        while let Some(part) = answer.chunk().await? {
            if !append(&mut body, &part, longest) {
                return Err(NoResponse::TooLong);
            }
        }
        Ok(Self { status: answer.status(), headers: std::mem::take(answer.headers_mut()), body })
    }
}
