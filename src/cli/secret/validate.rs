//! Whether a value may be stored, and what looks wrong about it.

use doppio_secrets::Fitness;
use doppio_secrets::ForeignForm;
use doppio_secrets::SecretValue;
use doppio_secrets::foreign_form;
use doppio_secrets::is_dummy;
use doppio_secrets::is_open_template;
use doppio_secrets::vendor;
use doppio_text::name::SecretName;

use crate::cli::error::CliError;

/// Why a value can't be stored, without revealing it, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit {
    /// What the value does, as in "is empty".
    pub why: &'static str,
    /// What to do, where there is something.
    pub hint: Option<&'static str>,
    /// Whether there is no value, so that nothing is lost without it.
    pub is_nothing: bool,
}

impl Unfit {
    /// In one line, for a list.
    pub(super) fn told(self) -> String {
        let hint = self.hint.filter(|hint| !hint.starts_with("https://"));
        let hint = hint.map(|hint| format!(": {hint}")).unwrap_or_default();
        format!("the value {}{hint}", self.why)
    }
}

/// What is wrong with a value, if something is.
pub(super) fn unfit(name: &SecretName, value: &SecretValue) -> Option<Unfit> {
    let unfit = |why, hint| Some(Unfit { why, hint, is_nothing: false });
    let nothing = |why, hint| Some(Unfit { why, hint, is_nothing: true });
    if let Some(form) = foreign(value) {
        return unfit(form.is, Some(form.hint));
    }
    match value.fitness() {
        Fitness::Empty => nothing("is empty", None),
        _ if is_open_template(value) => {
            nothing("is only a placeholder", vendor::known(name).map(|known| known.get))
        }
        _ if is_dummy(value) => unfit("is only a placeholder", vendor::known(name).map(|known| known.get)),
        Fitness::Fit => None,
        Fitness::TooLong => unfit("is too long to be masked", Some("split it: 256 KiB is the limit")),
        Fitness::TooShort if vendor::is_public(name.as_str()) => None,
        Fitness::TooShort => unfit("is too short to be masked", Some("use a value of at least 4 bytes")),
        Fitness::Nul => {
            unfit("holds a NUL byte, which no environment variable can carry", Some("store it as base64"))
        }
    }
}

/// What a value is, where it only stands for one elsewhere.
#[expect(clippy::disallowed_methods, reason = "its beginning says whether it is a value")]
fn foreign(value: &SecretValue) -> Option<ForeignForm> {
    value.reveal(foreign_form)
}

/// Refuses a value that can't be stored.
pub(super) fn refuse(name: &SecretName, value: &SecretValue) -> Result<(), CliError> {
    let Some(Unfit { why, hint, .. }) = unfit(name, value) else { return Ok(()) };
    let fault = CliError::usage(format!("`{name}` was not stored: the value {why}"));
    Err(match hint {
        Some(page) if page.starts_with("https://") => fault.hint(format!("get one at {page}")),
        Some(hint) => fault.hint(hint),
        None => fault,
    })
}

/// What looks wrong about a value that can be stored.
pub(super) fn warnings(name: &SecretName, value: &SecretValue) -> Vec<String> {
    let known = vendor::known(name);
    let mut warnings = Vec::new();
    match (known, vendor::recognise(value)) {
        (known, Some(other)) if known.is_none_or(|known| known.name != other.name) => {
            warnings.push(format!(
                "the value looks like {}; its usual name is `{}`",
                other.one(),
                other.name
            ));
        }
        (Some(known), _) if !known.matches(value) => {
            warnings.push(format!("the value does not look like {}: expected {}", known.one(), known.looks));
        }
        _ => {}
    }
    if value.has_outer_space() {
        warnings.push("the value begins or ends with white space".to_owned());
    }
    warnings
}
