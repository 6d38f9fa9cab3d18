//! The cases against real servers, and what only those can show.

use std::fs;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Interpreter;

use super::cases;
use crate::support::exec::alive;
use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::exec::until_line;
use crate::support::pool::Testbed;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::watch::Sighting;
use crate::support::watch::Witness;

async fn cases_hold(server: Sshd) {
    let bed = Testbed::of(&server, "", &["A", "VALUE"]);
    let host = bed.host("box").await;
    let held = tokio::spawn(async move { cases::all(&host).await }).await;
    // What the server has to say explains most failures.
    assert!(held.is_ok(), "{}", server.log());
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_bash() {
    cases_hold(Sshd::start(Variant::Stock)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_dash() {
    cases_hold(Sshd::builder(Variant::Stock).shell("/bin/dash").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_zsh() {
    cases_hold(Sshd::builder(Variant::Stock).shell("/bin/zsh").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_fish() {
    cases_hold(Sshd::builder(Variant::Stock).shell("/usr/bin/fish").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_ksh() {
    cases_hold(Sshd::builder(Variant::Stock).shell("/bin/ksh").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_on_dropbear() {
    cases_hold(Sshd::start(Variant::Dropbear)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_where_variables_are_taken() {
    cases_hold(Sshd::builder(Variant::AcceptEnv).line("AcceptEnv A VALUE").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_of_the_login_shell_is_no_output() {
    let server = Sshd::start(Variant::Stock);
    let noise = "echo 'Welcome to the box!'; echo complaint >&2; printf 'no newline doppio:1:'\n";
    fs::write(server.home().join(".bashrc"), noise).expect("a .bashrc");
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    for _ in 0..3 {
        let done = run(&host, Exec::new("echo out; echo err >&2")).await;
        assert_eq!((done.text(), done.stderr.as_str()), ("out", "err\n"));
    }
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_starts_nothing_is_an_error_with_its_words() {
    let server = Sshd::start(Variant::Stock);
    fs::write(server.home().join(".bashrc"), "echo 'This account is closed.'; exit 3\n").expect("a .bashrc");
    let bed = Testbed::of(&server, "", &[]);
    let error = bed.host("box").await.exec(Exec::new("true")).await.expect_err("no command can run");
    let text = format!("{error}: {}", error.causes.join(": "));
    assert_eq!(
        text,
        "no command could be started on `box`: the login shell ended before it started a command \
         (exit status 3): This account is closed."
    );
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("~/.bashrc")));
    bed.pool.close().await;
}

async fn many_at_once(server: Sshd) {
    let bed = Testbed::of(&server, "", &["A"]);
    let host = bed.host("box").await;
    let runs = (0..50).map(|n| {
        let host = host.clone();
        tokio::spawn(async move {
            let exec = Exec {
                env: vec![secret("A", n.to_string())],
                ..Exec::new("echo $A; sleep 0.05; echo $A >&2; exit $A")
            };
            let done = run(&host, exec).await;
            assert_eq!((done.text(), done.stderr.trim()), (&*n.to_string(), &*n.to_string()));
            assert_eq!(done.exit, Exit::Code(n));
        })
    });
    for done in runs.collect::<Vec<_>>() {
        done.await.expect("every one ends well");
    }
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_two_channels() {
    many_at_once(Sshd::start(Variant::FewSessions)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_four_channels() {
    many_at_once(Sshd::builder(Variant::Stock).line("MaxSessions 4").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_ten_channels() {
    many_at_once(Sshd::start(Variant::Stock)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_on_dropbear() {
    many_at_once(Sshd::start(Variant::Dropbear)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_channels_is_an_error_with_the_setting() {
    let server = Sshd::builder(Variant::Stock).line("MaxSessions 0").start();
    let bed = Testbed::of(&server, "", &[]);
    let error = bed.host("box").await.exec(Exec::new("true")).await.expect_err("there is no channel");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("MaxSessions")), "{error:?}");
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finds_its_way_when_all_channels_are_taken() {
    let server = Sshd::start(Variant::FewSessions);
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let mut running = Vec::new();
    for _ in 0..6 {
        let mut process = host.exec(Exec::new("echo up; sleep 300")).await.expect("a process");
        until_line(&mut process).await;
        running.push(process);
    }
    for process in &running {
        assert_eq!(
            process.stop(Duration::from_secs(5)).await.expect("stopped").survivors,
            Vec::<String>::new()
        );
    }
    for process in running {
        assert_eq!(finish(process).await.exit, Exit::Signal("TERM".to_owned()));
    }
    bed.pool.close().await;
}

/// Kills the server's side of all connections, but not what runs on it.
fn cut(server: &Sshd) {
    let pid = server.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("children");
    let status = Command::new("kill").arg("-KILL").args(children.split_whitespace()).status().expect("kill");
    assert!(status.success(), "{children}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_a_lost_process_and_a_new_connection() {
    let server = Sshd::start(Variant::Stock);
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let mut process = host.exec(Exec::new("echo $$; echo ran >>count; sleep 300")).await.expect("a process");
    let pid: u32 = until_line(&mut process).await.trim().parse().expect("a pid");
    cut(&server);
    let lost = tokio::time::timeout(Duration::from_secs(20), process.next()).await.expect("in time");
    assert!(
        matches!(lost, Some(doppio_hosts::Output::Exit(Exit::Lost(ref why))) if !why.is_empty()),
        "{lost:?}"
    );
    // What is lost is neither run again nor out of reach.
    assert_eq!(run(&host, Exec::new("cat count")).await.text(), "ran");
    assert_eq!(alive(&host, &[pid]).await, [pid]);
    process.stop(Duration::from_secs(5)).await.expect("stopped");
    assert_eq!(alive(&host, &[pid]).await, Vec::<u32>::new());
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_never_meets_another_process_with_the_same_number() {
    let server = Sshd::start(Variant::Stock);
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    let mut process = host.exec(Exec::new("echo $$; exec sleep 300")).await.expect("a process");
    let pid: u32 = until_line(&mut process).await.trim().parse().expect("a pid");
    cut(&server);
    while !matches!(process.next().await, Some(doppio_hosts::Output::Exit(_))) {}
    // The lost one ends, and its number is given to another one.
    let again = format!(
        "kill -KILL {pid}; while [ -e /proc/{pid} ]; do sleep 0.02; done; sleep 0.1; echo $(({pid} - 2)) >/proc/sys/kernel/ns_last_pid; \
         setsid -f sleep 301; for p in $(pgrep -x -f 'sleep 301'); do echo $p; done"
    );
    let mut other = String::new();
    for _ in 0..20 {
        other = run(&host, Exec::new(again.clone())).await.text().to_owned();
        if other.lines().any(|line| line == pid.to_string()) {
            break;
        }
        run(&host, Exec::new("pkill -x -f 'sleep 301'")).await;
    }
    assert!(other.lines().any(|line| line == pid.to_string()), "{pid} was not given again: {other}");
    process.stop(Duration::from_secs(1)).await.expect("nothing to stop");
    assert_eq!(alive(&host, &[pid]).await, [pid]);
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_are_taken_travel_by_the_channel() {
    let server = Sshd::start(Variant::AcceptEnv);
    let names = ["HF_TOKEN", "DOPPIO_SECRET_1", "NOT_TAKEN"];
    let bed = Testbed::of(&server, "trust = \"owned\"\n", &names);
    let host = bed.host("box").await;
    let env = || vec![secret("HF_TOKEN", "a b'\n"), secret("DOPPIO_SECRET_1", "c"), secret("NOT_TAKEN", "d")];
    let exec = || Exec {
        env: env(),
        ..Exec::new("printf '%s|%s|%s' \"$HF_TOKEN\" \"$DOPPIO_SECRET_1\" \"$NOT_TAKEN\"")
    };
    let by = |carriers: [&'static str; 3]| {
        let mut list: Vec<_> = names.iter().map(|name| (*name).to_owned()).zip(carriers).collect();
        list.sort();
        list
    };
    // What the server takes is learnt beside other work.
    let end = Instant::now() + Duration::from_mins(2);
    loop {
        let mut done = run(&host, exec()).await;
        assert_eq!(done.stdout, b"a b'\n|c|d");
        done.carriers.sort();
        if done.carriers == by(["channel env", "channel env", "preamble"]) {
            break;
        }
        assert_eq!(done.carriers, by(["preamble", "preamble", "preamble"]));
        assert!(Instant::now() < end, "the answers never came");
    }
    bed.pool.close().await;
    let bed = Testbed::of(&server, "trust = \"owned\"\ncarrier = \"preamble\"\n", &names);
    let mut done = run(&bed.host("box").await, exec()).await;
    done.carriers.sort();
    assert_eq!(done.carriers, by(["preamble", "preamble", "preamble"]));
    bed.pool.close().await;
}

// case B14
#[tokio::test(flavor = "multi_thread")]
async fn on_a_rented_host_nothing_travels_where_its_server_can_log_it() {
    let server = Sshd::builder(Variant::AcceptEnv).line("LogLevel DEBUG3").start();
    let value = "test_the_value_that_no_log_may_have";
    let exec = || Exec { env: vec![secret("HF_TOKEN", value)], ..Exec::new("echo ${#HF_TOKEN}") };
    let bed = Testbed::of(&server, "", &["HF_TOKEN"]);
    let host = bed.host("box").await;
    for _ in 0..20 {
        let done = run(&host, exec()).await;
        assert_eq!((done.text(), done.carriers[0].1), ("35", "preamble"));
    }
    bed.pool.close().await;
    assert!(!server.log().contains(value));
    // A user who asks for it gets it.
    let bed = Testbed::of(&server, "carrier = \"channel\"\n", &["HF_TOKEN"]);
    let done = run(&bed.host("box").await, exec()).await;
    assert_eq!((done.text(), done.carriers[0].1), ("35", "channel env"));
    bed.pool.close().await;
    assert!(server.log().contains(value), "otherwise this test looks in the wrong log");
}

#[tokio::test(flavor = "multi_thread")]
async fn channel_only_fails_closed_where_a_name_is_refused() {
    let server = Sshd::start(Variant::AcceptEnv);
    for names in [&["HF_TOKEN", "NOT_TAKEN"][..], &[]] {
        let bed = Testbed::of(&server, "carrier = \"channel\"\n", names);
        let host = bed.host("box").await;
        let with = |name: &str| Exec {
            env: vec![secret(name, "value")],
            ..Exec::new(format!("echo ${name}; touch ran"))
        };
        let error = host.exec(with("NOT_TAKEN")).await.expect_err("it is refused");
        assert!(
            error.hint.as_deref().is_some_and(|hint| hint.contains("`AcceptEnv NOT_TAKEN`")),
            "{error:?}"
        );
        assert!(!server.home().join("ran").exists());
        let done = run(&host, with("HF_TOKEN")).await;
        assert_eq!((done.text(), done.carriers[0].1), ("value", "channel env"));
        fs::remove_file(server.home().join("ran")).expect("it ran");
        bed.pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_has_an_environment_and_a_directory_of_its_own() {
    let server = Sshd::start(Variant::Stock);
    let bed = Testbed::of(&server, "workdir = \"/usr\"\nenv = { KIND = \"box\", A = \"host\" }\n", &[]);
    let host = bed.host("box").await;
    let done = run(&host, Exec { env: vec![secret("A", "step")], ..Exec::new("pwd; echo $KIND $A") }).await;
    assert_eq!(done.text(), "/usr\nbox step");
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_argument_list_ever_has_a_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut witness = Witness::start(folder.path());
    let server = Sshd::builder(Variant::Stock).under(witness.prefix()).start();
    let bed = Testbed::of(&server, "", &["A", "BIG"]);
    let host = bed.host("box").await;
    for shell in ["bash", "sh", "zsh"] {
        let exec = Exec {
            env: vec![secret("A", "hunter2needle"), secret("BIG", "hunter2needle".repeat(20_000))],
            interpreter: Interpreter { shell: shell.to_owned(), login: true },
            ..Exec::new("sleep 0.1; [ \"$A\" ] && [ \"$BIG\" ] && /bin/echo hunter2''control >/dev/null")
        };
        assert_eq!(run(&host, exec).await.exit, Exit::Code(0));
    }
    // A watcher that sees nothing at all would be no witness.
    run(&host, Exec::new("/bin/echo hunter2control; sleep 0.2")).await;
    bed.pool.close().await;
    drop(server);
    let seen = witness.end();
    let with = |needle: &str| -> Vec<String> {
        seen.iter()
            .filter(|sighting| {
                sighting.arguments.windows(needle.len()).any(|window| window == needle.as_bytes())
            })
            .map(Sighting::show)
            .collect()
    };
    assert!(!with("hunter2control").is_empty(), "the witness slept");
    assert_eq!(with("hunter2needle"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_share_one_login() {
    let server = Sshd::builder(Variant::Stock).shell("/bin/dash").start();
    let bed = Testbed::of(&server, "", &[]);
    let host = bed.host("box").await;
    for _ in 0..50 {
        assert_eq!(run(&host, Exec::new("true")).await.exit, Exit::Code(0));
    }
    bed.pool.close().await;
    server.wait_for("the end of the connection", |log| log.contains("Disconnected from user"));
    assert_eq!(server.log().matches("Accepted publickey").count(), 1, "{}", server.log());
}
