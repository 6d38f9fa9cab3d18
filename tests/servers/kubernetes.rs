//! The source `kubernetes`, against a stand-in that checks each request; `real` has the same
//! contract with a real kube-apiserver.

mod real;
mod ways;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use doppio_secrets::source::Item;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Remote;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_test_support::Doppio;

use crate::support::far::open;
use crate::support::standin::Standin;
use crate::support::standin::get;
use crate::support::standin::secret;
use crate::support::standin::wait;
use crate::support::standin::words;
use crate::support::venv::python;

const LONG: Duration = Duration::from_secs(30);

/// A cluster of either kind.
struct Cluster {
    url: String,
    folder: PathBuf,
}

impl Cluster {
    fn of(standin: &Standin) -> Self {
        Self { url: standin.url(), folder: standin.path("") }
    }

    /// The kubeconfig of a user, with a relative path in it.
    fn kubeconfig(&self, user: &str) -> PathBuf {
        let path = self.folder.join(format!("{user}.kubeconfig"));
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: t, cluster: {{server: '{}', certificate-authority: ca.crt}}}}]\n\
             users: [{{name: u, user: {{token: {user}}}}}]\n\
             contexts: [{{name: t, context: {{cluster: t, user: u}}}}, {{name: other, context: {{cluster: t, user: u, namespace: team}}}}]\n\
             current-context: t\n",
            self.url
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn source(&self, user: &str, settings: &[(&str, &str)]) -> Remote {
        let kubeconfig = self.kubeconfig(user).display().to_string();
        open("kubernetes", &self.folder, settings, &[("KUBECONFIG", &kubeconfig)], LONG)
    }
}

/// What holds for every cluster.
async fn contract(cluster: &Cluster) {
    let admin = cluster.source("admin", &[]);
    admin.check().await.unwrap();

    // Written, read, written again; another key beside it; bytes are bytes.
    let remark = Remark { note: Some("of the tests".to_owned()), expires: None };
    assert_eq!(admin.get("app", None).await.unwrap_err(), SourceError::Missing);
    admin.set("app", &secret("hunter2 one"), &remark).await.unwrap();
    let (value, metadata) = get(&admin, "app").await.unwrap();
    assert_eq!(value, b"hunter2 one");
    assert!(
        metadata.place.starts_with("Secret `default/app`, key `value`, resourceVersion "),
        "{}",
        metadata.place
    );
    assert_eq!(metadata.note.as_deref(), Some("of the tests"));
    assert!(metadata.created.is_some());
    let binary: Vec<u8> = (0..=255).collect();
    admin.set("default/app#tls.key", &secret(&binary), &Remark::default()).await.unwrap();
    assert_eq!(get(&admin, "app#tls.key").await.unwrap().0, binary);
    assert_eq!(get(&admin, "default/app#value").await.unwrap().0, b"hunter2 one");
    admin.set("app#value", &secret("hunter2 two"), &Remark::default()).await.unwrap();
    let (value, metadata) = get(&admin, "app#value").await.unwrap();
    assert_eq!((value.as_slice(), metadata.note), (&b"hunter2 two"[..], Some("of the tests".to_owned())));
    let large = vec![b'x'; 64 << 10];
    admin.set("large", &secret(&large), &Remark::default()).await.unwrap();
    assert_eq!(get(&admin, "large").await.unwrap().0, large);

    // Of several keys, one must be named.
    let fault = words(cluster.source("admin", &[]).get("app", None).await);
    assert!(
        fault.starts_with("unfit: the Secret `app` has the keys `tls.key`, `value`: name one"),
        "{fault}"
    );
    assert_eq!(admin.get("app#gone", None).await.unwrap_err(), SourceError::Missing);
    assert!(words(admin.get("app", Some("3")).await).contains("keeps no versions"));
    let items = ["app#value", "app#gone", "large", "No_name"].map(|path| Item::new(path, None));
    let answers = cluster.source("admin", &[]).get_many(&items).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err(), &SourceError::Missing);
    assert!(matches!(&answers[3], Err(SourceError::Unfit { .. })));

    // What somebody else made is read and listed, and not written to without a word.
    by_hand(cluster, "foreign", &[("key", b"hunter2 foreign")]);
    assert_eq!(get(&admin, "foreign").await.unwrap().0, b"hunter2 foreign");
    let fault = words(admin.set("foreign#key", &secret("hunter2"), &Remark::default()).await);
    assert!(
        fault.starts_with("not allowed: the Secret was created") && fault.contains("override"),
        "{fault}"
    );
    assert!(words(admin.delete("foreign").await).starts_with("not allowed: "));
    let bold = cluster.source("admin", &[("override", "true")]);
    bold.set("foreign#more", &secret("hunter2 more"), &Remark::default()).await.unwrap();
    assert_eq!(get(&bold, "foreign#key").await.unwrap().0, b"hunter2 foreign");

    let mut listed: Vec<String> = admin.list().await.unwrap().into_iter().map(|(path, _)| path).collect();
    listed.sort();
    listed.retain(|path| !path.starts_with("default-token"));
    assert_eq!(listed, ["app#tls.key", "app#value", "foreign#key", "foreign#more", "large"]);

    // Removed key by key, and with the last one the Secret.
    assert!(words(admin.delete("app").await).starts_with("unfit: the Secret `app` has the keys"));
    admin.delete("app#value").await.unwrap();
    assert_eq!(admin.delete("app#value").await.unwrap_err(), SourceError::Missing);
    assert_eq!(get(&admin, "app").await.unwrap().0, binary);
    admin.delete("app").await.unwrap();
    assert_eq!(
        cluster.source("admin", &[]).get("app#tls.key", None).await.unwrap_err(),
        SourceError::Missing
    );
    assert_eq!(admin.delete("app").await.unwrap_err(), SourceError::Missing);

    // Namespaces: of the path, of the settings, of the context; one that is not there.
    admin.set("team/app", &secret("hunter2 team"), &Remark::default()).await.unwrap();
    assert_eq!(admin.get("app", None).await.unwrap_err(), SourceError::Missing);
    for settings in [("namespace", "team"), ("context", "other")] {
        let team = cluster.source("admin", &[settings]);
        assert_eq!(get(&team, "app").await.unwrap().0, b"hunter2 team");
    }
    let fault = words(admin.set("nowhere/app", &secret("hunter2"), &Remark::default()).await);
    assert!(fault.contains("namespaces \"nowhere\" not found"), "{fault}");

    // Who may not, and who is nobody.
    by_hand(cluster, "readable", &[("key", b"hunter2 readable")]);
    let reader = cluster.source("reader", &[]);
    reader.check().await.unwrap();
    assert_eq!(get(&reader, "readable").await.unwrap().0, b"hunter2 readable");
    let fault = words(reader.get("large", None).await);
    assert!(
        fault.starts_with(
            "not allowed: secrets \"large\" is forbidden: User \"***\" cannot get resource \"secrets\""
        ),
        "{fault}"
    );
    assert!(words(reader.list().await).contains("cannot list resource"));
    let team = cluster.source("reader", &[("namespace", "team")]);
    assert!(words(team.check().await).starts_with("not allowed: reading Secrets in the namespace `team`"));
    let nobody = cluster.source("nobody", &[]);
    let fault = words(nobody.get("large", None).await);
    assert!(fault.starts_with("not allowed: the cluster does not accept these credentials"), "{fault}");
    assert!(words(nobody.check().await).starts_with("not allowed: "));
}

