//! What an entry may say, and how its faults read.

use doppio_text::Diagnostic;
use doppio_text::Source;

use crate::HostsFile;
use crate::Trust;

pub(super) fn faults(text: &str) -> Vec<String> {
    let source = Source::new("hosts.toml", text);
    let faults = HostsFile::parse(&source).expect_err("the text has faults");
    let told = |fault: Diagnostic| {
        let (line, column) = source.line_column(fault.primary.span.start);
        let help = fault.help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{line}:{column} {}{help}", fault.message)
    };
    faults.into_iter().map(told).collect()
}

#[test]
fn an_entry_has_what_the_page_shows() {
    let text = r#"
        [hosts.gpu-box]
        hostname = "10.0.0.7"
        port = 22
        user = "root"
        identity_file = "~/.ssh/id_ed25519"
        jump = ["bastion"]
        trust = "owned"
        env = { NCCL_DEBUG = "INFO" }
        tags = ["gpus"]

        [hosts.bastion]
        hostname = "b.example.com"
    "#;
    let file = HostsFile::parse(&Source::new("hosts.toml", text)).unwrap();
    assert_eq!(file.names(), ["gpu-box", "bastion"]);
    assert_eq!(file.tagged("gpus"), ["gpu-box"]);
    let entry = file.entry("gpu-box").unwrap();
    assert_eq!(entry.hostname.as_deref(), Some("10.0.0.7"));
    assert_eq!(entry.identity_files, ["~/.ssh/id_ed25519"]);
    assert_eq!(entry.trust, Some(Trust::Owned));
    assert_eq!(entry.env["NCCL_DEBUG"], "INFO");
    assert!(file.entry("nobody").is_none());
}

#[test]
fn all_faults_come_at_once_with_locations_and_help() {
    let text = "\
[hosts.a]
hostname = \"\"
prot = 22
port = 70000
trust = \"own\"
env = { \"1X\" = \"y\", T = \"${secret:t}\" }

[hosts.local]
hostname = 3

[host.b]
";
    assert_eq!(
        faults(text),
        [
            "2:12 `hostname` can't be ``",
            "3:1 unknown key `prot` in host `a` (a key with a similar name exists)",
            "4:8 `port` must be a number from 1 to 65535",
            "5:9 `trust` can't be `own` (write one of `rented`, `shared`, `owned`)",
            "6:9 `1X` is not a variable name: use letters, digits and `_`, not starting with a digit",
            "6:25 a secret is not allowed in the `env` of a host (`T`) (name it in the `env` of the step that needs it)",
            "8:8 `local` always means this machine (give the host another name)",
            "9:12 `hostname` must be a string",
            "11:2 unknown key `host` (a host is a table `[hosts.NAME]`)",
        ]
    );
}

// case A7
#[test]
fn names_and_addresses_have_nothing_that_a_shell_would_read() {
    let text = "\
[hosts.\"a$(id)\"]
hostname = \"b;touch x\"
user = \"c`id`\"
jump = \"root@d|e\"
";
    assert_eq!(
        faults(text),
        [
            "1:8 `a$(id)` can't be the name of a host (use letters, digits, `.`, `_` and `-`)",
            "2:12 `hostname` can't be `b;touch x`",
            "3:8 `user` can't be `c`id``",
            "4:8 `root@d|e` is not a host: a host has letters, digits and `.`, `_`, `-`, `:`, `@`, `%`, `+`, `[`, `]`",
        ]
    );
}

// case F12
#[test]
fn a_jump_may_be_a_vendors_command() {
    let text = "[hosts.a]\nhostname = \"10.0.0.7\"\njump = \"ssh -p 2222 root@b\"\n";
    let file = HostsFile::parse(&Source::new("/h/hosts.toml", text)).unwrap();
    assert_eq!(file.entry("a").unwrap().jump, ["root@b:2222"]);
    assert_eq!(file.path(), "/h/hosts.toml");
}

// case K12
#[test]
fn a_host_key_is_a_public_key() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    let text = format!("[hosts.a]\nhost_key = \"{key} root@gpu\"\n");
    let file = HostsFile::parse(&Source::new("hosts.toml", text)).unwrap();
    assert_eq!(file.entry("a").unwrap().host_keys[0].to_string(), key);
    assert_eq!(
        faults("[hosts.a]\nhost_key = [\"SHA256:x\"]\n"),
        [
            "2:13 `host_key` can't be `SHA256:x`: it is not a public key, as in `ssh-ed25519 AAAAC3Nz…` (on the \
             host, `cat /etc/ssh/ssh_host_ed25519_key.pub` prints it)"
        ]
    );
}

#[test]
fn who_speaks_ssh_is_one_of_two_words() {
    let text = "[hosts.a]\ntransport = \"openssh\"\n[hosts.b]\n";
    let file = HostsFile::parse(&Source::new("hosts.toml", text)).unwrap();
    assert_eq!(file.entry("a").unwrap().transport, crate::Transport::OpenSsh);
    assert_eq!(file.entry("b").unwrap().transport, crate::Transport::Doppio);
    assert_eq!(file.keys_of("a"), ["transport"]);
    assert_eq!(
        faults("[hosts.a]\ntransport = \"ssh\"\n[hosts.b]\ntransport = \"openssh\"\ncarrier = \"channel\"\n"),
        [
            "2:13 `transport` can't be `ssh` (write one of `doppio`, `openssh`)",
            "3:8 `b` can't have `carrier = \"channel\"` with `transport = \"openssh\"` (leave `carrier` out: what \
             `ssh` is to send as variables would stand in its environment)",
        ]
    );
}

#[test]
fn broken_toml_is_a_fault_like_any_other() {
    assert!(!faults("[hosts.a\n").is_empty());
}
