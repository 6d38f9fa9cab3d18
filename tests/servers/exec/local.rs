//! The cases on this machine.

use doppio_hosts::Exec;
use doppio_hosts::Host;

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
    let expected = [("A".to_owned(), "local environment"), ("B".to_owned(), "private file")];
    assert_eq!(done.carriers, expected);
}

#[tokio::test]
async fn a_script_has_a_session_of_its_own() {
    // Asked of `ps`: in a container this session may be one of outside, whose number reads as 0 here.
    let session_of = |process: &str| Exec::new(format!("ps -o sid= -p {process}"));
    let script = run(&Host::local(), session_of("$$")).await;
    let test = run(&Host::local(), session_of(&std::process::id().to_string())).await;
    assert!(script.text().trim().parse::<u32>().is_ok_and(|session| session > 0), "{}", script.text());
    assert!(!test.text().trim().is_empty());
    assert_ne!(script.text().trim(), test.text().trim());
}
