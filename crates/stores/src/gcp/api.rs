//! The few requests of Secret Manager's REST interface that Doppio makes:
//! <https://cloud.google.com/secret-manager/docs/reference/rest>.

#![expect(clippy::disallowed_methods, reason = "a value goes to Secret Manager, and comes out of its answer")]

use std::collections::HashMap;

use data_encoding::BASE64;
use google_cloud_auth::credentials::CacheableResource;
use google_cloud_auth::credentials::Credentials;
use http::Extensions;
use reqwest::Method;
use reqwest::Url;
use reqwest::header::HOST;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::Logins;
use doppio_secrets::source::SourceError;

use crate::http::learn;
use doppio_http::Response;
use doppio_http::client;

use super::crc32c;
use super::host;
use super::refusal;
use super::refusal::Failure;

/// No answer is longer, in bytes: a page of secrets with all the annotations that they may have.
const LONGEST: usize = 64 << 20;

/// The service takes no larger value, in bytes: <https://cloud.google.com/secret-manager/quotas>.
const LARGEST: usize = 64 << 10;

/// Names of one page of a list.
pub(super) const PAGE: usize = 1000;

/// Secret Manager, as one login sees it.
#[derive(Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    /// Whom the request is for, where the address is another way to it.
    host: Option<HeaderValue>,
    credentials: Credentials,
    logins: Logins,
}

/// What stands on a secret.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Secret {
    /// Its full name.
    pub name: String,
    pub create_time: Option<jiff::Timestamp>,
    pub etag: String,
    pub annotations: HashMap<String, String>,
}

/// What stands on a version.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SecretVersion {
    /// Its full name.
    pub name: String,
    pub create_time: Option<jiff::Timestamp>,
    pub state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    Enabled,
    Disabled,
    Destroyed,
    #[default]
    #[serde(other)]
    Unknown,
}

/// A value as it came.
pub(super) struct Accessed {
    /// The full name of its version.
    pub name: String,
    pub value: SecretValue,
    /// Whether it is what the service says that it sent; none where it does not say.
    pub is_whole: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Page {
    secrets: Vec<Secret>,
    versions: Vec<SecretVersion>,
    next_page_token: String,
}

impl Api {
    /// The service at this address, or at its own. Nothing is sent.
    pub(super) fn new(
        endpoint: Option<&str>,
        universe: &str,
        credentials: Credentials,
        logins: Logins,
    ) -> Result<Self, SourceError> {
        let unmade = || {
            SourceError::unreachable(
                "the client of Secret Manager can't be made",
                "check `endpoint` in `[sources.gcp]`",
            )
        };
        let base = match endpoint {
            Some(endpoint) => Url::parse(endpoint),
            None => Url::parse(&format!("https://{}", host::of_service(universe))),
        };
        let base = base.map_err(|_| unmade())?;
        let host = host::behind(base.host_str().unwrap_or_default(), universe);
        let host = host.map(|host| HeaderValue::from_str(&host)).transpose().map_err(|_| unmade())?;
        let http = client().build().map_err(|_| unmade())?;
        Ok(Self { http, base, host, credentials, logins })
    }

    /// The value of a version.
    pub(super) async fn access(&self, version: &str) -> Result<Accessed, Failure> {
        let answer = self.send(Method::GET, &format!("{version}:access"), &[], None).await?;
        let member = |keys: &[&str]| format::json_member(&answer, keys);
        let text = |keys: &[&str]| String::from_utf8(member(keys)?.reveal(<[u8]>::to_vec)).ok();
        if member(&["payload"]).is_none() {
            return Err(Failure::Nonsense);
        }
        let data = member(&["payload", "data"]);
        let data = data.map(|data| data.reveal(|data| BASE64.decode(data))).transpose();
        let value = SecretValue::new(data.map_err(|_| Failure::Nonsense)?.unwrap_or_default());
        let sum = value.reveal(crc32c::of).to_string();
        let is_whole = text(&["payload", "dataCrc32c"]).map(|told| told == sum);
        Ok(Accessed { name: text(&["name"]).unwrap_or_default(), value, is_whole })
    }

    /// What is known of a version.
    pub(super) async fn version(&self, version: &str) -> Result<SecretVersion, Failure> {
        read(&self.send(Method::GET, version, &[], None).await?)
    }

    /// What is known of a secret.
    pub(super) async fn secret(&self, name: &str) -> Result<Secret, Failure> {
        read(&self.send(Method::GET, name, &[], None).await?)
    }

    /// Writes a value as a version, the newest one.
    pub(super) async fn add(&self, name: &str, payload: &[u8]) -> Result<SecretVersion, Failure> {
        read(&self.send(Method::POST, &format!("{name}:addVersion"), &[], Some(payload)).await?)
    }

    /// Makes a secret without a version.
    pub(super) async fn create(
        &self,
        name: &str,
        label: (&str, &str),
        annotations: &HashMap<String, String>,
    ) -> Result<Secret, Failure> {
        let (parent, id) = name.split_once("/secrets/").unwrap_or_default();
        let secret = json!({
            "replication": { "automatic": {} },
            "labels": { label.0: label.1 },
            "annotations": annotations,
        });
        let body = secret.to_string();
        let (path, query) = (format!("{parent}/secrets"), [("secretId", id)]);
        read(&self.send(Method::POST, &path, &query, Some(body.as_bytes())).await?)
    }

