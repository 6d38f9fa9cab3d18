//! What the client's errors mean. The service's own words are told only where they are an error of
//! Key Vault, which names vaults, rights and users; other texts may quote anything.

use std::error::Error as _;

use azure_core::Error;
use azure_core::error::ErrorKind;
use serde::Deserialize;

use doppio_secrets::source::SourceError;
use doppio_text::brief;

const HOW_TO_LOG_IN: &str =
    "run `az login`, or set `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`";

#[derive(Deserialize)]
struct Body {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innererror")]
    inner: Option<Box<Words>>,
}

impl Words {
    fn inner_code(&self) -> &str {
        self.inner.as_ref().and_then(|inner| inner.code.as_deref()).unwrap_or_default()
    }
}

/// Codes of a 403 that would meet every question: they are about the network.
const SHUT_OUT: [&str; 2] = ["ForbiddenByFirewall", "ForbiddenByConnection"];

/// The answer came from something else.
pub(super) fn nonsense() -> SourceError {
    SourceError::unreachable(
        "what answered is not a Key Vault",
        "check `vault` and `suffix` in `[sources.azure]`",
    )
}

/// Whether the vault knows who asks, and this one right is not given.
pub(super) fn is_denied(error: &Error) -> bool {
    answer(error).is_some_and(|(status, body)| is_of_right(status, body.as_ref()))
}

fn is_of_right(status: u16, body: Option<&Body>) -> bool {
    status == 403 && body.is_some_and(|body| !SHUT_OUT.contains(&body.error.inner_code()))
}

/// The status of an answer, and what it says where it is one of Key Vault.
fn answer(error: &Error) -> Option<(u16, Option<Body>)> {
    let ErrorKind::HttpResponse { status, raw_response, .. } = error.kind() else { return None };
    let body = raw_response.as_ref().and_then(|raw| serde_json::from_slice(raw.body().as_ref()).ok());
    Some(((*status).into(), body))
}

/// What an error means.
pub(super) fn of(error: &Error) -> SourceError {
    if let Some((status, body)) = answer(error) {
        return of_status(status, body);
    }
    match error.kind() {
        ErrorKind::Credential => of_login(error),
        ErrorKind::DataConversion => nonsense(),
        _ => SourceError::unreachable(
            format!("the Key Vault can't be reached: {}", innermost(error)),
            "check the vault's name and the network; behind a proxy of your own, `ca_cert` in `[sources.azure]`",
        ),
    }
}

fn of_status(status: u16, body: Option<Body>) -> SourceError {
    let Some(Body { error }) = body else {
        return SourceError::unreachable(
            format!("what answered is not a Key Vault (status {status})"),
            "check `vault` and `suffix` in `[sources.azure]`, and the proxy before it",
        );
    };
    let inner = error.inner_code().to_owned();
    let code = error.code.unwrap_or_default();
    let words = brief(&error.message.unwrap_or_else(|| code.clone()), 600);
    match (status, code.as_str()) {
        (404, "SecretNotFound") => SourceError::Missing,
        (401, _) => SourceError::not_allowed("Key Vault does not accept this login (401)", HOW_TO_LOG_IN),
        (403, _) if inner == "SecretDisabled" => SourceError::unfit(words),
        (403, _) => SourceError::not_allowed(
            words,
            "ask for the role `Key Vault Secrets User`, to write `Key Vault Secrets Officer`, and look at the vault's firewall",
        ),
        (409, _) if inner == "ObjectIsDeletedButRecoverable" => SourceError::unfit(
            "a removed secret still has this name: run `az keyvault secret recover`, or `purge` it, or wait",
        ),
        (400 | 404 | 405 | 409 | 413, _) => SourceError::unfit(words),
        (status, _) => SourceError::unreachable(
            format!("Key Vault answered {status}: {words}"),
            "try again, or raise `timeout_secs` in `[sources.azure]`",
        ),
    }
}

/// The words of who gives tokens may hold one; only Entra's numbers are told.
pub(super) fn of_login(error: &Error) -> SourceError {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push(' ');
        words.push_str(&error.to_string());
        next = error.source();
    }
    match number(&words) {
        Some(number) => SourceError::not_allowed(
            format!("Microsoft Entra does not accept this login ({number})"),
            format!(
                "see https://login.microsoftonline.com/error?code={}",
                number.trim_start_matches("AADSTS")
            ),
        ),
        None => SourceError::unreachable("there is no login for Azure, or no service answers", HOW_TO_LOG_IN),
    }
}

/// The number of an error of Entra.
fn number(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

fn innermost(error: &Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> SourceError {
        of_status(status, serde_json::from_str(body).ok())
    }

    #[test]
    fn errors_of_key_vault_are_told_apart() {
        let missing =
            r#"{"error":{"code":"SecretNotFound","message":"A secret with (name/id) a was not found"}}"#;
        assert_eq!(of(404, missing), SourceError::Missing);
        assert!(matches!(of(404, "<html>"), SourceError::Unreachable { .. }));
        let disabled = r#"{"error":{"code":"Forbidden","message":"Operation get is not allowed on a disabled secret.","innererror":{"code":"SecretDisabled"}}}"#;
        assert!(matches!(of(403, disabled), SourceError::Unfit { .. }));
        let forbidden =
            r#"{"error":{"code":"Forbidden","message":"The user does not have secrets get permission"}}"#;
        assert!(matches!(of(403, forbidden), SourceError::NotAllowed { .. }));
        let gone = r#"{"error":{"code":"Conflict","message":"x","innererror":{"code":"ObjectIsDeletedButRecoverable"}}}"#;
        assert!(of(409, gone).to_string().contains("az keyvault secret recover"));
        let is_of_right = |body: &str| is_of_right(403, serde_json::from_str(body).ok().as_ref());
        assert!(is_of_right(forbidden));
        assert!(!is_of_right(
            &forbidden.replace("\"}}", "\",\"innererror\":{\"code\":\"ForbiddenByFirewall\"}}}")
        ));
        assert!(!is_of_right("<html>"));
    }

    #[test]
    fn only_the_number_of_entra_is_told() {
        let words = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret hunter2\"}";
        assert_eq!(number(words).as_deref(), Some("AADSTS7000215"));
        assert_eq!(number("AADSTSx"), None);
    }
}
