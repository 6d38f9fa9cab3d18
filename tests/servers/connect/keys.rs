//! Logging in: agent, key files, certificates, passwords; and how a refusal reads.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use doppio_test_support::wait_for;

use super::Machine;
use crate::support::sshd::PASSWORD;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// A real ssh-agent; it ends when it is dropped.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        wait_for("the agent to come up", || socket.exists());
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        let added =
            Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().expect("the agent runs until now");
        self.child.wait().expect("it was started here");
    }
}

/// Makes a key; gives its path.
fn key(folder: &Path, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", name, "-f"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    path
}

fn allow(server: &Sshd, key: &Path) {
    let line = fs::read_to_string(key.with_extension("pub")).unwrap();
    fs::write(server.folder().join("authorized_keys"), line).unwrap();
}

/// An entry without any key.
fn entry(server: &Sshd, rest: &str) -> String {
    format!(
        "[hosts.gpu]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\n{rest}\n",
        server.address().ip(),
        server.address().port()
    )
}

#[tokio::test]
async fn a_key_file_of_each_kind() {
    let server = Sshd::start(Variant::Stock);
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let machine = Machine::new();
        let path = key(machine.folder.path(), "key", kind, "");
        allow(&server, &path);
        let machine = machine.hosts(&entry(&server, "identity_file = \"~/key\""));
        let reached = machine.reach("gpu").await.unwrap();
        assert!(
            reached.login.starts_with("key SHA256:") && reached.login.ends_with(" (~/key)"),
            "{}",
            reached.login
        );
    }
}

#[tokio::test]
async fn dropbear_takes_the_same_logins() {
    let server = Sshd::start(Variant::Dropbear);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    let reached = machine.reach("gpu").await.unwrap();
    assert!(reached.banner.contains("dropbear"), "{}", reached.banner);
    let machine = Machine::new().hosts(&entry(&server, "")).secret("SSH_PASSWORD", PASSWORD);
    assert_eq!(machine.reach("gpu").await.unwrap().login, "password");
}

#[tokio::test]
async fn keys_of_the_agent() {
    let server = Sshd::start(Variant::Stock);
    let mut machine = Machine::new();
    let agent = Agent::start(machine.folder.path());
    machine.agent = Some(agent.socket.clone());
    let machine = machine.hosts(&entry(&server, ""));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("cause: there was no key to offer\n  cause: the agent holds no keys\n"), "{text}");
    for kind in ["ed25519", "rsa"] {
        let path = key(machine.folder.path(), kind, kind, "");
        agent.add(&path);
        allow(&server, &path);
        let reached = machine.reach("gpu").await.unwrap();
        assert!(reached.login.ends_with(&format!(" (agent: {kind})")), "{}", reached.login);
    }
}

// case E4
#[tokio::test]
async fn the_named_key_comes_before_the_many_of_an_agent() {
    let server = Sshd::start(Variant::Stock);
    let mut machine = Machine::new();
    let agent = Agent::start(machine.folder.path());
    machine.agent = Some(agent.socket.clone());
    for name in ["a", "b", "c", "d", "e"] {
        agent.add(&key(machine.folder.path(), name, "ed25519", ""));
    }
    let wanted = key(machine.folder.path(), "wanted", "ed25519", "");
    allow(&server, &wanted);
    let named = machine.hosts(&entry(&server, "identity_file = \"~/wanted\""));
    assert!(named.reach("gpu").await.unwrap().login.ends_with(" (~/wanted)"));
    // Without the name three keys are offered and the rest is told.
    let mut unnamed = Machine::new().hosts(&entry(&server, ""));
    unnamed.agent = Some(agent.socket.clone());
    let text = unnamed.refusal("gpu", &[]).await;
    assert_eq!(text.matches(": refused").count(), 3, "{text}");
    assert!(text.contains("2 more keys were not offered: servers ban clients that offer many"), "{text}");
    assert!(text.contains("hint: name the right key with `identity_file"), "{text}");
    assert!(text.contains("`IdentitiesOnly yes` in ssh_config"), "{text}");
    assert_eq!(server.log().matches("Failed publickey").count(), 3, "{}", server.log());
}

