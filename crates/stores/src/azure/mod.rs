//! Azure Key Vault: `azure:VAULT/NAME`, or `azure:NAME` in the vault of the settings, each with
//! `@VERSION`.
//!
//! Key Vault keeps text, not bytes. What is removed can be recovered for a while (soft delete), and
//! its name is taken that long.

mod credential;
mod login;
mod machine;
mod path;
mod refusal;
mod tools;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::ResourceExt;
use azure_security_keyvault_secrets::SecretClient;
use azure_security_keyvault_secrets::models::SecretAttributes;
use azure_security_keyvault_secrets::models::SecretClientGetSecretOptions;
use azure_security_keyvault_secrets::models::SecretProperties;
use azure_security_keyvault_secrets::models::SetSecretParameters;
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Setup;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;
use doppio_text::name::SecretName;

use login::Login;
use path::Path;
use refusal::told;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Azure { setup, login: OnceCell::new() }) };

static KIND: Kind = Kind {
    scheme: "azure",
    summary: "Azure Key Vault, as azure:VAULT/NAME",
    writes: true,
    versions: true,
    remote: Some(RemoteKind {
        // `az` alone takes seconds to give a token.
        deadline: Duration::from_secs(20),
        batch: 1,
        keys: &[
            Key {
                name: "vault",
                form: KeyType::Text,
                doc: "the vault of names without one, or its https address",
            },
            Key {
                name: "suffix",
                form: KeyType::Text,
                doc: "what follows a vault's name: `vault.azure.net`, or that of another cloud",
            },
            Key { name: "login", form: KeyType::Choice(login::CHOICES), doc: "this login and no other" },
            Key { name: "tenant_id", form: KeyType::Text, doc: "instead of `AZURE_TENANT_ID`" },
            Key { name: "client_id", form: KeyType::Text, doc: "instead of `AZURE_CLIENT_ID`" },
            Key { name: "client_secret", form: KeyType::Reference, doc: "instead of `AZURE_CLIENT_SECRET`" },
            Key { name: "ca_cert", form: KeyType::Path, doc: "a certificate authority to trust, as PEM" },
        ],
    }),
};

/// Key Vault takes no more: <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets>.
const LONGEST: usize = 25_000;

/// Names of one page of a list; the service gives no more.
const PAGE: i32 = 25;

/// What Doppio writes on a secret, as tags.
const MANAGED_BY: (&str, &str) = ("managed-by", "doppio");
const NOTE: &str = "note";

/// The secrets of one or more vaults.
#[derive(Debug)]
struct Azure {
    setup: Setup,
    /// Made with the first question.
    login: OnceCell<Login>,
}

impl Azure {
    async fn login(&self) -> Result<&Login, SourceError> {
        self.login.get_or_try_init(|| login::login(&self.setup)).await
    }

    /// The client of the vault that is meant, and the name in it.
    async fn secret<'a>(&self, path: &'a str) -> Result<(Arc<SecretClient>, Path<'a>), SourceError> {
        let path = Path::parse(path)?;
        let address = path.vault(&self.setup)?;
        Ok((self.login().await?.client(&address)?, path))
    }
}

