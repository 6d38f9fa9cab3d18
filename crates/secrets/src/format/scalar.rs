//! A scalar that may be a secret, for the mask.

use zeroize::Zeroizing;

/// A text or a number of a structured value; wiped when dropped.
pub struct Scalar {
    /// The key that it stands under; of an item of a list the list's key.
    pub key: String,
    /// Its bytes.
    pub text: Zeroizing<Vec<u8>>,
    /// Whether it is an item of a list, and so has no name of its own.
    pub is_item: bool,
}

/// Numbers of fewer digits are ports, sizes and counts.
pub const DIGITS: usize = 6;

/// The key that says what a member is: of a map of secrets that of the map, as in
/// `{"passwords": {"database": …}}`.
pub(super) fn telling_key<'k>(above: &'k str, own: &'k str) -> &'k str {
    let above_it = above.to_ascii_lowercase();
    let is_map = ["passwords", "secrets", "tokens", "keys"].iter().any(|end| above_it.ends_with(end));
    if is_map { above } else { own }
}

impl Scalar {
    pub(super) fn new(key: &str, text: &[u8], is_item: bool) -> Self {
        Self { key: key.to_owned(), text: Zeroizing::new(text.to_vec()), is_item }
    }

    /// The same of a number; none where it is too short to be a secret.
    pub(super) fn of_number(key: &str, written: &str, is_item: bool) -> Option<Self> {
        let digits = written.bytes().filter(u8::is_ascii_digit).count();
        (digits >= DIGITS).then(|| Self::new(key, written.as_bytes(), is_item))
    }
}
