//! Whom Doppio trusts on this machine: files that others can write, host ids that a shell would read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use doppio_test_support::Doppio;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the file is ours");
}

/// A machine whose config.toml names a program that leaves a trace.
fn with_command() -> Doppio {
    let doppio = Doppio::new();
    let trace = doppio.folder().join("trace");
    let settings = format!(
        "[sources.command.leave]\nrun = [\"sh\", \"-c\", \"touch {}; echo value\"]\n",
        trace.display()
    );
    doppio.private("home/doppio/config.toml", settings);
    mode(&doppio.doppio_home(), 0o700);
    mode(&doppio.home(), 0o755);
    doppio
}

const ASK: [&str; 5] = ["secret", "get", "command:leave", "--reveal", "--force"];

/// The hint's command, run by a shell.
fn run_hint(stderr: &str) {
    let hint = stderr.lines().find(|line| line.starts_with("hint: ")).expect("a hint");
    let command = hint.split('`').nth(1).expect("a command in it");
    let done = std::process::Command::new("sh").args(["-c", command]).status().expect("a shell");
    assert!(done.success(), "{command}");
}

// case L8
#[test]
fn settings_that_others_can_write_run_nothing() {
    let doppio = with_command();
    let trace = doppio.folder().join("trace");
    let config = doppio.doppio_home().join("config.toml");
    for (path, bits, kind) in [
        (&config, 0o666, "file"),
        (&config, 0o602, "file"),
        (&doppio.doppio_home(), 0o777, "folder"),
        (&doppio.home(), 0o757, "folder"),
    ] {
        let before = path.metadata().unwrap().permissions();
        mode(path, bits);
        let ran = doppio.run(ASK).expect(3);
        let message = format!("error: others can write the {kind} `{}` (mode {bits:04o})", path.display());
        assert!(ran.stderr.contains(&message), "{}", ran.stderr);
        assert!(!trace.exists(), "the program ran");
        run_hint(&ran.stderr);
        assert_eq!(doppio.run(ASK).expect(0).stdout.trim(), "value");
        fs::remove_file(&trace).expect("the program ran");
        fs::set_permissions(path, before).unwrap();
    }
}

// case L8
#[test]
fn a_link_to_settings_in_an_open_folder_runs_nothing() {
    let doppio = with_command();
    let open = doppio.home().join("dotfiles");
    fs::create_dir(&open).unwrap();
    fs::rename(doppio.doppio_home().join("config.toml"), open.join("config.toml")).unwrap();
    symlink(open.join("config.toml"), doppio.doppio_home().join("config.toml")).unwrap();
    mode(&open, 0o777);
    let ran = doppio.run(ASK).expect(3);
    assert!(ran.stderr.contains("others can write the folder"), "{}", ran.stderr);
    assert!(!doppio.folder().join("trace").exists(), "the program ran");
    mode(&open, 0o755);
    doppio.run(ASK).expect(0);
}

// case L8
#[test]
fn hosts_and_passphrases_that_others_can_write_are_not_read() {
    let doppio = Doppio::with_vault();
    mode(&doppio.home(), 0o755);
    mode(&doppio.doppio_home(), 0o700);
    doppio.hosts("[hosts.gpu]\nhostname = \"10.0.0.7\"\n");
    let hosts = doppio.doppio_home().join("hosts.toml");
    mode(&hosts, 0o622);
    let ran = doppio.run(["host", "list"]).expect(3);
    let message = format!("error: others can write the file `{}` (mode 0622)", hosts.display());
    assert!(ran.stderr.contains(&message), "{}", ran.stderr);
    run_hint(&ran.stderr);
    assert_eq!(doppio.run(["host", "list"]).expect(0).stdout, "gpu\n");

    // Where there is none, somebody could put one.
    fs::remove_file(&hosts).unwrap();
    mode(&doppio.doppio_home(), 0o777);
    let ran = doppio.run(["host", "list"]).expect(3);
    assert!(ran.stderr.contains("others can write the folder"), "{}", ran.stderr);
    mode(&doppio.doppio_home(), 0o700);

    let open = doppio.home().join("open");
    fs::create_dir(&open).unwrap();
    let passphrase = doppio.private("home/open/passphrase", "a passphrase of the tests");
    mode(&open, 0o777);
    let doppio = doppio.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    let ran = doppio.run_with_stdin(["secret", "set", "a/b", "--from-stdin"], "value").expect(3);
    assert!(ran.stderr.contains("others can write the folder"), "{}", ran.stderr);
    run_hint(&ran.stderr);
    doppio.store("a/b", "value");
}

