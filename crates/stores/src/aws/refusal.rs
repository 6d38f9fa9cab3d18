//! What AWS refuses, as messages that help. Nothing of a request or an answer is in them but the
//! code and, where it can't hold a value, the message.

use std::error::Error;

use serde_json::Value;

use doppio_secrets::source::SourceError;

use crate::aws::call::Call;

/// Why a call failed, apart from what it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The settings can't be followed: nothing was sent.
    Setup(SourceError),
    /// AWS answered with a code of its own.
    Refused { code: String, message: String },
    /// Something answered with this HTTP status, and no code of AWS.
    Status(u16),
    /// What answered does not speak AWS's protocol.
    Garbled,
    /// There are no credentials, with the words of who looked for them.
    Credentials(String),
    /// No server could be reached.
    Connection(String),
    /// No server answered in time.
    Slow,
}

/// Codes that say that the credentials were good once.
const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

/// Codes for unknown keys.
const UNKNOWN_KEY: &[&str] = &[
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "InvalidAccessKeyId",
    "AuthFailure",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// Codes for signatures that do not fit.
const SIGNATURE: &[&str] =
    &["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "RequestTimeTooSkewed"];

/// Codes for too many requests.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyUpdates",
];

/// Codes for what is not there.
const MISSING: &[&str] =
    &["ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFound"];

/// Codes for a right that is not there.
const DENIED: &[&str] = &["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized"];

/// Codes of AWS failing by itself.
const BROKEN: &[&str] = &[
    "InternalServiceError",
    "InternalServiceErrorException",
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// Codes around the key that encrypts.
const KEY: &[&str] = &["DecryptionFailure", "EncryptionFailure", "InvalidKeyId"];

impl Failure {
    /// A request that was not sent, or got no whole answer.
    pub(super) fn of_transport(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Slow } else { Self::Connection(root_cause(&error.without_url())) }
    }

    /// An answer that is no success. `kind` is its header `x-amzn-errortype`. What stands before the
    /// services may refuse in XML, whatever the service speaks.
    pub(super) fn of_answer(status: u16, kind: Option<&str>, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |keys: &[&str]| keys.iter().find_map(|key| json.get(key)?.as_str());
        let xml = std::str::from_utf8(body).unwrap_or_default();
        let message = text(&["message", "Message", "errorMessage"]).or_else(|| element(xml, "Message"));
        match kind.or_else(|| text(&["code", "__type"])).or_else(|| element(xml, "Code")) {
            Some(code) => Self::refused(code, message.unwrap_or_default()),
            None => Self::Status(status),
        }
    }

    /// A code and a message, as an answer to one of many holds them.
    pub(super) fn refused(code: &str, message: &str) -> Self {
        // `com.amazon.coral.service#AccessDeniedException:http://…`
        let code = code.split(':').next().unwrap_or(code);
        let code = code.rsplit('#').next().unwrap_or(code);
        Self::Refused { code: code.to_owned(), message: message.to_owned() }
    }

    /// Whether AWS answered with one of these codes.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(&code.as_str()))
    }

    /// Whether the right to do this is not there.
    pub(super) fn is_denied(&self) -> bool {
        self.is(DENIED)
    }

    /// Whether it does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.is(MISSING)
    }

    /// Whether the call itself is at fault, so that smaller calls may do better.
    pub(super) fn is_about_the_call(&self) -> bool {
        match self {
            Self::Refused { .. } => {
                ![EXPIRED, UNKNOWN_KEY, SIGNATURE, THROTTLED, BROKEN].iter().any(|codes| self.is(codes))
            }
            Self::Status(status) => matches!(status, 400 | 404 | 405 | 501),
            _ => false,
        }
    }

    /// What the user is told.
    pub(super) fn tell(self, call: Call<'_>) -> SourceError {
        let Call { action, path, .. } = call;
        let of_path = if path.is_empty() { String::new() } else { format!(" on `{path}`") };
        match self {
            Self::Setup(error) => error,
            Self::Refused { ref code, ref message } => self.refusal(code, message, call, &of_path),
            Self::Status(status @ 500..) => SourceError::unreachable(
                format!("AWS failed (HTTP status {status})"),
                "try again; https://health.aws.amazon.com says what is down",
            ),
            Self::Status(status) => SourceError::unreachable(
                format!("what answered is not AWS (HTTP status {status})"),
                "check the endpoint: AWS_ENDPOINT_URL, `endpoint` in config.toml, a proxy in between",
            ),
            Self::Garbled => SourceError::unreachable(
                format!("the answer to `{action}`{of_path} can't be understood"),
                "check the endpoint: AWS_ENDPOINT_URL, `endpoint` in config.toml, a proxy in between",
            ),
            Self::Credentials(words) => credentials(&words),
            Self::Connection(words) => SourceError::unreachable(
                format!("AWS can't be reached: {words}"),
                "check the network, the region and the endpoint (AWS_REGION, AWS_ENDPOINT_URL, `[sources]` in config.toml)",
            ),
            Self::Slow => SourceError::unreachable(
                format!("AWS did not answer `{action}`{of_path} in time"),
                "try again; check the network, the region and the endpoint",
            ),
        }
    }

    fn refusal(&self, code: &str, message: &str, call: Call<'_>, of_path: &str) -> SourceError {
        let Call { action, path, writes } = call;
        let words = if message.is_empty() { code } else { message };
        if self.is(MISSING) {
            return SourceError::Missing;
        }
        if self.is(DENIED) {
            let is_key = message.contains("KMS") || message.contains("kms:");
            let hint = if is_key {
                "allow `kms:Decrypt` (to write: `kms:GenerateDataKey`) on the key that encrypts it".to_owned()
            } else {
                format!(
                    "allow `{action}`{of_path} there, or use other credentials (`aws sts get-caller-identity` shows whose these are)"
                )
            };
            return SourceError::not_allowed(format!("AWS refused: {words}"), hint);
        }
        if self.is(EXPIRED) {
            return SourceError::unreachable("the credentials of AWS have expired", LOGIN);
        }
        if self.is(UNKNOWN_KEY) {
            return SourceError::unreachable(
                format!("AWS does not know the access key ({code})"),
                "check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN and AWS_PROFILE: `aws sts get-caller-identity` tries them",
            );
        }
        if self.is(SIGNATURE) {
            return SourceError::unreachable(
                format!(
                    "the secret access key does not belong to the access key, or the clock is wrong ({code})"
                ),
                "check AWS_SECRET_ACCESS_KEY and `date -u`",
            );
        }
        if self.is(THROTTLED) {
            return SourceError::unreachable(
                format!("AWS accepts no more calls for now ({code})"),
                "try again in a minute, or ask for a higher quota",
            );
        }
        if self.is(KEY) || code.starts_with("KMS") {
            return SourceError::not_allowed(
                format!("the key that encrypts `{path}` can't be used ({code})"),
                "check the key: it must exist, be enabled, and `kms:Decrypt` be allowed on it",
            );
        }
        if self.is(BROKEN) {
            return SourceError::unreachable(format!("AWS failed ({code})"), "try again");
        }
        if code == "InvalidRequestException" && (message.contains("deletion") || message.contains("deleted"))
        {
            return SourceError::not_allowed(
                format!("`{path}` is marked for deletion"),
                format!("restore it with `aws secretsmanager restore-secret --secret-id {path}`"),
            );
        }
        // Messages about what was sent may repeat it.
        let words = if writes { code } else { words };
        SourceError::unfit(format!("AWS refused `{action}`{of_path}: {words}"))
    }
}

