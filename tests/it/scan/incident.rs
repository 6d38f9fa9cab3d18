//! `doppio secret incident`.

use std::fs;

use data_encoding::BASE64;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;

use crate::scan::VALUE;
use crate::scan::quiet;
use crate::scan::work;
use crate::scan::world;

#[test]
fn where_it_is_and_what_to_do() {
    let world = world();
    let forge = Repository::init(&{
        let folder = world.folder().join("forge");
        fs::create_dir(&folder).expect("a folder");
        folder
    });
    let repository = Repository::init(&work(&world));
    repository.write("clean.txt", "clean\n");
    repository.commit("one");
    assert_eq!(
        quiet(&world, &["secret", "incident", "huggingface/token"], 0).stdout.matches("not found").count(),
        3
    );
    repository.write("conf.yaml", format!("key: {VALUE}\n"));
    repository.commit("two");
    let ran = quiet(&world, &["secret", "incident", "huggingface/token"], 1);
    assert!(ran.stdout.contains("this repository knows no remotes"), "{}", ran.stdout);
    forge.git(["config", "receive.denyCurrentBranch", "ignore"]);
    repository.git(["remote", "add", "origin", forge.folder().to_str().expect("UTF-8")]);
    let ran = quiet(&world, &["secret", "incident", "huggingface/token"], 1);
    assert!(ran.stdout.contains("no remote branch had it"), "{}", ran.stdout);
    repository.git(["push", "-q", "origin", "main"]);
    repository.write("staged.txt", BASE64.encode(VALUE.as_bytes()));
    repository.git(["add", "staged.txt"]);
    let ran = quiet(&world, &["secret", "incident", "huggingface/token"], 1);
    for words in [
        "PUBLISHED, these remote branches have it: origin/main",
        "conf.yaml, line 1, column 6 (huggingface/token, plain)",
        "staged.txt, line 1, column 1 (huggingface/token, base64)",
        "https://huggingface.co/settings/tokens",
        "doppio secret rotate huggingface/token",
        "git filter-repo --sensitive-data-removal --replace-text ",
        "forks",
        "the audit log and the journals show none",
    ] {
        assert!(ran.stdout.contains(words), "{words}:\n{}", ran.stdout);
    }
    assert!(
        quiet(&world, &["secret", "incident", "nobody/knows"], 3)
            .stderr
            .contains("no value of `nobody/knows`")
    );
}

#[test]
fn who_got_it_under_another_name_is_told() {
    let world = Doppio::with_vault();
    world.store("team/w", VALUE);
    world.file("doppio.toml", "[secrets]\n\"other/name\" = \"file:team/w\"\n");
    world.file(
        "recipe.toml",
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\n\
         local_command = { command = \"true\", env = { T = \"${secret:file:team/w}\" } }\n",
    );
    world.run(["run", "recipe.toml"]).expect(0);
    for name in ["team/w", "other/name"] {
        let ran = quiet(&world, &["secret", "incident", name], 0);
        assert!(
            ran.stdout.contains("given to, according to the audit log")
                && ran.stdout.contains("  local, step a: "),
            "{}",
            ran.stdout
        );
    }
    assert_eq!(world.run(["secret", "audit", "--secret", "team/w"]).expect(0).stdout.lines().count(), 3);
    // Rotated, the old value is still the one that got out.
    world.run_with_stdin(["secret", "rotate", "team/w", "--from-stdin"], "a value of another kind").expect(0);
    let ran = quiet(&world, &["secret", "incident", "team/w"], 0);
    assert!(ran.stdout.contains("  local, step a: "), "{}", ran.stdout);
}

#[test]
fn what_is_not_known_is_told() {
    let world = world();
    let ran = quiet(&world, &["secret", "incident", "huggingface/token", "gone"], 2);
    assert!(ran.stderr.contains("there is no `gone`"), "{}", ran.stderr);
    let repository = Repository::init(&work(&world));
    repository.write("conf.yaml", VALUE);
    repository.commit("one");
    repository.git(["remote", "add", "origin", "/nonexistent"]);
    let arguments = ["secret", "incident", "huggingface/token", "--write-replacements", "re pl"];
    // Git would see the file, and the value in it.
    let ran = quiet(&world, &arguments, 2);
    assert!(ran.stderr.contains("re pl` would be in a git working tree"), "{}", ran.stderr);
    assert!(!work(&world).join("re pl").exists());
    fs::write(work(&world).join(".git/info/exclude"), "re*\n").expect("a file");
    let ran = quiet(&world, &arguments, 1);
    let path = format!("--replace-text '{}'", work(&world).join("re pl").display());
    assert!(ran.stdout.contains(&path), "{}", ran.stdout);
    fs::write(work(&world).join(".git/packed-refs"), "no refs at all\n").expect("a file");
    let ran = quiet(&world, &arguments[..3], 1);
    assert!(ran.stdout.contains("remotes: which of them have it is not known"), "{}", ran.stdout);
    assert!(ran.stdout.contains("staged changes: could not be looked at"), "{}", ran.stdout);
    assert!(ran.stderr.contains("packed-refs"), "{}", ran.stderr);
    // Where nothing is found, that alone is no success.
    fs::remove_file(work(&world).join("conf.yaml")).expect("it goes");
    fs::remove_dir_all(work(&world).join(".git/objects")).expect("they go");
    fs::create_dir(work(&world).join(".git/objects")).expect("a folder");
    fs::remove_file(work(&world).join("re pl")).expect("it goes");
    let ran = quiet(&world, &arguments[..3], 3);
    assert!(ran.stdout.contains("working tree: not found in"), "{}", ran.stdout);
}

#[test]
fn a_bare_repository_has_a_history_only() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("conf.yaml", VALUE);
    repository.commit("one");
    repository.git(["clone", "-q", "--bare", ".", "../bare.git"]);
    let ran = quiet(&world, &["secret", "incident", "huggingface/token", "../bare.git"], 1);
    for title in ["working tree", "staged changes"] {
        assert!(
            ran.stdout.contains(&format!("{title}: there is none, the repository is bare")),
            "{}",
            ran.stdout
        );
    }
    assert!(ran.stdout.contains("conf.yaml, line 1"), "{}", ran.stdout);
}
