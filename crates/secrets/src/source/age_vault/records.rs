//! The vault's plaintext: JSON with a version, values in base64.
//!
//! Values are decoded straight from the decrypted bytes into their boxes, and encoded into one
//! buffer of the final size, so that nothing plain is left behind.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::SecretValue;

/// The form of the plaintext; raised when an older reader would lose something.
const FORM: u32 = 1;

/// Older versions kept per record.
const HISTORY: usize = 10;

/// All records, by name.
#[derive(Debug, Default)]
pub(super) struct Records(pub(super) BTreeMap<String, Record>);

/// One secret.
#[derive(Debug)]
pub(super) struct Record {
    /// The present version.
    pub current: Version,
    /// Older versions, the newest first.
    pub previous: Vec<Version>,
    pub note: Option<String>,
    pub expires: Option<jiff::Timestamp>,
}

/// One value of a secret.
#[derive(Debug)]
pub(super) struct Version {
    /// Counted from 1, for ever.
    pub number: u32,
    pub value: SecretValue,
    pub created: jiff::Timestamp,
}

impl Records {
    /// Puts a value in; the one that was there becomes the newest of the previous ones.
    pub(super) fn put(&mut self, name: &str, value: SecretValue, created: jiff::Timestamp) -> &mut Record {
        let old = self.0.remove(name);
        let number = old.as_ref().map_or(1, |record| record.current.number.saturating_add(1));
        let current = Version { number, value, created };
        let record = match old {
            None => Record { current, previous: Vec::new(), note: None, expires: None },
            Some(mut record) => {
                record.previous.insert(0, std::mem::replace(&mut record.current, current));
                record.previous.truncate(HISTORY);
                record
            }
        };
        self.0.entry(name.to_owned()).or_insert(record)
    }
}

impl Record {
    /// The version that is asked for: a number, `latest`, `previous`, or none for the latest.
    pub(super) fn version(&self, asked: Option<&str>) -> Option<&Version> {
        match asked {
            None | Some("latest" | "current") => Some(&self.current),
            Some("previous") => self.previous.first(),
            Some(number) => {
                let number: u32 = number.parse().ok()?;
                std::iter::once(&self.current).chain(&self.previous).find(|version| version.number == number)
            }
        }
    }
}

/// Why a plaintext can't be read. Nothing of the text is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it was written by a newer Doppio (form {0})")]
    Newer(u32),
    #[error("what is inside is damaged (line {line}, column {column})")]
    Damaged { line: usize, column: usize },
    #[error("what is inside is damaged (a value is not base64)")]
    Value,
}

#[derive(Deserialize)]
struct FormNumber {
    form: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    form: u32,
    #[serde(borrow)]
    records: Vec<PlainRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainRecord<'a> {
    name: String,
    #[serde(borrow)]
    current: PlainVersion<'a>,
    #[serde(borrow)]
    previous: Vec<PlainVersion<'a>>,
    note: Option<String>,
    expires: Option<jiff::Timestamp>,
    /// Older Doppios wrote these, always empty, and miss the first where it is not.
    #[serde(default)]
    tags: [String; 0],
    #[serde(default, skip_serializing, rename = "exposure")]
    _exposure: IgnoredAny,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainVersion<'a> {
    number: u32,
    /// Base64, so it has no escapes and is borrowed from the text.
    value: &'a str,
    created: jiff::Timestamp,
}

/// Reads a plaintext.
pub(super) fn parse(text: &[u8]) -> Result<Records, Unreadable> {
    let damaged =
        |error: serde_json::Error| Unreadable::Damaged { line: error.line(), column: error.column() };
    let form: FormNumber = serde_json::from_slice(text).map_err(damaged)?;
    if form.form != FORM {
        return Err(Unreadable::Newer(form.form));
    }
    let plain: Plain<'_> = serde_json::from_slice(text).map_err(damaged)?;
    let version = |plain: &PlainVersion<'_>| {
        let value = BASE64.decode(plain.value.as_bytes()).map_err(|_| Unreadable::Value)?;
        Ok(Version { number: plain.number, value: SecretValue::new(value), created: plain.created })
    };
    let record = |plain: PlainRecord<'_>| {
        let record = Record {
            current: version(&plain.current)?,
            previous: plain.previous.iter().map(version).collect::<Result<_, _>>()?,
            note: plain.note,
            expires: plain.expires,
        };
        Ok((plain.name, record))
    };
    Ok(Records(plain.records.into_iter().map(record).collect::<Result<_, Unreadable>>()?))
}

