//! `when`: an expression that says whether a step runs.

use crate::step::Values;

/// A checked expression.
#[derive(Debug, Clone)]
pub struct When {}

impl When {
    /// Whether the step runs.
    ///
    /// # Errors
    ///
    /// What the evaluation ran into, in words.
    pub fn holds(&self, values: &Values) -> Result<bool, String> {
        let _ = values;
        unimplemented!("SKELETON")
    }
}
