//! Numbers for the first bytes of patterns, and of texts where they may begin.

/// What is read at once. In bytes.
pub(super) const BLOCK: usize = 4;

/// Bits of a block's hash: the table of 32 KiB stays in the fastest cache.
pub(super) const HASH: u32 = 15;

/// What is compared at once where many patterns have one kernel. In bytes.
pub(super) const TAIL: usize = 8;

/// How many bytes at the start are the same, up to `most`.
pub(super) fn row(bytes: &[u8], most: usize) -> usize {
    bytes.iter().take(most).take_while(|&&byte| byte == bytes[0]).count()
}

/// The bytes after the kernel as a number that is in the same order.
pub(super) fn tail(bytes: &[u8], window: usize, lower: bool) -> u64 {
    let mut tail = [0; TAIL];
    let rest = &bytes[window..];
    let len = rest.len().min(TAIL);
    tail[..len].copy_from_slice(&rest[..len]);
    if lower {
        tail.make_ascii_lowercase();
    }
    u64::from_be_bytes(tail)
}

/// The hash of a kernel, the same for both cases of a letter.
pub(super) fn kernel_hash(kernel: &[u8], bits: u32) -> usize {
    let half =
        |bytes: Option<&[u8; BLOCK]>| u64::from(u32::from_le_bytes(*bytes.expect("a kernel has a block")));
    let middle = kernel.len() / 2;
    let first = half(kernel.first_chunk()) | half(kernel.last_chunk()) << 32;
    let second = half(kernel[middle.saturating_sub(BLOCK)..].first_chunk())
        | half(kernel[middle..].first_chunk().or(kernel.last_chunk())) << 32;
    let lower = |half: u64| half | 0x2020_2020_2020_2020;
    let mixed = lower(first).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ lower(second).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(32);
    usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)).expect("it has few bits")
}

/// The hash of a block, the same for both cases of a letter.
#[inline]
pub(super) fn hash(block: &[u8]) -> u16 {
    let block = u32::from_le_bytes(block.try_into().expect("a block is four bytes"));
    let mixed = (block | 0x2020_2020).wrapping_mul(0x9e37_79b1);
    (mixed >> (32 - HASH)) as u16
}
