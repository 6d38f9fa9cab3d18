//! `doppio secret exec` through the real binary.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Output;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::send;

fn machine() -> Doppio {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    doppio
}

/// Runs a shell text with `T` set.
fn sh(doppio: &Doppio, text: &str) -> Output {
    doppio.command(["secret", "exec", "T=team/key", "--", "sh", "-c", text]).output().unwrap()
}

#[test]
fn a_command_gets_its_secret_and_its_output_is_masked() {
    let doppio = machine();
    let output = sh(&doppio, "printf 'a\\377%s\\0b\\r\\n' \"$T\"; printf 'e%s' \"$T\" >&2; exit 7");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"a\xff***\0b\r\n");
    assert_eq!(output.stderr, b"e***");
    let whole = sh(&doppio, "test \"$T\" = 'hunter2 one'");
    assert_eq!(whole.status.code(), Some(0));
    // In an encoding, and in pieces.
    let encoded = sh(&doppio, "printf %s \"$T\" | base64").stdout;
    assert!(encoded.starts_with(b"***") && encoded.len() <= 7, "{}", String::from_utf8_lossy(&encoded));
    assert_eq!(sh(&doppio, "printf 'hunter'; sleep 0.1; printf '2 one.\\n'").stdout, b"***.\n");
    let open = doppio.run(["secret", "exec", "--no-mask", "T=team/key", "--", "sh", "-c", "echo $T"]);
    assert_eq!(open.expect(0).stdout, "hunter2 one\n");
}

