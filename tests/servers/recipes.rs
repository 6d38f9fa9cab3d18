//! The recipes of this repository do what their headers say, and a run looks at its target first.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use doppio_test_support::Doppio;

use crate::support::rented::Rented;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// The commands that a recipe's header names, as words.
fn commands(recipe: &str) -> Vec<Vec<String>> {
    let header = recipe.lines().take_while(|line| line.starts_with('#'));
    let lines = header.filter_map(|line| line.strip_prefix("#   doppio "));
    let words = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect()
    };
    lines.map(words).collect()
}

// case F2
#[test]
fn every_recipe_does_what_its_header_says() {
    let server = Sshd::start(Variant::Stock);
    let vast = Rented::vast();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut ran = 0;
    for entry in fs::read_dir(root.join("recipes")).expect("there are recipes") {
        let path = entry.expect("an entry").path();
        let commands = commands(&fs::read_to_string(&path).expect("a recipe"));
        assert!(!commands.is_empty(), "{}: its header names no command", path.display());
        let doppio = vast.customer();
        let hosts: String = ["gpu-box", "gpu-a", "gpu-b"].map(|name| server.hosts_toml(name)).concat();
        fs::write(doppio.doppio_home().join("hosts.toml"), hosts).expect("a file");
        for mut words in commands {
            for word in &mut words {
                if let Some(name) = word.strip_prefix("recipes/") {
                    *word = root.join("recipes").join(name).display().to_string();
                }
            }
            // What it would fetch and train is not here.
            let needs_more = path.ends_with("train-private-model.toml") && words[0] == "run";
            if needs_more {
                words.push("--dry-run".to_owned());
            }
            ran += 1;
            let line = words.join(" ");
            if words.starts_with(&["secret".to_owned(), "set".to_owned()]) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let (code, shown) = doppio.at_terminal(&words, &[("value of", "test_token_of_a_recipe")]);
                assert_eq!(code, 0, "doppio {line}: {shown}");
                continue;
            }
            let done = doppio.run(&words);
            assert_eq!(done.code, 0, "doppio {line}: {}{}", done.stdout, done.stderr);
        }
    }
    vast.expect_nothing_rented();
    vast.expect_no_faults();
    assert!(ran >= 12, "only {ran} commands were found");
}

