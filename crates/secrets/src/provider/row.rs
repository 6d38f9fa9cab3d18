//! What a row of the table says of one secret.

/// One secret of a provider.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The name to store it under.
    pub name: &'static str,
    /// The variables that the vendor reads it from, in the vendor's order.
    pub read: &'static [&'static str],
    /// What the far side gets.
    pub sent: Sent,
    /// Whether the others of its set are of no use without it.
    pub needed: bool,
    /// Whether it is not a secret by itself, as a user's name: it is not masked, and may be short.
    pub is_public: bool,
}

/// How a secret is handed over on the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// In the environment of the step, under each of these names.
    As(&'static [&'static str]),
    /// As a file in memory that is removed when the step ends.
    File(&'static FileForm),
}

/// A file in memory, and the variable that says where it is.
#[derive(Debug, PartialEq, Eq)]
pub struct FileForm {
    /// The variable.
    pub variable: &'static str,
    /// What the file is called in its folder.
    pub file: &'static str,
    /// What stands before the path in the variable.
    pub before: &'static str,
    /// What stands behind it.
    pub after: &'static str,
    /// The variable has the folder of the file, not the file.
    pub names_folder: bool,
}

impl FileForm {
    /// A file whose path alone is in the variable.
    pub(super) const fn path(variable: &'static str, file: &'static str) -> Self {
        Self { variable, file, before: "", after: "", names_folder: false }
    }
}

impl Key {
    /// A needed secret that is read from and handed over in variables.
    pub(super) const fn variables(
        name: &'static str,
        read: &'static [&'static str],
        sent: &'static [&'static str],
    ) -> Self {
        Self { name, read, sent: Sent::As(sent), needed: true, is_public: false }
    }

    /// A needed secret that is handed over as a file.
    pub(super) const fn file(name: &'static str, form: &'static FileForm) -> Self {
        Self { name, read: &[], sent: Sent::File(form), needed: true, is_public: false }
    }

    /// The same, no secret.
    pub(super) const fn public(self) -> Self {
        Self { is_public: true, ..self }
    }

    /// The same, not needed.
    pub(super) const fn if_there(self) -> Self {
        Self { needed: false, ..self }
    }
}
