//! What must never leave this machine, recognised wherever it is about to go.
//!
//! A plan sees which secrets a step names and most hosts; what it can't see is a host that a step
//! found out, and a value that went through a variable or through a program's output. So each value
//! that stays here is kept in a mask of its own, which finds it in whatever is handed over.

use crate::Mask;
use crate::SecretRef;
use crate::SecretSession;
use crate::SecretValue;
use crate::provider;
use crate::provider::Exposure;
use crate::provider::Provider;

impl SecretSession {
    /// The provider whose secret a reference means, also by way of what its name is bound to. Of
    /// several the one whose secrets go least far.
    pub fn provider_of(&self, reference: &SecretRef) -> Option<&'static Provider> {
        let bound = reference.name().into_iter().flat_map(|name| self.ladder.bindings(name));
        let meant = bound.map(|bound| &bound.reference).chain([reference]);
        meant.filter_map(provider::of_reference).max_by_key(|provider| provider.exposure)
    }

    /// The provider of a credential that never leaves this machine and is in `value`, in whatever
    /// encoding.
    pub fn stays(&self, value: &SecretValue) -> Option<&'static Provider> {
        let (name, _) = self.staying.found(value.plain()).into_iter().next()?;
        provider::find(&name).ok()
    }
}

/// Remembers a value that the mask of the outputs has learnt: so it can be learnt here, too.
pub(super) fn remember(staying: &Mask, owner: Option<&'static Provider>, value: &SecretValue) {
    if let Some(owner) = owner.filter(|owner| owner.exposure == Exposure::NeverRemote) {
        staying.teach(owner.name, value).ok();
    }
}
