//! What the stores share of HTTP: how a client is made, how an answer is read, and what it means when
//! none comes.

mod agent;
#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes", feature = "online", feature = "vault"))]
mod body;
mod causes;
#[cfg(any(feature = "aws", feature = "azure", feature = "vault"))]
mod certificates;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "online", feature = "vault"))]
mod client;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
mod failure;
#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes"))]
mod login;
#[cfg(any(feature = "aws", feature = "gcp", feature = "online", feature = "vault"))]
mod response;

#[cfg(feature = "kubernetes")]
pub(crate) use self::agent::AGENT;
#[cfg(feature = "kubernetes")]
pub(crate) use self::body::append;
#[cfg(any(feature = "azure", feature = "gcp", feature = "vault"))]
pub(crate) use self::causes::causes;
#[cfg(any(feature = "aws", feature = "azure", feature = "kubernetes", feature = "online"))]
pub(crate) use self::causes::innermost;
#[cfg(any(feature = "aws", feature = "azure", feature = "vault"))]
pub(crate) use self::certificates::certificates;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "online", feature = "vault"))]
pub(crate) use self::client::client;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Failure;
#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Server;
#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::login::learn;
#[cfg(any(feature = "aws", feature = "online", feature = "vault"))]
pub(crate) use self::response::NoResponse;
#[cfg(any(feature = "aws", feature = "gcp", feature = "online", feature = "vault"))]
pub(crate) use self::response::Response;
