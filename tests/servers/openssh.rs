//! Steps over the user's own `ssh`: `transport = "openssh"`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::time::Duration;
use std::time::SystemTime;

use rustix::process::Signal;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Output;
use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::send;
use doppio_test_support::wait_for;

use crate::exec::cases;
use crate::support::exec::alive;
use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::exec::until_line;
use crate::support::frozen::Frozen;
use crate::support::needles::Needles;
use crate::support::pool::Testbed;
use crate::support::sshd::Sshd;
use crate::support::sshd::Variant;
use crate::support::watch::Sighting;
use crate::support::watch::Witness;

const OPENSSH: &str = "transport = \"openssh\"\n";

/// A server with a key exchange that Doppio's own SSH does not have.
fn exotic() -> Sshd {
    Sshd::builder(Variant::Stock).line("KexAlgorithms sntrup761x25519-sha512@openssh.com").start()
}

/// How often somebody has logged in.
fn logins(server: &Sshd) -> usize {
    server.log().lines().filter(|line| line.contains("Accepted publickey")).count()
}

/// The processes of this machine that name a text in their arguments.
fn naming(text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(text) {
            found.push(entry.path());
        }
    }
    found
}

/// The folders for sockets of the `ssh` that reach a server, and those processes: by its address.
fn left(server: &Sshd) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let address = server.address().ip().to_string();
    let mut folders = Vec::new();
    for entry in fs::read_dir("/tmp").unwrap().flatten() {
        let path = entry.path();
        let Ok(files) = fs::read_dir(&path) else { continue };
        if !entry.file_name().to_string_lossy().starts_with("doppio-") {
            continue;
        }
        let is_ours = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(&address));
        let mut files = files.flatten().map(|file| file.path());
        if files.any(|file| file.extension().is_some_and(|end| end == "config") && is_ours(&file)) {
            folders.push(path);
        }
    }
    let processes = folders.iter().flat_map(|folder| naming(&folder.display().to_string())).collect();
    (folders, processes)
}

