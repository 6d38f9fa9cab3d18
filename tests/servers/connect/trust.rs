//! Host keys: the first contact, changed, new, revoked, hashed, certified.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use doppio_hosts::FirstContact;

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
    let removal = format!("run `ssh-keygen -f HOME/.ssh/known_hosts -R '{}'`", place(&server));
    assert!(text.contains(&removal), "{text}");

    fs::write(&list, format!("{} {}\n", place(&server), server.host_key("ed25519"))).unwrap();
    keygen(&["-H", "-f"], &[&list]);
    fs::copy(server.key(), machine.folder.path().join(".ssh/id_ed25519")).unwrap();
    machine.reach(&id).await.unwrap();
    assert_eq!(machine.heard(), Vec::<String>::new(), "the host was known");
}

// case A5
#[tokio::test]
async fn another_key_known_for_the_address_stops_whatever_the_trust() {
    for trust in ["", "trust = \"rented\"\n", "trust = \"owned\"\n"] {
        let server = Sshd::start(Variant::Stock);
        let line = format!("{} {OTHER}\n", place(&server));
        let machine = Machine::new().hosts(&(server.hosts_toml("gpu") + trust));
        let known_hosts = machine.file(".ssh/known_hosts", &line);
        let key = server.host_key("ed25519");
        let (offered, known) = (fingerprint(&machine, &key), fingerprint(&machine, OTHER));
        let names =
            [(place(&server), "PLACE"), (offered, "OFFERED"), (known, "KNOWN"), (key.clone(), "TYPE BASE64")];
        let names: Vec<_> = names.iter().map(|(from, to)| (from.as_str(), *to)).collect();
        assert_eq!(
            machine.refusal("gpu", &names).await,
            "`gpu` offers another host key than the one that is known for its address `PLACE`\n  \
             cause: known:   ssh-ed25519 KNOWN (HOME/.ssh/known_hosts:1)\n  \
             cause: offered: ssh-ed25519 OFFERED\n\
             hint: if another machine has this address now, as the next tenant of a rented one has, forget the \
             old key with `ssh-keygen -f HOME/.ssh/known_hosts -R 'PLACE'`, or name the new one below \
             `[hosts.gpu]` in /h/hosts.toml:\n\nhost_key = \"TYPE BASE64\"\n\nif not, do not connect"
        );
        assert!(!machine.own_known_hosts().exists());
        assert!(!server.log().contains("Accepted"), "nothing may be sent: {}", server.log());
        // Both ways out work.
        let with_key = format!("{}{trust}host_key = \"{key}\"\n", server.hosts_toml("gpu"));
        let machine_with_key = Machine::new().hosts(&with_key);
        machine_with_key.file(".ssh/known_hosts", &line);
        machine_with_key.reach("gpu").await.unwrap();
        keygen(&["-R", &place(&server), "-f"], &[&known_hosts]);
        machine.reach("gpu").await.unwrap();
    }
}

// case A5
#[tokio::test]
async fn what_a_pattern_says_of_the_address_is_taken_out_by_its_line() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.file(".ssh/known_hosts", &format!("# mine\n[127.*]:* {OTHER}\n"));
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.contains("forget the old key with `sed -i.old 2d HOME/.ssh/known_hosts`"), "{text}");
}

// case A6
#[tokio::test]
async fn what_is_said_of_the_bare_name_counts_on_other_ports() {
    let server = Sshd::start(Variant::Stock);
    let (ip, key) = (server.address().ip(), server.host_key("ed25519"));
    let config = format!(
        "Host gpu\n  HostName {ip}\n  Port {}\n  User root\n  IdentityFile {}\n",
        server.address().port(),
        server.key().display()
    );
    let machine = Machine::new().hosts(&server.hosts_toml("box"));
    machine.file(".ssh/config", &config);
    machine.file(".ssh/known_hosts", &format!("@revoked {ip} {key}\n"));
    for id in ["gpu", "box"] {
        let text = machine.refusal(id, &[]).await;
        assert!(text.starts_with(&format!("host key of `{id}` is revoked\n")), "{text}");
    }
    // A plain key under the bare name proves the host when it fits, and nothing when it does not.
    machine.file(".ssh/known_hosts", &format!("{ip} {key}\n"));
    machine.reach("gpu").await.unwrap();
    assert_eq!(machine.heard(), Vec::<String>::new(), "the host was known");
    let other = Machine::new();
    other.file(".ssh/config", &config);
    other.file(".ssh/known_hosts", &format!("{ip} {OTHER}\n"));
    other.reach("gpu").await.unwrap();
    assert_eq!(other.heard().len(), 1, "it is new, as it is to OpenSSH: {:?}", other.heard());
}

// case A6
#[tokio::test]
async fn an_authority_of_the_bare_name_counts_on_other_ports() {
    let (server, authority) = certified("*", "-5m:+1d");
    let machine = Machine::new().hosts(&server.hosts_toml("box"));
    machine.file(".ssh/known_hosts", &format!("@cert-authority {} {authority}", server.address().ip()));
    machine.reach("box").await.unwrap();
    assert_eq!(machine.heard(), Vec::<String>::new());
    assert!(!machine.own_known_hosts().exists(), "the authority vouches, no key is kept");
}

