//! What a file is that holds more than names and values: recognised, and read as that, or refused.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::SecretValue;
use crate::format::entry::Entry;
use crate::format::entry::Malformed;
use crate::format::entry::without_mark;
use crate::format::expression;
use crate::format::kind::Format;
use crate::format::python;
use crate::format::whole::once;
use crate::format::whole::read;

/// The secrets of a file.
#[derive(Debug)]
pub struct Document {
    /// Its values.
    pub entries: Vec<Entry>,
    /// The line of the first thing in it that is not a value, if there is one: the file is code, too.
    pub code: Option<usize>,
}

/// Why a file is not one of secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSecrets {
    /// It can't be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is something else, which may have secrets in it.
    #[error("{what}")]
    Other {
        /// What it is, to follow its name: "is a GitHub Actions workflow".
        what: String,
        /// What to do; `FILE` stands for its path.
        hint: &'static str,
    },
}

const SCAN: &str = "`doppio secret scan FILE` finds the tokens in it";
const DECRYPT: &str =
    "decrypt it first: `sops decrypt --output PLAIN FILE`, then `doppio secret import PLAIN --remove-source`";
const ANSIBLE: &str = "decrypt it first: `ansible-vault decrypt --output PLAIN FILE`, then `doppio secret import PLAIN --remove-source`";
const ONE_SECRET: &str = "write one Secret: `kubectl get secret NAME -o yaml`, and import that";

fn other<T>(what: impl Into<String>, hint: &'static str) -> Result<T, NotSecrets> {
    Err(NotSecrets::Other { what: what.into(), hint })
}

/// The secrets of a file: of a Kubernetes Secret its data, decoded; of a Python module its texts. A value
/// that is an expression is refused by itself.
///
/// # Errors
///
/// When the text is not of this format, a key has two values, or the file is known for something else than
/// a file of secrets.
pub fn document(format: Format, text: &[u8]) -> Result<Document, NotSecrets> {
    let text = without_mark(text);
    if text.starts_with(b"$ANSIBLE_VAULT;") {
        return other("is encrypted by Ansible Vault", ANSIBLE);
    }
    if text.starts_with(b"age-encryption.org/") || text.starts_with(b"-----BEGIN AGE ENCRYPTED FILE") {
        return other("is encrypted by age", "decrypt it first: `age --decrypt --output PLAIN FILE`");
    }
    let mut document = match format {
        Format::Python => {
            let module = python::module(text)?;
            Document { entries: once(module.entries)?, code: module.code }
        }
        Format::Yaml => Document { entries: of_yaml(text)?, code: None },
        _ => Document { entries: of_tree(read(format, text)?)?, code: None },
    };
    for entry in &mut document.entries {
        if let Some(why) = entry.value.as_ref().ok().and_then(|value| expression::of_value(value.plain())) {
            entry.value = Err(why);
        }
    }
    Ok(document)
}

/// Several documents are read only where all are Secrets.
fn of_yaml(text: &[u8]) -> Result<Vec<Entry>, NotSecrets> {
    let parts = parts(text);
    if parts.len() < 2 {
        return of_tree(read(Format::Yaml, text)?);
    }
    let mut all = Vec::new();
    for (before, part) in parts {
        let entries = read(Format::Yaml, part)
            .map_err(|Malformed { line, why }| Malformed { line: line + before, why })?;
        if text_of(&entries, "kind").as_deref().map(String::as_str) != Some("Secret") {
            return other("has several YAML documents", SCAN);
        }
        let moved = of_tree(entries)?.into_iter().map(|entry| Entry { line: entry.line + before, ..entry });
        all.extend(moved);
    }
    Ok(once(all)?)
}

/// The documents that are not blank, each with the number of lines before it.
fn parts(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut parts = Vec::new();
    let (mut from, mut at, mut first, mut line) = (0, 0, 0, 0);
    for piece in text.split_inclusive(|&byte| byte == b'\n') {
        if piece.trim_ascii_end() == b"---" {
            parts.push((first, &text[from..at]));
            (from, first) = (at + piece.len(), line + 1);
        }
        at += piece.len();
        line += 1;
    }
    parts.push((first, &text[from..]));
    let is_blank = |part: &[u8]| {
        part.split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .all(|line| line.is_empty() || line[0] == b'#')
    };
    parts.retain(|(_, part)| !is_blank(part));
    parts
}

