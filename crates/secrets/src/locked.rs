//! Keeping values out of swap and hibernation images, as far as the system allows.

/// Locks the pages that these bytes are in (`mlock(2)`), until the process ends or they are given
/// back to the system: other values may be in the same pages, and locks are not counted. Whether
/// that was allowed; where the limit of `ulimit -l` is reached it is not, and the value is used
/// anyway.
pub(crate) fn lock(bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let guard = region::lock(bytes.as_ptr(), bytes.len());
    guard.map(std::mem::forget).is_ok()
}

/// Whether values are kept out of swap on this machine, tried with one.
pub fn is_memory_locked() -> bool {
    lock(&[0; 64])
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use crate::SecretValue;

    /// What the kernel says of this process, in kB.
    #[cfg(target_os = "linux")]
    pub(crate) fn locked() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_value_is_locked_by_the_kernels_own_account() {
        let values: Vec<SecretValue> = (0..16).map(|byte| SecretValue::new(vec![byte; 4096])).collect();
        assert!(super::is_memory_locked(), "`ulimit -l` allows none");
        assert!(locked() >= 16 * 4, "{} kB", locked());
        drop(values);
    }
}
