//! Login shells that do something else than run a command: nothing secret is sent to them, and they
//! are named.

use std::fs;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::HostError;
use doppio_hosts::Interpreter;

use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::pool::Testbed;
use crate::support::sshd::Builder;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;

const VALUE: &str = "test_the_value_that_must_not_get_there";

fn exec() -> Exec {
    Exec { env: vec![secret("A", VALUE)], ..Exec::new("echo ${#A}") }
}

/// Why no command could be started.
async fn refused(bed: &Testbed) -> HostError {
    let error = bed.host("box").await.exec(exec()).await.expect_err("no command can run");
    assert!(!format!("{error:?}").contains(VALUE));
    error
}

async fn refused_with(server: &Sshd, login_file: &str) -> HostError {
    fs::write(server.home().join(".bashrc"), login_file).unwrap();
    let bed = Testbed::of(server, "", &[]);
    let error = refused(&bed).await;
    bed.pool.close().await;
    error
}

// case H2
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_refused_before_anything_secret_is_sent() {
    let forced = |builder: Builder| {
        builder.line("ForceCommand exec script -qef -c \"$SSH_ORIGINAL_COMMAND\" /tmp/typescript")
    };
    let server = forced(Sshd::builder(Variant::Stock)).start();
    let bed = Testbed::of(&server, "", &[]);
    let error = refused(&bed).await;
    assert!(error.causes[0].contains("is a terminal there"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("ForceCommand")));
    bed.pool.close().await;
    let typed = fs::read_to_string(server.tmp().join("typescript")).unwrap();
    assert!(typed.contains("doppio:terminal") && !typed.contains(VALUE), "{typed}");
    let server = Sshd::start(Variant::Stock);
    let error = refused_with(&server, "[ \"$INNER\" ] || INNER=1 exec script -qf /tmp/typescript\n").await;
    assert!(error.causes[0].contains("another shell") || error.causes[0].contains("terminal"), "{error:?}");
}

// case H5
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_reads_along_gets_nothing() {
    let server = Sshd::start(Variant::Stock);
    let error = refused_with(&server, "cat <&0 >/tmp/taken &\n").await;
    assert!(error.causes[0].contains("something else can read the standard input"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`PROGRAM </dev/null &`")));
    assert!(error.causes[1].contains(" cat"), "{error:?}");
    let taken = fs::read_to_string(server.tmp().join("taken")).unwrap();
    assert!(!taken.contains(VALUE), "{taken}");
    // One that has it and waits could read at any time; what has another one is nobody's business.
    let error = refused_with(&server, "exec 3<&0; { sleep 300; } 3<&3 & exec 3<&-\n").await;
    assert!(error.causes[1].contains(" sleep") || error.causes[1].contains(" bash"), "{error:?}");
    let apart = "sleep 300 & setsid -f sleep 301 </dev/null; nohup sleep 302 >/dev/null 2>&1 &\n";
    fs::write(server.home().join(".bashrc"), apart).unwrap();
    let bed = Testbed::of(&server, "", &[]);
    assert_eq!(run(&bed.host("box").await, exec()).await.text(), VALUE.len().to_string());
    bed.pool.close().await;
}

// case H5
#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_arrives_in_part_is_not_run() {
    let server = Sshd::start(Variant::Stock);
    // It comes when everything has been looked at, and its parent is another one.
    let thief = "(setsid sh -c 'while ! [ -e /tmp/go ]; do sleep 0.05; done; cat /proc/$1/fd/0 >/tmp/taken' sh $$ </dev/null >/dev/null 2>&1 &)\n";
    fs::write(server.home().join(".bashrc"), thief).unwrap();
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    fs::write(server.tmp().join("go"), "").unwrap();
    let big = "it's a value\n".repeat(6000);
    let exec = Exec { env: vec![secret("A", big)], ..Exec::new("touch ran; echo ${#A}") };
    let process = match host.exec(exec).await {
        Ok(process) => process,
        // It had begun when everything was looked at.
        Err(error) => {
            assert!(error.causes[0].contains("something else can read"), "{error:?}");
            return bed.pool.close().await;
        }
    };
    let done = finish(process).await;
    match done.exit {
        Exit::Code(0) => assert_eq!(done.text(), "78000"),
        // How it ends depends on how much was taken: it may be the mark of the end, or all of it.
        Exit::NotStarted(_) | Exit::Lost(_) => assert!(!server.home().join("ran").exists()),
        other => panic!("{other:?}"),
    }
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_file_that_has_read_something_is_no_obstacle() {
    let server = Sshd::start(Variant::Stock);
    fs::write(server.home().join(".bashrc"), "read -r -t 60 _answer\n").unwrap();
    let bed = Testbed::of(&server, "", &[]);
    assert_eq!(run(&bed.host("box").await, exec()).await.text(), VALUE.len().to_string());
    bed.pool.close().await;
}

// case D13
#[tokio::test(flavor = "multi_thread")]
async fn another_shell_in_place_of_the_command_is_named_with_what_helps() {
    let server = Sshd::start(Variant::Stock);
    let guard = "`[[ $- == *i* ]] || return`";
    // fish runs nothing before it has read everything.
    for shell in ["exec zsh", "exec dash", "exec fish"] {
        let error = refused_with(&server, &format!("{shell}\n")).await;
        assert_eq!(error.causes[0], "the login shell starts another shell instead of the command", "{shell}");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(guard)), "{shell}");
    }
    let error = refused_with(&server, "[ \"$TMUX\" ] || exec tmux new-session -A -s main\n").await;
    assert!(error.causes[0].contains("ended before it started a command"), "{error:?}");
    assert!(error.causes[1].contains("not a terminal"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(guard)));
    let error = refused_with(&server, "yes noise\n").await;
    assert!(error.causes[0].contains("keeps printing"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains(guard)));
    let error = refused_with(&server, "exec </dev/null\n").await;
    assert!(error.causes[0].contains("standard input of commands is closed"), "{error:?}");
}

