//! What holds on every kind of host.

use std::time::Duration;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::Interpreter;
use doppio_hosts::Output;
use doppio_hosts::Stdin;
use doppio_secrets::SecretValue;

use crate::support::exec::Done;
use crate::support::exec::alive;
use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::exec::until_line;

/// All of them, one after the other.
pub(crate) async fn all(host: &Host) {
    all_but_signals(host).await;
    let done = run(host, Exec::new("kill -KILL $$")).await;
    assert_eq!(done.exit, Exit::Signal("KILL".to_owned()));
    assert_eq!(Box::pin(stop_kills_the_tree(host)).await, Exit::Signal("KILL".to_owned()));
}

/// Those of a host that does not say which signal has ended a script.
pub(crate) async fn all_but_signals(host: &Host) {
    Box::pin(what_comes_back(host)).await;
    Box::pin(how_it_ends(host)).await;
}

async fn what_comes_back(host: &Host) {
    ends(host).await;
    values_arrive_byte_by_byte(host).await;
    large_values_are_files_that_go(host).await;
    stdin_is_what_follows(host).await;
    Box::pin(unread_stdin_holds_nothing_up(host)).await;
    directories(host).await;
    files_are_sourced(host).await;
    interpreters(host).await;
    long_scripts(host).await;
    no_trace_shows_a_value(host).await;
}

async fn how_it_ends(host: &Host) {
    children_in_the_background(host).await;
    stop_finds_children_in_other_sessions(host).await;
    stop_gives_time(host).await;
    stop_after_the_end(host).await;
    much_output_beside_other_work(host).await;
}

/// Why the script was not started.
fn refused(done: Done) -> String {
    assert_eq!((done.text(), done.stderr.as_str()), ("", ""), "{:?}", done.exit);
    let Exit::NotStarted(error) = done.exit else { panic!("{:?}", done.exit) };
    format!("{}; {}", error.causes.join(": "), error.hint.unwrap_or_default())
}

// case H5
async fn ends(host: &Host) {
    for code in [96, 97, 98] {
        let done = run(host, Exec::new(format!("exit {code}"))).await;
        assert_eq!(done.exit, Exit::Code(code), "a code is the script's own");
    }
    let done = run(host, Exec::new("echo out; echo err >&2; exit 7")).await;
    assert_eq!((done.text(), done.stderr.as_str(), &done.exit), ("out", "err\n", &Exit::Code(7)));
    assert_eq!(run(host, Exec::new("")).await.exit, Exit::Code(0));
    assert_eq!(run(host, Exec::new("if")).await.exit, Exit::Code(2));
}

async fn values_arrive_byte_by_byte(host: &Host) {
    let every_byte: Vec<u8> = (1..=255).collect();
    let values: [Vec<u8>; 5] = [
        every_byte,
        b"\n\n.\n+x\n,\n'\"`$(id)\\\n\n".to_vec(),
        vec![b'\n'; 90_000],
        vec![b'\''; 90_000],
        b"plain".to_vec(),
    ];
    for value in values {
        let exec = Exec { env: vec![secret("VALUE", value.clone())], ..Exec::new("printenv VALUE") };
        let done = run(host, exec).await;
        let got = done.stdout.strip_suffix(b"\n").unwrap_or_default();
        assert!(got == value, "{} bytes came as {}: {}", value.len(), got.len(), done.stderr);
    }
}

async fn large_values_are_files_that_go(host: &Host) {
    let value: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 255 + 1).expect("a byte")).collect();
    let script = r#"echo "$BIG_FILE"; stat -c '%a' "$BIG_FILE" "${BIG_FILE%/*}"; printf %s "$BIG" | cmp - "$BIG_FILE" && cat "$BIG_FILE"; exit 5"#;
    let done = run(host, Exec { env: vec![secret("BIG", value.clone())], ..Exec::new(script) }).await;
    let mut lines = done.stdout.splitn(4, |&byte| byte == b'\n');
    let path = String::from_utf8(lines.next().expect("a path").to_vec()).expect("a path");
    assert_eq!(lines.next(), Some(&b"600"[..]), "{}", done.stderr);
    assert_eq!(lines.next(), Some(&b"700"[..]));
    assert!(lines.next() == Some(&value[..]), "the value is not the same: {}", done.stderr);
    assert_eq!(done.exit, Exit::Code(5));
    assert_eq!(done.carriers, [("BIG".to_owned(), "private file")]);
    assert_eq!(run(host, Exec::new(format!("[ -e {path} ] || echo gone"))).await.text(), "gone");
}

