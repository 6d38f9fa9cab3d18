//! The login: the environment, workload identity, managed identity, or the tools of a developer, in
//! the order of Microsoft's `DefaultAzureCredential`, which the Rust crates do not have.
//!
//! What is configured is used: a login that is there and is refused is an error, not a reason to
//! try the next one.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::Secret;
use azure_core::credentials::TokenCredential;
use azure_core::http::ClientOptions;
use azure_core::http::RetryOptions;
use azure_core::http::Transport;
use azure_identity::ClientAssertionCredentialOptions;
use azure_identity::ClientSecretCredential;
use azure_identity::ClientSecretCredentialOptions;
use azure_identity::DeveloperToolsCredential;
use azure_identity::DeveloperToolsCredentialOptions;
use azure_identity::ManagedIdentityCredential;
use azure_identity::ManagedIdentityCredentialOptions;
use azure_identity::UserAssignedId;
use azure_identity::WorkloadIdentityCredential;
use azure_identity::WorkloadIdentityCredentialOptions;
use azure_security_keyvault_secrets::SecretClient;
use azure_security_keyvault_secrets::SecretClientOptions;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use doppio_http::certificates;
use doppio_http::client;

use super::credential::Learning;
use super::machine;
use super::refusal::of_login;
use super::tools::Tools;

/// What `login` of the settings may be.
pub(super) const CHOICES: &[&str] = &["environment", "workload", "managed", "developer"];

/// How long a connection and a part of an answer may take, as in the SDK's own client.
const CONNECT: Duration = Duration::from_secs(20);
const READ: Duration = Duration::from_mins(1);

/// Set where managed identity is served otherwise: App Service, Functions, Container Apps.
const MANAGED: [&str; 2] = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"];

/// What is asked with.
pub(super) struct Login {
    credential: Arc<dyn TokenCredential>,
    options: ClientOptions,
    clients: Mutex<HashMap<String, Arc<SecretClient>>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl Login {
    /// The client of a vault.
    pub(super) fn client(&self, address: &str) -> Result<Arc<SecretClient>, SourceError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(address) {
            return Ok(Arc::clone(client));
        }
        let options = SecretClientOptions {
            client_options: self.options.clone(),
            // A vault may only ask for a token for its own domain. An address of numbers has none.
            verify_challenge_resource: Some(!is_this_machine(address)),
            ..SecretClientOptions::default()
        };
        let client = SecretClient::new(address, Arc::clone(&self.credential), Some(options))
            .map_err(|_| SourceError::unfit(format!("`{address}` is not the address of a Key Vault")))?;
        let client = Arc::new(client);
        clients.insert(address.to_owned(), Arc::clone(&client));
        Ok(client)
    }
}

fn is_this_machine(address: &str) -> bool {
    address.starts_with("https://127.0.0.1:")
}

/// Chooses the login; Azure is not asked yet.
pub(super) async fn login(setup: &Setup) -> Result<Login, SourceError> {
    let options = options(setup)?;
    let chosen = match setup.options.text("login") {
        Some(chosen) => chosen,
        None => choose(setup).await,
    };
    let credential = match chosen {
        "environment" => of_environment(setup, &options).await?,
        "workload" => of_workload(setup, &options)?,
        "managed" => of_machine(setup)?,
        _ => {
            let options = DeveloperToolsCredentialOptions { executor: Some(Arc::new(Tools)) };
            let credential = DeveloperToolsCredential::new(Some(options));
            credential.map_err(|error| of_login(&error))? as Arc<dyn TokenCredential>
        }
    };
    let credential = Arc::new(Learning { credential, logins: setup.logins.clone() });
    Ok(Login { credential, options, clients: Mutex::default() })
}

async fn choose(setup: &Setup) -> &'static str {
    let has = |name: &str| setup.environment.get(name).is_some();
    if setup.options.reference("client_secret").is_some()
        || has("AZURE_CLIENT_SECRET")
        || has("AZURE_CLIENT_CERTIFICATE_PATH")
    {
        return "environment";
    }
    if has("AZURE_FEDERATED_TOKEN_FILE") {
        return "workload";
    }
    if MANAGED.into_iter().any(has) || machine::is_of_azure().await {
        return "managed";
    }
    "developer"
}