// case A7
#[test]
fn a_host_that_a_shell_would_read_is_refused_at_check_and_in_the_run() {
    let doppio = Doppio::new();
    let step = |rest: &str| format!("[[step]]\nid = \"a\"\n{rest}\n");
    for host in ["$(touch x)", "a;b", "`id`", "a'b", "a\\nb", "-oProxyCommand=x"] {
        doppio.recipe(&step(&format!("ssh_command = {{ host_id = \"{host}\", command = \"true\" }}")));
        let ran = doppio.run(["check", "recipe.toml"]).expect(2);
        assert!(ran.stderr.contains(" is not a host: "), "{host}: {}", ran.stderr);
    }
    doppio.recipe(
        "[[step]]\nid = \"find\"\nlocal_command = { command = \"echo '$(touch planted)'\", outputs = { place = \"(.*)\" } }\n\
         [[step]]\nid = \"use\"\ndepends_on = [\"find\"]\nssh_command = { host_id = \"${step.find.outputs.place}\", command = \"true\" }\n",
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(ran.stderr.contains("`$(touch planted)` is not a host: "), "{}", ran.stderr);
    assert!(!doppio.folder().join("project/planted").exists());
}

// case A7
#[test]
fn a_command_of_a_hint_is_quoted_for_a_shell() {
    let doppio = Doppio::new();
    let folder = doppio.folder().join("project/a b;$(touch planted)");
    fs::create_dir(&folder).unwrap();
    let home = folder.join("doppio");
    fs::create_dir(&home).unwrap();
    mode(&home, 0o777);
    let doppio = doppio.env("DOPPIO_HOME", &home);
    let ran = doppio.run(["host", "list"]).expect(3);
    assert!(ran.stderr.contains(&format!("`chmod go-w '{}'`", home.display())), "{}", ran.stderr);
    run_hint(&ran.stderr);
    assert_eq!(home.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert!(!doppio.folder().join("project/planted").exists());
}

// case F12
#[test]
fn a_host_is_added_by_what_its_vendor_shows() {
    let doppio = Doppio::new();
    mode(&doppio.home(), 0o755);
    fs::remove_dir(doppio.doppio_home()).unwrap();
    let hosts = doppio.doppio_home().join("hosts.toml");
    let add = |arguments: &[&str]| doppio.run([&["host", "add"][..], arguments].concat());
    let ran = add(&["gpu", "ssh -p 37487 root@1.2.3.4 -L 8080:localhost:8080"]).expect(0);
    assert!(ran.stderr.contains(&format!("added `gpu` to {}", hosts.display())), "{}", ran.stderr);
    assert!(ran.stderr.contains("`doppio doctor --host gpu`"), "{}", ran.stderr);
    add(&["--trust", "owned", "box", "ssh", "-i", "~/.ssh/pod", "ada@10.0.0.7"]).expect(0);
    let first = "[hosts.gpu]\nhostname = \"1.2.3.4\"\nport = 37487\nuser = \"root\"\n";
    let second = "[hosts.box]\nhostname = \"10.0.0.7\"\nuser = \"ada\"\nidentity_file = \"~/.ssh/pod\"\ntrust = \"owned\"\n";
    assert_eq!(fs::read_to_string(&hosts).unwrap(), format!("{first}\n{second}"));
    assert_eq!(hosts.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(doppio.run(["host", "list"]).expect(0).stdout, "gpu\nbox\n");
    for (arguments, why) in [
        (&["gpu", "root@a"][..], "already has a host `gpu`"),
        (&["local", "root@a"], "`local` always means this machine"),
        (&["a;b", "root@a"], "`a;b` can't be the name of a host"),
        (&["new", "root@a:x"], "the port is not a number from 1 to 65535"),
        (&["new", "ssh -o ProxyCommand=x a"], "`-o` is not read"),
        (&["new", "ssh -J $(id) a"], "is not a host"),
    ] {
        let ran = add(arguments).expect(2);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(&hosts).unwrap(), format!("{first}\n{second}"));
}

// case F12
#[test]
fn a_vendors_command_is_taken_wherever_a_host_is() {
    let doppio = Doppio::new();
    let command = "ssh -p 37487 root@127.0.0.1";
    doppio.recipe("[[step]]\nid = \"a\"\nssh_command = { command = \"true\" }\n");
    let ran = doppio.run(["plan", "recipe.toml", "--host", command]).expect(0);
    assert!(ran.stdout.contains("root@127.0.0.1:37487"), "{}", ran.stdout);
    doppio.recipe(&format!(
        "[[step]]\nid = \"a\"\nssh_command = {{ host_id = \"{command}\", command = \"true\" }}\n\
         [[step]]\nid = \"b\"\nhosts = [\"{command}\"]\nssh_command = {{ command = \"true\" }}\n"
    ));
    doppio.run(["check", "recipe.toml"]).expect(0);
    let ran = doppio.run(["host", "forget", command]).expect(3);
    assert!(ran.stderr.contains("no key of `root@127.0.0.1:37487` is stored"), "{}", ran.stderr);
}
