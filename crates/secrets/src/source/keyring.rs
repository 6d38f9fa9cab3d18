//! The operating system's keychain: Keychain, Credential Manager, or a Secret Service.
//!
//! A locked Secret Service may wait for ever for a prompt that is not visible. So every call runs
//! on a thread of its own with a deadline, and only one at a time, even if the caller is gone
//! meanwhile; after a call that did not return the keychain is not asked again.
//!
//! Items have the attributes `service` and `username`, so what Doppio writes is read by
//! `secret-tool lookup service dev.doppio.secrets username NAME`, and the other way round.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use keyring::Entry;
use keyring::Error;
use tokio::sync::Mutex;

use doppio_text::shell::typed;

use crate::SecretValue;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::Remark;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::detached::Stuck;
use crate::source::detached::detached;
use crate::source::no_versions;

pub(super) static KIND: Kind = Kind {
    scheme: "keyring",
    summary: "the keychain of the operating system",
    writes: true,
    versions: false,
    remote: None,
};

/// Under which all secrets of Doppio stand in the keychain.
const SERVICE: &str = "dev.doppio.secrets";

/// Time for a call when nobody can answer a prompt.
const UNATTENDED: Duration = Duration::from_secs(5);

/// Time for a call when somebody may have to type a password.
const ATTENDED: Duration = Duration::from_mins(1);

const UNLOCK: &str = "unlock it (log in to the desktop, or run `gnome-keyring-daemon --unlock`), keep \
                      secrets in the age vault instead (`--in file`), or write `keyring = false` in \
                      config.toml";

/// Access to the keychain: one call at a time, each with a deadline.
#[derive(Debug)]
pub struct Keychain {
    deadline: Duration,
    enabled: bool,
    /// Held during a call; true after one that did not return.
    stuck: Arc<Mutex<bool>>,
}

impl Keychain {
    /// The keychain of this process. `attended`: a user can answer a prompt.
    pub fn new(attended: bool) -> Self {
        let deadline = if attended { ATTENDED } else { UNATTENDED };
        Self { deadline, enabled: true, stuck: Arc::default() }
    }

    /// A keychain that is never asked, for users who switched it off.
    pub fn off() -> Self {
        Self { deadline: UNATTENDED, enabled: false, stuck: Arc::default() }
    }

    /// Reads an item.
    pub(super) async fn get(&self, service: &'static str, user: &str) -> Result<SecretValue, SourceError> {
        let user = user.to_owned();
        self.call(move || entry(service, &user)?.get_secret().map(SecretValue::new)).await
    }

    /// Writes an item.
    pub(super) async fn set(
        &self,
        service: &'static str,
        user: &str,
        value: &SecretValue,
    ) -> Result<(), SourceError> {
        let (user, value) = (user.to_owned(), value.clone());
        self.call(move || entry(service, &user)?.set_secret(value.plain())).await
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, SourceError> {
        if !self.enabled {
            return Err(SourceError::Absent { cause: "the keychain is switched off".to_owned() });
        }
        let work = move || match Entry::store_status() {
            Ok(()) => work().map_err(fault),
            Err(error) => Err(no_store(error)),
        };
        self.alone(work).await
    }

    /// One at a time. A caller that gives up does not stop the thread, so the turn belongs to the
    /// call and not to the caller.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let mut stuck = Arc::clone(&self.stuck).lock_owned().await;
        if *stuck {
            return Err(SourceError::unreachable("the keychain did not answer earlier", UNLOCK));
        }
        let deadline = self.deadline;
        let call = tokio::spawn(async move {
            let answer = detached(Some(deadline), work).await;
            *stuck = answer.is_err();
            answer
        });
        match call.await.unwrap_or(Err(Stuck::Died)) {
            Ok(result) => result,
            Err(Stuck::Deadline) => {
                let cause = format!(
                    "the keychain did not answer within {} s: it is probably locked",
                    self.deadline.as_secs()
                );
                Err(SourceError::unreachable(cause, UNLOCK))
            }
            Err(Stuck::Died) => Err(SourceError::unreachable("the keychain's library failed", UNLOCK)),
        }
    }
}

fn entry(service: &str, user: &str) -> Result<Entry, Error> {
    Entry::new(service, user)
}

/// Why the store could not be opened: most machines without a desktop simply have none. A socket
/// that refuses is different: there was a bus, and it died.
fn no_store(error: &Error) -> SourceError {
    const ABSENT: &[&str] = &[
        "no secret service provider",
        "ServiceUnknown",
        "NameHasNoOwner",
        "was not provided by any .service files",
        "No such file or directory",
    ];
    let words = error.to_string();
    if ABSENT.iter().any(|absent| words.contains(absent)) {
        return SourceError::Absent {
            cause: "this machine has no keychain (no Secret Service answers)".to_owned(),
        };
    }
    SourceError::unreachable(format!("the keychain can't be opened: {words}"), UNLOCK)
}

