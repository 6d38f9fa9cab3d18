//! The source `gcp`, against a stand-in that checks each request, which Google's own Python client
//! is made to use as well, and against cloudbox, a stand-in by others. No server of Google's is met.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use doppio_secrets::source::Remark;
use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_test_support::Doppio;

use crate::support::far::open;
use crate::support::standin::Standin;
use crate::support::standin::bytes;
use crate::support::standin::get;
use crate::support::standin::secret;
use crate::support::standin::wait;
use crate::support::standin::words;
use crate::support::venv::python;

const ANONYMOUS: &str = r#"{"anonymous": true}"#;

fn standin() -> Standin {
    Standin::start("gcp", &[("seed", ANONYMOUS)])
}

fn source_with(standin: &Standin, project: &str, deadline: Duration) -> Remote {
    let endpoint = format!("http://127.0.0.1:{}", standin.port());
    open("gcp", &standin.path(""), &[("endpoint", &endpoint), ("project", project)], &[], deadline)
}

fn source(standin: &Standin) -> Remote {
    source_with(standin, "ml", Duration::from_secs(20))
}

#[test]
fn secrets_are_written_read_listed_and_removed() {
    let standin = standin();
    let source = source(&standin);
    wait(async {
        source.check().await.unwrap();
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
        let remark = Remark { note: Some("of the tests".to_owned()), expires: None };
        let metadata = source.set("app", &secret("hunter2 one"), &remark).await.unwrap();
        assert_eq!(metadata.version.as_deref(), Some("1"));
        let binary: Vec<u8> = (0..=255).collect();
        source.set("projects/ml/secrets/app", &secret(&binary), &remark).await.unwrap();
        let (value, metadata) = get(&source, "app").await.unwrap();
        assert_eq!((value, metadata.version.as_deref()), (binary, Some("2")));
        assert_eq!(metadata.place, "`projects/ml/secrets/app`");
        assert!(metadata.warnings.is_empty());

        // Versions: a number, `latest`, an alias; and what there is of them.
        for version in ["1", "prod"] {
            let (value, metadata) = source.get("app", Some(version)).await.unwrap();
            assert_eq!((bytes(&value), metadata.version.as_deref()), (b"hunter2 one".to_vec(), Some("1")));
        }
        assert_eq!(source.get("app", Some("latest")).await.unwrap().1.version.as_deref(), Some("2"));
        assert_eq!(source.get("app", Some("9")).await.unwrap_err(), SourceError::Missing);
        assert!(words(source.get("app", Some("1:x")).await).contains("not a version of Secret Manager"));
        let versions = source.versions("app").await.unwrap();
        let ids: Vec<_> = versions.iter().map(|version| (version.id.as_str(), version.current)).collect();
        assert_eq!(ids, [("2", true), ("1", false)]);
        assert!(versions.iter().all(|version| version.readable && version.created.is_some()));

        // 64 KiB are taken, and no byte more.
        let large = vec![b'x'; 64 << 10];
        source.set("large", &secret(&large), &Remark::default()).await.unwrap();
        assert_eq!(get(&source, "large").await.unwrap().0, large);
        let fault = words(source.set("large", &secret(vec![b'x'; (64 << 10) + 1]), &Remark::default()).await);
        assert!(fault.starts_with("unfit: Secret Manager accepts no value over 65536 bytes"), "{fault}");

        let listed = source.list().await.unwrap();
        let names: Vec<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["app", "large"]);
        assert_eq!(listed[0].1.note.as_deref(), Some("of the tests"));
        source.delete("app").await.unwrap();
        assert_eq!(source.delete("app").await.unwrap_err(), SourceError::Missing);
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
    });
    standin.expect_no_faults();
}

#[test]
fn a_value_that_is_in_force_was_written_whatever_becomes_of_its_note() {
    let standin = standin();
    let source = source(&standin);
    let remark =
        Remark { note: Some("of the tests".to_owned()), expires: "2099-01-01T00:00:00Z".parse().ok() };
    wait(async {
        source.set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        for (may_not, said, warning) in [
            ("update", &remark, Some("its note and its expiry were not: Permission to update denied.")),
            ("get", &remark, Some("its note and its expiry were not: Permission to get denied.")),
            ("", &remark, None),
            ("update", &Remark::default(), Some("the expiry of the previous one is still attached")),
            // Then nobody can know.
            ("get", &Remark::default(), None),
        ] {
            standin.control(&serde_json::json!({ "may_not": [may_not] }).to_string());
            let metadata = source.set("app", &secret("hunter2 two"), said).await.unwrap();
            assert_eq!(metadata.warnings.len(), usize::from(warning.is_some()), "{may_not}: {metadata:?}");
            assert!(metadata.warnings.iter().all(|told| told.contains(warning.unwrap())), "{metadata:?}");
        }
        assert_eq!(get(&source, "app").await.unwrap().1.version.as_deref(), Some("6"));
    });
    standin.expect_no_faults();
}

