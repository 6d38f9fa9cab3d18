//! The cases on this machine.

use doppio::host::Exec;
use doppio::host::Host;

use super::cases;
use crate::support::exec::run;
use crate::support::exec::secret;

#[tokio::test]
async fn every_case_holds() {
    cases::all(&Host::local()).await;
}

#[tokio::test]
async fn variables_travel_as_the_environment_of_the_process() {
    let exec = Exec { env: vec![secret("A", "1"), secret("B", vec![b'x'; 300_000])], ..Exec::new("true") };
    let done = run(&Host::local(), exec).await;
    let expected = [("A".to_owned(), "local environment"), ("B".to_owned(), "file in memory")];
    assert_eq!(done.carriers, expected);
}

#[tokio::test]
async fn a_script_has_a_session_of_its_own() {
    let done = run(&Host::local(), Exec::new("ps -o sid= -p $$")).await;
    let own = run(&Host::local(), Exec::new("echo $$")).await;
    assert!(own.text().parse::<u32>().is_ok());
    assert_ne!(
        done.text().trim(),
        format!("{}", rustix::process::getsid(None).expect("a session").as_raw_nonzero())
    );
}
