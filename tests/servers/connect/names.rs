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
    let hint =
        "hint: add it to /h/hosts.toml with `doppio host add gpu-boxx.invalid 'ssh -p PORT USER@ADDRESS'`";
    assert!(rest.contains(hint), "{rest}");
    let text = machine.refusal("gpu-boxx", &[]).await;
    assert!(text.ends_with("hint: a similar name exists: `gpu-box`"), "{text}");
    let text = machine.refusal("trainign", &[]).await;
    assert!(text.ends_with("hint: a similar name exists: `training`"), "{text}");
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

// case E1
#[tokio::test]
async fn files_of_ssh_config_are_found_by_every_token() {
    let server = Sshd::start(Variant::Stock);
    let block = |rest: &str| {
        format!(
            "Host gpu\n  HostName {}\n  Port {}\n  User root\n{rest}\n",
            server.address().ip(),
            server.address().port()
        )
    };
    for (option, file) in [
        ("%d/keys/%r-%p", format!("keys/root-{}", server.address().port())),
        ("~/keys/%n", "keys/gpu".to_owned()),
        ("\"~/keys/my key\"", "keys/my key".to_owned()),
    ] {
        let machine = Machine::new();
        fs::create_dir(machine.folder.path().join("keys")).unwrap();
        fs::copy(server.key(), machine.folder.path().join(&file)).unwrap();
        machine.file(".ssh/config", &block(&format!("  IdentityFile {option}")));
        let reached = machine.reach("gpu").await.unwrap_or_else(|error| panic!("{option}: {error:?}"));
        assert!(reached.login.ends_with(&format!(" (~/{file})")), "{}", reached.login);
    }
    let machine = Machine::new();
    machine.file(".ssh/config", &block("  IdentityFile ${NEVER_SET_HERE}/k"));
    let text = machine.refusal("gpu", &[]).await;
    assert_eq!(
        text,
        "`IdentityFile ${NEVER_SET_HERE}/k` of `gpu` can't be used\n  \
         cause: the variable `NEVER_SET_HERE` is not set"
    );
}

// case E1
#[tokio::test]
async fn a_list_of_host_keys_may_have_a_blank_in_its_name() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    with_key(&machine, &server);
    machine.file(
        ".ssh/config",
        &format!(
            "Host gpu\n  HostName {}\n  Port {}\n  User root\n  StrictHostKeyChecking yes\n  \
             UserKnownHostsFile \"~/.ssh/known hosts\" ~/.ssh/%n-%k\n",
            server.address().ip(),
            server.address().port()
        ),
    );
    let line =
        format!("[{}]:{} {}\n", server.address().ip(), server.address().port(), server.host_key("ed25519"));
    for name in ["known hosts", "gpu-gpu"] {
        let list = machine.file(&format!(".ssh/{name}"), &line);
        machine.reach("gpu").await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        fs::remove_file(list).unwrap();
    }
    machine.refusal("gpu", &[]).await;
}

// case E1
#[tokio::test]
async fn an_option_that_matters_and_is_not_supported_is_named() {
    for (line, option) in [
        ("KnownHostsCommand /usr/bin/keys %H", "KnownHostsCommand"),
        ("ProxyUseFdpass yes", "ProxyUseFdpass"),
        ("RevokedHostKeys ~/.ssh/revoked", "RevokedHostKeys"),
        ("BindAddress 127.0.0.9", "BindAddress"),
    ] {
        let machine = Machine::new();
        machine.file(".ssh/config", &format!("Host gpu\n  HostName 127.0.0.1\n  {line}\n"));
        let text = machine.refusal("gpu", &[]).await;
        let head =
            format!("`gpu` has `{option}`, which Doppio does not support\n  cause: ssh_config sets it to `");
        assert!(text.starts_with(&head), "{text}");
        assert!(text.contains("`[hosts.gpu]`, `transport = \"openssh\"` in /h/hosts.toml"), "{text}");
        assert!(text.contains("an entry with a `hostname` there"), "{text}");
    }
    let machine = Machine::new();
    machine.file(".ssh/config", "Host gpu\n  HostName 127.0.0.1\n  AddressFamily inet6\n");
    let text = machine.refusal("gpu", &[]).await;
    assert!(
        text.starts_with("cannot reach `gpu` at 127.0.0.1:22\n  cause: the name has no address"),
        "{text}"
    );
}

// case A7
#[tokio::test]
async fn what_a_shell_would_read_gets_into_no_proxy_command() {
    let machine = Machine::new();
    let planted = machine.folder.path().join("planted");
    machine.file(
        ".ssh/config",
        &format!(
            "Host gpu\n  HostName 127.0.0.1\n  User \"x;touch {}\"\n  ProxyCommand nc %r %h %p\n",
            planted.display()
        ),
    );
    let text = machine.refusal("gpu", &[]).await;
    assert!(
        text.starts_with("`ProxyCommand nc %r %h %p` of `gpu` can't be used\n  cause: `%r` is `x;"),
        "{text}"
    );
    assert!(!planted.exists());
}

// case F12
#[tokio::test]
async fn what_a_vendors_page_shows_is_a_host() {
    let server = Sshd::start(Variant::Stock);
    let machine = Machine::new();
    with_key(&machine, &server);
    let (ip, port) = (server.address().ip(), server.address().port());
    for id in [format!("ssh -p {port} root@{ip} -L 8080:localhost:8080"), format!("ssh root@{ip} -p {port}")]
    {
        assert_eq!(machine.reach(&id).await.unwrap().place, server.address().to_string());
    }
}

// case H7
#[tokio::test]
async fn key_exchanges_that_few_have_are_spoken_or_named() {
    for curve in ["ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"] {
        let server = Sshd::builder(Variant::Stock).line(format!("KexAlgorithms {curve}")).start();
        let machine = Machine::new().hosts(&server.hosts_toml("gpu"));
        machine.reach("gpu").await.unwrap_or_else(|error| panic!("{curve}: {error:?}"));
    }
    let name = "sntrup761x25519-sha512@openssh.com";
    let server = Sshd::builder(Variant::Stock).line(format!("KexAlgorithms {name}")).start();
    let text = Machine::new().hosts(&server.hosts_toml("gpu")).refusal("gpu", &[]).await;
    assert!(text.contains("cause: no common kex algorithm: here ") && text.contains(name), "{text}");
    assert!(
        text.ends_with(
            "hint: add `KexAlgorithms +curve25519-sha256` to its sshd_config; Doppio speaks no algorithm that it \
             offers now. Your own `ssh` may: write `transport = \"openssh\"` into its entry of hosts.toml"
        ),
        "{text}"
    );
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
