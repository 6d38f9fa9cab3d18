//! Hardware in words.

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
