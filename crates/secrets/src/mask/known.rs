//! What the mask knows at one moment; replaced as a whole when more was registered.

use std::sync::Arc;

use crate::mask::MaskStyle;
use crate::mask::table::Table;

/// The patterns of all secrets, ready to be searched for.
#[derive(Default)]
pub(super) struct Known {
    pub(super) version: u64,
    pub(super) style: MaskStyle,
    pub(super) names: Vec<Arc<str>>,
    /// Patterns of values from eight bytes on, those of shorter ones, and those without breaks,
    /// for the second view.
    pub(super) long: Option<Table>,
    pub(super) words: Option<Table>,
    pub(super) across: Option<Table>,
}

impl Known {
    /// Raised with each change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn name(&self, secret: u32) -> &str {
        &self.names[secret as usize]
    }

    /// What stands for a secret.
    pub(super) fn replacement(&self, secret: u32) -> String {
        match self.style {
            MaskStyle::Stars => "***".to_owned(),
            MaskStyle::Names => format!("‹{}›", self.name(secret)),
        }
    }

    /// Patterns of values from eight bytes on.
    pub(super) fn long(&self) -> Option<&Table> {
        self.long.as_ref()
    }

    /// Patterns of shorter values.
    pub(super) fn words(&self) -> Option<&Table> {
        self.words.as_ref()
    }

    /// Patterns without breaks, for the second view.
    pub(super) fn across(&self) -> Option<&Table> {
        self.across.as_ref()
    }
}

/// A value that is broken up is found if it is spread over no more than this. In bytes.
pub(super) const SPREAD: u64 = 8 * 1024;
