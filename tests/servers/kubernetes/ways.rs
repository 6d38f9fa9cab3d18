//! The ways to a cluster that a kubeconfig may name, and who one is there.

use std::fs;
use std::path::PathBuf;

use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::kubernetes::Cluster;
use crate::kubernetes::LONG;
use crate::kubernetes::by_hand;
use crate::support::far::open;
use crate::support::http::Server;
use crate::support::http::response;
use crate::support::standin::Standin;
use crate::support::standin::get;
use crate::support::standin::wait;
use crate::support::standin::words;

struct Way {
    standin: Standin,
    cluster: Cluster,
}

impl Way {
    fn new() -> Self {
        let standin = Standin::start("kubernetes", &[]);
        let cluster = Cluster::of(&standin);
        by_hand(&cluster, "app", &[("value", b"hunter2 app")]);
        Self { standin, cluster }
    }

    /// A kubeconfig with another cluster and another user in it.
    fn kubeconfig(&self, cluster: &str, user: &str) -> PathBuf {
        let path = self.cluster.kubeconfig("admin");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("certificate-authority: ca.crt", cluster);
        fs::write(&path, text.replace("{token: admin}", &format!("{{{user}}}"))).unwrap();
        path
    }

    fn source(&self, cluster: &str, user: &str, variables: &[(&str, &str)]) -> Remote {
        let kubeconfig = self.kubeconfig(cluster, user).display().to_string();
        let variables = [&[("KUBECONFIG", kubeconfig.as_str())], variables].concat();
        open("kubernetes", &self.cluster.folder, &[], &variables, LONG)
    }

    fn value(&self, cluster: &str, user: &str) -> Result<Vec<u8>, SourceError> {
        let source = self.source(cluster, user, &[]);
        wait(async { get(&source, "app").await }).map(|(value, _)| value)
    }
}

const AUTHORITY: &str = "certificate-authority: ca.crt";
const ADMIN: &str = "token: admin";

#[test]
fn a_certificate_must_be_of_the_authority_and_of_the_name() {
    let way = Way::new();
    for cluster in [
        "certificate-authority: ca.crt, tls-server-name: localhost",
        "insecure-skip-tls-verify: true",
        "insecure-skip-tls-verify: true, tls-server-name: elsewhere",
    ] {
        assert_eq!(way.value(cluster, ADMIN).unwrap(), b"hunter2 app", "{cluster}");
    }
    let data = data_encoding::BASE64.encode(&fs::read(way.standin.path("ca.crt")).unwrap());
    let data = format!("certificate-authority-data: {data}, certificate-authority: gone.crt");
    assert_eq!(way.value(&data, ADMIN).unwrap(), b"hunter2 app");
    for cluster in ["proxy-url: ''", "certificate-authority: ca.crt, tls-server-name: elsewhere"] {
        let fault = words(way.value(cluster, ADMIN));
        assert!(fault.starts_with("unreachable: the cluster can't be reached: "), "{cluster}: {fault}");
        assert!(fault.contains("certificate"), "{cluster}: {fault}");
    }
    for (cluster, cause) in [
        ("certificate-authority: gone.crt", "the certificate authority of the kubeconfig can't be read"),
        (
            "certificate-authority-data: aHVudGVyMg==",
            "the certificate authority of the kubeconfig can't be read",
        ),
        ("certificate-authority-data: '%'", "the certificate authority of the kubeconfig is not base64"),
    ] {
        assert!(words(way.value(cluster, ADMIN)).contains(cause), "{cluster}");
    }
    way.standin.expect_no_faults();
}

#[test]
fn a_user_has_a_certificate_a_token_in_a_file_or_an_id_token() {
    let way = Way::new();
    fs::write(way.standin.path("token"), "admin\n").unwrap();
    for user in [
        "client-certificate: user.crt, client-key: user.key",
        "tokenFile: token",
        "auth-provider: {name: oidc, config: {id-token: admin, idp-issuer-url: 'https://i'}}",
        "token: admin, tokenFile: gone, exec: {command: gone}",
    ] {
        assert_eq!(way.value(AUTHORITY, user).unwrap(), b"hunter2 app", "{user}");
    }
    for (user, cause) in [
        ("client-certificate: user.crt", "its key in the kubeconfig is there without the other"),
        ("client-certificate: ca.key, client-key: user.key", "can't be read"),
        ("tokenFile: gone", "cannot read the token file `"),
        ("username: admin, password: hunter2", "not allowed: the cluster does not accept"),
        ("", "not allowed: the cluster does not accept"),
        ("auth-provider: {name: gcp}", "logs in with `auth-provider: gcp`"),
    ] {
        let fault = words(way.value(AUTHORITY, user));
        assert!(fault.contains(cause), "{user}: {fault}");
    }
    way.standin.expect_no_faults();
}

