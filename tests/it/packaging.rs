//! What is handed out: man pages and completions of every command, and lists of files that are there.

use std::fs;
use std::path::Path;

use clap_complete::Shell;
use tempfile::TempDir;

use doppio_test_support::Doppio;

#[path = "../../packaging/extras/pages.rs"]
mod pages;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest() -> toml::Table {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    text.parse().expect("it is TOML")
}

/// The names of every command that is not hidden, each with those above it.
fn commands(command: &clap::Command, above: &[String], all: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let path: Vec<_> = above.iter().cloned().chain([below.get_name().to_owned()]).collect();
        commands(below, &path, all);
        all.push(path);
    }
}

#[test]
fn man_pages_and_completions_know_every_command() {
    let folder = TempDir::new().expect("a folder");
    pages::write(folder.path()).expect("they can be written");
    let mut all = Vec::new();
    commands(&doppio::cli::command(), &[], &mut all);
    assert!(all.len() > 30, "{all:?}");

    let man = |path: &[String]| {
        let name = ["doppio".to_owned()].iter().chain(path).cloned().collect::<Vec<_>>().join("-");
        let page = fs::read_to_string(folder.path().join("man").join(format!("{name}.1")));
        page.unwrap_or_else(|error| panic!("{name}.1: {error}"))
    };
    let mut pages = 1;
    for path in &all {
        let page = man(path);
        assert!(page.contains(&format!("doppio {}", env!("CARGO_PKG_VERSION"))), "{path:?}: {page}");
        let listed = format!("doppio-{}(1)", path.join("-")).replace('-', "\\-");
        let above = man(&path[..path.len() - 1]);
        assert!(above.contains(&listed), "no {listed} in the page above it: {above}");
        pages += 1;
    }
    assert_eq!(fs::read_dir(folder.path().join("man")).expect("the pages").count(), pages);

    for (shell, file) in pages::SHELLS.into_iter().map(|shell| (shell, completions_of(shell))) {
        let script = fs::read_to_string(folder.path().join("completions").join(file)).expect(file);
        for path in &all {
            let name = path.last().expect("no path is empty");
            let known = script.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == name);
            assert!(known, "{file} does not know {path:?}");
        }
        let printed = Doppio::new().run(["completions", &shell.to_string()]).expect(0);
        assert_eq!(printed.stdout, script, "{file} and what `doppio completions` prints");
    }
}

/// The file that a shell looks for.
fn completions_of(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => "doppio.bash",
        Shell::Elvish => "doppio.elv",
        Shell::Fish => "doppio.fish",
        Shell::PowerShell => "_doppio.ps1",
        Shell::Zsh => "_doppio",
        other => panic!("no completions are made for {other}"),
    }
}

#[test]
fn the_debian_package_lists_files_that_are_there() {
    let extras = TempDir::new().expect("a folder");
    pages::write(extras.path()).expect("they can be written");
    let manifest = manifest();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().expect("a list");
    for asset in assets {
        let source = asset[0].as_str().expect("a path");
        let path = source
            .strip_prefix("target/extras/")
            .map_or(root().join(source), |path| extras.path().join(path));
        let there = match source.rsplit_once('*') {
            _ if source == "target/release/doppio" => true,
            Some((_, ending)) => {
                let folder = path.ancestors().find(|folder| folder.is_dir()).expect("a folder");
                let entries = fs::read_dir(folder).expect(source);
                entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(ending))
            }
            None => path.is_file(),
        };
        assert!(there, "no {source}");
    }
}
