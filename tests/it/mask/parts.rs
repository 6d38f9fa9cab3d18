//! Values with parts: what of them is masked alone, and what is not.

use doppio_test_support::mask_of;

// case B4
#[test]
fn credentials_inside_a_value_are_masked_alone() {
    for (value, printed) in [
        ("postgres://app:p%40ss%2Fw0rd@db.example/x", &["p%40ss%2Fw0rd", "p@ss/w0rd", "p%40ss/w0rd"][..]),
        ("postgres://app:pa/ss#w0rd@db.example/x", &["pa/ss#w0rd", "pa%2Fss%23w0rd", "pa%2fss#w0rd"]),
        ("https://ghp_QxZtNbVkLmPw@github.example/a", &["ghp_QxZtNbVkLmPw"]),
        ("https://db.example/?user=me&password=hunt%2Ber22", &["hunt%2Ber22", "hunt+er22"]),
        ("https://a.blob.example/c?sv=2024-01-01&sig=abc%2Fdef123%3D", &["abc%2Fdef123%3D", "abc/def123="]),
        ("host=db.example user=app password=hunter22 dbname=production", &["hunter22"]),
        (r#"{"auths": {"ghcr.io": {"auth": "cm9ib3Q6aHVudGVyMi1odW50ZXIy"}}}"#, &["hunter2-hunter2"]),
    ] {
        let mask = mask_of(&[value.as_bytes()]);
        for part in printed {
            assert_eq!(mask.text(&format!("got <{part}>")).as_str(), "got <***>", "{value}");
        }
        for word in ["db.example", "github.example", "app", "production", "2024-01-01", "ghcr.io"] {
            assert_eq!(mask.text(word).as_str(), word, "{value}");
        }
    }
}

// case B6
#[test]
fn an_ordinary_log_stays_readable_beside_structured_secrets() {
    let rds = br#"{"username":"postgres","password":"Tr0ub4dor-and-3","engine":"postgres","host":"localhost",
        "port":5432,"dbname":"production","note":"training"}"#;
    let log = "postgresql://localhost:5432/production: training as postgres";
    let mask = mask_of(&[rds]);
    assert_eq!(mask.text(log).as_str(), log);
    assert_eq!(mask.text("password Tr0ub4dor-and-3").as_str(), "password ***");
    let key = br#"{"type":"service_account","project_id":"ml-training-4711","private_key_id":"0123456789abcdef0123",
        "private_key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n",
        "client_email":"robot@ml-training-4711.iam.gserviceaccount.com","client_id":"104216894218945720000",
        "token_uri":"https://oauth2.googleapis.com/token","universe_domain":"googleapis.com"}"#;
    let log = "robot@ml-training-4711.iam.gserviceaccount.com asks https://oauth2.googleapis.com/token";
    let mask = mask_of(&[key]);
    assert_eq!(mask.text(log).as_str(), log);
    assert_eq!(mask.text("MIIEvQIBADANBgkqhkiG").as_str(), "***");
}

// case B2
#[test]
fn short_values_are_found_across_colours_and_wraps() {
    for value in ["Tr0ub4dor&3", "hunter22", "pa55w0rd!", "0123abcdef"] {
        let mask = mask_of(&[value.as_bytes()]);
        for at in 1..value.len() {
            let (head, tail) = value.split_at(at);
            let coloured = format!("<{head}\x1b[01;31m\x1b[K{tail}\x1b[m\x1b[K>");
            let out = mask.text(&coloured);
            assert_eq!(out.as_str(), "<***\u{1b}[01;31m\u{1b}[K\u{1b}[m\u{1b}[K>", "{at} of {value}");
        }
        // `fold -w 6`: of a value that ends a line with fewer than four bytes those are shown.
        for at in 4..value.len() {
            let (head, tail) = value.split_at(at);
            assert_eq!(mask.text(&format!("<{head}\n{tail}>")).as_str(), "<***\n>", "{at} of {value}");
        }
    }
    let mask = mask_of(&[b"Tr0ub4dor&3"]);
    assert_eq!(mask.text("Tr0ub4\ndor&3\n").as_str(), "***\n\n");
}