fn fault(error: Error) -> SourceError {
    match error {
        Error::NoEntry => SourceError::Missing,
        Error::NoStorageAccess(cause) => SourceError::unreachable(
            format!("the keychain is locked, or access was refused ({cause})"),
            UNLOCK,
        ),
        Error::Ambiguous(items) => SourceError::unreachable(
            format!("the keychain has {} items of this name", items.len()),
            format!(
                "look at them with `secret-tool search --all service {SERVICE}`, and clear the wrong ones"
            ),
        ),
        Error::NotSupportedByStore(cause) | Error::Invalid(_, cause) => SourceError::Unfit { cause },
        Error::TooLong(_, _) => {
            SourceError::Unfit { cause: "the keychain accepts no value of this size".to_owned() }
        }
        // `BadEncoding` and `BadDataFormat` carry the value: their own words stay here.
        Error::BadEncoding(_) | Error::BadDataFormat(_, _) => {
            SourceError::Unfit { cause: "the keychain's item is damaged".to_owned() }
        }
        Error::PlatformFailure(cause) => {
            SourceError::unreachable(format!("the keychain failed: {cause}"), UNLOCK)
        }
        _ => SourceError::unreachable("the keychain failed", UNLOCK),
    }
}

/// The source `keyring`.
#[derive(Debug)]
pub struct Keyring(Arc<Keychain>);

impl Keyring {
    /// The source over this keychain.
    pub fn new(keychain: Arc<Keychain>) -> Self {
        Self(keychain)
    }
}

fn metadata(user: &str, attributes: &HashMap<String, String>) -> Metadata {
    let text = |key: &str| attributes.get(key).filter(|text| !text.is_empty());
    Metadata {
        place: format!("keychain item `{user}`"),
        created: text("created").and_then(|time| time.parse().ok()),
        expires: text("expires").and_then(|time| time.parse().ok()),
        note: text("note").cloned(),
        ..Metadata::default()
    }
}

/// Attributes are optional: a keychain without them keeps the value anyway.
fn attributes(entry: &Entry) -> Result<HashMap<String, String>, Error> {
    match entry.inner.get_attributes() {
        Err(Error::NotSupportedByStore(_)) => Ok(HashMap::new()),
        other => other,
    }
}

/// Writes a value, and what is said of it as far as the keychain keeps that: the value is in force
/// either way.
fn put(
    entry: &keyring_core::Entry,
    user: &str,
    value: &SecretValue,
    remark: &Remark,
) -> Result<Metadata, Error> {
    entry.set_secret(value.plain())?;
    let created = jiff::Timestamp::now();
    let mut metadata = Metadata { created: Some(created), ..metadata(user, &HashMap::new()) };
    // It can't be without an attribute that it had.
    let texts: Vec<(&str, String)> = remark
        .texts("note", "expires")
        .map(|(name, text)| (name, text.unwrap_or_default()))
        .chain([("created", created.to_string())])
        .collect();
    let extra = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    match entry.update_attributes(&extra) {
        Ok(()) => {
            metadata.expires = remark.expires;
            metadata.note = remark.note.clone().filter(|note| !note.is_empty());
        }
        Err(Error::NotSupportedByStore(_)) if remark.is_empty() => {}
        Err(Error::NotSupportedByStore(_)) => metadata
            .warnings
            .push("this keychain stores neither note nor expiry: only the value was written".to_owned()),
        Err(error) => metadata.warnings.push(remark.unwritten(&fault(error))),
    }
    Ok(metadata)
}

