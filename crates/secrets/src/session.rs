//! Fetches values just in time, once for all who need them, and registers each with the mask in the
//! same call.

mod hold;
mod local_only;

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use jiff::Timestamp;

use self::hold::Fetched;
use crate::AuditAction;
use crate::Auditor;
use crate::Delivery;
use crate::Fitness;
use crate::Ladder;
use crate::Mask;
use crate::Origin;
use crate::Providers;
use crate::Registered;
use crate::SecretRef;
use crate::SecretValue;
use crate::Unmaskable;
use crate::Use;
use crate::mask::telling;
use crate::source::Metadata;
use crate::vendor;
use crate::vendor::Vendor;

pub use self::hold::Hold;
use self::hold::Known;
use crate::error::SecretError;

/// Where a secret would come from.
#[derive(Debug, Clone)]
pub struct Location {
    /// Provenance, age, expiry; `unproven` where the source can't say without handing the value out.
    pub metadata: Metadata,
    /// It is the default of the reference, which is not a secret.
    pub is_default: bool,
}

/// The run's access to all secrets. Cheap to share behind an `Arc`.
pub struct SecretSession {
    ladder: Ladder,
    mask: Mask,
    /// What never leaves this machine, by provider.
    staying: Mask,
    /// Whose credentials may be handed out.
    pub(crate) providers: Option<Providers>,
    known: Known,
    /// What is needed until the end of the run.
    hold: Hold,
    /// What is needed by whom, perhaps after the run.
    holders: Mutex<HashMap<String, Hold>>,
    auditor: Option<Arc<Auditor>>,
}

impl fmt::Debug for SecretSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSession").field("ladder", &self.ladder).finish_non_exhaustive()
    }
}

impl SecretSession {
    /// A session that looks secrets up on `ladder` and registers them with `mask`.
    pub fn new(ladder: Ladder, mask: Mask) -> Self {
        ladder.logins().teach(&mask);
        Self {
            ladder,
            mask,
            staying: Mask::default(),
            providers: None,
            known: Known::default(),
            hold: Hold::default(),
            holders: Mutex::default(),
            auditor: None,
        }
    }

