//! What a condition can ask of the host of its step.

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Hardware;

/// What a condition can ask of the host of its step: `host.gpus.count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostFact {
    /// `host.gpus.count`: how many GPUs it has.
    GpuCount,
    /// `host.gpus.free`: how many of them nobody uses.
    GpuFree,
    /// `host.gpu`: the name of the first.
    Gpu,
    /// `host.cuda`: the newest CUDA that its driver runs.
    Cuda,
    /// `host.disk_gb`: what is free on the disk of the home, in GB.
    DiskGb,
}

/// In the order in which help lists them.
const ALL: [HostFact; 5] =
    [HostFact::GpuCount, HostFact::GpuFree, HostFact::Gpu, HostFact::Cuda, HostFact::DiskGb];

impl HostFact {
    /// The one that is called so, without `host.`.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|fact| fact.name() == name)
    }

    /// Its name, without `host.`.
    pub fn name(self) -> &'static str {
        match self {
            Self::GpuCount => "gpus.count",
            Self::GpuFree => "gpus.free",
            Self::Gpu => "gpu",
            Self::Cuda => "cuda",
            Self::DiskGb => "disk_gb",
        }
    }

    /// All names, as in "`host.gpus.count`, `host.gpu`".
    pub fn names() -> String {
        ALL.map(|fact| format!("`host.{}`", fact.name())).join(", ")
    }

    /// Whether it may be another by now.
    pub fn changes(self) -> bool {
        matches!(self, Self::GpuFree | Self::DiskGb)
    }

    /// Its value: 0 or an empty text where the host has nothing of the kind.
    pub fn value(self, found: &Hardware) -> String {
        match self {
            Self::GpuCount => found.gpus.len().to_string(),
            Self::GpuFree => found.gpus.iter().filter(|gpu| gpu.is_free).count().to_string(),
            Self::Gpu => found.gpus.first().map(|gpu| gpu.name.clone()).unwrap_or_default(),
            Self::Cuda => found.cuda.clone().unwrap_or_else(|| "0".to_owned()),
            Self::DiskGb => {
                (found.free_disk.unwrap_or_default().saturating_mul(1024) / 1_000_000_000).to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use doppio_hosts::Gpu;

    use super::*;

    #[test]
    fn a_host_without_gpus_has_none_and_is_not_an_error() {
        let values = |found: &Hardware| ALL.map(|fact| fact.value(found));
        assert_eq!(values(&Hardware::default()), ["0", "0", "", "0", "0"]);
        let gpu =
            |is_free| Gpu { name: "NVIDIA A10".to_owned(), memory: 1, driver: "550".to_owned(), is_free };
        let found = Hardware {
            gpus: vec![gpu(true), gpu(false)],
            cuda: Some("12.4".to_owned()),
            free_disk: Some(100_000_000),
            ..Hardware::default()
        };
        assert_eq!(values(&found), ["2", "1", "NVIDIA A10", "12.4", "102"]);
        assert!(ALL.into_iter().all(|fact| HostFact::named(fact.name()) == Some(fact)));
    }
}
