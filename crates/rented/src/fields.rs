//! Members of an answer: any may be null, missing or new, and numbers may be texts.

use jiff::Timestamp;
use serde_json::Value;

use doppio_text::brief;

/// The most characters of a text that is kept.
const LONGEST: usize = 500;

/// An object of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    /// A member.
    pub(crate) fn member(self, name: &str) -> Fields<'a> {
        Self(&self.0[name])
    }

    /// The members of a list; none if it is not one.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        self.0[name].as_array().into_iter().flatten().map(Fields)
    }

    /// A text as it stands, however long.
    pub(crate) fn exactly(self, name: &str) -> Option<&'a str> {
        self.0[name].as_str().filter(|text| !text.is_empty())
    }

    /// A text on one line without white space around it; numbers too. None if it is blank.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        let text = match &self.0[name] {
            Value::String(text) => brief(text.trim(), LONGEST),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A finite number, also as a text.
    pub(crate) fn number(self, name: &str) -> Option<f64> {
        let number = match &self.0[name] {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A whole number that is not negative, also as a text.
    pub(crate) fn whole<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        let whole = match &self.0[name] {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it has no fraction and is in the range"
        )]
        let of_float = || {
            let number = self.number(name)?;
            (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
        };
        whole.or_else(of_float).and_then(|whole| T::try_from(whole).ok())
    }

    /// Whether it is true, also as a text or 1.
    pub(crate) fn flag(self, name: &str) -> bool {
        match &self.0[name] {
            Value::Bool(flag) => *flag,
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            value => value.as_u64() == Some(1),
        }
    }

    /// A time as RFC 3339 has it.
    pub(crate) fn date(self, name: &str) -> Option<Timestamp> {
        self.exactly(name)?.parse().ok()
    }

    /// A time in seconds since 1970.
    pub(crate) fn time(self, name: &str) -> Option<Timestamp> {
        #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no time of today")]
        let seconds = self.number(name)? as i64;
        (seconds > 0).then(|| Timestamp::from_second(seconds).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_a_member_is_nothing_breaks() {
        let value =
            json!({ "a": "1.5 ", "b": 2.0, "c": null, "d": [], "e": " x\n", "f": "true", "g": "", "h": -1 });
        let fields = Fields(&value);
        assert_eq!(fields.number("a"), Some(1.5));
        assert_eq!(fields.whole::<u16>("b"), Some(2));
        assert_eq!((fields.number("c"), fields.number("d"), fields.whole::<u16>("h")), (None, None, None));
        assert_eq!(fields.text("e").as_deref(), Some("x"));
        assert_eq!((fields.text("g"), fields.text("none")), (None, None));
        assert!(fields.flag("f") && !fields.flag("c"));
        assert_eq!(Fields(&Value::Null).member("x").text("y"), None);
        assert_eq!(Fields(&json!({ "t": 1.7e9 })).time("t").unwrap().as_second(), 1_700_000_000);
    }
}
