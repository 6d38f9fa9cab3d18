//! The source `azure`, against a stand-in for Key Vault and Entra that checks each request, which
//! Microsoft's own Python SDK is made to use as well. No server of Microsoft's is met.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use doppio_secrets::source::Remark;
use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::support::far::open;
use crate::support::standin::Standin;
use crate::support::standin::bytes;
use crate::support::standin::get;
use crate::support::standin::secret;
use crate::support::standin::wait;
use crate::support::standin::words;
use crate::support::venv::python;

fn standin() -> Standin {
    Standin::start("azure", &[])
}

fn source_as(standin: &Standin, address: &str, login: &[(&str, &str)], deadline: Duration) -> Remote {
    let ca = standin.path("ca.crt").display().to_string();
    let settings = [("vault", address), ("ca_cert", &ca)];
    let authority = standin.url();
    let mut variables = vec![("AZURE_AUTHORITY_HOST", authority.as_str()), ("AZURE_TENANT_ID", "tenant-1")];
    variables.extend(login);
    open("azure", &standin.path(""), &settings, &variables, deadline)
}

const APPLICATION: [(&str, &str); 2] =
    [("AZURE_CLIENT_ID", "client-1"), ("AZURE_CLIENT_SECRET", "entra-secret")];

fn source(standin: &Standin) -> Remote {
    let address = standin.url();
    source_as(standin, &address, &APPLICATION, Duration::from_secs(30))
}

#[test]
fn secrets_are_written_read_listed_and_removed() {
    let standin = standin();
    let source = source(&standin);
    wait(async {
        source.check().await.unwrap();
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
        let expires = "2027-01-31T00:00:00Z".parse().ok();
        let remark = Remark { note: Some("of the tests".to_owned()), expires };
        let first = source.set("app", &secret("hunter2 one"), &remark).await.unwrap().version.unwrap();
        source.set("app", &secret("hunter2 zwei é\n"), &remark).await.unwrap();
        let (value, metadata) = get(&source, "app").await.unwrap();
        assert_eq!(value, "hunter2 zwei é\n".as_bytes());
        assert_eq!((metadata.note.as_deref(), metadata.expires), (Some("of the tests"), expires));
        assert!(metadata.created.is_some() && metadata.place.ends_with("/secrets/app"), "{}", metadata.place);
        let (value, metadata) = source.get("app", Some(&first)).await.unwrap();
        assert_eq!((bytes(&value), metadata.version), (b"hunter2 one".to_vec(), Some(first.clone())));
        assert_eq!(source.get("app", Some(&"0".repeat(32))).await.unwrap_err(), SourceError::Missing);
        assert!(words(source.get("app", Some("../x")).await).contains("not a version of Key Vault"));
        let versions = source.versions("app").await.unwrap();
        assert_eq!((versions.len(), versions[0].current, versions[1].id.as_str()), (2, true, first.as_str()));
        assert_eq!(source.versions("gone").await.unwrap_err(), SourceError::Missing);

        // Text only, and not much of it.
        let large = vec![b'x'; 25_000];
        source.set("large", &secret(&large), &Remark::default()).await.unwrap();
        assert_eq!(get(&source, "large").await.unwrap().0, large);
        let fault = words(source.set("large", &secret(vec![b'x'; 64 << 10]), &Remark::default()).await);
        assert!(fault.starts_with("unfit: Key Vault accepts no value over 25000 bytes"), "{fault}");
        let fault = words(source.set("binary", &secret(b"\xff\xfehunter2"), &Remark::default()).await);
        assert!(fault.starts_with("unfit: Key Vault accepts only text"), "{fault}");

        let listed = source.list().await.unwrap();
        let names: Vec<_> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["app", "large"]);

        // Removed softly: it is gone, and its name is taken.
        source.delete("app").await.unwrap();
        assert_eq!(source.get("app", None).await.unwrap_err(), SourceError::Missing);
        assert_eq!(source.delete("app").await.unwrap_err(), SourceError::Missing);
        let fault = words(source.set("app", &secret("hunter2"), &Remark::default()).await);
        assert!(fault.contains("az keyvault secret recover"), "{fault}");
    });
    standin.expect_no_faults();
}

