//! Whatever the user has set for tmux and for the host.

use std::fs;

use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::tmux::sessions;
use crate::tmux::tmux;
use crate::tmux::train;
use crate::tmux::world;

// case C1
#[test]
fn no_setting_of_tmux_keeps_the_end_from_being_seen() {
    for conf in [
        "set -g remain-on-exit on\n",
        "set -g destroy-unattached on\n",
        "set -g prefix C-a\nset -g base-index 5\nset -g pane-base-index 3\nset -g renumber-windows on\n\
         set -g default-shell /usr/bin/fish\nset -g default-command 'exec cat'\n",
        "set-hook -g after-new-session 'split-window -d -t : \"exec sleep 1000\"'\n",
    ] {
        let server = Sshd::start(Variant::Stock);
        fs::write(server.home().join(".tmux.conf"), conf).unwrap();
        let doppio = world(&server);
        doppio.file(
            "r.toml",
            format!(
                "{}\n[[step]]\nid = \"exited\"\ndepends_on = [\"train\"]\nwait_condition = {{ condition = {{ \
                 tmux_exited = {{ host_id = \"gpu\", session_name = \"train\" }} }}, timeout_secs = 30, \
                 poll_interval_secs = 0 }}\n[[step]]\nid = \"dead\"\ndepends_on = [\"exited\"]\nassert = {{ \
                 condition = {{ not = {{ tmux_alive = {{ host_id = \"gpu\", session_name = \"train\" }} }} }} }}\n",
                train("echo begun; sleep 0.3; echo over; exit 7")
            ),
        );
        let ran = doppio.run(["run", "r.toml"]).expect(1);
        assert!(ran.stderr.contains("exit code 7"), "{conf}: {}", ran.stderr);
        assert!(ran.stderr.contains("over"), "{conf}: {}", ran.stderr);
        let status = |step: &str| ran.stderr.contains(&format!("{step:<6} ✓"));
        assert!(status("exited") && status("dead"), "{conf}: {}", ran.stderr);
    }
}

// case C1
#[test]
fn a_pane_that_shows_its_end_is_in_nobodys_way() {
    let server = Sshd::start(Variant::Stock);
    fs::write(server.home().join(".tmux.conf"), "set -g remain-on-exit on\n").unwrap();
    let doppio = world(&server);
    doppio.file("r.toml", train("echo over"));
    for _ in 0..2 {
        doppio.run(["run", "r.toml"]).expect(0);
        assert!(tmux(&server, "tmux ls").contains("train:"), "the user wants to see it");
    }
}

#[test]
fn the_users_own_pipe_goes_on() {
    let server = Sshd::start(Variant::Stock);
    fs::write(
        server.home().join(".tmux.conf"),
        "set-hook -g after-new-session 'pipe-pane \"exec cat >> ~/mine\"'\n",
    )
    .unwrap();
    let doppio = world(&server);
    doppio.file("r.toml", train("sleep 0.5; echo for both; sleep 0.5"));
    let ran = doppio.run(["run", "r.toml"]).expect(0);
    assert!(ran.stderr.contains("for both"), "{}", ran.stderr);
    let mine = fs::read_to_string(server.home().join("mine")).unwrap();
    assert!(mine.contains("for both"), "{mine:?}");
}

// case C5
#[test]
fn new_files_have_the_mode_that_any_step_gives_them() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    for running in [false, true] {
        doppio.file(
            "r.toml",
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"plain\"\nssh_command = { host_id = \"gpu\", command = \
             \"umask > plain\" }\n[[step]]\nid = \"new\"\ntmux_new = { host_id = \"gpu\", session_name = \"u\", \
             command = \"umask > pane; tmux new-session -d -s x 'umask > other; sleep 1000'\" }\n[[step]]\nid = \
             \"wait\"\ndepends_on = [\"new\"]\ntmux_wait = { host_id = \"gpu\", session_name = \"u\" }\n",
        );
        doppio.run(["run", "r.toml"]).expect(0);
        let read = |name: &str| fs::read_to_string(server.home().join(name)).unwrap_or_default();
        let plain = read("plain");
        assert_eq!(read("pane"), plain, "server runs: {running}");
        // A server that was born in the step has the user's mask, too; the next one is the user's own.
        if !running {
            wait_for("the user's own session", || read("other") == plain);
        }
        tmux(&server, "tmux kill-session -t x; rm -f pane other; umask 077; tmux new-session -d -s keep");
    }
}

