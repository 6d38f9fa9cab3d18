//! Who asks.

/// Who asks, as servers are told.
pub const AGENT: &str = concat!("doppio/", env!("CARGO_PKG_VERSION"));
