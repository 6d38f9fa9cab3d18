//! The door that every secret value of a run comes through: what is in it is known to the mask, or it
//! does not exist. A part that is cut out of one comes through the same door.

use std::ops::Range;
use std::sync::Arc;

use crate::Mask;
use crate::MaskStream;
use crate::SecretValue;
use crate::Unmaskable;

/// A value that is a secret, or a text with secrets in it: the mask knows all of them.
#[derive(Debug, Clone)]
pub struct Registered(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    value: SecretValue,
    secrets: Vec<Held>,
    /// The value is the secret; else it is text with secrets in it, which are all that is secret of it.
    is_secret: bool,
}

/// A secret that a value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// What the mask calls it.
    name: String,
    /// It is not set: the default of its reference is in its place.
    is_default: bool,
}

/// One of the pieces that a value is made of.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// Ordinary text.
    Text(&'a str),
    /// A value with secrets in it.
    Secret(&'a Registered),
}

/// What was cut out of a value.
#[derive(Debug, Clone)]
pub enum Cut {
    /// Text beside the secrets in it.
    Text(Vec<u8>),
    /// A part of what is secret, which the mask knows now too.
    Secret(Registered),
}

impl Registered {
    fn of(value: SecretValue, secrets: Vec<Held>, is_secret: bool) -> Self {
        Self(Arc::new(Inner { value, secrets, is_secret }))
    }

    /// What was fetched as `name`, and registered with that.
    pub(crate) fn fetched(name: String, value: SecretValue, is_default: bool) -> Self {
        Self::of(value, vec![Held { name, is_default }], true)
    }

    /// What was fetched and is not a secret, as a user's name: it goes where secrets may go.
    pub(crate) fn plain(value: SecretValue) -> Self {
        Self::of(value, Vec::new(), false)
    }

    /// Registers a value as `name`.
    ///
    /// # Errors
    ///
    /// When the mask can't take it: it must not be used then.
    pub fn new(mask: &Mask, name: &str, value: SecretValue) -> Result<Self, Unmaskable> {
        mask.register(name, &value)?;
        Ok(Self::fetched(name.to_owned(), value, false))
    }

    /// The end of an output, if secrets were found in what passed its stream or are in what was kept
    /// of it.
    ///
    /// # Errors
    ///
    /// The bytes as they are, where there is none.
    pub fn of_output(mask: &Mask, passed: &MaskStream, kept: Vec<u8>) -> Result<Self, Vec<u8>> {
        let mut names: Vec<String> = passed.hits().into_iter().map(|(name, _)| name).collect();
        for (name, _) in mask.found(&kept) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return Err(kept);
        }
        let secrets = names.into_iter().map(|name| Held { name, is_default: false }).collect();
        Ok(Self::of(SecretValue::new(kept), secrets, false))
    }

    /// One value of several, of which one is secret.
    #[must_use]
    pub fn join(pieces: &[Piece<'_>]) -> Self {
        let mut secrets: Vec<Held> = Vec::new();
        let length = pieces.iter().map(|piece| piece.bytes().len()).sum();
        // A buffer that grows leaves its old bytes behind.
        let mut whole = Vec::with_capacity(length);
        for piece in pieces {
            whole.extend_from_slice(piece.bytes());
            let Piece::Secret(secret) = piece else { continue };
            for held in &secret.0.secrets {
                if !secrets.contains(held) {
                    secrets.push(held.clone());
                }
            }
        }
        Self::of(SecretValue::new(whole), secrets, false)
    }

    /// The bytes, for who looks for something in them or hands them over.
    pub fn value(&self) -> &SecretValue {
        &self.0.value
    }

    /// The names of the secrets in it, and whether all that it holds are defaults in their place. Beside
    /// a secret, a default is text like any other.
    pub fn names(&self) -> (Vec<String>, bool) {
        let is_default = !self.0.secrets.is_empty() && self.0.secrets.iter().all(|held| held.is_default);
        let told = self.0.secrets.iter().filter(|held| is_default || !held.is_default);
        let mut names: Vec<String> = told.map(|held| held.name.clone()).collect();
        names.dedup();
        (names, is_default)
    }

    /// A part of it. Of a secret it is a secret, registered as `name`, and so is what shares bytes with
    /// one; text beside the secrets is text.
    ///
    /// # Errors
    ///
    /// When it is secret and the mask can't take it: it must not be used then.
    pub fn cut(&self, mask: &Mask, name: &str, part: Range<usize>) -> Result<Cut, Unmaskable> {
        let bytes = self.0.value.plain();
        let found = &bytes[part.clone()];
        if found.is_empty() || !self.0.is_secret && is_beside(mask, bytes, part) {
            return Ok(Cut::Text(found.to_vec()));
        }
        Self::new(mask, name, SecretValue::new(found.to_vec())).map(Cut::Secret)
    }
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Secret(secret) => secret.0.value.plain(),
        }
    }
}

