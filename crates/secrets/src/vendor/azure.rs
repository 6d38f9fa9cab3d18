//! Azure: `azure-identity`, `EnvironmentCredential`.

use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;
use crate::vendor::row::Search;
use crate::vendor::token::Token;

pub(super) static VENDOR: Vendor = Vendor {
    name: "azure",
    summary: "Azure service principal",
    exposure: Exposure::Scoped,
    alternative: "create a service principal for the task (`az ad sp create-for-rbac --scopes …`), or pass \
                  a token of one resource (`az account get-access-token --resource …`)",
    sets: &[&[
        Key::variables("azure/tenant_id", &["AZURE_TENANT_ID"]),
        Key::variables("azure/client_id", &["AZURE_CLIENT_ID"]),
        Key::variables("azure/client_secret", &["AZURE_CLIENT_SECRET"]),
    ]],
    tokens: &[Token::behind("azure-storage-key", &["AccountKey="], "([A-Za-z0-9+/]{86}==)")],
    companions: &["AZURE_SUBSCRIPTION_ID", "AZURE_AUTHORITY_HOST"],
    search: Search::Then(look),
    ..Vendor::NONE
};

#[expect(clippy::unnecessary_wraps, reason = "every row looks in this form")]
fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
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
