//! A session is what `tmux_new` has made, not its name.

use doppio_test_support::Ran;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::tmux::sessions;
use crate::tmux::tmux;
use crate::tmux::train;
use crate::tmux::world;

// case K1
#[test]
fn a_session_that_another_run_replaced_is_not_waited_for() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("r.toml", train("echo of the first; exec sleep 1000"));
    let first = doppio.start(["run", "r.toml"]);
    wait_for("the first to be followed", || tmux(&server, "ps axww -o args").contains("from="));
    doppio.file(
        "other.toml",
        train("echo of the second").replace("command =", "if_exists = \"replace\", command ="),
    );
    let second = doppio.run(["run", "other.toml"]).expect(0);
    assert!(second.stderr.contains("of the second"), "{}", second.stderr);
    let first = Ran::of(&first.wait_with_output().unwrap()).expect(1);
    assert!(first.stderr.contains("tmux session `train` on `gpu` was replaced by run `"), "{}", first.stderr);
    assert!(!first.stderr.contains("of the second"), "{}", first.stderr);
}

// case K1
#[test]
fn a_run_ends_asks_and_types_into_its_own_session_only() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    // Between its two steps, another run takes the name.
    let recipe = |last: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"train\"\ntmux_new = {{ host_id = \"gpu\", session_name = \
             \"train\", if_exists = \"replace\", command = \"exec sleep 1000\" }}\n[[step]]\nid = \"go\"\ndepends_on = \
             [\"train\"]\nwait_condition = {{ condition = {{ file_exists = {{ host_id = \"gpu\", path = \"~/go\" }} }}, \
             poll_interval_secs = 0 }}\n[[step]]\nid = \"last\"\ndepends_on = [\"go\"]\n{last}\n"
        )
    };
    doppio.file(
        "other.toml",
        train("x")
            .replace("command =", "if_exists = \"replace\", command =")
            .replace("\nx\n", "\nexec sleep 1000\n"),
    );
    for (last, code) in [
        ("tmux_kill = { host_id = \"gpu\", session_name = \"train\" }", 0),
        ("tmux_send = { host_id = \"gpu\", session_name = \"train\", keys = \"C-c\" }", 1),
        ("tmux_capture = { host_id = \"gpu\", session_name = \"train\" }", 1),
        ("tmux_wait = { host_id = \"gpu\", session_name = \"train\" }", 1),
        ("assert = { condition = { tmux_exited = { host_id = \"gpu\", session_name = \"train\" } } }", 0),
    ] {
        tmux(&server, "rm -f go");
        doppio.file("r.toml", recipe(last));
        let first = doppio.start(["run", "r.toml"]);
        wait_for("the first session", || {
            tmux(&server, "cat ~/.local/state/doppio/jobs/*/identity").contains("step=train")
        });
        doppio.run(["run", "other.toml", "--only", "train"]).expect(0);
        tmux(&server, "touch go");
        let ran = Ran::of(&first.wait_with_output().unwrap()).expect(code);
        assert!(last.starts_with("assert") || ran.stderr.contains("replaced"), "{last}: {}", ran.stderr);
        assert!(tmux(&server, "tmux ls").contains("train:"), "{last}: the other's is left alone");
        tmux(&server, "tmux kill-server; rm -rf ~/.local/state/doppio");
    }
}

// case K4
#[test]
fn a_session_that_is_reused_is_said_to_be_whose() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("first.toml", train("exec sleep 1000"));
    doppio.run(["run", "first.toml", "--only", "train"]).expect(0);
    let reusing = |command: &str| train(command).replace("command =", "if_exists = \"reuse\", command =");
    doppio.file("same.toml", reusing("exec sleep 1000"));
    let same = doppio.run(["run", "same.toml", "--only", "train"]).expect(0);
    assert!(same.stderr.contains("its command is the same"), "{}", same.stderr);
    doppio.file("other.toml", reusing("touch ~/ran"));
    let other = doppio.run(["run", "other.toml", "--only", "train"]).expect(0);
    for words in [
        "tmux session `train` on `gpu` was reused, and nothing was started: run `",
        "of recipe tmux, step train started it at 20",
        "from 127.",
        "its command differs from this step's, which has not run",
    ] {
        assert!(other.stderr.contains(words), "{words}: {}", other.stderr);
    }
    tmux(&server, "tmux kill-server");
    wait_for("the server's end", || sessions(&server).is_empty());
    tmux(&server, "tmux new-session -d -s train");
    let foreign = doppio.run(["run", "other.toml", "--only", "train"]).expect(0);
    assert!(foreign.stderr.contains("Doppio has not started what runs in it"), "{}", foreign.stderr);
    assert!(!server.home().join("ran").exists());
}

#[test]
fn a_session_that_doppio_did_not_start_has_no_end_to_wait_for() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    tmux(&server, "tmux new-session -d -s train");
    doppio.file("r.toml", train("true"));
    let ran = doppio.run(["run", "r.toml", "--only", "wait"]).expect(1);
    assert!(ran.stderr.contains("was not started by `tmux_new`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("tmux_exited"), "{}", ran.stderr);
}

#[test]
fn a_session_keeps_its_identity_under_another_name() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("r.toml", train("exec sleep 1000"));
    doppio.run(["run", "r.toml", "--only", "train"]).expect(0);
    tmux(&server, "tmux rename-session -t train renamed");
    doppio.file(
        "kill.toml",
        "[recipe]\nname = \"t\"\n[[step]]\nid = \"kill\"\ntmux_kill = { host_id = \"gpu\", session_name = \"train\" }\n",
    );
    let ran = doppio.run(["run", "kill.toml"]).expect(0);
    assert!(!ran.stderr.contains("ended already"), "{}", ran.stderr);
    assert_eq!(sessions(&server), "");
}