    /// Writes what stands on a secret, if that is still what was read.
    pub(super) async fn annotate(
        &self,
        secret: &Secret,
        annotations: &HashMap<String, String>,
    ) -> Result<Secret, Failure> {
        let change = json!({ "name": secret.name, "etag": secret.etag, "annotations": annotations });
        let body = change.to_string();
        let query = [("updateMask", "annotations")];
        read(&self.send(Method::PATCH, &secret.name, &query, Some(body.as_bytes())).await?)
    }

    /// Removes a secret with all its versions.
    pub(super) async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, name, &[], None).await.map(drop)
    }

    /// Asks for one secret of a project, whichever.
    pub(super) async fn peek(&self, project: &str) -> Result<(), Failure> {
        self.page(&format!("projects/{project}/secrets"), 1, "").await.map(drop)
    }

    /// The secrets of a project, page by page.
    pub(super) async fn secrets(&self, project: &str) -> Result<Vec<Secret>, Failure> {
        self.all(&format!("projects/{project}/secrets"), |page| page.secrets).await
    }

    /// The versions of a secret, page by page.
    pub(super) async fn versions(&self, name: &str) -> Result<Vec<SecretVersion>, Failure> {
        self.all(&format!("{name}/versions"), |page| page.versions).await
    }

    async fn all<T>(&self, path: &str, items: impl Fn(Page) -> Vec<T>) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let mut page = self.page(path, PAGE, &next).await?;
            next = std::mem::take(&mut page.next_page_token);
            all.extend(items(page));
            if next.is_empty() {
                return Ok(all);
            }
        }
    }

    async fn page(&self, path: &str, size: usize, token: &str) -> Result<Page, Failure> {
        let size = size.to_string();
        let query = [("pageSize", size.as_str()), ("pageToken", token)];
        let query = if token.is_empty() { &query[..1] } else { &query[..] };
        read(&self.send(Method::GET, path, query, None).await?)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        json: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url).headers(self.login().await?);
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        if let Some(json) = json {
            // The HTTP client keeps its own copy of the body until it is sent.
            request = request.header("content-type", "application/json").body(json.to_vec());
        }
        let Response { status, body, .. } = Response::of(request, LONGEST).await?;
        if status.is_success() { Ok(body) } else { Err(Failure::of_answer(status.as_u16(), &body)) }
    }

    /// The headers of the login: the token, and who pays.
    async fn login(&self) -> Result<HeaderMap, Failure> {
        let headers = self.credentials.headers(Extensions::new()).await;
        match headers.map_err(|error| Failure::Unsent(refusal::of_login(&error)))? {
            CacheableResource::New { data, .. } => {
                learn(&self.logins, data.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
                Ok(data)
            }
            // Only where a tag of earlier headers was handed in.
            CacheableResource::NotModified => Ok(HeaderMap::new()),
        }
    }
}

/// The parser's own words may quote the answer, so they are dropped.
fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer).map_err(|_| Failure::Nonsense)
}

/// A value with its checksum, as it is sent.
pub(super) fn payload(value: &SecretValue) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    const BEGIN: &str = r#"{"payload":{"data":""#;
    value.reveal(|bytes| {
        if bytes.len() > LARGEST {
            return Err(SourceError::too_long("Secret Manager", LARGEST));
        }
        let end = format!(r#"","dataCrc32c":"{}"}}}}"#, crc32c::of(bytes));
        let size = BASE64.encode_len(bytes.len());
        let mut text = Zeroizing::new(Vec::with_capacity(BEGIN.len() + size + end.len()));
        text.extend_from_slice(BEGIN.as_bytes());
        text.resize(BEGIN.len() + size, 0);
        BASE64.encode_mut(bytes, &mut text[BEGIN.len()..]);
        text.extend_from_slice(end.as_bytes());
        Ok(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sent_with_its_checksum() {
        let sent = payload(&SecretValue::new(b"123456789".to_vec())).unwrap();
        let text = r#"{"payload":{"data":"MTIzNDU2Nzg5","dataCrc32c":"3808858755"}}"#;
        assert_eq!(std::str::from_utf8(&sent).unwrap(), text);
        assert_eq!(sent.capacity(), sent.len());
    }

    #[test]
    fn a_state_that_nobody_knows_is_one_all_the_same() {
        let version = |text: &str| read::<SecretVersion>(text.as_bytes()).unwrap().state;
        assert_eq!(version(r#"{"state": "DESTROYED"}"#), State::Destroyed);
        assert_eq!(version(r#"{"state": "ON_FIRE"}"#), State::Unknown);
        assert_eq!(version("{}"), State::Unknown);
    }

    #[test]
    fn an_answer_that_is_none_is_not_quoted() {
        for text in ["hunter2", r#"{"secrets": "hunter2"}"#, "<html>"] {
            assert!(!format!("{:?}", read::<Page>(text.as_bytes()).err().unwrap()).contains("hunter2"));
        }
    }
}
