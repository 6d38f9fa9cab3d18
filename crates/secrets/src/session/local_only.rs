//! What must never leave this machine, recognised wherever it is about to go.
//!
//! A plan sees which secrets a step names and most hosts; what it can't see is a host that a step
//! found out, and a value that went through a variable or through a program's output. So each value
//! that stays here is kept in a mask of its own, which finds it in whatever is handed over.

use crate::Mask;
use crate::SecretValue;
use crate::vendor;
use crate::vendor::Exposure;
use crate::vendor::Vendor;

/// Remembers a value that the mask of the outputs has learnt: so it can be learnt here, too.
pub(super) fn remember(staying: &Mask, owner: Option<&'static Vendor>, value: &SecretValue) {
    if let Some(owner) = owner.filter(|owner| owner.exposure == Exposure::NeverRemote) {
        staying.register(owner.name, value).ok();
    }
}

/// The provider of a credential that was remembered and is in `value`, in whatever encoding.
pub(super) fn owner(staying: &Mask, value: &SecretValue) -> Option<&'static Vendor> {
    let (name, _) = staying.found(value.plain()).into_iter().next()?;
    vendor::find(&name).ok()
}
