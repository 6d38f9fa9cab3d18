//! Host keys: the first contact, changed, new, revoked, hashed, certified.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Machine;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn place(server: &Sshd) -> String {
    format!("[{}]:{}", server.address().ip(), server.address().port())
}

/// `SHA256:…` of a `TYPE BASE64` line, by OpenSSH's own reckoning.
fn fingerprint(machine: &Machine, key: &str) -> String {
    let file = machine.file("key.pub", key);
    let output = Command::new("ssh-keygen").arg("-lf").arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
}

fn keygen(arguments: &[&str], files: &[&Path]) {
    let output = Command::new("ssh-keygen").arg("-q").args(arguments).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_first_contact_is_shown_and_kept_under_the_hosts_name() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    let reached = machine.reach("gpu").await.unwrap();
    let key = format!("ssh-ed25519 {}", fingerprint(&machine, &server.host_key("ed25519")));
    assert_eq!(reached.host_key, key);
    assert!(reached.banner.starts_with("SSH-2.0-OpenSSH"), "{}", reached.banner);
    let own = machine.own_known_hosts();
    assert_eq!(machine.heard(), [format!("new host `gpu`: its key {key} is kept in {}", own.display())]);
    assert_eq!(fs::read_to_string(&own).unwrap(), format!("gpu {}\n", server.host_key("ed25519")));
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o600);
    machine.reach("gpu").await.unwrap();
    assert_eq!(machine.heard().len(), 1, "the second contact is nothing new");
}

#[tokio::test]
async fn a_changed_key_stops_with_both_fingerprints() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    fs::create_dir(machine.folder.path().join("state")).unwrap();
    machine.file("state/known_hosts", &format!("# mine\ngpu {OTHER}\n"));
    let offered = fingerprint(&machine, &server.host_key("ed25519"));
    let known = fingerprint(&machine, OTHER);
    assert_eq!(
        machine.refusal("gpu", &[(&offered, "OFFERED"), (&known, "KNOWN")]).await,
        "host key of `gpu` has changed\n  \
         cause: known:   ssh-ed25519 KNOWN (HOME/state/known_hosts:2)\n  \
         cause: offered: ssh-ed25519 OFFERED\n\
         hint: if the host was rebuilt, run `doppio host forget gpu`; if not, do not connect"
    );
    server.wait_for("left", |log| log.contains("Connection closed by") || log.contains("reset by"));
    assert!(!server.log().contains("Accepted"), "nothing may be sent: {}", server.log());
    assert!(!server.log().contains("Failed"), "nothing may be sent: {}", server.log());
}

#[tokio::test]
async fn a_new_type_of_key_on_a_known_host_stops() {
    let server = Sshd::builder(Variant::Stock).line("HostKeyAlgorithms ecdsa-sha2-nistp256").start();
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    fs::create_dir(machine.folder.path().join("state")).unwrap();
    machine.file("state/known_hosts", &format!("gpu {}\n", server.host_key("ed25519")));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.starts_with("`gpu` offers a host key of a type that is not known for it\n"), "{text}");
    assert!(text.contains("cause: known:   ssh-ed25519 SHA256:"), "{text}");
    assert!(text.contains("cause: offered: ecdsa-sha2-nistp256 SHA256:"), "{text}");
}

#[tokio::test]
async fn the_known_type_of_key_is_asked_for() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    fs::create_dir(machine.folder.path().join("state")).unwrap();
    machine.file("state/known_hosts", &format!("gpu {}\n", server.host_key("ecdsa")));
    let reached = machine.reach("gpu").await.unwrap();
    assert!(reached.host_key.starts_with("ecdsa-sha2-nistp256 "), "{}", reached.host_key);
}

#[tokio::test]
async fn the_users_own_list_counts_hashed_names_too() {
    let server = Sshd::start(Variant::Stock);
    let id = format!("root@{}", server.address());
    let machine = Machine::new();
    let list = machine.file(".ssh/known_hosts", &format!("{} {OTHER}\n", place(&server)));
    keygen(&["-H", "-f"], &[&list]);
    assert!(fs::read_to_string(&list).unwrap().starts_with("|1|"));
    let text = machine.refusal(&id, &[(&id, "ID")]).await;
    assert!(text.starts_with("host key of `ID` has changed\n"), "{text}");
    assert!(text.contains("remove line 1 of HOME/.ssh/known_hosts"), "{text}");

    fs::write(&list, format!("{} {}\n", place(&server), server.host_key("ed25519"))).unwrap();
    keygen(&["-H", "-f"], &[&list]);
    fs::copy(server.key(), machine.folder.path().join(".ssh/id_ed25519")).unwrap();
    machine.reach(&id).await.unwrap();
    assert_eq!(machine.heard(), Vec::<String>::new(), "the host was known");
}

