//! Where values come from: one file a source, one line of [`KINDS`] each.
