//! No secret in any argument list, file, tmux state, log, journal or output, while a recipe that
//! people have runs against a real server.
//!
//! `recipes/train-private-model.toml` makes one leak itself: `--token $HF_TOKEN` is an argument of
//! huggingface-cli. As it stands the recipe must be seen doing that, which proves the witness;
//! with `huggingface-cli whoami` in its place nothing may be seen.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::SystemTime;

use tempfile::TempDir;

use doppio_test_support::Doppio;
use doppio_test_support::wait_for_line;

use crate::support::needles::Needles;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::watch::By;
use crate::support::watch::Sighting;
use crate::support::watch::Witness;

const RECIPE: &str = include_str!("../../recipes/train-private-model.toml");
const LEAKING: &str = "\nhuggingface-cli login --token $HF_TOKEN --add-to-git-credential\n";
const TIGHT: &str = "\nhuggingface-cli whoami\n";

/// Programs that write down a digest of the secret they got, and print it as careless ones do.
const STUBS: [(&str, &str); 3] = [
    (
        "huggingface-cli",
        "printf %s \"$HF_TOKEN\" | sha256sum >got.hf
         sleep 0.3
         echo \"token is $HF_TOKEN\"
         printf 'Bearer %s' \"$HF_TOKEN\" | base64 -w 0; echo
         printf %s \"$HF_TOKEN\" | od -An -v -tx1 | tr -d ' \\n' >&2",
    ),
    ("git", "printf '%s\\n' \"$@\" >got.git"),
    ("python", "printf %s \"$WANDB_API_KEY\" | sha256sum >got.new && mv got.new got.python; sleep 600"),
];

