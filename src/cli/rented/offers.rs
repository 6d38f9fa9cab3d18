//! An offer that is about to be hired.

use serde_json::json;

use doppio_rented::Dollars;
use doppio_rented::Offer;
use doppio_rented::Search;

/// The disk of a machine for which none is named, in GB.
pub(super) const DISK: f64 = 20.0;

/// One offer with this disk, to be seen before it is hired.
pub(super) fn of_offer(offer: &str, disk_gb: f64, interruptible: bool) -> Search {
    let mut filters = serde_json::Map::new();
    let id = offer.parse::<u64>().map_or_else(|_| json!(offer), |id| json!(id));
    filters.insert("id".to_owned(), json!({ "eq": id }));
    Search { filters, disk_gb, limit: 1, sort: Vec::new(), interruptible }
}

/// What an hour of an offer would cost.
pub(super) fn price(offer: &Offer, bid: Option<Dollars>) -> Option<Dollars> {
    bid.or(offer.per_hour)
}