async fn stdin_is_what_follows(host: &Host) {
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| u8::try_from(n % 251).expect("a byte")).collect();
    let exec = Exec {
        env: vec![secret("A", "1")],
        stdin: Some(Stdin { bytes: SecretValue::new(bytes.clone()), deliveries: Vec::new() }),
        ..Exec::new("head -c 7; cat")
    };
    assert!(run(host, exec).await.stdout == bytes);
    assert_eq!(run(host, Exec::new("cat; echo end")).await.text(), "end");
}

async fn unread_stdin_holds_nothing_up(host: &Host) {
    let bytes = || SecretValue::new(vec![b'x'; 20 << 20]);
    let stdin = || Some(Stdin { bytes: bytes(), deliveries: Vec::new() });
    let exec = Exec { stdin: stdin(), ..Exec::new("sleep 0.3; echo done") };
    let (one, two) = tokio::join!(run(host, exec), run(host, Exec::new("echo beside")));
    assert_eq!((one.text(), two.text()), ("done", "beside"));
    // Both directions full at once.
    let done = run(host, Exec { stdin: stdin(), ..Exec::new("cat") }).await;
    assert_eq!(done.stdout.len(), 20 << 20);
}

async fn directories(host: &Host) {
    let in_dir = |dir: &str| Exec { workdir: Some(dir.to_owned()), ..Exec::new("pwd") };
    assert_eq!(run(host, in_dir("/usr/lib")).await.text(), "/usr/lib");
    assert_eq!(run(host, in_dir("~")).await.text(), run(host, Exec::new("cd; pwd")).await.text());
    let made = run(host, Exec::new(r#"d=$(mktemp -d); mkdir "$d/it's here"; echo "$d/it's here""#)).await;
    assert_eq!(run(host, in_dir(made.text())).await.text(), made.text());
    let why = refused(run(host, in_dir("/no/such place")).await);
    assert_eq!(
        why,
        "there is no directory `/no/such place` that can be entered; make it there: `mkdir -p '/no/such place'`"
    );
    run(host, Exec { workdir: Some(made.text().to_owned()), ..Exec::new(r#"rm -r "${PWD%/*}""#) }).await;
}

async fn files_are_sourced(host: &Host) {
    let made = run(
        host,
        Exec::new(r#"d=$(mktemp -d); echo 'here() { echo "here $A"; }' >"$d/a b.sh"; echo KIND=plain >"$d/environment"; echo "$d""#),
    )
    .await;
    let dir = made.text();
    let exec = Exec {
        env: vec![secret("A", "1")],
        source: vec![format!("{dir}/a b.sh"), format!("{dir}/environment")],
        ..Exec::new("here; printenv KIND")
    };
    assert_eq!(run(host, exec).await.text(), "here 1\nplain");
    let exec = Exec { source: vec![format!("{dir}/missing")], ..Exec::new("echo never") };
    let why = refused(run(host, exec).await);
    assert!(why.starts_with("there is no file `") && why.contains("/missing` to source"), "{why}");
    run(host, Exec { workdir: Some(dir.to_owned()), ..Exec::new(r#"rm -r "$PWD""#) }).await;
}

async fn interpreters(host: &Host) {
    let with = |shell: &str, login, script: &str| Exec {
        interpreter: Interpreter { shell: shell.to_owned(), login },
        env: vec![secret("A", "one two")],
        ..Exec::new(script)
    };
    assert_eq!(run(host, Exec::new("a=(1 2 3); echo ${#a[@]}")).await.text(), "3", "bash");
    assert_eq!(run(host, with("sh", false, r#"echo "$A""#)).await.text(), "one two");
    assert_eq!(run(host, with("zsh", false, "print -r -- $A")).await.text(), "one two");
    assert_eq!(run(host, with("fish", false, "set -l x $A; echo $x")).await.text(), "one two");
    assert_eq!(run(host, with("/bin/dash", false, r#"echo "$A""#)).await.text(), "one two");
    let done = run(host, with("bash", true, "shopt -q login_shell && echo \"login $A\"")).await;
    assert!(done.text().ends_with("login one two"), "{done:?}");
    let why = refused(run(host, with("no-such-shell", false, "echo never")).await);
    assert!(why.starts_with("`no-such-shell` is not installed there"), "{why}");
}

async fn long_scripts(host: &Host) {
    let filler = "# it's a comment\n".repeat(30_000);
    let script = format!("{filler}echo \"$# ${{A}} ${{BASH_VERSION%%.*}}\"; exit 3");
    let exec = Exec { env: vec![secret("A", "here")], ..Exec::new(script) };
    let done = run(host, exec).await;
    assert!(done.text().starts_with("0 here "), "{done:?}");
    assert_eq!(done.exit, Exit::Code(3));
}

async fn no_trace_shows_a_value(host: &Host) {
    let exec = Exec { env: vec![secret("A", "s3cr3t-trace")], ..Exec::new("set -x; true") };
    let done = run(host, exec).await;
    assert!(!done.stderr.contains("s3cr3t-trace"), "{}", done.stderr);
}

async fn children_in_the_background(host: &Host) {
    let done = run(host, Exec::new("sleep 300 & echo $!; exit 4")).await;
    assert_eq!(done.exit, Exit::Code(4));
    let pid: u32 = done.text().parse().expect("a pid");
    assert_eq!(alive(host, &[pid]).await, [pid], "the child in the background is left to itself");
    run(host, Exec::new(format!("kill {pid}"))).await;
}

pub(crate) async fn stop_kills_the_tree(host: &Host) -> Exit {
    let script = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 300 & echo $$ $!; wait; sleep 300' & set -m; sleep 301 & wait; sleep 300";
    let mut process = host.exec(Exec::new(script)).await.expect("a process");
    let line = until_line(&mut process).await;
    let mut pids: Vec<u32> = line.split_whitespace().map(|word| word.parse().expect("a pid")).collect();
    pids.push(process.pid());
    assert_eq!(alive(host, &pids).await, pids);
    let stopped = process.stop(Duration::from_millis(300)).await.expect("stopped");
    assert_eq!(stopped.survivors, Vec::<String>::new());
    assert_eq!(alive(host, &pids).await, Vec::<u32>::new());
    finish(process).await.exit
}

/// Two children in sessions of their own, one of them with a child and deaf, and one whose parent
/// is gone: that one is not known to belong to the step.
async fn stop_finds_children_in_other_sessions(host: &Host) {
    let script = "setsid sh -c 'trap \"\" TERM; setsid sleep 300 & echo $$ $! >>\"$0\"; while :; do sleep 0.1; done' \"$PWD/pids\" &
        setsid sleep 301 & echo $! >>pids
        (setsid sleep 302 & echo $! >>pids)
        while [ \"$(wc -w <pids)\" -lt 4 ]; do sleep 0.05; done; sort pids | tr '\\n' ' '; rm pids; echo; wait; sleep 300";
    let folder = run(host, Exec::new("mktemp -d")).await.text().trim().to_owned();
    let mut exec = Exec::new(format!("cd {folder}\n{script}"));
    exec.interpreter.login = false;
    let mut process = host.exec(exec).await.expect("a process");
    let line = until_line(&mut process).await;
    let pids: Vec<u32> = line.split_whitespace().map(|word| word.parse().expect("a pid")).collect();
    assert_eq!(alive(host, &pids).await.len(), 4, "{line}");
    let stopped = process.stop(Duration::from_millis(300)).await.expect("stopped");
    assert_eq!(stopped.survivors, Vec::<String>::new());
    let [stray] = alive(host, &pids).await[..] else { panic!("one is left of {line}") };
    let done =
        run(host, Exec::new(format!("tr '\\0' ' ' </proc/{stray}/cmdline; kill {stray}; rm -r {folder}")))
            .await;
    assert_eq!(done.text().trim_end(), "sleep 302");
}

async fn stop_gives_time(host: &Host) {
    let script = "trap 'echo tidied; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut process = host.exec(Exec::new(script)).await.expect("a process");
    until_line(&mut process).await;
    // It waits no longer than it must.
    let stopped = tokio::time::timeout(Duration::from_mins(2), process.stop(Duration::from_hours(1))).await;
    assert_eq!(stopped.expect("an end long before").expect("stopped").survivors, Vec::<String>::new());
    let done = finish(process).await;
    assert_eq!((done.text(), &done.exit), ("tidied", &Exit::Code(9)));
}

async fn stop_after_the_end(host: &Host) {
    let mut process = host.exec(Exec::new("true")).await.expect("a process");
    while !matches!(process.next().await, Some(Output::Exit(_)) | None) {}
    assert_eq!(
        process.stop(Duration::from_secs(1)).await.expect("nothing to do").survivors,
        Vec::<String>::new()
    );
}

async fn much_output_beside_other_work(host: &Host) {
    let big = host.exec(Exec::new("head -c 52428800 /dev/zero")).await.expect("a process");
    for n in 0..10 {
        let done = run(host, Exec::new(format!("echo {n}"))).await;
        assert_eq!(done.text(), n.to_string());
    }
    let done = finish(big).await;
    assert_eq!((done.stdout.len(), done.exit), (52_428_800, Exit::Code(0)));
}
