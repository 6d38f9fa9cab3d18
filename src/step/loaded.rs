//! Planned operations read back from disk.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;

use crate::step::KINDS;
use crate::step::Planned;

impl<'de> Deserialize<'de> for Box<dyn Planned> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut saved = BTreeMap::<String, serde_json::Value>::deserialize(from)?;
        let Some((name, fields)) = saved.pop_first().filter(|_| saved.is_empty()) else {
            return Err(D::Error::custom("an operation has one key, its kind"));
        };
        let kind = KINDS.iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| D::Error::custom(format!("no step type is called `{name}`")))?;
        kind.load(fields).map_err(|error| D::Error::custom(format!("`{name}`: {error}")))
    }
}
