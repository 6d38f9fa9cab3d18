//! What a recipe asks of its target, and whether a host has it.

use serde::Deserialize;
use serde::Serialize;

use doppio_hosts::Gpu;
use doppio_hosts::Hardware;

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

impl Asked {
    /// Whether it asks for something that a script on the host can see.
    pub fn is_about_hardware(&self) -> bool {
        self.min_gpus.is_some_and(|least| least > 0)
            || self.min_memory_gb.is_some()
            || self.gpu_type.is_some()
    }

    /// What is asked for and is not there, in words. `hired_as` is what a vendor calls the GPUs of a machine that
    /// is hired: `H100 SXM` is `NVIDIA H100 80GB HBM3` to its driver.
    pub fn unmet(&self, found: &Hardware, hired_as: Option<&str>) -> Vec<String> {
        if !self.is_about_hardware() {
            return Vec::new();
        }
        let all = described(found);
        let mut fit: Vec<&Gpu> = found.gpus.iter().collect();
        if let Some(name) = &self.gpu_type {
            let vouched = hired_as.filter(|vendors| is_called(vendors, name));
            fit.retain(|gpu| {
                is_called(&gpu.name, name) || vouched.is_some_and(|vendors| is_model(&gpu.name, vendors))
            });
            if fit.is_empty() {
                return vec![format!("`gpu_type = \"{name}\"`: it has {all}")];
            }
        }
        if let Some(least) = self.min_memory_gb {
            fit.retain(|gpu| gpu.gigabytes() >= least);
            if fit.is_empty() {
                return vec![format!("`min_memory_gb = {least}`: it has {all}")];
            }
        }
        let least = self.min_gpus.unwrap_or(1);
        if (fit.len() as u64) >= least {
            return Vec::new();
        }
        let what = if fit.len() == found.gpus.len() {
            all
        } else {
            format!("{all}, of which {} are as asked for", fit.len())
        };
        vec![format!("`min_gpus = {least}`: it has {what}")]
    }
}

/// The GPUs in words: `2 × NVIDIA A100 (42.9 GB)`, or why there is none.
fn described(found: &Hardware) -> String {
    if found.gpus.is_empty() {
        let why = found.gpu_trouble.as_ref().map(|why| format!(" ({why})"));
        return format!("no GPU{}", why.unwrap_or_default());
    }
    found.gpus_in_words()
}

/// Whether the name of a GPU holds the words that were asked for. `RTX_4090` and `rtx4090` are `NVIDIA
/// GeForce RTX 4090`, too; `A10` is not `NVIDIA A100`.
pub(in crate::step) fn is_called(gpu: &str, asked: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).collect()
    };
    let asked = words(asked).concat();
    let has = words(gpu);
    (0..has.len()).any(|from| (from + 1..=has.len()).any(|to| has[from..to].concat() == asked))
}

/// Whether a driver's name can be what a vendor calls so: it has the number of the model.
fn is_model(gpu: &str, vendors: &str) -> bool {
    let numbers = |name: &str| -> Vec<String> {
        let numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
        numbers.map(str::to_owned).collect()
    };
    numbers(vendors).first().is_none_or(|model| numbers(gpu).contains(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(name: &str, memory: u64) -> Gpu {
        Gpu { name: name.to_owned(), memory, driver: "550".to_owned(), is_free: true }
    }

    fn found(gpus: Vec<Gpu>) -> Hardware {
        Hardware { gpus, ..Hardware::default() }
    }

    #[test]
    fn what_is_there_is_enough() {
        let host = found(vec![gpu("NVIDIA GeForce RTX 4090", 24_564); 2]);
        let asked = Asked {
            min_gpus: Some(2),
            min_memory_gb: Some(24.0),
            gpu_type: Some("RTX_4090".to_owned()),
            ..Asked::default()
        };
        assert_eq!(asked.unmet(&host, None), [""; 0]);
    }

    #[test]
    fn a_gpu_is_known_by_whole_words() {
        for asked in ["A100", "a100-sxm4", "nvidia a100", "A100 SXM4 40GB", "40GB"] {
            assert!(is_called("NVIDIA A100-SXM4-40GB", asked), "{asked}");
        }
        for asked in ["RTX_4090", "rtx4090", "4090", "GeForce RTX 4090"] {
            assert!(is_called("NVIDIA GeForce RTX 4090", asked), "{asked}");
        }
        for (name, asked) in [("NVIDIA A100-SXM4-40GB", "A10"), ("NVIDIA L40S", "L4"), ("NVIDIA A10G", "A10")]
        {
            assert!(!is_called(name, asked), "{name}, {asked}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let host = found(vec![gpu("Tesla T4", 15_360), gpu("NVIDIA A100-SXM4-40GB", 40_960)]);
        let asks = |min_gpus, min_memory_gb, gpu_type: Option<&str>| Asked {
            min_gpus,
            min_memory_gb,
            gpu_type: gpu_type.map(str::to_owned),
            ..Asked::default()
        };
        let all = "1 × Tesla T4 (16.1 GB), 1 × NVIDIA A100-SXM4-40GB (42.9 GB)";
        assert_eq!(asks(Some(8), None, None).unmet(&host, None), [format!("`min_gpus = 8`: it has {all}")]);
        assert_eq!(
            asks(None, Some(80.0), None).unmet(&host, None),
            [format!("`min_memory_gb = 80`: it has {all}")]
        );
        assert_eq!(
            asks(None, None, Some("H100")).unmet(&host, None),
            [format!("`gpu_type = \"H100\"`: it has {all}")]
        );
        assert_eq!(
            asks(Some(2), Some(40.0), None).unmet(&host, None),
            [format!("`min_gpus = 2`: it has {all}, of which 1 are as asked for")]
        );
        let none =
            Hardware { gpu_trouble: Some("nvidia-smi is not installed".to_owned()), ..found(Vec::new()) };
        assert_eq!(
            asks(Some(1), None, None).unmet(&none, None),
            ["`min_gpus = 1`: it has no GPU (nvidia-smi is not installed)"]
        );
    }

    #[test]
    fn a_vendor_has_names_of_its_own_for_gpus() {
        let fits = |driver: &str, vendors: &str, asked: &str| {
            let asked = Asked { gpu_type: Some(asked.to_owned()), ..Asked::default() };
            asked.unmet(&found(vec![gpu(driver, 81_559)]), Some(vendors)).is_empty()
        };
        assert!(fits("NVIDIA H100 80GB HBM3", "H100 SXM", "H100_SXM"));
        assert!(fits("NVIDIA GeForce RTX 4080 SUPER", "RTX 4080S", "RTX_4080S"));
        assert!(!fits("NVIDIA A100-SXM4-80GB", "H200 SXM", "H200_SXM"));
        assert!(!fits("NVIDIA H100 80GB HBM3", "H100 SXM", "H200"));
    }
}
