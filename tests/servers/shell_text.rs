//! Rewritten shell text in real shells: a value arrives byte for byte, and is never executed.

mod grammar;
mod values;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;

use doppio_text::shell::rewrite;

use grammar::Dialect;
use grammar::Statement;
use values::Dice;

/// Statements that one shell process runs.
const BATCH: usize = 60;

const BATCHES: u64 = 8;

#[test]
fn values_arrive_in_bash() {
    all_arrive(&["bash"], Dialect::Bash);
}

#[test]
fn values_arrive_in_bash_as_posix() {
    all_arrive(&["bash", "--posix"], Dialect::Posix);
}

#[test]
fn values_arrive_in_dash() {
    all_arrive(&["dash"], Dialect::Posix);
}

#[test]
fn values_arrive_in_busybox() {
    all_arrive(&["busybox", "sh"], Dialect::Posix);
}

#[test]
fn values_arrive_in_zsh_as_sh() {
    all_arrive(&["zsh", "--emulate", "sh"], Dialect::Posix);
}

fn all_arrive(shell: &[&str], dialect: Dialect) {
    for seed in 1..=BATCHES {
        let mut dice = Dice::new(seed);
        let statements: Vec<_> = (0..BATCH).map(|number| statement(number, dialect, &mut dice)).collect();
        let wanted: Vec<_> = statements.iter().map(|statement| statement.prints.clone()).collect();
        if run(shell, &statements).is_ok_and(|printed| printed == wanted) {
            continue;
        }
        for (statement, wanted) in statements.iter().zip(wanted) {
            let printed = run(shell, std::slice::from_ref(statement));
            assert!(
                printed.as_ref().is_ok_and(|printed| printed[..] == [wanted.clone()]),
                "seed {seed}\n{}\n wanted {}\nprinted {:?}\n values {:?}",
                script(std::slice::from_ref(statement)),
                wanted.escape_ascii(),
                printed.map(|all| all.iter().map(|one| one.escape_ascii().to_string()).collect::<Vec<_>>()),
                statement
                    .values
                    .iter()
                    .map(|(name, value)| format!("{name}={}", value.escape_ascii()))
                    .collect::<Vec<_>>(),
            );
        }
        panic!("seed {seed}: every statement is right, all of them together are not");
    }
}

/// A statement that is not refused for the one thing that the grammar does not keep clear of.
fn statement(number: usize, dialect: Dialect, dice: &mut Dice) -> Statement {
    loop {
        let statement = Statement::generate(number, dialect, dice);
        match rewrite(&statement.pieces) {
            Err(errors) if errors.iter().all(|error| error.message.contains("a lone `\"`")) => {}
            _ => return statement,
        }
    }
}

fn script(statements: &[Statement]) -> String {
    let mut script = "p() { printf '%s\\0' \"$@\"; }\n".to_owned();
    for statement in statements {
        let text = rewrite(&statement.pieces).unwrap_or_else(|why| panic!("{:?}\n{why:?}", statement.pieces));
        writeln!(script, "{text}").expect("memory takes it");
    }
    script
}

/// What each statement printed, up to its NUL.
fn run(shell: &[&str], statements: &[Statement]) -> Result<Vec<Vec<u8>>, String> {
    let place = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(place.path().join("globbed"), "").expect("a file can be written");
    let script_place = tempfile::tempdir().expect("a folder can be made");
    let file = script_place.path().join("script");
    std::fs::write(&file, script(statements)).expect("a file can be written");
    let values = statements.iter().flat_map(|statement| &statement.values);
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .arg(&file)
        .current_dir(place.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .envs(values.map(|(name, value)| (name.as_str(), OsString::from_vec(value.clone()))))
        .output()
        .expect("the shell is installed");
    refuse_traces(place.path());
    if !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut printed: Vec<_> = output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(printed.pop(), Some(Vec::new()));
    Ok(printed)
}

/// Values try to make files.
fn refuse_traces(place: &Path) {
    let names: Vec<_> = std::fs::read_dir(place)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").file_name())
        .collect();
    assert_eq!(names, ["globbed"], "a value was executed");
}

#[test]
fn the_canary_sings() {
    let place = tempfile::tempdir().expect("a folder can be made");
    let value = std::str::from_utf8(values::HOSTILE[0]).unwrap();
    Command::new("dash")
        .args(["-c", "eval \": $V\""])
        .env("V", value)
        .current_dir(place.path())
        .status()
        .unwrap();
    let heard = std::panic::catch_unwind(|| refuse_traces(place.path()));
    assert!(heard.is_err(), "a value that was executed leaves no trace");
}
