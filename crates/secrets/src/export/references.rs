//! Forms with references in them.

use doppio_text::name::EnvName;

use crate::Origin;
use crate::SecretRef;
use crate::export::Unwritable;
use crate::export::Wrapping;
use crate::export::wrapping::head;
use crate::export::wrapping::quoted;

type Secrets = [(EnvName, SecretRef)];

/// Sources of this machine, which nobody else can ask.
const LOCAL: [&str; 8] = ["env", "dotenv", "keyring", "file", "command", "op", "bw", "pass"];

/// <https://external-secrets.io/latest/api/externalsecret/>
pub(super) fn external_secret(secrets: &Secrets, wrapping: &Wrapping) -> Result<String, Unwritable> {
    let mut text = head("external-secrets.io/v1", "ExternalSecret", wrapping);
    text.extend([format!(
        "spec:\n  refreshInterval: 1h\n  secretStoreRef:\n    name: {}\n    kind: SecretStore\n  target:\n    name: {}\n  data:\n",
        quoted(&wrapping.store),
        quoted(&wrapping.name)
    )]);
    for (variable, reference) in secrets {
        let remote = match &reference.origin {
            Origin::Name(name) => Remote { key: name.as_str(), version: reference.version.clone() },
            Origin::Source { scheme, .. } if LOCAL.contains(&scheme.as_str()) => {
                let why = "a cluster can't read from this machine: copy it to a source on the network with \
                           `doppio secret copy`, and name it there";
                return Err(Unwritable { variable: variable.clone(), why });
            }
            Origin::Source { scheme, path } => Remote::of(scheme, path, reference.version.as_deref()),
        };
        if reference.default.is_some() {
            text.extend([format!("    # The default of `{reference}` applies in Doppio only.\n")]);
        }
        text.extend([format!(
            "    - secretKey: {}\n      remoteRef:\n        key: {}\n",
            quoted(variable.as_str()),
            quoted(remote.key)
        )]);
        let property = match reference.property.as_deref().map(path_of) {
            None => None,
            Some(Some(path)) => Some(path),
            Some(None) => {
                let why = "a part of its property has a sign that means something in the paths of \
                           external-secrets.io: rename that member";
                return Err(Unwritable { variable: variable.clone(), why });
            }
        };
        for (word, part) in [("property", &property), ("version", &remote.version)] {
            if let Some(part) = part {
                text.extend([format!("        {word}: {}\n", quoted(part))]);
            }
        }
    }
    Ok(text)
}

/// Where external-secrets.io looks: its stores know the vault, the project and the namespace.
struct Remote<'a> {
    key: &'a str,
    version: Option<String>,
}

impl<'a> Remote<'a> {
    fn of(scheme: &str, path: &'a str, version: Option<&str>) -> Self {
        let key = match scheme {
            "azure" | "kubernetes" => path.split_once('/').map_or(path, |(_, name)| name),
            "gcp" => path.split_once("/secrets/").map_or(path, |(_, name)| name),
            _ => path,
        };
        let version = version.filter(|version| *version != "latest").map(|version| match scheme {
            "aws" if version.len() == 36 && version.split('-').count() == 5 => format!("uuid/{version}"),
            _ => version.to_owned(),
        });
        Self { key, version }
    }
}

/// What has a meaning in GJSON's paths. A dot in a key is looked for as it is first.
/// <https://github.com/tidwall/gjson/blob/master/SYNTAX.md>
const SPECIAL: &str = r"*?|#@\!{}[]()<>=%:~";

/// A property as a GJSON path: a key as it is, a JSON pointer with dots. None where GJSON would
/// read something else.
fn path_of(property: &str) -> Option<String> {
    let is_plain = |key: &str| !key.is_empty() && !key.contains(|c: char| SPECIAL.contains(c));
    let Some(pointer) = property.strip_prefix('/') else {
        return is_plain(property).then(|| property.to_owned());
    };
    let keys: Vec<String> = pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    keys.iter().all(|key| is_plain(key) && !key.contains('.')).then(|| keys.join("."))
}

/// A variable without a value in a service is taken from Compose's own environment.
/// <https://docs.docker.com/reference/compose-file/services/#environment>
pub(super) fn compose(secrets: &Secrets, wrapping: &Wrapping) -> String {
    let bindings: Vec<String> =
        secrets.iter().map(|(variable, reference)| shell_word(&format!("{variable}={reference}"))).collect();
    let mut text = format!("# doppio secret exec {} -- docker compose up\n", bindings.join(" "));
    text.extend([format!("services:\n  {}:\n    environment:\n", quoted(&wrapping.name))]);
    for (variable, _) in secrets {
        text.extend([format!("      - {}\n", quoted(variable.as_str()))]);
    }
    text
}

