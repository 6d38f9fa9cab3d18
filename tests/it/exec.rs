//! `doppio exec` on this machine and in the sandbox.

use std::io::Read;

use doppio_test_support::Doppio;

fn machine() -> Doppio {
    Doppio::new().env("DOPPIO_KEYRING", "off")
}

#[test]
fn several_words_are_a_program_and_its_arguments_and_one_is_shell_text() {
    let doppio = machine();
    let ran = doppio.run(["exec", "--host", "local", "--", "printf", "%s|", "a b", "$HOME", "'"]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("a b|$HOME|'|", ""));
    let ran =
        doppio.run(["exec", "--host", "local", "--", "x=${HOME}; echo \"$x\" >&2; printf '%s' $((1+1))"]);
    let ran = ran.expect(0);
    assert_eq!(ran.stdout, "2");
    assert_eq!(ran.stderr, format!("{}\n", doppio.home().display()));
    let ran = doppio.run_with_stdin(["exec", "--host", "local"], "echo one\nfalse\necho two\n").expect(1);
    assert_eq!(ran.stdout, "one\n");
    let ran = doppio.run_with_stdin(["exec", "--host", "local", "-i", "--", "cat"], "a\n${b}").expect(0);
    assert_eq!(ran.stdout, "a\n${b}");
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let doppio = machine();
    for (text, code) in [("exit 7", 7), ("exit 3", 3), ("kill -TERM $$", 143), ("no-such-program", 127)] {
        let ran = doppio.run(["exec", "--host", "local", "--", text]).expect(code);
        assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
    }
    let ran = doppio.run(["exec", "--host", "local", "--timeout", "1", "--", "sleep", "60"]).expect(1);
    assert!(ran.stderr.contains("error: the command failed: timed out"), "{}", ran.stderr);
    let ran = doppio.run(["exec", "--host", "no-such-host", "--", "true"]).expect(3);
    assert!(ran.stderr.contains("unknown host `no-such-host`"), "{}", ran.stderr);
    assert_eq!(doppio.run(["runs", "list"]).expect(0).stdout.matches(" exec").count(), 5);
}

#[test]
fn a_secret_arrives_in_its_variable_and_is_masked() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off");
    doppio.store("team/key", "hunter2 hunter2");
    for reference in ["team/key", "${secret:team/key}"] {
        let env = format!("T={reference}");
        let ran = doppio.run(["exec", "--host", "local", "--env", &env, "--", "echo \"$T\"; echo ${#T}"]);
        assert_eq!(ran.expect(0).stdout, "***\n15\n");
    }
    let audit = doppio.run(["secret", "audit"]).expect(0).stdout;
    assert!(audit.contains("team/key") && audit.contains('T'), "{audit}");
    let missing = doppio.run(["exec", "--host", "local", "--env", "T=team/none", "--", "true"]).expect(3);
    assert!(missing.stderr.contains("team/none"), "{}", missing.stderr);
    let token = format!("T=hf_{}", "a1".repeat(17));
    let refused = doppio.run(["exec", "--host", "local", "--env", &token, "--", "true"]).expect(2);
    assert!(!refused.stderr.contains("a1a1"), "{}", refused.stderr);
}

#[test]
fn what_can_not_run_is_said_beforehand() {
    let doppio = machine();
    let none = doppio.run(["exec", "--host", "local"]).expect(2);
    assert!(none.stderr.contains("there is no command to run"), "{}", none.stderr);
    let named = doppio.run(["exec", "--host", "local", "--", "echo ${secret:team/key}"]).expect(2);
    assert!(named.stderr.contains("--env TOKEN=NAME"), "{}", named.stderr);
    let tag = doppio.run(["exec", "--host", "@gpus", "--", "true"]).expect(2);
    assert!(tag.stderr.contains("no host has the tag `gpus`"), "{}", tag.stderr);
    assert!(!doppio.doppio_home().join("runs").exists(), "there is no run");
}

#[test]
fn a_token_in_the_command_is_warned_of_and_masked() {
    let token = format!("hf_{}", "aB3dE5gH7j".repeat(3) + "kLmN");
    let ran = machine().run(["exec", "--host", "local", "--", "echo", &token]).expect(0);
    assert_eq!(ran.stdout, "***\n");
    assert!(ran.stderr.contains("--env TOKEN=NAME") && !ran.stderr.contains(&token), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_can_not_be_written_is_an_error() {
    let doppio = machine();
    let full = std::fs::File::options().write(true).open("/dev/full").expect("the device");
    let mut command = doppio.command(["exec", "--host", "local", "--", "echo here"]);
    let ran = doppio_test_support::Ran::of(&command.stdout(full).output().expect("it runs")).expect(3);
    assert!(ran.stderr.contains("cannot write the output"), "{}", ran.stderr);
}

#[test]
fn several_hosts_have_their_name_before_each_line() {
    let doppio = machine();
    let text = "echo here; [ -n \"$SSH_CONNECTION\" ] && exit 4; exit 0";
    let ran = doppio.run(["exec", "--host", "local,sandbox", "--", text]);
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["local   | here", "sandbox | here"]);
    assert!(ran.stderr.contains("local   ✓ done in "), "{}", ran.stderr);
    let json = doppio.run(["exec", "--host", "local", "--json", "--", "echo here"]).expect(0);
    assert!(json.stdout.lines().all(|line| line.starts_with("{\"schema\":1,")), "{}", json.stdout);
}

#[test]
fn a_command_that_nobody_reads_any_more_is_stopped() {
    let doppio = machine();
    let mut child = doppio.start(["exec", "--host", "local", "--", "while :; do echo y; done"]);
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; 2]).expect("it prints");
    drop(stdout);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}
