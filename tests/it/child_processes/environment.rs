//! What each kind of program finds in its environment.

use std::fs;
use std::path::PathBuf;

use doppio_process::OWN;
use doppio_test_support::Doppio;
use doppio_test_support::Repository;

use crate::child_processes::script;

/// A machine with all of Doppio's own variables, and with programs of these names that write down
/// their environment and then do this.
struct Machine {
    doppio: Doppio,
    dumps: PathBuf,
}

impl Machine {
    fn new(programs: &[(&str, &str)]) -> Self {
        let doppio = Doppio::new();
        let (dumps, bin) = (doppio.folder().join("dumps"), doppio.folder().join("bin"));
        fs::create_dir_all(&dumps).unwrap();
        for (name, then) in programs {
            script(&bin.join(name), &format!("env >'{}/{name}'\n{then}", dumps.display()));
        }
        let passphrase = doppio.home().join("passphrase");
        fs::write(&passphrase, "made-up-passphrase").unwrap();
        let path = std::env::join_paths(
            std::iter::once(bin).chain(std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))),
        );
        let mut doppio = doppio.env("PATH", path.unwrap()).env("DOPPIO_KEYRING", "off");
        for name in OWN {
            doppio = doppio.env(name, passphrase.as_os_str());
        }
        Self { doppio, dumps }
    }

    fn settings(&self, text: &str) {
        fs::write(self.doppio.doppio_home().join("config.toml"), text).unwrap();
    }

    /// Fails unless this program ran, as one that belongs to Doppio and can't open its vault.
    #[track_caller]
    fn found_nothing(&self, program: &str) {
        let environment = fs::read_to_string(self.dumps.join(program));
        let environment = environment.unwrap_or_else(|_| panic!("`{program}` was not started"));
        assert!(environment.contains("DOPPIO_HOME="), "{program}: {environment}");
        for name in OWN {
            assert!(!environment.contains(&format!("{name}=")), "{program} got {name}: {environment}");
        }
        assert!(!environment.contains("made-up-passphrase"), "{program}");
    }

    /// The command that writes the environment down under this name.
    fn dump(&self, name: &str) -> String {
        format!("env >'{}/{name}'", self.dumps.display())
    }
}

// case A3
#[test]
fn programs_that_are_asked_for_secrets_get_nothing_of_ours() {
    let machine =
        Machine::new(&[("op", "exit 1"), ("bw", "exit 1"), ("pass", "exit 1"), ("print", "echo a")]);
    machine.settings("[sources.command.x]\nrun = ['print']\n[sources.op]\n[sources.bw]\n[sources.pass]\n");
    let store = machine.doppio.home().join(".password-store/ml");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("token.gpg"), "").unwrap();
    for reference in ["command:x", "op:ML/hf/token", "bw:ML/token", "pass:ml/token"] {
        machine.doppio.run(["secret", "get", reference, "--reveal", "--force"]);
    }
    for program in ["print", "op", "bw", "pass"] {
        machine.found_nothing(program);
    }
}

// case A3
#[test]
fn tools_of_providers_get_nothing_of_ours() {
    let machine = Machine::new(&[("gh", "exit 1"), ("aws", "exit 1"), ("docker-credential-made", "exit 1")]);
    let home = machine.doppio.home();
    fs::create_dir_all(home.join(".docker")).unwrap();
    fs::write(
        home.join(".docker/config.json"),
        r#"{"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "made"}"#,
    )
    .unwrap();
    fs::create_dir_all(home.join(".config/gh")).unwrap();
    fs::write(home.join(".config/gh/hosts.yml"), "github.com:\n    user: ada\n").unwrap();
    machine.doppio.run(["secret", "import", "--provider", "docker", "--yes"]);
    machine.doppio.run(["secret", "import", "--provider", "github", "--yes"]);
    machine.found_nothing("docker-credential-made");
    machine.found_nothing("gh");
}