/// A character of no language, and of no program's output.
const STRANGE: char = '\u{f8f0}';

/// Whether no secret has a byte in the part: the mask leaves it as it is, and hides the same things
/// whatever stands there.
fn is_beside(mask: &Mask, bytes: &[u8], part: Range<usize>) -> bool {
    let text = |range: Range<usize>| std::str::from_utf8(&bytes[range]).ok();
    let (Some(before), Some(found), Some(after)) =
        (text(0..part.start), text(part.clone()), text(part.end..bytes.len()))
    else {
        return false;
    };
    let filler: String = std::iter::repeat_n(STRANGE, found.len().max(1)).collect();
    let others = SecretValue::new([before.as_bytes(), filler.as_bytes(), after.as_bytes()].concat());
    let masked = |bytes: &[u8]| {
        let mut stream = mask.stream();
        let mut masked = stream.push(bytes);
        masked.push(&stream.finish());
        masked
    };
    let others = masked(others.plain());
    others.as_str().matches(filler.as_str()).count() == 1
        && others.as_str().replacen(filler.as_str(), found, 1) == masked(bytes).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    fn output(mask: &Mask, text: &str) -> Registered {
        let mut stream = mask.stream();
        stream.push(text.as_bytes());
        stream.finish();
        Registered::of_output(mask, &stream, text.as_bytes().to_vec()).expect("a secret is in it")
    }

    // case L1
    #[test]
    fn what_is_cut_out_of_a_secret_is_masked_from_then_on() {
        let mask = Mask::default();
        let login = Registered::new(&mask, "login", secret("user=me token=correct-horse-battery")).unwrap();
        let Ok(Cut::Secret(token)) = login.cut(&mask, "step.login.outputs.t", 14..35) else {
            panic!("not a secret")
        };
        assert_eq!(token.value().plain(), b"correct-horse-battery");
        assert_eq!(mask.text("it is correct-horse-battery").as_str(), "it is ***");
        assert_eq!(token.names(), (vec!["step.login.outputs.t".to_owned()], false));
        assert!(matches!(login.cut(&mask, "t", 5..7), Err(Unmaskable::TooShort { .. })), "it can't be used");
    }

    // case L1
    #[test]
    fn a_part_of_a_known_secret_is_one_and_what_stands_beside_it_is_not() {
        let mask = Mask::default();
        mask.register("team/token", &secret("correct-horse-battery-staple")).unwrap();
        let text = "loss=0.5 correct-horse-battery-staple done";
        let printed = output(&mask, text);
        assert_eq!(printed.names(), (vec!["team/token".to_owned()], false));
        assert!(matches!(printed.cut(&mask, "loss", 5..8), Ok(Cut::Text(text)) if text == b"0.5"));
        assert_eq!(mask.text("loss 0.5").as_str(), "loss 0.5");
        let Ok(Cut::Secret(half)) = printed.cut(&mask, "half", 9..22) else { panic!("not a secret") };
        assert_eq!(half.value().plain(), b"correct-horse");
        assert_eq!(mask.text("correct-horse only").as_str(), "*** only");
        for part in [5..12, 30..42, 0..text.len()] {
            assert!(matches!(printed.cut(&mask, "part", part.clone()), Ok(Cut::Secret(_))), "{part:?}");
        }
    }

    #[test]
    fn an_output_without_a_secret_is_text() {
        let mask = Mask::default();
        let stream = mask.stream();
        assert_eq!(Registered::of_output(&mask, &stream, b"text".to_vec()).unwrap_err(), b"text");
    }

    #[test]
    fn a_value_of_several_tells_the_secrets_in_it() {
        let mask = Mask::default();
        let one = Registered::new(&mask, "a/b", secret("correct-horse")).unwrap();
        let unset = Registered::fetched("c/d".to_owned(), secret("none"), true);
        let both = Registered::join(&[Piece::Secret(&one), Piece::Text(":"), Piece::Secret(&unset)]);
        assert_eq!(both.value().plain(), b"correct-horse:none");
        assert_eq!(both.names(), (vec!["a/b".to_owned()], false));
        assert_eq!(Registered::join(&[Piece::Secret(&unset)]).names(), (vec!["c/d".to_owned()], true));
    }
}
