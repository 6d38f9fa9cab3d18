//! `when` asks the host of a step what it has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// A host whose `nvidia-smi` is this, and a user who calls it `gpu`.
fn host(smi: &str) -> (Sshd, Doppio) {
    let builder = Sshd::builder(Variant::Stock);
    let bin = builder.folder().join("home/bin");
    let server = builder.line(format!("SetEnv PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())).start();
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join("nvidia-smi");
    fs::write(&program, format!("#!/bin/sh\n{smi}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts(&server.hosts_toml("gpu"));
    (server, doppio)
}

fn step(id: &str, when: &str) -> String {
    format!("[[step]]\nid = \"{id}\"\nwhen = \"{when}\"\nssh_command = {{ command = \"echo {id} ran\" }}\n")
}

const TWO_GPUS: &str = r"
case $* in
  *query-gpu=memory*) printf '81559, 550.54.15, NVIDIA H100 80GB HBM3\n81559, 550.54.15, NVIDIA H100 80GB HBM3\n' ;;
  *query-gpu=uuid*) printf 'GPU-a, 4\nGPU-b, 70000\n' ;;
  *query-compute*) echo GPU-b ;;
  *) echo '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4     |' ;;
esac";

#[test]
fn a_condition_sees_what_the_host_has() {
    let (_server, doppio) = host(TWO_GPUS);
    let steps = [
        step("both", "host.gpus.count == 2 and host.cuda >= 12.1 and 'H100' in host.gpu"),
        step("free", "host.gpus.free == 1 and host.disk_gb >= 0"),
        step("eight", "host.gpus.count >= 8"),
    ];
    doppio.recipe(&steps.concat());
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(0);
    for said in ["both ran", "free ran", "skipped: `when` is false"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("eight ran"), "{}", ran.stderr);
}

#[test]
fn a_host_without_gpus_has_none_and_one_out_of_reach_is_an_error() {
    let (_server, doppio) = host("echo 'No devices were found'; exit 6");
    doppio.recipe(&step("none", "host.gpus.count == 0 and not host.gpu and host.cuda == 0"));
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(0);
    assert!(ran.stderr.contains("none ran"), "{}", ran.stderr);
    let ran = doppio.run(["run", "recipe.toml", "--host", "root@127.0.0.1:1"]);
    assert!(ran.code != 0 && ran.stderr.contains("its `when` can't be evaluated"), "{}", ran.stderr);
    assert!(ran.stderr.contains("what `root@127.0.0.1:1` has is not known"), "{}", ran.stderr);
}

#[test]
fn an_interrupt_does_not_wait_for_a_driver_that_hangs() {
    let (server, doppio) = host("touch \"$HOME/asked\"; exec sleep 1000");
    doppio.recipe(&step("never", "host.gpus.count > 0"));
    let child =
        doppio.command(["run", "recipe.toml", "--host", "gpu"]).stderr(Stdio::piped()).spawn().unwrap();
    let asked = server.home().join("asked");
    wait_for("the question", || asked.exists());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap()).expect(130);
    assert!(ran.stderr.contains("1 cancelled") && !ran.stderr.contains("never ran"), "{}", ran.stderr);
}
