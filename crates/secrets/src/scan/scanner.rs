//! What is looked for.

use crate::SecretValue;
use crate::scan::finding::What;
use crate::scan::needles::Needles;
use crate::scan::needles::Skipped;
use crate::scan::shapes::Shapes;

/// What is looked for.
pub struct Scanner {
    pub(super) needles: Needles,
    pub(super) shapes: Option<Shapes>,
    pub(super) keeps_text: bool,
}

impl Scanner {
    /// Looks for values by name, and for token shapes if `shapes` says so. Reports which values are
    /// not searched for.
    pub fn new(values: &[(String, SecretValue)], shapes: bool) -> (Self, Vec<Skipped>) {
        let (needles, skipped) = Needles::new(values);
        (Self { needles, shapes: shapes.then(Shapes::new), keeps_text: false }, skipped)
    }

    /// The same, with the bytes that were found in each [`Hit`](crate::scan::Hit).
    #[must_use]
    pub fn keeping_text(mut self) -> Self {
        self.keeps_text = true;
        self
    }

    /// How many values are looked for.
    pub fn values(&self) -> usize {
        self.needles.count()
    }

    /// What a hit is of: the name of a secret, or the kind of a token.
    pub fn name(&self, what: What) -> &str {
        match what {
            What::Value(secret, _) => self.needles.name(secret),
            What::Shape(id) => id,
        }
    }
}
