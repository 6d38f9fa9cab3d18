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

/// A number of dollars or of gigabytes: a `nan` would be neither too much nor too little.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".to_owned()),
    }
}
