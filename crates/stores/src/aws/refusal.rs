//! What AWS refuses, as messages that help. Nothing of a request or an answer is in them but the
//! code and, where it can't hold a value, the message.

use serde_json::Value;

use doppio_secrets::source::SourceError;
use doppio_text::brief;
use doppio_text::shell::typed;

use crate::aws::call::Call;
use crate::http;

/// Why a call failed, apart from what it was for.
pub(super) type Failure = http::Failure<Refusal>;

/// AWS answered with a code of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: String,
    message: String,
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
    /// An answer that is no success. `kind` is its header `x-amzn-errortype`. What stands before the
    /// services may refuse in XML, whatever the service speaks.
    pub(super) fn of_response(status: u16, kind: Option<&str>, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |keys: &[&str]| keys.iter().find_map(|key| json.get(key)?.as_str());
        let xml = std::str::from_utf8(body).unwrap_or_default();
        let message = text(&["message", "Message", "errorMessage"]).or_else(|| element(xml, "Message"));
        match kind.or_else(|| text(&["code", "__type"])).or_else(|| element(xml, "Code")) {
            Some(code) => Self::Refused(status, Refusal::new(code, message.unwrap_or_default())),
            None => Self::Status(status),
        }
    }

    /// A code and a message, as an answer to one of many holds them.
    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self::Refused(400, Refusal::new(code, message))
    }

    /// Whether AWS answered with one of these codes.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused(_, refusal) if refusal.is(codes))
    }

    /// Whether the right to do this is not there.
    pub(super) fn is_denied(&self) -> bool {
        self.is(DENIED)
    }

    /// Whether it does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.is(MISSING)
    }

    /// Whether the call itself is to blame, so that smaller calls may do better.
    pub(super) fn is_about_the_call(&self) -> bool {
        match self {
            Self::Refused(_, refusal) => {
                ![EXPIRED, UNKNOWN_KEY, SIGNATURE, THROTTLED, BROKEN].iter().any(|codes| refusal.is(codes))
            }
            Self::Status(status) => matches!(status, 400 | 404 | 405 | 501),
            _ => false,
        }
    }

    /// What the user is told.
    pub(super) fn told(self, call: Call<'_>) -> SourceError {
        let Call { action, .. } = call;
        let of_path = call.of_path();
        match self {
            Self::Unsent(error) => error,
            Self::Refused(_, refusal) => refusal.told(call),
            Self::Status(status @ 500..) => SourceError::unreachable(
                format!("AWS failed (HTTP status {status})"),
                "try again; https://health.aws.amazon.com says what is down",
            ),
            Self::Status(status) => SourceError::unreachable(
                format!("what answered is not AWS (HTTP status {status})"),
                "check the endpoint: AWS_ENDPOINT_URL, `endpoint` in config.toml, a proxy in between",
            ),
            Self::Nonsense => SourceError::unreachable(
                format!("the answer to `{action}`{of_path} can't be understood"),
                "check the endpoint: AWS_ENDPOINT_URL, `endpoint` in config.toml, a proxy in between",
            ),
            Self::Connection(words) => SourceError::unreachable(
                format!("AWS can't be reached: {words}"),
                "check the network, the region and the endpoint (AWS_REGION, AWS_ENDPOINT_URL, `[sources]` in config.toml)",
            ),
            Self::Late => SourceError::unreachable(
                format!("AWS did not answer `{action}`{of_path} in time"),
                "try again; check the network, the region and the endpoint",
            ),
        }
    }
}

impl Refusal {
    fn new(code: &str, message: &str) -> Self {
        // `com.amazon.coral.service#AccessDeniedException:http://…`
        let code = code.split(':').next().unwrap_or(code);
        let code = code.rsplit('#').next().unwrap_or(code);
        Self { code: brief(code, 100), message: brief(message, 600) }
    }

    fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    fn told(&self, call: Call<'_>) -> SourceError {
        let Call { action, path, writes } = call;
        let Self { code, message } = self;
        let words = if message.is_empty() { code } else { message };
        if self.is(MISSING) {
            SourceError::Missing
        } else if self.is(DENIED) {
            let is_key = message.contains("KMS") || message.contains("kms:");
            let hint = if is_key {
                "allow `kms:Decrypt` (to write: `kms:GenerateDataKey`) on the key that encrypts it".to_owned()
            } else {
                format!(
                    "allow `{action}`{} there, or use other credentials (`aws sts get-caller-identity` shows whose these are)",
                    call.of_path()
                )
            };
            SourceError::not_allowed(format!("AWS refused: {words}"), hint)
        } else if self.is(EXPIRED) {
            SourceError::unreachable("the credentials of AWS have expired", LOGIN)
        } else if self.is(UNKNOWN_KEY) {
            SourceError::unreachable(
                format!("AWS does not know the access key ({code})"),
                "check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN and AWS_PROFILE: `aws sts get-caller-identity` tries them",
            )
        } else if self.is(SIGNATURE) {
            SourceError::unreachable(
                format!(
                    "the secret access key does not belong to the access key, or the clock is wrong ({code})"
                ),
                "check AWS_SECRET_ACCESS_KEY and `date -u`",
            )
        } else if self.is(THROTTLED) {
            SourceError::unreachable(
                format!("AWS accepts no more calls for now ({code})"),
                "try again in a minute, or ask for a higher quota",
            )
        } else if self.is(KEY) || code.starts_with("KMS") {
            SourceError::not_allowed(
                format!("the key that encrypts `{path}` can't be used ({code})"),
                "check the key: it must exist, be enabled, and `kms:Decrypt` be allowed on it",
            )
        } else if self.is(BROKEN) {
            SourceError::unreachable(format!("AWS failed ({code})"), "try again")
        } else if code == "InvalidRequestException"
            && (message.contains("deletion") || message.contains("deleted"))
        {
            SourceError::not_allowed(
                format!("`{path}` is marked for deletion"),
                format!(
                    "restore it with {}",
                    typed(["aws", "secretsmanager", "restore-secret", "--secret-id", path])
                ),
            )
        } else {
            // Messages about what was sent may repeat it.
            let words = if writes { code } else { words };
            SourceError::unfit(format!("AWS refused `{action}`{}: {words}", call.of_path()))
        }
    }
}

const LOGIN: &str =
    "get new ones: `aws sso login` where you use single sign-on, else new keys or a new session token";

/// No credentials: none at all, or some that must be got first.
pub(super) fn no_credentials(words: &str) -> SourceError {
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

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Call<'_> = Call::reading("secretsmanager:GetSecretValue", "ml/prod");

    fn told(code: &str, message: &str) -> SourceError {
        Failure::refused(code, message).told(GET)
    }

    #[test]
    fn what_is_missing_and_what_is_refused_are_kept_apart() {
        assert_eq!(told("ResourceNotFoundException", "x"), SourceError::Missing);
        assert_eq!(told("com.amazonaws.ssm#ParameterNotFound", ""), SourceError::Missing);
        let words = "User: arn:aws:iam::1:user/u is not authorized to perform: secretsmanager:GetSecretValue";
        let error = told("AccessDeniedException", words);
        assert!(matches!(error, SourceError::NotAllowed { .. }));
        assert_eq!(error.to_string(), format!("AWS refused: {words}"));
        let error = told("AccessDeniedException", "Access to KMS is not allowed");
        assert!(error.hint().unwrap().contains("kms:Decrypt"), "{error:?}");
        assert!(told("DecryptionFailure", "").to_string().contains("can't be used"));
        let error = told("InvalidRequestException", "You can't do this: it was marked for deletion.");
        assert_eq!(error.to_string(), "`ml/prod` is marked for deletion");
    }

    #[test]
    fn every_error_of_credentials_has_its_own_words() {
        let words =
            ["ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch", "ThrottlingException"]
                .map(|code| told(code, "secret words").to_string());
        for (index, one) in words.iter().enumerate() {
            assert!(!one.contains("secret words"), "{one}");
            assert!(words.iter().skip(index + 1).all(|other| other != one));
        }
        assert!(no_credentials("the SSO token has expired").hint().unwrap().contains("aws sso login"));
        assert_eq!(element("<Error><Code>AccessDenied</Code></Error>", "Code"), Some("AccessDenied"));
        assert_eq!(element("<Code>", "Code"), None);
        assert_eq!(no_credentials("").to_string(), "there are no credentials for AWS");
    }

    #[test]
    fn a_code_is_where_each_service_writes_it() {
        let refused = |kind, body: &str| Failure::of_response(400, kind, body.as_bytes());
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
        let error = Failure::refused("ValidationException", "Value 'hunter2' at 'value' failed").told(call);
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(matches!(error, SourceError::Unfit { .. }));
    }

    #[test]
    fn only_an_error_of_the_call_is_worth_smaller_calls() {
        assert!(Failure::refused("AccessDeniedException", "").is_about_the_call());
        assert!(Failure::Status(404).is_about_the_call());
        assert!(!Failure::refused("ExpiredToken", "").is_about_the_call());
        assert!(!Failure::Late.is_about_the_call());
    }
}
