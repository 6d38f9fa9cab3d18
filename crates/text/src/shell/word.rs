//! A word of a list, as far as it was read.

use crate::shell::placement::Placements;

/// How a word begins, as long as it is unquoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Empty,
    Name,
    Subscript,
    Other,
}

/// The longest word that means anything here is `function`.
const LONGEST: usize = 12;

#[derive(Debug)]
pub(super) struct Word {
    /// Whether it has begun.
    pub(super) begun: bool,
    /// The index of its first value.
    pub(super) first_value: usize,
    /// The index of the first value after its first `=`.
    pub(super) after_equals: Option<usize>,
    literal: Vec<u8>,
    /// It is its `literal`: no quotes, no expansions, not too long.
    is_literal: bool,
    shape: Shape,
}

impl Word {
    pub(super) fn new() -> Self {
        Self {
            begun: false,
            first_value: 0,
            after_equals: None,
            literal: Vec::new(),
            is_literal: true,
            shape: Shape::Empty,
        }
    }

    fn begin(&mut self, placed: &Placements) {
        if !self.begun {
            *self = Self { begun: true, first_value: placed.len(), ..Self::new() };
        }
    }

    /// An unquoted byte of it. In an array a subscript can stand without a name.
    pub(super) fn push(&mut self, byte: u8, in_array: bool, placed: &Placements) {
        self.begin(placed);
        if self.literal.len() < LONGEST {
            self.literal.push(byte);
        } else {
            self.is_literal = false;
        }
        if byte == b'=' && self.after_equals.is_none() && self.shape != Shape::Subscript {
            self.after_equals = Some(placed.len());
        }
        let may_be_in_name = byte == b'_' || byte.is_ascii_alphanumeric();
        self.shape = match self.shape {
            Shape::Empty if byte == b'[' && in_array => Shape::Subscript,
            Shape::Empty if may_be_in_name && !byte.is_ascii_digit() => Shape::Name,
            Shape::Name if may_be_in_name => Shape::Name,
            Shape::Name if byte == b'[' => Shape::Subscript,
            Shape::Subscript if byte != b']' => Shape::Subscript,
            _ => Shape::Other,
        };
    }

    /// Something in it that is quoted or expanded.
    pub(super) fn push_opaque(&mut self, placed: &Placements) {
        self.begin(placed);
        self.is_literal = false;
        if self.shape != Shape::Subscript {
            self.shape = Shape::Other;
        }
    }

    /// Its text; empty if it is anything but a short plain word.
    pub(super) fn literal(&self) -> &[u8] {
        if self.begun && self.is_literal { &self.literal } else { b"" }
    }

    /// Whether a value here would be (part of) a subscript.
    pub(super) fn in_subscript(&self) -> bool {
        self.begun && self.shape == Shape::Subscript
    }
}
