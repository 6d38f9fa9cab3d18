//! What is typed and shown at a real terminal.

use std::fs;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

#[test]
fn a_value_that_is_typed_is_not_shown() {
    let doppio = Doppio::new();
    fs::write(doppio.doppio_home().join("config.toml"), "[vault]\nwork_factor = 10\n").unwrap();
    let (code, shown) = doppio.at_terminal(
        &["secret", "set", "team/key"],
        &[
            ("value of `team/key`", "hunter2 hunter2"),
            ("passphrase for the new age vault", "pass hunter2"),
            ("once more", "pass hunter2"),
        ],
    );
    assert!(code == 0 && shown.contains("stored `team/key` in the age vault"), "{code}: {shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let (code, shown) = doppio.at_terminal(
        &["secret", "get", "team/key", "--reveal"],
        &[("passphrase of the age vault", "pass hunter2")],
    );
    assert!(code == 0 && shown.contains("hunter2 hunter2\r\n"), "{code}: {shown}");
    // Of a paste with several lines nothing is stored, and nothing goes on to the shell.
    let paste = "-----BEGIN hunter2-----\\rhunter2\\r-----END-----";
    let (code, shown) = doppio.at_terminal(&["secret", "set", "team/pem"], &[("value of `team/pem`", paste)]);
    assert!(code == 2 && shown.contains("--from-file FILE"), "{code}: {shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Shells give a job that is brought back a terminal that echoes.
#[test]
fn a_prompt_that_was_stopped_and_brought_back_is_hidden_still() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off").env("PS1", "ready> ");
    let keys = [
        ("ready> ", concat!(env!("CARGO_BIN_EXE_doppio"), " secret set t/d\\r")),
        ("value of", "\\032"),
        ("Stopped", "fg\\r"),
        ("value of", "resumed-value\\r"),
        ("stored", "exit\\r"),
    ];
    let typed = keys.map(|(shown, keys)| (shown, keys.to_owned()));
    let (code, shown) = doppio.spawned("bash --norc --noprofile -i", &typed);
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("resumed-value"), "{shown}");
    assert_eq!(doppio.reveal("t/d"), "resumed-value");
}

#[test]
fn the_terminal_takes_it_where_there_is_no_desktop() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    let (code, shown) =
        doppio.at_terminal(&["secret", "get", "team/key", "--copy", "--clear-after", "1"], &[]);
    assert_eq!(code, 0, "{shown}");
    // `hunter2 one` in base64, and then the emptying.
    assert!(shown.contains("\u{1b}]52;c;aHVudGVyMiBvbmU=\u{7}"), "{shown:?}");
    assert!(shown.contains("\u{1b}]52;c;!\u{7}"), "{shown:?}");
    assert!(!shown.contains("hunter2"), "{shown:?}");
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    let script = "n=0; trap 'n=$((n+1))' INT; echo ready; i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done; echo came $n; exit 4";
    doppio.file("count.sh", script);
    let arguments = ["secret", "exec", "T=team/key", "--", "sh", "count.sh"];
    // `expect` types Ctrl-C where it is asked to type.
    let (code, shown) = doppio.at_terminal(&arguments, &[("ready", "\\003")]);
    assert!(shown.contains("came 1"), "{shown}");
    assert_eq!(code, 4, "{shown}");
}

#[test]
fn the_user_is_asked_about_all_of_it() {
    let doppio = Doppio::with_vault();
    Repository::init(&doppio.folder().join("project"));
    doppio.file(".env", "TEAM_KEY=hunter2-one\n");
    let (code, shown) = doppio.at_terminal(&["secret", "import", ".env"], &[("write 1 secret", "n")]);
    assert!(code == 0 && shown.contains("nothing was done"), "{code}: {shown}");
    let (code, shown) = doppio.at_terminal(
        &["secret", "import", ".env"],
        &[("write 1 secret", "y"), ("remove `.env`", "yes"), ("write rules to .gitignore", "y")],
    );
    assert!(code == 0 && !shown.contains("hunter2"), "{code}: {shown}");
    assert_eq!(doppio.reveal("env/TEAM_KEY"), "hunter2-one");
    assert!(!doppio.folder().join("project/.env").exists());
    let rules = fs::read_to_string(doppio.folder().join("project/.gitignore")).unwrap();
    assert!(rules.lines().any(|line| line == ".env"), "{rules}");
}

