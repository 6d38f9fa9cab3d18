//! Vendors whose keys are in the environment, or in one plain file.

use serde::Deserialize;

use crate::SecretValue;
use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;

/// The SDK reads `OPENAI_API_KEY` and no file.
pub(super) static OPENAI: Provider = Provider {
    name: "openai",
    aliases: &[],
    summary: "OpenAI API key",
    exposure: Exposure::DataPlane,
    alternative: "create a key of a project with a budget: https://platform.openai.com/api-keys",
    sets: &[&[Key::variables("openai/api_key", &["OPENAI_API_KEY"], &["OPENAI_API_KEY"])]],
    companions: &["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"],
    several: None,
    tell: None,
    look: environment,
};

/// The client reads `CO_API_KEY`; integrations read `COHERE_API_KEY`.
pub(super) static COHERE: Provider = Provider {
    name: "cohere",
    aliases: &[],
    summary: "Cohere API key",
    exposure: Exposure::DataPlane,
    alternative: "create a trial key: https://dashboard.cohere.com/api-keys",
    sets: &[&[Key::variables(
        "cohere/api_key",
        &["CO_API_KEY", "COHERE_API_KEY"],
        &["CO_API_KEY", "COHERE_API_KEY"],
    )]],
    companions: &["CO_API_URL"],
    several: None,
    tell: None,
    look: environment,
};

/// The SDK reads `PINECONE_API_KEY`; the vendor's command line keeps one in a file.
pub(super) static PINECONE: Provider = Provider {
    name: "pinecone",
    aliases: &[],
    summary: "Pinecone API key",
    exposure: Exposure::DataPlane,
    alternative: "create a key of one project: https://app.pinecone.io",
    sets: &[&[Key::variables("pinecone/api_key", &["PINECONE_API_KEY"], &["PINECONE_API_KEY"])]],
    companions: &["PINECONE_CONTROLLER_HOST"],
    several: None,
    tell: None,
    look: pinecone,
};

/// The first set that is whole in the environment.
#[expect(clippy::unnecessary_wraps, reason = "every row looks in this form")]
pub(super) fn environment(
    provider: &'static Provider,
    local: &Local<'_>,
) -> Result<Option<Credential>, ProviderError> {
    Ok(provider.sets.iter().find_map(|set| local.set(provider, set)))
}

fn pinecone(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    #[derive(Deserialize)]
    struct Secrets {
        api_key: Option<String>,
    }
    if let Some(found) = environment(provider, local)? {
        return Ok(Some(found));
    }
    let Some(file) = Local::read(local.home(".config/pinecone/secrets.yaml"))? else { return Ok(None) };
    let secrets: Secrets = serde_saphyr::from_str(file.text()?)
        .map_err(|_| file.broken("it is not the YAML that `pc` writes"))?;
    let Some(key) = secrets.api_key.filter(|key| !key.trim().is_empty()) else { return Ok(None) };
    let place = format!("`api_key` in {}", file.place());
    let key = SecretValue::new(key.into_bytes());
    Ok(Some(Credential::of(provider, &provider.sets[0][0], key, place).warning(file.warning)))
}
