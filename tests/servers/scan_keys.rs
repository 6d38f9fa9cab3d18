//! Private keys of every kind, made by the tools that people make them with, for the scan.

use std::fs;
use std::path::Path;
use std::process::Command;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

/// Makes a key by a tool.
fn make(program: &str, arguments: &[&str], folder: &Path) {
    let made = Command::new(program).args(arguments).current_dir(folder).output().expect("it is installed");
    assert!(made.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&made.stderr));
}

/// One private key of each kind: its name, and its text.
fn keys() -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for (kind, bits) in [
        ("rsa", "2048"),
        ("rsa", "3072"),
        ("ecdsa", "256"),
        ("ecdsa", "384"),
        ("ecdsa", "521"),
        ("ed25519", "256"),
    ] {
        for format in ["RFC4716", "PEM", "PKCS8"] {
            for passphrase in ["", "a passphrase"] {
                let name = format!("{kind}-{bits}-{format}-{}", passphrase.len());
                let arguments = ["-q", "-t", kind, "-b", bits, "-m", format, "-N", passphrase, "-f", &name];
                make("ssh-keygen", &arguments, folder.path());
                keys.push(name);
            }
        }
    }
    for kind in ["ed25519", "x25519", "ed448"] {
        make("openssl", &["genpkey", "-algorithm", kind, "-out", &format!("{kind}-openssl")], folder.path());
        keys.push(format!("{kind}-openssl"));
    }
    keys.into_iter()
        .map(|name| {
            let text = fs::read_to_string(folder.path().join(&name)).unwrap();
            (name, text)
        })
        .collect()
}

/// A notebook with a cell that assigns the text.
fn notebook(text: &str) -> String {
    let lines: Vec<String> =
        format!("KEY = \"\"\"{text}\"\"\"").split_inclusive('\n').map(str::to_owned).collect();
    let cell = serde_json::json!({ "cell_type": "code", "metadata": {}, "outputs": [], "source": lines });
    let notebook = serde_json::json!({ "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
    serde_json::to_string_pretty(&notebook).unwrap()
}

// case G1
#[test]
fn private_keys_of_every_kind_are_found() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    for (name, text) in keys() {
        let files = [
            (format!("{name}.key"), text.clone()),
            (format!("{name}.ipynb"), notebook(&text)),
            (format!("{name}.json"), serde_json::json!({ "private_key": text }).to_string()),
            (format!("{name}.windows"), text.replace('\n', "\r\n")),
            (format!("{name}.yaml"), format!("key: |\n  {}\n", text.trim_end().replace('\n', "\n  "))),
        ];
        for (file, text) in &files {
            doppio.file(file, text);
        }
        let ran = doppio.run(["secret", "scan"]).expect(1);
        for (file, _) in files {
            assert!(ran.stdout.contains(&format!("{file}:")), "{file}:\n{}", ran.stdout);
            fs::remove_file(doppio.folder().join("project").join(file)).unwrap();
        }
    }
}

// case G1
#[test]
fn the_hook_lets_no_private_key_be_committed() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    let work = doppio.folder().join("project");
    let repository = Repository::init(&work);
    let keys = keys();
    let (_, text) = keys.iter().find(|(name, _)| name.starts_with("ed25519-256-RFC4716-0")).unwrap();
    doppio.file("id", text);
    repository.git(["add", "id"]);
    let ran = doppio.run(["secret", "scan", "--staged"]).expect(1);
    assert!(ran.stdout.contains("private-key"), "{}", ran.stdout);
}
