//! What stands for a secret.

/// What stands for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaskStyle {
    /// `***`
    #[default]
    Stars,
    /// `‹name›`
    Names,
}