/// All that tmux knows. It shows its log of commands, with their arguments, to a client only.
const TMUX_SAYS: [&str; 11] = [
    "tmux list-sessions -F '#{session_name}'",
    "tmux show-environment -g",
    "tmux show-environment -t train",
    "(sleep 1 | tmux -C attach-session -t train) >/dev/null 2>&1 &
    until client=$(tmux list-clients -F '#{client_name}') && [ -n \"$client\" ]; do sleep 0.05; done
    tmux show-messages -t \"$client\" | grep new-session",
    "tmux show-options -g",
    "tmux list-buffers; echo",
    "tmux list-panes -a -F '#{pane_start_command} #{pane_current_command} #{pane_title}'",
    "tmux capture-pane -p -e -S - -t train",
    "tr '\\0' '\\n' </proc/$(tmux display-message -p '#{pid}')/environ",
    "tr '\\0' ' ' </proc/$(tmux display-message -p '#{pid}')/cmdline",
    "tr '\\0' ' ' </proc/$(tmux list-panes -t train -F '#{pane_pid}')/cmdline",
];

#[test]
fn stock_server_with_the_recipe_as_it_stands() {
    seen_leaking(Variant::Stock, RECIPE);
}

#[test]
fn stock_server_with_the_leak_mended() {
    seen_nothing(Variant::Stock, &RECIPE.replace(LEAKING, TIGHT));
}

#[test]
fn accepting_server_with_the_recipe_as_it_stands() {
    seen_leaking(Variant::AcceptEnv, RECIPE);
}

#[test]
fn accepting_server_with_the_leak_mended() {
    seen_nothing(Variant::AcceptEnv, &RECIPE.replace(LEAKING, TIGHT));
}

/// The recipe's own leak is seen by both witnesses, and is the only one.
fn seen_leaking(variant: Variant, recipe: &str) {
    assert!(recipe.contains(LEAKING));
    let hits = Scene::new(variant, recipe).play();
    for hit in &hits {
        let line = hit.show();
        assert!(line.contains("huggingface-cli login --token "), "leaked by another program: {line}");
    }
    for by in [By::Execve, By::Proc] {
        assert!(hits.iter().any(|hit| hit.by == by), "{by:?} saw nothing: it was not watching");
    }
}

fn seen_nothing(variant: Variant, recipe: &str) {
    assert!(recipe.contains(TIGHT) && !recipe.contains(LEAKING));
    let hits = Scene::new(variant, recipe).play();
    assert!(hits.is_empty(), "{}", hits.iter().map(Sighting::show).collect::<Vec<_>>().join("\n"));
}

/// A machine with Doppio, a server with the stubs, and two secrets.
struct Scene {
    variant: Variant,
    since: SystemTime,
    local: Doppio,
    traces: TempDir,
    witness: Witness,
    server: Sshd,
    needles: Needles,
    hf: Vec<u8>,
    wandb: Vec<u8>,
}

impl Scene {
    fn new(variant: Variant, recipe: &str) -> Self {
        let since = SystemTime::now();
        let traces = tempfile::Builder::new().prefix("doppio-traces-").tempdir().expect("a folder");
        let mut witness = Witness::start(traces.path());
        let server = server_with_stubs(variant, witness.prefix());
        let (hf_marker, wandb_marker) = (marker("hf"), marker("wb"));
        // Only UTF-8 fits an `env` request.
        let hf = hostile(&hf_marker, if variant == Variant::AcceptEnv { b"" } else { b"\xff\xfe\x80" });
        let wandb = hostile(&wandb_marker, b"\xc3(\xff");
        let local = Doppio::new().env("WANDB_API_KEY", OsStr::from_bytes(&wandb));
        let passphrase = local.private("passphrase", "correct horse battery staple");
        let local = local.env("DOPPIO_PASSPHRASE_FILE", passphrase);
        // Left to itself Doppio takes the one way or the other, as it happens to know the server.
        let carrier = if variant == Variant::AcceptEnv { "channel" } else { "auto" };
        local.hosts(&format!("{}carrier = \"{carrier}\"\n", server.hosts_toml("vast-12345")));
        local.file("recipe.toml", recipe);
        let needles = Needles::new(&[&hf_marker, &wandb_marker]);
        Self { variant, since, local, traces, witness, server, needles, hf, wandb }
    }

    /// Runs the recipe; fails if a secret is anywhere but in an argument list. Returns the
    /// argument lists that hold one.
    fn play(mut self) -> BTreeSet<Sighting> {
        let hf = self.hf.clone();
        let stored =
            self.doppio(&["secret", "set", "huggingface/token", "--from-stdin", "--in", "file"], &hf);
        assert!(stored.status.success(), "{}", String::from_utf8_lossy(&stored.stderr));
        let run = self.doppio(&["run", "--output", "json", "recipe.toml"], b"");
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{out}\n{err}\nthe server's log:\n{}", self.server.log());
        let carrier = if self.variant == Variant::AcceptEnv { "channel env" } else { "preamble" };
        assert!(out.contains(&format!("\"carrier\":\"{carrier}\"")), "{out}");
        self.values_arrived();
        let listed = self.doppio(&["runs", "list"], b"");
        self.nothing_in("outputs", &[stored, run, listed]);
        self.nothing_in_tmux();
        self.nothing_in_files();
        let Self { server, witness, needles, .. } = self;
        drop(server);
        let seen = witness.end();
        for program in ["huggingface-cli", "git", "python"] {
            let called = |sighting: &Sighting| sighting.show().contains(&format!("/stubs/{program} "));
            assert!(seen.iter().any(called), "the witnesses did not see `{program}`");
        }
        seen.into_iter().filter(|sighting| needles.find(&sighting.arguments).is_some()).collect()
    }

    /// Runs the binary, traced.
    fn doppio(&mut self, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut command = self.witness.over(&self.local.command(arguments));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace runs");
        // A command that does not read its stdin is free to close it.
        child.stdin.take().expect("piped").write_all(stdin).ok();
        child.wait_with_output().expect("it ends")
    }

    /// Each program got its secret, byte for byte, and its arguments.
    fn values_arrived(&self) {
        let folder = self.server.folder();
        assert_eq!(wait_for_line(&folder.join("got.python")), digest(&self.wandb));
        assert_eq!(wait_for_line(&folder.join("got.hf")), digest(&self.hf));
        let git = "clone\nhttps://huggingface.co/my-org/my-private-model\n/workspace/train/model";
        assert_eq!(wait_for_line(&folder.join("got.git")), git);
        assert!(!self.server.home().join("EXECUTED").exists(), "a value was executed");
    }

    fn nothing_in(&self, what: &str, outputs: &[Output]) {
        for output in outputs {
            for text in [&output.stdout, &output.stderr] {
                if let Some(found) = self.needles.find(text) {
                    panic!("{what} hold {found}:\n{}", String::from_utf8_lossy(text));
                }
            }
        }
    }

    /// All that tmux says of itself, in one visit.
    fn nothing_in_tmux(&self) {
        let mut script = String::new();
        for command in TMUX_SAYS {
            writeln!(script, "echo '===={}'\n{command} || echo '====FAILED'", command.replace('\'', "")).ok();
        }
        let output = self.server.ssh(&script);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("\ntrain\n"), "the training does not run in tmux:\n{said}");
        for part in said.split("====").skip(1) {
            let (command, answer) = part.split_once('\n').expect("a command and its answer");
            assert!(command != "FAILED" && !answer.is_empty(), "tmux did not answer:\n{said}");
        }
        self.nothing_in("tmux's answers", &[output]);
    }

    /// All of both ends: what Doppio and the server have, and what is new in the common places.
    fn nothing_in_files(&self) {
        let traces = self.traces.path();
        let whole = SystemTime::UNIX_EPOCH;
        let root = self.server.root();
        for (folder, since, at_least) in [
            (self.local.folder(), whole, 5),
            (self.server.folder(), whole, 5),
            (&root.join("dev/shm"), whole, 0),
            (&root.join("run"), whole, 0),
            (&root.join("tmp"), whole, 0),
            (Path::new("/tmp"), self.since, 0),
            (Path::new("/dev/shm"), self.since, 0),
            (Path::new("/run"), self.since, 0),
        ] {
            let (hits, read) = self.needles.in_files(folder, since, traces);
            assert!(hits.is_empty(), "{}", hits.join("\n"));
            assert!(read >= at_least, "only {read} files in {}", folder.display());
        }
    }
}

