//! The one HTTP client, for the calls of this program and for those that Amazon's SDK makes while it
//! looks for credentials: to the token service, single sign-on, the container, the instance.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use reqwest::Method;

use doppio_secrets::source::Logins;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use crate::http::learn;
use doppio_http::innermost;

/// How long a connection may take to come about, as in Amazon's SDK.
const CONNECT: Duration = Duration::from_millis(3100);

/// A client with the roots of the system, and those of `AWS_CA_BUNDLE`. Like Amazon's SDK it follows
/// no redirect and asks no proxy.
pub(super) fn client(setup: &Setup) -> Result<reqwest::Client, SourceError> {
    let mut builder = doppio_http::client().connect_timeout(CONNECT).no_proxy();
    if let Some(path) = setup.environment.path("AWS_CA_BUNDLE") {
        let all = doppio_http::certificates(&path).map_err(|cause| {
            SourceError::unreachable(
                format!("AWS_CA_BUNDLE: cannot use the certificates in `{}`: {cause}", path.display()),
                "fix AWS_CA_BUNDLE, or unset it",
            )
        })?;
        builder = builder.tls_certs_merge(all);
    }
    builder.build().map_err(|error| {
        SourceError::unreachable(
            format!("cannot make a client for AWS: {}", innermost(&error)),
            "look at `AWS_CA_BUNDLE`, and at the certificates of this machine",
        )
    })
}

/// The client as Amazon's SDK knows one.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    /// Where it says what the SDK logs in with.
    pub(super) logins: Logins,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: self.http.clone(),
            logins: self.logins.clone(),
            patience: settings.read_timeout(),
        })
    }
}

/// The client together with how long an answer may take to begin.
#[derive(Debug)]
struct Connector {
    http: reqwest::Client,
    logins: Logins,
    patience: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let patience = self.patience;
        match self.translated(&request) {
            Ok(request) => HttpConnectorFuture::new(exchange(self.http.clone(), request, patience)),
            Err(error) => HttpConnectorFuture::ready(Err(ConnectorError::user(error))),
        }
    }
}

impl Connector {
    fn translated(&self, request: &HttpRequest) -> Result<reqwest::Request, BoxError> {
        let method = Method::from_bytes(request.method().as_bytes())?;
        learn(&self.logins, request.headers().iter().map(|(name, value)| (name, value.as_bytes())));
        let body = request.body().bytes().ok_or("a request that is not in memory")?.to_vec();
        let sent = self.http.request(method, request.uri()).body(body);
        Ok(request.headers().iter().fold(sent, |sent, (name, value)| sent.header(name, value)).build()?)
    }
}

async fn exchange(
    http: reqwest::Client,
    request: reqwest::Request,
    patience: Option<Duration>,
) -> Result<HttpResponse, ConnectorError> {
    let answer = http.execute(request);
    let answer = match patience {
        None => answer.await,
        Some(patience) => match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer,
            Err(late) => return Err(ConnectorError::timeout(late.into())),
        },
    };
    let answer = answer.map_err(failed)?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.map_err(failed)?;
    let odd = |error: BoxError| ConnectorError::other(error, None);
    let status = status.try_into().map_err(|error| odd(Box::new(error)))?;
    let mut response = HttpResponse::new(status, body.into());
    for (name, value) in &headers {
        let value = value.to_str().map_err(|error| odd(error.into()))?.to_owned();
        response
            .headers_mut()
            .try_append(name.as_str().to_owned(), value)
            .map_err(|error| odd(error.into()))?;
    }
    Ok(response)
}

fn failed(error: reqwest::Error) -> ConnectorError {
    let is_late = error.is_timeout();
    let error: BoxError = Box::new(error);
    if is_late { ConnectorError::timeout(error) } else { ConnectorError::io(error) }
}