/// A word that a shell takes as it is; the text has no control characters.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// `$$` is Amulet's way to leave `${{…}}` for the service to fill in.
pub(super) fn amlt(secrets: &Secrets) -> String {
    let mut text = "submit_args:\n  env:\n".to_owned();
    for (variable, _) in secrets {
        text.extend([format!("    {}: $${{{{secrets.{variable}}}}}\n", quoted(variable.as_str()))]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[(&str, &str)]) -> Vec<(EnvName, SecretRef)> {
        texts.iter().map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap())).collect()
    }

    fn wrapping() -> Wrapping {
        Wrapping { name: "app".to_owned(), namespace: Some("ml".to_owned()), store: "aws".to_owned() }
    }

    #[test]
    fn references_stay_references() {
        let all = secrets(&[("HF_TOKEN", "huggingface/token"), ("URL", "aws:prod/app#it's@AWSPREVIOUS")]);
        insta::assert_snapshot!(external_secret(&all, &wrapping()).unwrap(), @r#"
        apiVersion: external-secrets.io/v1
        kind: ExternalSecret
        metadata:
          name: "app"
          namespace: "ml"
        spec:
          refreshInterval: 1h
          secretStoreRef:
            name: "aws"
            kind: SecretStore
          target:
            name: "app"
          data:
            - secretKey: "HF_TOKEN"
              remoteRef:
                key: "huggingface/token"
            - secretKey: "URL"
              remoteRef:
                key: "prod/app"
                property: "it's"
                version: "AWSPREVIOUS"
        "#);
        insta::assert_snapshot!(compose(&all, &wrapping()), @r#"
        # doppio secret exec HF_TOKEN=huggingface/token 'URL=aws:prod/app#it'\''s@AWSPREVIOUS' -- docker compose up
        services:
          "app":
            environment:
              - "HF_TOKEN"
              - "URL"
        "#);
        insta::assert_snapshot!(amlt(&all), @r#"
        submit_args:
          env:
            "HF_TOKEN": $${{secrets.HF_TOKEN}}
            "URL": $${{secrets.URL}}
        "#);
    }

    #[test]
    fn a_store_knows_the_vault_the_project_and_the_namespace() {
        let id = "a1b2c3d4-5678-90ab-cdef-0123456789ab";
        for (reference, key, version) in [
            ("azure:team-vault/app-key", "app-key", None),
            ("gcp:projects/ml/secrets/app@2", "app", Some("2")),
            ("kubernetes:ml/app#key", "app", None),
            ("vault:kv/app@latest", "kv/app", None),
            (&format!("aws:a/b@{id}"), "a/b", Some(format!("uuid/{id}").as_str())),
        ] {
            let text = external_secret(&secrets(&[("A", reference)]), &wrapping()).unwrap();
            assert!(text.contains(&format!("key: \"{key}\"\n")), "{text}");
            assert_eq!(
                text.lines().find_map(|line| line.trim().strip_prefix("version: ")),
                version.map(|version| format!("\"{version}\"")).as_deref(),
                "{text}"
            );
        }
        let text = external_secret(&secrets(&[("A", "aws:a?none")]), &wrapping()).unwrap();
        assert!(text.contains("# The default of `aws:a?none` applies in Doppio only."), "{text}");
    }

    #[test]
    fn pointers_become_paths_or_are_refused() {
        for (property, path) in [
            ("url", Some("url")),
            ("it's a.b", Some("it's a.b")),
            ("/db/0/url", Some("db.0.url")),
            ("/a.b", None),
            ("/a~1b", Some("a/b")),
            ("/a~0b", None),
            ("/a//b", None),
            ("/", None),
            ("a*", None),
            ("/a/#/b", None),
        ] {
            assert_eq!(path_of(property).as_deref(), path, "{property}");
        }
        let fault = external_secret(&secrets(&[("A", "aws:a#/x.y/z")]), &wrapping()).unwrap_err();
        assert!(fault.to_string().contains("external-secrets.io"), "{fault}");
    }

    #[test]
    fn a_cluster_cannot_ask_this_machine() {
        let fault = external_secret(&secrets(&[("A", "keyring:a")]), &wrapping()).unwrap_err();
        assert!(fault.to_string().contains("doppio secret copy"), "{fault}");
    }
}
