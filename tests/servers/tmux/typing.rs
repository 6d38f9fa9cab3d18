//! What is typed into a session arrives as it stands.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use doppio_test_support::Doppio;
use doppio_test_support::send;
use doppio_test_support::wait_for;

use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::tmux::tmux;
use crate::tmux::world;

fn step(doppio: &Doppio, operation: &str) {
    doppio.file("r.toml", format!("[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n{operation}\n"));
}

// case C4
#[test]
fn text_is_typed_letter_by_letter() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    tmux(&server, "tmux new-session -d -s box 'exec cat > typed'");
    for keys in ["touch made;", "up", "Enter it", "find -exec ls {} \\\\;", "-l", "C-cx", ";", "F13", ""] {
        step(
            &doppio,
            &format!("tmux_send = {{ host_id = \"gpu\", session_name = \"box\", keys = \"{keys}\" }}"),
        );
        doppio.run(["run", "r.toml"]).expect(0);
    }
    let lines = "\"\"\"\ntouch made;\nup\nC-c\n\"\"\"";
    step(
        &doppio,
        &format!(
            "run_commands = {{ host_id = \"gpu\", session_name = \"box\", tmux_mode = \"existing\", commands = {lines} }}"
        ),
    );
    doppio.run(["run", "r.toml"]).expect(0);
    step(&doppio, "tmux_send = { host_id = \"gpu\", session_name = \"box\", keys = \"C-d\" }");
    doppio.run(["run", "r.toml"]).expect(0);
    let typed = || fs::read_to_string(server.home().join("typed")).unwrap_or_default();
    let expected =
        "touch made;\nup\nEnter it\nfind -exec ls {} \\;\n-l\nC-cx\n;\nF13\n\ntouch made;\nup\nC-c\n";
    wait_for("all that was typed", || typed() == expected);
}

#[test]
fn a_value_presses_no_keys() {
    let server = Sshd::start(Variant::Stock);
    let doppio = world(&server);
    tmux(&server, "tmux new-session -d -s box 'exec cat > typed'");
    let run = |printed: &str, code| {
        doppio.file(
            "r.toml",
            format!(
                "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nssh_command = {{ host_id = \"gpu\", \
                 command = \"printf '{printed}'\", capture_output = \"v\" }}\n[[step]]\nid = \"b\"\n\
                 depends_on = [\"a\"]\ntmux_send = {{ host_id = \"gpu\", session_name = \"box\", \
                 keys = \"echo ${{v|q}}\" }}\n"
            ),
        );
        doppio.run(["run", "r.toml"]).expect(code).stderr
    };
    run("a b", 0);
    // Ctrl-C ends a quoted line, a tabulator completes one, and a newline sends it.
    for control in ["\\\\003", "\\\\t", "x\\\\ny", "\\\\033OP"] {
        let said = run(control, 1);
        assert!(said.contains("would type a value with a line break or another control character"), "{said}");
    }
    tmux(&server, "tmux send-keys -t box C-d");
    let typed = || fs::read_to_string(server.home().join("typed")).unwrap_or_default();
    wait_for("what was typed", || typed() == "echo 'a b'\n");
}

// case C4
#[test]
fn an_error_of_tmux_is_a_failure() {
    let builder = Sshd::builder(Variant::Stock);
    let bin = builder.folder().join("bin");
    let server = builder.line(format!("SetEnv PATH={}:/usr/bin:/bin", bin.display())).start();
    let doppio = world(&server);
    tmux(&server, "tmux new-session -d -s box");
    shim(&server, "case $* in *Enter) echo 'lost server' >&2; exit 1;; esac; exec /usr/bin/tmux \"$@\"");
    step(&doppio, "tmux_send = { host_id = \"gpu\", session_name = \"box\", keys = \"true\" }");
    let ran = doppio.run(["run", "r.toml"]).expect(1);
    assert!(ran.stderr.contains("lost server"), "{}", ran.stderr);
}

// case L9
#[test]
fn a_pasted_value_is_nowhere_whenever_one_looks() {
    let builder = Sshd::builder(Variant::Stock);
    let bin = builder.folder().join("bin");
    let server = builder.line(format!("SetEnv PATH={}:/usr/bin:/bin", bin.display())).start();
    let doppio = world(&server);
    tmux(&server, "tmux new-session -d -s box 'exec cat > typed'");
    let operation = "tmux_send = { host_id = \"gpu\", session_name = \"box\", keys = \"${secret:env:TRAIN_TOKEN}\", \
                     allow_secret_keys = true }";
    // tmux answers only when it has done all; then only when it has read the value and no more.
    for loads in ["\"$@\"", "load-buffer -b \"$3\" -"] {
        shim(
            &server,
            &format!(
                "case $1 in load-buffer) /usr/bin/tmux {loads}; touch ~/loaded; exec sleep 1000;; esac; exec \
                 /usr/bin/tmux \"$@\""
            ),
        );
        step(&doppio, operation);
        let child = doppio.start(["run", "r.toml"]);
        wait_for("the value to be in tmux", || server.home().join("loaded").exists());
        send(&child, Signal::INT);
        child.wait_with_output().unwrap();
        wait_for("the buffer to be gone", || !tmux(&server, "/usr/bin/tmux list-buffers").contains("doppio"));
        fs::remove_file(server.home().join("loaded")).unwrap();
    }
    shim(&server, "exec /usr/bin/tmux \"$@\"");
    step(&doppio, "tmux_send = { host_id = \"gpu\", session_name = \"box\", keys = \"C-d\" }");
    doppio.run(["run", "r.toml"]).expect(0);
    wait_for("what was pasted", || {
        fs::read_to_string(server.home().join("typed")).unwrap_or_default().contains("second line")
    });
}

/// A program in the place of tmux.
fn shim(server: &Sshd, text: &str) {
    let bin = server.folder().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("new"), format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(bin.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(bin.join("new"), bin.join("tmux")).unwrap();
}