#[tokio::test]
async fn identities_only_leaves_other_keys_of_the_agent_alone() {
    let server = Sshd::start(Variant::Stock);
    let mut machine = Machine::new();
    let agent = Agent::start(machine.folder.path());
    machine.agent = Some(agent.socket.clone());
    let wanted = key(machine.folder.path(), "wanted", "ed25519", "");
    agent.add(&wanted);
    agent.add(&key(machine.folder.path(), "other", "ed25519", ""));
    // The public half is enough to name a key of the agent.
    fs::remove_file(&wanted).unwrap();
    let machine = machine.hosts(&entry(&server, "identity_file = \"~/wanted\"\nidentities_only = true"));
    let text = machine.refusal("gpu", &[]).await;
    assert_eq!(text.matches(": refused").count(), 1, "{text}");
    allow(&server, &machine.folder.path().join("wanted"));
    let again = Machine { folder: machine.folder, ..machine };
    assert!(again.reach("gpu").await.unwrap().login.ends_with(" (agent: wanted)"));
}

/// Writes a key anew with `openssl`, locked.
fn relock(path: &Path, arguments: &[&str]) {
    let locked = path.with_extension("locked");
    let done = Command::new("openssl")
        .args(arguments)
        .args(["-passout", "pass:open sesame", "-in"])
        .arg(path)
        .arg("-out")
        .arg(&locked)
        .output()
        .expect("openssl is installed");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    fs::rename(&locked, path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

// case E2
#[tokio::test]
async fn a_locked_key_of_every_format_opens_with_the_secret() {
    let server = Sshd::start(Variant::Stock);
    let formats: &[(&[&str], &str, &[&str])] = &[
        (&["rsa", "ecdsa", "ed25519"], "RFC4716", &[]),
        (&["rsa", "ecdsa"], "PEM", &[]),
        (&["rsa", "ecdsa"], "PKCS8", &[]),
        (&["rsa"], "PEM", &["rsa", "-traditional", "-des3"]),
        (&["rsa"], "PEM", &["rsa", "-traditional", "-aes192"]),
        (&["ecdsa"], "PEM", &["ec", "-aes256"]),
        (&["ecdsa"], "PEM", &["ec", "-des3"]),
        (&["rsa", "ecdsa"], "PKCS8", &["pkcs8", "-topk8", "-scrypt"]),
        (&["rsa", "ecdsa"], "PKCS8", &["pkcs8", "-topk8", "-v2", "aes-128-cbc"]),
    ];
    for (kinds, format, openssl) in formats {
        // OpenSSH's own format has the public key inside; where a file lies beside, it is not asked for.
        let beside: &[bool] = if openssl.is_empty() { &[true, false] } else { &[false] };
        for (kind, &has_public) in
            kinds.iter().flat_map(|kind| beside.iter().map(move |beside| (kind, beside)))
        {
            let what = format!("{kind} {format} {openssl:?} {has_public}");
            let machine = Machine::new();
            let path = key(machine.folder.path(), "key", kind, "");
            let passphrase = if openssl.is_empty() { "open sesame" } else { "" };
            let changed = Command::new("ssh-keygen")
                .args(["-q", "-p", "-N", passphrase, "-m", format, "-f"])
                .arg(&path)
                .output()
                .unwrap();
            assert!(changed.status.success(), "{what}: {}", String::from_utf8_lossy(&changed.stderr));
            if !openssl.is_empty() {
                relock(&path, openssl);
            }
            allow(&server, &path);
            if !has_public {
                fs::remove_file(path.with_extension("pub")).unwrap();
            }
            let machine = machine
                .hosts(&entry(&server, "identity_file = \"~/key\""))
                .secret("SSH_PASSPHRASE", "open sesame");
            let reached = machine.reach("gpu").await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert!(reached.login.ends_with(" (~/key)"), "{}", reached.login);
            assert!(machine.heard().iter().all(|heard| !heard.starts_with('?')), "nobody is asked");
        }
    }
}

// case E2
#[tokio::test]
async fn a_locked_key_that_cannot_be_read_says_how_to_write_it_anew() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    let path = key(machine.folder.path(), "key", "rsa", "");
    let changed = Command::new("ssh-keygen")
        .args(["-q", "-p", "-N", "", "-m", "PKCS8", "-f"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(changed.status.success());
    relock(&path, &["pkcs8", "-topk8", "-v2", "des3"]);
    allow(&server, &path);
    let machine =
        machine.hosts(&entry(&server, "identity_file = \"~/key\"")).secret("SSH_PASSPHRASE", "open sesame");
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("hint: `ssh-keygen -p -f HOME/key` writes it anew"), "{text}");
    // The hint works.
    let changed = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "open sesame", "-N", "open sesame", "-f"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    machine.reach("gpu").await.unwrap();
}

// case E2
#[tokio::test]
async fn a_locked_key_of_a_kind_that_is_not_supported_is_not_a_wrong_passphrase() {
    let server = Sshd::start(Variant::Stock);
    for (making, locking) in [
        (&["ecparam", "-name", "secp256k1", "-genkey", "-noout"][..], &["ec", "-aes128"][..]),
        (&["ecparam", "-name", "secp256k1", "-genkey", "-noout"], &["pkcs8", "-topk8", "-v2", "aes-256-cbc"]),
        (&["ecparam", "-name", "secp256k1", "-genkey", "-noout"], &[]),
    ] {
        let machine = Machine::new();
        let path = machine.folder.path().join("key");
        let made = Command::new("openssl").args(making).arg("-out").arg(&path).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if !locking.is_empty() {
            relock(&path, locking);
        }
        let machine = machine
            .hosts(&entry(&server, "identity_file = \"~/key\""))
            .secret("SSH_PASSPHRASE", "open sesame");
        let text = machine.refusal("gpu", &[]).await;
        let why = "it is an ECDSA key of the curve secp256k1, which is not supported";
        assert!(text.contains(why) && !text.contains("passphrase"), "{locking:?}: {text}");
        assert!(text.contains("hint: make a key of another kind with `ssh-keygen -t ed25519`"), "{text}");
        assert!(machine.heard().iter().all(|heard| !heard.starts_with('?')), "nobody is asked");
    }
}

// case E2
#[tokio::test]
async fn every_locked_file_is_tried_with_the_stored_passphrase() {
    let server = Sshd::start(Variant::Stock);
    // The passphrase opens both files, or the second one alone; the server takes the second one.
    for first_passphrase in ["open sesame", "close sesame"] {
        let machine = Machine::new();
        for (name, passphrase) in [("first", first_passphrase), ("second", "open sesame")] {
            let path = key(machine.folder.path(), name, "rsa", "");
            let changed = Command::new("ssh-keygen")
                .args(["-q", "-p", "-N", passphrase, "-m", "PEM", "-f"])
                .arg(&path)
                .output()
                .unwrap();
            assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
            allow(&server, &path);
            // Without it, only the passphrase tells which key a file holds.
            fs::remove_file(path.with_extension("pub")).unwrap();
        }
        let machine = machine
            .hosts(&entry(&server, "identity_file = [\"~/first\", \"~/second\"]"))
            .secret("SSH_PASSPHRASE", "open sesame");
        let reached = machine.reach("gpu").await.unwrap();
        assert!(reached.login.ends_with(" (~/second)"), "{}", reached.login);
        let asked = machine.heard().iter().filter(|heard| heard.starts_with('?')).count();
        // Only what it does not open is asked for.
        assert_eq!(asked, usize::from(first_passphrase == "close sesame"), "{:?}", machine.heard());
    }
}

// case E3
#[tokio::test]
async fn a_passphrase_is_asked_for_three_times() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().answering("close sesame");
    let path = key(machine.folder.path(), "key", "ed25519", "open sesame");
    allow(&server, &path);
    let machine = machine.hosts(&entry(&server, "identity_file = \"~/key\""));
    let text = machine.refusal("gpu", &[]).await;
    let asked: Vec<_> = machine.heard().into_iter().filter(|heard| heard.starts_with('?')).collect();
    assert_eq!(
        asked,
        [
            "? passphrase of ~/key",
            "? that is not it; passphrase of ~/key",
            "? that is not it; passphrase of ~/key"
        ]
    );
    assert!(text.contains(" (~/key): the passphrase is wrong"), "{text}");
    assert!(
        text.ends_with(
            "hint: store its passphrase with `doppio secret set ssh/passphrase`, or give the key to an agent with \
             `ssh-add HOME/key`"
        ),
        "{text}"
    );
    // The third answer may be the right one.
    let mut machine = machine;
    machine.person = std::sync::Arc::new(super::Person {
        answers: vec!["a".into(), "b".into(), "open sesame".into()],
        ..super::Person::default()
    });
    machine.reach("gpu").await.unwrap();
}

#[tokio::test]
async fn a_passphrase_is_asked_for_only_when_the_server_wants_the_key() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().answering("open sesame");
    let path = key(machine.folder.path(), "key", "ed25519", "open sesame");
    let machine = machine.hosts(&entry(&server, "identity_file = \"~/key\""));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains(" (~/key): refused"), "{text}");
    assert!(machine.heard().iter().all(|heard| !heard.starts_with('?')), "{:?}", machine.heard());
    allow(&server, &path);
    machine.reach("gpu").await.unwrap();
    assert_eq!(machine.heard().last().unwrap(), "? passphrase of ~/key");
    let wrong = Machine { person: std::sync::Arc::default(), ..machine };
    let wrong = wrong.secret("SSH_PASSPHRASE", "close sesame");
    let text = wrong.refusal("gpu", &[]).await;
    assert!(text.contains("the passphrase in `ssh/passphrase` does not open it"), "{text}");
    assert!(!text.contains("close sesame"), "{text}");
}

