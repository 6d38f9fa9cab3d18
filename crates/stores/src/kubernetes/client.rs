//! Requests to a cluster as one of its users.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use http_body_util::BodyExt;
use http_body_util::Full;
pub(super) use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::header::AUTHORIZATION;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderMap;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::header::USER_AGENT;
use hyper_rustls::FixedServerNameResolver;
use hyper_rustls::HttpsConnector;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use jiff::SignedDuration;
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Logins;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use crate::http::learn;
use doppio_http::AGENT;
use doppio_http::append;
use doppio_http::innermost;

use super::kubeconfig::Chosen;
use super::kubeconfig::User;
use super::kubeconfig::unusable;
use super::program;
use super::refusal::Failure;
use super::tls;

/// No answer is longer, in bytes: a page of 500 Secrets, whose annotations may be large.
const LONGEST: usize = 256 << 20;

/// How long it may take to reach the cluster.
const CONNECT: Duration = Duration::from_secs(30);

/// What is read from files is read again after this time: they are replaced before they run out.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// Credentials are renewed this long before their end.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// A cluster, as one user sees it.
pub(super) struct Client {
    server: String,
    chosen: Chosen,
    proxy: Option<Intercept>,
    logins: Logins,
    session: Mutex<Arc<Session>>,
}

/// Connections, and what every request carries, while both hold.
struct Session {
    http: Http,
    headers: HeaderMap,
    until: Option<Timestamp>,
}

enum Http {
    Direct(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Proxied(Pool<HttpsConnector<Tunnel<HttpConnector>>, Full<Bytes>>),
}

/// One request.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub path: String,
    pub query: &'a [(&'a str, &'a str)],
    pub accept: &'static str,
    /// Its type, and the body itself.
    pub body: Option<(&'static str, &'a [u8])>,
}

impl Client {
    /// Connects nothing yet; the kubeconfig's login program may run.
    pub(super) async fn open(chosen: Chosen, setup: &Setup) -> Result<Self, SourceError> {
        let origin = &chosen.origin;
        let server = chosen.cluster.server.as_deref().filter(|server| !server.is_empty());
        let server = server.ok_or_else(|| unusable(format!("the cluster in {origin} has no `server`")))?;
        let server = server.trim_end_matches('/').to_owned();
        let uri: Option<Uri> = server.parse().ok();
        let uri = uri
            .filter(|uri| matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some())
            .ok_or_else(|| unusable(format!("the `server` of the cluster in {origin} is not a URL")))?;
        let proxy = proxy(&uri, chosen.cluster.proxy_url.as_deref(), setup)?;
        let logins = setup.logins.clone();
        let session = session(&chosen, proxy.as_ref(), &logins).await?;
        Ok(Self { server, chosen, proxy, logins, session: Mutex::new(Arc::new(session)) })
    }

    /// The answer to a request, if it is one of success.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let session = self.session().await.map_err(Failure::Unsent)?;
        let mut uri = format!("{}{}", self.server, ask.path);
        for (at, (name, value)) in ask.query.iter().enumerate() {
            uri.push(if at == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.push_str(&escaped(value, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
        }
        let mut request = Request::new(Full::default());
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = uri.parse().map_err(|_| Failure::Nonsense)?;
        *request.headers_mut() = session.headers.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(ask.accept));
        if let Some((kind, body)) = ask.body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            // The HTTP client keeps its own copy of the body until it is sent.
            *request.body_mut() = Full::new(Bytes::copy_from_slice(body));
        }
        let answer = match &session.http {
            Http::Direct(pool) => pool.request(request).await,
            Http::Proxied(pool) => pool.request(request).await,
        };
        let answer = answer.map_err(|error| Failure::Connection(innermost(&error)))?;
        let status = answer.status();
        let body = read(answer).await?;
        if status.is_success() { Ok(body) } else { Err(Failure::of_answer(status.as_u16(), &body)) }
    }