#[test]
fn a_place_is_told_without_the_value() {
    let standin = standin();
    let source = source(&standin);
    let metadata = wait(async {
        source.set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        standin.requests();
        source.locate("app", None).await.unwrap()
    });
    assert!(metadata.version.is_some() && metadata.created.is_some());
    let asked = standin.requests();
    assert!(asked.iter().all(|line| line.contains("/secrets/app/versions?")), "{asked:?}");
    standin.expect_no_faults();
}

#[test]
fn a_policy_with_get_alone_shows_what_is_there() {
    let standin = standin();
    let first =
        wait(source(&standin).set("app", &secret("hunter2 one"), &Remark::default())).unwrap().version;
    standin.control(r#"{"only_get": true}"#);
    wait(async {
        let source = source(&standin);
        source.check().await.unwrap();
        assert_eq!(source.locate("app", None).await.unwrap().version, first);
        assert_eq!(source.locate("app", first.as_deref()).await.unwrap().version, first);
        assert_eq!(source.locate("gone", None).await.unwrap_err(), SourceError::Missing);
        assert!(words(source.list().await).starts_with("not allowed: "));
    });
    standin.expect_no_faults();
}

/// With an authority of the settings Doppio makes the HTTP client, which follows nobody.
#[test]
fn nothing_is_sent_where_a_redirect_points() {
    let (standin, other) = (standin(), standin());
    let both = [&standin, &other].map(|server| fs::read_to_string(server.path("ca.crt")).unwrap()).concat();
    fs::write(standin.path("ca.crt"), both).unwrap();
    let away = format!(r#"{{"redirect": "https://127.0.0.1:{}"}}"#, other.port());
    wait(async {
        let logged_in = source(&standin);
        logged_in.set("app", &secret("hunter2 one"), &Remark::default()).await.unwrap();
        standin.control(&away);
        let fault = words(logged_in.set("app", &secret("hunter2 two"), &Remark::default()).await);
        assert!(fault.starts_with("unreachable: what answered is not a Key Vault (status 307)"), "{fault}");
        // The client secret.
        let fault = words(source(&standin).get("app", None).await);
        assert!(fault.starts_with("unreachable: "), "{fault}");
    });
    assert_eq!(other.requests(), [""; 0]);
    standin.expect_no_faults();
}

#[test]
fn five_thousand_are_listed() {
    let standin = Standin::start("azure", &[("seed", r#"{"count": 5000}"#)]);
    // 200 pages: the service gives 25 names at a time.
    let address = standin.url();
    let source = source_as(&standin, &address, &APPLICATION, Duration::from_mins(5));
    let listed = wait(source.list()).unwrap();
    assert_eq!((listed.len(), listed[4999].0.as_str()), (5000, "s04999"));
    standin.expect_no_faults();
}

#[test]
fn logins_are_taken_from_the_environment_or_from_workload_identity() {
    let standin = standin();
    let address = standin.url();
    wait(source(&standin).set("app", &secret("hunter2 one"), &Remark::default())).unwrap();
    let ask = |login: &[(&str, &str)]| {
        let source = source_as(&standin, &address, login, Duration::from_secs(30));
        wait(async move { source.get("app", None).await.map(|(value, _)| bytes(&value)) })
    };
    fs::write(standin.path("federated"), "federated-token").unwrap();
    let file = standin.path("federated").display().to_string();
    let workload = [("AZURE_CLIENT_ID", "client-1"), ("AZURE_FEDERATED_TOKEN_FILE", file.as_str())];
    assert_eq!(ask(&workload).unwrap(), b"hunter2 one");

    let wrong = [("AZURE_CLIENT_ID", "client-1"), ("AZURE_CLIENT_SECRET", "hunter2 wrong")];
    let fault = words(ask(&wrong));
    assert!(
        fault.starts_with("not allowed: Microsoft Entra does not accept this login (AADSTS7000215)"),
        "{fault}"
    );
    let other = [("AZURE_CLIENT_ID", "client-2"), ("AZURE_CLIENT_SECRET", "entra-secret")];
    let fault = words(ask(&other));
    assert!(
        fault.starts_with("not allowed: The user, group or application 'appid=client-2' does not have"),
        "{fault}"
    );
    let fault = words(ask(&[("AZURE_CLIENT_SECRET", "entra-secret")]));
    assert!(fault.contains("lacks `AZURE_CLIENT_ID`"), "{fault}");
    let fault = words(ask(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent"), APPLICATION[0]]));
    assert!(fault.contains("client certificate"), "{fault}");
    standin.control(r#"{"token": "nonsense"}"#);
    assert!(words(ask(&APPLICATION)).starts_with("unreachable: there is no login for Azure"));
    standin.expect_no_faults();
}

#[test]
fn what_goes_wrong_is_told_apart() {
    let standin = standin();
    let address = standin.url();
    let at = |address: &str, deadline| {
        let source = source_as(&standin, address, &APPLICATION, Duration::from_secs(deadline));
        words(wait(async move { source.get("app", None).await }))
    };
    for control in [r#"{"nonsense": true}"#, r#"{"nonsense": true, "status": 404}"#] {
        standin.control(control);
        let fault = at(&address, 30);
        assert!(fault.starts_with("unreachable: what answered is not a Key Vault"), "{fault}");
    }
    standin.control(r#"{"status": 503}"#);
    assert!(at(&address, 30).starts_with("unreachable: Key Vault answered 503"));
    standin.control(r#"{"slow": 20}"#);
    assert!(at(&address, 1).contains("did not answer within 1 s"));
    standin.control("{}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(at(&format!("https://{nobody}"), 30).contains("refused"));
    assert!(at("http://127.0.0.1", 30).starts_with("unfit: `vault = "));
    let other = Standin::start("azure", &[]);
    fs::copy(other.path("ca.crt"), standin.path("ca.crt")).unwrap();
    let fault = at(&address, 30);
    assert!(fault.starts_with("unreachable: ") && fault.contains("certificate"), "{fault}");
    standin.expect_no_faults();
}

/// What another client makes of the stand-in proves it a little: Microsoft's SDK reads what Doppio
/// wrote, writes what Doppio reads, and disables it.
#[test]
fn microsofts_own_sdk_can_use_the_stand_in() {
    let standin = standin();
    wait(source(&standin).set("ours", &secret("hunter2 ours"), &Remark::default())).unwrap();
    let script = format!(
        "from azure.identity import ClientSecretCredential\n\
         from azure.keyvault.secrets import SecretClient\n\
         u = 'https://127.0.0.1:{}'\n\
         k = dict(connection_verify=True)\n\
         c = ClientSecretCredential('tenant-1', 'client-1', 'entra-secret', authority=u, disable_instance_discovery=True, **k)\n\
         s = SecretClient(u, c, verify_challenge_resource=False, **k)\n\
         assert s.get_secret('ours').value == 'hunter2 ours'\n\
         s.set_secret('theirs', 'hunter2 theirs', tags={{'note': 'theirs'}})\n\
         s.set_secret('off', 'hunter2 off', enabled=False)\n\
         print(sorted(p.name for p in s.list_properties_of_secrets()))\n\
         s.begin_delete_secret('ours')\n",
        standin.port()
    );
    let output = Command::new(python())
        .args(["-B", "-c", &script])
        .env("NO_PROXY", "*")
        .env("REQUESTS_CA_BUNDLE", standin.path("ca.crt"))
        .env("SSL_CERT_FILE", standin.path("ca.crt"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "['off', 'ours', 'theirs']");
    wait(async {
        let source = source(&standin);
        let (value, metadata) = get(&source, "theirs").await.unwrap();
        assert_eq!((value, metadata.note.as_deref()), (b"hunter2 theirs".to_vec(), Some("theirs")));
        assert_eq!(source.get("ours", None).await.unwrap_err(), SourceError::Missing);
        let fault = words(source.get("off", None).await);
        assert!(fault.starts_with("unfit: Operation get is not allowed on a disabled secret"), "{fault}");
        assert!(words(source.locate("off", None).await).starts_with("unfit: `off` is disabled"));
    });
    standin.expect_no_faults();
}