/// A host whose `nvidia-smi` prints this.
fn host(gpus: &str) -> Sshd {
    let builder = Sshd::builder(Variant::Stock);
    let bin = builder.folder().join("home/bin");
    let builder = builder.line(format!("SetEnv PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()));
    let server = builder.start();
    fs::create_dir_all(&bin).expect("a folder");
    let smi = bin.join("nvidia-smi");
    fs::write(&smi, format!("#!/bin/sh\nprintf '{gpus}'\n")).expect("a file");
    fs::set_permissions(&smi, fs::Permissions::from_mode(0o755)).expect("a program");
    server
}

fn asks(target: &str) -> String {
    format!("[target]\n{target}\n[[step]]\nid = \"train\"\nssh_command = {{ command = \"echo trained\" }}\n")
}

fn machine(server: &Sshd) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    fs::write(doppio.doppio_home().join("hosts.toml"), server.hosts_toml("gpu")).expect("a file");
    doppio
}

// case F4
#[test]
fn a_target_that_lacks_something_stops_the_run_before_its_first_step() {
    let server = host("81559, 550.54.15, NVIDIA H100 80GB HBM3\\n81559, 550.54.15, NVIDIA H100 80GB HBM3\\n");
    let doppio = machine(&server);
    doppio.recipe(&asks("min_gpus = 8"));
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(3);
    let said = ran.stderr.split_once('\n').expect("the first line is about the host's key").1;
    insta::assert_snapshot!(said, @"
    error: `gpu` does not have what `[target]` asks for; nothing has run
      cause: `min_gpus = 8`: it has 2 × NVIDIA H100 80GB HBM3 (85.5 GB)

    hint: run it on another host with `--host HOST`, or change `[target]` in the recipe
    ");
    assert!(!doppio.doppio_home().join("runs").exists(), "there is no run");
    doppio.recipe(&asks("min_gpus = 2\nmin_memory_gb = 80\ngpu_type = \"H100\""));
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(0);
    assert!(ran.stderr.contains("trained"), "{}", ran.stderr);
    let plan = doppio.run(["plan", "recipe.toml", "--host", "gpu"]).expect(0);
    assert!(
        plan.stdout.contains("the target must offer 2 GPUs, H100, 80 GB of GPU memory\n"),
        "{}",
        plan.stdout
    );
    // The sandbox is for trying a recipe, with whatever this machine has.
    doppio.recipe(&asks("min_gpus = 8"));
    doppio.run(["run", "recipe.toml", "--sandbox"]).expect(0);
}

// case F4
#[test]
fn a_host_without_a_driver_says_what_its_tool_says() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    doppio.recipe(&asks("gpu_type = \"RTX_4090\""));
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(3);
    assert!(
        ran.stderr.contains("`gpu_type = \"RTX_4090\"`: it has no GPU (nvidia-smi is not installed)"),
        "{}",
        ran.stderr
    );
}

// case F4
#[test]
fn doctor_shows_what_a_target_is_compared_with() {
    let server = host("24564, 550.54.15, NVIDIA GeForce RTX 4090\\n");
    let ran = machine(&server).run(["doctor", "--host", "gpu", "--json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let message = |id: &str| {
        let findings = report["findings"].as_array().expect("a list");
        let finding = findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("{id}"));
        finding["message"].as_str().expect("text").to_owned()
    };
    assert_eq!(message("gpus"), "1 × NVIDIA GeForce RTX 4090 (25.8 GB); driver 550.54.15");
    assert!(message("disk").ends_with("B free in the home"), "{}", message("disk"));
    assert!(message("ram").ends_with('B'), "{}", message("ram"));
}

/// What a step of this text does on a host with this login shell.
fn step(doppio: &Doppio, keys: &str, code: i32) -> String {
    doppio.recipe(&format!("[[step]]\nid = \"a\"\n{keys}\n"));
    let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(code);
    ran.stderr
}

// case F1
#[test]
fn the_first_command_that_fails_ends_the_text_in_every_shell() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let text = "\"\"\"\necho one\nno-such-program\necho two\n\"\"\"";
    for shell in ["bash", "dash", "zsh", "busybox ash"] {
        let key = match shell {
            "busybox ash" => {
                let link = server.home().join("ash");
                std::os::unix::fs::symlink("/bin/busybox", &link).expect("a link");
                format!("shell = \"{}\"", link.display())
            }
            shell => format!("shell = \"{shell}\""),
        };
        let said = step(&doppio, &format!("ssh_command = {{ {key}, command = {text} }}"), 1);
        assert!(said.contains("one\n") && !said.contains("| two\n"), "{shell}: {said}");
        assert!(said.contains("exit code 127"), "{shell}: {said}");
        let lax = format!("ssh_command = {{ {key}, errexit = false, command = {text} }}");
        assert!(step(&doppio, &lax, 0).contains("| two\n"), "{shell}");
        // What stands before the text takes no line of its own, and no part in a trace.
        let traced =
            format!("ssh_command = {{ {key}, command = \"\"\"\nset -x\necho \"line $LINENO\"\n\"\"\" }}");
        let said = step(&doppio, &traced, 0);
        assert!(!said.contains("set -e"), "{shell}: {said}");
        // The others count in ways of their own.
        assert!(said.contains("| line 2\n") || !matches!(shell, "bash" | "zsh"), "{shell}: {said}");
    }
    let said = step(
        &doppio,
        "ssh_command = { shell = \"bash\", pipefail = true, command = \"false | cat; echo on\" }",
        1,
    );
    assert!(!said.contains("| on\n"), "{said}");
    // What a shell can't do is not left out without a word.
    let old = server.home().join("sh");
    let text =
        "#!/bin/bash\nset() { [ \"$2\" != pipefail ] || exit 2; builtin set \"$@\"; }\nshift\neval \"$@\"\n";
    fs::write(&old, text).expect("a file");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).expect("a program");
    let key = format!("shell = \"{}\", pipefail = true", old.display());
    let said = step(&doppio, &format!("ssh_command = {{ {key}, command = \"false | cat; echo on\" }}"), 1);
    assert!(said.contains("`sh` has no `pipefail`") && !said.contains("| on\n"), "{said}");
}

// case F1
#[test]
fn programs_that_are_no_posix_shell_get_their_text_as_it_stands() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let python =
        "ssh_command = { shell = \"python3\", command = \"\"\"\nimport sys\nprint(sys.argv, 1 + 1)\n\"\"\" }";
    assert!(step(&doppio, python, 0).contains("['-c'] 2\n"));
    let fish = "ssh_command = { shell = \"fish\", command = \"set x a b; echo $x[2]\" }";
    assert!(step(&doppio, fish, 0).contains("| b\n"));
}

// case F1
#[test]
fn a_text_in_tmux_stops_at_the_first_command_that_fails_too() {
    let server = Sshd::start(Variant::Stock);
    let doppio = machine(&server);
    let text = "\"\"\"\necho one\nno-such-program\necho two\n\"\"\"";
    for (keys, code) in [("", 1), ("errexit = false, ", 0)] {
        doppio.recipe(&format!(
            "[[step]]\nid = \"a\"\ntmux_new = {{ session_name = \"t\", if_exists = \"replace\", {keys}command = {text} }}\n\
             [[step]]\nid = \"b\"\ndepends_on = [\"a\"]\ntmux_wait = {{ session_name = \"t\" }}\n"
        ));
        let ran = doppio.run(["run", "recipe.toml", "--host", "gpu"]).expect(code);
        assert_eq!(ran.stderr.contains("two"), code == 0, "{}", ran.stderr);
    }
}
