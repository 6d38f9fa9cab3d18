//! npm: `npm/cli`, `workspaces/config`.

use std::path::PathBuf;

use crate::SecretValue;
use crate::vendor::Credential;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;

static FILE: FileForm = FileForm::path("NPM_CONFIG_USERCONFIG", "npmrc");

/// The usual registry.
const HOST: &str = concat!("registry.", "npmjs", ".org");

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let host = local.asked().unwrap_or(HOST);
    if let Some(file) = Local::read(path(local))?
        && let Some(raw) = entry(file.text()?, &format!("//{host}/:_authToken"))
        && let Some(token) = expanded(raw, local)
    {
        let place = format!("`//{host}/` in {}", file.place());
        return Ok(Some(file.found(vendor, token, place)));
    }
    // npm itself does not know this variable; files that people keep in projects refer to it.
    Ok(local.set(vendor, vendor.sets[0]))
}

/// The user's file.
fn path(local: &Local<'_>) -> PathBuf {
    let named = local.path("npm_config_userconfig").or_else(|| local.path("NPM_CONFIG_USERCONFIG"));
    named.unwrap_or_else(|| local.home(".npmrc"))
}

/// The registries that it has tokens for.
pub(super) fn registries(local: &Local<'_>) -> Vec<String> {
    let Some(file) = Local::read(path(local)).ok().flatten() else { return Vec::new() };
    let registry = |line: &str| {
        let (key, _) = line.trim().split_once('=')?;
        Some(key.trim().strip_prefix("//")?.strip_suffix("/:_authToken")?.to_owned())
    };
    file.text().unwrap_or_default().lines().filter_map(registry).collect()
}

/// npm's file, which says by the variable's name where the token is: no variable that a shell can
/// set does that.
pub(super) fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
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

/// An `.npmrc`.
pub(super) fn file(_: &'static Vendor, name: &str, _: &SecretValue) -> Option<ToolFile> {
    (name == ".npmrc").then(|| ToolFile::instead("an .npmrc", "npm"))
}
