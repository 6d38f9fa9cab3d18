//! A panic is a bug in Doppio: exit 70, without the panic's own text, which may hold a value that
//! no mask has seen.

use std::panic::AssertUnwindSafe;
use std::panic::Location;
use std::panic::catch_unwind;
use std::process::ExitCode;

use crate::cli::error::Kind;
use crate::cli::output;

/// From here on every panic, on whatever thread, says where it happened and nothing else.
pub(super) fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| output::line(&words(panic.location()))));
}

/// Does `work`; a panic in it becomes the exit code of a bug.
pub(super) fn guard(work: impl FnOnce() -> ExitCode) -> ExitCode {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| ExitCode::from(Kind::Bug.exit_code()))
}

fn words(location: Option<&Location<'_>>) -> String {
    let at = location.map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "error: a bug in doppio{at}\n\nhint: report it with this line and what you did; it contains no output of the run"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_code_70() {
        let code = guard(|| panic!("a value that nobody may see"));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(70)));
        assert_eq!(format!("{:?}", guard(|| ExitCode::from(3))), format!("{:?}", ExitCode::from(3)));
    }

    #[test]
    fn the_location_is_all_that_is_said() {
        let said = words(Some(Location::caller()));
        assert!(said.starts_with("error: a bug in doppio at src/cli/bug.rs:"), "{said}");
    }
}
