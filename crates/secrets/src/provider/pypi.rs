//! `PyPI`: twine's `~/.pypirc`, and uv.

use crate::SecretValue;
use crate::format::Ini;
use crate::provider::Credential;
use crate::provider::Exposure;
use crate::provider::Key;
use crate::provider::Local;
use crate::provider::Provider;
use crate::provider::ProviderError;
use crate::provider::Several;
use crate::provider::keys::environment;
use crate::provider::local::File;

pub(super) static PROVIDER: Provider = Provider {
    name: "pypi",
    aliases: &["twine"],
    summary: "PyPI token",
    exposure: Exposure::Scoped,
    alternative: "create a token of one project in the settings of your account",
    sets: &[&[Key::variables("pypi/token", &["TWINE_PASSWORD"], &["TWINE_PASSWORD"])]],
    companions: &["TWINE_USERNAME", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL"],
    several: Some(Several { one: "index", names: indexes }),
    tell: Some(tell),
    look,
};

/// uv publishes with a token of its own variable and keeps none in a file.
pub(super) static UV: Provider = Provider {
    name: "uv",
    aliases: &[],
    summary: "token that uv publishes with",
    exposure: Exposure::Scoped,
    alternative: "create a token of one project in the settings of your account",
    sets: &[&[Key::variables("uv/publish_token", &["UV_PUBLISH_TOKEN"], &["UV_PUBLISH_TOKEN"])]],
    companions: &["UV_PUBLISH_URL"],
    several: None,
    tell: None,
    look: environment,
};

/// The section of the usual index, and where its address begins.
const USUAL: &str = "pypi";
const ADDRESS: &str = "https://upload.pypi.org/";

fn look(provider: &'static Provider, local: &Local<'_>) -> Result<Option<Credential>, ProviderError> {
    if let Some(found) = environment(provider, local)? {
        return Ok(Some(found));
    }
    let Some((file, ini)) = pypirc(local)? else { return Ok(None) };
    let name = local.asked().or_else(|| local.text("TWINE_REPOSITORY")).unwrap_or(USUAL);
    let Some(section) = ini.section(name) else { return Ok(None) };
    let Some(password) = section.get("password") else { return Ok(None) };
    let value = SecretValue::new(password.as_bytes().to_vec());
    let place = format!("`[{name}]` in {}", file.place());
    let mut found =
        Credential::of(provider, &provider.sets[0][0], value, place).warning(file.warning.clone());
    let is_usual = section.get("repository").is_none_or(|address| address.starts_with(ADDRESS));
    found.only_for = (name != USUAL || !is_usual).then(|| name.to_owned());
    for (variable, value) in
        [("TWINE_USERNAME", section.get("username")), ("TWINE_REPOSITORY_URL", section.get("repository"))]
    {
        if let (Some(value), None) = (value, local.text(variable)) {
            found.settings.push((variable.to_owned(), value.to_owned()));
        }
    }
    Ok(Some(found))
}

fn pypirc(local: &Local<'_>) -> Result<Option<(File, Ini)>, ProviderError> {
    let Some(file) = Local::read(local.home(".pypirc"))? else { return Ok(None) };
    let ini =
        Ini::parse(file.text()?).map_err(|fault| file.broken(&format!("line {} is not INI", fault.0)))?;
    Ok(Some((file, ini)))
}

/// The sections that have a password.
fn indexes(local: &Local<'_>) -> Vec<String> {
    let ini = pypirc(local).ok().flatten().map(|(_, ini)| ini).unwrap_or_default();
    ini.sections().filter(|section| section.has("password")).map(|section| section.name.clone()).collect()
}

/// A token goes with this user's name, unless another one is set.
fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let name = "TWINE_USERNAME";
    if local.text(name).is_none() && credential.settings.iter().all(|(known, _)| known != name) {
        credential.settings.push((name.to_owned(), "__token__".to_owned()));
    }
    credential
}
