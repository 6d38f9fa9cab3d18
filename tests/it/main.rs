//! The integration tests, one crate: real binary, real servers.
