//! One request to the server, and what its failures mean.

#![expect(
    clippy::disallowed_methods,
    reason = "the token goes into its header, and what is not a secret out of an answer"
)]

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::Method;
use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::Logins;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::TIMEOUT;
use doppio_text::brief;

use doppio_http::NoResponse;
use doppio_http::Response;
use doppio_http::causes;
use doppio_http::certificates;
use doppio_http::client;

/// No answer is longer, in bytes.
const LONGEST: usize = 4 << 20;

/// A server that is busy is asked again after what it says, if that is no longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A request that no caller waits for any more is given up after this time, if the deadline of the
/// settings is not longer: what it created may have to be returned.
const LAST: Duration = Duration::from_mins(1);

/// Times that one request is sent: a redirect or a busy server costs one.
const TIMES: usize = 4;

/// A server and the way to it.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    address: Url,
    namespace: Option<HeaderValue>,
    logins: Logins,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// One of HTTP's, or `LIST`.
    pub method: &'static str,
    /// Below `/v1/`.
    pub path: &'a str,
    pub query: Option<(&'a str, &'a str)>,
    pub body: Option<&'a [u8]>,
}

/// What came back, whatever its status.
pub(super) struct Reply {
    pub status: u16,
    body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, query: None, body: None }
    }

    pub(super) fn put(path: &'a str, body: &'a [u8]) -> Self {
        Self { method: "PUT", path, query: None, body: Some(body) }
    }
}

impl Client {
    /// The client that the settings and the environment ask for. Nothing is sent.
    pub(super) fn new(setup: &Setup) -> Result<Self, SourceError> {
        let Some(address) = setup.text("address", &["VAULT_ADDR", "BAO_ADDR"]) else {
            return Err(SourceError::unreachable(
                "the address of the Vault server is not set",
                "set `VAULT_ADDR`, or write `address = \"https://HOST:8200\"` to `[sources.vault]` in config.toml",
            ));
        };
        let address = Url::parse(&address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or_else(|| {
                SourceError::unreachable(
                    "the address of the Vault server is not a URL of the form `https://HOST:PORT`",
                    "fix `VAULT_ADDR`, or `address` of `[sources.vault]` in config.toml",
                )
            })?;
        let namespace = match setup.text("namespace", &["VAULT_NAMESPACE", "BAO_NAMESPACE"]) {
            None => None,
            Some(text) => Some(HeaderValue::from_str(&text).map_err(|_| {
                SourceError::unfit("the namespace of the Vault server contains invalid characters")
            })?),
        };
        let deadline = setup.options.seconds(TIMEOUT.name).unwrap_or(LAST);
        let mut builder = client().timeout(deadline.max(LAST));
        if let Some(path) = setup.path("ca_cert", &["VAULT_CACERT", "BAO_CACERT"]) {
            builder = builder.tls_certs_only(certificates(&path).map_err(|cause| {
                SourceError::unreachable(
                    format!("cannot use the certificates in `{}`: {cause}", path.display()),
                    "set `VAULT_CACERT` to a file in PEM form",
                )
            })?);
        }
        let http = builder.build().map_err(|error| {
            SourceError::unreachable(
                format!("cannot make a client for the Vault server: {}", causes(&error)),
                "check `VAULT_CACERT`, and the certificates of this machine",
            )
        })?;
        Ok(Self { http, address, namespace, logins: setup.logins.clone() })
    }

    /// The server's address as messages show it.
    pub(super) fn shown(&self) -> String {
        self.address.as_str().trim_end_matches('/').to_owned()
    }

    /// Whether what is sent can be read on the way.
    pub(super) fn is_open(&self) -> bool {
        self.address.scheme() == "http" && !is_local(self.address.host_str().unwrap_or_default())
    }

    /// Sends a request and reads the answer; a server that is busy is given its time.
    pub(super) async fn send(
        &self,
        request: Request<'_>,
        token: Option<&SecretValue>,
    ) -> Result<Reply, SourceError> {
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(request.path.split('/'));
        }
        if let Some((name, value)) = request.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let headers = self.headers(token)?;
        for _ in 0..TIMES {
            let method = Method::from_bytes(request.method.as_bytes()).expect("methods are letters");
            let mut sent = self.http.request(method, url.clone()).headers(headers.clone());
            if let Some(body) = request.body {
                // The HTTP client keeps its own copy of the body until it is sent.
                sent = sent.header("content-type", "application/json").body(body.to_vec());
            }
            let response = Response::of(sent, LONGEST).await;
            let Response { status, headers, body } = response.map_err(|error| self.no_answer(error))?;
            match status.as_u16() {
                // Redirects are looked at one by one: the token goes to this server only.
                301 | 302 | 307 | 308 => url = self.redirected(&url, &headers)?,
                429 => {
                    let wait = headers.get("retry-after").and_then(|wait| wait.to_str().ok());
                    let wait = wait.and_then(|wait| wait.trim().parse().ok()).map(Duration::from_secs);
                    match wait {
                        Some(wait) if wait <= PATIENCE => tokio::time::sleep(wait).await,
                        _ => return Err(self.busy(wait)),
                    }
                }
                status => return Ok(Reply { status, body }),
            }
        }
        Err(self.busy(None))
    }

