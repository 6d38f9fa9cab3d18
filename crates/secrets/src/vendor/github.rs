//! GitHub: `cli/go-gh/pkg/auth`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::SecretValue;
use crate::format::Format;
use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::local::File;
use crate::vendor::row::Looked;
use crate::vendor::tool;

pub(super) const HOST: &str = "github.com";

/// What `gh` has of a host.
#[derive(Deserialize)]
struct Host {
    oauth_token: Option<String>,
    user: Option<String>,
    users: Option<BTreeMap<String, Option<User>>>,
}

/// One of its users.
#[derive(Deserialize)]
struct User {
    oauth_token: Option<String>,
}

/// The file of `gh`, and what it has by host.
type Logins = (File, BTreeMap<String, Host>);

/// Reads that file.
fn logins(local: &Local<'_>) -> Result<Option<Logins>, ProviderError> {
    let folder = local.path("GH_CONFIG_DIR").unwrap_or_else(|| match local.path("XDG_CONFIG_HOME") {
        Some(folder) => folder.join("gh"),
        None => local.home(".config/gh"),
    });
    let Some(file) = Local::read(folder.join("hosts.yml"))? else { return Ok(None) };
    let hosts = file.parse(Format::Yaml, "the YAML of `gh`")?;
    Ok(Some((file, hosts)))
}

/// The hosts in it.
pub(super) fn hosts(local: &Local<'_>) -> Vec<String> {
    logins(local).ok().flatten().map_or_else(Vec::new, |(_, hosts)| hosts.into_keys().collect())
}

/// The host that is meant.
fn host<'a>(local: &Local<'a>) -> &'a str {
    local.asked().or_else(|| local.name("GH_HOST")).unwrap_or(HOST)
}

/// `gh` takes the one kind of token for its vendor's hosts, the other for all others.
fn is_vendors(host: &str) -> bool {
    host == HOST || host.ends_with(".ghe.com")
}

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let host = host(local);
    let set = vendor.sets[usize::from(!is_vendors(host))];
    let key = &set[0];
    let of = |token: SecretValue, place: String| Credential::of(vendor, key, token, place);
    if let Some((token, place)) = local.first(key.read) {
        return Ok(Some(of(token, place)));
    }
    let Some((file, mut hosts)) = logins(local)? else { return Ok(None) };
    let Some(found) = hosts.remove(host) else { return Ok(None) };
    let filled = |token: Option<String>| token.filter(|token| !token.trim().is_empty());
    let of_user = || {
        let user = found.user.as_ref()?;
        found.users?.remove(user)??.oauth_token
    };
    if let Some(token) = filled(found.oauth_token).or_else(|| filled(of_user())) {
        let place = format!("`{host}` in {}", file.place());
        let token = SecretValue::new(token.trim().as_bytes().to_vec());
        return Ok(Some(of(token, place).warning(file.warning)));
    }
    // The token is in the keychain, in a form that only `gh` knows.
    let argv = ["gh", "auth", "token", "--hostname", host];
    let place = format!("`{}`", argv.join(" "));
    if !tool::is_there(local, "gh") {
        return Ok(None);
    }
    if !local.may_run() {
        return Ok(Some(Credential::unproven(vendor, set, &place)));
    }
    let Some(printed) = tool::ask(local, &argv, b"")? else { return Ok(None) };
    let token = SecretValue::new(printed.plain().trim_ascii().to_vec());
    Ok(Some(of(token, place)))
}

/// A token of the GitHub command line can do what its user can; one that was made for a purpose,
/// and one of an app, can do less. A token of the other kind than that of the host which is meant
/// would be offered to a host that it is not for.
pub(super) fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let host = host(local);
    let is_of_kind = |set: &[Key]| credential.parts.iter().all(|part| set.contains(part.key));
    if !is_of_kind(credential.provider.sets[usize::from(!is_vendors(host))]) {
        return credential.staying(if is_vendors(host) {
            "it does not say which host it is for: set `GH_HOST`, or name it as `github:HOST`"
        } else {
            "it is not for the host that `GH_HOST` names"
        });
    }
    if host != HOST {
        credential.settings.push(("GH_HOST".to_owned(), host.to_owned()));
        credential.only_for = Some(host.to_owned());
    }
    let is_narrow = |value: &SecretValue| {
        [&b"github_pat_"[..], b"ghs_"].iter().any(|prefix| value.plain().starts_with(prefix))
    };
    if credential.values().next().is_some_and(is_narrow) {
        return credential.exposed(Exposure::DataPlane);
    }
    credential
}
