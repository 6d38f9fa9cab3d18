//! A member of a TOML text; what the parser has to copy is wiped.

use std::borrow::Cow;

use toml::de::DeTable;
use toml::de::DeValue;
use zeroize::Zeroize;

use crate::SecretValue;
use crate::property::Scalar;
use crate::property::index;

/// Why nothing is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text is not TOML.
    NotToml,
    /// The member is a table or a list.
    NoText,
}

/// The member's bytes, if it is there.
pub(super) fn select(text: &str, path: &[Cow<'_, str>]) -> Result<Option<SecretValue>, Fault> {
    let mut table = DeTable::parse(text).map_err(|_| Fault::NotToml)?.into_inner();
    let (first, rest) = path.split_first().expect("a path has a key");
    let mut found = table.remove(first.as_ref()).map(toml::Spanned::into_inner);
    for key in rest {
        found = match found {
            Some(DeValue::Table(mut inner)) => {
                let next = inner.remove(key.as_ref());
                wipe(&mut DeValue::Table(inner));
                next.map(toml::Spanned::into_inner)
            }
            Some(DeValue::Array(mut items)) => {
                let next = index(key)
                    .and_then(|at| items.get_mut(at))
                    .map(|item| std::mem::replace(item.get_mut(), DeValue::Boolean(false)));
                wipe(&mut DeValue::Array(items));
                next
            }
            other => {
                if let Some(mut value) = other {
                    wipe(&mut value);
                }
                None
            }
        };
    }
    wipe(&mut DeValue::Table(table));
    match found {
        None => Ok(None),
        Some(DeValue::String(text)) => Ok(Some(SecretValue::new(text.into_owned().into_bytes()))),
        Some(DeValue::Integer(number)) => Ok(Some(SecretValue::new(number.to_string().into_bytes()))),
        Some(DeValue::Float(number)) => Ok(Some(SecretValue::new(number.to_string().into_bytes()))),
        Some(DeValue::Boolean(truth)) => Ok(Some(SecretValue::new(truth.to_string().into_bytes()))),
        Some(DeValue::Datetime(time)) => Ok(Some(SecretValue::new(time.to_string().into_bytes()))),
        Some(mut other @ (DeValue::Array(_) | DeValue::Table(_))) => {
            wipe(&mut other);
            Err(Fault::NoText)
        }
    }
}

/// All texts and numbers, at any depth; none where the text is not TOML.
pub(super) fn scalars(text: &str) -> Vec<Scalar> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        let mut root = DeValue::Table(table.into_inner());
        collect("", &root, false, &mut found);
        wipe(&mut root);
    }
    found
}

fn collect(key: &str, value: &DeValue<'_>, is_item: bool, found: &mut Vec<Scalar>) {
    match value {
        DeValue::Table(table) => {
            table.iter().for_each(|(key, value)| collect(key.get_ref(), value.get_ref(), false, found));
        }
        DeValue::Array(items) => items.iter().for_each(|item| collect(key, item.get_ref(), true, found)),
        DeValue::String(text) => found.push(Scalar::new(key, text.as_bytes(), is_item)),
        DeValue::Integer(number) => found.extend(Scalar::of_number(key, &number.to_string(), is_item)),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Wipes what the parser had to copy.
fn wipe(value: &mut DeValue<'_>) {
    match value {
        DeValue::String(Cow::Owned(text)) => text.zeroize(),
        DeValue::Array(items) => items.iter_mut().for_each(|item| wipe(item.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| wipe(value.get_mut())),
        _ => {}
    }
}