// case D13
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_login_shell_is_waited_for_once() {
    let server = Sshd::start(Variant::Stock);
    let error = refused_with(&server, "date +%s >>/tmp/logins; exec sleep 1000\n").await;
    assert!(error.causes[0].contains("did not start a command within 45 seconds"), "{error:?}");
    let logins = fs::read_to_string(server.tmp().join("logins")).unwrap();
    assert_eq!(logins.lines().count(), 1, "a second one would only take as long again: {logins}");
}

// case H6
#[tokio::test(flavor = "multi_thread")]
async fn noise_in_the_background_is_not_the_scripts_and_holds_nothing_up() {
    let server = Sshd::start(Variant::Stock);
    fs::write(server.home().join(".bashrc"), "{ while :; do echo noise; sleep 0.02; done; } &\n").unwrap();
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    for _ in 0..3 {
        let done =
            run(&host, Exec::new("head -c 500000 /dev/zero | tr '\\0' x; echo; echo end; exit 7")).await;
        let text = done.text().replace("noise\n", "").replace("noise", "");
        let text = text.trim_end();
        assert_eq!((text.len(), text.ends_with("\nend"), done.exit), (500_004, true, Exit::Code(7)));
    }
    bed.pool.close().await;
}

// case B12
#[tokio::test(flavor = "multi_thread")]
async fn tracing_that_the_host_has_set_up_writes_no_value_down() {
    let server = Sshd::start(Variant::Stock);
    let trace = server.tmp().join("trace");
    let traced = "exec 9>>/tmp/trace; BASH_XTRACEFD=9; set -xv\n";
    fs::write(server.home().join("traced"), traced).unwrap();
    let home = server.home().display().to_string();
    let login_file =
        format!("export BASH_ENV={home}/traced fish_trace=1 PS4='+traced '\nset -x\nexport SHELLOPTS\n");
    fs::write(server.home().join(".bashrc"), login_file).unwrap();
    fs::write(server.home().join(".zshenv"), "exec 2>>/tmp/trace; set -x\n").unwrap();
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    for shell in ["bash", "sh", "zsh", "fish"] {
        let exec = Exec {
            env: vec![secret("A", VALUE)],
            interpreter: Interpreter { shell: shell.to_owned(), login: false },
            ..Exec::new("export B=\"$A\"; echo done")
        };
        let done = run(&host, exec).await;
        assert_eq!(done.text(), "done", "{shell}: {}", done.stderr);
        assert!(!done.stderr.contains(VALUE), "{shell}: {}", done.stderr);
        let written = fs::read_to_string(&trace).unwrap_or_default();
        assert!(!written.contains(VALUE), "{shell}: {written}");
    }
    // Without a secret, it is the host's own business.
    let exec = Exec { env: Vec::new(), ..Exec::new("plain=1; echo done") };
    run(&host, exec).await;
    assert!(fs::read_to_string(&trace).unwrap().contains("plain=1"), "the host traces nothing at all");
    bed.pool.close().await;
}
