//! `doppio host …` without a host that answers.

use std::fs;

use doppio_test_support::Doppio;

const HOSTS: &str = "# mine\n[hosts.gpu-box] # H100\nhostname = \"192.0.2.7\"\nport = 2222\nuser = \"root\"\n\
                     trust = 'rented'  # for now\ntags = [\"gpus\"]\n\n# the way in\n[hosts.bastion]\nhostname = \"192.0.2.8\"\n";

fn machine(hosts: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(hosts);
    doppio
}

fn hosts_toml(doppio: &Doppio) -> String {
    fs::read_to_string(doppio.doppio_home().join("hosts.toml")).expect("the file")
}

#[test]
fn one_entry_changes_and_the_file_stays_as_it_was_written() {
    let doppio = machine(HOSTS);
    let ran = doppio.run(["host", "trust", "gpu-box", "owned"]).expect(0);
    assert!(ran.stderr.contains("`gpu-box` is owned now"), "{}", ran.stderr);
    assert_eq!(hosts_toml(&doppio), HOSTS.replace("'rented'", "\"owned\""));
    let ran = doppio.run(["host", "trust", "gpu-bx", "owned"]).expect(2);
    assert!(ran.stderr.contains("did you mean `gpu-box`?"), "{}", ran.stderr);
    let ran = doppio.run(["host", "rm", "gpu-box"]).expect(0);
    assert!(ran.stderr.contains("`doppio host forget gpu-box`"), "{}", ran.stderr);
    assert_eq!(hosts_toml(&doppio), "\n# the way in\n[hosts.bastion]\nhostname = \"192.0.2.8\"\n");
    doppio.run(["host", "rm", "bastion"]).expect(0);
    assert_eq!(doppio.run(["host", "list"]).expect(0).stdout, "");
}

#[test]
fn a_host_that_others_go_through_stays() {
    let text = format!("{HOSTS}[hosts.inner]\nhostname = \"10.0.0.7\"\njump = \"bastion\"\n");
    let doppio = machine(&text);
    let ran = doppio.run(["host", "rm", "bastion"]).expect(2);
    assert!(ran.stderr.contains("`inner` jumps through `bastion`"), "{}", ran.stderr);
    assert_eq!(hosts_toml(&doppio), text);
}

