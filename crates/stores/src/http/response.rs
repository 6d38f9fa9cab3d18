//! An answer, read to its end.

use reqwest::StatusCode;
use zeroize::Zeroizing;

use crate::http::body::append;

/// An answer, whatever its status.
pub(crate) struct Response {
    pub status: StatusCode,
    #[cfg(any(feature = "aws", feature = "vault"))]
    pub headers: reqwest::header::HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

/// Why no whole answer came.
#[derive(Debug)]
pub(crate) enum NoResponse {
    /// It is longer than any answer.
    TooLong,
    /// The connection was not made, or broke. The address, which names the secret, is not in it.
    Broken(reqwest::Error),
}

impl From<reqwest::Error> for NoResponse {
    fn from(error: reqwest::Error) -> Self {
        Self::Broken(error.without_url())
    }
}

impl Response {
    /// Sends a request and reads its answer, of at most `longest` bytes.
    pub(crate) async fn of(request: reqwest::RequestBuilder, longest: usize) -> Result<Self, NoResponse> {
        let mut answer = request.send().await?;
        let room = answer.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(room.unwrap_or(16 << 10).min(longest)));
        while let Some(part) = answer.chunk().await? {
            if !append(&mut body, &part, longest) {
                return Err(NoResponse::TooLong);
            }
        }
        Ok(Self {
            status: answer.status(),
            #[cfg(any(feature = "aws", feature = "vault"))]
            headers: std::mem::take(answer.headers_mut()),
            body,
        })
    }
}