    /// The provider whose secret a reference means, also by way of what its name is bound to. Of
    /// several the one whose secrets go least far.
    pub fn provider_of(&self, reference: &SecretRef) -> Option<&'static Vendor> {
        let bound = reference.name().into_iter().flat_map(|name| self.ladder.bindings(name));
        let meant = bound.map(|bound| &bound.reference).chain([reference]);
        meant.filter_map(vendor::of_reference).max_by_key(|provider| provider.exposure)
    }

    /// The provider of a credential that never leaves this machine and is in `value`, in whatever
    /// encoding.
    pub fn stays(&self, value: &SecretValue) -> Option<&'static Vendor> {
        local_only::owner(&self.staying, value)
    }

    /// The same, with an auditor that records what is fetched and where it goes.
    #[must_use]
    pub fn audited(mut self, auditor: Arc<Auditor>) -> Self {
        self.auditor = Some(auditor);
        self
    }

    /// The mask that every fetched value is registered with.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Where names are looked up.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// The value, from memory or its source; the mask knows it when this returns. Leases stay valid
    /// as long as this session. The default of a reference is given out as it is: it stands in the
    /// recipe and is not a secret.
    ///
    /// # Errors
    ///
    /// When no source has it, one does not allow it or can't be asked, or when the value can't be
    /// masked or can't be an environment variable (it holds a NUL byte).
    pub async fn fetch(&self, reference: &SecretRef) -> Result<SecretValue, SecretError> {
        self.fetch_for(&self.hold, reference).await.map(|fetched| fetched.value().clone())
    }

    /// The same for a caller that ends before the run does: leases stay valid as long as `hold`.
    ///
    /// # Errors
    ///
    /// As [`SecretSession::fetch`].
    pub async fn fetch_for(&self, hold: &Hold, reference: &SecretRef) -> Result<Registered, SecretError> {
        let cell = self.known.cell(reference);
        let fetched = cell.get_or_try_init(|| self.ask(reference)).await?;
        if fetched.metadata.lease.is_some() { hold } else { &self.hold }.keep(&cell);
        let (label, value) = (reference.label(), fetched.value.clone());
        Ok(if fetched.is_secret || fetched.is_default {
            Registered::fetched(label, value, fetched.is_default)
        } else {
            Registered::plain(value)
        })
    }

    /// Has the mask know what is at hand without a question, before anybody needs it: a step may print
    /// what it finds on its host before the first one fetches it. What can't be masked is reported when it
    /// is fetched.
    pub async fn learn_at_hand<'a>(&self, references: impl IntoIterator<Item = &'a SecretRef>) {
        for reference in references {
            for value in self.ladder.at_hand(reference).await {
                let value = well_known(reference).and_then(|_| value.trimmed()).unwrap_or(value);
                if !is_plain(reference, &value) {
                    self.register(&reference.label(), self.provider_of(reference), &value).ok();
                }
            }
        }
    }

    /// Keeps what is held until the end of the run, because it went where it is needed for longer.
    pub fn keep(&self, hold: &Hold) {
        self.hold.keep_all(hold);
    }

    /// Keeps what is held for somebody who may need it longer than the run: until
    /// [`SecretSession::release`], else, from [`SecretSession::leave`] on, until it ends by itself.
    pub fn keep_for(&self, holder: &str, hold: &Hold) {
        self.holders().entry(holder.to_owned()).or_default().keep_all(hold);
    }

    /// The holder needs nothing any more.
    pub fn release(&self, holder: &str) {
        self.holders().remove(holder);
    }

    /// Leaves the leases that somebody outside of the run still needs to end by themselves: who needs
    /// it, where it was made, when it ends.
    pub fn leave(&self) -> Vec<(String, String, Option<Timestamp>)> {
        let holders = std::mem::take(&mut *self.holders());
        let left = holders.into_iter().flat_map(|(holder, hold)| {
            hold.leave().into_iter().map(move |(place, end)| (holder.clone(), place, end))
        });
        let mut left: Vec<_> = left.collect();
        left.sort();
        left.dedup();
        left
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<String, Hold>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether part of what was fetched is valid only as long as this session.
    pub fn has_lent(&self) -> bool {
        self.hold.has_lent()
    }

    async fn ask(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let found = self.ladder.find(reference, true).await?;
        let unfit =
            |cause: &str| SecretError::Unfit { reference: reference.label(), cause: cause.to_owned() };
        let value = found.value.ok_or_else(|| unfit("its source gave no value"))?;
        let value = well_known(reference).and_then(|_| value.trimmed()).unwrap_or(value);
        let is_plain = is_plain(reference, &value);
        // A member that is there and empty is as good as missing, where it would be a secret.
        let unset = (value.fitness() == Fitness::Empty && !is_plain).then(|| reference.stand_in()).flatten();
        let is_default = found.is_default || unset.is_some();
        let is_secret = !is_default && !is_plain;
        let value = unset.unwrap_or(value);
        let fetched = Fetched { value, metadata: found.metadata, is_default, is_secret };
        if is_secret {
            self.register(&reference.label(), self.provider_of(reference), &fetched.value)?;
            self.note_fetch(&reference.label(), &fetched.metadata.place, &fetched.value).await?;
        }
        Ok(fetched)
    }

    /// Makes a value known to the mask, if it is a secret, and sees that it can be handed over.
    /// `owner` is the provider whose it is, if it is one's.
    pub(crate) fn register(
        &self,
        name: &str,
        owner: Option<&'static Vendor>,
        value: &SecretValue,
    ) -> Result<(), SecretError> {
        let unfit = |cause: &str| SecretError::Unfit { reference: name.to_owned(), cause: cause.to_owned() };
        if !vendor::is_public(name) {
            self.mask.register(name, value).map_err(|error| unfit(unmaskable(&error)))?;
            local_only::remember(&self.staying, owner, value);
        }
        if value.fitness() == Fitness::Nul {
            return Err(unfit(
                "it holds a NUL byte, which no environment variable can carry: store it as base64",
            ));
        }
        Ok(())
    }

    /// Records that a value was fetched.
    pub(crate) async fn note_fetch(
        &self,
        name: &str,
        source: &str,
        value: &SecretValue,
    ) -> Result<(), SecretError> {
        let Some(auditor) = &self.auditor else { return Ok(()) };
        let what = Use {
            action: AuditAction::Fetch,
            secret: name.to_owned(),
            source: Some(source.to_owned()),
            ..Use::default()
        };
        auditor.note(vec![(what, Some(value.clone()))]).await.map_err(|error| SecretError::Unfit {
            reference: name.to_owned(),
            cause: format!("the settings say `audit = \"required\"`, and the log can't be written: {error}"),
        })
    }

    /// Records what went to a process on `host`, and gives it back as all may see it. The fetch was
    /// written before; this adds where the value is since.
    pub async fn delivered(&self, step: &str, host: &str, deliveries: &[Delivery<String>]) -> Vec<Delivery> {
        if let Some(auditor) = &self.auditor {
            let secrets = deliveries.iter().filter(|delivery| !delivery.is_default);
            let uses = secrets.map(|delivery| {
                let (source, value) = self.known(&delivery.secret).unzip();
                (Use { source, step: Some(step.to_owned()), ..delivery.to_use(host) }, value)
            });
            auditor.note_done(uses.collect()).await;
        }
        deliveries.iter().map(|delivery| delivery.masked(&self.mask)).collect()
    }

    /// What was fetched under this label.
    pub(crate) fn known(&self, label: &str) -> Option<(String, SecretValue)> {
        let cell = self.known.labelled(label)?;
        cell.get().map(|fetched| (fetched.metadata.place.clone(), fetched.value.clone()))
    }

    /// Whether what was fetched is the default of the reference, since the secret is not set.
    pub fn stands_in(&self, reference: &SecretRef) -> bool {
        self.known.get(reference).is_some_and(|cell| cell.get().is_some_and(|fetched| fetched.is_default))
    }

    /// Whether it is there, and where it would come from. Values are not read where the source
    /// allows that; a reference with a property reads one to see whether it has the member.
    ///
    /// # Errors
    ///
    /// As [`SecretSession::fetch`], but for what only the value can show.
    pub async fn locate(&self, reference: &SecretRef) -> Result<Location, SecretError> {
        let found = self.ladder.find(reference, false).await?;
        Ok(Location { metadata: found.metadata, is_default: found.is_default })
    }

    /// Locates each reference once: for the plan, and for the check before a run, which names all
    /// that are missing.
    pub async fn survey<'a>(
        &self,
        references: impl IntoIterator<Item = &'a SecretRef>,
    ) -> Vec<(SecretRef, Result<Location, SecretError>)> {
        let mut known = HashSet::new();
        let wanted: Vec<&SecretRef> =
            references.into_iter().filter(|reference| known.insert(*reference)).collect();
        // All at once, so that a remote source gets all of them in one call.
        let answers = wanted.iter().map(|reference| self.locate(reference));
        let answers = futures_util::future::join_all(answers).await;
        wanted.into_iter().cloned().zip(answers).collect()
    }
}