#[async_trait]
impl Source for Keyring {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the keychain".to_owned()
    }

    fn remedy(&self, path: &str) -> String {
        format!("run {}", typed(["doppio", "secret", "set", path, "--in", "keyring"]))
    }

    fn remedy_of_absence(&self, path: &str) -> String {
        let command = typed(["doppio", "secret", "set", path, "--in", "file"]);
        let vault = format!("or store it in the age vault, {command}");
        if self.0.enabled {
            format!(
                "install one, `apt install gnome-keyring`, and log in again; {vault}, and write `file:{path}`"
            )
        } else {
            format!("switch it on, `unset DOPPIO_KEYRING` and `keyring = true` in config.toml; {vault}")
        }
    }

    /// Writes, reads and removes an item of its own: opening alone proves nothing.
    async fn check(&self) -> Answer<()> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            SourceError::unreachable(format!("no random numbers: {error}"), "see the system's log")
        })?;
        let user = format!("doppio-probe-{}", HEXLOWER.encode(&random));
        let same = self.0.call(move || {
            let entry = entry(SERVICE, &user)?;
            entry.set_secret(&random)?;
            let read = entry.get_secret();
            entry.delete_credential()?;
            Ok(read? == random)
        });
        if same.await? {
            Ok(())
        } else {
            Err(SourceError::unreachable(
                "the keychain returned something other than what was written",
                UNLOCK,
            ))
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        no_versions("the keychain", version)?;
        let user = path.to_owned();
        self.0
            .call(move || {
                let entry = entry(SERVICE, &user)?;
                let value = entry.get_secret().map(SecretValue::new)?;
                Ok((value, metadata(&user, &attributes(&entry)?)))
            })
            .await
    }

    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        no_versions("the keychain", version)?;
        let user = path.to_owned();
        self.0
            .call(move || {
                let entry = entry(SERVICE, &user)?;
                match entry.inner.get_attributes() {
                    Ok(attributes) => Ok(metadata(&user, &attributes)),
                    Err(Error::NotSupportedByStore(_)) => {
                        drop(SecretValue::new(entry.get_secret()?));
                        Ok(metadata(&user, &HashMap::new()))
                    }
                    Err(error) => Err(error),
                }
            })
            .await
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let (user, value, remark) = (path.to_owned(), value.clone(), remark.clone());
        self.0.call(move || put(&entry(SERVICE, &user)?.inner, &user, &value, &remark)).await
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        let user = path.to_owned();
        self.0.call(move || entry(SERVICE, &user)?.delete_credential()).await
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        self.0
            .call(|| {
                let mut items = Vec::new();
                for entry in keyring_core::Entry::search(&HashMap::from([("service", SERVICE)]))? {
                    let attributes = entry.get_attributes()?;
                    if let Some(user) = attributes.get("username") {
                        items.push((user.clone(), metadata(user, &attributes)));
                    }
                }
                items.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(items)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_keychain_that_is_off_is_absent() {
        let keyring = Keyring::new(Arc::new(Keychain::off()));
        assert!(matches!(keyring.get("a", None).await, Err(SourceError::Absent { .. })));
        assert!(matches!(keyring.check().await, Err(SourceError::Absent { .. })));
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_has_its_turn_to_its_end() {
        let keychain = Keychain { deadline: Duration::from_mins(1), ..Keychain::new(false) };
        let (release, held) = std::sync::mpsc::channel::<()>();
        let first = keychain.alone(move || Ok(held.recv().is_ok()));
        assert!(tokio::time::timeout(Duration::from_millis(20), first).await.is_err());
        let mut second = std::pin::pin!(keychain.alone(|| Ok(7)));
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut second).await.is_err(), "two at a time");
        drop(release);
        assert_eq!(second.await, Ok(7));
    }

    /// A keychain that takes values and fails with attributes.
    #[derive(Debug, Default)]
    struct ValuesOnly(std::sync::Mutex<Vec<u8>>);

    impl keyring_core::api::CredentialApi for ValuesOnly {
        fn set_secret(&self, secret: &[u8]) -> Result<(), Error> {
            *self.0.lock().unwrap() = secret.to_vec();
            Ok(())
        }

        fn get_secret(&self) -> Result<Vec<u8>, Error> {
            Ok(self.0.lock().unwrap().clone())
        }

        fn update_attributes(&self, _: &HashMap<&str, &str>) -> Result<(), Error> {
            Err(Error::NoStorageAccess("it was locked meanwhile".into()))
        }

        fn delete_credential(&self) -> Result<(), Error> {
            Err(Error::NoEntry)
        }

        fn get_credential(&self) -> Result<Option<Arc<keyring_core::Credential>>, Error> {
            Ok(None)
        }

        fn get_specifiers(&self) -> Option<(String, String)> {
            None
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }

    #[test]
    fn a_value_that_is_in_force_was_stored_whatever_becomes_of_its_note() {
        let entry = keyring_core::Entry::new_with_credential(Arc::new(ValuesOnly::default()));
        let value = SecretValue::new(b"hunter2".to_vec());
        let remark = Remark { note: Some("of the tests".to_owned()), expires: None };
        let metadata = put(&entry, "a", &value, &remark).unwrap();
        assert_eq!(entry.get_secret().unwrap(), b"hunter2");
        assert_eq!((metadata.note, metadata.warnings.len()), (None, 1));
        assert!(metadata.warnings[0].contains("locked, or access was refused"), "{:?}", metadata.warnings);
    }

    #[tokio::test]
    async fn after_one_deadline_nothing_waits_again() {
        let keychain = Keychain { deadline: Duration::from_millis(1), ..Keychain::new(false) };
        *keychain.stuck.lock().await = true;
        let fault = keychain.get(SERVICE, "a").await.unwrap_err();
        assert!(matches!(fault, SourceError::Unreachable { .. }));
        assert!(fault.hint().unwrap().contains("--in file"));
    }
}