fn needed(setup: &Setup, key: &str, variable: &str) -> Result<String, SourceError> {
    setup.text(key, &[variable]).ok_or_else(|| {
        SourceError::unreachable(
            format!("the login for Azure lacks `{variable}`"),
            format!("set it, or write `{key}` to `[sources.azure]` in config.toml"),
        )
    })
}

#[expect(clippy::disallowed_methods, reason = "the client secret goes to Microsoft Entra")]
async fn of_environment(
    setup: &Setup,
    options: &ClientOptions,
) -> Result<Arc<dyn TokenCredential>, SourceError> {
    let tenant = needed(setup, "tenant_id", "AZURE_TENANT_ID")?;
    let client = needed(setup, "client_id", "AZURE_CLIENT_ID")?;
    let secret = setup.secret("client_secret", &["AZURE_CLIENT_SECRET"]).await?.ok_or_else(|| {
        SourceError::unreachable(
            "Doppio can't log in to Azure with a client certificate",
            "set `AZURE_CLIENT_SECRET`, or use workload identity",
        )
    })?;
    let secret = secret.reveal(|bytes| std::str::from_utf8(bytes).map(|text| Secret::new(text.to_owned())));
    let secret = secret.map_err(|_| SourceError::unfit("the client secret for Azure is not text"))?;
    let options = ClientSecretCredentialOptions { client_options: options.clone() };
    let made = ClientSecretCredential::new(&tenant, client, secret, Some(options));
    Ok(made.map_err(|error| of_login(&error))?)
}

fn of_workload(setup: &Setup, options: &ClientOptions) -> Result<Arc<dyn TokenCredential>, SourceError> {
    let file = setup.environment.path("AZURE_FEDERATED_TOKEN_FILE").ok_or_else(|| {
        SourceError::unreachable(
            "workload identity lacks `AZURE_FEDERATED_TOKEN_FILE`",
            "label the pod `azure.workload.identity/use: \"true\"`",
        )
    })?;
    if let Ok(assertion) = std::fs::read(&file) {
        setup.logins.learn("Azure federated token", &SecretValue::new(assertion));
    }
    let options = WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options: options.clone() },
        client_id: Some(needed(setup, "client_id", "AZURE_CLIENT_ID")?),
        tenant_id: Some(needed(setup, "tenant_id", "AZURE_TENANT_ID")?),
        token_file_path: Some(file),
    };
    Ok(WorkloadIdentityCredential::new(Some(options)).map_err(|error| of_login(&error))?)
}

fn of_machine(setup: &Setup) -> Result<Arc<dyn TokenCredential>, SourceError> {
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: setup.text("client_id", &["AZURE_CLIENT_ID"]).map(UserAssignedId::ClientId),
        ..Default::default()
    };
    Ok(ManagedIdentityCredential::new(Some(options)).map_err(|error| of_login(&error))?)
}

/// How it is asked: the deadline is outside, so that nothing is retried after it.
fn options(setup: &Setup) -> Result<ClientOptions, SourceError> {
    let mut options = ClientOptions { retry: RetryOptions::none(), ..ClientOptions::default() };
    if let Some(host) = setup.environment.text("AZURE_AUTHORITY_HOST") {
        if !host.starts_with("https://") {
            return Err(SourceError::unfit("`AZURE_AUTHORITY_HOST` is not an https address"));
        }
        let mut cloud = CustomConfiguration::default();
        host.clone_into(&mut cloud.authority_host);
        options.cloud = Some(Arc::new(cloud.into()));
    }
    if let Some(path) = setup.path("ca_cert", &[]) {
        let unusable = |cause: String| {
            SourceError::unreachable(
                format!("cannot use the certificate authority `{}`: {cause}", path.display()),
                "fix `ca_cert` in `[sources.azure]`",
            )
        };
        let roots = certificates(&path).map_err(unusable)?;
        // As the SDK makes its own.
        let builder = client().connect_timeout(CONNECT).read_timeout(READ);
        let client = builder
            .tls_certs_merge(roots)
            .build()
            .map_err(|_| unusable("it is not a certificate".to_owned()))?;
        options.transport = Some(Transport::new(Arc::new(client)));
    }
    Ok(options)
}
