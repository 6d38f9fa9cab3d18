//! What is looked up in the vendors' rows.

use std::iter;

use doppio_text::closest;
use doppio_text::name::EnvName;
use doppio_text::name::SecretName;

use crate::SecretValue;
use crate::vendor::key::Key;
use crate::vendor::key::Ping;
use crate::vendor::key::Sent;
use crate::vendor::row::Vendor;
use crate::vendor::rows;
use crate::vendor::token::Token;

/// Those whose own tools keep credentials on this machine, by name.
pub fn providers() -> Vec<&'static Vendor> {
    let mut providers: Vec<_> = rows::all().filter(|vendor| vendor.is_provider()).collect();
    providers.sort_by_key(|vendor| vendor.name);
    providers
}

/// All secrets, each with its vendor.
fn keys() -> impl Iterator<Item = (&'static Vendor, &'static Key)> {
    rows::all().flat_map(|vendor| vendor.keys().chain(vendor.others).map(move |key| (vendor, key)))
}

/// The well-known secrets, in the order in which they are listed.
pub fn well_known() -> impl Iterator<Item = &'static Key> {
    keys().map(|(_, key)| key).filter(|key| key.is_well_known())
}

/// The well-known secret of this name.
pub fn known(name: &SecretName) -> Option<&'static Key> {
    well_known().find(|key| key.name == name.as_str())
}

/// The secret that a variable holds: the vendor's own variables, those that people use besides, and the
/// name in capitals.
pub fn of_variable(variable: &str) -> Option<&'static Key> {
    let all = || keys().map(|(_, key)| key);
    let is_capitals = |key: &&Key| capitals(key.name, Some(key)).as_deref() == Some(variable);
    all().find(|key| key.variables_of().any(|known| known == variable)).or_else(|| all().find(is_capitals))
}

/// Whether a variable is one that people use and no vendor reads.
pub fn is_alias(variable: &str) -> bool {
    keys().any(|(_, key)| key.also.contains(&variable))
}

/// All variables in which a secret of this name may be, in the order in which they are asked.
pub(crate) fn variables(name: &SecretName) -> Vec<String> {
    let key = keys().map(|(_, key)| key).find(|key| key.name == name.as_str());
    let mut variables: Vec<String> =
        key.map_or(&[][..], |key| key.read).iter().map(|&own| own.to_owned()).collect();
    let also = key.map_or(&[][..], |key| key.also).iter().map(|&other| other.to_owned());
    for variable in capitals(name.as_str(), key).into_iter().chain(also) {
        if variable.parse::<EnvName>().is_ok() && !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    variables
}

/// The name in capitals, unless its vendor reads the path of a file there.
fn capitals(name: &str, key: Option<&Key>) -> Option<String> {
    let capitals = in_capitals(name);
    let is_path = key.is_some_and(|key| matches!(key.sent, Sent::File(form) if form.variable == capitals));
    (!is_path).then_some(capitals)
}

/// A name in capitals; it need not be the name of a variable, as that of `2fa/code` is none.
pub(crate) fn in_capitals(name: &str) -> String {
    let capital = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(capital).collect()
}

/// Who can be asked whether a secret of this name works.
pub fn ping(name: &SecretName) -> Option<(&'static Vendor, &'static Ping)> {
    keys()
        .filter(|(_, key)| key.name == name.as_str())
        .find_map(|(vendor, key)| Some((vendor, key.ping.as_ref()?)))
}

/// The name that was probably meant by an unknown one: both the service and its key are near.
pub fn near(name: &SecretName) -> Option<&'static str> {
    let (service, key) = name.as_str().split_once('/')?;
    let is_near = |a: &str, b: &'static str| a == b || closest(a, [b]).is_some();
    let names = well_known().map(|known| known.name).filter(|known| *known != name.as_str());
    names.into_iter().find(|known| {
        known.split_once('/').is_some_and(|(of, its)| is_near(service, of) && is_near(key, its))
    })
}

/// Whether a word is the name of a vendor, which ordinary text is full of.
pub(crate) fn is_name(word: &[u8]) -> bool {
    rows::all().any(|vendor| word.eq_ignore_ascii_case(vendor.name.as_bytes()))
}

/// The well-known secret that a kind of token is, by its identifier in the scan.
pub fn of_kind(id: &str) -> Option<&'static Key> {
    tokens().find(|(token, _)| token.id == id)?.1.filter(|key| key.is_well_known())
}

/// All kinds of tokens, each with the secret that it may be.
pub(crate) fn tokens() -> impl Iterator<Item = (&'static Token, Option<&'static Key>)> {
    let of_keys = keys().flat_map(|(_, key)| key.tokens.iter().zip(iter::repeat(Some(key))));
    of_keys.chain(rows::all().flat_map(|vendor| vendor.tokens.iter().zip(iter::repeat(None))))
}

/// The beginnings that say whose a token is.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    tokens().flat_map(|(token, _)| token.prefixes().iter().copied())
}

/// The well-known secret that a value is, by how it begins: the longest beginning that is some
/// vendor's says whose it is.
pub fn recognise(value: &SecretValue) -> Option<&'static Key> {
    recognised(value.plain())
}

fn recognised(value: &[u8]) -> Option<&'static Key> {
    let begins = |prefix: &&str| value.starts_with(prefix.as_bytes());
    let beginnings = tokens().filter_map(|(token, key)| {
        let longest = token.prefixes().iter().copied().filter(begins).map(str::len).max()?;
        Some((longest, key))
    });
    let (_, key) = beginnings.max_by_key(|(longest, _)| *longest)?;
    key.filter(|key| key.is_well_known() && key.is(value))
}

/// Whether a text is a token of some vendor, by how it begins.
pub fn is_token(text: &str) -> bool {
    let text = text.as_bytes();
    recognised(text).is_some() || tokens().any(|(token, _)| !token.prefixes().is_empty() && token.is(text))
}
