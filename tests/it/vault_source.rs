//! The source `vault` against a real `OpenBao` server, and against servers that misbehave.

use std::fs;
use std::time::Duration;

use doppio::secret::SecretValue;
use doppio::secret::source::Remark;
use doppio::secret::source::Remote;
use doppio::secret::source::Source;
use doppio::secret::source::SourceError;

use crate::support::doppio::Doppio;
use crate::support::far::open;
use crate::support::far::plain;
use crate::support::http::Server;
use crate::support::http::json;
use crate::support::http::response;
use crate::support::openbao::Bao;

/// The source at this address with this token.
fn vault(url: &str, token: &str) -> Remote {
    open("vault", "/nonexistent".as_ref(), &[], &[("VAULT_ADDR", url), ("VAULT_TOKEN", token)], None)
}

async fn read(source: &Remote, path: &str, version: Option<&str>) -> Result<String, SourceError> {
    let (value, _) = source.get(path, version).await?;
    Ok(String::from_utf8(plain(&value)).expect("text"))
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

#[tokio::test]
async fn records_of_both_key_value_engines() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old/one", "-version=1", "kv"]);
    bao.bao_with_stdin(&["kv", "put", "kv/ml/prod", "-"], r#"{"hf": "tök \"en", "n": 1.5}"#);
    bao.bao_with_stdin(&["kv", "put", "old/one/app", "a=one", "value=-"], "tw\no");
    bao.bao(&["kv", "put", "kv/plain", "value=only this"]);
    let source = vault(&bao.url(), "root");
    source.check().await.unwrap();

    let document = read(&source, "kv/ml/prod", None).await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["hf"], "tök \"en");
    assert_eq!(read(&source, "kv/ml/prod#hf", None).await.unwrap(), "tök \"en");
    assert_eq!(read(&source, "old/one/app#value", None).await.unwrap(), "tw\no");
    assert_eq!(read(&source, "kv/plain", None).await.unwrap(), "only this");
    for path in ["kv/gone", "kv/ml/prod#gone", "old/one/gone"] {
        assert_eq!(read(&source, path, None).await, Err(SourceError::Missing), "{path}");
        assert_eq!(source.locate(path, None).await, Err(SourceError::Missing), "{path}");
    }
    let fault = read(&source, "nothing/here", None).await.unwrap_err();
    assert!(fault.to_string().contains("has no engine mounted at"), "{fault}");
    for path in ["sys/mounts", "auth/token/lookup-self", "kv", "kv/../sys/mounts", "kv//a"] {
        assert!(matches!(read(&source, path, None).await, Err(SourceError::Unfit { .. })), "{path}");
    }
    assert!(matches!(read(&source, "old/one/app", Some("1")).await, Err(SourceError::Unfit { .. })));

    // What is written is read by the server's own program, and the other way round.
    let facts = source.set("kv/new", &value("first"), &Remark::default()).await.unwrap();
    assert_eq!(facts.version.as_deref(), Some("1"));
    assert_eq!(bao.bao(&["kv", "get", "-field=value", "kv/new"]), "first");
    let remark = Remark {
        note: Some("of the tests".to_owned()),
        expires: Some("2030-01-31T00:00:00Z".parse().unwrap()),
    };
    source.set("kv/new", &value("second"), &remark).await.unwrap();
    source.set("kv/ml/prod#hf", &value("changed"), &Remark::default()).await.unwrap();
    assert_eq!(bao.bao(&["kv", "get", "-field=n", "kv/ml/prod"]), "1.5");
    assert_eq!(bao.bao(&["kv", "get", "-field=hf", "kv/ml/prod"]), "changed");
    let fault = source.set("kv/ml/prod", &value("all gone"), &Remark::default()).await.unwrap_err();
    assert!(fault.to_string().contains("has the keys `hf`, `n`"), "{fault}");
    let fault =
        source.set("kv/bytes", &SecretValue::new(vec![0xff; 8]), &Remark::default()).await.unwrap_err();
    assert!(fault.to_string().contains("base64"), "{fault}");
    source.set("old/one/x", &value("one"), &Remark::default()).await.unwrap();
    assert_eq!(bao.bao(&["kv", "get", "-field=value", "old/one/x"]), "one");

    // Versions.
    assert_eq!(read(&source, "kv/new", Some("1")).await.unwrap(), "first");
    assert_eq!(read(&source, "kv/new", Some("previous")).await.unwrap(), "first");
    assert_eq!(read(&source, "kv/new", Some("latest")).await.unwrap(), "second");
    assert_eq!(read(&source, "kv/new", Some("9")).await, Err(SourceError::Missing));
    let facts = source.locate("kv/new", None).await.unwrap();
    assert_eq!((facts.version.as_deref(), facts.note.as_deref()), (Some("2"), Some("of the tests")));
    assert_eq!(facts.expires, remark.expires);
    bao.bao(&["kv", "delete", "-versions=1", "kv/new"]);
    let versions = source.versions("kv/new").await.unwrap();
    let shown: Vec<_> = versions.iter().map(|v| (v.id.as_str(), v.current, v.readable)).collect();
    assert_eq!(shown, [("2", true, true), ("1", false, false)]);
    assert_eq!(versions[1].labels, ["deleted"]);
    assert_eq!(read(&vault(&bao.url(), "root"), "kv/new", Some("1")).await, Err(SourceError::Missing));

    let all: Vec<String> = source.list().await.unwrap().into_iter().map(|(path, _)| path).collect();
    assert_eq!(all, ["kv/ml/prod", "kv/new", "kv/plain", "old/one/app", "old/one/x"]);
    for path in ["kv/new", "old/one/x"] {
        source.delete(path).await.unwrap();
        assert_eq!(source.delete(path).await, Err(SourceError::Missing), "{path}");
        assert_eq!(read(&source, path, None).await, Err(SourceError::Missing), "{path}");
    }
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
    bao.bao(&["write", "auth/approle/role/ci", "token_policies=mine", "token_ttl=2s", "token_max_ttl=1h"]);
    let role = bao.bao(&["read", "-field=role_id", "auth/approle/role/ci/role-id"]);
    let secret = bao.bao(&["write", "-f", "-field=secret_id", "auth/approle/role/ci/secret-id"]);
    let url = bao.url();
    let variables =
        [("VAULT_ADDR", url.as_str()), ("ROLE", &role), ("SECRET", &secret), ("VAULT_TOKEN", "no")];
    let settings = [("auth", "approle"), ("role_id", "env:ROLE"), ("secret_id", "env:SECRET")];
    let source = open("vault", "/nonexistent".as_ref(), &settings, &variables, None);
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    // The token lives for two seconds; it is renewed, and one that is gone is replaced.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(read(&source, "kv/mine", Some("1")).await.unwrap(), "mine");
    let accessors = || bao.bao(&["list", "-format=json", "auth/token/accessors"]);
    let before = accessors().matches('"').count();
    source.close().await.unwrap();
    assert!(accessors().matches('"').count() < before, "the token was not revoked");

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
async fn dynamic_secrets_live_as_long_as_the_run() {
    let bao = Bao::start();
    // What the engine drives: it makes a user, and removes it when the lease ends.
    let rabbit = Server::start(|asked| match asked.method.as_str() {
        "GET" => json(200, "[]"),
        _ => response(204, &[], ""),
    });
    let url = rabbit.url();
    bao.bao(&["secrets", "enable", "rabbitmq"]);
    let connection = format!("connection_uri={url}");
    bao.bao(&[
        "write",
        "rabbitmq/config/connection",
        &connection,
        "username=a",
        "password=b",
        "verify_connection=false",
    ]);
    bao.bao(&["write", "rabbitmq/config/lease", "ttl=1h", "max_ttl=2h"]);
    bao.bao(&["write", "rabbitmq/roles/worker", "tags=management"]);
    rabbit.asked();
    let source = vault(&bao.url(), "root");

    // Looking whether it is there makes none.
    assert!(source.locate("rabbitmq/creds/worker", None).await.unwrap().unproven);
    assert!(source.acts("rabbitmq/creds/worker").await.unwrap());
    assert!(rabbit.asked().is_empty());
    let document = read(&source, "rabbitmq/creds/worker", None).await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    // The same credentials for whoever asks in this run: a password goes with its user.
    let again = read(&source, "rabbitmq/creds/worker", None).await.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&again).unwrap(), document);
    let user = format!("/api/users/{}", document["username"].as_str().unwrap());
    assert!(rabbit.lines().contains(&format!("PUT {user}")));
    source.close().await.unwrap();
    assert!(rabbit.lines().contains(&format!("DELETE {user}")), "the lease was not revoked");
    source.close().await.unwrap();
}

