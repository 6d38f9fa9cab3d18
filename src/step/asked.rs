//! What a recipe asks of its target.

use serde::Deserialize;
use serde::Serialize;

/// What a recipe asks of its target, under `[target]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// At least so many GPUs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_gpus: Option<u64>,
    /// At least so much memory of each, in GB.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_memory_gb: Option<f64>,
    /// The GPU's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gpu_type: Option<String>,
    /// At most so many dollars an hour.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_price: Option<f64>,
}
