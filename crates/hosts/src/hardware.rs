//! What a machine has: GPUs, memory, disk.

use std::time::Duration;

use crate::Exec;
use crate::Host;
use crate::HostError;
use crate::Interpreter;
use crate::Output;
use crate::error::seconds;

/// A GPU whose driver hangs lets `nvidia-smi` hang, too.
const DEADLINE: Duration = Duration::from_secs(30);

/// Facts as `NAME=VALUE` lines behind a mark, so that noise of login files is told from them.
const SCRIPT: &str = r#"echo doppio-hardware-begins
PATH=$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin
if gpus=$(nvidia-smi --query-gpu=memory.total,driver_version,name --format=csv,noheader,nounits 2>&1); then
  printf '%s\n' "$gpus" | sed 's/^/gpu=/'
elif command -v nvidia-smi >/dev/null 2>&1; then
  echo "gpu-trouble=$(printf '%s' "$gpus" | tr '\n' ' ')"
else
  echo "gpu-trouble=nvidia-smi is not installed"
fi
echo "disk=$(df -Pk "$HOME" 2>/dev/null | awk 'NR == 2 { print $4 }')"
echo "memory=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo 2>/dev/null)"
"#;

/// What a machine has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardware {
    /// Its GPUs, in the driver's order.
    pub gpus: Vec<Gpu>,
    /// Why no GPU could be seen.
    pub gpu_trouble: Option<String>,
    /// Free on the disk of the home, in KiB.
    pub free_disk: Option<u64>,
    /// Its memory, in KiB.
    pub memory: Option<u64>,
}

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// As in `NVIDIA GeForce RTX 4090`.
    pub name: String,
    /// Its memory, in MiB.
    pub memory: u64,
    /// The driver's version.
    pub driver: String,
}

impl Gpu {
    /// Its memory in units of 10⁹ bytes, as it is sold.
    pub fn gigabytes(&self) -> f64 {
        let mebibytes = u32::try_from(self.memory).unwrap_or(u32::MAX);
        f64::from(mebibytes) * 1.048_576 / 1000.0
    }
}

/// Asks a host, by one short script.
///
/// # Errors
///
/// When the script can't be run there, or does not end.
pub async fn hardware(host: &Host) -> Result<Hardware, HostError> {
    let asked = tokio::time::timeout(DEADLINE, ask(host)).await;
    let said = asked.map_err(|_| {
        HostError::new("the host does not say what hardware it has")
            .cause(format!("no answer within {}", seconds(DEADLINE)))
            .hint("see there whether `nvidia-smi` ends")
    })??;
    parse(&said).ok_or_else(|| {
        HostError::new("the host does not say what hardware it has")
            .cause("scripts do not run correctly there")
            .hint("`doppio doctor --host HOST` examines it")
    })
}

async fn ask(host: &Host) -> Result<String, HostError> {
    let interpreter = Interpreter { shell: "sh".to_owned(), login: false };
    let mut process = host.exec(Exec { interpreter, ..Exec::new(SCRIPT) }).await?;
    let mut said = Vec::new();
    while let Some(output) = process.next().await {
        if let Output::Stdout(bytes) = output {
            said.extend(bytes);
        }
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn parse(said: &str) -> Option<Hardware> {
    let (_, lines) = said.split_once("doppio-hardware-begins\n")?;
    let mut found = Hardware::default();
    for (name, value) in lines.lines().filter_map(|line| line.split_once('=')) {
        match name {
            "gpu" => found.gpus.extend(gpu(value)),
            "gpu-trouble" => found.gpu_trouble = Some(value.trim().to_owned()),
            "disk" => found.free_disk = value.trim().parse().ok(),
            "memory" => found.memory = value.trim().parse().ok(),
            _ => {}
        }
    }
    Some(found)
}

/// `MEBIBYTES, DRIVER, NAME`.
fn gpu(line: &str) -> Option<Gpu> {
    let mut fields = line.splitn(3, ',').map(str::trim);
    let memory = fields.next()?.parse().ok()?;
    let driver = fields.next()?.to_owned();
    Some(Gpu { name: fields.next()?.to_owned(), memory, driver })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_is_read_behind_its_noise() {
        let said = "Welcome!\ngpu=1, 2, fake\ndoppio-hardware-begins\n\
                    gpu=81559, 550.54, NVIDIA H100 80GB HBM3\ngpu=24564, 550.54, NVIDIA GeForce RTX 4090\n\
                    disk=1024\nmemory=2048\n";
        let found = parse(said).expect("it is whole");
        assert_eq!(found.gpus.len(), 2);
        assert_eq!(found.gpus[1].name, "NVIDIA GeForce RTX 4090");
        assert!((found.gpus[0].gigabytes() - 85.52).abs() < 0.01);
        assert_eq!((found.free_disk, found.memory, found.gpu_trouble), (Some(1024), Some(2048), None));
        let found = parse("doppio-hardware-begins\ngpu-trouble=has failed \ndisk=\n").expect("it is whole");
        assert_eq!(found.gpu_trouble.as_deref(), Some("has failed"));
        assert_eq!((found.gpus.len(), found.free_disk), (0, None));
        assert_eq!(parse("no shell for you\n"), None);
    }
}
