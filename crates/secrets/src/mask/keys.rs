//! What the key says of a member: that it is a secret, or that it is none.

/// What a key is called whose value is secret however it looks.
const TELLING: &[&str] = &["pass", "secret", "token", "key", "auth", "cred", "pwd"];

/// Words of keys that only look like those.
const HARMLESS: &[&str] =
    &["author", "authors", "authentication", "authority", "keyring", "keyboard", "monkey", "tokenizer"];

/// What a key ends with that says of which kind a secret is, and not what it is.
const KINDS: &[&str] = &["type", "mode", "method", "scheme", "algorithm"];

/// What a key ends with whose value is no secret: who and where, and of which kind.
const OPEN: &[&str] = &[
    "account",
    "address",
    "cluster",
    "context",
    "database",
    "dbname",
    "dialect",
    "domain",
    "driver",
    "email",
    "endpoint",
    "engine",
    "environment",
    "host",
    "hostname",
    "identifier",
    "issuer",
    "kind",
    "location",
    "name",
    "namespace",
    "namespaces",
    "path",
    "port",
    "project",
    "protocol",
    "region",
    "registry",
    "scheme",
    "server",
    "service",
    "sslmode",
    "type",
    "user",
    "username",
    "version",
    "zone",
];

/// Keys that are known as a whole, without what is between their words.
const OPEN_WHOLE: &[&str] = &[
    "accountid",
    "authuri",
    "clientid",
    "credsstore",
    "currentcontext",
    "projectid",
    "quotaprojectid",
    "subscriptionid",
    "tenantid",
    "tokenuri",
    "useragent",
];

/// What such a key ends with: of certificates, which are public. An address as such may be a secret.
const OPEN_END: &str = "certurl";

/// Whether the value under this key is a secret however it looks.
pub(crate) fn telling(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let tells = |word: &str| TELLING.iter().any(|part| word.contains(part)) && !HARMLESS.contains(&word);
    !words.clone().next_back().is_some_and(|last| KINDS.contains(&last)) && words.any(tells)
}

/// Whether the value under this key is no secret. Addresses may still have credentials in them.
pub(crate) fn is_no_secret(key: &str) -> bool {
    let words = words(key);
    let whole = words.concat();
    let ends = |word: &str| OPEN.contains(&word) || OPEN.iter().any(|open| is_prefixed(word, open));
    OPEN_WHOLE.contains(&whole.as_str())
        || whole.ends_with(OPEN_END)
        || words.last().is_some_and(|last| ends(last))
}

/// `PGUSER`, `DBHOST`: the prefixes of clients that leave out what is between words.
fn is_prefixed(word: &str, open: &str) -> bool {
    word.strip_suffix(open).is_some_and(|prefix| matches!(prefix, "pg" | "db" | "mysql" | "redis"))
}

/// The words of a key in lower case: `private_key_id`, `dbInstanceIdentifier`.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in key.chars() {
        if !char.is_alphanumeric() || char.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| char.is_alphanumeric()) {
            last.extend(char.to_lowercase());
        }
        was_lower = char.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_what_is_no_secret() {
        for key in [
            "user",
            "username",
            "DB_USER",
            "PGUSER",
            "host",
            "db-host",
            "engine",
            "port",
            "dbname",
            "region",
            "AWS_DEFAULT_REGION",
            "type",
            "project_id",
            "client_email",
            "clientEmail",
            "apiVersion",
            "auth_uri",
            "token_uri",
            "dbInstanceIdentifier",
            "client_x509_cert_url",
            "universe_domain",
            "token_type",
            "auth_user",
        ] {
            assert!(is_no_secret(key), "{key}");
        }
        for key in [
            "",
            "password",
            "user_password",
            "PGPASSWORD",
            "private_key",
            "api_key",
            "token",
            "note",
            "value",
            "webhook_url",
            "SLACK_WEBHOOK_URL",
            "superuser2",
            "passport",
            "client_secret",
            "data",
        ] {
            assert!(!is_no_secret(key), "{key}");
        }
    }
}
