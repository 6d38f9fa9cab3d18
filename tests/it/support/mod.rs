//! The readers of Rust sources that the tests of the structure share.

pub(crate) mod arrows;
pub(crate) mod rust_code;
