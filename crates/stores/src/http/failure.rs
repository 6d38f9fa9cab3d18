//! Why a request has no answer that helps, and what the user is told.

#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
use serde::de::DeserializeOwned;

use doppio_secrets::source::SourceError;

#[cfg(any(feature = "aws", feature = "gcp"))]
use doppio_http::NoResponse;
#[cfg(any(feature = "aws", feature = "gcp"))]
use doppio_http::innermost;

/// Why a request has no answer that helps; `R` is what the server says when it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure<R> {
    /// Nothing was sent: a setting can't be followed, or there is no login.
    Unsent(SourceError),
    /// No server can be reached, in the words of the innermost cause.
    Connection(String),
    /// No server answers in time.
    #[cfg(any(feature = "aws", feature = "gcp"))]
    Late,
    /// The server refuses, with this status and in its own words.
    Refused(u16, R),
    /// Something else refuses, with this status.
    Status(u16),
    /// Something else answers.
    Nonsense,
}

#[cfg(any(feature = "aws", feature = "gcp"))]
impl<R> From<NoResponse> for Failure<R> {
    fn from(error: NoResponse) -> Self {
        match error {
            NoResponse::TooLong => Self::Nonsense,
            NoResponse::Broken(error) if error.is_timeout() => Self::Late,
            NoResponse::Broken(error) => Self::Connection(innermost(&error)),
        }
    }
}

#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
impl<R: DeserializeOwned> Failure<R> {
    /// What an answer without success means.
    pub(crate) fn of_answer(status: u16, body: &[u8]) -> Self {
        serde_json::from_slice(body).map_or(Self::Status(status), |words| Self::Refused(status, words))
    }
}

#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
impl<R> Failure<R> {
    /// What the user is told; `refused` says it of the server's own words.
    pub(crate) fn tell(self, server: &Server, refused: impl FnOnce(u16, R) -> SourceError) -> SourceError {
        match self {
            Self::Unsent(error) => error,
            Self::Refused(status, words) => refused(status, words),
            Self::Status(status) => SourceError::unreachable(
                format!("what answered is not {} (status {status})", server.is),
                format!("{}, and the proxy before it", server.to_check),
            ),
            Self::Nonsense => server.nonsense(),
            #[cfg(any(feature = "aws", feature = "gcp"))]
            Self::Late => server.unreachable("it did not answer in time"),
            Self::Connection(cause) => server.unreachable(&cause),
        }
    }
}

/// A server as messages speak of it.
#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) struct Server {
    pub name: &'static str,
    /// What it is, for an answer that is of something else.
    pub is: &'static str,
    /// The table of its settings.
    pub settings: &'static str,
    /// What to check where something else answers.
    pub to_check: &'static str,
    /// What to check where nothing does.
    pub to_reach: &'static str,
}

#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
impl Server {
    /// It answered with what no case is known for.
    pub(crate) fn failed(&self, code: impl std::fmt::Display, words: &str) -> SourceError {
        SourceError::unreachable(
            format!("{} answered {code}: {words}", self.name),
            format!("try again, or raise `timeout_secs` in `[{}]`", self.settings),
        )
    }

    fn unreachable(&self, cause: &str) -> SourceError {
        SourceError::unreachable(format!("{} can't be reached: {cause}", self.name), self.to_reach)
    }

    /// Something else answered.
    pub(crate) fn nonsense(&self) -> SourceError {
        SourceError::unreachable(format!("what answered is not {}", self.is), self.to_check)
    }
}
