//! `doppio vast`, `doppio runpod`, `doppio lambda`: machines that are hired, one file a vendor. What they can all
//! do has a file of its own, which gets the vendor's name.

mod account;
mod catalogue;
mod change;
mod cost;
mod destroy;
mod hire;
pub(super) mod lambda;
mod list;
mod offers;
mod orphans;
mod public_key;
pub(super) mod runpod;
mod show;
pub(super) mod vast;
mod words;
