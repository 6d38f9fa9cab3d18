//! Who asks.

/// Who asks, as servers are told.
pub(crate) const AGENT: &str = concat!("doppio/", env!("CARGO_PKG_VERSION"));
