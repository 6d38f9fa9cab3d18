//! Requests to a vendor's API: who asks, how often, how long, and what an answer is.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use serde_json::Value;
use zeroize::Zeroizing;

use doppio_http::NoResponse;
use doppio_http::Response;
use doppio_http::client;
use doppio_http::innermost;
use doppio_secrets::Mask;
use doppio_secrets::SecretValue;
use doppio_text::brief;

use crate::account::Account;
use crate::error::RentedError;
use crate::limiter::Limiter;
use crate::machine_id::VendorName;
use crate::redact::redact;
use crate::refusal::CallError;
use crate::refusal::Refusal;
use crate::refusal::wait;

/// No answer is longer, in bytes.
const LONGEST: usize = 16 << 20;

/// Times that a request is sent before its failure counts.
const TRIES: u32 = 4;

/// The pause before the second try; it doubles from then on.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest wait that a server may ask for.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(15);

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// Which of the vendor's intervals it falls under, and how long that is.
    pace: (&'static str, Duration),
    deadline: Duration,
    /// Whether it may be sent again when what became of it is not known.
    may_repeat: bool,
}

impl Call {
    /// A request that may be repeated, and takes up to half a minute.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            pace: ("", Duration::ZERO),
            deadline: Duration::from_secs(30),
            may_repeat: true,
        }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The interval that it falls under.
    pub(crate) fn pace(self, kind: &'static str, interval: Duration) -> Self {
        Self { pace: (kind, interval), ..self }
    }

    pub(crate) fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// It costs money, and so is sent again only if it was surely not done.
    pub(crate) fn once(self) -> Self {
        Self { may_repeat: false, ..self }
    }
}

/// Who asks.
pub(crate) struct Caller {
    vendor: VendorName,
    http: reqwest::Client,
    base: Url,
    keys: Vec<SecretValue>,
    /// Which of the keys is in use.
    current: AtomicUsize,
    limiter: Limiter,
    in_haste: bool,
    /// Hides the keys in what a server says.
    pub mask: Mask,
    /// Whether an answer says that this key is of no use any more.
    is_expired: fn(&Refusal) -> bool,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("vendor", &self.vendor)
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// A caller for this account. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When there is no key, or the address would let others read it.
    pub(crate) fn new(
        vendor: VendorName,
        account: &Account,
        usual: &str,
        is_expired: fn(&Refusal) -> bool,
    ) -> Result<Self, RentedError> {
        if account.keys.is_empty() {
            return Err(RentedError::NoKey(vendor));
        }
        let text = account.base.as_deref().unwrap_or(usual);
        let bad = |why| RentedError::BadBase { vendor, base: brief(text, 100), why };
        let base = Url::parse(text).map_err(|_| bad("it is not a URL"))?;
        let is_local = is_loopback(&base);
        match base.scheme() {
            "https" => {}
            "http" if is_local => {}
            _ => return Err(bad("the key goes there, so it must be `https`")),
        }
        if !base.username().is_empty() || base.password().is_some() {
            // It is not repeated: a password is in it.
            return Err(RentedError::BadBase {
                vendor, base: "…@…".to_owned(), why: "a login stands in it"
            });
        }
        let mask = Mask::default();
        for key in &account.keys {
            // One that can't be masked is not a key, as the vendor will say.
            mask.register(&vendor.secret(), key).ok();
        }
        let mut builder = client().connect_timeout(CONNECT);
        if is_local {
            builder = builder.no_proxy();
        }
        let http =
            builder.build().map_err(|error| RentedError::Unreachable { vendor, cause: innermost(&error) })?;
        Ok(Self {
            vendor,
            http,
            base,
            keys: account.keys.clone(),
            current: AtomicUsize::new(0),
            limiter: Limiter::default(),
            // A server of this machine has no intervals to keep.
            in_haste: account.in_haste || is_local,
            mask,
            is_expired,
        })
    }

    /// Sends a request as often as it takes and may be; the answer's JSON without keys.
    pub(crate) async fn send(&self, call: &Call) -> Result<Value, CallError> {
        let mut tried = 1;
        loop {
            let key = self.current.load(Ordering::Relaxed);
            let failed = match self.once(call, key).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let pause = match failed {
                Failed::For(error) => return Err(error),
                Failed::Key(error) => {
                    if key + 1 >= self.keys.len() {
                        return Err(error);
                    }
                    // Another request may have gone on to the next key already.
                    self.current.compare_exchange(key, key + 1, Ordering::Relaxed, Ordering::Relaxed).ok();
                    continue;
                }
                Failed::Now(error, told) => {
                    let may_repeat = call.may_repeat || !matches!(error, CallError::Unclear(_));
                    if tried >= TRIES || !may_repeat || told.is_some_and(|told| told > PATIENCE) {
                        return Err(error);
                    }
                    told
                }
            };
            match pause {
                Some(told) => self.limiter.hold(call.pace.0, told),
                None if self.in_haste => {}
                None => tokio::time::sleep(PAUSE * 2_u32.pow(tried - 1)).await,
            }
            tried += 1;
        }
    }

    /// Pauses between two looks at something, but in tests.
    pub(crate) async fn pause(&self, pause: Duration) {
        if !self.in_haste {
            tokio::time::sleep(pause).await;
        }
    }