#[test]
fn a_file_that_is_not_what_was_read_stays() {
    let doppio = Doppio::with_vault();
    let work = doppio.folder().join("project");
    let file = doppio.file(".env", "TEAM_KEY=hunter2-one\n");
    // Somebody adds to it while the user is asked.
    let late = "[exec sh -c {echo LATE_KEY=hunter2-late >> .env}]y";
    let (code, shown) =
        doppio.at_terminal(&["secret", "import", ".env", "--remove-source"], &[("write 1 secret", late)]);
    assert!(code == 3 && shown.contains("it changed after it was read"), "{code}: {shown}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "TEAM_KEY=hunter2-one\nLATE_KEY=hunter2-late\n");
    let remove = |path: &str| doppio.run(["secret", "import", path, "--remove-source", "--yes"]);
    std::os::unix::fs::symlink(".env", work.join("link.env")).unwrap();
    assert!(remove("link.env").expect(3).stderr.contains("it is a link"));
    fs::hard_link(&file, work.join("hard.env")).unwrap();
    assert!(remove("hard.env").expect(3).stderr.contains("it has another name"));
    assert!(fs::read_to_string(&file).unwrap().contains("LATE_KEY=hunter2-late"));
    fs::remove_file(work.join("hard.env")).unwrap();
    remove(".env").expect(0);
    assert!(!file.exists());
    assert_eq!(doppio.reveal("env/LATE_KEY"), "hunter2-late");
}

/// case A8
#[test]
fn foreign_text_does_not_command_it() {
    const NAME: &str = "ev\u{1b}[31mil\u{1b}]52;c;cm0gLXJm\u{7}\u{202e}fdp.exe";
    let doppio = Doppio::new();
    let name = serde_json::to_string(NAME).unwrap();
    let text = format!(
        "[recipe]\nname = {name}\n\n[[step]]\nid = \"show\"\nname = {name}\nmatrix = {{ file = [\"a\u{202e}b\", \"c\u{200b}d\"] }}\n\
         local_command = {{ command = '''printf 'x\\033[2J\\302\\2331my\\342\\200\\256z\\n'; echo ${{matrix.file}}; exit 3''' }}\n"
    );
    doppio.file("recipe.toml", text);
    let drawn = "[recipe]\nname = \"test\"\n[[step]]\nid = \"a\"\nlocal_command = { command = \"true\" }\ndepends_on = [\"b\u{202e}c\u{e0041}\u{9b}31m\"]\n";
    doppio.file("drawn.toml", drawn);
    for arguments in [
        &["run", "recipe.toml"][..],
        &["plan", "recipe.toml"],
        &["check", "recipe.toml"],
        &["check", "drawn.toml"],
        &["runs", "list"],
        &["runs", "show"],
        &["runs", "logs"],
    ] {
        let (_, shown) = doppio.at_terminal(arguments, &[]);
        // Doppio's own colours and ways of the cursor are allowed.
        for foreign in ["52;", "\u{1b}[31mil", "\u{202e}", "\u{200b}", "\u{9b}", "\u{1b}[2J", "cm0gLXJm"] {
            assert!(!shown.contains(foreign), "{arguments:?}: {foreign:?} in {shown:?}");
        }
    }
}

/// Text without its escape sequences, for a terminal shows none of them.
fn plain(shown: &str) -> String {
    let escapes =
        regex::Regex::new("\u{1b}\\[[0-9;?]*[a-zA-Z]|\u{1b}\\][^\u{7}]*\u{7}").expect("an expression");
    escapes.replace_all(shown, "").into_owned()
}

#[test]
fn narrow_terminals_show_what_wide_ones_do() {
    let doppio = Doppio::new().env("TERM", "xterm-256color").env("DOPPIO_KEYRING", "off");
    let long = "x".repeat(100);
    doppio.recipe(&format!(
        "[[step]]\nid = \"a-step-with-a-rather-long-id-{long}\"\nlocal_command = {{ command = \"echo {long}; exit 3\" }}\n\
         [[step]]\nid = \"b\"\nlocal_command = {{ command = \"sleep 0.3\" }}\n"
    ));
    doppio.file("bad.toml", format!("[recipe]\nname = \"{long}\"\n[[step]]\nid = \"a\"\nrun = \"{long}\"\n"));
    let binary = env!("CARGO_BIN_EXE_doppio");
    for columns in [40, 60] {
        let at = |arguments: &str, code: i32| {
            let command = format!("sh -c {{stty cols {columns} rows 24; exec {binary} {arguments}}}");
            let (ended, shown) = doppio.spawned(&command, &[]);
            assert_eq!(ended, code, "{arguments}: {shown}");
            plain(&shown)
        };
        let shown = at("run recipe.toml", 1);
        assert!(shown.contains("exit code 3") && shown.contains(&long), "{columns}: {shown}");
        assert!(at("plan recipe.toml", 0).contains("2. b"), "{columns}");
        let shown = at("check bad.toml", 2);
        assert!(shown.contains("unknown key `run` in a step") && shown.contains("bad.toml:5:1"), "{shown}");
        assert!(at("doctor", 0).contains("memory"), "{columns}");
        for line in at("run --help", 0).lines() {
            // A word that is longer than that stays whole.
            let width = line.trim_end().chars().count();
            assert!(width <= columns || !line.trim().contains(' '), "{columns}: {line:?}");
        }
    }
}

// case F15
#[test]
fn shells_complete_names() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.hosts("[hosts.gpu-box]\nhostname = \"10.0.0.7\"\n");
    let binary = env!("CARGO_BIN_EXE_doppio");
    for shell in ["bash", "zsh", "fish"] {
        doppio.file(shell, doppio.run(["completions", shell]).expect(0).stdout);
    }
    let path =
        format!("{}:/usr/bin:/bin", std::path::Path::new(binary).parent().expect("a folder").display());
    let ask = |program: &str, arguments: &[&str]| {
        let command = doppio.command([""; 0]);
        let output = std::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", &path)
            .current_dir(doppio.folder().join("project"))
            .output()
            .expect("the shell runs");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let bash = |words: &str| {
        let script = format!(
            "source ./bash; COMP_WORDS=(doppio {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _doppio_or_names doppio \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        ask("bash", &["--norc", "-c", &script])
    };
    assert_eq!(bash("run r.toml --host gpu"), "gpu-box\n");
    for words in ["host forget s", "host show s", "ssh s", "forward s", "exec --host s"] {
        assert_eq!(bash(words), "sandbox\n", "{words}");
    }
    assert_eq!(bash("secret set huggingface/t"), "huggingface/token\n");
    assert!(bash("ru").contains("run"), "{}", bash("ru"));
    assert!(bash("run r.toml --ho").contains("--host"), "{}", bash("run r.toml --ho"));
    let fish =
        |line: &str| ask("fish", &["--no-config", "-c", &format!("source ./fish; complete -C '{line}'")]);
    assert!(
        fish("doppio run r.toml --host gpu").starts_with("gpu-box"),
        "{}",
        fish("doppio run r.toml --host gpu")
    );
    for line in ["doppio ssh gpu", "doppio host test gpu"] {
        assert!(fish(line).starts_with("gpu-box"), "{line}: {}", fish(line));
    }
    assert!(fish("doppio secret set huggingface/t").contains("huggingface/token"));
    let checked = ask("zsh", &["-f", "-n", "./zsh"]);
    assert_eq!(checked, "");
}

// case F14
#[test]
fn what_is_removed_with_its_history_is_asked_for_first() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    doppio.store("team/key", "hunter2 two");
    let question = "remove `team/key` from the age vault (with 1 older version)";
    let (code, shown) = doppio.at_terminal(&["secret", "rm", "team/key"], &[(question, "n")]);
    assert!(code == 0 && shown.contains("nothing was done"), "{code}: {shown}");
    assert_eq!(doppio.reveal("team/key"), "hunter2 two");
    let (code, shown) = doppio.at_terminal(&["secret", "rm", "team/key"], &[(question, "y")]);
    assert!(code == 0, "{code}: {shown}");
    // What it says brings it back.
    let shown = shown.replace(['\r', '\n'], " ");
    let command = shown.split('`').find(|part| part.starts_with("cp -p ")).unwrap();
    assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success());
    assert_eq!(doppio.reveal("team/key"), "hunter2 two");
    let (code, _) = doppio.at_terminal(&["secret", "rm", "team/key", "--yes"], &[]);
    assert_eq!(code, 0);
}

// case F17
#[test]
fn a_wrong_passphrase_is_told_and_asked_for_again() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    fs::write(doppio.doppio_home().join("config.toml"), "[vault]\nwork_factor = 10\n").unwrap();
    let passphrase = [("passphrase for the new age vault", "pass hunter2"), ("once more", "pass hunter2")];
    let typed = [&[("value of `team/key`", "hunter2 hunter2")][..], &passphrase].concat();
    doppio.at_terminal(&["secret", "set", "team/key"], &typed);
    let get = ["secret", "get", "team/key", "--reveal"];
    let again = "wrong passphrase, try again";
    let (code, shown) =
        doppio.at_terminal(&get, &[("passphrase of the age vault", "wrong one"), (again, "pass hunter2")]);
    assert!(code == 0 && shown.contains("hunter2 hunter2\r\n"), "{code}: {shown}");
    let wrong = [("passphrase of the age vault", "no"), (again, "no"), (again, "no")];
    let (code, shown) = doppio.at_terminal(&get, &wrong);
    assert!(code == 3 && shown.contains("the passphrase does not open the age vault"), "{code}: {shown}");
}