// case L8
#[tokio::test]
async fn a_list_of_host_keys_that_others_can_write_is_not_believed() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.reach("gpu").await.unwrap();
    let state = machine.folder.path().join("state");
    for (path, mode, what) in [(machine.own_known_hosts(), 0o666, "file"), (state, 0o777, "folder")] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let shown = path.display().to_string();
        assert_eq!(
            machine.refusal("gpu", &[(&shown, "PATH")]).await,
            format!(
                "cannot check the host key of `gpu`\n  cause: others can write the {what} `PATH` (mode {mode:04o})\n\
                 hint: look at what is in it, then run `chmod go-w PATH`"
            )
        );
        fs::set_permissions(&path, before).unwrap();
    }
    machine.reach("gpu").await.unwrap();
}

// case K12
#[tokio::test]
async fn a_named_key_is_the_only_one_that_is_taken() {
    let server = Sshd::start(Variant::Stock);
    let key = server.host_key("ed25519");
    let with = |keys: &str| Machine::new().hosts(&format!("{}host_key = {keys}\n", server.hosts_toml("gpu")));
    for keys in [
        format!("\"{key} root@gpu\""),
        format!("\"{}\"", server.host_key("ecdsa")),
        format!("[\"{}\", \"{key}\"]", server.host_key("ecdsa")),
    ] {
        let machine = with(&keys);
        machine.reach("gpu").await.unwrap();
        assert_eq!(machine.heard(), Vec::<String>::new(), "a named key is not new");
    }
    let machine = with(&format!("\"{OTHER}\""));
    let (offered, known) = (fingerprint(&machine, &key), fingerprint(&machine, OTHER));
    assert_eq!(
        machine.refusal("gpu", &[(&offered, "OFFERED"), (&known, "KNOWN"), (&key, "TYPE BASE64")]).await,
        "`gpu` offers another host key than the one in hosts.toml\n  \
         cause: expected: ssh-ed25519 KNOWN (`host_key` in /h/hosts.toml)\n  \
         cause: offered:  ssh-ed25519 OFFERED\n\
         hint: if the host was rebuilt, write its new key below `[hosts.gpu]` in /h/hosts.toml:\n\n\
         host_key = \"TYPE BASE64\"\n\nif not, do not connect"
    );
}

