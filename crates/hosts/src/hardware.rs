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
  nvidia-smi --query-gpu=uuid,memory.used --format=csv,noheader,nounits 2>/dev/null | sed 's/^/used=/'
  nvidia-smi --query-compute-apps=gpu_uuid --format=csv,noheader 2>/dev/null | sed 's/^/busy=/'
  nvidia-smi 2>/dev/null | sed -n 's/.*CUDA[A-Za-z ]*Version *: *\([0-9][0-9.]*\).*/cuda=\1/p'
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
    /// The newest CUDA that the driver runs, as in `12.4`.
    pub cuda: Option<String>,
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
    /// Whether no process computes on it and next to none of its memory is taken.
    pub is_free: bool,
}

/// What a driver and a display take of a GPU that nobody uses, in MiB.
const TAKEN_BY_NOBODY: u64 = 1024;

impl Gpu {
    /// Its memory in units of 10⁹ bytes, as it is sold.
    pub fn gigabytes(&self) -> f64 {
        let mebibytes = u32::try_from(self.memory).unwrap_or(u32::MAX);
        f64::from(mebibytes) * 1.048_576 / 1000.0
    }
}

impl Hardware {
    /// The GPUs in words, those that are alike together: `2 × NVIDIA A100-SXM4-40GB (42.9 GB)`; empty if
    /// there is none.
    pub fn gpus_in_words(&self) -> String {
        let mut kinds: Vec<(&Gpu, usize)> = Vec::new();
        for gpu in &self.gpus {
            match kinds.iter_mut().find(|(known, _)| known.name == gpu.name && known.memory == gpu.memory) {
                Some((_, count)) => *count += 1,
                None => kinds.push((gpu, 1)),
            }
        }
        let words =
            kinds.iter().map(|(gpu, count)| format!("{count} × {} ({:.1} GB)", gpu.name, gpu.gigabytes()));
        words.collect::<Vec<_>>().join(", ")
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
    let (mut used, mut busy) = (Vec::new(), Vec::new());
    for (name, value) in lines.lines().filter_map(|line| line.split_once('=')) {
        match name {
            "gpu" => found.gpus.extend(gpu(value)),
            "used" => used.extend(value.split_once(',')),
            "busy" => busy.push(value.trim()),
            "cuda" => found.cuda = Some(value.trim().to_owned()),
            "gpu-trouble" => found.gpu_trouble = Some(value.trim().to_owned()),
            "disk" => found.free_disk = value.trim().parse().ok(),
            "memory" => found.memory = value.trim().parse().ok(),
            _ => {}
        }
    }
    for (gpu, (id, mebibytes)) in found.gpus.iter_mut().zip(used) {
        // A GPU that does not report its memory is judged by its processes.
        let mebibytes: u64 = mebibytes.trim().parse().unwrap_or_default();
        gpu.is_free = mebibytes <= TAKEN_BY_NOBODY && !busy.contains(&id.trim());
    }
    Some(found)
}

/// `MEBIBYTES, DRIVER, NAME`.
fn gpu(line: &str) -> Option<Gpu> {
    let mut fields = line.splitn(3, ',').map(str::trim);
    let memory = fields.next()?.parse().ok()?;
    let driver = fields.next()?.to_owned();
    Some(Gpu { name: fields.next()?.to_owned(), memory, driver, is_free: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_is_read_behind_its_noise() {
        let said = "Welcome!\ngpu=1, 2, fake\ndoppio-hardware-begins\n\
                    gpu=81559, 550.54, NVIDIA H100 80GB HBM3\ngpu=24564, 550.54, NVIDIA GeForce RTX 4090\n\
                    used=GPU-a, 17\nused=GPU-b, 17\nbusy=GPU-b\ncuda=12.4\ndisk=1024\nmemory=2048\n";
        let found = parse(said).expect("it is whole");
        assert_eq!(found.gpus.len(), 2);
        assert_eq!(found.gpus[1].name, "NVIDIA GeForce RTX 4090");
        assert!((found.gpus[0].gigabytes() - 85.52).abs() < 0.01);
        assert_eq!((found.gpus[0].is_free, found.gpus[1].is_free), (true, false));
        assert_eq!(found.cuda.as_deref(), Some("12.4"));
        assert_eq!((found.free_disk, found.memory, found.gpu_trouble), (Some(1024), Some(2048), None));
        let found = parse("doppio-hardware-begins\ngpu-trouble=has failed \ndisk=\n").expect("it is whole");
        assert_eq!(found.gpu_trouble.as_deref(), Some("has failed"));
        assert_eq!((found.gpus.len(), found.free_disk), (0, None));
        assert_eq!(parse("no shell for you\n"), None);
    }

    #[test]
    fn a_gpu_whose_memory_is_taken_is_not_free() {
        let said = |used: &str| format!("doppio-hardware-begins\ngpu=24564, 550.54, A\nused=GPU-a, {used}\n");
        let is_free = |used: &str| parse(&said(used)).expect("it is whole").gpus[0].is_free;
        assert_eq!(["3", "1024", "[N/A]", "1025"].map(is_free), [true, true, true, false]);
    }
}
