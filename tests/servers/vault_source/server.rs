//! Servers behind TLS, and servers that misbehave.

use std::time::Duration;

use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::support::far::open;
use crate::support::http::Server;
use crate::support::http::json;
use crate::support::http::response;
use crate::support::openbao::Bao;
use crate::vault_source::read;
use crate::vault_source::vault;

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

/// What is there is told by its record: an answer without one says nothing of what is there.
#[tokio::test]
async fn an_answer_without_a_record_is_not_missing() {
    for (version, answer) in [("1", "{}"), ("1", r#"{"data":null}"#), ("2", "{}"), ("2", r#"{"data":{}}"#)] {
        let mount = format!(r#"{{"data":{{"type":"kv","path":"kv/","options":{{"version":"{version}"}}}}}}"#);
        let server = Server::start(move |asked| {
            json(200, if asked.path.contains("/internal/ui/mounts/") { &mount } else { answer })
        });
        let fault = read(&vault(&server.url(), "root"), "kv/a", None).await.unwrap_err();
        assert!(matches!(fault, SourceError::Unreachable { .. }), "{version} {answer}: {fault:?}");
        assert!(fault.to_string().contains("contains no record"), "{version} {answer}: {fault}");
    }
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
        assert!(fault.to_string().contains("does not answer like a Vault server"), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
    let fault = fault_of(|| response(404, &[], "not here")).await;
    assert!(matches!(fault, SourceError::Unreachable { .. }), "a web page is not an answer: {fault}");
    let fault = fault_of(|| json(404, r#"{"errors":[]}"#)).await;
    assert_eq!(fault, SourceError::Missing);
    let fault = fault_of(|| json(404, r#"{"data":{"data":null,"metadata":{"version":3}}}"#)).await;
    assert_eq!(fault.to_string(), "version 3 of `kv/a` was deleted");
    let fault = fault_of(|| json(404, r#"{"errors":["1 error occurred:\n\t* plugin is gone\n\n"]}"#)).await;
    assert!(fault.to_string().contains("(404): 1 error occurred: * plugin is gone"), "{fault}");
    assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault:?}");
    let fault =
        fault_of(|| json(404, r#"{"data":null,"warnings":["Invalid path for a versioned engine"]}"#)).await;
    assert!(fault.to_string().ends_with("(404): Invalid path for a versioned engine"), "{fault}");
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

#[tokio::test]
async fn five_thousand_are_listed() {
    let keys: Vec<String> = (0..5000).map(|number| format!("s{number:04}")).collect();
    let body = serde_json::json!({
        "data": { "secret": { "kv/": { "type": "kv", "options": { "version": "2" } } }, "keys": keys },
    });
    let body = body.to_string();
    let server = Server::start(move |_| json(200, &body));
    let listed = vault(&server.url(), "root").list().await.unwrap();
    assert_eq!((listed.len(), listed[4999].0.as_str()), (5000, "kv/s4999"));
}
