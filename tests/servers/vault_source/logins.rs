//! Tokens: given, got by a login, dead, and with little to say.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::support::far::open;
use crate::support::http::Server;
use crate::support::http::json;
use crate::support::openbao::Bao;
use crate::vault_source::read;
use crate::vault_source::vault;

/// A source that logs in at `url` with a role of this policy.
fn with_role(bao: &Bao, url: &str, policy: &str, settings: &[&str]) -> Remote {
    let (role, secret) = bao.role(policy, settings);
    let variables = [("VAULT_ADDR", url), ("VAULT_ROLE_ID", &role), ("VAULT_SECRET_ID", &secret)];
    open("vault", "/nonexistent".as_ref(), &[("auth", "approle")], &variables, None)
}

/// How many of these requests logged in.
fn logins(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains("/auth/approle/login")).count()
}

#[tokio::test]
async fn what_is_not_allowed_is_not_missing_and_a_dead_token_is_neither() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old", "-version=1", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    bao.bao(&["kv", "put", "kv/theirs", "value=theirs"]);
    bao.bao(&["kv", "put", "old/mine", "value=mine of old"]);
    let policy = "path \"kv/data/mine\" { capabilities = [\"read\"] }\n\
                  path \"kv/data/gone\" { capabilities = [\"read\"] }\n\
                  path \"old/mine\" { capabilities = [\"read\"] }\n";
    let token = bao.token(policy, "1h");
    let source = vault(&bao.url(), &token);
    source.check().await.unwrap();
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    assert_eq!(read(&source, "old/mine", None).await.unwrap(), "mine of old");
    assert!(source.locate("kv/mine", None).await.is_ok(), "the data may be read, the metadata may not");
    assert_eq!(read(&source, "kv/gone", None).await, Err(SourceError::Missing));
    let fault = read(&source, "kv/theirs", None).await.unwrap_err();
    assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault:?}");
    assert!(fault.to_string().contains("no policy of this token"), "{fault}");
    assert!(fault.hint().unwrap().contains("kv/data/theirs"), "{fault:?}");

    bao.bao(&["token", "revoke", &token]);
    for fault in [read(&source, "kv/theirs", None).await.unwrap_err(), source.check().await.unwrap_err()] {
        assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault:?}");
        assert!(fault.to_string().contains("the token is not valid"), "{fault}");
        assert!(fault.hint().unwrap().contains("vault login"), "{fault:?}");
    }
    let sealed = vault(&bao.url(), "root");
    bao.bao(&["operator", "seal"]);
    let fault = read(&sealed, "kv/mine", None).await.unwrap_err();
    assert!(fault.to_string().ends_with("is sealed"), "{fault}");
    assert!(fault.hint().unwrap().contains("unseal"), "{fault:?}");
}

