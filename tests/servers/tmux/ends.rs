//! How a session's command ends, and what becomes of that: it is known, or said not to be.

use std::fs;
use std::process::Child;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::send;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::tmux::tmux;
use crate::tmux::train;
use crate::tmux::world;

fn end(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().expect("the binary ends"))
}

/// Waits until a run follows the session: until it reads the output.
fn followed(server: &Sshd) {
    wait_for("the session to be followed", || {
        tmux(server, "ls -l /proc/*/fd 2>/dev/null").contains("/out\n")
    });
    wait_for("the reader", || tmux(server, "ps axww -o args").contains("from="));
}

fn begun(doppio: &Doppio, server: &Sshd, command: &str) -> Child {
    doppio.file("r.toml", train(command));
    let child = doppio.start(["run", "r.toml"]);
    followed(server);
    child
}

// case C2
#[test]
fn a_full_disk_loses_no_end() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    tmux(&server, "mkdir small; mount -t tmpfs -o size=1m tmpfs ~/small");
    doppio.hosts(&format!(
        "{}env = {{ XDG_STATE_HOME = \"{}/small\" }}\n",
        server.hosts_toml("gpu"),
        server.home().display()
    ));
    doppio.file(
        "r.toml",
        train("head -c 10000000 /dev/zero > ~/small/rest 2>/dev/null || true; echo full; exit 3"),
    );
    let ran = doppio.run(["run", "r.toml"]).expect(1);
    assert!(ran.stderr.contains("exit code 3"), "{}", ran.stderr);
    // Where there is no room to begin with, nothing is started.
    doppio.file("r.toml", train("touch ~/ran"));
    let ran = doppio.run(["run", "r.toml"]).expect(1);
    assert!(ran.stderr.contains("`gpu` has no room for the output and the exit code"), "{}", ran.stderr);
    assert!(ran.stderr.contains("df -h ~"), "{}", ran.stderr);
    assert!(!server.home().join("ran").exists());
}

// case C3
#[test]
fn what_a_command_printed_is_shown_however_late_one_looks() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("r.toml", train("echo ModuleNotFoundError >&2; test -t 1 && echo at a terminal; exit 1"));
    for _ in 0..2 {
        let ran = doppio.run(["run", "r.toml"]).expect(1);
        assert!(ran.stderr.contains("ModuleNotFoundError"), "{}", ran.stderr);
        assert!(ran.stderr.contains("at a terminal"), "{}", ran.stderr);
        assert!(ran.stderr.contains("exit code 1"), "{}", ran.stderr);
    }
}

#[test]
fn without_a_recorder_of_its_own_the_output_is_kept_all_the_same() {
    let builder = Sshd::builder(Variant::Stock);
    let path = builder.folder().join("bin");
    fs::create_dir(&path).unwrap();
    for folder in ["/usr/bin", "/bin"] {
        for program in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            // A link may lead nowhere.
            let is_new = path.join(program.file_name()).symlink_metadata().is_err();
            if program.file_name() != "script" && is_new {
                std::os::unix::fs::symlink(program.path(), path.join(program.file_name())).unwrap();
            }
        }
    }
    let server = builder.line(format!("SetEnv PATH={}", path.display())).start();
    let doppio = world(&server);
    doppio.file("r.toml", train("echo first; test -t 1 && echo at a terminal; echo last; exit 7"));
    let ran = doppio.run(["run", "r.toml"]).expect(1);
    for word in ["first", "at a terminal", "last", "exit code 7"] {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
}

// case C7
#[test]
fn a_connection_that_breaks_is_made_anew_and_no_byte_is_lost_or_doubled() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let child = begun(
        &doppio,
        &server,
        "printf 'one\\ntwo '; until [ -e ~/go ]; do sleep 0.05; done; printf 'three\\nfour\\n'; exit 7",
    );
    for _ in 0..2 {
        let before = tmux(&server, "cat ~/.local/state/doppio/jobs/*/out");
        assert!(before.contains("two "), "{before}");
        let sessions = || tmux(&server, "ps axww -o pid,args | grep 'sh -c .*from=' | grep -v grep");
        let old = sessions();
        tmux(&server, "kill -KILL $(ps axww -o pid,args | awk '/sshd: root@notty/ { print $1 }')");
        wait_for("the wait to connect again", || {
            let new = sessions();
            !new.is_empty() && new != old
        });
    }
    fs::write(server.home().join("go"), "").unwrap();
    let ran = end(child).expect(1);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`wait` waits on, and connects to `gpu` again"), "{}", ran.stderr);
    for line in ["one", "two three", "four"] {
        let lines = ran.stderr.lines().filter(|said| said.ends_with(&format!("| {line}")));
        assert_eq!(lines.count(), 1, "{line}: {}", ran.stderr);
    }
}

