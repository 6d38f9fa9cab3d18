//! What vast.ai's refusals mean.

use crate::error::RentedError;
use crate::machine_id::MachineId;
use crate::machine_id::VendorName;
use crate::refusal::CallError;
use crate::refusal::Refusal;

/// Whether a key is of no use any more: that of a login with a second factor expires.
pub(super) fn is_expired(refusal: &Refusal) -> bool {
    refusal.status == 401 || refusal.status == 404 && refusal.says("session expired")
}

/// Whether there is no such machine, in vast.ai's own words: another server's 404 must not pass for a machine
/// that is destroyed.
pub(super) fn is_no_machine(refusal: &Refusal) -> bool {
    refusal.code == "no_such_instance" || matches!(refusal.status, 404 | 410) && refusal.says("instance")
}

/// Whether a machine has a key already.
pub(super) fn is_attached(refusal: &Refusal) -> bool {
    refusal.code.contains("already") || refusal.says("already")
}

/// Whether an offer can't be had any more.
pub(super) fn is_taken(refusal: &Refusal) -> bool {
    refusal.code == "no_such_ask" || matches!(refusal.status, 404 | 410)
}

/// The error of a request; `about` is the machine that it was about.
pub(super) fn error(error: CallError, what: &str, about: Option<&MachineId>) -> RentedError {
    let refusal = match error {
        CallError::Undone(error) | CallError::Unclear(error) => return error,
        CallError::Refused(refusal) => refusal,
    };
    let vendor = VendorName::Vast;
    match about {
        _ if refusal.code.contains("credit") || refusal.says("insufficient credit") => {
            RentedError::NoCredit { vendor, words: refusal.words }
        }
        Some(id) if is_no_machine(&refusal) => RentedError::NoMachine(id.clone()),
        _ => CallError::Refused(refusal).error(vendor, what, about),
    }
}