/// The value of a key as text, for keys whose values are not secrets.
fn text_of(entries: &[Entry], key: &str) -> Option<Zeroizing<String>> {
    let value = entries.iter().find(|entry| entry.key == key)?.value.as_ref().ok()?;
    String::from_utf8(value.plain().to_vec()).ok().map(Zeroizing::new)
}

/// The secrets of a tree of values.
fn of_tree(entries: Vec<Entry>) -> Result<Vec<Entry>, NotSecrets> {
    if let (Some(kind), Some(_)) = (text_of(&entries, "kind"), text_of(&entries, "apiVersion")) {
        if kind.as_str() == "Secret" {
            return Ok(of_secret(entries));
        }
        let is_word = kind.len() <= 40 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let kind = if is_word { kind.as_str() } else { "object" };
        let hint = if kind.ends_with("List") { ONE_SECRET } else { SCAN };
        return other(format!("is a Kubernetes {kind}, and not a Secret"), hint);
    }
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    let under = |key: &str| entries.iter().any(|entry| entry.key.starts_with(&format!("{key}/")));
    let ends = |end: &str| entries.iter().any(|entry| entry.key.ends_with(end));
    let either = |key: &str| has(key) || under(key);
    if under("sops") {
        return other("is encrypted by sops", DECRYPT);
    }
    let known = if under("jobs") && (either("on") || either("true")) {
        Some("is a GitHub Actions workflow")
    } else if has("runs/using") {
        Some("is a GitHub action")
    } else if has("jobs") && (either("target") || either("environment") || ends("/sku")) {
        Some("is an amlt job")
    } else if under("services") && (ends("/image") || ends("/build") || ends("/build/context")) {
        Some("is a Compose file")
    } else if ends("/script") && (has("stages") || has("image") || ends("/stage")) {
        Some("is a GitLab pipeline")
    } else if under("jobs") && (under("workflows") || ends("/steps")) {
        Some("is a pipeline of a CI service")
    } else if has("steps") && (either("pool") || either("trigger")) {
        Some("is an Azure pipeline")
    } else if has("nbformat") && has("cells") {
        Some("is a notebook")
    } else if has("name") && (under("scripts") || under("dependencies") || under("devDependencies")) {
        Some("is a package.json")
    } else if under("build-system") || under("project") && either("tool") {
        Some("is a pyproject.toml")
    } else if has("package/edition") || has("package/name") && either("dependencies") {
        Some("is a Cargo.toml")
    } else if has("channels") && has("dependencies") {
        Some("is an environment of conda")
    } else if under("recipe") && either("step") {
        Some("is a recipe of Doppio")
    } else {
        None
    };
    known.map_or(Ok(entries), |what| other(what, SCAN))
}

/// The data of a Kubernetes Secret. A key that is not a variable's name goes below the Secret's.
fn of_secret(entries: Vec<Entry>) -> Vec<Entry> {
    let name = text_of(&entries, "metadata/name");
    let called = |key: &str| {
        let is_variable = key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        match (&name, key) {
            (_, ".dockerconfigjson") => "docker/config".to_owned(),
            (Some(name), key) if !is_variable => format!("{}/{key}", name.as_str()),
            (_, key) => key.to_owned(),
        }
    };
    let plain: Vec<String> =
        entries.iter().filter_map(|entry| entry.key.strip_prefix("stringData/")).map(str::to_owned).collect();
    let mut found = Vec::new();
    for Entry { key, line, value } in entries {
        if let Some(key) = key.strip_prefix("stringData/") {
            found.push(Entry { key: called(key), line, value });
        } else if let Some(key) = key.strip_prefix("data/")
            // The server lets `stringData` win.
            && plain.iter().all(|plain| plain != key)
        {
            found.push(Entry { key: called(key), line, value: value.and_then(|value| decoded(&value)) });
        }
    }
    found
}