async fn cases_hold(server: Sshd) {
    let bed = Testbed::of(&server, OPENSSH, &["A", "VALUE"]);
    let host = bed.host("box").await;
    let held = tokio::spawn(async move {
        cases::all_but_signals(&host).await;
        let done = run(&host, Exec::new("kill -KILL $$")).await;
        assert_eq!(done.exit, Exit::Code(128 + 9));
        let exit = Box::pin(cases::stop_kills_the_tree(&host)).await;
        assert!(matches!(exit, Exit::Lost(_)), "{exit:?}");
    })
    .await;
    // What the server has to say explains most failures.
    assert!(held.is_ok(), "{}", server.log());
    bed.pool.close().await;
    assert_eq!(left(&server), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_bash() {
    cases_hold(Sshd::start(Variant::Stock)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_with_fish() {
    cases_hold(Sshd::builder(Variant::Stock).shell("/usr/bin/fish").start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_exchange_that_doppio_lacks_is_openssh_s_work() {
    let server = exotic();
    let bed = Testbed::of(&server, "", &[]);
    let id = "box".parse().unwrap();
    let error = bed.pool.host(&id).await.expect_err("there is no common key exchange");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("transport = \"openssh\"")), "{error:?}");
    bed.pool.close().await;
    let bed = Testbed::of(&server, OPENSSH, &[]);
    let host = bed.host("box").await;
    assert_eq!(run(&host, Exec::new("echo here")).await.text(), "here");
    bed.pool.close().await;
    let kept = fs::read_to_string(bed.state().join("known_hosts")).unwrap();
    assert!(kept.contains(&format!("box {}", server.host_key("ed25519"))), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_code_is_the_script_s_own() {
    let server = exotic();
    let bed = Testbed::of(&server, OPENSSH, &["A"]);
    let host = bed.host("box").await;
    for code in [0, 1, 255] {
        let exec = Exec { env: vec![secret("A", "a")], ..Exec::new(format!("printf out; exit {code}")) };
        let done = run(&host, exec).await;
        assert_eq!((done.text(), &done.exit), ("out", &Exit::Code(code)));
        assert_eq!(done.carriers, [("A".to_owned(), "preamble")]);
    }
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_share_one_login_and_leave_nothing() {
    let server = exotic();
    let bed = Testbed::of(&server, OPENSSH, &["A"]);
    let host = bed.host("box").await;
    let runs = (0..20).map(|n| {
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
    assert_eq!(logins(&server), 1, "{}", server.log());
    let (folders, processes) = left(&server);
    assert!(folders.len() == 1 && !processes.is_empty(), "{folders:?} {processes:?}");
    assert_eq!(fs::metadata(&folders[0]).unwrap().permissions().mode() & 0o777, 0o700);
    bed.pool.close().await;
    assert_eq!(left(&server), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_waits_where_the_server_refuses_another_channel() {
    let server = Sshd::start(Variant::FewSessions);
    let bed = Testbed::of(&server, OPENSSH, &[]);
    let host = bed.host("box").await;
    let runs = (0..12).map(|n| {
        let host = host.clone();
        tokio::spawn(async move {
            assert_eq!(run(&host, Exec::new(format!("sleep 0.1; exit {n}"))).await.exit, Exit::Code(n));
        })
    });
    for done in runs.collect::<Vec<_>>() {
        done.await.expect("every one ends well");
    }
    // What ends a script logs in anew where there is no channel left for it.
    let mut running = Vec::new();
    for _ in 0..2 {
        let mut process = host.exec(Exec::new("echo up; sleep 300")).await.expect("a process");
        until_line(&mut process).await;
        running.push(process);
    }
    for process in &running {
        assert!(process.stop(Duration::from_secs(5)).await.expect("stopped").is_gone());
    }
    bed.pool.close().await;
    assert_eq!(left(&server), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_behind_such_a_host_needs_the_same_transport() {
    let (first, last) = (exotic(), exotic());
    let hosts = |more: &str| {
        let last = last.hosts_toml("box");
        format!("{}{more}{last}{OPENSSH}jump = \"first\"\n", first.hosts_toml("first"))
    };
    let bed = Testbed::new(&hosts(OPENSSH), false, &[]);
    assert_eq!(run(&bed.host("box").await, Exec::new("echo there")).await.text(), "there");
    bed.pool.close().await;
    assert_eq!((logins(&first), logins(&last)), (1, 1));
    let text = format!("{}{OPENSSH}{}jump = \"first\"\n", first.hosts_toml("first"), last.hosts_toml("box"));
    let bed = Testbed::new(&text, false, &[]);
    let error = bed.pool.host(&"box".parse().unwrap()).await.expect_err("Doppio can't go through it");
    assert_eq!(error.message, "`box` can't be reached through `first`");
    bed.pool.close().await;
}

/// Kills the server's side of all connections, but not what runs on it.
fn cut(server: &Sshd) {
    let pid = server.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let status = Command::new("kill").arg("-KILL").args(children.split_whitespace()).status().unwrap();
    assert!(status.success(), "{children}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_a_lost_process_and_a_new_login() {
    let server = exotic();
    let bed = Testbed::of(&server, OPENSSH, &[]);
    let host = bed.host("box").await;
    let mut process = host.exec(Exec::new("echo $$; echo ran >>count; sleep 300")).await.expect("a process");
    let pid: u32 = until_line(&mut process).await.trim().parse().expect("a pid");
    cut(&server);
    let lost = tokio::time::timeout(Duration::from_secs(20), process.next()).await.expect("in time");
    assert!(matches!(lost, Some(Output::Exit(Exit::Lost(ref why))) if !why.is_empty()), "{lost:?}");
    // What is lost is neither run again nor out of reach.
    assert_eq!(run(&host, Exec::new("cat count")).await.text(), "ran");
    assert_eq!(alive(&host, &[pid]).await, [pid]);
    process.stop(Duration::from_secs(5)).await.expect("stopped");
    assert_eq!(alive(&host, &[pid]).await, Vec::<u32>::new());
    assert_eq!(logins(&server), 2, "{}", server.log());
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_another_login_where_the_connection_is_frozen() {
    let server = exotic();
    let bed = Testbed::of(&server, OPENSSH, &[]);
    let host = bed.host("box").await;
    let mut process = host.exec(Exec::new("echo $$; sleep 300")).await.expect("a process");
    let pid = until_line(&mut process).await.trim().to_owned();
    let frozen = Frozen::connections(&server);
    assert!(process.stop(Duration::from_secs(5)).await.expect("stopped").is_gone());
    assert!(!server.has_process(&pid));
    assert_eq!(logins(&server), 2, "{}", server.log());
    // What comes next has a connection that answers.
    assert_eq!(run(&host, Exec::new("echo on")).await.text(), "on");
    drop(frozen);
    bed.pool.close().await;
    assert_eq!(left(&server), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ssh_that_is_killed_is_a_lost_process() {
    let server = exotic();
    let bed = Testbed::of(&server, OPENSSH, &[]);
    let host = bed.host("box").await;
    let mut process = host.exec(Exec::new("echo up; sleep 300")).await.expect("a process");
    until_line(&mut process).await;
    for path in left(&server).1 {
        let pid = path.file_name().unwrap().to_owned();
        // Some end with those before them.
        Command::new("kill").arg("-KILL").arg(pid).status().unwrap();
    }
    let done = finish(process).await;
    assert!(matches!(done.exit, Exit::Lost(_)), "{:?}", done.exit);
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_ssh_did_not_log_in_is_an_error_with_its_words() {
    let refusing = Sshd::start(Variant::NoLogin);
    let bed = Testbed::of(&refusing, OPENSSH, &[]);
    let error = bed.pool.host(&"box".parse().unwrap()).await.expect_err("there is no way in");
    assert_eq!(error.message, "`box` refuses the login of `root`");
    assert!(error.causes[0].contains("Permission denied"), "{error:?}");
    bed.pool.close().await;

    let server = exotic();
    let other = exotic();
    let key = format!("host_key = \"{}\"\n", other.host_key("ed25519"));
    let bed = Testbed::of(&server, &format!("{OPENSSH}{key}"), &[]);
    let error = bed.pool.host(&"box".parse().unwrap()).await.expect_err("it is another key");
    assert_eq!(error.message, "`ssh` does not trust the host key of `box`");
    bed.pool.close().await;
    assert_eq!(logins(&server), 0, "{}", server.log());

    let text = server.hosts_toml("box").replace(&format!("port = {}", server.address().port()), "port = 1");
    let bed = Testbed::new(&format!("{text}{OPENSSH}"), false, &[]);
    let error = bed.pool.host(&"box".parse().unwrap()).await.expect_err("nothing listens");
    assert!(error.message.starts_with("cannot reach `box` at root@"), "{error:?}");
    assert!(error.causes[0].contains("Connection refused"), "{error:?}");
    bed.pool.close().await;
}

/// A `ProxyCommand` for `ProxyUseFdpass`: hands the connected socket to `ssh`.
const PASS: &str = "import array, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
o = socket.socket(fileno=1)
o.sendmsg([b'\\0'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [s.fileno()]))])
";

/// A machine whose `ssh_config` names the server as `box`, by a way that Doppio does not have.
fn machine(server: &Sshd, hosts: &str) -> Doppio {
    let doppio = Doppio::new();
    let pass = doppio.file("pass.py", PASS);
    let known = doppio.file(
        "known",
        format!("[{}]:{} {}\n", server.address().ip(), server.address().port(), server.host_key("ed25519")),
    );
    let config = format!(
        "Host box\n  HostName {}\n  Port {}\n  User root\n  IdentityFile {}\n  UserKnownHostsFile {}\n  \
         ProxyUseFdpass yes\n  ProxyCommand python3 {} %h %p\n",
        server.address().ip(),
        server.address().port(),
        server.key().display(),
        known.display(),
        pass.display()
    );
    let folder = doppio.home().join(".ssh");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config"), config).unwrap();
    fs::set_permissions(folder.join("config"), fs::Permissions::from_mode(0o600)).unwrap();
    doppio.hosts(hosts);
    doppio
}

const ENTRY: &str = "[hosts.box]\ntransport = \"openssh\"\n";

fn ended(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().unwrap())
}

#[test]
fn the_user_s_own_configuration_holds_with_all_its_options() {
    let server = exotic();
    let doppio = machine(&server, "");
    let refused = doppio.run(["exec", "--host", "box", "--", "true"]);
    assert!(refused.stderr.contains("`ProxyUseFdpass`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("transport = \"openssh\""), "{}", refused.stderr);
    doppio.hosts(ENTRY);
    let ran = doppio.run(["exec", "--host", "box", "--", "sh", "-c", "echo here; exit 255"]).expect(255);
    assert!(ran.stdout.contains("here"), "{}", ran.stdout);
    assert_eq!(logins(&server), 1);
    let shown = doppio.run(["host", "show", "box"]).expect(0);
    assert!(shown.stdout.contains("openssh (your own `ssh`)"), "{}", shown.stdout);
    let tested = doppio.run(["host", "test", "box"]).expect(0);
    assert!(tested.stdout.contains("`root` by your own `ssh`"), "{}", tested.stdout);
    let ran = doppio.run(["ssh", "box", "--", "echo by hand"]).expect(0);
    assert_eq!(ran.stdout, "by hand\n");
}

#[test]
fn a_timeout_and_an_interrupt_end_the_whole_group() {
    let server = exotic();
    let doppio = machine(&server, ENTRY);
    let recipe = |more: &str| {
        doppio.recipe(&format!(
            "[[step]]\nid = \"train\"\n{more}\nssh_command = {{ host_id = \"box\", command = \"\"\"\n\
             sleep 300 &\necho $$ $! >pids.new; mv pids.new pids; wait\n\"\"\" }}\n"
        ));
    };
    let pids = || {
        let file = server.home().join("pids");
        wait_for("the step to run", || file.exists());
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(file).unwrap();
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    recipe("timeout_secs = 2");
    let child = doppio.start(["run", "recipe.toml"]);
    let numbers = pids();
    let ran = ended(child).expect(1);
    assert!(ran.stderr.contains("step `train` failed on `box`: timed out"), "{}", ran.stderr);
    assert!(!numbers.iter().any(|pid| server.has_process(pid)), "nothing is left");

    recipe("");
    let child = doppio.start(["run", "recipe.toml"]);
    let numbers = pids();
    send(&child, Signal::INT);
    let ran = ended(child).expect(130);
    assert!(ran.stderr.contains("train ✗ cancelled after"), "{}", ran.stderr);
    assert!(!numbers.iter().any(|pid| server.has_process(pid)), "nothing is left");
    assert_eq!(logins(&server), 2, "one a run: {}", server.log());
}

#[test]
fn a_secret_is_in_no_argument_no_file_and_no_output() {
    let since = SystemTime::now();
    let folder = tempfile::Builder::new().prefix("doppio-traces-").tempdir().unwrap();
    let mut witness = Witness::start(folder.path());
    let server = Sshd::builder(Variant::Stock).under(witness.prefix()).start();
    let marker =
        format!("zqx{:x}vj{:x}", std::process::id(), since.elapsed().unwrap().as_nanos() + 0xfeed_beef);
    let doppio = machine(&server, ENTRY).env("HF_TOKEN", format!("hf'{marker}\n$(id)"));
    doppio.recipe(
        "[[step]]\nid = \"train\"\nssh_command = { host_id = \"box\", env = { T = \"${secret:HF_TOKEN}\" }, \
         command = \"\"\"\nprintf %s \"$T\" | wc -c >got\necho \"$T\"; env >&2\n\"\"\" }\n",
    );
    let output = witness.over(&doppio.command(["run", "--output", "json", "recipe.toml"])).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("\"carrier\":\"preamble\""), "{text}");
    let got = fs::read_to_string(server.home().join("got")).unwrap();
    assert_eq!(got.trim(), (marker.len() + 9).to_string());
    let needles = Needles::new(&[&marker]);
    assert_eq!(needles.find(&output.stdout), None);
    assert_eq!(needles.find(&output.stderr), None);
    for place in [doppio.folder(), server.folder(), Path::new("/dev/shm")] {
        let (hits, _) = needles.in_files(place, since, folder.path());
        assert_eq!(hits, Vec::<String>::new());
    }
    drop(server);
    let seen = witness.end();
    assert!(seen.iter().any(|sighting| sighting.show().contains("ControlMaster=no")), "ssh was seen");
    let told: Vec<String> =
        seen.iter().filter(|one| needles.find(&one.arguments).is_some()).map(Sighting::show).collect();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn a_doppio_that_is_killed_leaves_no_ssh_behind() {
    let server = exotic();
    let doppio = Doppio::new();
    doppio.hosts(&format!("{}{OPENSSH}", server.hosts_toml("box")));
    let mut child = doppio.start(["exec", "--host", "box", "--", "sh", "-c", "echo >up; exec sleep 300"]);
    wait_for("the command to run", || server.home().join("up").exists());
    assert_eq!(left(&server).0.len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the connection to end", || left(&server) == (vec![], vec![]));
}

#[test]
fn a_missing_ssh_is_named_with_its_package() {
    let server = exotic();
    let doppio = Doppio::new();
    doppio.hosts(&format!("{}{OPENSSH}", server.hosts_toml("box")));
    let folder = tempfile::tempdir().unwrap();
    for program in ["sh", "rm", "id"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), folder.path().join(program)).unwrap();
    }
    let doppio = doppio.env("PATH", folder.path());
    let ran = doppio.run(["exec", "--host", "box", "--", "true"]);
    assert!(ran.stderr.contains("`ssh` is not installed on this machine"), "{}", ran.stderr);
    assert!(ran.stderr.contains("apt-get install openssh-client"), "{}", ran.stderr);
}
