//! Docker: `docker/cli/cli/config`.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format;
use crate::format::Format;
use crate::vendor::Credential;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::local::File;
use crate::vendor::local::variable;
use crate::vendor::row::Looked;
use crate::vendor::tool;
use crate::vendor::tool_file::ToolFile;

/// Docker is told the folder, and finds `config.json` in it.
pub(super) static FILE: FileForm =
    FileForm { names_folder: true, ..FileForm::path("DOCKER_CONFIG", "config.json") };

/// What Docker Hub is called in the file.
const HUB: &str = "https://index.docker.io/v1/";

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    for (file, place) in configs(local)? {
        let registry = match registry(&file, local)? {
            Registry::None => continue,
            Registry::One(name) => name,
            Registry::Several(names) => {
                let why = format!("it has {} registries: name one, as in `docker:{}`", names.len(), names[0]);
                return Ok(Some(Credential::refused(vendor, place, &why)));
            }
        };
        if let Some(found) = login(vendor, local, (file, place), &registry)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What has logins, and what messages call it: the variable first. What is not in it is looked for
/// in the file.
fn configs(local: &Local<'_>) -> Result<Vec<(File, String)>, ProviderError> {
    const NAME: &str = "DOCKER_AUTH_CONFIG";
    let folder = local.path("DOCKER_CONFIG").unwrap_or_else(|| local.home(".docker"));
    let of_variable =
        local.token(NAME).map(|value| (File { path: NAME.into(), value, warning: None }, variable(NAME)));
    let of_file = Local::read(folder.join("config.json"))?.map(|file| {
        let place = file.place();
        (file, place)
    });
    Ok(of_variable.into_iter().chain(of_file).collect())
}

/// The login to one registry.
fn login(
    vendor: &'static Vendor,
    local: &Local<'_>,
    (file, place): (File, String),
    registry: &str,
) -> Looked {
    let below = |member: &str| format!("{member}/{}", registry.replace('~', "~0").replace('/', "~1"));
    let helper = match file.json_text(&below("/credHelpers"))? {
        Some(helper) => Some(helper),
        None => file.json_text("/credsStore")?,
    };
    if let Some(helper) = helper {
        return of_helper(vendor, local, &helper, registry);
    }
    let Some(entry) = file.json(&below("/auths"))? else { return Ok(None) };
    if format::select(&entry, "auth").ok().flatten().is_none()
        && format::select(&entry, "identitytoken").ok().flatten().is_none()
    {
        return Ok(None);
    }
    let place = format!("`{registry}` in {place}");
    let value = one(registry, entry.plain());
    Ok(Some(file.found(vendor, value, place)))
}

/// Which registry a file is asked for.
enum Registry {
    None,
    One(String),
    Several(Vec<String>),
}

/// The registry that is asked for, or the only one; Docker Hub of several.
fn registry(file: &File, local: &Local<'_>) -> Result<Registry, ProviderError> {
    if let Some(asked) = local.asked() {
        return Ok(Registry::One(if matches!(asked, "docker.io" | "hub") { HUB } else { asked }.to_owned()));
    }
    let names = names(file)?;
    if names.iter().any(|name| name == HUB) {
        return Ok(Registry::One(HUB.to_owned()));
    }
    Ok(match names.as_slice() {
        [] => Registry::None,
        [only] => Registry::One(only.clone()),
        _ => Registry::Several(names),
    })
}

/// The registries of the variable and the file.
pub(super) fn registries(local: &Local<'_>) -> Vec<String> {
    let configs = configs(local).unwrap_or_default();
    configs.iter().flat_map(|(file, _)| names(file).unwrap_or_default()).collect()
}

/// The registries that a file has logins or helpers for.
fn names(file: &File) -> Result<Vec<String>, ProviderError> {
    let mut names = Vec::new();
    for member in ["auths", "credHelpers"] {
        if let Some(table) = file.json(&format!("/{member}"))?
            && let Some(table) =
                format::parse::<serde_json::Map<String, serde_json::Value>>(Format::Json, table.plain())
        {
            names.extend(table.keys().cloned());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The passwords and tokens in the file's logins are secrets by themselves.
pub(super) fn tell(mut credential: Credential, _: &Local<'_>) -> Credential {
    #[derive(serde::Deserialize)]
    struct Config {
        auths: std::collections::BTreeMap<String, Login>,
    }
    #[derive(serde::Deserialize)]
    struct Login {
        auth: Option<String>,
        identitytoken: Option<String>,
    }
    let configs =
        credential.values().filter_map(|value| format::parse::<Config>(Format::Json, value.plain()));
    let mut secrets = Vec::new();
    for login in configs.flat_map(|config| config.auths.into_values()) {
        secrets.extend(login.identitytoken.map(String::into_bytes));
        let auth = login.auth.map(Zeroizing::new);
        let pair = auth.and_then(|auth| BASE64.decode(auth.as_bytes()).ok()).map(Zeroizing::new);
        secrets.extend(pair.and_then(|pair| {
            let at = pair.iter().position(|&byte| byte == b':')?;
            Some(pair[at + 1..].to_vec())
        }));
    }
    // Beside a token of its own the password is empty.
    credential.inner.extend(secrets.into_iter().filter(|secret| !secret.is_empty()).map(SecretValue::new));
    credential
}

/// A login that a helper keeps: the file of the far side has it as the helper says it.
fn of_helper(vendor: &'static Vendor, local: &Local<'_>, helper: &str, registry: &str) -> Looked {
    let program = format!("docker-credential-{helper}");
    let place = format!("`{program}`, for `{registry}`");
    if !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Ok(Some(Credential::refused(vendor, place, "it is not a helper's name")));
    }
    if !local.may_run() {
        return Ok(Some(Credential::unproven(vendor, vendor.sets[0], &place)));
    }
    if !tool::is_there(local, &program) {
        return Ok(Some(Credential::refused(vendor, place, "that helper is not installed")));
    }
    let Some(printed) = tool::ask(local, &[&program, "get"], registry.as_bytes())? else { return Ok(None) };
    let member = |name: &str| format::select(&printed, name).ok().flatten();
    let (Some(user), Some(secret)) = (member("Username"), member("Secret")) else { return Ok(None) };
    let entry = if user.plain() == b"<token>" {
        let text = Zeroizing::new(String::from_utf8_lossy(secret.plain()).into_owned());
        Zeroizing::new(serde_json::json!({ "identitytoken": text.as_str() }).to_string())
    } else {
        let login = Zeroizing::new([user.plain(), b":", secret.plain()].concat());
        Zeroizing::new(serde_json::json!({ "auth": BASE64.encode(&login) }).to_string())
    };
    let value = one(registry, entry.as_bytes());
    Ok(Some(vendor.found(value, place)))
}

/// A file with one registry in it and no helper.
fn one(registry: &str, entry: &[u8]) -> SecretValue {
    let name = serde_json::Value::from(registry).to_string();
    SecretValue::new([b"{\"auths\":{", name.as_bytes(), b":", entry, b"}}"].concat())
}

/// A config.json of Docker.
pub(super) fn file(_: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let has = |member: &str| format::json_member(text.plain(), &[member]).is_some();
    (has("auths") || has("credsStore") || has("credHelpers"))
        .then(|| ToolFile::instead("a config.json of Docker", "docker"))
}