#[test]
fn a_strict_stand_in_is_met() {
    let standin = Standin::start("kubernetes", &[]);
    let cluster = Cluster::of(&standin);
    wait(contract(&cluster));
    standin.expect_no_faults();
}

/// Makes a Secret in `default` with curl, which stands for everybody else.
fn by_hand(cluster: &Cluster, name: &str, data: &[(&str, &[u8])]) {
    let data: serde_json::Map<String, serde_json::Value> = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), data_encoding::BASE64.encode(value).into()))
        .collect();
    let body = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data,
    });
    curl(cluster, "/api/v1/namespaces/default/secrets", &body);
}

fn curl(cluster: &Cluster, path: &str, body: &serde_json::Value) {
    let status = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--cacert"])
        .arg(cluster.folder.join("ca.crt"))
        .args(["-H", "Authorization: Bearer admin", "-H", "Content-Type: application/json", "--data"])
        .arg(body.to_string())
        .arg(format!("{}{path}", cluster.url))
        .stdout(Stdio::null())
        .status()
        .expect("curl is installed");
    assert!(status.success(), "curl made no {path}");
}

#[test]
fn five_thousand_are_listed_without_a_value() {
    let standin = Standin::start("kubernetes", &[("seed", r#"{"count": 5000}"#)]);
    let source = Cluster::of(&standin).source("admin", &[("namespace", "many")]);
    let listed = wait(source.list()).unwrap();
    assert_eq!(listed.len(), 5000);
    assert_eq!(listed[4999].0, "s04999");
    assert_eq!(standin.requests().len(), 10);
    standin.expect_no_faults();
}

#[test]
fn what_goes_wrong_on_the_way_is_told_apart() {
    let standin = Standin::start("kubernetes", &[]);
    let cluster = Cluster::of(&standin);
    standin.control(r#"{"nonsense": true}"#);
    let ask = |source: Remote| words(wait(source.get("app", None)));
    assert!(ask(cluster.source("admin", &[])).contains("is not the API of a Kubernetes cluster"));
    standin.control(r#"{"nonsense": true, "status": 404}"#);
    assert!(ask(cluster.source("admin", &[])).starts_with("unreachable: what answered is not the API"));
    standin.control(r#"{"status": 503}"#);
    assert!(ask(cluster.source("admin", &[])).starts_with("unreachable: the cluster answered 503"));
    standin.control(r#"{"slow": 20}"#);
    let kubeconfig = cluster.kubeconfig("admin").display().to_string();
    let hasty =
        open("kubernetes", &cluster.folder, &[], &[("KUBECONFIG", &kubeconfig)], Duration::from_secs(1));
    assert!(ask(hasty).contains("did not answer within 1 s"));
    standin.control("{}");

    // Another certificate authority, and nobody there.
    let other = Standin::start("kubernetes", &[]);
    fs::copy(other.path("ca.crt"), standin.path("ca.crt")).unwrap();
    let fault = ask(cluster.source("admin", &[]));
    assert!(fault.starts_with("unreachable: ") && fault.contains("certificate"), "{fault}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = Cluster { url: format!("https://{closed}"), folder: cluster.folder.clone() };
    assert!(ask(nobody.source("admin", &[])).contains("refused"));
    standin.expect_no_faults();
}

#[test]
fn a_login_program_logs_in_and_what_it_prints_is_not_repeated() {
    let standin = Standin::start("kubernetes", &[]);
    let cluster = Cluster::of(&standin);
    by_hand(&cluster, "app", &[("value", b"hunter2 app")]);
    let login = |script: &str| {
        let path = cluster.kubeconfig("admin");
        let exec = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['-c', '{script}']}}}}"
        );
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("{token: admin}", &exec)).unwrap();
        let kubeconfig = path.display().to_string();
        let source = open("kubernetes", &cluster.folder, &[], &[("KUBECONFIG", &kubeconfig)], LONG);
        wait(async move { get(&source, "app").await })
    };
    let answer = "{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \
                  \"status\": {\"token\": \"admin\"}}";
    fs::write(standin.path("answer"), answer).unwrap();
    assert_eq!(login(&format!("cat {}", standin.path("answer").display())).unwrap().0, b"hunter2 app");
    let fault = words(login("echo hunter2; echo hunter2 >&2; exit 7"));
    assert!(fault.contains("login program of the kubeconfig ended with exit status: 7"), "{fault}");
    assert!(words(login("echo hunter2")).contains("gave no credentials"));
    standin.expect_no_faults();
}

/// What another client makes of the stand-in proves it a little: that of the Kubernetes project for
/// Python reads what Doppio wrote, and writes what Doppio reads.
#[test]
fn kubernetes_own_python_client_can_use_the_stand_in() {
    let standin = Standin::start("kubernetes", &[]);
    let cluster = Cluster::of(&standin);
    let source = cluster.source("admin", &[]);
    wait(source.set("ours", &secret("hunter2 ours"), &Remark::default())).unwrap();
    let script = "import sys, base64\n\
                  from kubernetes import client, config\n\
                  config.load_kube_config(sys.argv[1])\n\
                  v = client.CoreV1Api()\n\
                  assert base64.b64decode(v.read_namespaced_secret('ours', 'default').data['value']) == b'hunter2 ours'\n\
                  m = client.V1ObjectMeta(name='theirs')\n\
                  s = client.V1Secret(api_version='v1', kind='Secret', metadata=m, type='Opaque', data={'key': 'aHVudGVyMiB0aGVpcnM='})\n\
                  v.create_namespaced_secret('default', s)\n";
    let ran = Command::new(python())
        .args(["-B", "-c", script])
        .arg(cluster.kubeconfig("admin"))
        .env("NO_PROXY", "*")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(wait(get(&cluster.source("admin", &[]), "theirs")).unwrap().0, b"hunter2 theirs");
    standin.expect_no_faults();
}

#[test]
fn a_recipe_can_name_a_key() {
    let standin = Standin::start("kubernetes", &[]);
    let cluster = Cluster::of(&standin);
    by_hand(&cluster, "app", &[("a", b"hunter2 a"), ("c.json", br#"{"db": ["hunter2 b"]}"#)]);
    let doppio = Doppio::new();
    fs::create_dir(doppio.home().join(".kube")).unwrap();
    let config = doppio.home().join(".kube/config");
    let absolute = format!("certificate-authority: {}", standin.path("ca.crt").display());
    let text = fs::read_to_string(cluster.kubeconfig("admin")).unwrap();
    fs::write(config, text.replace("certificate-authority: ca.crt", &absolute)).unwrap();
    let reveal = |reference: &str| doppio.run(["secret", "get", reference, "--reveal", "--force"]);
    assert_eq!(reveal("kubernetes:default/app#a").expect(0).stdout, "hunter2 a");
    assert_eq!(reveal("kubernetes:app#/c.json/db/0").expect(0).stdout, "hunter2 b");
    let ran = reveal("kubernetes:app").expect(3);
    assert!(ran.stderr.contains("`kubernetes:app#a`") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    let ran = reveal("kubernetes:app#gone").expect(3);
    assert!(
        ran.stderr.contains("is not set")
            && ran.stderr.contains("has no `gone`: run `kubectl edit secret app`"),
        "{}",
        ran.stderr
    );
    assert_eq!(reveal("kubernetes:app#gone?none").expect(0).stdout, "none");
    // case J7
    let script = "test \"$A\" = 'hunter2 a' && test -n \"$C_JSON\"";
    for reference in ["kubernetes:app", "kubernetes:default/app"] {
        doppio.run(["secret", "exec", "--all-of", reference, "--", "sh", "-c", script]).expect(0);
    }
    standin.expect_no_faults();
}