/// Writes a plaintext.
pub(super) fn write(records: &Records) -> Zeroizing<Vec<u8>> {
    let encoded: Vec<Vec<Zeroizing<String>>> = records
        .0
        .values()
        .map(|record| {
            std::iter::once(&record.current)
                .chain(&record.previous)
                .map(|version| Zeroizing::new(BASE64.encode(version.value.plain())))
                .collect()
        })
        .collect();
    let plain = Plain {
        form: FORM,
        records: records
            .0
            .iter()
            .zip(&encoded)
            .map(|((name, record), encoded)| {
                let mut versions = std::iter::once(&record.current).chain(&record.previous).zip(encoded).map(
                    |(version, value)| PlainVersion {
                        number: version.number,
                        value: value.as_str(),
                        created: version.created,
                    },
                );
                PlainRecord {
                    name: name.clone(),
                    current: versions.next().expect("there is a current version"),
                    previous: versions.collect(),
                    note: record.note.clone(),
                    expires: record.expires,
                    tags: [],
                    _exposure: IgnoredAny,
                }
            })
            .collect(),
    };
    let mut size = Counter(0);
    serde_json::to_writer(&mut size, &plain).expect("the records are plain JSON");
    let mut text = Zeroizing::new(Vec::with_capacity(size.0));
    serde_json::to_writer(&mut *text, &plain).expect("the records are plain JSON");
    text
}

/// Counts bytes and drops them.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn versions_are_numbered_for_ever() {
        let mut records = Records::default();
        for n in 1..=13_u8 {
            records.put("a", SecretValue::new(vec![n; 8]), at(i64::from(n)));
        }
        let record = &records.0["a"];
        let byte = |asked| record.version(asked).map(|version| version.value.plain()[0]);
        assert_eq!(byte(None), Some(13));
        assert_eq!(byte(Some("latest")), Some(13));
        assert_eq!(byte(Some("previous")), Some(12));
        assert_eq!(byte(Some("3")), Some(3));
        assert_eq!(byte(Some("2")), None, "the oldest are dropped");
        assert_eq!(byte(Some("AWSCURRENT")), None);
    }

    #[test]
    fn a_newer_form_and_damage_are_told_apart() {
        assert_eq!(parse(b"{\"form\":2,\"things\":[]}").unwrap_err(), Unreadable::Newer(2));
        assert!(matches!(parse(b"{\"form\":1,\"records\":[{]}"), Err(Unreadable::Damaged { .. })));
        assert!(matches!(parse(b"hunter2"), Err(Unreadable::Damaged { .. })));
    }

    #[test]
    fn what_older_doppios_wrote_is_read() {
        let text = br#"{"form":1,"records":[{"name":"a","current":{"number":1,"value":"aHVudGVyMg==","created":"2026-01-01T00:00:00Z"},"previous":[],"note":null,"expires":null,"tags":[],"exposure":null}]}"#;
        let records = parse(text).unwrap();
        assert_eq!(records.0["a"].current.value.plain(), b"hunter2");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            values in proptest::collection::vec(("[a-z/]{1,8}", proptest::collection::vec(any::<u8>(), 0..64)), 0..8),
            note in proptest::option::of(".*"),
        ) {
            let mut records = Records::default();
            for (name, value) in &values {
                let record = records.put(name, SecretValue::new(value.clone()), at(1));
                record.note = note.clone();
                record.expires = Some(at(2));
            }
            let text = write(&records);
            prop_assert_eq!(text.capacity(), text.len());
            let read = parse(&text).unwrap();
            prop_assert_eq!(read.0.len(), records.0.len());
            for (name, record) in &records.0 {
                let other = &read.0[name];
                prop_assert_eq!(other.current.value.plain(), record.current.value.plain());
                prop_assert_eq!(other.previous.len(), record.previous.len());
                prop_assert_eq!(&other.note, &record.note);
                prop_assert_eq!(other.expires, record.expires);
            }
        }
    }
}