fn decoded(value: &SecretValue) -> Result<SecretValue, &'static str> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(value.plain().iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let bytes = BASE64.decode(&text).map_err(|_| "is not base64, as the `data` of a Secret must be")?;
    Ok(SecretValue::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::whole::tests::in_words;

    fn told(format: Format, text: &str) -> Vec<String> {
        match document(format, text.as_bytes()) {
            Err(fault) => vec![fault.to_string()],
            Ok(document) => in_words(&document.entries),
        }
    }

    // case J2
    #[test]
    fn a_secret_of_kubernetes_is_decoded() {
        let one = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ndata:\n  HF_TOKEN: aGZfeA==\n  \
                   password: cHcx\n  bad: '*'\nstringData:\n  PLAIN: aGZfeA==\n";
        let first = [
            "6: HF_TOKEN=\"hf_x\"",
            "7: app/password=\"pw1\"",
            "8: app/bad is not base64, as the `data` of a Secret must be",
            "10: PLAIN=\"aGZfeA==\"",
        ];
        assert_eq!(told(Format::Yaml, one), first);
        let two = format!("---\n{one}---\nkind: Secret\napiVersion: v1\ndata: {{OTHER: eA==}}\n");
        let told_of_two = told(Format::Yaml, &two);
        assert_eq!((told_of_two.len(), told_of_two[4].as_str()), (5, "15: OTHER=\"x\""));
        let json = r#"{"apiVersion": "v1", "kind": "Secret", "data": {"A_KEY": "eA=="}}"#;
        assert_eq!(told(Format::Json, json), ["1: A_KEY=\"x\""]);
    }

    // case J2
    #[test]
    fn what_is_something_else_is_refused() {
        for (format, text, what) in [
            (
                Format::Yaml,
                "on: push\njobs:\n  deploy:\n    runs-on: x\n    env:\n      HF_TOKEN: hf_x\n",
                "is a GitHub Actions workflow",
            ),
            (
                Format::Yaml,
                "on:\n  push:\n    branches: [main]\njobs:\n  a:\n    steps: []\n",
                "is a GitHub Actions workflow",
            ),
            (Format::Yaml, "target:\n  service: sing\njobs:\n- name: a\n  sku: G1\n", "is an amlt job"),
            (Format::Yaml, "services:\n  db:\n    image: x\n", "is a Compose file"),
            (Format::Yaml, "stages: [a]\nbuild:\n  script: [make]\n", "is a GitLab pipeline"),
            (
                Format::Yaml,
                "apiVersion: v1\nkind: ConfigMap\ndata: {A: b}\n",
                "is a Kubernetes ConfigMap, and not a Secret",
            ),
            (
                Format::Yaml,
                "apiVersion: v1\nkind: SecretList\nitems: []\n",
                "is a Kubernetes SecretList, and not a Secret",
            ),
            (Format::Yaml, "a: ENC[x]\nsops:\n  mac: x\n", "is encrypted by sops"),
            (Format::Yaml, "a: b\n---\nc: d\n", "has several YAML documents"),
            (Format::Json, r#"{"cells": [], "nbformat": 4}"#, "is a notebook"),
            (Format::Json, r#"{"name": "x", "scripts": {"a": "b"}}"#, "is a package.json"),
            (Format::Toml, "[package]\nname = 'x'\nedition = '2024'\n", "is a Cargo.toml"),
            (Format::Toml, "[recipe]\nname = 'x'\n[[step]]\nid = 'a'\n", "is a recipe of Doppio"),
            (Format::Dotenv, "$ANSIBLE_VAULT;1.1;AES256\n616263\n", "is encrypted by Ansible Vault"),
        ] {
            assert_eq!(told(format, text), [what], "{text}");
        }
        for text in
            ["jobs: hunter2\n", "services:\n  db: hunter2\n", "data:\n  A: hunter2\n", "on: hunter2\n"]
        {
            assert!(told(Format::Yaml, text)[0].contains("hunter2"), "{text}");
        }
    }
}
