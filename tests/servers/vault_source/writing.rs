//! What a write leaves as it is, and what it does not.

use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;

use crate::support::openbao::Bao;
use crate::vault_source::read;
use crate::vault_source::value;
use crate::vault_source::vault;

#[tokio::test]
async fn the_other_keys_of_a_record_stay_what_they_are() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["secrets", "enable", "-path=old", "-version=1", "kv"]);
    let record =
        r#"{"port":5432,"big":12345678901234567890,"none":null,"on":true,"host":{"a":[1,"x"]},"key":"a"}"#;
    let source = vault(&bao.url(), "root");
    for path in ["kv/app", "old/app"] {
        bao.bao_with_stdin(&["kv", "put", path, "-"], record);
        let before = read(&vault(&bao.url(), "root"), path, None).await.unwrap();
        source.set(&format!("{path}#key"), &value("b \"c\""), &Remark::default()).await.unwrap();
        let whole = read(&source, path, None).await.unwrap();
        let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
        let mut wanted: serde_json::Value = serde_json::from_str(&before).unwrap();
        assert!(before.contains("5432") && before.contains("null"), "{before}");
        wanted["key"] = "b \"c\"".into();
        assert_eq!(whole, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_record_whose_newest_version_was_deleted_can_be_written() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    let source = vault(&bao.url(), "root");
    for (version, action) in [("1", "delete"), ("2", "destroy")] {
        bao.bao(&["kv", "put", "kv/app", "value=old", "other=gone with it"]);
        bao.bao(&["kv", action, &format!("-versions={version}"), "kv/app"]);
        let metadata = source.set("kv/app", &value("new"), &Remark::default()).await.unwrap();
        let new = format!("{}", version.parse::<u32>().unwrap() + 1);
        assert_eq!(metadata.version, Some(new), "{action}");
        assert_eq!(
            bao.bao(&["kv", "get", "-format=json", "-field=data", "kv/app"]).replace([' ', '\n'], ""),
            r#"{"value":"new"}"#
        );
        bao.bao(&["kv", "metadata", "delete", "kv/app"]);
        if action == "delete" {
            bao.bao(&["kv", "put", "kv/app", "value=old"]);
        }
    }
}

#[tokio::test]
async fn an_expiry_goes_with_its_value_and_what_others_wrote_stays() {
    let bao = Bao::start();
    bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
    bao.bao(&["kv", "put", "kv/app", "value=theirs"]);
    bao.bao(&["kv", "metadata", "put", "-custom-metadata=owner=somebody", "-max-versions=7", "kv/app"]);
    let source = vault(&bao.url(), "root");
    let remark = Remark {
        note: Some("of the tests".to_owned()),
        expires: Some("2030-01-31T00:00:00Z".parse().unwrap()),
    };
    source.set("kv/app", &value("first"), &remark).await.unwrap();
    let printed = || bao.bao(&["kv", "metadata", "get", "-format=json", "kv/app"]);
    let shown = printed();
    for part in ["\"owner\": \"somebody\"", "of the tests", "2030-01-31", "\"max_versions\": 7"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let metadata = source.locate("kv/app", None).await.unwrap();
    assert_eq!((metadata.note, metadata.expires), (remark.note, remark.expires));
    // A new value keeps the note, and has not the old one's end.
    let metadata = source.set("kv/app", &value("second"), &Remark::default()).await.unwrap();
    assert_eq!((metadata.warnings.len(), metadata.expires), (0, None));
    let shown = printed();
    assert!(shown.contains("\"owner\": \"somebody\"") && shown.contains("of the tests"), "{shown}");
    assert!(!shown.contains("2030-01-31"), "{shown}");
    let metadata = source.locate("kv/app", None).await.unwrap();
    assert_eq!((metadata.note.as_deref(), metadata.expires), (Some("of the tests"), None));
}
