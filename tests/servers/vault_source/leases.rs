//! What is leased: to whom, for how long, and that each is given back.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_test_support::wait_for;

use crate::support::far::open;
use crate::support::far::plain;
use crate::support::http::Asked;
use crate::support::http::Server;
use crate::support::http::json;
use crate::support::http::response;
use crate::support::openbao::Bao;
use crate::vault_source::read;
use crate::vault_source::vault;

/// What reading makes: a user with a password.
pub(super) const WORKER: &str = "rabbitmq/creds/worker";

/// What `OpenBao` drives: it makes a user when asked for credentials, and removes it when their
/// lease ends.
pub(super) struct Rabbit {
    server: Server,
    /// Milliseconds that it takes to make a user.
    slowness: Arc<AtomicU64>,
    /// The users that were made, and removed, so far.
    made: Vec<String>,
    gone: Vec<String>,
}

impl Rabbit {
    pub(super) fn behind(bao: &Bao) -> Self {
        let slowness = Arc::new(AtomicU64::new(0));
        let slow = Arc::clone(&slowness);
        let server = Server::start(move |asked| match asked.method.as_str() {
            "GET" => json(200, "[]"),
            "PUT" if asked.path.starts_with("/api/users/") => {
                std::thread::sleep(Duration::from_millis(slow.load(Ordering::SeqCst)));
                response(204, &[], "")
            }
            _ => response(204, &[], ""),
        });
        bao.bao(&["secrets", "enable", "rabbitmq"]);
        let connection = format!("connection_uri={}", server.url());
        let settings = ["username=a", "password=b", "verify_connection=false"];
        bao.bao(&[&["write", "rabbitmq/config/connection", &connection][..], &settings].concat());
        bao.bao(&["write", "rabbitmq/config/lease", "ttl=1h", "max_ttl=2h"]);
        bao.bao(&["write", "rabbitmq/roles/worker", "tags=management"]);
        server.asked();
        Self { server, slowness, made: Vec::new(), gone: Vec::new() }
    }

    pub(super) fn slow_down(&self, milliseconds: u64) {
        self.slowness.store(milliseconds, Ordering::SeqCst);
    }

    fn look(&mut self) {
        for Asked { method, path, .. } in self.server.asked() {
            let Some(user) = path.strip_prefix("/api/users/") else { continue };
            match method.as_str() {
                "PUT" => self.made.push(user.to_owned()),
                "DELETE" => self.gone.push(user.to_owned()),
                _ => {}
            }
        }
    }

    /// The users that were made so far.
    pub(super) fn made(&mut self) -> Vec<String> {
        self.look();
        self.made.clone()
    }

    /// The users that are there now.
    pub(super) fn left(&mut self) -> Vec<String> {
        self.look();
        self.made.iter().filter(|user| !self.gone.contains(user)).cloned().collect()
    }

    /// Waits until so many users were made.
    #[track_caller]
    pub(super) fn wait_made(&mut self, count: usize) {
        wait_for(&format!("{count} users to be made"), || self.made().len() >= count);
    }

    /// Waits until only these users are left.
    #[track_caller]
    pub(super) fn wait_left(&mut self, users: &[String]) {
        wait_for(&format!("all users but {users:?} to be removed"), || self.left() == users);
    }
}

