//! Records of the key-value engines.

use doppio_secrets::SecretValue;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::support::openbao::Bao;
use crate::vault_source::read;
use crate::vault_source::value;
use crate::vault_source::vault;

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
    let metadata = source.set("kv/new", &value("first"), &Remark::default()).await.unwrap();
    assert_eq!(metadata.version.as_deref(), Some("1"));
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
    let metadata = source.locate("kv/new", None).await.unwrap();
    assert_eq!((metadata.version.as_deref(), metadata.note.as_deref()), (Some("2"), Some("of the tests")));
    assert_eq!(metadata.expires, remark.expires);
    bao.bao(&["kv", "delete", "-versions=1", "kv/new"]);
    let versions = source.versions("kv/new").await.unwrap();
    let shown: Vec<_> = versions.iter().map(|v| (v.id.as_str(), v.current, v.readable)).collect();
    assert_eq!(shown, [("2", true, true), ("1", false, false)]);
    assert_eq!(versions[1].labels, ["deleted"]);
    // What was there is never taken for what was not: a default would stand in for it.
    for (action, words, mend) in [
        ("delete", "version 1 of `kv/new` was deleted", "vault kv undelete -versions=1 kv/new"),
        ("destroy", "version 1 of `kv/new` was destroyed", "vault kv metadata get kv/new"),
    ] {
        bao.bao(&["kv", action, "-versions=1", "kv/new"]);
        let source = vault(&bao.url(), "root");
        for fault in [
            read(&source, "kv/new", Some("1")).await.unwrap_err(),
            source.locate("kv/new", Some("1")).await.unwrap_err(),
        ] {
            assert_eq!(fault.to_string(), words);
            assert!(fault.hint().unwrap().contains(mend), "{fault:?}");
        }
    }

    let all: Vec<String> = source.list().await.unwrap().into_iter().map(|(path, _)| path).collect();
    assert_eq!(all, ["kv/ml/prod", "kv/new", "kv/plain", "old/one/app", "old/one/x"]);
    for path in ["kv/new", "old/one/x"] {
        source.delete(path).await.unwrap();
        assert_eq!(source.delete(path).await, Err(SourceError::Missing), "{path}");
        assert_eq!(read(&source, path, None).await, Err(SourceError::Missing), "{path}");
    }
}

#[tokio::test]
async fn a_version_that_goes_later_is_there_until_then() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "metadata", "put", "-delete-version-after=1h", "kv/app"]);
    bao.bao(&["kv", "put", "kv/app", "value=mine"]);
    let source = vault(&bao.url(), "root");
    let versions = source.versions("kv/app").await.unwrap();
    assert!(versions[0].readable && versions[0].labels.is_empty(), "{versions:?}");
    assert_eq!(source.locate("kv/app", None).await.unwrap().version.as_deref(), Some("1"));
    assert_eq!(read(&source, "kv/app", None).await.unwrap(), "mine");
}

#[tokio::test]
async fn a_right_to_remove_is_enough_to_remove() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old", "-version=1", "kv"]);
    let policy = "path \"kv/metadata/app\" { capabilities = [\"delete\"] }\n\
                  path \"old/app\" { capabilities = [\"delete\"] }\n";
    let token = bao.token(policy, "1h");
    for path in ["kv/app", "old/app"] {
        bao.bao(&["kv", "put", path, "value=mine"]);
        vault(&bao.url(), &token).delete(path).await.unwrap();
        assert_eq!(read(&vault(&bao.url(), "root"), path, None).await, Err(SourceError::Missing), "{path}");
        let other = vault(&bao.url(), &token).delete(&format!("{path}s")).await.unwrap_err();
        assert!(matches!(other, SourceError::NotAllowed { .. }), "{other}");
    }
}
