//! What the stores share of HTTP: how a client is made, how an answer is read, and what it means when
//! none comes.

#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes", feature = "online", feature = "vault"))]
mod body;
#[cfg(any(feature = "aws", feature = "azure", feature = "vault"))]
mod certificates;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "online", feature = "vault"))]
mod client;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
mod failure;
#[cfg(any(feature = "aws", feature = "gcp", feature = "online", feature = "vault"))]
mod response;

use std::error::Error;

#[cfg(feature = "kubernetes")]
pub(crate) use self::body::append;
#[cfg(any(feature = "aws", feature = "azure", feature = "vault"))]
pub(crate) use self::certificates::certificates;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "online", feature = "vault"))]
pub(crate) use self::client::client;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Failure;
#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Server;
#[cfg(any(feature = "aws", feature = "gcp", feature = "online", feature = "vault"))]
pub(crate) use self::response::NoResponse;
#[cfg(any(feature = "aws", feature = "gcp", feature = "online", feature = "vault"))]
pub(crate) use self::response::Response;

/// Who asks, as servers are told.
pub(crate) const AGENT: &str = concat!("doppio/", env!("CARGO_PKG_VERSION"));

/// An error and its causes, the innermost last.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause, which says most: "connection refused", "invalid peer certificate".
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error with its causes, as one line that says nothing twice.
#[cfg(any(feature = "azure", feature = "gcp", feature = "vault"))]
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.extend([if text.is_empty() { "" } else { ": " }, cause.as_str()]);
        }
    }
    text
}
