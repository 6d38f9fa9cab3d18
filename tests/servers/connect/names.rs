//! Names: `hosts.toml`, `ssh_config` with Include and Match, addresses, jumps, proxies.

use std::fmt::Write as _;
use std::fs;

use super::Machine;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// Gives the server's key to the machine as a default one.
fn with_key(machine: &Machine, server: &Sshd) {
    fs::copy(server.key(), machine.folder.path().join(".ssh/id_ed25519")).unwrap();
}

#[tokio::test]
async fn an_unknown_host_says_where_was_looked_and_what_is_near() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(&server.hosts_toml("gpu-box"));
    machine.file(".ssh/config", "Host training\n  HostName 127.0.0.1\n");
    let text = machine.refusal("gpu-boxx.invalid", &[]).await;
    let (head, rest) = text.split_once("the name does not resolve: ").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(
        head,
        "unknown host `gpu-boxx.invalid`\n  cause: hosts.toml has no entry of this name\n  \
         cause: no `Host` block of ssh_config names it\n  cause: "
    );
    assert!(rest.contains("hint: add it to hosts.toml:\n\n[hosts.\"gpu-boxx.invalid\"]\n"), "{rest}");
    let text = machine.refusal("gpu-boxx", &[]).await;
    assert!(text.ends_with("hint: a similar name exists: `gpu-box`"), "{text}");
    let text = machine.refusal("trainign", &[]).await;
    assert!(text.ends_with("hint: a similar name exists: `training`"), "{text}");
}

#[tokio::test]
async fn a_rented_instance_asks_for_its_entry() {
    let text = Machine::new().refusal("vast-12345", &[]).await;
    assert_eq!(
        text,
        "cannot find the address of `vast-12345`\n  cause: hosts.toml has no entry of this name\n  \
         cause: asking the vast.ai API for it is not built yet\n\
         hint: add it to hosts.toml, with the address and port that `vastai ssh-url 12345` prints:\n\n\
         [hosts.vast-12345]\nhostname = \"ssh4.vast.ai\"\nport = 12345\nuser = \"root\""
    );
    let server = Sshd::start(Variant::Stock);
    Machine::new().hosts(&server.hosts_toml("vast-12345")).reach("vast-12345").await.unwrap();
}

#[tokio::test]
async fn an_address_as_it_stands() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    with_key(&machine, &server);
    for id in [format!("root@{}", server.address()), format!("ssh://root@{}", server.address())] {
        let reached = machine.reach(&id).await.unwrap();
        assert_eq!(reached.place, server.address().to_string());
        assert_eq!(reached.user, "root");
    }
    let text = machine.refusal("root@gpu:99999", &[]).await;
    assert!(text.starts_with("`root@gpu:99999` is not an address: the port"), "{text}");
}

#[tokio::test]
async fn ssh_config_with_include_and_match() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    let included = machine.file(
        "more",
        &format!("Host gpu\n  HostName {}\n  Port {}\n", server.address().ip(), server.address().port()),
    );
    fs::copy(server.key(), machine.folder.path().join("named")).unwrap();
    machine.file(
        ".ssh/config",
        &format!(
            "Include {}\nMatch originalhost gpu exec \"true\"\n  User root\n  IdentityFile ~/named\n  \
             HostKeyAlias the-gpu\nHost *\n  SetEnv A=1\n",
            included.display()
        ),
    );
    let reached = machine.reach("gpu").await.unwrap();
    assert_eq!((reached.user.as_str(), reached.place), ("root", server.address().to_string()));
    assert!(reached.login.ends_with(" (~/named)"), "{}", reached.login);
    let kept = fs::read_to_string(machine.own_known_hosts()).unwrap();
    assert!(kept.starts_with("the-gpu ssh-ed25519 "), "{kept}");
}

#[tokio::test]
async fn a_block_is_found_by_its_names_and_patterns() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    machine.file(
        ".ssh/config",
        &format!(
            "Host gpu *.lab\n  HostName {}\n  Port {}\n  User root\n  IdentityFile ~/.ssh/none\n  IdentityFile {}\n",
            server.address().ip(),
            server.address().port(),
            server.key().display()
        ),
    );
    for id in ["gpu", "a.lab"] {
        assert_eq!(machine.reach(id).await.unwrap().place, server.address().to_string());
    }
    for id in ["nothing.invalid", "Nothing.invalid"] {
        let text = machine.refusal(id, &[]).await;
        assert!(text.contains("no `Host` block of ssh_config names it"), "{text}");
    }
}

