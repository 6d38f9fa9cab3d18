//! GitHub: `cli/go-gh/pkg/auth`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::SecretValue;
use crate::secret::provider::Credential;
use crate::secret::provider::Exposure;
use crate::secret::provider::Key;
use crate::secret::provider::Local;
use crate::secret::provider::Provider;
use crate::secret::provider::ProviderError;
use crate::secret::provider::tool;

pub(super) static PROVIDER: Provider = Provider {
    name: "github",
    aliases: &["gh"],
    summary: "GitHub token",
    exposure: Exposure::Personal,
    alternative: "make a fine-grained token for one repository and store it: \
                  `doppio secret set github/token`; or use a deploy key",
    sets: &[
        &[Key::variables("github/token", &["GH_TOKEN", "GITHUB_TOKEN"], &["GH_TOKEN"])],
        &[Key::variables(
            "github/enterprise_token",
            &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
            &["GH_ENTERPRISE_TOKEN"],
        )],
    ],
    companions: &["GH_HOST"],
    tell: Some(tell),
    look,
};

const HOST: &str = "github.com";

fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    #[derive(Deserialize)]
    struct Host {
        oauth_token: Option<String>,
        user: Option<String>,
        users: Option<BTreeMap<String, Option<User>>>,
    }
    #[derive(Deserialize)]
    struct User {
        oauth_token: Option<String>,
    }
    let host = local.asked().or_else(|| local.text("GH_HOST")).unwrap_or(HOST);
    // `gh` takes the one kind of token for its vendor's hosts, the other for all others.
    let is_vendors = host == HOST || host.ends_with(".ghe.com");
    let set = provider.sets[usize::from(!is_vendors)];
    let key = &set[0];
    let of = |token: SecretValue, place: String| {
        let mut found = Credential::of(provider, key, token, place);
        if host != HOST {
            found.settings.push(("GH_HOST".to_owned(), host.to_owned()));
        }
        found
    };
    if let Some((token, place)) = local.first(key.read) {
        return Ok(Some(of(token, place)));
    }
    let folder = local.path("GH_CONFIG_DIR").unwrap_or_else(|| match local.path("XDG_CONFIG_HOME") {
        Some(folder) => folder.join("gh"),
        None => local.home(".config/gh"),
    });
    let Some(file) = Local::read(folder.join("hosts.yml"))? else { return Ok(None) };
    let mut hosts: BTreeMap<String, Host> =
        serde_saphyr::from_str(file.text()?).map_err(|_| file.broken("it is not the YAML of `gh`"))?;
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
    // The token is in the keychain, in a form that is the business of `gh`.
    let argv = ["gh", "auth", "token", "--hostname", host];
    let place = format!("`{}`", argv.join(" "));
    if !tool::is_there(local, "gh") {
        return Ok(None);
    }
    if !local.may_run() {
        return Ok(Some(Credential::unproven(provider, set, &place)));
    }
    let Some(printed) = tool::ask(local, &argv, b"")? else { return Ok(None) };
    let token = SecretValue::new(printed.plain().trim_ascii().to_vec());
    Ok(Some(of(token, place)))
}

/// A token of the GitHub command line can do what its user can; one that was made for a purpose,
/// and one of an app, can do less.
fn tell(credential: Credential, _: &Local<'_>) -> Credential {
    let is_narrow = |value: &SecretValue| {
        [&b"github_pat_"[..], b"ghs_"].iter().any(|prefix| value.plain().starts_with(prefix))
    };
    if credential.values().next().is_some_and(is_narrow) {
        return credential.exposed(Exposure::DataPlane);
    }
    credential
}