    async fn session(&self) -> Result<Arc<Session>, SourceError> {
        let mut current = self.session.lock().await;
        if current.until.is_some_and(|until| until <= Timestamp::now()) {
            match session(&self.chosen, self.proxy.as_ref(), &self.logins).await {
                Ok(fresh) => *current = Arc::new(fresh),
                Err(error) if self.chosen.user.token_file.is_none() => return Err(error),
                // Like kubectl: some take the token's file away once it was read.
                Err(_) => {}
            }
        }
        Ok(Arc::clone(&current))
    }
}

/// The way to `server`: the proxy of the kubeconfig, else that of the environment.
fn proxy(server: &Uri, own: Option<&str>, setup: &Setup) -> Result<Option<Intercept>, SourceError> {
    let variable = |names: [&str; 2]| names.into_iter().find_map(|name| setup.environment.text(name));
    let of_environment =
        || variable(["HTTPS_PROXY", "https_proxy"]).filter(|_| server.scheme_str() == Some("https"));
    let own = own.filter(|proxy| !proxy.is_empty());
    let Some(proxy) = own.or_else(of_environment).filter(|proxy| !proxy.is_empty()) else { return Ok(None) };
    if !proxy.parse::<Uri>().is_ok_and(|uri| uri.host().is_some()) {
        return Err(unusable("the proxy of the kubeconfig or of `HTTPS_PROXY` is not a URL".to_owned()));
    }
    let matcher = || Matcher::builder().all(proxy.to_owned());
    let proxy = matcher().build().intercept(server).filter(|proxy| proxy.uri().scheme_str() == Some("http"));
    if proxy.is_none() {
        return Err(SourceError::unreachable(
            "the proxy of the kubeconfig or of `HTTPS_PROXY` has a protocol that Doppio does not speak",
            "name an `http://` proxy",
        ));
    }
    let not_for = variable(["NO_PROXY", "no_proxy"]).filter(|_| own.is_none()).unwrap_or_default();
    Ok(matcher().no(not_for.to_owned()).build().intercept(server))
}

async fn read(mut answer: Response<Incoming>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut body = Zeroizing::new(Vec::with_capacity(16 << 10));
    while let Some(frame) = answer.frame().await {
        let frame = frame.map_err(|error| Failure::Connection(innermost(&error)))?;
        let Ok(part) = frame.into_data() else { continue };
        if !append(&mut body, &part, LONGEST) {
            return Err(Failure::Nonsense);
        }
    }
    Ok(body)
}