    fn headers(&self, token: Option<&SecretValue>) -> Result<HeaderMap, SourceError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            headers.insert("x-vault-namespace", namespace.clone());
        }
        if let Some(token) = token {
            self.logins.learn("vault token", token);
            let mut token = token.reveal(HeaderValue::from_bytes).map_err(|_| {
                SourceError::unfit("the token for Vault contains bytes that a token can't have")
            })?;
            token.set_sensitive(true);
            headers.insert("x-vault-token", token);
        }
        Ok(headers)
    }

    /// Where a redirect leads, if it stays on the server.
    fn redirected(&self, from: &Url, headers: &HeaderMap) -> Result<Url, SourceError> {
        let to = headers.get("location").and_then(|to| to.to_str().ok()).and_then(|to| from.join(to).ok());
        let Some(to) = to else { return Err(self.nonsense("it redirects without an address")) };
        if to.origin() == self.address.origin() {
            return Ok(to);
        }
        let origin = to.origin().ascii_serialization();
        Err(SourceError::unreachable(
            format!("{} redirects to `{origin}`, and the token is not sent to another server", self.shown()),
            format!("if that server is yours, set `VAULT_ADDR={origin}`"),
        ))
    }

    fn busy(&self, wait: Option<Duration>) -> SourceError {
        let hint = wait.map_or_else(
            || "try again later, or have its rate limit raised".to_owned(),
            |wait| format!("try again in {} s", wait.as_secs()),
        );
        SourceError::unreachable(format!("{} has had too many requests (429)", self.shown()), hint)
    }

    fn no_answer(&self, error: NoResponse) -> SourceError {
        let cause = match error {
            NoResponse::TooLong => return self.nonsense("its answer is longer than 4 MiB"),
            NoResponse::Broken(error) => causes(&error),
        };
        let hint = if cause.contains("certificate") {
            "if its certificate is of your own authority, set `VAULT_CACERT` to that authority's file"
        } else {
            "check whether the server runs, and `VAULT_ADDR`"
        };
        SourceError::unreachable(format!("cannot reach {}: {cause}", self.shown()), hint)
    }

    /// The answer is none that a Vault gives.
    pub(super) fn nonsense(&self, what: &str) -> SourceError {
        SourceError::unreachable(
            format!("{} does not answer like a Vault server: {what}", self.shown()),
            "check `VAULT_ADDR`: another server, or a proxy's page, may be there",
        )
    }

    /// What a status means that is neither success nor 403 nor 404.
    pub(super) fn refused(&self, reply: &Reply) -> SourceError {
        let shown = self.shown();
        let words = reply.words();
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        match reply.status {
            400 => SourceError::unfit(format!("{shown} can't do that (400){said}")),
            503 if words.contains("sealed") => SourceError::unreachable(
                format!("{shown} is sealed"),
                "whoever holds the keys runs `vault operator unseal` (or `bao operator unseal`)",
            ),
            503 => SourceError::unreachable(
                format!("{shown} is down for maintenance or sealed (503){said}"),
                "ask whoever runs it, or try again later",
            ),
            472 | 473 => SourceError::unreachable(
                format!("{shown} is a standby that serves no requests ({})", reply.status),
                "set `VAULT_ADDR` to the active server",
            ),
            status if status >= 500 => SourceError::unreachable(
                format!("{shown} failed ({status}){said}"),
                "try again; the server's own log says why",
            ),
            status => self.nonsense(&format!("status {status}{said}")),
        }
    }
}

impl Reply {
    /// A member of the answer, byte for byte; none where it does not exist or the answer is not
    /// JSON.
    pub(super) fn member(&self, path: &[&str]) -> Option<SecretValue> {
        format::json_member(&self.body, path)
    }

    /// The same as text, for what is not a secret.
    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        String::from_utf8(self.member(path)?.reveal(<[u8]>::to_vec)).ok()
    }

    /// The same as a number.
    pub(super) fn number(&self, path: &[&str]) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// The same as any JSON, for what is not a secret.
    pub(super) fn json(&self, path: &[&str]) -> Option<serde_json::Value> {
        self.member(path)?.reveal(|text| serde_json::from_slice(text).ok())
    }

    /// Whether a 404 says that nothing is there: that there are no errors, or what a deleted version
    /// was. Every other one is an answer to another question.
    pub(super) fn is_missing(&self) -> bool {
        let is_empty = |value: serde_json::Value| value.as_array().is_some_and(Vec::is_empty);
        self.json(&["errors"]).is_some_and(is_empty)
            || self.json(&["data"]).is_some_and(|data| data.is_object())
    }

    /// Whether a 404 says that no engine is mounted there.
    pub(super) fn has_no_mount(&self) -> bool {
        self.words().contains("no handler for route")
    }

    /// The server's own words, on one line and not too long.
    pub(super) fn words(&self) -> String {
        let said = [self.json(&["errors"]), self.json(&["warnings"])];
        let said = said.iter().flatten().filter_map(serde_json::Value::as_array).flatten();
        let text = said.filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join("; ");
        brief(&text, 200)
    }
}

/// Whether a host of a URL is this machine.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["127.evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "10.0.0.1", "[::2]", ""] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn an_answer_is_not_shown() {
        let reply = Reply { status: 200, body: Zeroizing::new(b"hunter2".to_vec()) };
        assert_eq!(format!("{reply:?}"), "Reply { status: 200, .. }");
    }
}
