//! Whose account is asked, where, and how: made with the first question.

use std::fs;
use std::time::Duration;
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::Mutex;
use tokio::sync::OnceCell;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Logins;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use crate::aws::connector;
use crate::aws::profiles;
use crate::aws::refusal::Failure;
use crate::aws::refusal::no_credentials;
use crate::aws::request::Endpoint;
use crate::aws::service;
use crate::aws::service::Service;
use crate::aws::service::Variant;
use doppio_http::innermost;

/// The keys of both tables.
pub(super) const KEYS: &[Key] = &[
    Key { name: "region", form: KeyType::Text, doc: "the region, as in `eu-central-1`" },
    Key { name: "profile", form: KeyType::Text, doc: "the profile of `~/.aws/config` to use" },
    Key { name: "endpoint", form: KeyType::Text, doc: "the URL to ask instead of the region's own" },
];

/// Where an instance is asked for its role; on any other machine nothing answers, and waiting for
/// that must not use up the time of the call.
const INSTANCE: Duration = Duration::from_secs(1);

/// Credentials are looked for again so long before they end.
const EARLY: Duration = Duration::from_secs(10);

/// Credentials that tell no end are looked for again after this time: a profile may have new ones.
const LASTING: Duration = Duration::from_mins(15);

/// Whose account is asked.
pub(super) struct Account {
    setup: Setup,
    /// `aws` or `ssm`.
    scheme: &'static str,
    service: &'static Service,
    session: OnceCell<Session>,
}

/// What every call needs.
pub(super) struct Session {
    scheme: &'static str,
    pub http: reqwest::Client,
    config: SdkConfig,
    logins: Logins,
    keys: Mutex<Option<Keys>>,
}

/// Credentials that were found.
struct Keys {
    identity: Identity,
    until: SystemTime,
}

impl Account {
    pub(super) fn new(setup: Setup, scheme: &'static str, service: &'static Service) -> Self {
        Self { setup, scheme, service, session: OnceCell::new() }
    }

    /// The region that the settings or the environment name, for messages.
    pub(super) fn region(&self) -> Option<String> {
        self.setup.text("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
    }

    /// What every call needs.
    ///
    /// # Errors
    ///
    /// When the settings can't be followed.
    pub(super) async fn session(&self) -> Result<&Session, Failure> {
        self.session.get_or_try_init(|| self.open()).await.map_err(Failure::Unsent)
    }

    async fn open(&self) -> Result<Session, SourceError> {
        let http = connector::client(&self.setup)?;
        // The token service gets it in the body of a request.
        if let Some(token) =
            self.setup.environment.path("AWS_WEB_IDENTITY_TOKEN_FILE").and_then(|path| fs::read(path).ok())
        {
            self.setup.logins.learn("AWS web identity token", &SecretValue::new(token));
        }
        let config = self
            .load(SharedHttpClient::new(connector::Client {
                http: http.clone(),
                logins: self.setup.logins.clone(),
            }))
            .await;
        let logins = self.setup.logins.clone();
        Ok(Session { scheme: self.scheme, http, config, logins, keys: Mutex::default() })
    }

    async fn load(&self, http: SharedHttpClient) -> SdkConfig {
        let setup = &self.setup;
        let chosen = setup.options.text("profile").map(str::to_owned);
        let profile = setup.text("profile", &["AWS_PROFILE"]);
        let shared = ProviderConfig::without_region().with_http_client(http.clone());
        let instance = imds::Client::builder()
            .configure(&shared)
            .connect_timeout(INSTANCE)
            .read_timeout(INSTANCE)
            .max_attempts(1)
            .build();

        let mut of_profile = ProfileFileRegionProvider::builder().configure(&shared);
        if let Some(name) = &profile {
            of_profile = of_profile.profile_name(name);
        }
        let of_instance = ImdsRegionProvider::builder().configure(&shared).imds_client(instance.clone());
        let region = RegionProviderChain::first_try(self.region().map(Region::new))
            .or_else(of_profile.build())
            .or_else(of_instance.build());
        let region = region.region().await;

        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .region(RegionProviderChain::first_try(region.clone()));
        if let Some(name) = &profile {
            loader = loader.profile_name(name);
        }
        if let Some(url) = self.endpoint() {
            loader = loader.endpoint_url(url);
        }
        let shared = shared.with_region(region);
        let mut of_profile = ProfileFileCredentialsProvider::builder()
            .configure(&shared)
            .profile_files(profiles::files(setup));
        if let Some(name) = &profile {
            of_profile = of_profile.profile_name(name);
        }
        loader = match (&chosen, self.keys()) {
            // Whoever names a profile in the settings means it, whatever the environment says.
            (Some(_), _) => loader.credentials_provider(of_profile.build()),
            (None, Some(keys)) => loader.credentials_provider(keys),
            // The SDK's own chain, which takes no files.
            (None, None) => loader.credentials_provider(
                CredentialsProviderChain::first_try(
                    "Environment",
                    EnvironmentVariableCredentialsProvider::new(),
                )
                .or_else("Profile", of_profile.build())
                .or_else(
                    "WebIdentityToken",
                    WebIdentityTokenCredentialsProvider::builder().configure(&shared).build(),
                )
                .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&shared).build())
                .or_else(
                    "Ec2InstanceMetadata",
                    ImdsCredentialsProvider::builder().configure(&shared).imds_client(instance).build(),
                ),
            ),
        };
        loader.load().await
    }

    /// The endpoint of the settings, or of the environment that was handed in.
    fn endpoint(&self) -> Option<String> {
        let variable = |name| self.setup.environment.text(name);
        let is_ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|text| text == "true");
        let variables: &[&str] = if is_ignored { &[] } else { &[self.service.variable, "AWS_ENDPOINT_URL"] };
        self.setup.text("endpoint", variables)
    }

    /// The keys of the environment that was handed in, the first thing that every AWS program
    /// looks at.
    fn keys(&self) -> Option<Credentials> {
        let variable = |name| self.setup.environment.text(name).map(str::to_owned);
        let id = variable("AWS_ACCESS_KEY_ID")?;
        let key = variable("AWS_SECRET_ACCESS_KEY")?;
        Some(Credentials::new(id, key, variable("AWS_SESSION_TOKEN"), None, "environment"))
    }
}

