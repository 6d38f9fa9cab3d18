//! Azure: `azure-identity`, `EnvironmentCredential`.

use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;

pub(super) static PROVIDER: Provider = Provider {
    name: "azure",
    aliases: &[],
    summary: "Azure service principal",
    exposure: Exposure::Scoped,
    alternative: "create a service principal for the task (`az ad sp create-for-rbac --scopes …`), or pass \
                  a token of one resource (`az account get-access-token --resource …`)",
    sets: &[&[
        Key::variables("azure/tenant_id", &["AZURE_TENANT_ID"], &["AZURE_TENANT_ID"]),
        Key::variables("azure/client_id", &["AZURE_CLIENT_ID"], &["AZURE_CLIENT_ID"]),
        Key::variables("azure/client_secret", &["AZURE_CLIENT_SECRET"], &["AZURE_CLIENT_SECRET"]),
    ]],
    companions: &["AZURE_SUBSCRIPTION_ID", "AZURE_AUTHORITY_HOST"],
    several: None,
    tell: None,
    look,
};

#[expect(clippy::unnecessary_wraps, reason = "every row looks in this form")]
fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    if let Some(found) = local.set(provider, provider.sets[0]) {
        return Ok(Some(found));
    }
    let folder = local.path("AZURE_CONFIG_DIR").unwrap_or_else(|| local.home(".azure"));
    let cache = folder.join("msal_token_cache.json");
    if !cache.exists() {
        return Ok(None);
    }
    let place = format!("`{}`", cache.display());
    Ok(Some(Credential {
        exposure: Exposure::Personal,
        ..Credential::refused(provider, place, "the login of a person with `az login` is not copied")
    }))
}
