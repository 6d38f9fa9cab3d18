//! What could not be looked at is told: an "all clear" that skipped something is none.

use std::fs;

use doppio_test_support::Repository;

use crate::scan::VALUE;
use crate::scan::quiet;
use crate::scan::work;
use crate::scan::world;

#[test]
fn names_that_the_settings_bind() {
    let world = world();
    world.file("a.txt", "nothing here\n");
    let settings = "[secrets]\n'team/key' = 'env:TEAM#member'\n";
    fs::write(world.doppio_home().join("config.toml"), settings).unwrap();
    quiet(&world, &["secret", "scan"], 0);
    let world = world.env("TEAM", "this is not JSON");
    let ran = quiet(&world, &["secret", "scan"], 3);
    assert!(ran.stderr.contains("`team/key`, which the settings bind"), "{}", ran.stderr);
}

#[test]
fn what_a_damaged_index_tracks() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write(".gitignore", ".env\n");
    repository.write(".env", format!("T={VALUE}\n"));
    repository.git(["add", "--force", "."]);
    quiet(&world, &["secret", "scan"], 1);
    fs::write(work(&world).join(".git/index"), "damaged").unwrap();
    let ran = quiet(&world, &["secret", "scan"], 3);
    assert!(ran.stderr.contains("what git tracks there is not known"), "{}", ran.stderr);
}

/// A clone without the commit, or without the file, that the value is in.
#[test]
fn the_history_that_a_clone_does_not_have() {
    let world = world();
    let upstream = world.folder().join("upstream");
    fs::create_dir(&upstream).expect("a folder");
    let upstream = Repository::init(&upstream);
    upstream.git(["config", "uploadpack.allowFilter", "true"]);
    upstream.write("conf/a.txt", VALUE);
    upstream.commit("one");
    upstream.git(["rm", "-q", "conf/a.txt"]);
    upstream.write("b.txt", "clean\n");
    upstream.commit("two");
    let url = format!("file://{}", upstream.folder().display());
    for (how, words, mend) in [
        ("--depth=1", "this clone is shallow", &["fetch", "-q", "--unshallow"][..]),
        ("--filter=blob:none", "this clone is partial", &["fetch", "-q", "--refetch", "--no-filter"]),
        ("--filter=tree:0", "this clone is partial", &["fetch", "-q", "--refetch", "--no-filter"]),
    ] {
        let folder = work(&world).join("clone");
        let there = folder.to_str().expect("UTF-8");
        upstream.git(["clone", "-q", how, &url, there]);
        let clone = Repository::at(&folder);
        for command in [&["scan", "--history", there][..], &["incident", "huggingface/token", there]] {
            let ran = quiet(&world, &[&["secret"], command].concat(), 3);
            assert!(ran.stderr.contains(words), "{how}: {}", ran.stderr);
            assert!(ran.stderr.contains(&mend.join(" ").replace("-q ", "")), "{how}: {}", ran.stderr);
        }
        // The command that is named brings what was not there.
        clone.git(mend.iter().copied());
        let ran = quiet(&world, &["secret", "scan", "--history", there], 1);
        assert!(!ran.stderr.contains("warning"), "{how}: {}", ran.stderr);
        fs::remove_dir_all(&folder).expect("it goes");
    }
}

#[test]
fn a_file_of_the_history_that_is_gone() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", VALUE);
    repository.commit("one");
    let object = repository.git(["rev-parse", "HEAD:a.txt"]);
    fs::remove_file(work(&world).join(".git/objects").join(&object[..2]).join(&object[2..]))
        .expect("it goes");
    let ran = quiet(&world, &["secret", "scan", "--history"], 3);
    assert!(ran.stderr.contains(&format!("cannot look at `object {object}`")), "{}", ran.stderr);
}

