//! The forms of one value side by side: locked in memory with one call, wiped together.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::locked;

/// Bytes of many forms.
pub(super) struct Arena(Zeroizing<Box<[u8]>>);

impl Arena {
    /// Copies all parts into one place, which is kept out of swap as far as the system allows, and says
    /// where each is.
    pub(super) fn of<'a>(parts: impl Iterator<Item = &'a [u8]> + Clone) -> (Self, Vec<Range<usize>>) {
        let mut bytes = Zeroizing::new(vec![0; parts.clone().map(<[u8]>::len).sum()].into_boxed_slice());
        locked::lock(&bytes);
        let mut at = 0;
        let places = parts.map(|part| {
            let place = at..at + part.len();
            bytes[place.clone()].copy_from_slice(part);
            at = place.end;
            place
        });
        let places = places.collect();
        (Self(bytes), places)
    }

    pub(super) fn part(&self, place: &Range<usize>) -> &[u8] {
        &self.0[place.clone()]
    }
}

#[cfg(test)]
mod tests {
    use crate::Mask;
    use crate::SecretValue;
    use crate::locked::tests::locked;

    // case L14
    #[test]
    #[cfg(target_os = "linux")]
    fn the_masks_copies_are_locked_by_the_kernels_own_account() {
        let value = SecretValue::new((0..40_000_u32).map(|at| b'a' + at.to_le_bytes()[0] % 26).collect());
        let before = locked();
        let mask = Mask::default();
        mask.register("a/b", &value).unwrap();
        let forms = 10 * 40;
        assert!(locked() >= before + forms, "{before} kB, then {} kB", locked());
        drop(mask);
    }
}
