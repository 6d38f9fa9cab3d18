//! npm: `npm/cli`, `workspaces/config`.

use std::path::PathBuf;

use crate::SecretValue;
use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::FileForm;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;
use crate::provider::Several;

static FILE: FileForm = FileForm::path("NPM_CONFIG_USERCONFIG", "npmrc");

pub(super) static PROVIDER: Provider = Provider {
    name: "npm",
    aliases: &[],
    summary: "npm registry token",
    exposure: Exposure::Scoped,
    alternative: "create a token that can only read: `npm token create --read-only`",
    sets: &[&[Key::variables("npm/token", &["NPM_TOKEN"], &["NPM_TOKEN"])]],
    companions: &[],
    several: Some(Several { one: "registry", names: registries }),
    tell: Some(tell),
    look,
};

/// The usual registry.
const HOST: &str = concat!("registry.", "npmjs", ".org");

fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    let host = local.asked().unwrap_or(HOST);
    let key = &provider.sets[0][0];
    if let Some(file) = Local::read(path(local))?
        && let Some(raw) = entry(file.text()?, &format!("//{host}/:_authToken"))
        && let Some(token) = expanded(raw, local)
    {
        let place = format!("`//{host}/` in {}", file.place());
        return Ok(Some(Credential::of(provider, key, token, place).warning(file.warning)));
    }
    // npm itself does not know this variable; files that people keep in projects refer to it.
    Ok(local.set(provider, provider.sets[0]))
}

/// The user's file.
fn path(local: &Local<'_>) -> PathBuf {
    let named = local.path("npm_config_userconfig").or_else(|| local.path("NPM_CONFIG_USERCONFIG"));
    named.unwrap_or_else(|| local.home(".npmrc"))
}

/// The registries that it has tokens for.
fn registries(local: &Local<'_>) -> Vec<String> {
    let Some(file) = Local::read(path(local)).ok().flatten() else { return Vec::new() };
    let registry = |line: &str| {
        let (key, _) = line.trim().split_once('=')?;
        Some(key.trim().strip_prefix("//")?.strip_suffix("/:_authToken")?.to_owned())
    };
    file.text().unwrap_or_default().lines().filter_map(registry).collect()
}

/// npm's file, which says by the variable's name where the token is: no variable that a shell can
/// set does that.
fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let host = local.asked().unwrap_or(HOST);
    credential.only_for = (host != HOST).then(|| host.to_owned());
    credential.files.push((&FILE, format!("//{host}/:_authToken=${{NPM_TOKEN}}\n")));
    credential
}

/// The value of a name in an `.npmrc`. The later of two counts.
fn entry<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let mut values = lines.filter_map(|line| line.split_once('=')).filter(|(key, _)| key.trim() == name);
    let value = values.next_back()?.1.trim();
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (!bare.is_empty()).then_some(bare)
}

/// `${VAR}` is what the variable holds.
fn expanded(value: &str, local: &Local<'_>) -> Option<SecretValue> {
    match value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => local.token(name),
        None => Some(SecretValue::new(value.as_bytes().to_vec())),
    }
}
