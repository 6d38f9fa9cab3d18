//! Whose account is asked, where, and how: made with the first question.

use std::fmt;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::SdkConfig;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_secretsmanager::config::SharedHttpClient;
use aws_smithy_http_client::tls;
use tokio::sync::OnceCell;

use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

/// Where an instance is asked for its role; on any other machine nothing answers, and waiting for
/// that must not use up the time of the call.
const INSTANCE: Duration = Duration::from_secs(1);

/// Whose account is asked.
pub(super) struct Account {
    setup: Setup,
    /// `aws` or `ssm`.
    scheme: &'static str,
    /// The variable that moves this service alone.
    endpoint: &'static str,
    config: OnceCell<SdkConfig>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn new(setup: Setup, scheme: &'static str, endpoint: &'static str) -> Self {
        Self { setup, scheme, endpoint, config: OnceCell::new() }
    }

    /// The region that the settings or the environment name, for messages.
    pub(super) fn region(&self) -> Option<String> {
        self.setup.text("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
    }

    /// The configuration of the clients, in the region of `path` where that is an ARN.
    ///
    /// # Errors
    ///
    /// When no region is known, or the settings can't be followed.
    pub(super) async fn config(&self, path: &str) -> Result<SdkConfig, SourceError> {
        let config = self.config.get_or_try_init(|| self.load()).await?;
        let region = arn_region(path).map(|region| Region::new(region.to_owned()));
        if region.is_some() && region.as_ref() != config.region() {
            return Ok(config.to_builder().region(region).build());
        }
        if config.region().is_none() {
            let scheme = self.scheme;
            return Err(SourceError::unreachable(
                "no AWS region is set",
                format!(
                    "set AWS_REGION, or write `region = \"eu-central-1\"` to `[sources.{scheme}]` in config.toml"
                ),
            ));
        }
        Ok(config.clone())
    }

    async fn load(&self) -> Result<SdkConfig, SourceError> {
        let setup = &self.setup;
        let http = self.http()?;
        let chosen = setup.options.text("profile").map(str::to_owned);
        let profile = setup.text("profile", &["AWS_PROFILE"]);
        let shared = ProviderConfig::without_region().with_http_client(http.clone());
        let instance =
            imds::Client::builder().configure(&shared).connect_timeout(INSTANCE).max_attempts(1).build();

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
        let shared = shared.with_region(region.clone());
        loader = match (&chosen, self.keys()) {
            // Whoever names a profile in the settings means it, whatever the environment says.
            (Some(name), _) => loader.credentials_provider(
                ProfileFileCredentialsProvider::builder().configure(&shared).profile_name(name).build(),
            ),
            (None, Some(keys)) => loader.credentials_provider(keys),
            (None, None) => {
                let mut chain = DefaultCredentialsChain::builder().configure(shared).imds_client(instance);
                chain.set_region(region);
                if let Some(name) = &profile {
                    chain = chain.profile_name(name);
                }
                loader.credentials_provider(chain.build().await)
            }
        };
        Ok(loader.load().await)
    }

    /// The endpoint of the settings, or of the environment that was handed in.
    fn endpoint(&self) -> Option<String> {
        let variable = |name| self.setup.environment.text(name);
        let is_ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|text| text == "true");
        let variables: &[&str] = if is_ignored { &[] } else { &[self.endpoint, "AWS_ENDPOINT_URL"] };
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

    /// A client with the roots of the system, and those of `AWS_CA_BUNDLE`.
    fn http(&self) -> Result<SharedHttpClient, SourceError> {
        let mut roots = tls::TrustStore::default();
        if let Some(path) = self.setup.environment.path("AWS_CA_BUNDLE") {
            let pem = std::fs::read(&path).map_err(|error| {
                let cause = format!("AWS_CA_BUNDLE: cannot read `{}`: {error}", path.display());
                SourceError::unreachable(cause, "fix AWS_CA_BUNDLE, or unset it")
            })?;
            roots = roots.with_pem_certificate(pem);
        }
        let context = tls::TlsContext::builder().with_trust_store(roots).build().map_err(|_| {
            SourceError::unreachable("AWS_CA_BUNDLE holds no certificates", "fix AWS_CA_BUNDLE, or unset it")
        })?;
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        Ok(aws_smithy_http_client::Builder::new().tls_provider(provider).tls_context(context).build_https())
    }
}

/// The region in an ARN, `arn:PARTITION:SERVICE:REGION:ACCOUNT:…`.
fn arn_region(path: &str) -> Option<&str> {
    let mut parts = path.split(':');
    (parts.next() == Some("arn")).then(|| parts.nth(2))?.filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_an_arn_is_known() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ml/prod-a1b2c3";
        assert_eq!(arn_region(arn), Some("eu-west-1"));
        assert_eq!(arn_region("arn"), None);
        assert_eq!(arn_region("ml/prod:x:y:z"), None);
    }
}
