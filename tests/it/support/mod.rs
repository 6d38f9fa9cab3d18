//! What several areas' tests share.

pub(crate) mod rust_code;
pub(crate) mod sshd;
