//! Our session with the server: a token, whether it is valid, and its expiry.

use std::sync::Arc;
use std::time::Duration;

use doppio_secrets::source::SourceError;

use crate::vault::api::Api;
use crate::vault::client::Request;
use crate::vault::login;
use crate::vault::login::Session;
use crate::vault::renewal;
use crate::vault::standing::Standing;
use crate::vault::standing::broke_off;

/// Where a token looks at itself.
const SELF: &str = "auth/token/lookup-self";

/// Where a token renews itself.
const RENEW_SELF: &str = "auth/token/renew-self";

/// Where a token revokes itself.
const REVOKE_SELF: &str = "auth/token/revoke-self";

impl Api {
    pub(super) async fn session(self: &Arc<Self>) -> Result<Arc<Session>, SourceError> {
        if let Some(session) = &*self.session.lock().await {
            return Ok(Arc::clone(session));
        }
        // To its end even if no caller waits any more: a token that was created must be known, or
        // it could not be revoked.
        let login = tokio::spawn(Arc::clone(self).log_in());
        login.await.unwrap_or_else(|_| Err(broke_off("the login")))
    }

    async fn log_in(self: Arc<Self>) -> Result<Arc<Session>, SourceError> {
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(Arc::clone(session));
        }
        let new = Arc::new(login::login(&self.setup, self.client().await?).await?);
        *session = Some(Arc::clone(&new));
        self.keep_session(&new);
        Ok(new)
    }

    /// Whether the server still knows the token.
    pub(super) async fn standing(&self, session: &Session) -> Result<Standing, SourceError> {
        let client = self.client().await?;
        let reply = client.send(Request::get(SELF), Some(&session.token)).await?;
        match reply.status {
            200 => Ok(Standing::Good),
            403 => Ok(if is_of_dead_token(&reply.words()) { Standing::Dead } else { Standing::Hidden }),
            _ => Err(client.refused(&reply)),
        }
    }

    /// Forgets a session that has ended; not the one that came in its place.
    pub(super) async fn drop_session(&self, ended: &Arc<Session>) {
        let taken = self.session.lock().await.take_if(|session| Arc::ptr_eq(session, ended));
        if let (Some(session), Ok(client)) = (taken, self.client().await) {
            // In case that the server meant something else.
            client.send(Request::put(REVOKE_SELF, b"{}"), Some(&session.token)).await.ok();
        }
    }

    /// Renews our own token, if it expires: with it goes all of its leases.
    fn keep_session(self: &Arc<Self>, session: &Arc<Session>) {
        let Some(within) = session.renew_within else { return };
        let (api, session) = (Arc::downgrade(self), Arc::clone(session));
        tokio::spawn(renewal::keep(within, async move || {
            let api = api.upgrade()?;
            let current = api.session.lock().await.clone();
            current.filter(|current| Arc::ptr_eq(current, &session))?;
            Some(api.renew_session(&session).await)
        }));
    }

    async fn renew_session(&self, session: &Session) -> Result<Duration, SourceError> {
        let client = self.client().await?;
        let reply = client.send(Request::put(RENEW_SELF, b"{}"), Some(&session.token)).await?;
        renewal::good_for(&reply, &["auth"])
    }

    /// Gives the token back, if it was made for this run: its leases go with it. Says
    /// whether that is so. One that made what is needed after the run ends by itself.
    pub(super) async fn leave(&self) -> Result<bool, SourceError> {
        let session = self.session.lock().await.take();
        let is_left = self.leases.state().is_left;
        let Some(session) = session.filter(|session| session.ours && !is_left) else { return Ok(false) };
        let client = self.client().await?;
        let reply = client.send(Request::put(REVOKE_SELF, b"{}"), Some(&session.token)).await?;
        match reply.status {
            200 | 204 => Ok(true),
            403 if self.standing(&session).await? == Standing::Dead => Ok(true),
            403 => Err(SourceError::not_allowed(
                "the token of this run was not revoked: no policy allows it to",
                "have a policy with `path \"auth/token/revoke-self\" { capabilities = [\"update\"] }` attached",
            )),
            _ => Err(client.refused(&reply)),
        }
    }
}

/// Whether these are the words for a token that nobody knows: those of Vault, and those of `OpenBao`
/// and older Vaults, which say `1 error occurred` before them where a policy is meant.
fn is_of_dead_token(words: &str) -> bool {
    words == "permission denied" || ["invalid token", "bad token"].iter().any(|dead| words.contains(dead))
}
