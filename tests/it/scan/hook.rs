//! The pre-commit hook.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

use crate::scan::VALUE;
use crate::scan::quiet;
use crate::scan::work;
use crate::scan::world;

/// Tries to commit what is staged, with the hook and this world's secrets; true if git did.
fn commits(world: &Doppio, folder: &Path) -> bool {
    let binary = Path::new(env!("CARGO_BIN_EXE_doppio")).parent().expect("a folder").to_owned();
    let path = std::env::join_paths(
        std::iter::once(binary).chain(std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))),
    );
    let mut command = world.command::<&str>([]);
    let environment: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command = std::process::Command::new("git");
    command.arg("-C").arg(folder).args([
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.org",
        "commit",
        "-q",
        "-m",
        "x",
    ]);
    command.env_clear().envs(environment).env("PATH", path.expect("paths"));
    let out = command.output().expect("git");
    let words = String::from_utf8_lossy(&out.stderr);
    assert!(!words.contains(VALUE), "{words}");
    assert!(
        out.status.success() || words.contains("huggingface/token") || words.contains("1 place"),
        "{words}"
    );
    out.status.success()
}

#[test]
fn a_commit_with_a_value_is_refused() {
    let world = world();
    let repository = Repository::init(&work(&world));
    let ran = quiet(&world, &["secret", "scan", "--install-hook"], 0);
    assert!(ran.stderr.contains("wrote the hook"), "{}", ran.stderr);
    let hook = work(&world).join(".git/hooks/pre-commit");
    assert_eq!(fs::metadata(&hook).expect("it is there").permissions().mode() & 0o777, 0o755);
    repository.write("a.txt", format!("{VALUE}\n"));
    repository.git(["add", "a.txt"]);
    assert!(!commits(&world, repository.folder()));
    repository.write("a.txt", "clean\n");
    assert!(!commits(&world, repository.folder()), "what is staged counts");
    repository.git(["add", "a.txt"]);
    assert!(commits(&world, repository.folder()));
    assert!(quiet(&world, &["secret", "scan", "--install-hook"], 0).stderr.contains("already exists"));
}

#[test]
fn another_hook_is_left_as_it_is() {
    let world = world();
    Repository::init(&work(&world));
    let hook = work(&world).join(".git/hooks/pre-commit");
    fs::write(&hook, "#!/bin/sh\nmake lint\n").expect("a hook");
    let ran = quiet(&world, &["secret", "scan", "--install-hook"], 3);
    assert!(ran.stderr.contains("doppio secret scan --staged || exit 1"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(&hook).expect("it is there"), "#!/bin/sh\nmake lint\n");
    fs::write(&hook, "#!/bin/sh\nmake lint\ndoppio secret scan --staged || exit 1\n").expect("a hook");
    let ran = quiet(&world, &["secret", "scan", "--install-hook"], 3);
    assert!(ran.stderr.contains("git ignores it") && ran.stderr.contains("chmod +x"), "{}", ran.stderr);
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("its mode");
    let ran = quiet(&world, &["secret", "scan", "--install-hook"], 0);
    assert!(ran.stderr.contains("make sure that no earlier line ends the hook"), "{}", ran.stderr);
    // A link that leads nowhere is a hook that somebody meant.
    fs::remove_file(&hook).expect("it is there");
    std::os::unix::fs::symlink("/nonexistent/hook", &hook).expect("a link");
    quiet(&world, &["secret", "scan", "--install-hook"], 3);
    assert!(fs::symlink_metadata(&hook).expect("it is there").is_symlink());
}

#[test]
fn hooks_that_are_switched_off_are_no_other_hook() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.git(["config", "core.hooksPath", "/dev/null"]);
    let ran = quiet(&world, &["secret", "scan", "--install-hook"], 3);
    for words in ["hooks are switched off", "git config --local --unset-all core.hooksPath"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("another hook"), "{}", ran.stderr);
    repository.git(["config", "--local", "--unset-all", "core.hooksPath"]);
    quiet(&world, &["secret", "scan", "--install-hook"], 0);
}

#[test]
fn the_folder_of_hooks_is_where_git_says() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.git(["config", "core.hooksPath", "tools/hooks"]);
    quiet(&world, &["secret", "scan", "--install-hook"], 0);
    assert!(work(&world).join("tools/hooks/pre-commit").exists());
    repository.git(["config", "--unset", "core.hooksPath"]);
    repository.write("a.txt", "1\n");
    repository.commit("one");
    let other = world.folder().join("other");
    repository.git(["worktree", "add", "-q", other.to_str().expect("UTF-8"), "-b", "other"]);
    let there = other.to_str().expect("UTF-8");
    quiet(&world, &["secret", "scan", "--install-hook", there], 0);
    assert!(work(&world).join(".git/hooks/pre-commit").exists());
    fs::write(other.join("b.txt"), VALUE).expect("a file");
    Repository::at(&other).git(["add", "b.txt"]);
    assert!(!commits(&world, &other), "the hook holds in every working tree");
}
