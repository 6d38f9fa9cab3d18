//! Under which name Secret Manager is asked.
//!
//! A "universe" is a Google Cloud of its own, with a domain of its own. Besides the service's name
//! there, addresses of regions are names of the service; any other one of the domain
//! (`private.googleapis.com`, Private Service Connect) is a way to it, and the request says for whom
//! it is.

use google_cloud_auth::credentials::Credentials;

use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

const SERVICE: &str = "secretmanager";

/// The domain of Google's public cloud.
pub(super) const PUBLIC: &str = "googleapis.com";

/// Where the universe is named.
const UNIVERSE: &str = "GOOGLE_CLOUD_UNIVERSE_DOMAIN";

/// The name of the service in a universe.
pub(super) fn of_service(universe: &str) -> String {
    format!("{SERVICE}.{universe}")
}

/// For whom a request to `host` is, if `host` is another way to the service.
pub(super) fn behind(host: &str, universe: &str) -> Option<String> {
    [universe, PUBLIC].into_iter().find_map(|domain| {
        let prefix = host.strip_suffix(domain)?.strip_suffix('.')?;
        (!is_own(prefix)).then(|| of_service(domain))
    })
}

/// Whether the part before the domain is a name of the service itself.
fn is_own(prefix: &str) -> bool {
    match prefix.split('.').collect::<Vec<_>>().as_slice() {
        [SERVICE] | [SERVICE, _, "rep"] => true,
        [place] => place.strip_suffix("-secretmanager").is_some_and(|place| !place.is_empty()),
        _ => false,
    }
}

/// The universe, which the login and the environment must agree on: its tokens are for no other one.
pub(super) async fn universe(setup: &Setup, credentials: &Credentials) -> Result<String, SourceError> {
    let of_login = credentials.universe_domain().await.unwrap_or_else(|| PUBLIC.to_owned());
    let named = setup.environment.text(UNIVERSE).unwrap_or(PUBLIC);
    if of_login == named {
        return Ok(of_login);
    }
    Err(SourceError::unreachable(
        format!("the login is for the universe `{of_login}`, and Secret Manager would be asked in `{named}`"),
        format!("set `{UNIVERSE}={of_login}`, or log in there"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_way_to_the_service_needs_its_name() {
        for own in [
            "secretmanager.googleapis.com",
            "secretmanager.europe-west3.rep.googleapis.com",
            "europe-west3-secretmanager.googleapis.com",
            "secretmanager.cloud.example",
            "127.0.0.1",
            "secrets.example",
            "evilgoogleapis.com",
        ] {
            assert_eq!(behind(own, "cloud.example"), None, "{own}");
        }
        for way in ["private.googleapis.com", "secretmanager-mine.p.googleapis.com", "x.y.rep.googleapis.com"]
        {
            assert_eq!(behind(way, PUBLIC).as_deref(), Some("secretmanager.googleapis.com"), "{way}");
        }
        assert_eq!(
            behind("private.cloud.example", "cloud.example").as_deref(),
            Some("secretmanager.cloud.example")
        );
    }
}
