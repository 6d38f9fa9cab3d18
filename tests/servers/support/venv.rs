//! Python programs that the tests compare Doppio with: servers, and the vendors' own clients.

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A program of the virtual environment that `tests/run.sh` makes from `tests/requirements.txt`.
///
/// # Panics
///
/// When it does not exist: a test is never left out for a missing program.
pub(crate) fn program(name: &str) -> PathBuf {
    let venv = env::var_os("DOPPIO_TEST_VENV")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/venv"), PathBuf::from);
    let program = venv.join("bin").join(name);
    assert!(
        program.is_file(),
        "no {}: run `python3 -m venv target/tools/venv && target/tools/venv/bin/pip install --no-deps \
         --no-compile --ignore-requires-python -r tests/requirements.txt`",
        program.display()
    );
    program
}

/// Python itself, with everything of the environment at hand.
pub(crate) fn python() -> PathBuf {
    program("python3")
}

#[test]
fn the_environment_holds_what_the_list_names() {
    const COMPARE: &str = "
import importlib.metadata, sys
for line in open(sys.argv[1]):
    name, equals, version = line.strip().partition('==')
    if equals and not line.startswith('#'):
        found = importlib.metadata.version(name)
        assert found == version, f'{name} is {found}, listed {version}'
";
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let status = Command::new(python()).args(["-c", COMPARE]).arg(list).status().unwrap();
    assert!(status.success());
}