#[tokio::test]
async fn a_certificate_beside_the_key() {
    let builder = Sshd::builder(Variant::Stock);
    let authority = key(builder.folder(), "ca", "ed25519", "");
    let line = format!("TrustedUserCAKeys {}", authority.with_extension("pub").display());
    let server = builder.line(line).start();
    for kind in ["ed25519", "rsa"] {
        let machine = Machine::new();
        let path = key(machine.folder.path(), "key", kind, "");
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-I", "me", "-n", "root", "-V", "-5m:+1d", "-s"])
            .arg(&authority)
            .arg(path.with_extension("pub"))
            .output()
            .unwrap();
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        let machine = machine.hosts(&entry(&server, "identity_file = \"~/key\""));
        let reached = machine.reach("gpu").await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
        assert!(reached.login.starts_with("certificate SHA256:"), "{}", reached.login);
    }
}

#[tokio::test]
async fn a_password_from_the_secret_or_the_user() {
    let server = Sshd::start(Variant::Password);
    let stored = Machine::new().hosts(&entry(&server, "")).secret("SSH_PASSWORD", PASSWORD);
    assert_eq!(stored.reach("gpu").await.unwrap().login, "password");
    let typed = Machine::new().hosts(&entry(&server, "")).answering(PASSWORD);
    assert_eq!(typed.reach("gpu").await.unwrap().login, "password");
    let text = Machine::new().hosts(&entry(&server, "")).refusal("gpu", &[]).await;
    assert_eq!(
        text,
        "login as `root` on `gpu` refused\n  \
         cause: password: there is none in `ssh/password`, and nobody was asked\n  \
         cause: there was no key to offer\n  \
         cause: the server offers: password\n\
         hint: store the password with `doppio secret set ssh/password`"
    );
    let wrong = Machine::new().hosts(&entry(&server, "")).secret("SSH_PASSWORD", "incorrect-horse");
    let text = wrong.refusal("gpu", &[]).await;
    assert!(text.contains("cause: password: refused"), "{text}");
    assert!(!text.contains("incorrect-horse"), "{text}");
}

