//! The way in: the client, the session, and which engine lies where.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::OnceCell;

use crate::secret::source::Setup;
use crate::secret::source::SourceError;
use crate::secret::source::vault::client::Client;
use crate::secret::source::vault::client::Reply;
use crate::secret::source::vault::client::Request;
use crate::secret::source::vault::kv::Engine;
use crate::secret::source::vault::kv::Mount;
use crate::secret::source::vault::kv::Place;
use crate::secret::source::vault::lease::Leases;
use crate::secret::source::vault::login;
use crate::secret::source::vault::login::Session;

/// What all questions share.
#[derive(Debug)]
pub(super) struct Door {
    setup: Setup,
    client: OnceCell<Client>,
    session: Mutex<Option<Session>>,
    mounts: Mutex<Vec<Mount>>,
    pub leases: Leases,
}

impl Door {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            client: OnceCell::new(),
            session: Mutex::new(None),
            mounts: Mutex::new(Vec::new()),
            leases: Leases::default(),
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
        if reply.status != 403 || !session.ours || self.is_alive(&session).await? {
            return Ok(reply);
        }
        self.session.lock().await.take();
        let session = self.session().await?;
        client.send(request, Some(&session.token)).await
    }

    async fn session(self: &Arc<Self>) -> Result<Session, SourceError> {
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(session.clone());
        }
        let new = login::login(&self.setup, self.client().await?).await?;
        *session = Some(new.clone());
        if new.renew_within.is_some() {
            self.keep_session();
        }
        Ok(new)
    }

    /// Whether the server still knows the token.
    async fn is_alive(&self, session: &Session) -> Result<bool, SourceError> {
        let reply =
            self.client().await?.send(Request::get("auth/token/lookup-self"), Some(&session.token)).await?;
        Ok(reply.status == 200)
    }

    /// What a 403 means: the token is no good, or it may not do this.
    pub(super) async fn denied(self: &Arc<Self>, deed: &str, path: &str) -> SourceError {
        let alive = match self.session().await {
            Ok(session) => self.is_alive(&session).await,
            Err(error) => Err(error),
        };
        match alive {
            Err(error) => error,
            Ok(true) => SourceError::not_allowed(
                format!("no policy of this token allows to {deed} `{path}`"),
                format!("have a policy with `path \"{path}\" {{ capabilities = [\"{deed}\"] }}` attached"),
            ),
            Ok(false) => SourceError::not_allowed(
                "the token is not valid: it has expired, was revoked, or belongs to another server",
                "run `vault login`, or set a new `VAULT_TOKEN`",
            ),
        }
    }

    /// Proves that the token is good.
    pub(super) async fn check(self: &Arc<Self>) -> Result<(), SourceError> {
        let reply = self.call(Request::get("auth/token/lookup-self")).await?;
        match reply.status {
            200 if reply.json(&["data"]).is_some() => Ok(()),
            200 => Err(self.client().await?.nonsense("it says nothing of the token")),
            403 => Err(self.denied("read", "auth/token/lookup-self").await),
            _ => Err(self.client().await?.refused(&reply)),
        }
    }

    /// Where a path lies; none where the server does not tell this token.
    pub(super) async fn mount(self: &Arc<Self>, path: &str) -> Result<Option<Mount>, SourceError> {
        let mut mounts = self.mounts.lock().await;
        if let Some(known) = mounts.iter().find(|mount| mount.below(path).is_some()) {
            return Ok(Some(known.clone()));
        }
        let asked = format!("sys/internal/ui/mounts/{path}");
        let reply = self.call(Request::get(&asked)).await?;
        match reply.status {
            200 => {
                let found = Mount::of_reply(&reply).filter(|mount| mount.below(path).is_some());
                let Some(mount) = found else {
                    return Err(self.client().await?.nonsense("it says nothing of the mount"));
                };
                mounts.push(mount.clone());
                Ok(Some(mount))
            }
            // The server says so too where nothing is mounted; reading will tell.
            403 | 404 => Ok(None),
            _ => Err(self.client().await?.refused(&reply)),
        }
    }

    /// Remembers which engine answered.
    pub(super) async fn remember(&self, mount: &Mount) {
        let mut mounts = self.mounts.lock().await;
        if !mounts.contains(mount) {
            mounts.push(mount.clone());
        }
    }

    /// The place of a path; where the server does not say, version 2 is tried first, then 1.
    pub(super) async fn places(self: &Arc<Self>, path: &str) -> Result<Vec<Place>, SourceError> {
        let (path, key) = match path.rsplit_once('#') {
            Some((path, key)) => (path, Some(key.to_owned())),
            None => (path, None),
        };
        let mut parts = path.split('/');
        let first = parts.next().unwrap_or_default();
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) || !path.contains('/') {
            return Err(SourceError::unfit(format!("`{path}` is no path of the form `MOUNT/PATH`")));
        }
        if matches!(first, "sys" | "auth" | "identity" | "cubbyhole") {
            return Err(SourceError::unfit(format!(
                "`{first}/` holds what Vault itself needs, and no secrets"
            )));
        }
        let mounts = match self.mount(path).await? {
            Some(mount) => vec![mount],
            None => [Engine::Kv2, Engine::Kv1].map(|engine| Mount::guess(path, engine)).to_vec(),
        };
        let place = |mount: Mount| {
            let rest = mount.below(path)?.to_owned();
            Some(Place { mount, rest, key: key.clone() })
        };
        Ok(mounts.into_iter().filter_map(place).collect())
    }

    /// Puts off the end of a token of ours, where it has one.
    fn keep_session(self: &Arc<Self>) {
        let door = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let wait = {
                    let Some(door) = door.upgrade() else { return };
                    let session = door.session.lock().await.clone();
                    match session.and_then(|session| session.renew_within) {
                        Some(within) => (within * 2 / 3).max(Duration::from_secs(1)),
                        None => return,
                    }
                };
                tokio::time::sleep(wait).await;
                let Some(door) = door.upgrade() else { return };
                match door.call(Request::put("auth/token/renew-self", b"{}")).await {
                    Ok(reply) if reply.status == 200 => {}
                    _ => return,
                }
            }
        });
    }

    /// Gives the token back, if it was made for this run: what was lent by it goes with it.
    pub(super) async fn leave(&self) -> Result<(), SourceError> {
        let Some(session) = self.session.lock().await.take().filter(|session| session.ours) else {
            return Ok(());
        };
        let client = self.client().await?;
        let reply = client.send(Request::put("auth/token/revoke-self", b"{}"), Some(&session.token)).await?;
        match reply.status {
            200 | 204 | 403 => Ok(()),
            _ => Err(client.refused(&reply)),
        }
    }
}