/// The well-known secret that a reference means, by its name or by the variable that its vendor reads.
fn well_known(reference: &SecretRef) -> Option<&'static vendor::Key> {
    if reference.property.is_some() {
        return None;
    }
    match &reference.origin {
        Origin::Name(name) => vendor::known(name),
        Origin::Source { scheme, path } if matches!(scheme.as_str(), "env" | "dotenv") => {
            vendor::of_variable(path)
        }
        Origin::Source { .. } => None,
    }
}

/// Whether a value is a member of a record that is too short for a secret, and by its key is none: the
/// user's name beside a password.
fn is_plain(reference: &SecretRef, value: &SecretValue) -> bool {
    let Some(property) = &reference.property else { return false };
    let key = property.rsplit('/').next().unwrap_or(property);
    matches!(value.fitness(), Fitness::Empty | Fitness::TooShort) && !telling(key)
}

/// What is wrong with a value that the mask refuses, and what to do.
fn unmaskable(error: &Unmaskable) -> &'static str {
    match error {
        Unmaskable::TooShort { .. } => "it is too short to be masked: use a value of at least 4 bytes",
        Unmaskable::TooLong { .. } => "it is over 256 KiB, too long to be masked: split it",
        Unmaskable::TooMany { .. } => "it can't be masked together with so many others: use fewer in one run",
    }
}

#[cfg(test)]
mod tests {
    use crate::Environment;

    use super::*;

    fn session(variables: &[(&str, &str)]) -> SecretSession {
        let environment: Environment =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        SecretSession::new(Ladder::of_environment(environment), Mask::default())
    }

    fn reference(text: &str) -> SecretRef {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn what_is_fetched_is_masked() {
        let session = session(&[("HF_TOKEN", "correct horse")]);
        let value = session.fetch(&reference("huggingface/token")).await.unwrap();
        assert_eq!(value.plain(), b"correct horse");
        assert!(!session.stands_in(&reference("huggingface/token")));
        assert!(session.mask().finds(b"a correct horse b"));
    }

    #[tokio::test]
    async fn a_default_stands_in_for_what_is_missing_and_is_no_secret() {
        let session = session(&[]);
        let value = session.fetch(&reference("team/proxy?none at all")).await.unwrap();
        assert_eq!(value.plain(), b"none at all");
        assert!(!session.mask().finds(b"none at all"));
        assert!(session.stands_in(&reference("team/proxy?none at all")));
        assert!(session.locate(&reference("team/proxy?")).await.unwrap().is_default);
    }

    #[tokio::test]
    async fn unfit_values_are_refused_without_a_word_of_them() {
        let session = session(&[("SHORT_ONE", "abc")]);
        let fault = session.fetch(&reference("short/one")).await.unwrap_err();
        assert!(matches!(fault, SecretError::Unfit { .. }));
        assert!(!fault.to_string().contains("abc"));
    }

    #[tokio::test]
    async fn a_survey_names_all_that_are_missing() {
        let session = session(&[("B_B", "12345678")]);
        let references = ["a/a", "b/b", "a/a", "huggingface/token"].map(reference);
        let survey = session.survey(&references).await;
        let missing: Vec<String> = survey
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().err())
            .map(|error| match error {
                SecretError::Missing { reference, hint, .. } => format!("{reference}: {hint}"),
                other => other.to_string(),
            })
            .collect();
        assert_eq!(survey.len(), 3);
        assert_eq!(
            missing,
            [
                "a/a: run `doppio secret set a/a`",
                "huggingface/token: run `doppio secret set huggingface/token`; get one at \
                 https://huggingface.co/settings/tokens",
            ]
        );
    }
}