// case K12
#[tokio::test]
async fn in_ci_an_unknown_key_stops_with_the_lines_that_accept_it() {
    let server = Sshd::start(Variant::Stock);
    let key = server.host_key("ed25519");
    let mut machine = Machine::new().hosts(&server.hosts_toml("gpu"));
    machine.first_contact = FirstContact::Refuse;
    machine.file(
        ".ssh/config",
        &format!(
            "Host named\n  HostName {}\n  Port {}\n  User root\n",
            server.address().ip(),
            server.address().port()
        ),
    );
    let offered = fingerprint(&machine, &key);
    let names = [(offered.as_str(), "OFFERED"), (key.as_str(), "TYPE BASE64")];
    let text = machine.refusal("gpu", &names).await;
    assert_eq!(
        text,
        "host key of `gpu` is not known\n  cause: offered: ssh-ed25519 OFFERED\n  \
         cause: `CI` is set: nobody is there to look at a new key\n\
         hint: compare the fingerprint with the host's own (`ssh-keygen -lf \
         /etc/ssh/ssh_host_ed25519_key.pub` there), then write the key below `[hosts.gpu]` in /h/hosts.toml:\n\n\
         host_key = \"TYPE BASE64\""
    );
    assert!(!machine.own_known_hosts().exists());
    let text = machine.refusal("named", &names).await;
    let entry = "in /h/hosts.toml:\n\n[hosts.named]\ntrust = \"shared\"\nhost_key = \"TYPE BASE64\"";
    assert!(text.ends_with(entry), "{text}");
    let address = format!("root@{}", server.address());
    let text = machine.refusal(&address, &names).await;
    let entry = format!(
        "in /h/hosts.toml:\n\n[hosts.NAME]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\n\
         trust = \"rented\"\nhost_key = \"TYPE BASE64\"",
        server.address().ip(),
        server.address().port()
    );
    assert!(text.ends_with(&entry), "{text}");
    // Who said so for the host gets it all the same.
    let mut willing = Machine::new().hosts(&(server.hosts_toml("gpu") + "strict_host_key = false\n"));
    willing.first_contact = FirstContact::Refuse;
    willing.reach("gpu").await.unwrap();
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

/// A server with a certificate for its host key, and the public key of its authority. `ADDRESS` among the
/// principals is the server's.
fn certified(principal: &str, validity: &str) -> (Sshd, String) {
    let builder = Sshd::builder(Variant::Stock);
    let principal = &principal.replace("ADDRESS", &builder.address().ip().to_string());
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
async fn a_certificate_under_an_alias_is_for_the_alias_alone() {
    for (principal, is_right) in [("cluster", true), ("ADDRESS", false), ("gpu", false)] {
        let (server, authority) = certified(principal, "-5m:+1d");
        let machine = Machine::new();
        machine.file(
            ".ssh/config",
            &format!(
                "Host gpu\n  HostName {}\n  Port {}\n  User root\n  IdentityFile {}\n  HostKeyAlias cluster\n",
                server.address().ip(),
                server.address().port(),
                server.key().display()
            ),
        );
        machine.file(".ssh/known_hosts", &format!("@cert-authority * {authority}"));
        if is_right {
            machine.reach("gpu").await.unwrap();
        } else {
            let address = server.address().ip().to_string();
            let text = machine.refusal("gpu", &[(&address, "ADDRESS")]).await;
            assert!(text.contains(&format!("it is for `{principal}`, not for `cluster`")), "{text}");
        }
        assert_eq!(machine.heard(), Vec::<String>::new());
    }
}

/// A machine with an `ssh_config` block `gpu` for the server, and more in `hosts.toml`.
fn with_block(server: &Sshd, hosts: &str) -> Machine {
    let machine = Machine::new().hosts(hosts);
    fs::copy(server.key(), machine.folder.path().join(".ssh/id_ed25519")).unwrap();
    let (ip, port) = (server.address().ip(), server.address().port());
    machine.file(".ssh/config", &format!("Host gpu\n  HostName {ip}\n  Port {port}\n  User root\n"));
    machine
}

#[tokio::test]
async fn an_entry_holds_for_its_address_and_its_name_whoever_the_user_is() {
    let server = Sshd::start(Variant::Stock);
    let right = server.host_key("ed25519");
    let (ip, port) = (server.address().ip(), server.address().port());
    let address = format!("root@{ip}:{port}");
    let mapped = format!("root@[::ffff:{ip}]:{port}");
    let of_address = |rest: &str| with_block(&server, &(server.hosts_toml("box") + rest));
    let of_name = |rest: &str| with_block(&server, &format!("[hosts.gpu]\n{rest}"));
    for (id, with) in [
        (address.as_str(), &of_address as &dyn Fn(&str) -> Machine),
        (&mapped, &of_address),
        ("gpu", &of_address),
        ("root@gpu", &of_address),
        ("gpu", &of_name),
        ("root@gpu", &of_name),
    ] {
        let machine = with(&format!("host_key = \"{OTHER}\"\n"));
        let text = machine.refusal(id, &[]).await;
        assert!(
            text.starts_with(&format!("`{id}` offers another host key than the one in hosts.toml\n")),
            "{text}"
        );
        // The hint is about the entry that named the key.
        let entry = if machine.hosts.contains("[hosts.box]") { "box" } else { "gpu" };
        assert!(
            text.contains(&format!("write its new key below `[hosts.{entry}]` in /h/hosts.toml:")),
            "{text}"
        );
        let machine = with("strict_host_key = true\n");
        let text = machine.refusal(id, &[]).await;
        assert!(text.starts_with(&format!("host key of `{id}` is not known\n")), "{text}");
        if id != mapped {
            let machine = with(&format!("host_key = \"{right}\"\n"));
            machine.reach(id).await.unwrap_or_else(|error| panic!("{id}: {error:?}"));
            assert_eq!(machine.heard(), Vec::<String>::new(), "a named key is not new");
        }
    }
    // An entry that trusts more takes nothing back, and one that says nothing hides none.
    let lax = server.hosts_toml("a") + "strict_host_key = false\n";
    let silent = server.hosts_toml("b");
    for rest in [format!("host_key = \"{OTHER}\"\n"), "strict_host_key = true\n".to_owned()] {
        let machine = with_block(&server, &format!("{lax}\n{silent}\n{}{rest}", server.hosts_toml("box")));
        for id in ["box", &address] {
            machine.refusal(id, &[]).await;
        }
    }
}

#[tokio::test]
async fn an_entry_does_not_hold_behind_a_jump_host() {
    let (first, last) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    // The same address is another machine's there.
    let machine = Machine::new().hosts(
        &(first.hosts_toml("first")
            + &last.hosts_toml("near")
            + &format!("host_key = \"{OTHER}\"\n")
            + &last.hosts_toml("far")
            + "jump = \"first\"\n"),
    );
    machine.reach("far").await.unwrap();
    machine.refusal("near", &[]).await;
    // What is said of the jump host itself holds.
    let machine = Machine::new().hosts(
        &(first.hosts_toml("first")
            + &first.hosts_toml("pinned")
            + &format!("host_key = \"{OTHER}\"\n")
            + &last.hosts_toml("far")
            + "jump = \"first\"\n"),
    );
    let text = machine.refusal("far", &[]).await;
    assert!(text.contains("offers another host key than the one in hosts.toml"), "{text}");
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