/// Logs in, in the order of precedence that kubectl has.
async fn session(
    chosen: &Chosen,
    proxy: Option<&Intercept>,
    logins: &Logins,
) -> Result<Session, SourceError> {
    let user = &chosen.user;
    let bearer = |token: &str| Some(Zeroizing::new(format!("Bearer {}", token.trim())));
    let (mut identity, mut until) = (user.identity()?, None);
    let authorization = if let Some(provider) = &user.auth_provider {
        match provider.config.get("id-token") {
            Some(token) if provider.name == "oidc" => bearer(token.as_str()),
            _ => return Err(unknown_provider(&provider.name)),
        }
    } else if let (Some(name), Some(password)) = (&user.username, &user.password) {
        logins.learn("kubernetes password", &SecretValue::new(password.as_str().as_bytes().to_vec()));
        let both = Zeroizing::new(format!("{name}:{}", password.as_str()));
        Some(Zeroizing::new(format!("Basic {}", BASE64.encode(both.as_bytes()))))
    } else if let Some(token) = user.token.as_ref().filter(|token| !token.as_str().is_empty()) {
        bearer(token.as_str())
    } else if let Some(path) = &user.token_file {
        until = Some(Timestamp::now() + FRESH);
        let token = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| unusable(format!("cannot read the token file `{}`: {error}", path.display())))?;
        bearer(&token)
    } else if let Some(exec) = &user.exec {
        let grant = program::ask(exec, &chosen.cluster).await?;
        until = grant.until.map(|until| until - EARLY);
        identity = grant.identity.or(identity);
        grant.token.and_then(|token| bearer(token.as_str()))
    } else {
        None
    };
    let mut headers = impersonation(user)?;
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Some(authorization) = authorization {
        let mut value = HeaderValue::from_str(&authorization)
            .map_err(|_| unusable("the credentials of the kubeconfig can't be used".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    learn(logins, headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let config = tls::config(&chosen.cluster, identity.as_deref().map(Vec::as_slice))?;
    Ok(Session { http: http(chosen, config, proxy)?, headers, until })
}

fn unknown_provider(name: &str) -> SourceError {
    SourceError::unreachable(
        format!(
            "the kubeconfig logs in with `auth-provider: {name}`, which Doppio can't do, nor kubectl any more"
        ),
        "have a login program written to it, as `gcloud container clusters get-credentials` or `kubelogin convert-kubeconfig` does",
    )
}

fn http(chosen: &Chosen, config: ClientConfig, proxy: Option<&Intercept>) -> Result<Http, SourceError> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    let name = chosen.cluster.tls_server_name.as_deref().filter(|name| !name.is_empty());
    let builder = match name.map(|name| ServerName::try_from(name.to_owned())) {
        None => builder,
        Some(Ok(name)) => builder.with_server_name_resolver(FixedServerNameResolver::new(name)),
        Some(Err(_)) => return Err(unusable("`tls-server-name` of the kubeconfig is no name".to_owned())),
    };
    let builder = builder.enable_http1();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    let pool = Pool::builder(TokioExecutor::new());
    let Some(proxy) = proxy else {
        return Ok(Http::Direct(pool.build(builder.wrap_connector(connector))));
    };
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
    if let Some(login) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(login.clone());
    }
    Ok(Http::Proxied(pool.build(builder.wrap_connector(tunnel))))
}

/// As whom the user acts:
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation>.
fn impersonation(user: &User) -> Result<HeaderMap, SourceError> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let name = HeaderName::try_from(name).ok()?;
        headers.append(name, HeaderValue::from_str(value).ok()?);
        Some(())
    };
    let mut all: Vec<(String, &str)> = Vec::new();
    all.extend(user.acts_as.iter().map(|name| ("impersonate-user".to_owned(), name.as_str())));
    all.extend(user.as_uid.iter().map(|uid| ("impersonate-uid".to_owned(), uid.as_str())));
    all.extend(user.as_groups.iter().flatten().map(|group| ("impersonate-group".to_owned(), group.as_str())));
    for (key, values) in user.as_user_extra.iter().flatten() {
        // Like kubectl: what a header's name can't hold, and `%` itself.
        let key = escaped(key, |byte| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte));
        all.extend(values.iter().map(|value| (format!("impersonate-extra-{key}"), value.as_str())));
    }
    for (name, value) in all {
        add(&name, value)
            .ok_or_else(|| unusable("the names after `as` in the kubeconfig can't be sent".to_owned()))?;
    }
    Ok(headers)
}

/// A text whose other bytes are written as `%` and two digits.
fn escaped(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let byte = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impersonated_user_is_named_as_kubectl_does() {
        let user: User = serde_saphyr::from_str(
            "{as: root, as-uid: '7', as-groups: [a, b], as-user-extra: {Foo-bar.baz_1/%: [x, y]}}",
        )
        .unwrap();
        let headers = impersonation(&user).unwrap();
        let all = |name: &str| {
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(all("impersonate-user"), "root");
        assert_eq!(all("impersonate-uid"), "7");
        assert_eq!(all("impersonate-group"), "a b");
        assert_eq!(all("impersonate-extra-foo-bar.baz_1%2f%25"), "x y");
        let user = User { acts_as: Some("a\nb".to_owned()), ..User::default() };
        assert!(impersonation(&user).is_err());
    }
}