// case C6
#[test]
fn what_can_not_work_is_an_error_before_anything_is_started() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let step = |operation: &str, rest: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n{operation} = {{ host_id = \"gpu\", command = \"touch \
             ~/ran\", {rest} }}\n"
        )
    };
    doppio.file("plain.toml", step("ssh_command", "workdir = \"/no/such\""));
    let plain = doppio.run(["run", "plain.toml"]).expect(3);
    let words = "there is no directory `/no/such` that can be entered";
    assert!(plain.stderr.contains(words), "{}", plain.stderr);
    doppio.file("new.toml", step("tmux_new", "session_name = \"a\", workdir = \"/no/such\""));
    let ran = doppio.run(["run", "new.toml"]).expect(3);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    doppio.file("log.toml", step("tmux_new", "session_name = \"a\", log = \"/no/such/log\""));
    let ran = doppio.run(["run", "log.toml"]).expect(1);
    assert!(ran.stderr.contains("the log of tmux session `a` can't be written on `gpu`"), "{}", ran.stderr);
    doppio.hosts(&format!("{}env = {{ HOME = \"/no/home\" }}\n", server.hosts_toml("gpu")));
    doppio.file("home.toml", step("tmux_new", "session_name = \"a\""));
    let ran = doppio.run(["run", "home.toml"]).expect(1);
    assert!(ran.stderr.contains("`gpu` has no room for the output and the exit code"), "{}", ran.stderr);
    assert!(!server.home().join("ran").exists() && sessions(&server).is_empty());
}

// case C9
#[test]
fn the_result_outlives_what_a_logout_deletes() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    doppio.hosts(&format!(
        "{}env = {{ XDG_STATE_HOME = \"{}/its state\" }}\n",
        server.hosts_toml("gpu"),
        server.home().display()
    ));
    doppio.file("r.toml", train("umask 022; echo the result; exit 7"));
    doppio.run(["run", "r.toml", "--only", "train"]).expect(0);
    tmux(&server, "rm -rf /dev/shm/* \"${XDG_RUNTIME_DIR:-/run/user/0}\"/*");
    let ran = doppio.run(["run", "r.toml", "--only", "wait"]).expect(1);
    assert!(ran.stderr.contains("the result") && ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    let modes = tmux(&server, "cd 'its state/doppio/jobs'; stat -c %a . * */out */exit */identity");
    assert_eq!(modes, "700\n700\n600\n600\n600\n");
}

// case K9
#[test]
fn a_session_begins_in_the_hosts_own_directory() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    fs::create_dir_all(server.home().join("the work's/$x")).unwrap();
    doppio.hosts(&format!("{}workdir = \"~/the work's\"\n", server.hosts_toml("gpu")));
    doppio.file("r.toml", train("pwd > ~/where"));
    doppio.run(["run", "r.toml"]).expect(0);
    let read = || fs::read_to_string(server.home().join("where")).unwrap();
    assert_eq!(read().trim_end(), server.home().join("the work's").to_str().unwrap());
    doppio.file(
        "r.toml",
        train("pwd > ~/where")
            .replace("command =", "workdir = \"~/the work's/$x\", log = \"log\", command ="),
    );
    doppio.run(["run", "r.toml"]).expect(0);
    assert!(read().ends_with("/the work's/$x\n") && server.home().join("the work's/$x/log").exists());
    // A directory that is missing keeps no session from being ended.
    fs::rename(server.home().join("the work's"), server.home().join("moved")).unwrap();
    doppio.file(
        "kill.toml",
        "[recipe]\nname = \"t\"\n[[step]]\nid = \"kill\"\ntmux_kill = { host_id = \"gpu\", session_name = \"train\" }\n",
    );
    doppio.run(["run", "kill.toml"]).expect(0);
}

// case A4
#[test]
fn what_a_step_printed_is_never_run_by_tmux() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    for (name, why) in [
        ("a#(touch injected)", "tmux expands what follows `#`"),
        ("a;", "tmux ends a command at the `;`"),
        ("a:b", "tmux changes `.`, `:` and `\\`"),
        ("a.b", "tmux changes `.`, `:` and `\\`"),
    ] {
        for operation in [
            "tmux_new = { host_id = \"gpu\", session_name = \"train-${name}\", command = \"sleep 9\" }",
            "tmux_kill = { host_id = \"gpu\", session_name = \"train-${name}\" }",
            "assert = { condition = { tmux_alive = { host_id = \"gpu\", session_name = \"train-${name}\" } } }",
        ] {
            doppio.file(
                "r.toml",
                format!(
                    "[recipe]\nname = \"r\"\n[[step]]\nid = \"say\"\nssh_command = {{ host_id = \"gpu\", command = \"\"\"\
                     echo '{name}'\"\"\", capture_output = \"name\" }}\n[[step]]\nid = \"train\"\ndepends_on = \
                     [\"say\"]\n{operation}\n"
                ),
            );
            let ran = doppio.run(["run", "r.toml"]).expect(1);
            assert!(ran.stderr.contains(why), "{name} {operation}: {}", ran.stderr);
        }
    }
    assert!(!server.home().join("injected").exists());
    assert_eq!(sessions(&server), "");
}

// case A4
#[test]
fn a_directory_whose_name_tmux_would_expand_is_one() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    let name = "#(touch injected) %H #{pane_id}";
    fs::create_dir_all(server.home().join(name)).unwrap();
    doppio.file(
        "r.toml",
        train("pwd > ~/where")
            .replace("command =", &format!("workdir = \"~/{name}\", log = \"{name}\", command =")),
    );
    doppio.run(["run", "r.toml"]).expect(0);
    assert_eq!(
        fs::read_to_string(server.home().join("where")).unwrap().trim_end(),
        server.home().join(name).to_str().unwrap()
    );
    assert!(server.home().join(name).join(name).exists() && !server.home().join("injected").exists());
}