    /// Fetches a text from a server that gets no key: a file that the vendor put somewhere. None while it
    /// is not there.
    pub(crate) async fn fetch_openly(&self, address: &str) -> Result<Option<String>, RentedError> {
        let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" || is_loopback(url));
        let Some(url) = url else {
            return Err(self.not_api(200));
        };
        let request = self.http.get(url).timeout(Duration::from_secs(10));
        match Response::of(request, LONGEST).await {
            Ok(answer) if answer.status.is_success() => {
                Ok(Some(self.mask.text(&String::from_utf8_lossy(&answer.body)).as_str().to_owned()))
            }
            Ok(_) => Ok(None),
            Err(NoResponse::TooLong) => Err(self.not_api(200)),
            Err(NoResponse::Broken(error)) if error.is_timeout() => Ok(None),
            Err(NoResponse::Broken(error)) => {
                Err(RentedError::Unreachable { vendor: self.vendor, cause: innermost(&error) })
            }
        }
    }

    async fn once(&self, call: &Call, key: usize) -> Result<Value, Failed> {
        let (kind, interval) = call.pace;
        self.limiter.turn(kind, if self.in_haste { Duration::ZERO } else { interval }).await;
        let mut url = self.url(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut answer = self.answer(call, key, url.clone()).await?;
        // One redirect, and on the same server only.
        if matches!(answer.status.as_u16(), 301 | 302 | 307 | 308)
            && let Some(to) = location(&url, &answer.headers).filter(|to| to.origin() == url.origin())
            && (call.method == Method::GET || matches!(answer.status.as_u16(), 307 | 308))
        {
            answer = self.answer(call, key, to).await?;
        }
        self.read(&answer)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    async fn answer(&self, call: &Call, key: usize, url: Url) -> Result<Response, Failed> {
        let vendor = self.vendor;
        let mut request =
            self.http.request(call.method.clone(), url).headers(self.login(key)?).timeout(call.deadline);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        Response::of(request, LONGEST).await.map_err(|error| match error {
            NoResponse::TooLong => Failed::For(CallError::Unclear(self.not_api(200))),
            NoResponse::Broken(error) => {
                let cause = if error.is_timeout() && !error.is_connect() {
                    RentedError::Late { vendor, seconds: call.deadline.as_secs() }
                } else {
                    RentedError::Unreachable { vendor, cause: innermost(&error) }
                };
                let undone = error.is_connect() || error.is_builder();
                Failed::Now(if undone { CallError::Undone(cause) } else { CallError::Unclear(cause) }, None)
            }
        })
    }

    /// The header with the key.
    #[expect(clippy::disallowed_methods, reason = "the key of the account goes into the header that logs in")]
    fn login(&self, key: usize) -> Result<HeaderMap, Failed> {
        let header = self.keys[key].reveal(|key| {
            let words = Zeroizing::new([b"Bearer ", key.trim_ascii()].concat());
            HeaderValue::from_bytes(&words)
        });
        let words = "it has characters that a key can't have".to_owned();
        let mut header = header.map_err(|_| {
            Failed::Key(CallError::Undone(RentedError::BadKey { vendor: self.vendor, words }))
        })?;
        header.set_sensitive(true);
        Ok([(reqwest::header::AUTHORIZATION, header)].into_iter().collect())
    }

    fn read(&self, answer: &Response) -> Result<Value, Failed> {
        let status = answer.status.as_u16();
        let text = String::from_utf8_lossy(&answer.body);
        let text = text.trim();
        let parsed = serde_json::from_str::<Value>(text).ok().map(|mut value| {
            redact(&mut value);
            value
        });
        let is_success = answer.status.is_success();
        if is_success
            && let Some(value) = &parsed
            && value["success"] != Value::Bool(false)
        {
            return Ok(value.clone());
        }
        // Some answers to orders have no body.
        if is_success && text.is_empty() {
            return Ok(Value::Null);
        }
        if parsed.is_none() && (is_success || text.starts_with('<')) && status != 429 {
            let error = CallError::Unclear(self.not_api(status));
            return Err(if status >= 500 { Failed::Now(error, None) } else { Failed::For(error) });
        }
        let plain = if parsed.is_none() { text } else { "" };
        let refusal = Refusal::of(status, parsed.unwrap_or_default(), plain, &self.mask);
        Err(self.failed(refusal, answer, text))
    }

    /// What an answer without success means for the request.
    fn failed(&self, refusal: Refusal, answer: &Response, text: &str) -> Failed {
        let vendor = self.vendor;
        match refusal.status {
            429 if refusal.code == "search_quota_exceeded" => {
                let resets = answer.headers.get("x-ratelimit-reset").and_then(|time| time.to_str().ok());
                let resets = resets.and_then(|time| time.trim().parse::<i64>().ok());
                let resets = resets.and_then(|time| jiff::Timestamp::from_second(time).ok());
                Failed::For(CallError::Undone(RentedError::SearchQuota { vendor, resets }))
            }
            429 => {
                let told = wait(&answer.headers, text);
                Failed::Now(CallError::Undone(RentedError::Busy { vendor, wait: told }), told)
            }
            500.. => Failed::Now(CallError::Unclear(refusal.error(vendor, "do that")), None),
            _ if (self.is_expired)(&refusal) => {
                let words = refusal.words;
                Failed::Key(CallError::Undone(RentedError::BadKey { vendor, words }))
            }
            _ => Failed::For(CallError::Refused(Box::new(refusal))),
        }
    }

    fn not_api(&self, status: u16) -> RentedError {
        let base = self.base.as_str().trim_end_matches('/').to_owned();
        RentedError::NotApi { vendor: self.vendor, base, status }
    }
}

/// What to do about a failure.
enum Failed {
    /// Another try would not help.
    For(CallError),
    /// Another key may help.
    Key(CallError),
    /// Another try may help, after what the server asks for.
    Now(CallError, Option<Duration>),
}

/// Where a redirect leads.
fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get("location")?.to_str().ok()?).ok()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