/// The tags of the newest version, which the next one would be without.
async fn tags_of(client: &SecretClient, name: &str) -> Result<HashMap<String, String>, SourceError> {
    match properties_of(client, name).await {
        Ok(all) => Ok(all.into_iter().next().and_then(|newest| newest.tags).unwrap_or_default()),
        Err(SourceError::Missing | SourceError::NotAllowed { .. }) => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

/// The versions of a secret, the newest first.
async fn properties_of(client: &SecretClient, name: &str) -> Result<Vec<SecretProperties>, SourceError> {
    let options = azure_security_keyvault_secrets::models::SecretClientListSecretPropertiesVersionsOptions {
        maxresults: Some(PAGE),
        ..Default::default()
    };
    let pages = client.list_secret_properties_versions(name, Some(options)).map_err(|error| told(&error))?;
    let mut all: Vec<SecretProperties> = pages.try_collect().await.map_err(|error| told(&error))?;
    all.sort_by_key(|found| {
        std::cmp::Reverse(found.attributes.as_ref().and_then(|attributes| attributes.created))
    });
    Ok(all)
}

fn id(found: &SecretProperties) -> Option<String> {
    found.resource_id().ok()?.version
}

fn is_enabled(found: &SecretProperties) -> bool {
    found.attributes.as_ref().and_then(|attributes| attributes.enabled) != Some(false)
}

fn created(attributes: Option<&SecretAttributes>) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(attributes?.created?.unix_timestamp()).ok()
}

#[expect(clippy::disallowed_methods, reason = "the value goes to Key Vault")]
fn text(value: &SecretValue) -> Result<String, SourceError> {
    value.reveal(|bytes| match std::str::from_utf8(bytes) {
        Ok(text) if text.len() > LONGEST => Err(SourceError::too_long("Key Vault", LONGEST)),
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(SourceError::not_text("Key Vault")),
    })
}

fn metadata_of(
    client: &SecretClient,
    path: &Path<'_>,
    version: Option<String>,
    attributes: Option<&SecretAttributes>,
    tags: Option<&HashMap<String, String>>,
) -> Metadata {
    let expires = attributes.and_then(|attributes| attributes.expires);
    Metadata {
        place: format!("{}secrets/{}", client.endpoint(), path.name),
        created: created(attributes),
        expires: expires.and_then(|time| jiff::Timestamp::from_second(time.unix_timestamp()).ok()),
        note: tags.and_then(|tags| tags.get(NOTE)).cloned(),
        version,
        ..Metadata::default()
    }
}

#[async_trait]
impl Source for Azure {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "Azure Key Vault".to_owned()
    }

    /// Its names are letters, digits and dashes.
    fn spelling(&self, name: &SecretName) -> String {
        name.as_str().replace(['/', '_', '.'], "-")
    }

    fn remedy(&self, path: &str) -> String {
        match Path::parse(path) {
            Ok(Path { vault: Some(vault), name }) => {
                format!("run `az keyvault secret set --vault-name {vault} --name {name} --file FILE`")
            }
            Ok(Path { name, .. }) => {
                format!("run `az keyvault secret set --vault-name VAULT --name {name} --file FILE`")
            }
            Err(_) => "write it as `azure:VAULT/NAME`".to_owned(),
        }
    }

    async fn check(&self) -> Answer<()> {
        let address = path::vault_of_settings(&self.setup)?;
        let client = self.login().await?.client(&address)?;
        let options = azure_security_keyvault_secrets::models::SecretClientListSecretPropertiesOptions {
            maxresults: Some(1),
            ..Default::default()
        };
        let mut pages = client.list_secret_properties(Some(options)).map_err(|error| told(&error))?;
        match pages.try_next().await {
            Err(error) if !refusal::is_denied(&error) => Err(told(&error)),
            // Credentials that may not list are known anyway.
            _ => Ok(()),
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let version = version.map(path::version).transpose()?;
        let (client, path) = self.secret(path).await?;
        let options =
            SecretClientGetSecretOptions { secret_version: version.map(str::to_owned), ..Default::default() };
        let answer = client.get_secret(path.name, Some(options)).await.map_err(|error| told(&error))?;
        let found = answer.into_model().map_err(|_| refusal::nonsense())?;
        let metadata = metadata_of(
            &client,
            &path,
            found.resource_id().ok().and_then(|id| id.version),
            found.attributes.as_ref(),
            found.tags.as_ref(),
        );
        let value = found.value.ok_or_else(refusal::nonsense)?;
        Ok((SecretValue::new(value.into_bytes()), metadata))
    }

    /// Goes through the versions: asking for one of them would send its value. Where a policy has
    /// `Get` without `List`, the value, which is wiped at once, shows that it is there.
    async fn locate(&self, text: &str, version: Option<&str>) -> Answer<Metadata> {
        let wanted = version.map(path::version).transpose()?;
        let (client, path) = self.secret(text).await?;
        let all = match properties_of(&client, path.name).await {
            Err(SourceError::NotAllowed { .. }) => {
                return self.get(text, version).await.map(|(_, metadata)| metadata);
            }
            all => all?,
        };
        let found = match wanted {
            None => all.first(),
            Some(wanted) => all.iter().find(|found| id(found).as_deref() == Some(wanted)),
        };
        let found = found.ok_or(SourceError::Missing)?;
        if !is_enabled(found) {
            return Err(SourceError::unfit(format!("`{}` is disabled", path.name)));
        }
        Ok(metadata_of(&client, &path, id(found), found.attributes.as_ref(), found.tags.as_ref()))
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let (client, path) = self.secret(path).await?;
        let mut tags = tags_of(&client, path.name).await?;
        tags.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        if let Some(note) = &remark.note {
            tags.insert(NOTE.to_owned(), note.clone());
        }
        tags.retain(|_, text| !text.is_empty());
        let expires =
            remark.expires.and_then(|time| OffsetDateTime::from_unix_timestamp(time.as_second()).ok());
        let parameters = SetSecretParameters {
            value: Some(text(value)?),
            tags: Some(tags),
            secret_attributes: expires
                .map(|expires| SecretAttributes { expires: Some(expires), ..Default::default() }),
            ..Default::default()
        };
        let body =
            parameters.try_into().map_err(|_| SourceError::unfit("this can't be sent to Key Vault"))?;
        let answer = client.set_secret(path.name, body, None).await.map_err(|error| told(&error))?;
        let made = answer.into_model().map_err(|_| refusal::nonsense())?;
        let version = made.resource_id().ok().and_then(|id| id.version);
        Ok(metadata_of(&client, &path, version, made.attributes.as_ref(), made.tags.as_ref()))
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        let (client, path) = self.secret(path).await?;
        client.delete_secret(path.name, None).await.map(drop).map_err(|error| told(&error))
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let address = path::vault_of_settings(&self.setup)?;
        let client = self.login().await?.client(&address)?;
        let options = azure_security_keyvault_secrets::models::SecretClientListSecretPropertiesOptions {
            maxresults: Some(PAGE),
            ..Default::default()
        };
        let pages = client.list_secret_properties(Some(options)).map_err(|error| told(&error))?;
        let all: Vec<SecretProperties> = pages.try_collect().await.map_err(|error| told(&error))?;
        let of = |found: &SecretProperties| {
            let name = found.resource_id().ok()?.name;
            let path = Path { vault: None, name: &name };
            let metadata = metadata_of(&client, &path, None, found.attributes.as_ref(), found.tags.as_ref());
            Some((name.clone(), metadata))
        };
        // The certificates of a vault have a secret each, which is theirs.
        Ok(all.iter().filter(|found| found.managed != Some(true)).filter_map(of).collect())
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let (client, path) = self.secret(path).await?;
        let all = properties_of(&client, path.name).await?;
        if all.is_empty() {
            return Err(SourceError::Missing);
        }
        let of = |(at, found): (usize, &SecretProperties)| Version {
            id: id(found).unwrap_or_default(),
            created: created(found.attributes.as_ref()),
            labels: vec![if is_enabled(found) { "enabled" } else { "disabled" }.to_owned()],
            current: at == 0,
            readable: is_enabled(found),
        };
        Ok(all.iter().enumerate().map(of).collect())
    }
}
