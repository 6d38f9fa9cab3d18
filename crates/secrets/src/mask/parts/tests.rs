//! Tests of the parts of values.

use super::*;

fn found(value: &str) -> Vec<(String, bool)> {
    let text = |part: &Part| String::from_utf8_lossy(&part.bytes).into_owned();
    parts(value.as_bytes()).iter().map(|part| (text(part), part.whole)).collect()
}

#[test]
fn members_of_json_but_not_its_punctuation() {
    let value = r#"{"type": "service_account", "db": [{"password": "hunter2"}, {"host": "db.example.org", "tenant": "of-example"}], "n": 5}"#;
    assert_eq!(found(value), [("hunter2".into(), true), ("of-example".into(), true)]);
}

#[test]
fn lines_but_not_armour() {
    let pem =
        "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0Z3\nqQ==\nshort\nabcdefghijklmnopqr==\n-----END KEY-----\n";
    assert_eq!(found(pem), [("MIIEpAIBAAKCAQEA0Z3".into(), false), ("abcdefghijklmnopqr==".into(), false)]);
}

#[test]
fn what_a_setting_sets() {
    let file = "[default]\naws_secret_access_key = wJalrXUtnFEMI\nregion = us-east-1\nexport HF_TOKEN='abcdefgh'\nkind: Config\n";
    assert_eq!(found(file), [("wJalrXUtnFEMI".into(), true), ("abcdefgh".into(), true)]);
}

#[test]
fn what_a_single_line_sets() {
    for line in [
        "API_KEY=abcdef123456zz",
        "export API_KEY='abcdef123456zz' # c",
        "API_KEY: \"abcdef123456zz\"",
        "api_key = 'abcdef123456zz'",
        "Server=db;User=app;Password=abcdef123456zz",
        "{api_key: abcdef123456zz, n: 5}",
    ] {
        assert!(found(line).contains(&("abcdef123456zz".into(), true)), "{line}: {:?}", found(line));
    }
    for line in [
        "abc=def==",
        "correct horse: battery staple",
        "YWJjZGVmZ2hpamtsbW5vcA==",
        "auth=basic",
        "MODE=production",
        "auth_port: 5432",
        "author: Alice",
        "tokenizer=sentencepiece",
        "monkey=production",
        "authentication=activedirectory",
        "token_type=bearer-token",
    ] {
        assert_eq!(found(line), [], "{line}");
    }
}

#[test]
fn numbers_items_and_inline_tables() {
    for text in [
        r#"{"password": 8675309, "port": 5432}"#,
        r#"{"passwords": [8675309]}"#,
        "password: 8675309\nport: 5432\n",
        "{password: 8675309}",
        "password = 8675309\nport = 5432\n",
        "a = { passwords = [8675309] }\n",
    ] {
        let found = found(text);
        assert!(found.iter().all(|part| *part == ("8675309".into(), true)), "{text}: {found:?}");
        assert!(!found.is_empty(), "{text}");
    }
    let huge = "86753098675309867530986753098675309";
    assert!(found(&format!("{{\"password\": {huge}}}")).contains(&(huge.into(), true)));
    for text in [
        "hosts:\n  - tok-hunter-aaaa\n  - 'tok-hunter-bbbb'\n",
        "hosts = [\"tok-hunter-aaaa\", 'tok-hunter-bbbb']\n",
        "- tok-hunter-aaaa\n- deep: [tok-hunter-bbbb]\n",
    ] {
        for item in ["tok-hunter-aaaa", "tok-hunter-bbbb"] {
            assert!(found(text).contains(&(item.into(), true)), "{text}: {:?}", found(text));
        }
    }
    assert!(found("a = { secret = \"inl-sec-1\" }\n").contains(&("inl-sec-1".into(), true)));
    let nested = "config: |\n  token: hunterhunter\n  mode: production\n";
    assert!(found(nested).contains(&("hunterhunter".into(), true)));
}

#[test]
fn no_text_goes_round_in_circles() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    for text in
        [nested("[", "]"), nested("{\"a\":", "}"), nested("{a: ", "}"), format!("a = {}", nested("{a=", "}"))]
    {
        assert!(found(&text).len() < 100_000);
    }
    for text in ["A=".repeat(50_000), "[".repeat(50_000), "a: ".repeat(50_000), "- ".repeat(50_000)] {
        assert!(found(&text).len() < 100_000);
    }
}

fn texts(value: &str) -> Vec<String> {
    found(value).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn passwords_in_addresses() {
    assert_eq!(found("postgres://app:s3cr3t-pass@db/x"), [("s3cr3t-pass".into(), true)]);
    assert_eq!(found("https://example.org/a:b@c"), []);
    assert_eq!(
        texts(r#"{"url": "https://k3y-of-sentry-00@o1.example/2"}"#).last().unwrap(),
        "k3y-of-sentry-00"
    );
    assert!(texts("url: postgres://app:p%40ss-word@db/x\n").contains(&"p@ss-word".to_owned()));
    assert_eq!(
        texts("host=db.example user=app password=hunter22hunter dbname=production"),
        ["hunter22hunter"]
    );
    assert_eq!(texts("postgres://postgres:postgres@localhost/postgres"), [""; 0]);
}

// case B6
#[test]
fn what_is_no_secret_by_its_key_or_is_a_common_word_is_no_part() {
    let rds = r#"{"username":"dbadmin-of-all","password":"Tr0ub4dor&3","engine":"postgresql-ha","host":
        "db-1.c9akciq32.eu-west-1.rds.amazonaws.com","port":5432,"dbname":"production-2",
        "dbInstanceIdentifier":"production-db-1","note":"training"}"#;
    assert_eq!(texts(rds), ["Tr0ub4dor&3"]);
    let key = r#"{"type":"service_account","project_id":"ml-training-4711","private_key":"-----BEGIN K-----\nMIIEvQIBADANBg\n-----END K-----\n",
        "client_email":"robot-1@ml-training-4711.iam.gserviceaccount.com","client_id":"104216894218945720000",
        "auth_uri":"https://accounts.google.com/o/oauth2/auth","universe_domain":"googleapis.com",
        "client_x509_cert_url":"https://www.googleapis.com/robot/v1/metadata/x509/robot-1"}"#;
    let armoured = "-----BEGIN K-----\nMIIEvQIBADANBg\n-----END K-----";
    assert_eq!(texts(key), [armoured, "MIIEvQIBADANBg"]);
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: training-cluster-1\nclusters:\n- name: training-cluster-1\n  \
        cluster:\n    server: https://training-cluster-1.example:6443\nusers:\n- name: trainer-of-1\n  user:\n    token: hunter2hunter2\n";
    assert!(texts(kubeconfig).iter().all(|part| part == "hunter2hunter2"), "{:?}", texts(kubeconfig));
    let docker = r#"{"auths":{"ghcr.io":{"auth":"cm9ib3Q6aHVudGVyMi1odW50ZXIy"}},"credsStore":"desktop"}"#;
    assert_eq!(texts(docker), ["cm9ib3Q6aHVudGVyMi1odW50ZXIy", "hunter2-hunter2"]);
    // A token is one wherever it stands.
    let token = format!("hf_{}", "aB3dE5gH7j".repeat(4));
    assert!(texts(&format!(r#"{{"username": "{}"}}"#, &token[..37])).contains(&token[..37].to_owned()));
}
