//! Azure: `azure-identity`, `EnvironmentCredential`.

use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;

#[expect(clippy::unnecessary_wraps, reason = "every row looks in this form")]
pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let folder = local.path("AZURE_CONFIG_DIR").unwrap_or_else(|| local.home(".azure"));
    let cache = folder.join("msal_token_cache.json");
    if !cache.exists() {
        return Ok(None);
    }
    let place = format!("`{}`", cache.display());
    Ok(Some(Credential {
        exposure: Exposure::Personal,
        ..Credential::refused(vendor, place, "the login of a person with `az login` is not copied")
    }))
}