#[tokio::test]
async fn a_role_logs_in_and_its_token_goes_with_the_run() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    bao.bao_with_stdin(&["policy", "write", "mine", "-"], "path \"kv/*\" { capabilities = [\"read\"] }");
    bao.bao(&["auth", "enable", "approle"]);
    bao.bao(&["write", "auth/approle/role/ci", "token_policies=mine", "token_ttl=1h"]);
    let role = bao.bao(&["read", "-field=role_id", "auth/approle/role/ci/role-id"]);
    let secret = bao.bao(&["write", "-f", "-field=secret_id", "auth/approle/role/ci/secret-id"]);
    let url = bao.url();
    let variables =
        [("VAULT_ADDR", url.as_str()), ("ROLE", &role), ("SECRET", &secret), ("VAULT_TOKEN", "no")];
    let settings = [("auth", "approle"), ("role_id", "env:ROLE"), ("secret_id", "env:SECRET")];
    let source = open("vault", "/nonexistent".as_ref(), &settings, &variables, None);
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    let before = bao.tokens().len();
    source.close().await.unwrap();
    assert!(bao.tokens().len() < before, "the token was not revoked");

    let settings = [("auth", "approle"), ("role_id", "env:ROLE"), ("secret_id", "env:ROLE")];
    let fault =
        open("vault", "/nonexistent".as_ref(), &settings, &variables, None).check().await.unwrap_err();
    assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault:?}");
    assert!(fault.to_string().contains("the login at `auth/approle/login`"), "{fault}");
    assert!(!format!("{fault:?}").contains(&role), "{fault:?}");
    let settings = [("auth", "approle"), ("role_id", "env:ROLE")];
    let fault =
        open("vault", "/nonexistent".as_ref(), &settings, &variables, None).check().await.unwrap_err();
    assert!(fault.to_string().contains("needs a `secret_id`"), "{fault}");
    let settings = [("auth", "approle"), ("role_id", "env:GONE"), ("secret_id", "env:SECRET")];
    let fault =
        open("vault", "/nonexistent".as_ref(), &settings, &variables, None).check().await.unwrap_err();
    assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_jwt_logs_in() {
    let bao = Bao::start();
    let folder = tempfile::tempdir().unwrap();
    let (key, public) = (folder.path().join("key"), folder.path().join("public"));
    let openssl = |arguments: &[&str], stdin: &[u8]| -> Vec<u8> {
        use std::io::Write;
        use std::process::Stdio;
        let mut child = std::process::Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}");
        output.stdout
    };
    fs::write(&key, openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], b""))
        .unwrap();
    fs::write(&public, openssl(&["pkey", "-in", key.to_str().unwrap(), "-pubout"], b"")).unwrap();
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let soon = jiff::Timestamp::now().as_second() + 600;
    let claims = format!(r#"{{"iss":"tests","sub":"runner","aud":"bao","nbf":1,"exp":{soon}}}"#);
    let text = format!("{}.{}", encode(br#"{"alg":"RS256","typ":"JWT"}"#), encode(claims.as_bytes()));
    let signature = openssl(&["dgst", "-sha256", "-sign", key.to_str().unwrap()], text.as_bytes());
    let token = folder.path().join("jwt");
    fs::write(&token, format!("{text}.{}\n", encode(&signature))).unwrap();

    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    bao.bao_with_stdin(&["policy", "write", "mine", "-"], "path \"kv/*\" { capabilities = [\"read\"] }");
    bao.bao(&["auth", "enable", "-path=ci", "jwt"]);
    let keys = format!("jwt_validation_pubkeys=@{}", public.display());
    bao.bao(&["write", "auth/ci/config", &keys, "bound_issuer=tests"]);
    let role = ["role_type=jwt", "user_claim=sub", "bound_audiences=bao", "token_policies=mine"];
    bao.bao(&[&["write", "auth/ci/role/runner"][..], &role].concat());
    let url = bao.url();
    let open = |path: &str| {
        let settings = [("auth", "jwt"), ("auth_mount", "ci"), ("role", "runner"), ("jwt_path", path)];
        open("vault", folder.path(), &settings, &[("VAULT_ADDR", &url)], None)
    };
    assert_eq!(read(&open("~/jwt"), "kv/mine", None).await.unwrap(), "mine");
    let fault = open("~/gone").check().await.unwrap_err();
    assert!(fault.to_string().contains("cannot read the token"), "{fault}");
    let fault = open("~/public").check().await.unwrap_err();
    assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_token_that_may_not_look_at_itself_is_not_dead() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    let proxy = Server::before(&bao.address());
    let policy = "path \"kv/data/mine\" { capabilities = [\"read\"] }";
    let source = with_role(&bao, &proxy.url(), policy, &["token_no_default_policy=true"]);
    for _ in 0..2 {
        let fault = read(&source, "kv/theirs", None).await.unwrap_err();
        assert!(fault.to_string().ends_with("or the token is not valid"), "{fault}");
    }
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    assert_eq!(logins(&proxy.lines()), 1);
    let fault = source.close().await.unwrap_err();
    assert!(fault.to_string().contains("was not revoked"), "{fault}");
}

#[tokio::test]
async fn a_token_outlives_its_time_though_the_server_fails_once() {
    const RENEW: &str = "/v1/auth/token/renew-self";
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    let before = bao.tokens();
    let renewals = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&renewals);
    let proxy = Server::before_but(&bao.address(), move |asked| {
        let is_first = asked.path == RENEW && count.fetch_add(1, Ordering::SeqCst) == 0;
        is_first.then(|| json(503, r#"{"errors":["a moment, please"]}"#))
    });
    let policy = "path \"kv/*\" { capabilities = [\"read\"] }";
    let source = with_role(&bao, &proxy.url(), policy, &[]);
    bao.bao(&["write", "auth/approle/role/of-tests", "token_ttl=6s"]);
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    let end = Instant::now() + Duration::from_secs(6);
    let mine: Vec<String> = bao.tokens().into_iter().filter(|token| !before.contains(token)).collect();
    assert_eq!(mine.len(), 1);
    while renewals.load(Ordering::SeqCst) < 2 {
        assert!(Instant::now() < end, "it was renewed {} times", renewals.load(Ordering::SeqCst));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Past the end that it was made with.
    tokio::time::sleep_until(end.into()).await;
    assert_eq!(read(&source, "kv/mine", Some("1")).await.unwrap(), "mine");
    assert_eq!(logins(&proxy.lines()), 1, "another token took its place");
    assert!(bao.tokens().contains(&mine[0]));
    source.close().await.unwrap();
    assert_eq!(bao.tokens(), before);
}

#[tokio::test]
async fn a_dead_session_is_replaced_once() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    for path in ["kv/a", "kv/b", "kv/c"] {
        bao.bao(&["kv", "put", path, "value=mine"]);
    }
    let before = bao.tokens();
    let proxy = Server::before(&bao.address());
    let policy = "path \"kv/*\" { capabilities = [\"read\"] }";
    let source = with_role(&bao, &proxy.url(), policy, &[]);
    assert_eq!(read(&source, "kv/a", None).await.unwrap(), "mine");
    let mine: Vec<String> = bao.tokens().into_iter().filter(|token| !before.contains(token)).collect();
    assert_eq!(mine.len(), 1);
    bao.bao(&["token", "revoke", "-accessor", &mine[0]]);
    let (b, c) = tokio::join!(read(&source, "kv/b", None), read(&source, "kv/c", None));
    assert_eq!((b.as_deref(), c.as_deref()), (Ok("mine"), Ok("mine")));
    assert_eq!(logins(&proxy.lines()), 2);
    source.close().await.unwrap();
    assert_eq!(bao.tokens(), before);
}

#[tokio::test]
async fn a_server_that_fails_to_look_at_a_token_has_not_ended_it() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v1/auth/token/lookup-self" => json(500, r#"{"errors":["disk full"]}"#),
        _ => json(403, r#"{"errors":["permission denied"]}"#),
    });
    let fault = read(&vault(&server.url(), "root"), "kv/a", None).await.unwrap_err();
    assert!(fault.to_string().ends_with("failed (500): disk full"), "{fault}");
}
