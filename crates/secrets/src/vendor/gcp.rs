//! Google Cloud: `google/auth/_default.py` and `_cloud_sdk.py`.

use crate::SecretValue;
use crate::format;
use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;

pub(super) static FILE: FileForm = FileForm::path("GOOGLE_APPLICATION_CREDENTIALS", "credentials.json");

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
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
            cause: format!(
                "`GOOGLE_APPLICATION_CREDENTIALS` names `{}`, which does not exist",
                path.display()
            ),
            hint: "unset it, or name a file that exists".to_owned(),
        });
    };
    if kind(&file.json_text("/type")?.unwrap_or_default()).is_none() {
        return Err(file.broken("its `type` is not one of Google's"));
    }
    Ok(Some(file.found(vendor, file.value.clone(), file.place())))
}

/// What a file is good for.
enum Kind {
    /// It acts as an account of the cloud.
    Account,
    /// It has the token of a person, valid until it is revoked.
    Person,
    /// It points to a source of tokens on this machine.
    Elsewhere,
}

/// What a `type` of Google's means.
fn kind(name: &str) -> Option<Kind> {
    match name {
        "service_account" | "impersonated_service_account" | "gdch_service_account" => Some(Kind::Account),
        "authorized_user" | "external_account_authorized_user" => Some(Kind::Person),
        "external_account" => Some(Kind::Elsewhere),
        _ => None,
    }
}

pub(super) fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let Some(value) = credential.values().next().cloned() else { return credential };
    let member = |name: &str| {
        let found = format::select(&value, name).ok().flatten()?;
        String::from_utf8(found.plain().to_vec()).ok()
    };
    if local.text("GOOGLE_CLOUD_PROJECT").is_none() {
        let project = local.text("GCLOUD_PROJECT").map(str::to_owned).or_else(|| member("/project_id"));
        credential.settings.extend(project.map(|project| ("GOOGLE_CLOUD_PROJECT".to_owned(), project)));
    }
    // Impersonation needs the token of somebody.
    let own = kind(&member("/type").unwrap_or_default());
    let source = member("/source_credentials/type").and_then(|name| kind(&name));
    match source.or(own) {
        Some(Kind::Account) => credential,
        Some(Kind::Person) => credential.exposed(Exposure::Personal),
        Some(Kind::Elsewhere) => credential.staying("it points to a source of tokens on this machine"),
        None => credential.staying("its `type` is not one of Google's"),
    }
}

/// A file of a key or of application default credentials: it is one secret, byte for byte.
pub(super) fn file(vendor: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let member = format::json_member(text.plain(), &["type"])?;
    kind(std::str::from_utf8(member.plain()).ok()?)?;
    let key = &vendor.sets[0][0];
    let secret = ToolSecret::new(key.name, key.name, text.clone());
    Some(ToolFile::of("a file of Google Cloud credentials", vec![secret]))
}
