//! Between the names of secrets and of the variables that hold them.

use doppio_text::name::EnvName;
use doppio_text::name::SecretName;

use crate::Origin;
use crate::SecretRef;
use crate::SecretValue;
use crate::address;
use crate::mask;
use crate::randomness::is_random;
use crate::source::variables;
use crate::steering;
use crate::vendor;

/// What stands before the names of variables that nobody knows.
pub const PLAIN: &str = "env";

/// The name under which the value of a variable, or of a member of a file, is kept: the
/// well-known one, else the key itself below `prefix`. Keys with a `/` are names already, and
/// need none.
pub fn name_of(key: &str, prefix: Option<&str>) -> Option<SecretName> {
    if let Some(known) = vendor::of_variable(key) {
        return known.name.parse().ok();
    }
    match prefix {
        Some(prefix) => format!("{}/{key}", prefix.trim_end_matches('/')).parse().ok(),
        None if key.contains('/') => key.parse().ok(),
        None => format!("{PLAIN}/{key}").parse().ok(),
    }
}

/// Whether a setting of a file is a secret, by what it is called and how it looks, and not a setting that
/// stands beside secrets, as `LOG_LEVEL=debug`.
pub fn is_secret(key: &str, value: &SecretValue) -> bool {
    let text = || std::str::from_utf8(value.plain()).unwrap_or_default();
    vendor::of_variable(key).or_else(|| vendor::of_variable(last(key))).is_some()
        || mask::telling(key)
        || is_random(text())
        || vendor::is_token(text())
        || address::login(value.plain()).is_some()
}

/// Whether a variable of the environment holds a secret: one that is known, or one whose name says so and
/// whose value is no plain word.
pub fn is_secret_variable(variable: &str, value: Option<&str>) -> bool {
    match vendor::of_variable(variable) {
        Some(key) => !key.is_public,
        None => mask::telling(variable) && value.is_some_and(is_no_plain_word),
    }
}

/// Not a number, a switch or a path, as in `TOKENIZERS_PARALLELISM=false`.
fn is_no_plain_word(value: &str) -> bool {
    let has = |class: fn(&u8) -> bool| value.bytes().any(|byte| class(&byte));
    !value.starts_with('/') && (value.len() >= 8 || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic))
}

/// The variable that a secret is for: the well-known one; the last part of the name where that is
/// a variable already, as in `env/DATABASE_URL`; else the name in capitals. Of a member it is the
/// member that counts.
pub fn variable_of(reference: &SecretRef) -> Option<EnvName> {
    usual(reference).filter(|variable| !steering::rules(variable.as_str()))
}

/// The same for a reference that a recipe names, which may be somebody else's: it does not lead a program
/// elsewhere either.
pub fn variable_in_recipe(reference: &SecretRef) -> Option<EnvName> {
    usual(reference).filter(|variable| !steering::steers(variable.as_str()))
}

fn usual(reference: &SecretRef) -> Option<EnvName> {
    if let Some(property) = &reference.property {
        return in_capitals(last(property));
    }
    let path = match &reference.origin {
        Origin::Name(name) => name.as_str(),
        Origin::Source { path, .. } => path,
    };
    let is_variable =
        |part: &str| part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if is_variable(last(path)) {
        return last(path).parse().ok();
    }
    let name = path.parse::<SecretName>().ok();
    let known = name.as_ref().and_then(vendor::known);
    if let Some(variable) = known.and_then(|key| key.sent_as().first()) {
        return variable.parse().ok();
    }
    match (name, &reference.origin) {
        (Some(name), origin) if known.is_some() || matches!(origin, Origin::Name(_)) => {
            variables(&name).first()?.parse().ok()
        }
        _ => in_capitals(last(path)),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn in_capitals(text: &str) -> Option<EnvName> {
    vendor::in_capitals(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_names() {
        for (key, prefix, name) in [
            ("HF_TOKEN", None, Some("huggingface/token")),
            ("HUGGING_FACE_HUB_TOKEN", Some("app"), Some("huggingface/token")),
            // case J12
            ("HF_API_TOKEN", None, Some("huggingface/token")),
            ("HUGGINGFACE_API_KEY", None, Some("huggingface/token")),
            ("HUGGINGFACEHUB_API_TOKEN", Some("app"), Some("huggingface/token")),
            ("HUGGINGFACE_TOKEN", None, Some("huggingface/token")),
            ("GCP_SERVICE_ACCOUNT", None, Some("gcp/credentials")),
            ("DATABASE_URL", None, Some("env/DATABASE_URL")),
            ("DATABASE_URL", Some("app/"), Some("app/DATABASE_URL")),
            ("db/url", None, Some("db/url")),
            ("db/url", Some("app"), Some("app/db/url")),
            ("a b", None, None),
            ("a//b", None, None),
        ] {
            assert_eq!(name_of(key, prefix).as_ref().map(SecretName::as_str), name, "{key}");
        }
    }

    #[test]
    fn settings_are_told_from_secrets() {
        let is = |key, value: &str| is_secret(key, &SecretValue::new(value.as_bytes().to_vec()));
        for (key, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("WANDB_API_KEY", "x"),
            ("app/HF_TOKEN", "x"),
            ("DATABASE_URL", "postgres://a:hunter2@h/d"),
            ("ANY", "kQzVbXmWnRtYpLsDfGhJ2cKx9"),
        ] {
            assert!(is(key, value), "{key}");
        }
        for (key, value) in [
            ("LOG_LEVEL", "debug"),
            ("PORT", "8000"),
            ("jobs/deploy/runs-on", "ubuntu-latest"),
            ("DATABASE_URL", "postgres://h/d"),
            ("MODEL", "meta-llama/Llama-3"),
        ] {
            assert!(!is(key, value), "{key}");
        }
    }

    #[test]
    fn secrets_become_variables() {
        for (reference, variable) in [
            ("huggingface/token", Some("HF_TOKEN")),
            ("keyring:huggingface/token", Some("HF_TOKEN")),
            ("env/DATABASE_URL", Some("DATABASE_URL")),
            ("env:HF_TOKEN", Some("HF_TOKEN")),
            ("team/api-key", Some("TEAM_API_KEY")),
            ("aws:ml/prod/app#DATABASE_URL", Some("DATABASE_URL")),
            ("app#/db/0/url", Some("URL")),
            ("vault:kv/ml/prod", Some("PROD")),
            ("op:Shared/my item", Some("MY_ITEM")),
            ("aws:ml/0", None),
            // What steers programs, and what only begins as that does.
            ("docker/host", None),
            ("aws:prod/app#DB_HOST", Some("DB_HOST")),
            ("docker/password", Some("DOCKER_PASSWORD")),
            ("uv/publish_token", Some("UV_PUBLISH_TOKEN")),
        ] {
            let reference: SecretRef = reference.parse().unwrap();
            let found = variable_of(&reference);
            assert_eq!(found.as_ref().map(EnvName::as_str), variable, "{reference}");
        }
    }

    #[test]
    fn a_recipe_leads_no_program_elsewhere() {
        for (reference, variable) in [
            ("huggingface/token", Some("HF_TOKEN")),
            ("aws:prod/app#DB_HOST", None),
            ("openai/base_url", None),
            ("ld/preload", None),
        ] {
            let found = variable_in_recipe(&reference.parse().unwrap());
            assert_eq!(found.as_ref().map(EnvName::as_str), variable, "{reference}");
        }
    }
}
