//! Whether a vendor accepts a new value: one small request that changes nothing.

use doppio_secrets::SecretValue;
use doppio_secrets::vendor::Ping;

#[cfg(feature = "online")]
use doppio_secrets::vendor::Login;

#[cfg(feature = "online")]
use doppio_http::NoResponse;
#[cfg(feature = "online")]
use doppio_http::Response;

/// No answer is longer, in bytes.
#[cfg(feature = "online")]
const LONGEST: usize = 4 << 20;

/// What a vendor said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It knows whose it is.
    Accepted,
    /// It does not accept it.
    Refused,
    /// The answer is not clear: out of reach, too busy, or known but not allowed to ask.
    Unclear(String),
}

/// Whether this build asks anybody: the cargo feature `online`.
pub const IS_BUILT: bool = cfg!(feature = "online");

/// Whether this is a place on this machine, as tests name one: nothing else may replace a vendor,
/// since it gets the value.
pub fn is_loopback(base: &str) -> bool {
    let host = base.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':'));
    host.is_some_and(|(host, port)| {
        matches!(host, "127.0.0.1" | "localhost" | "[::1]") && port.parse::<u16>().is_ok()
    })
}

/// Whether this is the vendor's own server, as the value of [`Ping::elsewhere`] names it: a key for
/// another server must not go to the vendor.
pub fn is_own(ping: &Ping, server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    host.split(['/', ':']).next().is_some_and(|host| host.eq_ignore_ascii_case(ping.host))
}

/// Asks. `base` stands in for the vendor's own address; it must be a loopback address.
pub async fn ask(ping: &Ping, value: &SecretValue, base: Option<&str>) -> Verdict {
    match base {
        Some(base) if !is_loopback(base) => {
            Verdict::Unclear(format!("`{base}` is not a loopback address, as `http://127.0.0.1:8080`"))
        }
        base => send(ping, value, base).await,
    }
}

#[cfg(not(feature = "online"))]
#[expect(clippy::unused_async, reason = "as in the build that asks")]
async fn send(_: &Ping, _: &SecretValue, _: Option<&str>) -> Verdict {
    Verdict::Unclear("this build of doppio lacks the feature `online`".to_owned())
}

#[cfg(feature = "online")]
async fn send(ping: &Ping, value: &SecretValue, base: Option<&str>) -> Verdict {
    match request(ping, value, base).await {
        Ok(verdict) => verdict,
        // Its innermost cause alone: the error may name the request.
        Err(NoResponse::Broken(error)) if error.is_timeout() => {
            Verdict::Unclear(format!("{} did not answer within 15 s", ping.vendor))
        }
        Err(NoResponse::Broken(error)) => {
            Verdict::Unclear(format!("{} can't be reached: {}", ping.vendor, doppio_http::innermost(&error)))
        }
        Err(NoResponse::TooLong) => Verdict::Unclear(format!("{} gave too long an answer", ping.vendor)),
    }
}

#[cfg(feature = "online")]
#[expect(clippy::disallowed_methods, reason = "the value goes into a header of the question")]
async fn request(ping: &Ping, value: &SecretValue, base: Option<&str>) -> Result<Verdict, NoResponse> {
    use std::time::Duration;
    use zeroize::Zeroizing;
    let mut client = doppio_http::client().timeout(Duration::from_secs(15));
    if base.is_some() {
        client = client.no_proxy();
    }
    let url = format!("{}{}", base.unwrap_or(ping.base), ping.path);
    let client = client.build()?;
    let value = Zeroizing::new(value.reveal(<[u8]>::to_vec));
    let Ok(text) = std::str::from_utf8(&value) else { return Ok(Verdict::Refused) };
    let header = |text: &str| {
        let header = reqwest::header::HeaderValue::from_str(text).ok();
        header.map(|mut header| {
            header.set_sensitive(true);
            header
        })
    };
    let request = match ping.login {
        Login::Bearer => {
            let words = Zeroizing::new(format!("Bearer {text}"));
            header(&words).map(|header| client.get(url).header("authorization", header))
        }
        Login::XApiKey => header(text).map(|header| {
            client.get(url).header("x-api-key", header).header("anthropic-version", "2023-06-01")
        }),
        Login::Viewer => {
            let question = serde_json::json!({ "query": "query { viewer { id } }" });
            Some(client.post(url).basic_auth("api", Some(text)).json(&question))
        }
    };
    // What a header can't carry is not a token.
    let Some(request) = request else { return Ok(Verdict::Refused) };
    // Only one of them says in the body whose the value is.
    if ping.login != Login::Viewer {
        return Ok(verdict(ping, request.send().await?.status()));
    }
    let answer = Response::of(request, LONGEST).await?;
    Ok(match verdict(ping, answer.status) {
        Verdict::Accepted => match serde_json::from_slice::<serde_json::Value>(&answer.body) {
            Ok(answer) if answer["data"]["viewer"].is_object() => Verdict::Accepted,
            Ok(_) => Verdict::Refused,
            Err(_) => Verdict::Unclear(format!("{} did not answer with JSON", ping.vendor)),
        },
        verdict => verdict,
    })
}

#[cfg(feature = "online")]
fn verdict(ping: &Ping, status: reqwest::StatusCode) -> Verdict {
    match status.as_u16() {
        200..300 => Verdict::Accepted,
        401 => Verdict::Refused,
        _ => Verdict::Unclear(format!("{} answered {status}", ping.vendor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_stands_in_for_a_vendor() {
        for base in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:99"] {
            assert!(is_loopback(base), "{base}");
        }
        for base in [
            "https://huggingface.co",
            "http://127.0.0.1",
            "http://127.0.0.1:8080/x",
            "http://127.0.0.1:80@evil.example:80",
            "http://127.0.0.1.evil.example:80",
            "http://10.0.0.1:80",
        ] {
            assert!(!is_loopback(base), "{base}");
        }
    }
}