#[test]
fn a_place_is_told_without_the_value() {
    let standin = standin();
    let source = source(&standin);
    wait(async {
        source.set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        standin.requests();
        let metadata = source.locate("app", None).await.unwrap();
        assert_eq!(metadata.version.as_deref(), Some("1"));
        assert!(metadata.created.is_some());
    });
    let asked = standin.requests();
    assert!(asked.iter().all(|line| !line.contains(":access")), "{asked:?}");
    standin.expect_no_faults();
}

/// `roles/secretmanager.secretAccessor` holds `versions.access` and nothing else.
#[test]
fn who_may_only_read_can_see_what_is_there() {
    let standin = standin();
    wait(source(&standin).set("app", &secret("hunter2 one"), &Remark::default())).unwrap();
    standin.control(r#"{"only_access": true}"#);
    wait(async {
        let source = source(&standin);
        assert_eq!(source.locate("app", None).await.unwrap().version.as_deref(), Some("1"));
        assert_eq!(source.locate("app", Some("1")).await.unwrap().version.as_deref(), Some("1"));
        assert_eq!(source.locate("gone", None).await.unwrap_err(), SourceError::Missing);
        let closed = source_with(&standin, "closed", Duration::from_secs(20));
        assert!(words(closed.locate("app", None).await).starts_with("not allowed: "));
    });
    // A run looks first whether everything is there.
    let settings =
        format!("[sources.gcp]\nendpoint = 'http://127.0.0.1:{}'\nproject = 'ml'\n", standin.port());
    let doppio = Doppio::new();
    fs::write(doppio.doppio_home().join("config.toml"), settings).unwrap();
    let recipe = "[recipe]\nname = \"test\"\n[[step]]\nid = \"use\"\nlocal_command = { command = \"test \\\"$A\\\" = 'hunter2 one'\", env = { A = \"${secret:gcp:app}\" } }\n";
    doppio.file("recipe.toml", recipe);
    doppio.run(["run", "recipe.toml"]).expect(0);
    standin.expect_no_faults();
}

#[test]
fn a_damaged_value_is_refused() {
    let standin = standin();
    wait(async {
        source(&standin).set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        standin.control(r#"{"damage": true}"#);
        let fault = words(source(&standin).get("app", None).await);
        assert!(fault.starts_with("unreachable: the value arrived damaged"), "{fault}");
        standin.control(r#"{"no_sum": true}"#);
        let metadata = get(&source(&standin), "app").await.unwrap().1;
        assert!(metadata.warnings[0].contains("no CRC32C"));
    });
    standin.expect_no_faults();
}

#[test]
fn what_goes_wrong_is_told_apart() {
    let standin = standin();
    wait(async {
        let closed = source_with(&standin, "closed", Duration::from_secs(20));
        let fault = words(closed.get("app", None).await);
        assert!(
            fault.starts_with("not allowed: Permission 'secretmanager.versions.access' denied"),
            "{fault}"
        );
        // Who may not list there may have the right to read.
        closed.check().await.unwrap();
        standin.control(r#"{"may_not": ["list"]}"#);
        source(&standin).check().await.unwrap();
        standin.control(r#"{"off": true}"#);
        assert!(words(source(&standin).check().await).starts_with("not allowed: Secret Manager API"));
        standin.control(r#"{"nonsense": true}"#);
        assert!(
            words(source(&standin).get("app", None).await)
                .starts_with("unreachable: what answered is not Secret Manager")
        );
        standin.control(r#"{"nonsense": true, "status": 404}"#);
        assert!(
            words(source(&standin).get("app", None).await)
                .starts_with("unreachable: what answered is not Secret Manager")
        );
        standin.control(r#"{"slow": 20}"#);
        let hasty = source_with(&standin, "ml", Duration::from_secs(1));
        assert!(words(hasty.get("app", None).await).contains("did not answer within 1 s"));
        standin.control(r#"{"status": 501}"#);
        let fault = words(source(&standin).get("app", None).await);
        assert!(fault.starts_with("unreachable: "), "{fault}");
    });
    let home = standin.path("");
    let at = |endpoint: String, project: &str| {
        let settings = [("endpoint", endpoint.as_str()), ("project", project)];
        let source = open("gcp", &home, &settings, &[], Duration::from_secs(20));
        words(wait(async move { source.get("app", None).await }))
    };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(at(format!("http://{nobody}"), "ml").contains("refused"));
    assert!(at("http://192.0.2.1".to_owned(), "ml").starts_with("unfit: `endpoint = "));
    assert!(at(format!("http://{nobody}"), "a/b").contains("not the id or number of a project"));
    let endpoint = format!("http://{nobody}");
    let source = open("gcp", &home, &[("endpoint", &endpoint)], &[], Duration::from_secs(20));
    assert!(words(wait(source.get("app", None))).starts_with("unreachable: no project is named"));
    standin.expect_no_faults();
}

#[test]
fn five_thousand_are_listed() {
    let standin = Standin::start("gcp", &[("seed", r#"{"anonymous": true, "count": 5000}"#)]);
    let listed = wait(source(&standin).list()).unwrap();
    assert_eq!((listed.len(), listed[4999].0.as_str()), (5000, "s04999"));
    assert_eq!(standin.requests().len(), 5);
    standin.expect_no_faults();
}

/// A machine that is logged in, as `gcloud auth application-default login` leaves it.
fn logged_in(standin: &Standin, refresh: &str) -> Doppio {
    let doppio = Doppio::new()
        .env("SSL_CERT_FILE", standin.path("ca.crt"))
        .env("GOOGLE_CLOUD_QUOTA_PROJECT", "payer")
        .env("GOOGLE_CLOUD_PROJECT", "ml");
    let folder: PathBuf = doppio.home().join(".config/gcloud");
    fs::create_dir_all(&folder).unwrap();
    let address = standin.url();
    let login = serde_json::json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "hunter2 s", "refresh_token": refresh,
        "token_uri": format!("{address}/token"),
    });
    fs::write(folder.join("application_default_credentials.json"), login.to_string()).unwrap();
    let config = format!("[sources.gcp]\nendpoint = '{address}'\ntimeout_secs = 20\n");
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    doppio
}

#[test]
fn application_default_credentials_log_in() {
    let standin = Standin::start("gcp", &[("seed", r#"{"count": 1}"#)]);
    let reveal = |doppio: &Doppio, reference: &str| {
        let ran = doppio.run(["secret", "get", reference, "--reveal", "--force"]);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        ran
    };
    let doppio = logged_in(&standin, "refresh-1");
    // The stand-in has asked for the token and for `x-goog-user-project` before it says so.
    let ran = reveal(&doppio, "gcp:gone").expect(3);
    assert!(
        ran.stderr.contains("is not set") && ran.stderr.contains("gcloud secrets create gone"),
        "{}",
        ran.stderr
    );
    assert_eq!(reveal(&doppio, "gcp:gone?none").expect(0).stdout, "none");
    let revoked = logged_in(&standin, "refresh-2");
    let ran = reveal(&revoked, "gcp:gone?none").expect(3);
    assert!(ran.stderr.contains("does not accept this login (invalid_grant)"), "{}", ran.stderr);
    standin.control(r#"{"token": "nonsense"}"#);
    let ran = reveal(&doppio, "gcp:gone").expect(3);
    assert!(ran.stderr.contains("there is no login for Google"), "{}", ran.stderr);
    let file = doppio.home().join(".config/gcloud/application_default_credentials.json");
    fs::write(&file, r#"{"type": "hunter"}"#).unwrap();
    let ran = reveal(&doppio, "gcp:gone").expect(3);
    assert!(ran.stderr.contains("has the type `hunter`"), "{}", ran.stderr);
    standin.expect_no_faults();
}

/// A server that others made; of its own it serves `:access` for POST only, see there.
#[test]
fn cloudbox_is_met() {
    let cloudbox = Standin::start_with(&python(), "cloudbox_gcp", &[]);
    let source = source(&cloudbox);
    wait(async {
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
        source.set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        source.set("app", &secret(b"\xff\x00two"), &Remark::default()).await.unwrap();
        let (value, metadata) = get(&source, "app").await.unwrap();
        assert_eq!((value, metadata.version.as_deref()), (b"\xff\x00two".to_vec(), Some("2")));
        assert_eq!(bytes(&source.get("app", Some("1")).await.unwrap().0), b"hunter2 one");
        assert_eq!(source.versions("app").await.unwrap().len(), 2);
        assert_eq!(source.list().await.unwrap().len(), 1);
        source.delete("app").await.unwrap();
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
    });
}

/// What another client makes of the stand-in proves it a little.
#[test]
fn googles_own_client_can_use_the_stand_in() {
    let standin = standin();
    wait(source(&standin).set("app", &secret("hunter2 one"), &Remark::default())).unwrap();
    let script = format!(
        "from google.auth.credentials import AnonymousCredentials\n\
         from google.cloud import secretmanager_v1 as sm\n\
         from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceRestTransport as T\n\
         c = sm.SecretManagerServiceClient(transport=T(host='127.0.0.1:{}', url_scheme='http', credentials=AnonymousCredentials()))\n\
         r = c.access_secret_version(name='projects/ml/secrets/app/versions/latest')\n\
         assert r.payload.data == b'hunter2 one' and r.payload.data_crc32c, r\n\
         print([s.name for s in c.list_secrets(parent='projects/ml')])\n",
        standin.port()
    );
    let output = Command::new(python()).env("NO_PROXY", "*").args(["-B", "-c", &script]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "['projects/ml/secrets/app']");
    standin.expect_no_faults();
}