#[tokio::test]
async fn an_address_of_a_rented_host_may_have_been_somebody_elses() {
    let server = Sshd::start(Variant::Stock);
    let line = format!("{} {OTHER}\n", place(&server));
    let rented = Machine::new().hosts(&server.hosts_toml("gpu"));
    rented.file(".ssh/known_hosts", &line);
    rented.reach("gpu").await.unwrap();
    let owned = Machine::new().hosts(&(server.hosts_toml("gpu") + "trust = \"owned\"\n"));
    owned.file(".ssh/known_hosts", &line);
    let text = owned.refusal("gpu", &[]).await;
    assert!(text.starts_with("host key of `gpu` has changed\n"), "{text}");
}

#[tokio::test]
async fn a_revoked_key_is_never_taken() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.reach("gpu").await.unwrap();
    machine.file(".ssh/known_hosts", &format!("@revoked * {}\n", server.host_key("ed25519")));
    let key = fingerprint(&machine, &server.host_key("ed25519"));
    assert_eq!(
        machine.refusal("gpu", &[(&key, "KEY")]).await,
        "host key of `gpu` is revoked\n  \
         cause: ssh-ed25519 KEY is marked `@revoked` at HOME/.ssh/known_hosts:1\n\
         hint: do not connect; ask whoever runs the host for its new key"
    );
}

#[tokio::test]
async fn a_strict_host_must_be_known_before() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&(server.hosts_toml("gpu") + "strict_host_key = true\n"));
    let text = machine.refusal("gpu", &[]).await;
    assert!(
        text.starts_with("host key of `gpu` is not known\n  cause: offered: ssh-ed25519 SHA256:"),
        "{text}"
    );
    assert!(!machine.own_known_hosts().exists());
}

/// A server with a certificate for its host key, and the public key of its authority.
fn certified(principal: &str, validity: &str) -> (Sshd, String) {
    let builder = Sshd::builder(Variant::Stock);
    let (key, authority) = (builder.folder().join("host_ed25519"), builder.folder().join("ca"));
    keygen(&["-t", "ed25519", "-N", "", "-f"], &[&key]);
    keygen(&["-t", "ed25519", "-N", "", "-f"], &[&authority]);
    let public = key.with_extension("pub");
    let authority_path = authority.to_str().unwrap();
    keygen(&["-s", authority_path, "-I", "the host", "-h", "-n", principal, "-V", validity], &[&public]);
    let line = format!("HostCertificate {}", builder.folder().join("host_ed25519-cert.pub").display());
    let authority = fs::read_to_string(authority.with_extension("pub")).unwrap();
    (builder.line(line).start(), authority)
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_enough() {
    let (server, authority) = certified("gpu,other", "-5m:+1d");
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.file(".ssh/known_hosts", &format!("@cert-authority gpu,*.lab {authority}"));
    machine.reach("gpu").await.unwrap();
    assert_eq!(machine.heard(), Vec::<String>::new());
    assert!(!machine.own_known_hosts().exists(), "the authority vouches, no key is kept");
}

#[tokio::test]
async fn a_certificate_must_fit_the_host_and_the_day() {
    for (principal, validity, why) in [
        ("other", "-5m:+1d", "it is for `other`, not for `ADDRESS`"),
        ("gpu", "-2d:-1d", "it has expired"),
        ("gpu", "+1d:+2d", "it is not valid yet"),
    ] {
        let (server, authority) = certified(principal, validity);
        let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
        machine.file(".ssh/known_hosts", &format!("@cert-authority gpu {authority}"));
        let address = server.address().ip().to_string();
        let key = fingerprint(&machine, &authority);
        assert_eq!(
            machine.refusal("gpu", &[(&address, "ADDRESS"), (&key, "KEY")]).await,
            format!(
                "the host certificate of `gpu` can't be trusted\n  cause: {why}\n  \
                 cause: certificate `the host`, signed by ssh-ed25519 KEY\n\
                 hint: whoever runs the host has to renew its certificate; do not connect until then"
            )
        );
    }
}

#[tokio::test]
async fn a_plain_key_does_not_stand_in_for_a_certificate() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.file(".ssh/known_hosts", &format!("@cert-authority gpu {OTHER}\n"));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.starts_with("`gpu` offers a plain host key where a certificate is expected\n"), "{text}");
    assert!(!machine.own_known_hosts().exists());
}
