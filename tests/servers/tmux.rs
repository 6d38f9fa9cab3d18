//! tmux steps on a real OpenSSH host.

mod ends;
mod identity;
mod settings;
mod typing;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

/// All that a shell, tmux or a terminal could trip over.
const HOSTILE: &str =
    "quote' dquote\" dollar$HOME $(touch pwned) `id` back\\slash\nsecond line #{pane_id} é %";

fn world(server: &Sshd) -> Doppio {
    let doppio = Doppio::new().env("TRAIN_TOKEN", HOSTILE);
    doppio.hosts(&server.hosts_toml("gpu"));
    doppio
}

/// What a command on the host prints.
fn tmux(server: &Sshd, command: &str) -> String {
    let output = server.ssh(command);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The sessions that live.
fn sessions(server: &Sshd) -> String {
    tmux(server, "tmux ls 2>/dev/null")
}

fn train(command: &str) -> String {
    format!(
        r#"
[recipe]
name = "tmux"
[[step]]
id = "train"
tmux_new = {{ host_id = "gpu", session_name = "train", command = """
{command}
""" }}
[[step]]
id = "wait"
depends_on = ["train"]
timeout_secs = 30
tmux_wait = {{ host_id = "gpu", session_name = "train" }}
"#
    )
}

#[test]
fn a_session_gets_its_secret_and_keeps_it_from_tmux() {
    for (shell, server_runs) in [("/bin/bash", false), ("/usr/bin/fish", true), ("/usr/bin/zsh", false)] {
        let server = Sshd::builder(Variant::Stock).shell(shell).start();
        if server_runs {
            tmux(&server, "tmux new-session -d -s other 'sleep 1000'");
        }
        let doppio = world(&server);
        doppio.file(
            "r.toml",
            r#"
[recipe]
name = "tmux"
[[step]]
id = "train"
tmux_new = { host_id = "gpu", session_name = "train", env = { FROM_ENV = "${secret:env:TRAIN_TOKEN}" }, command = """
export TOKEN=${secret:env:TRAIN_TOKEN}
printf %s "$TOKEN" > ~/token
printf %s "$FROM_ENV" > ~/from-env
until [ -e ~/go ]; do sleep 0.05; done
""" }
"#,
        );
        doppio.run(["run", "r.toml"]).expect(0);
        let seen = tmux(
            &server,
            "tmux show-environment -g; tmux show-environment -t train; tmux show-messages; tmux list-buffers; \
             ps axww -o args; cat /proc/*/cmdline | tr '\\0' ' '; \
             tmux list-panes -a -F '#{pane_start_command}'; tmux capture-pane -p -t train",
        );
        assert!(seen.contains("keeper"), "{shell}: the look itself works: {seen}");
        for piece in ["dquote", "pwned)", "second line", "#{pane_id} é"] {
            assert!(!seen.contains(piece), "{shell}: {piece} in\n{seen}");
        }
        let server_environment =
            tmux(&server, "cat /proc/$(tmux display -p '#{pid}')/environ | tr '\\0' '\\n'");
        assert!(server_environment.contains("HOME="), "{shell}: {server_environment}");
        assert!(!server_environment.contains("dquote") && !server_environment.contains("DOPPIO"), "{shell}");
        std::fs::write(server.home().join("go"), "").expect("the host's home");
        for file in ["token", "from-env"] {
            let arrived = std::fs::read_to_string(server.home().join(file)).expect("the session wrote it");
            assert_eq!(arrived, HOSTILE, "{shell}: {file}");
        }
        assert!(!server.home().join("pwned").exists(), "{shell}");
    }
}

#[test]
fn the_end_of_a_session_is_the_end_of_its_wait() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("ok.toml", train("echo started; sleep 0.3; echo done"));
    let ran = doppio.run(["run", "ok.toml"]).expect(0);
    assert!(ran.stderr.contains("done"), "{}", ran.stderr);
    doppio.file("seven.toml", train("echo failing; exit 7"));
    let ran = doppio.run(["run", "seven.toml"]).expect(1);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
}

#[test]
fn the_end_of_a_session_is_known_until_nobody_will_ask() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("seven.toml", train("exit 7"));
    doppio.run(["run", "seven.toml"]).expect(1);
    for _ in 0..2 {
        let ran = doppio.run(["run", "seven.toml", "--only", "wait"]).expect(1);
        assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    }
    let left = "ls ~/.local/state/doppio/jobs";
    let of_train = tmux(&server, left);
    assert!(of_train.contains("-train-1-") && of_train.lines().count() == 1, "{of_train}");

    doppio.file("other.toml", train("true").replace("\"train\"", "\"other\""));
    doppio.run(["run", "other.toml"]).expect(0);
    assert!(tmux(&server, left).contains(&of_train), "it is not old");
    tmux(&server, "touch -d '9 days ago' ~/.local/state/doppio/jobs/*-train-1-*/exit");
    doppio.run(["run", "other.toml"]).expect(0);
    let of_other = tmux(&server, left);
    assert!(!of_other.contains("-train-1-") && of_other.lines().count() == 2, "{of_other}");

    // case C8
    doppio.file(
        "kill.toml",
        "[recipe]\nname = \"t\"\n[[step]]\nid = \"kill\"\n\
         tmux_kill = { host_id = \"gpu\", session_name = \"other\" }\n",
    );
    let ran = doppio.run(["run", "kill.toml"]).expect(0);
    assert!(ran.stderr.contains("tmux session `other` on `gpu` has ended already"), "{}", ran.stderr);
    assert_eq!(tmux(&server, left).lines().count(), 1, "only the first run's is left");
}

