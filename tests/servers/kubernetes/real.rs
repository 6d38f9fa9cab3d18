//! The contract with a real etcd and a real kube-apiserver: no package has one, and building it
//! takes longer than all other tests.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;

use tempfile::TempDir;

use doppio_test_support::wait_until;

use crate::kubernetes::Cluster;
use crate::kubernetes::contract;
use crate::kubernetes::curl;
use crate::support::standin::wait;

/// etcd and kube-apiserver, until this is dropped.
struct Real {
    folder: TempDir,
    children: Vec<Child>,
    port: u16,
}

impl Real {
    /// The binary that `DOPPIO_KUBE_APISERVER` names, or the one in `target/tools/`.
    fn binary() -> PathBuf {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/kube-apiserver");
        std::env::var_os("DOPPIO_KUBE_APISERVER").map_or(built, PathBuf::from)
    }

    fn start(binary: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-kube-").tempdir().unwrap();
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, client, peer] = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(listeners);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins/real-kubernetes.sh");
        let prepared = Command::new("sh").arg(script).arg(folder.path()).status().unwrap();
        assert!(prepared.success());
        let log = |name: &str| fs::File::create(folder.path().join(name)).unwrap();
        let [client, peer] = [client, peer].map(|port| format!("http://127.0.0.1:{port}"));
        let etcd = Command::new("etcd")
            .current_dir(folder.path())
            .args(["--data-dir", "etcd", "--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .stdout(log("etcd.out"))
            .stderr(log("etcd.log"))
            .spawn()
            .expect("etcd is installed (etcd-server)");
        let flags = "--bind-address=127.0.0.1 --advertise-address=127.0.0.1 --tls-cert-file=tls.crt \
                     --tls-private-key-file=tls.key --client-ca-file=ca.crt --token-auth-file=tokens.csv \
                     --authorization-mode=RBAC --service-cluster-ip-range=10.96.0.0/24 \
                     --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=sa.pub \
                     --service-account-signing-key-file=sa.key --disable-admission-plugins=ServiceAccount \
                     --allow-privileged=true";
        let server = Command::new(binary)
            .current_dir(folder.path())
            .args(flags.split_whitespace())
            .args([format!("--etcd-servers={client}"), format!("--secure-port={port}")])
            .stdout(log("out"))
            .stderr(log("log"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        Self { folder, children: vec![etcd, server], port }
    }

    /// Waits until it has made its own namespaces and roles.
    fn until_ready(&self) {
        let is_ready = || {
            let asked = Command::new("curl")
                .args([
                    "--silent",
                    "--fail",
                    "--noproxy",
                    "*",
                    "-H",
                    "Authorization: Bearer admin",
                    "--cacert",
                ])
                .arg(self.folder.path().join("ca.crt"))
                .arg(format!("https://127.0.0.1:{}/readyz", self.port))
                .output();
            asked.expect("curl is installed").stdout == b"ok"
        };
        wait_until(is_ready, || fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    fn cluster(&self) -> Cluster {
        Cluster { url: format!("https://127.0.0.1:{}", self.port), folder: self.folder.path().to_owned() }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

#[test]
#[ignore = "needs etcd and a kube-apiserver: set DOPPIO_KUBE_APISERVER, or put it into target/tools/"]
fn a_real_api_server_is_met() {
    let real = Real::start(&Real::binary());
    let cluster = real.cluster();
    real.until_ready();
    // What a cluster's controllers and its administrator would make.
    let namespace = |name: &str| {
        let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        curl(&cluster, "/api/v1/namespaces", &body);
    };
    namespace("team");
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = serde_json::json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reads"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["readable"]}],
    });
    curl(&cluster, &format!("{rbac}/roles"), &role);
    let binding = serde_json::json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reads"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reads"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}],
    });
    curl(&cluster, &format!("{rbac}/rolebindings"), &binding);
    wait(contract(&cluster));
}