// case C10
#[test]
fn an_end_that_nobody_recorded_is_not_known() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let child = begun(&doppio, &server, "echo begun; exec sleep 1000");
    // The reader is started again; what it reads is over.
    tmux(&server, "kill -KILL $(ps axww -o pid,args | awk '/keeper keep$/ || /sh -c .*from=/ { print $1 }')");
    let ran = end(child).expect(1);
    assert!(ran.stderr.contains("its end is not known"), "{}", ran.stderr);
    assert!(ran.stderr.contains("begun") && !ran.stderr.contains("SIG"), "{}", ran.stderr);
    // It is the same story later.
    let ran = doppio.run(["run", "r.toml", "--only", "wait"]).expect(1);
    assert!(ran.stderr.contains("its end is not known") && !ran.stderr.contains("SIG"), "{}", ran.stderr);
}

// case K2
#[test]
fn keys_go_to_the_program_and_its_end_is_its_own() {
    for (key, command) in [
        ("C-c", "trap 'echo saved; exit 0' INT; echo ready; while :; do sleep 0.1; done"),
        ("C-\\\\", "trap 'echo saved; exit 0' QUIT; echo ready; while :; do sleep 0.1; done"),
        ("C-z", "echo ready; until [ -e ~/go ]; do sleep 0.1; done; echo saved"),
    ] {
        let server = Sshd::start(Variant::Stock);
        let doppio = world(&server);
        let child = begun(&doppio, &server, command);
        wait_for("the program", || tmux(&server, "tmux capture-pane -p -t train").contains("ready"));
        tmux(&server, &format!("tmux send-keys -t train {key}; touch go"));
        let ran = end(child).expect(0);
        assert!(ran.stderr.contains("saved"), "{key}: {}", ran.stderr);
    }
    // One that catches nothing is killed, which the keeper has seen.
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let child = begun(&doppio, &server, "echo ready; exec sleep 1000");
    wait_for("the program", || tmux(&server, "tmux capture-pane -p -t train").contains("ready"));
    tmux(&server, "tmux send-keys -t train C-c");
    let ran = end(child).expect(1);
    assert!(ran.stderr.contains("SIGINT"), "{}", ran.stderr);
}

#[test]
fn a_program_that_saves_at_a_hang_up_ends_as_it_did() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let child =
        begun(&doppio, &server, "trap 'sleep 0.5; exit 5' HUP; echo ready; while :; do sleep 0.1; done");
    tmux(&server, "tmux kill-session -t train");
    let ran = end(child).expect(1);
    assert!(ran.stderr.contains("exit code 5"), "{}", ran.stderr);
}

// case K13
#[test]
fn a_wait_that_is_stopped_says_so_itself() {
    for timeout in [false, true] {
        let server = Sshd::start(Variant::Stock);
        let doppio = world(&server);
        let text = train("echo begun; exec sleep 1000");
        doppio.file(
            "r.toml",
            if timeout { text.replace("timeout_secs = 30", "timeout_secs = 2") } else { text },
        );
        let child = doppio.start(["run", "r.toml"]);
        if !timeout {
            followed(&server);
            send(&child, Signal::INT);
        }
        let ran = Ran::of(&child.wait_with_output().unwrap());
        assert_ne!(ran.code, 0);
        assert!(ran.stderr.contains("`wait` no longer follows tmux session `train`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("tmux attach -t =train"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("Terminated"), "{}", ran.stderr);
        assert!(tmux(&server, "tmux ls").contains("train:"), "the session goes on");
    }
}

// case C8
// case K8
#[test]
fn the_recipe_does_what_its_header_says() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/tmux-training.toml");
    let ran = doppio.run(["run", recipe, "--host", "gpu", "--var", "epochs=1"]).expect(0);
    assert!(ran.stderr.contains("epoch 1/1") && !ran.stderr.contains('✗'), "{}", ran.stderr);
    // It outlives the connection, whatever ends it.
    let child = doppio.start(["run", recipe, "--host", "gpu", "--var", "epochs=1000"]);
    followed(&server);
    send(&child, Signal::INT);
    child.wait_with_output().unwrap();
    assert!(tmux(&server, "tmux ls").contains("train:"), "the training goes on");
}