impl Session {
    /// Where a service is asked: in `region`, or else in the one of the settings.
    ///
    /// # Errors
    ///
    /// When no region is known, or its name or the endpoint is none.
    pub(super) fn endpoint(&self, service: &Service, region: Option<&str>) -> Result<Endpoint, Failure> {
        let Some(region) = region.or_else(|| self.config.region().map(AsRef::as_ref)) else {
            let scheme = self.scheme;
            return Err(Failure::Unsent(SourceError::unreachable(
                "no AWS region is set",
                format!(
                    "set AWS_REGION, or write `region = \"eu-central-1\"` to `[sources.{scheme}]` in config.toml"
                ),
            )));
        };
        let variant = Variant {
            fips: self.config.use_fips().unwrap_or_default(),
            dual_stack: self.config.use_dual_stack().unwrap_or_default(),
        };
        let url = match self.named_endpoint(service) {
            Some(endpoint) => service::custom(&endpoint, variant),
            None => service.url(region, variant),
        };
        Ok(Endpoint { region: region.to_owned(), url: url.map_err(Failure::Unsent)? })
    }

    /// The endpoint that is set for all services or, in the profile, for this one.
    fn named_endpoint(&self, service: &Service) -> Option<String> {
        let of_all = || self.config.endpoint_url().map(str::to_owned);
        if self.config.get_origin("endpoint_url").is_client_config() {
            return of_all();
        }
        let key = ServiceConfigKey::builder()
            .service_id(service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .expect("all of it is there");
        self.config.service_config().and_then(|config| config.load_config(key)).or_else(of_all)
    }

    /// How often and after how long what failed is tried again.
    pub(super) fn retries(&self) -> RetryConfig {
        self.config.retry_config().cloned().unwrap_or_else(RetryConfig::standard)
    }

    /// The credentials. Who comes while they are looked for waits for the same ones.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub(super) async fn identity(&self) -> Result<Identity, Failure> {
        let mut keys = self.keys.lock().await;
        let now = SystemTime::now();
        if let Some(keys) = keys.as_ref().filter(|keys| now + EARLY < keys.until) {
            return Ok(keys.identity.clone());
        }
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| Failure::Unsent(no_credentials("")))?;
        let found = provider.provide_credentials().await;
        let found = found.map_err(|error| Failure::Unsent(no_credentials(&innermost(&error))))?;
        let secrets = [
            ("AWS secret access key", Some(found.secret_access_key())),
            ("AWS session token", found.session_token()),
        ];
        for (name, text) in secrets {
            if let Some(text) = text {
                self.logins.learn(name, &SecretValue::new(text.as_bytes().to_vec()));
            }
        }
        let until = found.expiry().unwrap_or(now + LASTING);
        let identity = Identity::from(found);
        *keys = Some(Keys { identity: identity.clone(), until });
        Ok(identity)
    }
}
