//! What was looked at, and how it is.

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Ok,
    Warning,
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// A stable name for machines.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    /// What to do about it, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Self { id, severity: Severity::Ok, message: message.into(), fix: None }
    }

    pub(super) fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, severity: Severity::Warning, message: message.into(), fix: Some(fix.into()) }
    }

    pub(super) fn error(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, severity: Severity::Error, message: message.into(), fix: Some(fix.into()) }
    }
}