#[test]
fn stdin_goes_through_and_no_value_is_in_an_argument() {
    let doppio = machine();
    let script = "cat; tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline";
    let arguments = ["secret", "exec", "--no-mask", "T=team/key", "--", "sh", "-c", script];
    let ran = doppio.run_with_stdin(arguments, "typed\n").expect(0);
    assert!(ran.stdout.starts_with("typed\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("T=team/key") && !ran.stdout.contains("hunter2"), "{}", ran.stdout);
}

#[test]
fn what_opens_the_vault_is_not_handed_on() {
    let doppio = machine();
    let ran = doppio.run(["secret", "exec", "T=team/key", "--", "env"]).expect(0);
    assert!(ran.stdout.contains("T=***\n") && !ran.stdout.contains("DOPPIO_PASSPHRASE"), "{}", ran.stdout);
}

#[test]
fn commands_that_cannot_be_run_say_so_as_shells_do() {
    let doppio = machine();
    let ran = doppio.run(["secret", "exec", "T=team/key", "--", "no-such-program"]).expect(127);
    insta::assert_snapshot!(ran.stderr, @"
    error: cannot start `no-such-program`
      cause: No such file or directory (os error 2)
    ");
    doppio.file("text", "x");
    doppio.run(["secret", "exec", "T=team/key", "--", "./text"]).expect(126);
    let ran = doppio.run(["secret", "exec", "T=team/gone", "--", "touch", "ran"]).expect(3);
    assert!(ran.stderr.contains("doppio secret set team/gone"), "{}", ran.stderr);
    assert!(!doppio.folder().join("project/ran").exists());
    doppio.run(["secret", "exec", "T=team/key"]).expect(2);
    doppio.run(["secret", "exec", "--", "true"]).expect(2);
    let token = format!("T=hf_{}", "hunter2".repeat(5));
    let ran = doppio.run(["secret", "exec", &token, "--", "true"]).expect(2);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

/// Starts a shell that has set its traps when this returns.
fn ready(doppio: &Doppio, script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let script = format!("{script}\necho ready; while :; do sleep 0.05; done");
    let mut child = doppio.start(["secret", "exec", "T=team/key", "--", "sh", "-c", &script]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, stdout)
}

#[test]
fn signals_and_their_exit_codes_go_through() {
    let doppio = machine();
    for (signal, name) in
        [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")]
    {
        let (mut child, mut stdout) = ready(&doppio, &format!("trap 'echo got $T {name}; exit 9' {name}"));
        send(&child, signal);
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        assert_eq!(said, format!("got *** {name}\n"));
        assert_eq!(child.wait().unwrap().code(), Some(9));
    }
    // One that the command is ended by, and one that changes nothing.
    let (mut child, mut stdout) = ready(&doppio, "trap 'echo size' WINCH");
    send(&child, Signal::WINCH);
    let mut said = String::new();
    stdout.read_line(&mut said).unwrap();
    assert_eq!(said, "size\n");
    send(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_eq!(sh(&doppio, "kill -9 $$").status.code(), Some(137));
}

#[test]
fn a_reader_that_goes_away_ends_the_command() {
    let doppio = machine();
    let mut child = doppio.start(["secret", "exec", "T=team/key", "--", "yes"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
}

#[test]
fn output_that_is_lost_is_told() {
    let doppio = machine();
    let lose = |script: &str| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = doppio.command(["secret", "exec", "T=team/key", "--", "sh", "-c", script]);
        command.stdout(full).output().unwrap()
    };
    let output = lose("echo hi");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("error: output of `sh` was lost"), "{stderr}");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(lose("echo hi; exit 7").status.code(), Some(7));
}

/// Runs a shell text in which descriptor 7 is a file with the vault's passphrase.
fn with_descriptor(doppio: &Doppio, text: &str) -> Output {
    let passphrase = doppio.home().join("passphrase");
    let script = format!("exec 7< '{}'; {text}", passphrase.display());
    let command = doppio.command([""; 0]);
    let environment: Vec<_> = command
        .get_envs()
        .filter(|(name, _)| *name != "DOPPIO_PASSPHRASE_FILE")
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .envs(environment)
        .env("DOPPIO_PASSPHRASE_FD", "7")
        .env("DOPPIO", env!("CARGO_BIN_EXE_doppio"))
        .current_dir(doppio.folder().join("project"))
        .output()
        .unwrap()
}

#[test]
fn no_child_can_read_the_passphrase_once_more() {
    let doppio = machine();
    let read = "sh -c 'cat /proc/self/fd/7 || echo \"none $T\"'";
    let output =
        with_descriptor(&doppio, &format!("exec \"$DOPPIO\" secret exec --no-mask T=team/key -- {read}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "none hunter2 one\n", "{stderr}");
    // As long as the descriptor is handed on by the shell, it can be read.
    let output = with_descriptor(&doppio, "cat /proc/self/fd/7");
    assert!(!output.stdout.is_empty());
    doppio.file(
        "r.toml",
        "[recipe]\nname = 'r'\n[[step]]\nid = 'a'\n\
         local_command = { command = 'cat /proc/self/fd/7 > out || echo none > out', env = { T = '${secret:team/key}' } }\n",
    );
    let output = with_descriptor(&doppio, "exec \"$DOPPIO\" run r.toml");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(doppio.folder().join("project/out")).unwrap(), "none\n");
    // On stdin, it is not the command's either.
    let script =
        "exec 0< \"$HOME/passphrase\"; DOPPIO_PASSPHRASE_FD=0 exec \"$DOPPIO\" secret exec T=team/key -- cat";
    assert_eq!(with_descriptor(&doppio, script).stdout, b"");
}

// case J10
#[test]
fn a_secret_goes_into_its_usual_variable() {
    let doppio = machine();
    doppio.store("huggingface/token", "hunter2 hf");
    let exec = |arguments: &[&str], script: &str| {
        let command = ["--", "sh", "-c", script];
        doppio.run(["secret", "exec"].iter().chain(arguments).chain(&command))
    };
    exec(&["huggingface/token", "team/key"], "test \"$HF_TOKEN $TEAM_KEY\" = 'hunter2 hf hunter2 one'")
        .expect(0);
    // What the settings list, and what a recipe needs.
    let ran = exec(&[], "true").expect(2);
    assert!(ran.stderr.contains("the settings list none"), "{}", ran.stderr);
    doppio.file("doppio.toml", "[exec]\nMY_TOKEN = \"huggingface/token\"\n");
    exec(&[], "test \"$MY_TOKEN\" = 'hunter2 hf'").expect(0);
    doppio.recipe("[[step]]\nid = \"a\"\nlocal_command = { command = \"true\", env = { X = \"${secret:team/key}\" } }\n");
    exec(&["--recipe", "recipe.toml"], "test \"$TEAM_KEY\" = 'hunter2 one'; test -z \"$MY_TOKEN\"").expect(0);
    // A program that fetches it by itself: masked, and not handed over.
    let ran = exec(
        &["team/key", "--also-mask", "huggingface/token"],
        "test -z \"$HF_TOKEN\" && echo got hunter2 hf",
    )
    .expect(0);
    assert_eq!(ran.stdout, "got ***\n");
    for (project, words) in [
        ("[exec]\nMODEL = \"team/key\"\n", "`MODEL` is not known as a secret's variable"),
        ("[exec]\nOPENAI_BASE_URL = \"team/key\"\n", "tells programs what to run or where to connect"),
        ("[profile.p.exec]\nKUBECONFIG = \"team/key\"\n", "tells programs what to run or where to connect"),
        ("[exec]\nLD_PRELOAD = \"team/key\"\n", "tells programs what to run"),
        ("[exec]\nhttps_proxy = \"team/key\"\n", "tells programs what to run"),
        ("[exec]\nMY_TOKEN = \"team/none?hf_kQzVbXmW\"\n", "no default"),
        ("[exec]\nMY_TOKEN = \"dotenv:MY_TOKEN\"\n", "nothing of a dotenv file"),
        ("[exec]\nA = \"kQzVbXmW not a name\"\n", "must be given a reference"),
        ("[exec]\nA_TOKEN = \"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\"\n", "must be given a reference"),
    ] {
        doppio.file("doppio.toml", project);
        let ran = exec(&[], "true").expect(2);
        assert!(ran.stderr.contains(words) && !ran.stderr.contains("kQzVbXmW"), "{}", ran.stderr);
    }
}

// case J10
#[test]
fn the_users_own_settings_set_what_they_like() {
    let doppio = machine();
    doppio.private(
        "home/doppio/config.toml",
        "[exec]\nMY_HOST = \"team/key\"\nMODEL = \"team/none?llama\"\nHF_TOKEN = \"team/none??\"\n",
    );
    let script = "test \"$MY_HOST $MODEL ${HF_TOKEN-unset}\" = 'hunter2 one llama unset'";
    doppio.run(["secret", "exec", "--", "sh", "-c", script]).expect(0);
}

// case J10
#[test]
fn a_recipes_default_becomes_no_variable_of_a_command() {
    let doppio = machine();
    let recipe = "[[step]]\nid = \"a\"\nlocal_command = { command = \"true\", env = \
                  { X = \"${secret:team/model?evil}\", Y = \"${secret:team/key?evil}\", Z = \"${secret:team/model?worse}\" } }\n";
    doppio.recipe(recipe);
    let script = "test \"${TEAM_MODEL-unset} $TEAM_KEY\" = 'unset hunter2 one'";
    doppio.run(["secret", "exec", "--recipe", "recipe.toml", "--", "sh", "-c", script]).expect(0);
    let export = ["secret", "export", "--recipe", "recipe.toml", "--format"];
    let ran = doppio.run(export.iter().chain(&["shell", "--reveal", "--force"])).expect(0);
    assert_eq!(ran.stdout, "export TEAM_KEY='hunter2 one'\n");
    let ran = doppio.run(export.iter().chain(&["compose"])).expect(0);
    assert!(!ran.stdout.contains("evil") && !ran.stdout.contains("worse"), "{}", ran.stdout);
}

#[test]
fn a_recipe_of_others_steers_no_program() {
    let doppio = Doppio::with_vault();
    for reference in [
        "docker/host",
        "hf/endpoint",
        "ld/preload?./evil.so",
        "bash/env?./evil.sh",
        "tar/options?--checkpoint=1",
    ] {
        doppio.recipe(&format!(
            "[[step]]\nid = \"a\"\nlocal_command = {{ command = \"true\", env = {{ X = \"${{secret:{reference}}}\" }} }}\n"
        ));
        let ran = doppio.run(["secret", "exec", "--recipe", "recipe.toml", "--", "true"]).expect(2);
        assert!(ran.stderr.contains("has no usual variable"), "{}", ran.stderr);
    }
    // The user may say where it goes.
    doppio.store("db/host", "hunter2 host");
    doppio.recipe(
        "[[step]]\nid = \"a\"\nlocal_command = { command = \"true\", env = { X = \"${secret:db/host}\" } }\n",
    );
    doppio.run(["secret", "exec", "--recipe", "recipe.toml", "--", "true"]).expect(2);
    let given = ["--recipe", "recipe.toml", "DB_HOST=db/host"];
    let exec = ["secret", "exec"].iter().chain(&given).chain(&[
        "--",
        "sh",
        "-c",
        "test \"$DB_HOST\" = 'hunter2 host'",
    ]);
    doppio.run(exec).expect(0);
    let export = ["secret", "export", "--format", "shell", "--reveal", "--force"];
    let ran = doppio.run(export.iter().chain(&given)).expect(0);
    assert_eq!(ran.stdout, "export DB_HOST='hunter2 host'\n");
    doppio
        .run(["secret", "exec", "db/host", "--", "sh", "-c", "test \"$DB_HOST\" = 'hunter2 host'"])
        .expect(0);
}

// case J10
#[test]
fn an_import_ends_with_the_line_to_use_from_now_on() {
    let doppio = Doppio::with_vault();
    doppio.file(".hf_secrets", "export HF_TOKEN=hunter2-hf\nexport DB_PASSWORD='hunter2 db'\n");
    let ran = doppio.run(["secret", "import", ".hf_secrets", "--yes"]).expect(0);
    let line = ran.stderr.lines().find(|line| line.starts_with("use them from now on")).unwrap();
    let command = line.split('`').nth(1).unwrap().replace("COMMAND", "env");
    let ran = doppio.run(command.split(' ').skip(1)).expect(0);
    assert!(ran.stdout.contains("HF_TOKEN=***") && ran.stdout.contains("DB_PASSWORD=***"), "{}", ran.stdout);
}

// case J16
#[test]
fn a_scheduler_that_keeps_its_environment_is_told() {
    let doppio = machine();
    let sbatch = doppio.file("sbatch", "#!/bin/sh\n");
    std::fs::set_permissions(&sbatch, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let exec = |arguments: &[&str]| {
        let command = ["secret", "exec", "team/key", "--", "./sbatch"];
        doppio.run(command.iter().chain(arguments)).expect(0).stderr
    };
    assert!(exec(&["job.sh"]).contains("warning: `sbatch` stores its environment with the job"));
    assert_eq!(exec(&["--export=NONE", "job.sh"]), "");
}
