//! Google Cloud: `google/auth/_default.py` and `_cloud_sdk.py`.

use crate::secret::provider::Credential;
use crate::secret::provider::Exposure;
use crate::secret::provider::FileForm;
use crate::secret::provider::Key;
use crate::secret::provider::Local;
use crate::secret::provider::Provider;
use crate::secret::provider::ProviderError;

static FILE: FileForm = FileForm::path("GOOGLE_APPLICATION_CREDENTIALS", "credentials.json");

pub(super) static PROVIDER: Provider = Provider {
    name: "gcp",
    aliases: &["google", "gcloud"],
    summary: "Google application default credentials",
    exposure: Exposure::Scoped,
    alternative: "impersonate a narrow service account: \
                  `gcloud auth application-default login --impersonate-service-account=…`",
    sets: &[&[Key::file("gcp/credentials", &FILE)]],
    companions: &["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "CLOUDSDK_CORE_PROJECT"],
    look,
};

fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    let named = local.path("GOOGLE_APPLICATION_CREDENTIALS");
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| {
        let folder = local.path("CLOUDSDK_CONFIG").unwrap_or_else(|| local.home(".config/gcloud"));
        folder.join("application_default_credentials.json")
    });
    let Some(file) = Local::read(path.clone())? else {
        if !is_named {
            return Ok(None);
        }
        return Err(ProviderError {
            cause: format!("`GOOGLE_APPLICATION_CREDENTIALS` names `{}`, which is not there", path.display()),
            hint: "unset it, or name a file that is there".to_owned(),
        });
    };
    let kind = file.json_text("/type")?.unwrap_or_default();
    let mut found = Credential::of(provider, &provider.sets[0][0], file.value.clone(), file.place());
    match kind.as_str() {
        "service_account" | "impersonated_service_account" | "gdch_service_account" => {}
        // The token of a person, good until it is revoked.
        "authorized_user" | "external_account_authorized_user" => found.exposure = Exposure::Personal,
        "external_account" => {
            found.refusal = Some("it points to a source of tokens on this machine".to_owned());
        }
        _ => return Err(file.broken("its `type` is none of Google's")),
    }
    if local.text("GOOGLE_CLOUD_PROJECT").is_none() {
        let project = match local.text("GCLOUD_PROJECT") {
            Some(project) => Some(project.to_owned()),
            None => file.json_text("/project_id")?,
        };
        found.settings.extend(project.map(|project| ("GOOGLE_CLOUD_PROJECT".to_owned(), project)));
    }
    Ok(Some(found.warning(file.warning)))
}
