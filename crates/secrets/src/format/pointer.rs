//! The way to a member, and why there is none to give.

use std::borrow::Cow;

/// Why a format gives no member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoMember {
    /// The text has another format.
    Format,
    /// It has this format, and the member is none that can be given.
    Member(String),
}

impl NoMember {
    /// The member has no bytes of its own.
    pub(super) fn no_text() -> Self {
        Self::Member("this property is a table or a list: name a member of it".to_owned())
    }

    /// A key on the way is there more than once.
    pub(super) fn twice() -> Self {
        Self::Member("this property occurs twice, and it is not clear which is meant".to_owned())
    }
}

/// The keys on the way down; never empty.
pub(super) fn keys(property: &str) -> Vec<Cow<'_, str>> {
    match property.strip_prefix('/') {
        None => vec![Cow::Borrowed(property)],
        Some(pointer) => pointer
            .split('/')
            .map(|key| {
                if key.contains('~') {
                    Cow::Owned(key.replace("~1", "/").replace("~0", "~"))
                } else {
                    Cow::Borrowed(key)
                }
            })
            .collect(),
    }
}

/// The index in a list that a key of a pointer names: digits, and none before them that could be
/// left out (RFC 6901, section 4).
pub(super) fn index(key: &str) -> Option<usize> {
    key.parse().ok().filter(|at: &usize| at.to_string() == key)
}
