//! Hardware in words.

use doppio_hosts::Gpu;

/// GPUs, those that are alike together: `2 × NVIDIA A100-SXM4-40GB (42.9 GB)`.
pub(super) fn gpus(gpus: &[Gpu]) -> String {
    let mut kinds: Vec<(&Gpu, usize)> = Vec::new();
    for gpu in gpus {
        match kinds.iter_mut().find(|(known, _)| known.name == gpu.name && known.memory == gpu.memory) {
            Some((_, count)) => *count += 1,
            None => kinds.push((gpu, 1)),
        }
    }
    let words =
        kinds.iter().map(|(gpu, count)| format!("{count} × {} ({:.1} GB)", gpu.name, gpu.gigabytes()));
    words.collect::<Vec<_>>().join(", ")
}

/// KiB as people say it: `1.5 TB`, `23 GB`, `640 MB`.
pub(super) fn size(kibibytes: u64) -> String {
    let megabytes = kibibytes.saturating_mul(1024) / 1_000_000;
    match megabytes {
        0..1000 => format!("{megabytes} MB"),
        1000..1_000_000 => format!("{} GB", megabytes / 1000),
        _ => format!("{}.{} TB", megabytes / 1_000_000, megabytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!([size(625_000), size(23_000_000), size(1_500_000_000)], ["640 MB", "23 GB", "1.5 TB"]);
    }
}
