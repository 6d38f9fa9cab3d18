//! Kubernetes: the current context alone, with the files it names in it.

use std::path::Path;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::address;
use crate::format;
use crate::format::Format;
use crate::vendor::Credential;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::credential::jwt_expiry;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;

pub(super) static FILE: FileForm = FileForm::path("KUBECONFIG", "config");

/// Members whose value is the path of a file, and the member that has the file itself.
const FILES: [(&str, &str); 3] = [
    ("certificate-authority", "certificate-authority-data"),
    ("client-certificate", "client-certificate-data"),
    ("client-key", "client-key-data"),
];

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let mut merged = Merged::of(local)?;
    let asked = local.asked().map(str::to_owned).or(merged.current.clone());
    let Some(name) = asked.filter(|name| !name.is_empty()) else { return Ok(None) };
    let broken = |cause: String| ProviderError {
        cause: format!("the kubeconfig {cause}"),
        hint: "look at it with `kubectl config view`".to_owned(),
    };
    let find = |kind: usize, name: &str| merged.named[kind].iter().find(|(known, ..)| known == name);
    let Some((_, context, _)) = find(0, &name) else {
        if local.asked().is_some() {
            return Ok(None);
        }
        return Err(broken(format!("has no context `{name}`")));
    };
    let member = |member: &str| context.get(member).and_then(Value::as_str).unwrap_or_default();
    let (cluster_name, user_name) = (member("cluster"), member("user"));
    let (Some((_, cluster, near)), Some((_, user, beside))) = (find(1, cluster_name), find(2, user_name))
    else {
        return Err(broken(format!("has no cluster or user of context `{name}`")));
    };
    let cluster = flattened(cluster, near)?;
    let user = flattened(user, beside)?;
    let text = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{ "name": name, "context": context }],
        "clusters": [{ "name": cluster_name, "cluster": cluster }],
        "users": [{ "name": user_name, "user": user }],
    });
    let value = SecretValue::new(text.to_string().into_bytes());
    let place = format!("context `{name}` of the kubeconfig");
    let mut found = vendor.found(value, place);
    if user.contains_key("exec") || user.contains_key("auth-provider") {
        found.refusal = Some(
            "its credentials come from a program on this machine, which the host does not have".to_owned(),
        );
    }
    let server = cluster.get("server").and_then(Value::as_str).unwrap_or_default();
    if ["//localhost", "//127.", "//[::1]"].iter().any(|place| server.contains(place)) {
        merged
            .warnings
            .push(format!("`{server}` is this machine: another host can't reach it under that name"));
    }
    let token = user.get("token").and_then(Value::as_str);
    let end = token.and_then(|token| jwt_expiry(&SecretValue::new(token.as_bytes().to_vec())));
    Ok(Some(found.ending(end).warning(merged.warnings)))
}

/// The private key stands in the file in base64, and logins in addresses: a program that decodes
/// them prints what is secret by itself. What was stored may be as the user wrote it, in YAML.
pub(super) fn tell(mut credential: Credential, _: &Local<'_>) -> Credential {
    let parsed = |value: &SecretValue| format::parse::<Value>(Format::Yaml, value.plain());
    let configs: Vec<Value> = credential.values().filter_map(parsed).collect();
    for config in &configs {
        let all = |list: &str| config.get(list).and_then(Value::as_array).into_iter().flatten();
        for user in all("users").filter_map(|named| named.get("user")) {
            let text = |member: &str| user.get(member).and_then(Value::as_str);
            let plain =
                ["token", "password"].into_iter().filter_map(text).map(|text| text.as_bytes().to_vec());
            let key = text("client-key-data").and_then(decoded);
            credential.inner.extend(plain.chain(key).filter(|bytes| !bytes.is_empty()).map(SecretValue::new));
        }
        for cluster in all("clusters").filter_map(|named| named.get("cluster")) {
            let addresses =
                ["server", "proxy-url"].into_iter().filter_map(|member| cluster.get(member)?.as_str());
            credential.inner.extend(addresses.flat_map(address::secrets));
        }
    }
    credential
}

/// The contexts of all files.
pub(super) fn contexts(local: &Local<'_>) -> Vec<String> {
    let merged = Merged::of(local).unwrap_or_default();
    let [contexts, ..] = merged.named;
    contexts.into_iter().map(|(name, ..)| name).collect()
}

/// Base64, also where YAML has it on several lines.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let line: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    BASE64.decode(line.as_bytes()).ok()
}

/// Several files as one: the first that says something counts.
#[derive(Default)]
struct Merged {
    current: Option<String>,
    /// Contexts, clusters and users: the name, what it is, and the file it stands in.
    named: [Vec<(String, Value, PathBuf)>; 3],
    warnings: Vec<String>,
}

impl Merged {
    /// The files of this machine.
    fn of(local: &Local<'_>) -> Result<Self, ProviderError> {
        let paths = local.env().paths("KUBECONFIG").unwrap_or_else(|| vec![local.home(".kube/config")]);
        let mut merged = Self::default();
        for path in paths {
            let Some(file) = Local::read(path)? else { continue };
            let value: Value = file.parse(Format::Yaml, "the YAML of a kubeconfig")?;
            merged.add(&value, &file.path);
            merged.warnings.extend(file.warning);
        }
        Ok(merged)
    }

    fn add(&mut self, file: &Value, path: &Path) {
        if self.current.is_none() {
            let current = file.get("current-context").and_then(Value::as_str).filter(|name| !name.is_empty());
            self.current = current.map(str::to_owned);
        }
        for (kind, (list, member)) in
            [("contexts", "context"), ("clusters", "cluster"), ("users", "user")].into_iter().enumerate()
        {
            for item in file.get(list).and_then(Value::as_array).into_iter().flatten() {
                if let (Some(name), Some(value)) =
                    (item.get("name").and_then(Value::as_str), item.get(member))
                    && self.named[kind].iter().all(|(known, ..)| known != name)
                {
                    self.named[kind].push((name.to_owned(), value.clone(), path.to_owned()));
                }
            }
        }
    }
}

/// The same without references to files of this machine. Paths are taken from where the file is.
fn flattened(value: &Value, file: &Path) -> Result<Map<String, Value>, ProviderError> {
    let mut table = value.as_object().cloned().unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new("/"));
    for (by_path, by_value) in FILES {
        if let Some(Value::String(path)) = table.remove(by_path)
            && !table.contains_key(by_value)
        {
            table.insert(by_value.to_owned(), Value::from(BASE64.encode(named(folder.join(path))?.plain())));
        }
    }
    if let Some(Value::String(path)) = table.remove("tokenFile") {
        let token = named(folder.join(path))?;
        let text = String::from_utf8_lossy(token.plain().trim_ascii()).into_owned();
        table.insert("token".to_owned(), Value::from(text));
    }
    Ok(table)
}

fn named(path: PathBuf) -> Result<SecretValue, ProviderError> {
    let shown = path.display().to_string();
    Local::read(path)?.map(|file| file.value).ok_or_else(|| ProviderError {
        cause: format!("the kubeconfig names `{shown}`, which does not exist"),
        hint: "look at it with `kubectl config view`".to_owned(),
    })
}

/// A kubeconfig.
pub(super) fn file(_: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let is = |pointer: &str| {
        [Format::Yaml, Format::Json].into_iter().any(|format| {
            format::member(format, text, pointer).ok().flatten().is_some_and(|kind| kind.plain() == b"Config")
        })
    };
    is("/kind").then(|| ToolFile::instead("a kubeconfig", "kubeconfig"))
}