const LOGIN: &str =
    "get new ones: `aws sso login` where you use single sign-on, else new keys or a new session token";

/// No credentials: none at all, or some that must be got first.
fn credentials(words: &str) -> SourceError {
    let low = words.to_ascii_lowercase();
    if low.contains("sso") || low.contains("refresh") || (low.contains("token") && low.contains("expired")) {
        return SourceError::unreachable(
            format!("you are not logged in to AWS: {words}"),
            "run `aws sso login` (with `--profile NAME` for another profile)",
        );
    }
    let cause = match words {
        "" | "the credential provider was not enabled" | "no providers in chain provided credentials" => {
            "there are no credentials for AWS".to_owned()
        }
        words => format!("there are no credentials for AWS: {words}"),
    };
    SourceError::unreachable(
        cause,
        "run `aws configure` or `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
}

/// The text of the first element of this name.
fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The words of the error at the bottom of a chain: it is the one that says what happened.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut lowest = error;
    while let Some(below) = lowest.source() {
        lowest = below;
    }
    lowest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Call<'_> = Call::reading("secretsmanager:GetSecretValue", "ml/prod");

    fn told(code: &str, message: &str) -> SourceError {
        Failure::refused(code, message).tell(GET)
    }

    #[test]
    fn what_is_missing_and_what_is_refused_are_kept_apart() {
        assert_eq!(told("ResourceNotFoundException", "x"), SourceError::Missing);
        assert_eq!(told("com.amazonaws.ssm#ParameterNotFound", ""), SourceError::Missing);
        let words = "User: arn:aws:iam::1:user/u is not authorized to perform: secretsmanager:GetSecretValue";
        let fault = told("AccessDeniedException", words);
        assert!(matches!(fault, SourceError::NotAllowed { .. }));
        assert_eq!(fault.to_string(), format!("AWS refused: {words}"));
        let fault = told("AccessDeniedException", "Access to KMS is not allowed");
        assert!(fault.hint().unwrap().contains("kms:Decrypt"), "{fault:?}");
        assert!(told("DecryptionFailure", "").to_string().contains("can't be used"));
        let fault = told("InvalidRequestException", "You can't do this: it was marked for deletion.");
        assert_eq!(fault.to_string(), "`ml/prod` is marked for deletion");
    }

    #[test]
    fn every_fault_of_credentials_has_its_own_words() {
        let words =
            ["ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch", "ThrottlingException"]
                .map(|code| told(code, "secret words").to_string());
        for (index, one) in words.iter().enumerate() {
            assert!(!one.contains("secret words"), "{one}");
            assert!(words.iter().skip(index + 1).all(|other| other != one));
        }
        assert!(credentials("the SSO token has expired").hint().unwrap().contains("aws sso login"));
        assert_eq!(element("<Error><Code>AccessDenied</Code></Error>", "Code"), Some("AccessDenied"));
        assert_eq!(element("<Code>", "Code"), None);
        assert_eq!(credentials("").to_string(), "there are no credentials for AWS");
    }

    #[test]
    fn a_code_is_where_each_service_writes_it() {
        let refused = |kind, body: &str| Failure::of_answer(400, kind, body.as_bytes());
        let denied = Failure::refused("AccessDenied", "no");
        assert_eq!(refused(None, r#"{"__type":"a.b#AccessDenied","Message":"no"}"#), denied);
        assert_eq!(refused(None, r#"{"code":"AccessDenied","__type":"x","message":"no"}"#), denied);
        assert_eq!(refused(Some("a#AccessDenied:http://a/#b"), r#"{"message":"no"}"#), denied);
        assert_eq!(refused(None, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), denied);
        assert_eq!(refused(None, r#"{"__type":5}"#), Failure::Status(400));
        assert_eq!(refused(None, "<html>"), Failure::Status(400));
    }

    #[test]
    fn what_was_written_is_never_repeated() {
        let call = Call::writing("ssm:PutParameter", "/a");
        let fault = Failure::refused("ValidationException", "Value 'hunter2' at 'value' failed").tell(call);
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
        assert!(matches!(fault, SourceError::Unfit { .. }));
    }

    #[test]
    fn only_a_fault_of_the_call_is_worth_smaller_calls() {
        assert!(Failure::refused("AccessDeniedException", "").is_about_the_call());
        assert!(Failure::Status(404).is_about_the_call());
        assert!(!Failure::refused("ExpiredToken", "").is_about_the_call());
        assert!(!Failure::Slow.is_about_the_call());
    }
}
