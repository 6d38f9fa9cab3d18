//! Writes the man pages and the completions of `doppio` below a folder: `extras FOLDER`.
//!
//! An example and no command of the program, so that users carry none of it; `extras.sh` runs it.

mod pages;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        return fail("usage: extras FOLDER");
    };
    match pages::write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{}: {error}", Path::new(&folder).display())),
    }
}

#[expect(clippy::print_stderr, reason = "the only place that says what went wrong")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