// case A3
#[test]
fn git_gets_nothing_of_ours() {
    let machine = Machine::new(&[("git", "exit 1")]);
    let project = machine.doppio.folder().join("project");
    Repository::init(&project);
    machine.doppio.file("doppio.toml", "dotenv = true\n");
    machine.doppio.file(".env", "TEAM_KEY=made-up\n");
    machine.doppio.run(["secret", "why", "team/key"]);
    machine.found_nothing("git");
    fs::remove_file(machine.dumps.join("git")).unwrap();
    machine.doppio.run(["secret", "scan", "--history"]);
    machine.found_nothing("git");
}

// case A3
#[test]
fn ssh_and_a_proxy_command_get_nothing_of_ours() {
    let machine = Machine::new(&[("ssh", "exit 1"), ("proxy", "exit 1")]);
    machine
        .doppio
        .hosts("[hosts.gpu]\nhostname = \"gpu.invalid\"\nuser = \"ada\"\nproxy_command = \"proxy\"\n");
    machine.doppio.run(["doctor", "--host", "gpu"]);
    machine.found_nothing("proxy");
    machine.doppio.run(["doctor", "--host", "other.invalid"]);
    machine.found_nothing("ssh");
    fs::remove_file(machine.dumps.join("ssh")).unwrap();
    machine.doppio.run(["doctor"]);
    machine.found_nothing("ssh");
}

// case A3
#[test]
fn steps_commands_and_the_clipboard_get_nothing_of_ours() {
    let machine = Machine::new(&[("wl-copy", "cat >/dev/null")]);
    let machine = Machine {
        doppio: machine.doppio.env("WAYLAND_DISPLAY", "wayland-9").env("OTHER", "made-up-value"),
        dumps: machine.dumps,
    };
    let step = machine.dump("step");
    machine.doppio.file(
        "r.toml",
        format!("[recipe]\nname = 'r'\n[[step]]\nid = 'a'\nlocal_command = {{ command = \"{step}\" }}\n"),
    );
    machine.doppio.run(["run", "r.toml"]).expect(0);
    machine.found_nothing("step");
    machine.doppio.run(["secret", "exec", "A=env:OTHER", "--", "sh", "-c", &machine.dump("exec")]).expect(0);
    machine.found_nothing("exec");
    machine.doppio.run(["secret", "get", "env:OTHER", "--copy", "--clear-after", "1"]).expect(0);
    machine.found_nothing("wl-copy");
}

// case A3
#[cfg(feature = "kubernetes")]
#[test]
fn the_login_program_of_a_kubeconfig_gets_nothing_of_ours() {
    let machine = Machine::new(&[("login", "exit 1")]);
    let kubeconfig = machine.doppio.file(
        "kubeconfig",
        "apiVersion: v1\nkind: Config\nclusters: [{name: t, cluster: {server: 'http://127.0.0.1:1'}}]\n\
         users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login}}}]\n\
         contexts: [{name: t, context: {cluster: t, user: u}}]\ncurrent-context: t\n",
    );
    let doppio = machine.doppio.env("KUBECONFIG", kubeconfig);
    doppio.run(["secret", "get", "kubernetes:default/app#value"]).expect(3);
    Machine { doppio, dumps: machine.dumps }.found_nothing("login");
}

// case A3
#[cfg(feature = "aws")]
#[test]
fn the_process_of_an_aws_profile_gets_nothing_of_ours() {
    let machine = Machine::new(&[("login", "exit 1")]);
    let folder = machine.doppio.home().join(".aws");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config"), "[default]\nregion = eu-west-1\ncredential_process = login\n").unwrap();
    let doppio =
        machine.doppio.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_EC2_METADATA_DISABLED", "true");
    doppio.run(["secret", "get", "aws:app/key"]).expect(3);
    Machine { doppio, dumps: machine.dumps }.found_nothing("login");
}
