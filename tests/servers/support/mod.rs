//! What several areas' tests share: servers, and those who watch.

#[cfg(feature = "aws")]
pub(crate) mod aws;
pub(crate) mod exec;
pub(crate) mod far;
pub(crate) mod frozen;
pub(crate) mod http;
pub(crate) mod needles;
pub(crate) mod openbao;
pub(crate) mod pool;
pub(crate) mod rented;
pub(crate) mod secret_service;
pub(crate) mod sshd;
pub(crate) mod standin;
pub(crate) mod store;
pub(crate) mod tinyssh;
pub(crate) mod venv;
pub(crate) mod watch;
