//! Starting programs of this machine: nothing that a repository brings is run, and nobody gets what
//! opens the vault.

mod environment;
mod planted;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes a program.
fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a path in a folder")).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
