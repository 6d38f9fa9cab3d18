//! A service of AWS that is asked: who asks is found with the first call, every call is signed, and
//! what may go well the next time is tried again.

use std::fmt;
use std::time::Duration;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use doppio_secrets::source::Setup;

use crate::aws::account::Account;
use crate::aws::body;
use crate::aws::body::Body;
use crate::aws::call::Call;
use crate::aws::refusal::Failure;
use crate::aws::reply::Reply;
use crate::aws::request::Request;
use crate::aws::retry;
use crate::aws::retry::Attempt;
use crate::aws::service::Service;
use doppio_http::Response;

/// No answer is longer, in bytes: 20 values of 64 KiB in escapes are half of it.
const LONGEST: usize = 16 << 20;

/// Single calls of one batch that are under way at the same time.
pub(super) const CALLS: usize = 8;

/// A service, and whose account it is asked for.
pub(super) struct Api {
    service: &'static Service,
    account: Account,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("service", &self.service.id).finish_non_exhaustive()
    }
}

impl Api {
    /// The service as the settings of `scheme` have it. Nothing is asked yet.
    pub(super) fn new(setup: Setup, scheme: &'static str, service: &'static Service) -> Self {
        Self { service, account: Account::new(setup, scheme, service) }
    }

    /// The region that the settings or the environment name, for messages.
    pub(super) fn region(&self) -> Option<String> {
        self.account.region()
    }

    /// Asks with what holds no value.
    pub(super) async fn ask(&self, call: Call<'_>, request: &Value) -> Result<Reply, Failure> {
        self.send(call, body::plain(request)).await
    }

    /// Sends a body, several times if need be.
    pub(super) async fn send(&self, call: Call<'_>, body: Body) -> Result<Reply, Failure> {
        let session = self.account.session().await?;
        let endpoint = session.endpoint(self.service, call.region())?;
        let request = Request::new(self.service, &endpoint, call.operation(), body);
        let mut made = 0;
        loop {
            let identity = session.identity().await?;
            let signed = request.signed(&session.http, &identity, SystemTime::now())?;
            made += 1;
            let attempt = match attempt(&session.http, signed).await {
                Ok(reply) => return Ok(reply),
                Err(attempt) => attempt,
            };
            match attempt.wait(&session.retries(), made, retry::share()) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(attempt.failure),
            }
        }
    }

    /// Asks for a list page by page; `request` is an object.
    pub(super) fn pages<'a>(&'a self, call: Call<'a>, request: Value) -> Pages<'a> {
        Pages { api: self, call, request, is_over: false }
    }
}

async fn attempt(http: &reqwest::Client, request: reqwest::Request) -> Result<Reply, Attempt> {
    let request = reqwest::RequestBuilder::from_parts(http.clone(), request);
    let response = Response::of(request, LONGEST).await;
    let Response { status, headers, body } =
        response.map_err(|error| Attempt { failure: error.into(), wait: None })?;
    if status.is_success() {
        return Ok(Reply(body));
    }
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Err(Attempt {
        failure: Failure::of_response(status.as_u16(), header("x-amzn-errortype"), &body),
        wait: header("x-amz-retry-after").and_then(|wait| wait.parse().ok()).map(Duration::from_millis),
    })
}

/// A list that comes in pages.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    api: &'a Api,
    call: Call<'a>,
    request: Value,
    is_over: bool,
}

#[derive(Deserialize)]
struct Continued {
    #[serde(rename = "NextToken")]
    next: Option<String>,
}

impl Pages<'_> {
    /// The next page; none after the last one, and after one that failed.
    pub(super) async fn next(&mut self) -> Option<Result<Reply, Failure>> {
        if self.is_over {
            return None;
        }
        let page = self.turn().await;
        self.is_over |= page.is_err();
        Some(page)
    }

    async fn turn(&mut self) -> Result<Reply, Failure> {
        let page = self.api.ask(self.call, &self.request).await?;
        let Continued { next } = page.object().metadata()?;
        let next = next.filter(|next| !next.is_empty()).map(Value::from);
        // One that leads to where it stands would lead there for ever.
        let is_new = |next: &Value| self.request.get("NextToken") != Some(next);
        match next.filter(is_new) {
            Some(next) => self.request["NextToken"] = next,
            None => self.is_over = true,
        }
        Ok(page)
    }
}
