//! What the client's errors mean. The service's own words are told only where they are an error of
//! Key Vault, which names vaults, rights and users; other texts may quote anything.

use azure_core::Error;
use azure_core::error::ErrorKind;
use serde::Deserialize;

use doppio_secrets::source::SourceError;
use doppio_text::brief;

use crate::http::Failure;
use crate::http::Server;
use doppio_http::causes;
use doppio_http::innermost;

const HOW_TO_LOG_IN: &str =
    "run `az login`, or set `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`";

static SERVER: Server = Server {
    name: "Key Vault",
    is: "a Key Vault",
    settings: "sources.azure",
    to_check: "check `vault` and `suffix` in `[sources.azure]`",
    to_reach: "check the vault's name and the network; behind a proxy of your own, `ca_cert` in `[sources.azure]`",
};

#[derive(Deserialize)]
struct Refusal {
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
    SERVER.nonsense()
}

/// Whether the vault knows who asks, and this one right is not given.
pub(super) fn is_denied(error: &Error) -> bool {
    is_of_right(&failure(error))
}

fn is_of_right(failure: &Failure<Refusal>) -> bool {
    matches!(failure, Failure::Refused(403, Refusal { error }) if !SHUT_OUT.contains(&error.inner_code()))
}

/// What an error of the SDK says.
fn failure(error: &Error) -> Failure<Refusal> {
    match error.kind() {
        ErrorKind::HttpResponse { status, raw_response, .. } => {
            let body = raw_response.as_ref().map_or(&[][..], |raw| raw.body().as_ref());
            Failure::of_answer((*status).into(), body)
        }
        ErrorKind::Credential => Failure::Unsent(of_login(error)),
        ErrorKind::DataConversion => Failure::Nonsense,
        _ => Failure::Connection(innermost(error)),
    }
}

/// What an error means.
pub(super) fn told(error: &Error) -> SourceError {
    failure(error).tell(&SERVER, of_status)
}

fn of_status(status: u16, Refusal { error }: Refusal) -> SourceError {
    let inner = error.inner_code().to_owned();
    let code = error.code.unwrap_or_default();
    let words = brief(error.message.as_deref().unwrap_or(&code), 600);
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
        (status, _) => SERVER.failed(status, &words),
    }
}

/// The words of who gives tokens may hold one; only Entra's numbers are told.
pub(super) fn of_login(error: &Error) -> SourceError {
    let words = causes(error);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure_of(status: u16, body: &str) -> Failure<Refusal> {
        Failure::of_answer(status, body.as_bytes())
    }

    fn of(status: u16, body: &str) -> SourceError {
        failure_of(status, body).tell(&SERVER, of_status)
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
        let is_of_right = |body: &str| is_of_right(&failure_of(403, body));
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