#[tokio::test]
async fn a_refused_key_is_told_with_what_would_help() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    let path = key(machine.folder.path(), "key", "ed25519", "");
    let machine = machine.hosts(&entry(&server, "identity_file = \"~/key\""));
    let output = Command::new("ssh-keygen").arg("-lf").arg(&path).output().unwrap();
    let fingerprint = String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned();
    let (port, ip) = (server.address().port().to_string(), server.address().ip().to_string());
    assert_eq!(
        machine.refusal("gpu", &[(&fingerprint, "KEY"), (&port, "PORT"), (&ip, "IP")]).await,
        "login as `root` on `gpu` refused\n  \
         cause: key KEY (~/key): refused\n  \
         cause: the server offers: publickey\n\
         hint: `ssh-copy-id -i HOME/key -p PORT root@IP` installs a key on the host; name another one with \
         `identity_file` in hosts.toml"
    );
}

// case E3
#[tokio::test]
async fn a_fault_of_a_file_has_the_hint_for_the_file() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    let path = key(machine.folder.path(), "key", "ed25519", "");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let machine = machine.hosts(&entry(&server, "identity_file = [\"~/key\", \"~/none\"]"));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("cause: ~/key: others can read it (mode 0644, expected 0600)"), "{text}");
    assert!(text.contains("cause: ~/none: no such file"), "{text}");
    assert!(text.ends_with("hint: run `chmod 600 HOME/key`"), "{text}");
    let machine = Machine::new().hosts(&entry(&server, "identity_file = \"~/none\""));
    let text = machine.refusal("gpu", &[]).await;
    let hint = "or make it with `ssh-keygen -t ed25519 -f HOME/none`";
    assert!(text.ends_with(hint) && text.contains("hint: name another one with `identity_file`"), "{text}");
    let machine = Machine::new().hosts(&entry(&server, "identity_file = \"~/key\""));
    machine.file("key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    fs::set_permissions(machine.folder.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("cause: ~/key: not a private key that can be read: "), "{text}");
}

