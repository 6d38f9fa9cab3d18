//! The sandbox: the same client code against a server inside this process.

use std::fs;
use std::time::Duration;

use doppio_hosts::Exec;
use doppio_hosts::Exit;

use crate::exec::cases;
use crate::support::exec::finish;
use crate::support::exec::run;
use crate::support::exec::secret;
use crate::support::exec::until_line;
use crate::support::pool::Testbed;

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds() {
    let bed = Testbed::new("", false, &["A"]);
    cases::all(&bed.host("sandbox").await).await;
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_can_be_the_sandbox() {
    let bed = Testbed::new("", true, &[]);
    let host = bed.host("no-such-host").await;
    assert_eq!(host.id().as_str(), "no-such-host");
    let home = run(&host, Exec::new("pwd; echo \"$HOME\"")).await;
    let lines: Vec<_> = home.text().lines().collect();
    assert_eq!(lines[0], lines[1]);
    assert!(lines[0].starts_with(bed.state().to_str().expect("text")), "{lines:?}");
    let other = bed.host("another").await;
    run(&host, Exec::new("echo here >mark")).await;
    assert_eq!(run(&other, Exec::new("cat mark")).await.text(), "here");
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_as_it_comes_takes_no_variables() {
    let bed = Testbed::new("", false, &["A"]);
    let host = bed.host("sandbox").await;
    let done = run(&host, Exec { env: vec![secret("A", "1")], ..Exec::new("echo $A") }).await;
    assert_eq!((done.text(), done.carriers[0].1), ("1", "preamble"));
    bed.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_it() {
    let bed = Testbed::new("", false, &[]);
    let host = bed.host("sandbox").await;
    let mut process =
        host.exec(Exec::new("setsid -f sleep 987; sleep 988 & echo started; wait")).await.expect("a process");
    until_line(&mut process).await;
    let folders = || {
        let entries = fs::read_dir(bed.state()).expect("the state").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("sandbox-")).count()
    };
    assert_eq!(folders(), 1);
    bed.pool.close().await;
    assert_eq!(folders(), 0);
    let left =
        std::process::Command::new("pgrep").args(["-x", "-f", "sleep 98[78]"]).output().expect("pgrep");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
    let done = tokio::time::timeout(Duration::from_secs(10), finish(process)).await.expect("an end");
    assert!(matches!(done.exit, Exit::Lost(_) | Exit::Signal(_)), "{:?}", done.exit);
    let error = host.exec(Exec::new("true")).await.expect_err("it is closed");
    assert!(error.causes.iter().any(|cause| cause.contains("over")), "{error:?}");
}
