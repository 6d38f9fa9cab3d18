//! Who asks: a token, or a role that gets one.

use std::time::Duration;

use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use crate::vault::body;
use crate::vault::client::Client;
use crate::vault::client::Request;

/// Where a pod finds its own token.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A token, and whether it was made for this run.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub token: SecretValue,
    /// It came from a login of ours: it may be renewed, is revoked at the end, and another one
    /// can be had.
    pub ours: bool,
    /// How long it is good for, where that has an end and can be put off.
    pub renew_within: Option<Duration>,
}

/// Gets a token the way the settings ask for.
pub(super) async fn login(setup: &Setup, client: &Client) -> Result<Session, SourceError> {
    match setup.options.text("auth").unwrap_or("token") {
        "approle" => {
            let role = required(setup, "role_id", "VAULT_ROLE_ID").await?;
            let secret = required(setup, "secret_id", "VAULT_SECRET_ID").await?;
            by_mount(setup, client, "approle", &[("role_id", &role), ("secret_id", &secret)]).await
        }
        method @ ("jwt" | "kubernetes") => {
            let role = setup.text("role", &["VAULT_ROLE"]).ok_or_else(|| {
                SourceError::unreachable(
                    format!("a login by `{method}` needs the name of a role"),
                    "write `role = \"NAME\"` to `[sources.vault]` in config.toml",
                )
            })?;
            let jwt = jwt(setup, method).await?;
            setup.logins.learn("vault jwt", &jwt);
            let role = SecretValue::new(role.into_bytes());
            by_mount(setup, client, method, &[("role", &role), ("jwt", &jwt)]).await
        }
        _ => token(setup).await,
    }
}

/// The token of the settings, of the environment, or the one that `vault login` left.
async fn token(setup: &Setup) -> Result<Session, SourceError> {
    let of_session = |token: SecretValue| Session { token, ours: false, renew_within: None };
    if let Some(token) = setup.secret("token", &["VAULT_TOKEN", "BAO_TOKEN"]).await? {
        return Ok(of_session(token.without_last_newline()));
    }
    let path = setup.home.join(".vault-token");
    match std::fs::read(&path).map(Zeroizing::new) {
        Ok(text) if !text.trim_ascii().is_empty() => {
            Ok(of_session(SecretValue::new(text.trim_ascii().to_vec())))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SourceError::unreachable(
            format!("cannot read `{}`: {error}", path.display()),
            "fix its mode, or set `VAULT_TOKEN`",
        )),
        _ => Err(SourceError::unreachable(
            "there is no token for Vault",
            "run `vault login`, or set `VAULT_TOKEN`, or write `auth` to `[sources.vault]` in config.toml",
        )),
    }
}

async fn required(setup: &Setup, key: &str, variable: &str) -> Result<SecretValue, SourceError> {
    let found = setup.secret(key, &[variable]).await?;
    found.map(|value| value.without_last_newline()).ok_or_else(|| {
        SourceError::unreachable(
            format!("a login by AppRole needs a `{key}`"),
            format!(
                "set `{variable}`, or write `{key} = \"keyring:NAME\"` to `[sources.vault]` in config.toml"
            ),
        )
    })
}

/// The signed statement of who this is.
async fn jwt(setup: &Setup, method: &str) -> Result<SecretValue, SourceError> {
    if let Some(jwt) = setup.secret("jwt", &[]).await? {
        return Ok(jwt.without_last_newline());
    }
    let path = setup.path("jwt_path", &["VAULT_JWT_PATH"]);
    let path = path.or_else(|| (method == "kubernetes").then(|| POD_TOKEN.into())).ok_or_else(|| {
        SourceError::unreachable(
            "a login by JWT needs a token",
            "write `jwt_path = \"FILE\"` or `jwt = \"env:VARIABLE\"` to `[sources.vault]` in config.toml",
        )
    })?;
    let text = std::fs::read(&path).map(Zeroizing::new).map_err(|error| {
        SourceError::unreachable(
            format!("cannot read the token in `{}`: {error}", path.display()),
            "write the right `jwt_path` to `[sources.vault]` in config.toml",
        )
    })?;
    Ok(SecretValue::new(text.trim_ascii().to_vec()))
}

async fn by_mount(
    setup: &Setup,
    client: &Client,
    method: &str,
    fields: &[(&str, &SecretValue)],
) -> Result<Session, SourceError> {
    let mount = setup.text("auth_mount", &[]).unwrap_or_else(|| method.to_owned());
    let path = format!("auth/{}/login", mount.trim_matches('/'));
    let reply = client.send(Request::put(&path, &body::object(fields)?), None).await?;
    match reply.status {
        200 => {}
        400 | 401 | 403 | 404 => {
            let words = reply.words();
            let said = if words.is_empty() { String::new() } else { format!(": {words}") };
            return Err(SourceError::not_allowed(
                format!("the login at `{path}` of {} was refused ({}){said}", client.shown(), reply.status),
                "check `auth`, `auth_mount` and the role in `[sources.vault]` of config.toml",
            ));
        }
        _ => return Err(client.refused(&reply)),
    }
    let token = reply.member(&["auth", "client_token"]);
    let token = token.ok_or_else(|| client.nonsense("its answer to a login contains no token"))?;
    let seconds = reply.number(&["auth", "lease_duration"]).filter(|seconds| *seconds > 0);
    let can_renew = reply.text(&["auth", "renewable"]).as_deref() == Some("true");
    let renew_within = seconds.filter(|_| can_renew).map(Duration::from_secs);
    Ok(Session { token, ours: true, renew_within })
}