#[test]
fn a_killed_session_is_told_from_one_that_ended() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file("r.toml", train("sleep 1000"));
    let child = doppio.start(["run", "r.toml"]);
    wait_for("the session to start", || tmux(&server, "ps axww -o args").contains("sleep 1000"));
    tmux(&server, "tmux kill-session -t train");
    let ran = Ran::of(&child.wait_with_output().expect("it ends")).expect(1);
    assert!(ran.stderr.contains("HUP"), "{}", ran.stderr);
}

#[test]
fn a_session_that_is_there_is_kept_reused_or_replaced() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let recipe = |if_exists: &str| {
        format!(
            "[recipe]\nname = \"t\"\n[[step]]\nid = \"train\"\ntmux_new = {{ host_id = \"gpu\", \
             session_name = \"train\", command = \"echo {if_exists} >> ~/started; sleep 1000\", \
             if_exists = \"{if_exists}\" }}\n"
        )
    };
    for (if_exists, code) in [("error", 0), ("error", 1), ("reuse", 0), ("replace", 0)] {
        doppio.file("r.toml", recipe(if_exists));
        let ran = doppio.run(["run", "r.toml"]).expect(code);
        if code == 1 {
            assert!(ran.stderr.contains("tmux session `train` already exists on `gpu`"), "{}", ran.stderr);
            assert!(ran.stderr.contains("if_exists = \"reuse\""), "{}", ran.stderr);
        }
    }
    wait_for("the two sessions to start", || {
        std::fs::read_to_string(server.home().join("started"))
            .is_ok_and(|started| started == "error\nreplace\n")
    });
}

#[test]
fn keys_are_typed_screens_are_read_and_sessions_are_killed() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.file(
        "r.toml",
        r#"
[recipe]
name = "tmux"
[[step]]
id = "open"
tmux_new = { host_id = "gpu", session_name = "box", command = "cat", log = "~/box log's" }
[[step]]
id = "type"
depends_on = ["open"]
tmux_send = { host_id = "gpu", session_name = "box", keys = "it's $HOME; #1" }
[[step]]
id = "shown"
depends_on = ["type"]
wait_condition = { condition = { output_matches = { host_id = "gpu", command = "tmux capture-pane -p -t box", pattern = "it's \\$HOME; #1" } }, timeout_secs = 20, poll_interval_secs = 0 }
[[step]]
id = "read"
depends_on = ["shown"]
tmux_capture = { host_id = "gpu", session_name = "box", lines = -1, capture_output = "screen" }
[[step]]
id = "alive"
depends_on = ["read"]
assert = { condition = { and = [ { var_equals = { name = "screen", value = "it's $HOME; #1" } }, { tmux_alive = { host_id = "gpu", session_name = "box" } } ] } }
[[step]]
id = "kill"
depends_on = ["alive"]
tmux_kill = { host_id = "gpu", session_name = "box" }
[[step]]
id = "gone"
depends_on = ["kill"]
assert = { condition = { not = { tmux_alive = { host_id = "gpu", session_name = "box" } } } }
"#,
    );
    doppio.run(["run", "r.toml"]).expect(0);
    let log = std::fs::read_to_string(server.home().join("box log's")).expect("the log");
    assert!(log.contains("it's $HOME; #1"), "{log:?}");
    let left = tmux(&server, "cd ~/.local/state/doppio; ls jobs tmux /dev/shm | grep -v :");
    assert_eq!(left.trim(), "", "a killed session leaves nothing");
}

#[test]
fn a_host_without_tmux_says_how_to_install_it() {
    let builder = Sshd::builder(Variant::Stock);
    let path = builder.folder().join("bin");
    std::fs::create_dir(&path).expect("a folder");
    for program in ["sh", "bash"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), path.join(program)).expect("a link");
    }
    let server = builder.line(format!("SetEnv PATH={}", path.display())).start();
    let doppio = world(&server);
    doppio.file("r.toml", train("true"));
    let ran = doppio.run(["run", "r.toml"]).expect(1);
    assert!(ran.stderr.contains("tmux is not installed on `gpu`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("apt-get install -y tmux"), "{}", ran.stderr);
}
