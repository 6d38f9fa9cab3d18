//! What is on offer, and what is ordered.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use doppio_secrets::SecretValue;

use crate::money::Dollars;

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The vendor's own conditions, by field, as [`crate::Query`] makes them for vast.ai.
    pub filters: serde_json::Map<String, Value>,
    /// The disk that the machine will get, in GB: it is part of the price.
    pub disk_gb: f64,
    /// How many offers at most.
    pub limit: usize,
    /// The fields to sort by, and whether from the largest down.
    pub sort: Vec<(String, bool)>,
    /// Whether to look for machines that somebody who pays more can take away.
    pub interruptible: bool,
}

/// A machine that can be hired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offer {
    /// The vendor's id of the offer.
    pub id: String,
    /// The name of its GPUs.
    pub gpu: Option<String>,
    /// How many GPUs.
    pub gpu_count: Option<u32>,
    /// Memory of each, in GiB.
    pub gpu_ram_gb: Option<f64>,
    /// Cores that it gets.
    pub cpu_cores: Option<f64>,
    /// Memory, in GiB.
    pub ram_gb: Option<f64>,
    /// The most disk that it can get, in GB.
    pub disk_gb: Option<f64>,
    /// What an hour costs, with the disk that was asked for.
    pub per_hour: Option<Dollars>,
    /// The least bid that runs, of an interruptible one.
    pub min_bid: Option<Dollars>,
    /// What a stopped machine with that disk costs a day.
    pub stopped_per_day: Option<Dollars>,
    /// Down and up, in Mbit/s.
    pub network_mbps: (Option<f64>, Option<f64>),
    /// How reliable it has been, of 1.
    pub reliability: Option<f64>,
    /// The newest CUDA that its driver runs.
    pub cuda: Option<f64>,
    /// Ports that can be reached from outside.
    pub direct_ports: Option<u32>,
    /// How long it can be hired, in seconds.
    pub longest_secs: Option<f64>,
    /// Where it stands, in the vendor's words.
    pub region: Option<String>,
    /// Whether the vendor vouches for it.
    pub is_verified: bool,
}

/// What to create.
#[derive(Clone)]
pub struct Order {
    /// The offer.
    pub offer: String,
    /// The image.
    pub image: String,
    /// Disk, in GB.
    pub disk_gb: f64,
    /// The label that it is born with. It must be the only one of its kind: what became of a request
    /// without an answer is seen by it.
    pub label: String,
    /// The most to bid an hour for an interruptible machine; none for one that is kept.
    pub bid: Option<Dollars>,
    /// Environment of the machine, and ports as Docker's flags: `-p 8080:8080` = `1`.
    pub env: BTreeMap<String, String>,
    /// Shell text for its first start.
    pub on_start: Option<String>,
    /// The login to the image's registry, as Docker's flags: `-u USER -p TOKEN HOST`.
    pub image_login: Option<SecretValue>,
    /// The public key whose owner is let in, where a vendor takes it with the order: not vast.ai, which takes
    /// it by [`crate::Vendor::attach_key`].
    pub public_key: Option<String>,
    /// A template of the vendor in place of the image's own settings.
    pub template: Option<String>,
}

impl fmt::Debug for Order {
    /// Without environment and shell text, in which people put secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("offer", &self.offer)
            .field("image", &self.image)
            .field("disk_gb", &self.disk_gb)
            .field("label", &self.label)
            .field("bid", &self.bid)
            .finish_non_exhaustive()
    }
}

impl Order {
    /// An order of this offer with nothing special.
    pub fn new(offer: &str, image: &str, disk_gb: f64, label: &str) -> Self {
        Self {
            offer: offer.to_owned(),
            image: image.to_owned(),
            disk_gb,
            label: label.to_owned(),
            bid: None,
            env: BTreeMap::new(),
            on_start: None,
            image_login: None,
            public_key: None,
            template: None,
        }
    }
}