#[tokio::test]
async fn a_server_without_a_way_in() {
    let server = Sshd::start(Variant::NoLogin);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("cause: the server offers no way to log in"), "{text}");
}

#[tokio::test]
async fn two_factors_one_after_the_other() {
    let server = Sshd::builder(Variant::Stock)
        .line("PasswordAuthentication yes")
        .line("AuthenticationMethods publickey,password")
        .start();
    let machine = Machine::new().hosts(&server.hosts_toml("gpu")).secret("SSH_PASSWORD", PASSWORD);
    assert_eq!(machine.reach("gpu").await.unwrap().login, "password");
    let text = Machine::new().hosts(&server.hosts_toml("gpu")).refusal("gpu", &[]).await;
    assert!(text.contains(": accepted, but the server wants more"), "{text}");
}

#[tokio::test]
async fn what_the_server_wants_read_is_in_the_error() {
    let server = Sshd::builder(Variant::NoLogin);
    let notice = server.folder().join("notice");
    fs::write(&notice, "Closed for maintenance until noon\n").unwrap();
    let server = server.line(format!("Banner {}", notice.display())).start();
    let text = Machine::new().hosts(&server.hosts_toml("gpu")).refusal("gpu", &[]).await;
    assert!(text.contains("cause: the server said: Closed for maintenance until noon"), "{text}");
}

#[tokio::test]
async fn a_dead_agent_does_not_hold_a_login_up() {
    let server = Sshd::start(Variant::Stock);
    let mut machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.agent = Some(machine.folder.path().join("nobody"));
    machine.reach("gpu").await.unwrap();
}
