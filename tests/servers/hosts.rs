//! `doppio host …`, `doppio ps` and `doppio code` with real servers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

fn machine(hosts: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(hosts);
    doppio
}

/// Writes a program of shell text.
fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_host_is_tested_phase_by_phase() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server.hosts_toml("gpu"));
    let ran = doppio.run(["host", "test", "gpu", "--json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let phases: Vec<&str> =
        report["phases"].as_array().unwrap().iter().filter_map(|phase| phase["phase"].as_str()).collect();
    assert_eq!(phases, ["connect", "banner", "key exchange", "login", "command"]);
    let shown = doppio.run(["host", "test", "gpu"]).expect(0).stdout;
    assert!(shown.contains("SSH-2.0-OpenSSH") && shown.contains("`root` by key SHA256:"), "{shown}");
    let probed = doppio.run(["host", "probe", "gpu"]).expect(0).stdout;
    assert!(probed.contains("tmux") && !probed.contains("keychain"), "{probed}");
    let closed = Sshd::start(Variant::NoLogin);
    doppio.hosts(&closed.hosts_toml("shut"));
    let ran = doppio.run(["host", "test", "shut"]).expect(3);
    assert!(ran.stderr.contains("login as `root` on `shut` refused"), "{}", ran.stderr);
}

#[test]
fn other_programs_reach_a_host_as_doppio_does() {
    let (bastion, server) = (Sshd::start(Variant::Stock), Sshd::start(Variant::Stock));
    let doppio = machine(&format!(
        "{}jump = \"bastion\"\n{}host_key = \"{}\"\n",
        server.hosts_toml("gpu"),
        bastion.hosts_toml("bastion"),
        bastion.host_key("ed25519")
    ));
    doppio.run(["host", "test", "gpu"]).expect(0);
    let stand_in = doppio.folder().join("bin/code");
    program(&stand_in, "printf '%s\\n' \"$@\"");
    let path = format!("{}:{}", stand_in.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let doppio = doppio.env("PATH", path);
    let ran = doppio.run(["code", "gpu", "/workspace"]).expect(2);
    assert!(ran.stderr.contains("doppio host export-ssh-config --write --add-include"), "{}", ran.stderr);
    doppio.run(["host", "export-ssh-config", "--write", "--add-include"]).expect(0);
    let ran = doppio.run(["code", "gpu", "/work space"]).expect(0);
    assert_eq!(ran.stdout, "--remote\nssh-remote+doppio-gpu\n/work space\n");
    let ran = doppio.run(["code", "gpu", "/", "--editor", "no-such-editor"]).expect(3);
    assert!(ran.stderr.contains("`no-such-editor` is not installed"), "{}", ran.stderr);
    // A host of ssh_config is known to the editor by its own name.
    let config = doppio.home().join(".ssh/config");
    let block = format!(
        "Host lab\n    HostName {}\n    Port {}\n    User root\n    IdentityFile {}\n",
        server.address().ip(),
        server.address().port(),
        server.key().display()
    );
    fs::write(&config, fs::read_to_string(&config).unwrap() + &block).unwrap();
    let ran = doppio.run(["code", "lab", "/workspace"]).expect(0);
    assert_eq!(ran.stdout, "--remote\nssh-remote+lab\n/workspace\n");
    let ran = doppio.run(["code", "root@192.0.2.1", "/"]).expect(2);
    assert!(ran.stderr.contains("`doppio host add NAME root@192.0.2.1`"), "{}", ran.stderr);
    // What the editor would do.
    let output = Command::new("ssh")
        .arg("-F")
        .arg(doppio.home().join(".ssh/doppio.config"))
        .args(["-o", "BatchMode=yes", "doppio-gpu", "echo $HOME"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, format!("{}\n", server.home().display()), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_was_started_there_is_listed_with_who_started_it() {
    let builder = Sshd::builder(Variant::Stock);
    let bin = builder.folder().join("home/bin");
    let server = builder.line(format!("SetEnv PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())).start();
    program(
        &bin.join("nvidia-smi"),
        "case $* in *--query-compute-apps=*) echo \"$(cat ~/user), 1500\";; esac",
    );
    let tagged = format!("{}tags = [\"gpus\"]\n", server.hosts_toml("gpu"));
    let doppio = machine(&tagged);
    let none = doppio.run(["ps", "--host", "gpu"]).expect(0);
    assert!(
        none.stdout.is_empty() && none.stderr.contains("Doppio has started nothing there"),
        "{}",
        none.stderr
    );
    doppio.recipe(
        "[[step]]\nid = \"train\"\ntmux_new = { host_id = \"gpu\", session_name = \"train it\", command = \"echo $$ >user; sleep 600\" }\n\
         [[step]]\nid = \"fail\"\ntmux_new = { host_id = \"gpu\", session_name = \"short\", command = \"exit 3\" }\n",
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    let jobs = || -> Vec<serde_json::Value> {
        let printed = doppio.run(["ps", "--host", "@gpus", "--json"]).expect(0).stdout;
        serde_json::from_str(&printed).unwrap()
    };
    wait_for("the short one to end", || jobs().iter().any(|job| job["exit_code"] == 3));
    wait_for("the other one to use a GPU", || jobs().iter().any(|job| job["gpu_mib"] == 1500));
    let jobs = jobs();
    let of = |step: &str| jobs.iter().find(|job| job["step"] == step).unwrap();
    let (train, fail) = (of("train"), of("fail"));
    assert_eq!((&train["state"], &train["session"]), (&"running".into(), &"train it".into()), "{train}");
    assert_eq!((&train["recipe"], &train["host"]), (&"test".into(), &"gpu".into()), "{train}");
    assert!(server.has_process(&train["pid"].to_string()), "{train}");
    assert_eq!((&fail["state"], fail.get("session")), (&"ended".into(), None), "{fail}");
    assert_eq!((&train["gpu_mib"], fail.get("gpu_mib")), (&1500.into(), None), "{train}");
    assert!(fail["ended"].as_str().is_some_and(|time| time.ends_with('Z')), "{fail}");
    let shown = doppio.run(["ps", "--host", "gpu"]).expect(0).stdout;
    assert!(shown.contains("running") && shown.contains("exit code 3"), "{shown}");
    drop(server);
    let ran = doppio.run(["ps", "--host", "gpu"]).expect(3);
    assert!(ran.stderr.contains("nothing listens on"), "{}", ran.stderr);
}
