//! Files of the vendors' tools, wherever they are: what is in one is taken by the names under which the
//! vendor's credential is looked up, not by the keys of a format.

use crate::SecretValue;

/// What was found in a file of a vendor's tools.
#[derive(Debug)]
pub struct ToolFile {
    /// What it is, as in "a kaggle.json".
    pub what: String,
    /// Its secrets; none where only the vendor's own order of files can be imported.
    pub secrets: Vec<ToolSecret>,
    /// How to import it, where it has no secrets that stand for themselves.
    pub instead: Option<String>,
    /// Whether nothing else of use is in the file.
    pub is_whole: bool,
}

/// One secret of such a file.
#[derive(Debug)]
pub struct ToolSecret {
    /// What it is called in the file.
    pub key: String,
    /// The name to store it under; none where nothing says which.
    pub name: Option<String>,
    /// Its value.
    pub value: SecretValue,
    /// Of a login to a machine the password, which is a token where the machine is a vendor's.
    pub(super) password: Option<SecretValue>,
}

impl ToolFile {
    /// One that is nothing but its secrets.
    pub(super) fn of(what: &str, secrets: Vec<ToolSecret>) -> Self {
        Self { what: what.to_owned(), secrets, instead: None, is_whole: true }
    }

    /// One that has more in it than its secrets.
    pub(super) fn with_more(what: &str, secrets: Vec<ToolSecret>) -> Self {
        Self { is_whole: false, ..Self::of(what, secrets) }
    }

    /// One that is imported where the tool keeps it.
    pub(super) fn instead(what: &str, provider: &str) -> Self {
        let how = format!("doppio secret import --provider {provider}");
        Self { instead: Some(how), ..Self::with_more(what, Vec::new()) }
    }
}

impl ToolSecret {
    pub(super) fn new(key: &str, name: &str, value: SecretValue) -> Self {
        Self { key: key.to_owned(), name: Some(name.to_owned()), value, password: None }
    }
}