/// Waits as [`Rabbit::wait_left`] does, while the source goes on.
async fn settled(mut rabbit: Rabbit, users: &[String]) -> Rabbit {
    let users = users.to_vec();
    tokio::task::spawn_blocking(move || {
        rabbit.wait_left(&users);
        rabbit
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_loan_is_shared_by_all_who_have_it_and_given_back_by_the_last() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let source = vault(&bao.url(), "root");
    // Looking whether it is there makes none.
    assert!(source.locate(WORKER, None).await.unwrap().unproven);
    assert!(source.acts(WORKER).await.unwrap());
    assert!(rabbit.made().is_empty());
    let whole = format!("{WORKER}#");
    let ((document, first), (again, second)) =
        tokio::try_join!(source.get(WORKER, None), source.get(&whole, None)).unwrap();
    assert_eq!(plain(&document), plain(&again));
    let user: serde_json::Value = serde_json::from_slice(&plain(&document)).unwrap();
    let user = user["username"].as_str().unwrap().to_owned();
    assert_eq!(rabbit.left(), std::slice::from_ref(&user));
    assert_eq!((first.expires, first.place.as_str()), (None, "made by `rabbitmq/creds/worker`"));
    drop(first);
    // Who comes while somebody has it gets the same: a password goes with its user.
    let (name, third) = source.get(&format!("{WORKER}#username"), None).await.unwrap();
    assert_eq!(plain(&name), user.as_bytes());
    drop(second);
    assert_eq!(rabbit.left(), std::slice::from_ref(&user));
    drop(third);
    let mut rabbit = settled(rabbit, &[]).await;
    // Who comes later gets another one, which the end gives back.
    let (_, _fourth) = source.get(WORKER, None).await.unwrap();
    assert_eq!((rabbit.made().len(), rabbit.left().len()), (2, 1));
    source.close().await.unwrap();
    assert!(rabbit.left().is_empty());
    source.close().await.unwrap();
    // What comes after the end is given back at once.
    let fault = source.get(WORKER, None).await.unwrap_err();
    assert_eq!(fault.to_string(), "the run is over");
    assert_eq!((rabbit.made().len(), rabbit.left().len()), (3, 0));
}

#[tokio::test]
async fn what_nobody_gets_is_given_back() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let source = vault(&bao.url(), "root");
    assert_eq!(read(&source, &format!("{WORKER}#gone"), None).await, Err(SourceError::Missing));
    assert_eq!(rabbit.made().len(), 1);
    let rabbit = settled(rabbit, &[]).await;
    // The deadline is over before the server has answered.
    rabbit.slow_down(1500);
    let variables = [("VAULT_ADDR", bao.url()), ("VAULT_TOKEN", "root".to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let hasty = open("vault", "/nonexistent".as_ref(), &[], &variables, Some(Duration::from_millis(700)));
    let fault = hasty.get(WORKER, None).await.unwrap_err();
    assert!(fault.to_string().contains("did not answer within"), "{fault}");
    let made = |mut rabbit: Rabbit, count| {
        tokio::task::spawn_blocking(move || {
            rabbit.wait_made(count);
            rabbit
        })
    };
    let rabbit = made(rabbit, 2).await.unwrap();
    let rabbit = settled(rabbit, &[]).await;
    // The end comes while the server still makes it.
    let slow = Arc::new(vault(&bao.url(), "root"));
    let asking = tokio::spawn({
        let slow = Arc::clone(&slow);
        async move { slow.get(WORKER, None).await.map(drop) }
    });
    let mut rabbit = made(rabbit, 3).await.unwrap();
    slow.close().await.unwrap();
    assert!(rabbit.left().is_empty());
    assert_eq!(asking.await.unwrap().unwrap_err().to_string(), "the run is over");
}

#[tokio::test]
async fn an_engine_that_the_server_does_not_tell_may_lend() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old", "-version=1", "kv"]);
    bao.bao(&["kv", "put", "kv/a", "value=two"]);
    bao.bao(&["kv", "put", "old/a", "value=one"]);
    let proxy = Server::before_but(&bao.address(), |asked| {
        let is_hidden = asked.path.starts_with("/v1/sys/internal/ui/mounts");
        is_hidden.then(|| json(403, r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#))
    });
    let source = vault(&proxy.url(), "root");
    assert!(source.locate(WORKER, None).await.unwrap().unproven);
    assert!(source.acts(WORKER).await.unwrap());
    assert!(rabbit.made().is_empty());
    assert!(!source.locate("kv/a", None).await.unwrap().unproven);
    assert_eq!(read(&source, "kv/a", None).await.unwrap(), "two");
    assert_eq!(read(&source, "old/a", None).await.unwrap(), "one");
    let (_, metadata) = source.get(WORKER, None).await.unwrap();
    assert_eq!(rabbit.left().len(), 1);
    assert!(metadata.lease.is_some());
    drop(metadata);
    settled(rabbit, &[]).await;
}

#[tokio::test]
async fn a_token_of_ours_takes_its_leases_with_it() {
    let bao = Bao::start();
    let mut rabbit = Rabbit::behind(&bao);
    let before = bao.tokens();
    // It may make credentials, and may not revoke their leases.
    let (role, secret) = bao.role("path \"rabbitmq/creds/*\" { capabilities = [\"read\"] }", &[]);
    let url = bao.url();
    let variables = [("VAULT_ADDR", url.as_str()), ("VAULT_ROLE_ID", &role), ("VAULT_SECRET_ID", &secret)];
    let source = open("vault", "/nonexistent".as_ref(), &[("auth", "approle")], &variables, None);
    let (_, metadata) = source.get(WORKER, None).await.unwrap();
    drop(metadata);
    assert_eq!(rabbit.made().len(), 1);
    source.close().await.unwrap();
    assert_eq!(bao.tokens(), before);
    let _rabbit = settled(rabbit, &[]).await;
    // One of the user's stays, and what it could not give back is told.
    let token = bao.token("path \"rabbitmq/creds/worker\" { capabilities = [\"read\"] }", "1h");
    let source = vault(&bao.url(), &token);
    let (_, _facts) = source.get(WORKER, None).await.unwrap();
    let fault = source.close().await.unwrap_err();
    assert!(fault.to_string().contains("was not revoked: status 403"), "{fault}");
    assert!(fault.hint().unwrap().starts_with("run `vault lease revoke rabbitmq/creds/worker/"), "{fault:?}");
}
