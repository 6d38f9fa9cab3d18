//! The index and the history.

use std::fs;

use data_encoding::BASE64;

use doppio_test_support::Repository;

use crate::scan::VALUE;
use crate::scan::quiet;
use crate::scan::work;
use crate::scan::world;

#[test]
fn the_index_counts_and_not_the_working_tree() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", format!("x\n{VALUE}\n"));
    repository.git(["add", "a.txt"]);
    repository.write("a.txt", "mended, but not staged\n");
    repository.write("b.txt", VALUE);
    // No commit is there yet.
    let ran = quiet(&world, &["secret", "scan", "--staged"], 1);
    assert_eq!(ran.stdout, "a.txt:2:1  huggingface/token (plain)\n");
    repository.git(["add", "a.txt"]);
    quiet(&world, &["secret", "scan", "--staged"], 0);
    repository.git(["commit", "-q", "-m", "one"]);
    repository.write("sub/c d\n.bin", [b"\0\0", BASE64.encode(VALUE.as_bytes()).as_bytes()].concat());
    repository.git(["add", "sub"]);
    let ran = quiet(&world, &["secret", "scan", "--staged"], 1);
    assert_eq!(ran.stdout, "sub/c d\\n.bin:1:3  huggingface/token (base64)\n");
    repository.git(["commit", "-q", "-m", "two"]);
    quiet(&world, &["secret", "scan", "--staged"], 0);
    repository.git(["rm", "-q", "sub/c d\n.bin"]);
    quiet(&world, &["secret", "scan", "--staged"], 0);
}

