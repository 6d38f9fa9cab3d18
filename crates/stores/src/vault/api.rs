//! The API: requests with the token, and what their answers mean.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::sync::OnceCell;

use doppio_secrets::source::Setup;
use doppio_secrets::source::SourceError;

use crate::vault::client::Client;
use crate::vault::client::Reply;
use crate::vault::client::Request;
use crate::vault::kv::Mount;
use crate::vault::leased_record::Leases;
use crate::vault::login::Session;
use crate::vault::standing::Standing;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Api {
    pub setup: Setup,
    client: OnceCell<Client>,
    pub session: Mutex<Option<Arc<Session>>>,
    pub mounts: Mutex<Vec<Mount>>,
    pub leases: Leases,
    /// What the last list left out.
    pub unlisted: std::sync::Mutex<Option<SourceError>>,
}

impl Api {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            client: OnceCell::new(),
            session: Mutex::new(None),
            mounts: Mutex::new(Vec::new()),
            leases: Leases::default(),
            unlisted: std::sync::Mutex::default(),
        }
    }

    /// The server's address, or what it would be.
    pub(super) fn shown(&self) -> Option<String> {
        self.client.get().map(Client::shown)
    }

    pub(super) async fn client(&self) -> Result<&Client, SourceError> {
        self.client.get_or_try_init(|| async { Client::new(&self.setup) }).await
    }

    /// Sends a request with the token. A token of ours that has run out is replaced once.
    pub(super) async fn call(self: &Arc<Self>, request: Request<'_>) -> Result<Reply, SourceError> {
        let client = self.client().await?;
        let session = self.session().await?;
        let reply = client.send(request, Some(&session.token)).await?;
        if reply.status != 403 || !session.ours || self.standing(&session).await? != Standing::Dead {
            return Ok(reply);
        }
        self.drop_session(&session).await;
        let session = self.session().await?;
        client.send(request, Some(&session.token)).await
    }

    /// Sorts the failures out.
    pub(super) async fn success(
        self: &Arc<Self>,
        reply: Reply,
        action: &str,
        path: &str,
    ) -> Result<Reply, SourceError> {
        let client = self.client().await?;
        match reply.status {
            200 | 204 => Ok(reply),
            403 => Err(self.denied(action, path).await),
            404 => Err(not_found(client, &reply, path)),
            _ => Err(client.refused(&reply)),
        }
    }

    /// What a 403 means: the token is not valid, or it may not do this.
    async fn denied(self: &Arc<Self>, action: &str, path: &str) -> SourceError {
        let standing = match self.session().await {
            Ok(session) => self.standing(&session).await,
            Err(error) => Err(error),
        };
        let policy =
            format!("have a policy with `path \"{path}\" {{ capabilities = [\"{action}\"] }}` attached");
        match standing {
            Err(error) => error,
            Ok(Standing::Good) => SourceError::not_allowed(
                format!("no policy of this token allows it to {action} `{path}`"),
                policy,
            ),
            Ok(Standing::Hidden) => SourceError::not_allowed(
                format!("no policy of this token allows it to {action} `{path}`, or the token is not valid"),
                format!("{policy}, or set a new `VAULT_TOKEN`"),
            ),
            Ok(Standing::Dead) => SourceError::not_allowed(
                "the token is not valid: it has expired, was revoked, or belongs to another server",
                "run `vault login`, or set a new `VAULT_TOKEN`",
            ),
        }
    }

    /// Proves that the token is valid.
    pub(super) async fn check(self: &Arc<Self>) -> Result<(), SourceError> {
        let path = "auth/token/lookup-self";
        let reply = self.call(Request::get(path)).await?;
        let reply = self.success(reply, "read", path).await?;
        match reply.json(&["data"]) {
            Some(_) => Ok(()),
            None => Err(self.client().await?.nonsense("it says nothing about the token")),
        }
    }
}

/// What a 404 means.
fn not_found(client: &Client, reply: &Reply, path: &str) -> SourceError {
    let words = reply.words();
    if reply.has_no_mount() {
        return SourceError::unreachable(
            format!("{} has no engine mounted at `{path}`", client.shown()),
            "see `vault secrets list`: the first part of the path is the mount; `default_source = \
             \"vault:MOUNT/{name}\"` in config.toml says where names are",
        );
    }
    match words.as_str() {
        _ if reply.is_missing() => SourceError::Missing,
        "" => client.nonsense("status 404 in an unknown form"),
        words => SourceError::unreachable(
            format!("{} has nothing at `{path}` to read or write (404): {words}", client.shown()),
            "check the path, and `vault secrets list` for the kind of its mount",
        ),
    }
}
