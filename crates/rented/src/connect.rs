//! All vendors, by their names.

use std::sync::Arc;

use crate::account::Account;
use crate::error::RentedError;
use crate::lambda::Lambda;
use crate::machine_id::VendorName;
use crate::runpod::RunPod;
use crate::vast::Vast;
use crate::vendor::Vendor;

/// A vendor for this account. Nothing is sent.
///
/// # Errors
///
/// When there is no key, or the address is not one that a key may be sent to.
pub fn connect(name: VendorName, account: &Account) -> Result<Arc<dyn Vendor>, RentedError> {
    Ok(match name {
        VendorName::Vast => Arc::new(Vast::new(account)?),
        VendorName::Runpod => Arc::new(RunPod::new(account)?),
        VendorName::Lambda => Arc::new(Lambda::new(account)?),
    })
}