/// A server whose programs are the stubs, run under `prefix`.
fn server_with_stubs(variant: Variant, prefix: Vec<String>) -> Sshd {
    let builder = Sshd::builder(variant);
    let stubs = builder.folder().join("stubs");
    fs::create_dir(&stubs).expect("a folder for the stubs");
    for (name, script) in STUBS {
        let path = stubs.join(name);
        let script = format!("#!/bin/sh\ncd {}\n{script}\n", builder.folder().display());
        fs::write(&path, script).expect("a stub");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    builder.line(format!("SetEnv PATH={}:/usr/bin:/bin", stubs.display())).under(prefix).start()
}

/// Letters and digits that are nowhere else in the world.
fn marker(prefix: &str) -> String {
    let mut random = [0; 12];
    getrandom::fill(&mut random).expect("the system has random bytes");
    prefix.to_owned() + &data_encoding::HEXLOWER.encode(&random)
}

/// A value that breaks whatever does not quote well, with its marker in every line.
fn hostile(marker: &str, odd: &[u8]) -> Vec<u8> {
    let first =
        format!("{marker}'\"\\ $HOME ${{HOME}} `touch EXECUTED` $(touch EXECUTED) ; touch EXECUTED #");
    let second = format!("\nEOF\n%s\\n {marker}\t* ? ~ ! & | < > ( ) [ ] ");
    [first.as_bytes(), second.as_bytes(), odd, marker.as_bytes()].concat()
}

fn digest(value: &[u8]) -> String {
    let child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("sha256sum runs");
    child.stdin.take().expect("its stdin").write_all(value).expect("it reads its stdin");
    let line =
        String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("a digest is ASCII");
    line.trim_end().to_owned()
}
