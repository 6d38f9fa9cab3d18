//! The table: one row a vendor.

mod clouds;
mod code;
mod services;
mod tokens_only;

use crate::vendor::row::Vendor;

/// All rows, those of the well-known secrets in the order in which `suggest` lists them.
pub(super) fn all() -> impl Iterator<Item = &'static Vendor> {
    [services::ROWS, clouds::ROWS, code::ROWS, tokens_only::ROWS].into_iter().flatten()
}
