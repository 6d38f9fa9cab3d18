//! What the stores share besides [`doppio_http`]: what an answer without success means, and the logins that
//! errors hide.

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
mod failure;
#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes"))]
mod login;

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Failure;
#[cfg(any(feature = "azure", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::failure::Server;
#[cfg(any(feature = "aws", feature = "gcp", feature = "kubernetes"))]
pub(crate) use self::login::learn;
