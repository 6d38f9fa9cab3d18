//! The rules that keep files with secrets out of git.

use std::fs;
use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use doppio_text::open;

use crate::cli::error::CliError;

/// What holds secrets by its name.
const RULES: [&str; 12] = [
    ".env",
    ".env.*",
    "!.env.example",
    "*.secret",
    ".hf_secrets",
    "*_secrets.sh",
    "secrets_*.py",
    "_local_secrets.py",
    "**/hf_token*",
    "**/wandb_key*",
    "**/.netrc",
    "**/kaggle.json",
];

/// The root of the work tree that has this folder.
pub(super) fn work_tree(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// The rules that a folder's `.gitignore` does not have.
pub(super) fn missing(folder: &Path) -> Result<Vec<&'static str>, CliError> {
    let present = read(folder)?;
    Ok(absent(&present))
}

fn absent(present: &[u8]) -> Vec<&'static str> {
    let has = |rule: &str| present.split(|b| *b == b'\n').any(|line| line.trim_ascii() == rule.as_bytes());
    RULES.into_iter().filter(|rule| !has(rule)).collect()
}

/// Adds the missing rules at the end of a folder's `.gitignore`; what is there stays as it is.
/// How many were added.
pub(super) fn write(folder: &Path) -> Result<usize, CliError> {
    let present = read(folder)?;
    let rules = absent(&present);
    if rules.is_empty() {
        return Ok(0);
    }
    let path = folder.join(".gitignore");
    let text = addition(&present, &rules);
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| cannot("write", &path, &error))?;
    Ok(rules.len())
}

/// What comes at the end, with the line ends of what is there.
fn addition(present: &[u8], rules: &[&str]) -> String {
    let end = if present.windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" };
    let mut text = String::new();
    if !present.is_empty() {
        let gap = if present.ends_with(b"\n") { 1 } else { 2 };
        text += &end.repeat(gap);
    }
    text += "# What holds secrets stays out of git.";
    for rule in rules {
        text += end;
        text += rule;
    }
    text + end
}

fn read(folder: &Path) -> Result<Vec<u8>, CliError> {
    let path = folder.join(".gitignore");
    let text = || {
        // A link in a folder of others may lead to any file of the user's.
        if !path.symlink_metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        open(&path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match text() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| cannot("read", &path, &error)),
    }
}

fn cannot(action: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::world(format!("cannot {action} `{}`", path.display())).cause(error.to_string())
}

pub(super) fn rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".gitignore");
        fs::write(&path, b"\xff/target\r\n.env\r\n*.secret").unwrap();
        assert_eq!(write(folder.path()).unwrap(), RULES.len() - 2);
        let text = fs::read(&path).unwrap();
        assert!(text.starts_with(b"\xff/target\r\n.env\r\n*.secret\r\n\r\n# What"));
        assert!(text.ends_with(b"\r\n**/kaggle.json\r\n"));
        assert_eq!(write(folder.path()).unwrap(), 0);
        assert_eq!(fs::read(&path).unwrap(), text);
    }
}