#[tokio::test]
async fn a_server_behind_tls_is_trusted_by_its_authority_only() {
    let bao = Bao::start_tls();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/mine", "value=mine"]);
    let (url, authority) = (bao.url(), bao.ca_cert().display().to_string());
    let variables = [("VAULT_ADDR", url.as_str()), ("VAULT_TOKEN", "root"), ("VAULT_CACERT", &authority)];
    let source = open("vault", "/nonexistent".as_ref(), &[], &variables, None);
    assert_eq!(read(&source, "kv/mine", None).await.unwrap(), "mine");
    let fault = open("vault", "/nonexistent".as_ref(), &[], &variables[..2], None).check().await.unwrap_err();
    assert!(fault.hint().unwrap().contains("VAULT_CACERT"), "{fault:?}");
    let variables = [variables[0], variables[1], ("VAULT_CACERT", "/nonexistent/ca.pem")];
    let fault = open("vault", "/nonexistent".as_ref(), &[], &variables, None).check().await.unwrap_err();
    assert!(fault.to_string().contains("cannot use the certificates"), "{fault}");
}

/// What a server that answers like this comes to.
async fn fault_of(answer: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> SourceError {
    let server = Server::start(move |_| answer());
    read(&vault(&server.url(), "root"), "kv/a", None).await.unwrap_err()
}

#[tokio::test]
async fn every_failure_has_its_own_words() {
    let fault = fault_of(|| response(429, &[("retry-after", "77")], "")).await;
    assert!(fault.to_string().contains("too many requests"), "{fault}");
    assert_eq!(fault.hint(), Some("try again in 77 s"));
    let fault = fault_of(|| json(503, r#"{"errors":["Vault is sealed"]}"#)).await;
    assert!(fault.to_string().ends_with("is sealed"), "{fault}");
    let fault = fault_of(|| json(500, r#"{"errors":["1 error occurred:\n\t* disk full\n\n"]}"#)).await;
    assert!(fault.to_string().ends_with("failed (500): 1 error occurred: * disk full"), "{fault}");
    let fault = fault_of(|| json(473, "{}")).await;
    assert!(fault.to_string().contains("standby"), "{fault}");
    for nonsense in [response(200, &[], "<html>hunter2</html>"), json(200, "{\"data\": 7}"), json(418, "{}")]
    {
        let fault = fault_of(move || nonsense.clone()).await;
        assert!(fault.to_string().contains("does not answer as a Vault server does"), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
    let fault = fault_of(|| response(404, &[], "not here")).await;
    assert!(matches!(fault, SourceError::Unreachable { .. }), "a web page is no answer: {fault}");
    let fault = fault_of(|| json(404, r#"{"errors":[]}"#)).await;
    assert_eq!(fault, SourceError::Missing);
    // Nobody is there.
    let gone = Server::start(|_| Vec::new());
    let url = gone.url();
    drop(gone);
    let fault = read(&vault(&url, "root"), "kv/a", None).await.unwrap_err();
    assert!(fault.to_string().starts_with(&format!("cannot reach {url}: ")), "{fault}");
    // Nobody answers.
    let slow = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(30));
        Vec::new()
    });
    let url = slow.url();
    let variables = [("VAULT_ADDR", url.as_str()), ("VAULT_TOKEN", "root")];
    let deadline = Some(Duration::from_millis(200));
    let source = open("vault", "/nonexistent".as_ref(), &[], &variables, deadline);
    let fault = read(&source, "kv/a", None).await.unwrap_err();
    assert!(fault.to_string().contains("did not answer within 0.2 s"), "{fault}");
    // Nothing is set.
    let source = open("vault", "/nonexistent".as_ref(), &[], &[], None);
    let fault = read(&source, "kv/a", None).await.unwrap_err();
    assert!(fault.hint().unwrap().contains("VAULT_ADDR"), "{fault:?}");
    let source = open("vault", "/nonexistent".as_ref(), &[], &[("VAULT_ADDR", "http://127.0.0.1:1")], None);
    let fault = read(&source, "kv/a", None).await.unwrap_err();
    assert!(fault.hint().unwrap().contains("vault login"), "{fault:?}");
}

#[tokio::test]
async fn the_token_goes_to_no_other_server() {
    let thief = Server::start(|_| json(200, "{}"));
    let target = format!("{}/v1/kv/data/a", thief.url());
    let server = Server::start(move |_| response(307, &[("location", &target)], ""));
    let fault = read(&vault(&server.url(), "hunter2"), "kv/a", None).await.unwrap_err();
    assert!(fault.to_string().contains("the token is not sent to another server"), "{fault}");
    assert!(thief.asked().is_empty());
    // On the same server it is followed, and a loop ends.
    let own = Server::start(|asked| match asked.path.strip_prefix("/v1/moved") {
        None => response(307, &[("location", "/v1/moved")], ""),
        Some(_) => json(403, r#"{"errors":["permission denied"]}"#),
    });
    let fault = read(&vault(&own.url(), "hunter2"), "kv/a", None).await.unwrap_err();
    assert!(matches!(fault, SourceError::NotAllowed { .. }), "{fault:?}");
    let round = Server::start(|_| response(307, &[("location", "/v1/round")], ""));
    assert!(read(&vault(&round.url(), "hunter2"), "kv/a", None).await.is_err());
    assert!(round.asked().len() < 10);
}

#[tokio::test]
async fn a_busy_server_is_given_its_time() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => response(429, &[("retry-after", "1")], ""),
        _ => json(404, r#"{"errors":[]}"#),
    });
    assert_eq!(read(&vault(&server.url(), "root"), "kv/a", None).await, Err(SourceError::Missing));
}

#[test]
fn fifty_references_are_two_requests() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let record: Vec<String> = (0..50).map(|at| format!("\"KEY_{at}\": \"value number {at}\"")).collect();
    bao.bao_with_stdin(&["kv", "put", "kv/app", "-"], &format!("{{{}}}", record.join(", ")));
    let proxy = Server::before(&bao.address());
    let doppio = Doppio::new().env("VAULT_ADDR", proxy.url()).env("VAULT_TOKEN", "root");
    let env: Vec<String> =
        (0..50).map(|at| format!("KEY_{at} = \"${{secret:vault:kv/app#KEY_{at}}}\"")).collect();
    let recipe = doppio.file(
        "recipe.toml",
        format!(
            "[recipe]\nname = \"many\"\n\n[[step]]\nid = \"a\"\nlocal_command = {{ env = {{ {} }}, command = \
             'test \"$KEY_49\" = \"value number 49\" && test \"$KEY_0\" = \"value number 0\"' }}\n",
            env.join(", ")
        ),
    );
    doppio.run(["run".as_ref(), recipe.as_os_str()]).expect(0);
    let asked = proxy.lines();
    assert_eq!(asked, ["GET /v1/sys/internal/ui/mounts/kv/app", "GET /v1/kv/data/app"]);
}

#[test]
fn the_binary_reads_writes_and_explains() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/default/team/key", "value=hunter2 of the server"]);
    let doppio = Doppio::new().env("VAULT_ADDR", bao.url()).env("THE_TOKEN", "root");
    let config = "default_source = \"vault:kv/{profile}/{name}\"\n[sources.vault]\ntoken = \"env:THE_TOKEN\"\n\
                  timeout_secs = 20\n";
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    assert_eq!(doppio.reveal("team/key"), "hunter2 of the server");
    let why = doppio.run(["secret", "why", "team/key"]).expect(0).stdout;
    assert!(why.contains("7. Vault at http://127.0.0.1"), "{why}");
    assert!(why.contains("8. ") && !why.contains("hunter2"), "{why}");
    let gone = doppio.run(["secret", "get", "team/gone"]).expect(3);
    assert!(gone.stderr.contains("secret `team/gone` is not set"), "{}", gone.stderr);
    // A server that is away stops the search: a default must not stand in for it.
    let away = Doppio::new().env("VAULT_ADDR", "http://127.0.0.1:1").env("THE_TOKEN", "root");
    fs::write(away.doppio_home().join("config.toml"), config).unwrap();
    let ran = away.run(["secret", "get", "team/key?none", "--reveal", "--force"]).expect(3);
    assert!(ran.stderr.contains("could not ask Vault at http://127.0.0.1:1"), "{}", ran.stderr);
}

#[test]
fn settings_hold_no_token() {
    let doppio = Doppio::new();
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.vault]\ntoken = \"hvs.hunter2\"\n")
        .unwrap();
    let ran = doppio.run(["secret", "list"]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("`token` must be a reference"), "{}", ran.stderr);
    assert!(ran.stderr.contains("token = \"env:VARIABLE\""), "{}", ran.stderr);
}