#[test]
fn what_is_known_of_a_host_is_shown_with_where_it_is_from() {
    let doppio = machine(&format!(
        "{HOSTS}[hosts.inner]\nhostname = \"10.0.0.7\"\nuser = \"me\"\njump = \"gpu-box\"\n"
    ));
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    fs::write(doppio.doppio_home().join("known_hosts"), format!("gpu-box {key}\n")).expect("a file");
    let ran = doppio.run(["host", "show", "gpu-box"]).expect(0);
    insta::assert_snapshot!(doppio.settled(&ran.stdout), @"
    hostname  192.0.2.7                                                       WORLD/home/doppio/hosts.toml
    port      2222                                                            WORLD/home/doppio/hosts.toml
    user      root                                                            WORLD/home/doppio/hosts.toml
    trust     rented                                                          WORLD/home/doppio/hosts.toml
    carrier   preamble                                                        the default
    tags      gpus                                                            WORLD/home/doppio/hosts.toml
    host_key  ssh-ed25519 SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE  WORLD/home/doppio/known_hosts:1
    ");
    let json = doppio.run(["host", "show", "inner", "--json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["port"], &json["user"]), (&22.into(), &"me".into()));
    assert_eq!(json["jump"][0], "gpu-box (root@192.0.2.7:2222)");
    assert_eq!((&json["from"]["port"], &json["trust"]), (&"the default".into(), &"rented".into()));
    assert_eq!(
        doppio.run(["host", "show", "local"]).expect(0).stdout,
        "local is this machine, without SSH\n"
    );
    doppio.run(["host", "show", "no-such-host"]).expect(3);
}

#[test]
fn other_programs_find_the_hosts_by_their_aliases() {
    let doppio = machine(&format!(
        "{HOSTS}host_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\"\n"
    ));
    let printed = doppio.run(["host", "export-ssh-config"]).expect(0).stdout;
    assert!(
        printed.contains("Host doppio-gpu-box\n    HostName 192.0.2.7\n    Port 2222\n    User root\n"),
        "{printed}"
    );
    assert!(
        printed.contains("HostKeyAlias gpu-box\n") && printed.contains("StrictHostKeyChecking accept-new\n")
    );
    let ssh = doppio.home().join(".ssh");
    assert!(!ssh.join("doppio.config").exists());
    let ran = doppio.run(["host", "export-ssh-config", "--write"]).expect(0);
    assert!(ran.stderr.contains("Include ~/.ssh/doppio.config"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(ssh.join("doppio.config")).expect("the file"), printed);
    assert!(!ssh.join("config").exists(), "it is not written without being told");
    fs::write(ssh.join("config"), "Host other\n    Port 1\n").expect("a file");
    doppio.run(["host", "export-ssh-config", "--write", "--add-include"]).expect(0);
    let config = fs::read_to_string(ssh.join("config")).expect("the file");
    assert_eq!(config, "Include ~/.ssh/doppio.config\n\nHost other\n    Port 1\n");
    doppio.run(["host", "export-ssh-config", "--write", "--add-include"]).expect(0);
    assert_eq!(fs::read_to_string(ssh.join("config")).expect("the file"), config);
    // What is read below a `Host` line is not read for ours, and bytes of another encoding stay.
    let other: &[u8] = b"# M\xfcller\nHost other\n    Include ~/.ssh/doppio.config\n";
    fs::write(ssh.join("config"), other).expect("a file");
    doppio.run(["host", "export-ssh-config", "--write", "--add-include"]).expect(0);
    let whole = [b"Include ~/.ssh/doppio.config\n\n", other].concat();
    assert_eq!(fs::read(ssh.join("config")).expect("the file"), whole);
    // The pinned key is in a list of its own, and no other counts.
    let keys = fs::read_to_string(doppio.doppio_home().join("openssh/exported.known_hosts")).expect("a list");
    assert!(keys.starts_with("bastion ssh-ed25519 AAAA"), "{keys}");
}

#[test]
fn other_programs_trust_no_key_that_doppio_refuses() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    let doppio = machine("[hosts.box]\nhostname = \"192.0.2.7\"\nport = 2222\nuser = \"root\"\n");
    let ssh = doppio.home().join(".ssh");
    fs::create_dir_all(&ssh).expect("a folder");
    let exported = |known: &str| {
        fs::write(ssh.join("known_hosts"), known).expect("a file");
        let config = doppio.run(["host", "export-ssh-config"]).expect(0).stdout;
        let state = doppio.doppio_home().join("known_hosts");
        assert!(!config.contains(&state.display().to_string()), "nobody else writes our list: {config}");
        let keys = fs::read_to_string(doppio.doppio_home().join("openssh/exported.known_hosts"));
        (config.contains("StrictHostKeyChecking yes\n"), keys.unwrap_or_default())
    };
    assert_eq!(exported(&format!("[192.0.2.7]:2222 {KEY}\n")), (true, format!("box {KEY}\n")));
    for name in ["[192.0.2.7]:2222", "192.0.2.7"] {
        let revoked = exported(&format!("@revoked {name} {KEY}\n"));
        assert_eq!(revoked, (false, format!("@revoked box {KEY}\n")));
    }
}

#[test]
fn hosts_of_ssh_config_get_entries_that_keep_to_it() {
    let doppio = machine("[hosts.old]\nhostname = \"192.0.2.1\"\n");
    let ssh = doppio.home().join(".ssh");
    fs::create_dir_all(&ssh).expect("a folder");
    fs::write(
        ssh.join("config"),
        b"# M\xfcller\nHost gpu-a gpu-*\n    Port 22022\nHost old gpu-b a/b \"quo ted\"\n    User me\n",
    )
    .expect("a file");
    let shown = doppio.run(["host", "import-ssh-config", "--dry-run"]).expect(0);
    assert_eq!(shown.stdout, "[hosts.gpu-a]\ntrust = \"shared\"\n\n[hosts.gpu-b]\ntrust = \"shared\"\n");
    assert!(shown.stderr.contains("`a/b` is left out"), "{}", shown.stderr);
    assert_eq!(doppio.run(["host", "list"]).expect(0).stdout, "old\n");
    doppio.run(["host", "import-ssh-config", "--trust", "owned", "gpu-b"]).expect(0);
    assert!(hosts_toml(&doppio).ends_with("\n[hosts.gpu-b]\ntrust = \"owned\"\n"), "{}", hosts_toml(&doppio));
    let ran = doppio.run(["host", "import-ssh-config", "gpu-c"]).expect(2);
    assert!(ran.stderr.contains("no `Host` line of ssh_config names `gpu-c`"), "{}", ran.stderr);
}