/// Each has an index and a configuration of its own, and ignores what it says itself.
#[test]
fn repositories_within_a_folder() {
    let world = world();
    Repository::init(&work(&world)).write(".gitignore", "*.key\n");
    let folder = work(&world).join("sub");
    fs::create_dir(&folder).expect("a folder");
    let sub = Repository::init(&folder);
    sub.write(".gitignore", ".env\n");
    sub.write(".env", VALUE);
    sub.write("deep/a.key", VALUE);
    sub.git(["add", "-f", "."]);
    let ran = quiet(&world, &["secret", "scan"], 1);
    let found = |name: &str| format!("sub/{name}:1:1  huggingface/token (plain)\n");
    assert_eq!(ran.stdout, found(".env") + &found("deep/a.key"));
    // A hook's environment is that of another repository.
    let git = work(&world).join(".git");
    let world = world.env("GIT_INDEX_FILE", git.join("index")).env("GIT_DIR", git);
    assert_eq!(quiet(&world, &["secret", "scan"], 1).stdout, ran.stdout);
}

#[test]
fn configurations_of_repositories_within_a_folder_and_of_other_working_trees() {
    let world = world();
    let folder = world.folder().join("main");
    fs::create_dir(&folder).expect("a folder");
    let main = Repository::init(&folder);
    main.write("a.txt", "1\n");
    main.commit("one");
    let there = work(&world).join("there");
    main.git(["worktree", "add", "-q", there.to_str().expect("UTF-8"), "-b", "there"]);
    main.git(["remote", "add", "origin", &format!("https://ada:{VALUE}@example.org/x.git")]);
    for (arguments, place) in [
        (&["secret", "scan"][..], "main/.git/config:"),
        (&["secret", "scan", "there"], "main/.git/config:"),
        (&["secret", "scan", ".."], "../main/.git/config:"),
    ] {
        let ran = quiet(&world, arguments, 1);
        assert!(ran.stdout.lines().count() == 1 && ran.stdout.contains(place), "{}", ran.stdout);
    }
}

#[test]
fn what_is_tracked_where_there_is_no_git() {
    let world = world();
    world.file("a.txt", "nothing here\n");
    let world = world.env("PATH", "/nonexistent");
    quiet(&world, &["secret", "scan"], 0);
    let folder = work(&world).join("sub");
    fs::create_dir(&folder).expect("a folder");
    let sub = Repository::init(&folder);
    sub.write(".gitignore", ".env\n");
    sub.write(".env", VALUE);
    sub.git(["add", "-f", "."]);
    for arguments in [&["secret", "scan"][..], &["secret", "scan", "sub"]] {
        let ran = quiet(&world, arguments, 3);
        assert!(ran.stderr.contains("cannot look at `"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("what git tracks there is not known: cannot start `git`"),
            "{}",
            ran.stderr
        );
    }
    quiet(&world, &["secret", "scan", "--no-ignore"], 1);
}

#[test]
fn bare_repositories() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", VALUE);
    repository.commit("one");
    repository.git(["rm", "-q", "a.txt"]);
    repository.git(["commit", "-q", "-m", "two"]);
    repository.git(["clone", "-q", "--bare", ".", "in/bare.git"]);
    for path in ["in/bare.git", ".git"] {
        let ran = quiet(&world, &["secret", "scan", path], 2);
        assert!(ran.stderr.contains(&format!("doppio secret scan --history {path}")), "{}", ran.stderr);
    }
    let ran = quiet(&world, &["secret", "scan", "--staged", "in/bare.git"], 2);
    assert!(ran.stderr.contains("a bare repository has no staged changes"), "{}", ran.stderr);
    quiet(&world, &["secret", "scan", "--history", "in/bare.git"], 1);
    let ran = quiet(&world, &["secret", "scan"], 0);
    let words = "the history of the bare repository `in/bare.git` was not searched";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let bare = Repository::at(&work(&world).join("in/bare.git"));
    bare.git(["config", "remote.origin.url", &format!("https://ada:{VALUE}@example.org/x.git")]);
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert!(ran.stdout.starts_with("in/bare.git/config:"), "{}", ran.stdout);
}
