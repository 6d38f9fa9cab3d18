//! What `[target]` asks of a run's host, and whether it has it.

use doppio_hosts::Gpu;
use doppio_hosts::Hardware;
use doppio_hosts::Host;
use doppio_hosts::Pool;
use doppio_hosts::hardware;
use doppio_text::name::HostId;

use crate::cli::error::CliError;
use crate::cli::output;
use crate::plan::Plan;
use crate::recipe::Target;

/// Refuses a run whose target has less than the recipe asks for.
pub(super) async fn check(plan: &Plan, pool: &Pool) -> Result<(), CliError> {
    let (asked, Some(id)) = (plan.asks(), plan.target()) else { return Ok(()) };
    if !asked.is_about_hardware() {
        return Ok(());
    }
    let host = match pool.host(id).await {
        Ok(host) => host,
        // A step of the run waits for it, or starts it.
        Err(error) if plan.steps().iter().any(|step| step.kind == "wait_condition") => {
            output::line(&format!(
                "warning: `[target]` was not checked, for `{id}` can't be reached yet: {}",
                error.message
            ));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    judge(id, asked, &seen(&host).await?)
}

async fn seen(host: &Host) -> Result<Hardware, CliError> {
    hardware(host).await.map_err(CliError::from)
}

fn judge(id: &HostId, asked: &Target, found: &Hardware) -> Result<(), CliError> {
    let unmet = unmet(asked, found);
    if unmet.is_empty() {
        return Ok(());
    }
    let mut error =
        CliError::world(format!("`{id}` does not have what `[target]` asks for; nothing has run"));
    error.causes = unmet;
    Err(error.hint("run it on another host with `--host HOST`, or change `[target]` in the recipe"))
}

/// What is asked for and is not there.
fn unmet(asked: &Target, found: &Hardware) -> Vec<String> {
    let mut unmet = Vec::new();
    let mut fit: Vec<&Gpu> = found.gpus.iter().collect();
    let all = described(&fit, found);
    if let Some(name) = &asked.gpu_type {
        fit.retain(|gpu| is_called(&gpu.name, name));
        if fit.is_empty() {
            return vec![format!("`gpu_type = \"{name}\"`: it has {all}")];
        }
    }
    if let Some(least) = asked.min_memory_gb {
        fit.retain(|gpu| gpu.gigabytes() >= least);
        if fit.is_empty() {
            return vec![format!("`min_memory_gb = {least}`: it has {all}")];
        }
    }
    let least = asked.min_gpus.unwrap_or(1);
    if (fit.len() as u64) < least {
        let what = if fit.len() == found.gpus.len() {
            all
        } else {
            format!("{all}, of which {} are as asked for", fit.len())
        };
        unmet.push(format!("`min_gpus = {least}`: it has {what}"));
    }
    unmet
}

/// The GPUs in words: `2 × NVIDIA A100 (42.9 GB)`, or why there is none.
fn described(gpus: &[&Gpu], found: &Hardware) -> String {
    if gpus.is_empty() {
        let why = found.gpu_trouble.as_ref().map(|why| format!(" ({why})"));
        return format!("no GPU{}", why.unwrap_or_default());
    }
    crate::cli::hardware::gpus(&found.gpus)
}

/// Whether the name of a GPU holds the words that were asked for. `RTX_4090` and `rtx4090` are `NVIDIA
/// GeForce RTX 4090`, too; `A10` is not `NVIDIA A100`.
fn is_called(gpu: &str, asked: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).collect()
    };
    let asked = words(asked).concat();
    let has = words(gpu);
    (0..has.len()).any(|from| (from + 1..=has.len()).any(|to| has[from..to].concat() == asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(name: &str, memory: u64) -> Gpu {
        Gpu { name: name.to_owned(), memory, driver: "550".to_owned() }
    }

    fn found(gpus: Vec<Gpu>) -> Hardware {
        Hardware { gpus, ..Hardware::default() }
    }

    #[test]
    fn what_is_there_is_enough() {
        let host = found(vec![gpu("NVIDIA GeForce RTX 4090", 24_564); 2]);
        let asked = Target {
            min_gpus: Some(2),
            min_memory_gb: Some(24.0),
            gpu_type: Some("RTX_4090".to_owned()),
            ..Target::default()
        };
        assert_eq!(unmet(&asked, &host), [""; 0]);
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
        let asks = |min_gpus, min_memory_gb, gpu_type: Option<&str>| Target {
            min_gpus,
            min_memory_gb,
            gpu_type: gpu_type.map(str::to_owned),
            ..Target::default()
        };
        let all = "1 × Tesla T4 (16.1 GB), 1 × NVIDIA A100-SXM4-40GB (42.9 GB)";
        assert_eq!(unmet(&asks(Some(8), None, None), &host), [format!("`min_gpus = 8`: it has {all}")]);
        assert_eq!(
            unmet(&asks(None, Some(80.0), None), &host),
            [format!("`min_memory_gb = 80`: it has {all}")]
        );
        assert_eq!(
            unmet(&asks(None, None, Some("H100")), &host),
            [format!("`gpu_type = \"H100\"`: it has {all}")]
        );
        assert_eq!(
            unmet(&asks(Some(2), Some(40.0), None), &host),
            [format!("`min_gpus = 2`: it has {all}, of which 1 are as asked for")]
        );
        let none =
            Hardware { gpu_trouble: Some("nvidia-smi is not installed".to_owned()), ..found(Vec::new()) };
        assert_eq!(
            unmet(&asks(Some(1), None, None), &none),
            ["`min_gpus = 1`: it has no GPU (nvidia-smi is not installed)"]
        );
    }
}
