//! A machine on which every source has a value, and what is behind the sources.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use doppio_test_support::Doppio;

use crate::support::aws::Keys;
use crate::support::aws::Moto;
use crate::support::openbao::Bao;
use crate::support::secret_service::Bus;
use crate::support::standin::Standin;
use crate::support::store::Store;

/// What every source has.
pub(super) const VALUE: &str = "hunter2 $HOME \\n 'q' \"d\" é";

/// The servers and stores behind the sources.
pub(super) struct World {
    bus: Bus,
    bao: Bao,
    store: Store,
    aws: Keys,
    gcp: Standin,
    azure: Standin,
    kubernetes: Standin,
    _moto: Moto,
}

impl World {
    pub(super) fn new() -> Self {
        let (bus, bao, store) = (Bus::with_keyring(), Bao::start(), Store::new());
        bao.bao(&["secrets", "enable", "-path=kv", "-version=2", "kv"]);
        // A server of its own: the names are those of the other worlds as well.
        let moto = Moto::start(None);
        let gcp = Standin::start("gcp", &[("seed", r#"{"anonymous": true}"#)]);
        let (azure, kubernetes) = (Standin::start("azure", &[]), Standin::start("kubernetes", &[]));
        fs::write(kubernetes.path("config"), kubeconfig(&kubernetes.url(), "ca.crt")).unwrap();
        Self { bus, bao, store, aws: moto.keys("AKIDCONTRACT"), gcp, azure, kubernetes, _moto: moto }
    }

    /// Fails the test if a stand-in was asked what its API does not know.
    #[track_caller]
    pub(super) fn expect_no_faults(&self) {
        for standin in [&self.gcp, &self.azure, &self.kubernetes] {
            standin.expect_no_faults();
        }
    }

    /// The note and the expiry that stand beside a record of the Vault server.
    pub(super) fn beside_record(&self, path: &str) -> (Option<String>, Option<String>) {
        let shown = self.bao.bao(&["kv", "metadata", "get", "-format=json", path]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let of = |key: &str| shown["data"]["custom_metadata"][key].as_str().map(str::to_owned);
        (of("doppio-note"), of("doppio-expires"))
    }

    /// The sections of config.toml that lead to the stand-ins.
    fn clouds(&self) -> String {
        format!(
            "[sources.gcp]\nendpoint = 'http://127.0.0.1:{}'\nproject = 'ml'\n[sources.azure]\nvault = '{}'\nca_cert = '{}'\n",
            self.gcp.port(),
            self.azure.url(),
            self.azure.path("ca.crt").display()
        )
    }
}

/// The kubeconfig of an administrator.
pub(super) fn kubeconfig(url: &str, ca: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: t, cluster: {{server: '{url}', certificate-authority: {ca}}}}}]\n\
         users: [{{name: u, user: {{token: admin}}}}]\ncontexts: [{{name: t, context: {{cluster: t, user: u}}}}]\n\
         current-context: t\n"
    )
}

/// A program of the tests that stands in for one that is not available.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name)
}

/// What the programs of password managers have.
fn fill_managers(folder: &Path) {
    fs::write(folder.join("store.json"), serde_json::json!({ "Contract/there/key": VALUE }).to_string())
        .unwrap();
    let item = serde_json::json!([{
        "id": "1f", "name": "there", "login": { "username": "u", "password": VALUE }, "fields": null,
        "revisionDate": "2026-01-31T10:00:00.000Z",
    }]);
    fs::write(folder.join("items.json"), item.to_string()).unwrap();
}

/// A machine on which every source has `VALUE`, or takes it, under the path that `paths` gives.
pub(super) fn machine(world: &World) -> Doppio {
    let doppio = Doppio::new()
        .env("VAULT_ADDR", world.bao.url())
        .env("VAULT_TOKEN", "root")
        .env("GNUPGHOME", world.store.gpg())
        .env("PASSWORD_STORE_DIR", world.store.path())
        .env("BW_SESSION", "session of the tests")
        .env("OP_SERVICE_ACCOUNT_TOKEN", "ops_token_of_the_tests")
        .env("DBUS_SESSION_BUS_ADDRESS", world.bus.address())
        .env("KUBECONFIG", world.kubernetes.path("config"))
        .env("CONTRACT_KEY", VALUE);
    let doppio =
        world.aws.variables().into_iter().fold(doppio, |doppio, (name, value)| doppio.env(name, value));
    let doppio = azure_login(doppio, &world.azure.url());
    let home = doppio.home();
    fill_managers(&home);
    let doppio = doppio.env("OP_FAKE", &home).env("BW_FAKE", &home);
    let passphrase = doppio.private("home/passphrase", "a passphrase of the tests");
    let doppio = doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    let script = doppio.file("print", "printf '%s\\n' \"$CONTRACT_KEY\"\n");
    let config = format!(
        "[vault]\nwork_factor = 10\n[sources.command.there]\nrun = ['sh', '{}']\n[sources.command.gone]\n\
         run = ['sh', '-c', 'exit 1']\nmissing_exit_codes = [1]\n[sources.op]\nprogram = '{}'\n\
         [sources.bw]\nprogram = '{}'\n{}",
        script.display(),
        program("op").display(),
        program("bw").display(),
        world.clouds()
    );
    fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    let quoted = VALUE.replace('\\', "\\\\").replace('"', "\\\"");
    doppio.private("project/.env", format!("CONTRACT_KEY=\"{quoted}\"\n"));
    doppio
}

/// The variables of an application that may ask the stand-in of Azure.
pub(super) fn azure_login(doppio: Doppio, authority: &str) -> Doppio {
    doppio
        .env("AZURE_AUTHORITY_HOST", authority)
        .env("AZURE_TENANT_ID", "tenant-1")
        .env("AZURE_CLIENT_ID", "client-1")
        .env("AZURE_CLIENT_SECRET", "entra-secret")
}

/// The paths of a source that have a value and have none.
pub(super) fn paths(scheme: &str) -> (&'static str, &'static str) {
    match scheme {
        "env" | "dotenv" => ("CONTRACT_KEY", "CONTRACT_GONE"),
        "keyring" | "file" | "pass" | "aws" | "ssm" => ("contract/key", "contract/gone"),
        "gcp" | "azure" | "kubernetes" => ("contract-key", "contract-gone"),
        "command" => ("there", "gone"),
        "vault" => ("kv/contract/key", "kv/contract/gone"),
        "op" => ("Contract/there/key", "Contract/there/gone"),
        "bw" => ("there/password", "gone/password"),
        other => panic!("source `{other}` can't be stored in the contract yet"),
    }
}

/// What a source keeps beside a value.
pub(super) struct Keeps {
    pub(super) note: bool,
    pub(super) expires: bool,
}

/// Most keep both.
pub(super) fn keeps(scheme: &str) -> Keeps {
    Keeps { note: scheme != "pass", expires: !matches!(scheme, "pass" | "ssm") }
}

/// What a source takes.
pub(super) struct Limits {
    /// The longest value, in bytes.
    pub(super) longest: usize,
    pub(super) only_text: bool,
}

/// The limits that a source has; others take 64 KiB of any bytes.
pub(super) fn limits(scheme: &str) -> Limits {
    let (longest, only_text) = match scheme {
        "azure" => (25_000, true),
        "ssm" => (4 << 10, true),
        "vault" => (64 << 10, true),
        _ => (64 << 10, false),
    };
    Limits { longest, only_text }
}
