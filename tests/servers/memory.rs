//! What keeps the memory of Doppio closed, as the system sees it.

use std::fs;
use std::process::Command;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

#[test]
fn what_keeps_values_in_memory_is_told() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    let ran = doppio.run(["doctor"]).expect(0);
    let all = "values in memory: no core dump contains them, other programs of yours can't attach, they stay out of swap";
    assert!(ran.stdout.contains(all), "{}", ran.stdout);
    // Without the right to lock anything: root needs no limit for it.
    let doctor = doppio.command(["doctor"]);
    let mut poor = Command::new("setpriv");
    poor.args([
        "--inh-caps=-ipc_lock",
        "--bounding-set=-ipc_lock",
        "sh",
        "-c",
        "ulimit -l 0; exec \"$0\" doctor",
    ]);
    poor.arg(doctor.get_program()).env_clear().current_dir(doppio.folder());
    poor.envs(doctor.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = poor.output().expect("setpriv is installed");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(said.contains("not guaranteed here: they stay out of swap"), "{said}");
    assert!(said.contains("fix: allow some locked memory"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn others_can_not_read_its_memory() {
    let doppio = Doppio::new();
    let trace = doppio.folder().join("trace");
    let version = doppio.command(["version"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=prctl", "-o"]).arg(&trace).arg(version.get_program());
    traced.args(version.get_args()).envs(version.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(&traced.output().expect("strace is installed")).expect(0);
    let trace = fs::read_to_string(trace).expect("strace wrote it");
    let asked = trace.lines().any(|line| line.contains("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0"));
    assert!(asked, "{trace}");
}