#[test]
fn the_history_is_searched_to_its_corners() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", "clean\n");
    repository.commit("one");
    repository.write("conf/x.yaml", format!("a: b\nkey: {VALUE}\n"));
    let second = repository.commit("two");
    repository.git(["rm", "-q", "-r", "conf"]);
    repository.commit("three");
    // Brought back under another name: the first commit is told, once.
    repository.write("again.yaml", format!("a: b\nkey: {VALUE}\n"));
    repository.commit("four");
    repository.git(["rm", "-q", "again.yaml"]);
    repository.commit("five");
    quiet(&world, &["secret", "scan"], 0);
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    assert_eq!(ran.stdout, format!("{}:conf/x.yaml:2:6  huggingface/token (plain)\n", &second[..12]));

    // In packs as well.
    repository.git(["gc", "-q"]);
    assert_eq!(quiet(&world, &["secret", "scan", "--history"], 1).stdout, ran.stdout);

    // On a branch that was deleted, and in a message.
    repository.git(["switch", "-q", "-c", "away"]);
    repository.write("away.txt", format!("see {VALUE}"));
    let away = repository.commit("away");
    repository.git(["switch", "-q", "main"]);
    repository.git(["branch", "-q", "-D", "away"]);
    repository.git(["reflog", "expire", "--expire=now", "--all"]);
    repository.git(["commit", "-q", "--allow-empty", "--no-verify", "-m", &format!("use {VALUE}")]);
    let message = repository.git(["rev-parse", "HEAD"]);
    let ran = quiet(&world, &["secret", "scan", "--history", "--json"], 1);
    let mut found: Vec<(String, String)> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object"))
        .map(|found| {
            (found["path"].as_str().unwrap().to_owned(), found["commit"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    let expected = [("(message)", &message), ("away.txt", &away), ("conf/x.yaml", &second)];
    assert_eq!(found, expected.map(|(path, commit)| (path.to_owned(), commit.clone())));

    // An object that no commit has.
    repository.write("loose", format!("loose {VALUE}"));
    let object = repository.git(["hash-object", "-w", "loose"]);
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    let line = format!("{}:(in no commit):1:7  huggingface/token (plain)", &object[..12]);
    assert!(ran.stdout.lines().any(|found| found == line), "{}", ran.stdout);
}

#[test]
fn a_value_in_the_name_of_a_file_stays_in_the_history() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", "1\n");
    repository.commit("one");
    repository.write(&format!("cache/{VALUE}/x.json"), "{}");
    let second = repository.commit("two");
    repository.git(["rm", "-q", "-r", "cache"]);
    repository.commit("three");
    // Only a merge brings this one.
    repository.git(["switch", "-q", "-c", "side", "HEAD~2"]);
    repository.write("side.txt", "side\n");
    repository.commit("side");
    repository.git(["switch", "-q", "main"]);
    repository.git(["merge", "-q", "--no-commit", "side"]);
    repository.write(&format!("{VALUE}.txt"), "3\n");
    let merge = repository.commit("merge");
    repository.git(["rm", "-q", &format!("{VALUE}.txt")]);
    repository.commit("clean");
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    let words = "huggingface/token (plain, in the name of the file)";
    let expected =
        format!("{}:***.txt  {words}\n{}:cache/***/x.json  {words}\n", &merge[..12], &second[..12]);
    assert_eq!(ran.stdout, expected);
    let ran = quiet(&world, &["secret", "incident", "huggingface/token"], 1);
    assert!(ran.stdout.contains("cache/***/x.json, in the name of the file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("--paths-from-file /dev/shm/replacements"), "{}", ran.stdout);
}

#[test]
fn merges_stashes_and_other_working_trees_belong_to_the_history() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("a.txt", "1\n");
    repository.commit("one");
    repository.git(["switch", "-q", "-c", "side"]);
    repository.write("a.txt", "side\n");
    repository.commit("side");
    repository.git(["switch", "-q", "main"]);
    repository.write("a.txt", "main\n");
    repository.commit("main");
    let failed = repository.command(&["merge", "-q", "side"]).output().expect("git");
    assert!(!failed.status.success(), "both changed the file");
    // Only the merge itself has it.
    repository.write("a.txt", format!("{VALUE}\n"));
    let merge = repository.commit("merge");
    repository.write("a.txt", "clean\n");
    repository.commit("clean");
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    assert_eq!(ran.stdout, format!("{}:a.txt:1:1  huggingface/token (plain)\n", &merge[..12]));
    repository.write("a.txt", format!("stash {VALUE}\n"));
    repository.git(["stash", "-q"]);
    assert_eq!(quiet(&world, &["secret", "scan", "--history"], 1).stdout.lines().count(), 2);
}

#[test]
fn what_is_staged_counts_wherever_the_command_is_given() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.git(["config", "diff.relative", "true"]);
    repository.write("sub/clean.txt", "clean\n");
    repository.write("top.txt", VALUE);
    repository.git(["add", "-A"]);
    let ran = quiet(&world, &["secret", "scan", "--staged", "sub"], 1);
    assert_eq!(ran.stdout, "top.txt:1:1  huggingface/token (plain)\n");
    let second = repository.commit("one");
    let ran = quiet(&world, &["secret", "scan", "--history", "sub"], 1);
    assert_eq!(ran.stdout, format!("{}:top.txt:1:1  huggingface/token (plain)\n", &second[..12]));
}

/// Objects whose head is damaged, of which git complains at length, and some whose body is, at
/// which it ends.
#[test]
fn damaged_objects_are_told_and_stepped_over() {
    const HEADS: u32 = 1500;
    const BODIES: u32 = 8;
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write("good.txt", VALUE);
    let good = repository.commit("one");
    for index in 0..HEADS {
        repository.write(&format!("heads/{index}"), format!("{index}\n"));
    }
    for index in 0..BODIES {
        // Hardly compressible, so that half of it is no whole.
        let text: String = (0..4000_u32)
            .map(|at| char::from(b'a' + u8::try_from((at * at * 31 + at / 7 + index) % 26).unwrap()))
            .collect();
        repository.write(&format!("bodies/{index}"), text);
    }
    repository.git(["add", "-A"]);
    for line in repository.git(["ls-files", "-s", "heads", "bodies"]).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let object = work(&world).join(".git/objects").join(&words[1][..2]).join(&words[1][2..]);
        let bytes = fs::read(&object).expect("a loose object");
        fs::remove_file(&object).expect("it goes");
        let damaged =
            if words[3].starts_with("heads") { b"damaged".as_slice() } else { &bytes[..bytes.len() / 2] };
        fs::write(&object, damaged).expect("it is back");
    }
    let told = (HEADS + BODIES) as usize;
    let ran = quiet(&world, &["secret", "scan", "--staged"], 3);
    assert_eq!(ran.stderr.matches("git can't read it: it is damaged").count(), told);
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    assert_eq!(ran.stdout, format!("{}:good.txt:1:1  huggingface/token (plain)\n", &good[..12]));
    assert_eq!(ran.stderr.matches("git can't read it: it is damaged").count(), told);
    let ran = quiet(&world, &["secret", "incident", "huggingface/token", "heads"], 1);
    assert!(ran.stderr.contains("git can't read it"), "{}", ran.stderr);

    // A commit that can't be walked hides nothing that was found.
    let root = work(&world).join(".git/objects").join(&good[..2]).join(&good[2..]);
    fs::remove_file(&root).expect("it goes");
    fs::write(&root, "damaged").expect("it is back");
    let ran = quiet(&world, &["secret", "scan", "--history"], 1);
    assert!(ran.stdout.contains(":1:1  huggingface/token (plain)"), "{}", ran.stdout);
}
