//! What a vendor's row says of one secret.

use crate::SecretValue;
use crate::vendor::token::Token;
use crate::vendor::token::whole;

/// One secret of a vendor.
#[derive(Debug)]
pub struct Key {
    /// The name to store it under.
    pub name: &'static str,
    /// The variables that the vendor reads it from, in the vendor's order.
    pub read: &'static [&'static str],
    /// Variables in which people keep it though the vendor does not read them: a lookup, an import and
    /// the scan take them for it, and the far side gets the vendor's own.
    pub also: &'static [&'static str],
    /// What the far side gets.
    pub sent: Sent,
    /// Whether the others of its set are of no use without it.
    pub needed: bool,
    /// Whether it is not a secret by itself, as a user's name: it is not masked, and may be short.
    pub is_public: bool,
    /// What it is; empty for one that is not well known, which has no usual name.
    pub summary: &'static str,
    /// Where to get one: a page, or what to do.
    pub get: &'static str,
    /// Where to revoke one, if that is elsewhere.
    pub(super) revoke: &'static str,
    /// What it looks like, in words; empty if anything goes.
    pub looks: &'static str,
    /// The kinds of tokens that it may be.
    pub(super) tokens: &'static [Token],
    /// What it may be besides: a regular expression over the whole value.
    pub(super) or: &'static str,
    /// Who says whether one works.
    pub ping: Option<Ping>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

/// How a secret is handed over on the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// In the environment of the step, under each of these names.
    As(&'static [&'static str]),
    /// As a private file that is removed when the step ends.
    File(&'static FileForm),
}

/// A private file, and the variable that says where it is.
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

/// Which server to ask whether a secret works, and how.
#[derive(Debug)]
pub struct Ping {
    /// What messages call the vendor.
    pub vendor: &'static str,
    /// The variable by which the vendor's own tools are told another server.
    pub elsewhere: &'static str,
    /// What that variable names where it changes nothing.
    pub host: &'static str,
    /// Scheme and host.
    pub base: &'static str,
    /// What to ask for.
    pub path: &'static str,
    /// How the value is handed over.
    pub login: Login,
}

/// How a value is handed over to the server that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// `Authorization: Bearer`.
    Bearer,
    /// Anthropic's own header.
    XApiKey,
    /// `Authorization: Basic`, user `api`, with a GraphQL question whose answer names the user.
    Viewer,
}

impl FileForm {
    /// A file whose path alone is in the variable.
    pub(super) const fn path(variable: &'static str, file: &'static str) -> Self {
        Self { variable, file, before: "", after: "", names_folder: false }
    }
}

impl Key {
    /// A needed secret that is read from these variables, and handed over in the same.
    pub(super) const fn variables(name: &'static str, read: &'static [&'static str]) -> Self {
        Self {
            name,
            read,
            also: &[],
            sent: Sent::As(read),
            needed: true,
            is_public: false,
            summary: "",
            get: "",
            revoke: "",
            looks: "",
            tokens: &[],
            or: "",
            ping: None,
        }
    }

    /// A needed secret that is handed over as a file.
    pub(super) const fn file(name: &'static str, form: &'static FileForm) -> Self {
        Self { sent: Sent::File(form), ..Self::variables(name, &[]) }
    }

    /// All variables that it may be in: the vendor's own, then those that people use besides.
    pub fn variables_of(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.read.iter().chain(self.also).copied()
    }

    /// The variables in which it is handed over.
    pub fn sent_as(&self) -> &'static [&'static str] {
        match self.sent {
            Sent::As(variables) => variables,
            Sent::File(_) => &[],
        }
    }

    /// Whether it has a usual name and is listed.
    pub(super) fn is_well_known(&self) -> bool {
        !self.summary.is_empty()
    }

    /// What one of it is called, as in "an AWS access key id".
    pub fn one(&self) -> String {
        let what = self.summary.split(';').next().unwrap_or_default();
        let article = if what.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {what}")
    }

    /// Where to revoke one: nearly always where one is created.
    pub fn revoke(&self) -> &'static str {
        if self.revoke.is_empty() { self.get } else { self.revoke }
    }

    /// Whether the value looks as it should.
    pub fn matches(&self, value: &SecretValue) -> bool {
        self.looks.is_empty() || self.is(value.plain())
    }

    /// Whether a value is of a kind that only this secret has.
    pub(super) fn is(&self, value: &[u8]) -> bool {
        let is_other = || !self.or.is_empty() && whole(self.or).is_match(value);
        self.tokens.iter().any(|token| token.is(value)) || is_other()
    }
}