#[tokio::test]
async fn a_fault_of_ssh_config_comes_in_the_words_of_ssh() {
    let machine = Machine::new();
    machine.file(".ssh/config", "Host gpu\n  Prot 22\n");
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.starts_with("cannot read the ssh_config for `gpu`\n"), "{text}");
    assert!(text.contains("Bad configuration option: prot"), "{text}");
}

#[tokio::test]
async fn a_strict_ssh_config_is_obeyed() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    with_key(&machine, &server);
    machine.file(
        ".ssh/config",
        &format!(
            "Host gpu\n  HostName {}\n  Port {}\n  User root\n  StrictHostKeyChecking yes\n  \
             UserKnownHostsFile ~/mine\n",
            server.address().ip(),
            server.address().port()
        ),
    );
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.starts_with("host key of `gpu` is not known\n"), "{text}");
}

#[tokio::test]
async fn a_chain_of_two_jumps() {
    let (first, second, last) =
        (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock), Sshd::start(Variant::AcceptEnv));
    let machine = Machine::new().hosts(
        &(first.hosts_toml("first")
            + &second.hosts_toml("second")
            + "jump = \"first\"\n"
            + &last.hosts_toml("gpu")
            + "jump = [\"second\"]\n"),
    );
    machine.reach("gpu").await.unwrap();
    for server in [&first, &second, &last] {
        assert_eq!(server.log().matches("Accepted publickey").count(), 1, "{}", server.log());
    }
    // Only the first one saw this machine; the others were reached through it.
    let kept = fs::read_to_string(machine.own_known_hosts()).unwrap();
    let names: Vec<_> = kept.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["first", "second", "gpu"]);
}

#[tokio::test]
async fn a_jump_of_ssh_config() {
    let (first, last) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    let machine = Machine::new();
    let mut config = String::new();
    for (name, server, rest) in [("bastion", &first, ""), ("gpu", &last, "  ProxyJump bastion\n")] {
        write!(
            config,
            "Host {name}\n  HostName {}\n  Port {}\n  User root\n  IdentityFile {}\n{rest}",
            server.address().ip(),
            server.address().port(),
            server.key().display()
        )
        .unwrap();
    }
    machine.file(".ssh/config", &config);
    machine.reach("gpu").await.unwrap();
    assert!(first.log().contains("Accepted publickey"), "{}", first.log());
}

#[tokio::test]
async fn trouble_on_the_way_names_the_jump() {
    let first = Sshd::start(Variant::NoLogin);
    let machine = Machine::new().hosts(
        &(first.hosts_toml("bastion")
            + "[hosts.gpu]\nhostname = \"127.0.0.1\"\nuser = \"root\"\njump = \"bastion\"\n"),
    );
    let text = machine.refusal("gpu", &[]).await;
    assert!(
        text.starts_with("login as `root` on `bastion` refused\n  cause: on the way to `gpu`\n"),
        "{text}"
    );
    let first = Sshd::start(Variant::Stock);
    let machine = Machine::new().hosts(
        &(first.hosts_toml("bastion")
            + "[hosts.gpu]\nhostname = \"127.0.0.1\"\nport = 1\nuser = \"root\"\njump = \"bastion\"\n"),
    );
    let text = machine.refusal("gpu", &[]).await;
    assert!(text.starts_with("the jump host cannot reach `gpu` at 127.0.0.1:1\n"), "{text}");
}

#[tokio::test]
async fn a_proxy_command_is_the_way() {
    let server = Sshd::start(Variant::Stock);
    let toml = format!(
        "[hosts.gpu]\nhostname = \"{}\"\nport = {}\nuser = \"root\"\nidentity_file = \"{}\"\n",
        server.address().ip(),
        server.address().port(),
        server.key().display()
    );
    let bash = "proxy_command = \"bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'\"\n";
    Machine::new().hosts(&(toml.clone() + bash)).reach("gpu").await.unwrap();
    let broken = "proxy_command = \"echo no way >&2; exit 3\"\nconnect_timeout_secs = 1\n";
    let text = Machine::new().hosts(&(toml + broken)).refusal("gpu", &[]).await;
    assert!(text.contains("closed the connection before its SSH banner"), "{text}");
    assert!(text.contains("cause: the proxy command said: no way"), "{text}");
}