#[test]
fn a_login_program_may_give_a_certificate() {
    let way = Way::new();
    let text = |file: &str| fs::read_to_string(way.standin.path(file)).unwrap();
    let grant = serde_json::json!({
        "status": { "clientCertificateData": text("user.crt"), "clientKeyData": text("user.key") },
    });
    fs::write(way.standin.path("grant"), grant.to_string()).unwrap();
    let user = format!("exec: {{command: cat, args: ['{}']}}", way.standin.path("grant").display());
    assert_eq!(way.value(AUTHORITY, &user).unwrap(), b"hunter2 app");
    way.standin.expect_no_faults();
}

/// A token that has run out is fetched again, and only then.
#[test]
fn a_login_program_is_run_again_when_its_token_has_run_out() {
    let way = Way::new();
    let (count, until) = (way.standin.path("count"), way.standin.path("until"));
    let script = format!(
        "echo >> {count}; printf \"{{status: {{token: admin, expirationTimestamp: %s}}}}\" $(cat {until})",
        count = count.display(),
        until = until.display()
    );
    let user = format!("exec: {{command: sh, args: ['-c', '{script}']}}");
    for (time, runs) in [("2099-01-01T00:00:00Z", 1), ("2020-01-01T00:00:00Z", 4)] {
        fs::write(&until, time).unwrap();
        fs::write(&count, "").unwrap();
        let source = way.source(AUTHORITY, &user, &[]);
        wait(async {
            for path in ["app", "app#value", "app#gone"] {
                drop(source.get(path, None).await);
            }
        });
        assert_eq!(fs::read_to_string(&count).unwrap().lines().count(), runs, "{time}");
    }
    way.standin.expect_no_faults();
}

#[test]
fn a_proxy_is_asked_for_the_cluster() {
    let way = Way::new();
    let proxy = Server::start(|_| response(403, &[], ""));
    let url = proxy.url().replace("http://", "http://user:pass@");
    let of_file = format!("{AUTHORITY}, proxy-url: '{url}'");
    // What stands in the kubeconfig is meant for this cluster, whatever holds for others.
    let of_file = (of_file.as_str(), [("NO_PROXY", "*")]);
    for (cluster, variables) in [of_file, (AUTHORITY, [("HTTPS_PROXY", url.as_str())])] {
        let source = way.source(cluster, ADMIN, &variables);
        let fault = words(wait(source.get("app", None)));
        assert!(fault.starts_with("unreachable: the cluster can't be reached: "), "{fault}");
        let asked = proxy.asked();
        assert_eq!(asked[0].method, "CONNECT");
        assert_eq!(format!("https://{}", asked[0].path), way.cluster.url);
        assert_eq!(asked[0].header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
    }
    let none = way.source(AUTHORITY, ADMIN, &[("HTTPS_PROXY", &url), ("no_proxy", "127.0.0.1")]);
    assert_eq!(wait(get(&none, "app")).unwrap().0, b"hunter2 app");
    for (proxy, cause) in [
        ("socks5://127.0.0.1:1", "a protocol that Doppio does not speak"),
        ("gopher://127.0.0.1:1", "a protocol that Doppio does not speak"),
        ("://", "is not a URL"),
    ] {
        let of_file = way.source(&format!("{AUTHORITY}, proxy-url: '{proxy}'"), ADMIN, &[]);
        assert!(words(wait(of_file.get("app", None))).contains(cause), "{proxy}");
        let of_environment = way.source(AUTHORITY, ADMIN, &[("https_proxy", proxy)]);
        assert!(words(wait(of_environment.get("app", None))).contains(cause), "{proxy}");
    }
    assert!(proxy.asked().is_empty());
    way.standin.expect_no_faults();
}
