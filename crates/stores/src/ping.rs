//! Whether a provider accepts a new value: one small request that changes nothing.

use doppio_secrets::SecretValue;
use doppio_text::name::SecretName;

/// Which server to ask about a secret, and how.
#[derive(Debug)]
#[cfg_attr(not(feature = "online"), expect(dead_code, reason = "this build asks nobody"))]
pub struct Ping {
    /// The secret's name.
    pub name: &'static str,
    /// What messages call the provider.
    pub provider: &'static str,
    /// The last word of the variable that points tests elsewhere: `DOPPIO_PING_` and this.
    pub variable: &'static str,
    /// The variable by which the vendor's own tools are told another server.
    pub elsewhere: &'static str,
    /// What that variable names where it changes nothing.
    host: &'static str,
    /// Scheme and host.
    base: &'static str,
    path: &'static str,
    login: Login,
}

/// How the value is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// `Authorization: Bearer`.
    Bearer,
    /// Anthropic's own header.
    XApiKey,
    /// `Authorization: Basic`, user `api`, with a GraphQL question whose answer names the user.
    Viewer,
}

/// No answer is longer, in bytes.
#[cfg(feature = "online")]
const LONGEST: usize = 4 << 20;

/// The providers that can be asked.
pub static PINGS: &[Ping] = &[
    Ping {
        name: "huggingface/token",
        provider: "Hugging Face",
        variable: "HUGGINGFACE",
        elsewhere: "HF_ENDPOINT",
        host: "huggingface.co",
        base: "https://huggingface.co",
        path: "/api/whoami-v2",
        login: Login::Bearer,
    },
    Ping {
        name: "github/token",
        provider: "GitHub",
        variable: "GITHUB",
        elsewhere: "GH_HOST",
        host: "github.com",
        base: "https://api.github.com",
        path: "/user",
        login: Login::Bearer,
    },
    Ping {
        name: "openai/api_key",
        provider: "OpenAI",
        variable: "OPENAI",
        elsewhere: "OPENAI_BASE_URL",
        host: "api.openai.com",
        base: "https://api.openai.com",
        path: "/v1/models",
        login: Login::Bearer,
    },
    Ping {
        name: "anthropic/api_key",
        provider: "Anthropic",
        variable: "ANTHROPIC",
        elsewhere: "ANTHROPIC_BASE_URL",
        host: "api.anthropic.com",
        base: "https://api.anthropic.com",
        path: "/v1/models",
        login: Login::XApiKey,
    },
    Ping {
        name: "wandb/api_key",
        provider: "Weights & Biases",
        variable: "WANDB",
        elsewhere: "WANDB_BASE_URL",
        host: "api.wandb.ai",
        base: "https://api.wandb.ai",
        path: "/graphql",
        login: Login::Viewer,
    },
];

/// What a provider said.
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

/// Who can be asked about this name.
pub fn find(name: &SecretName) -> Option<&'static Ping> {
    PINGS.iter().find(|ping| ping.name == name.as_str())
}

/// Whether this is a place on this machine, as tests name one: nothing else may replace a provider,
/// since it gets the value.
pub fn is_loopback(base: &str) -> bool {
    let host = base.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':'));
    host.is_some_and(|(host, port)| {
        matches!(host, "127.0.0.1" | "localhost" | "[::1]") && port.parse::<u16>().is_ok()
    })
}

impl Ping {
    /// Whether this is the provider's own server, as the value of [`Ping::elsewhere`] names it: a
    /// key for another server must not go to the provider.
    pub fn is_own(&self, server: &str) -> bool {
        let host = server.split_once("://").map_or(server, |(_, rest)| rest);
        host.split(['/', ':']).next().is_some_and(|host| host.eq_ignore_ascii_case(self.host))
    }

    /// Asks. `base` stands in for the provider's own address; it must be a loopback address.
    pub async fn ask(&self, value: &SecretValue, base: Option<&str>) -> Verdict {
        match base {
            Some(base) if !is_loopback(base) => {
                Verdict::Unclear(format!("`{base}` is not a loopback address, as `http://127.0.0.1:8080`"))
            }
            base => self.send(value, base).await,
        }
    }

    #[cfg(not(feature = "online"))]
    #[expect(clippy::unused_async, reason = "as in the build that asks")]
    async fn send(&self, _: &SecretValue, _: Option<&str>) -> Verdict {
        Verdict::Unclear("this build of doppio lacks the feature `online`".to_owned())
    }

    #[cfg(feature = "online")]
    async fn send(&self, value: &SecretValue, base: Option<&str>) -> Verdict {
        use crate::http::NoResponse;
        match self.request(value, base).await {
            Ok(verdict) => verdict,
            // Its innermost cause alone: the error may name the request.
            Err(NoResponse::Broken(error)) if error.is_timeout() => {
                Verdict::Unclear(format!("{} did not answer within 15 s", self.provider))
            }
            Err(NoResponse::Broken(error)) => Verdict::Unclear(format!(
                "{} can't be reached: {}",
                self.provider,
                crate::http::innermost(&error)
            )),
            Err(NoResponse::TooLong) => {
                Verdict::Unclear(format!("{} gave too long an answer", self.provider))
            }
        }
    }

    #[cfg(feature = "online")]
    #[expect(clippy::disallowed_methods, reason = "the value goes into a header of the question")]
    async fn request(
        &self,
        value: &SecretValue,
        base: Option<&str>,
    ) -> Result<Verdict, crate::http::NoResponse> {
        use std::time::Duration;
        use zeroize::Zeroizing;
        let mut client = crate::http::client().timeout(Duration::from_secs(15));
        if base.is_some() {
            client = client.no_proxy();
        }
        let url = format!("{}{}", base.unwrap_or(self.base), self.path);
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
        let request = match self.login {
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
        let answer = crate::http::Response::of(request, LONGEST).await?;
        let status = answer.status;
        Ok(match status.as_u16() {
            200..300 if self.login == Login::Viewer => {
                match serde_json::from_slice::<serde_json::Value>(&answer.body) {
                    Ok(answer) if answer["data"]["viewer"].is_object() => Verdict::Accepted,
                    Ok(_) => Verdict::Refused,
                    Err(_) => Verdict::Unclear(format!("{} did not answer with JSON", self.provider)),
                }
            }
            200..300 => Verdict::Accepted,
            401 => Verdict::Refused,
            _ => Verdict::Unclear(format!("{} answered {status}", self.provider)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_stands_in_for_a_provider() {
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

    #[test]
    fn the_table_is_sound() {
        for ping in PINGS {
            assert!(doppio_secrets::well_known::find(&ping.name.parse().unwrap()).is_some(), "{}", ping.name);
            assert!(ping.base.starts_with("https://") && ping.path.starts_with('/'), "{}", ping.name);
        }
    }
}
