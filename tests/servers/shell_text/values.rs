//! Values that try to be more than values.

/// Each would make a file if a shell read it as code, and most would be split or globbed.
pub(super) const HOSTILE: [&[u8]; 22] = [
    b"$(touch F)",
    b"`touch F`",
    b";touch F;",
    b"\ntouch F\n",
    b"|touch F",
    b"&& touch F #",
    b"a[$(touch F)]",
    b"';touch F;'",
    b"\";touch F;\"",
    b"\"$(touch F)\"",
    b"'\"$(touch F)\"'",
    b"}$(touch F)",
    b")`touch F`",
    b"\\\"; touch F; \\",
    b"*  ? [a-z]*\t~ \n",
    b"-n -e --",
    b"!touch F",
    b"E\nEOF\n$(touch F)\n",
    b"#touch F",
    b"\xff\xfe'\xc3(\x80\"",
    b"\x01\x7f\x1b[0m&\\",
    b"",
];

/// A seeded generator (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits fit") % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(super) fn value(&mut self) -> Vec<u8> {
        if self.below(3) > 0 {
            return self.pick(&HOSTILE).to_vec();
        }
        let special = b"'\"$`\\\n*?[]{}()<>|&;#!~-= \t\xff\xc3\x80E%";
        let length = self.below(24);
        let byte = |dice: &mut Self| match dice.below(3) {
            0 => u8::try_from(1 + dice.below(255)).expect("at most 255"),
            1 => b'a' + u8::try_from(dice.below(26)).expect("at most 25"),
            _ => dice.pick(special),
        };
        (0..length).map(|_| byte(self)).collect()
    }
}
