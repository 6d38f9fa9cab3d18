//! `doppio secret scan`: what lies in files, in the index, in the history.

mod adopt;
mod git;
mod hook;
mod incident;
mod unseen;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use data_encoding::BASE64;
use data_encoding::HEXLOWER;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::Repository;

/// The value of `huggingface/token`, from the environment.
const VALUE: &str = "kQ7-zVbXmWnRtYpLsDfG8hJcKxZ2w";

/// A token that nobody has stored.
const TOKEN: &str = "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";

/// A machine with one secret.
fn world() -> Doppio {
    let world = Doppio::new().env("HF_TOKEN", VALUE).env("DOPPIO_KEYRING", "off");
    fs::create_dir_all(world.folder().join("project")).expect("a folder");
    world
}

fn work(world: &Doppio) -> PathBuf {
    world.folder().join("project")
}

/// Runs a command; whatever it prints, the value and the token are not in it.
#[track_caller]
fn quiet(world: &Doppio, arguments: &[&str], code: i32) -> Ran {
    let ran = world.run(arguments.iter().copied()).expect(code);
    for text in [&ran.stdout, &ran.stderr] {
        for plain in [VALUE, TOKEN, &VALUE[4..20], &TOKEN[8..24]] {
            assert!(!text.contains(plain), "the value was printed:\n{text}");
        }
        assert!(!text.contains(&BASE64.encode(VALUE.as_bytes())[..16]), "{text}");
    }
    ran
}

#[test]
fn clean_folders_and_folders_with_finds_have_their_exit_codes() {
    let world = world();
    world.file("a.txt", "nothing here\n");
    let ran = quiet(&world, &["secret", "scan"], 0);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("nothing found in 1 files"), "{}", ran.stderr);
    world.file("b/c.txt", format!("one\n  key = {VALUE}\n"));
    world.file("d.env", format!("T={}\r\n", BASE64.encode(VALUE.as_bytes())));
    world.file("e.bin", [b"\0\x01\xff", HEXLOWER.encode(VALUE.as_bytes()).as_bytes(), b"\0"].concat());
    world.file("f.py", format!("t = '{TOKEN}'\n"));
    let ran = quiet(&world, &["secret", "scan"], 1);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "b/c.txt:2:9  huggingface/token (plain)",
            "d.env:1:3  huggingface/token (base64)",
            "e.bin:1:4  huggingface/token (hex)",
        ]
    );
    assert!(lines[3].starts_with("f.py:1:6  huggingface-token (not stored; "), "{}", lines[3]);
    assert_eq!(lines.len(), 4);
    quiet(&world, &["secret", "scan", "a.txt"], 0);
    quiet(&world, &["secret", "scan", "b"], 1);
    assert!(quiet(&world, &["secret", "scan", "gone"], 2).stderr.contains("there is no `gone`"));
    assert!(quiet(&world, &["secret", "scan", "--staged"], 2).stderr.contains("not in a git repository"));
    quiet(&world, &["secret", "scan", "--no-shapes", "f.py"], 0);
}

#[test]
fn json_is_a_line_for_each_and_takes_any_path() {
    use std::os::unix::ffi::OsStrExt;
    let world = world();
    let odd = work(&world).join(std::ffi::OsStr::from_bytes(b"odd-\xff-\x1b[2J.txt"));
    fs::write(&odd, format!("é {VALUE}")).expect("a file");
    let ran = quiet(&world, &["secret", "scan", "--json"], 1);
    let found: serde_json::Value = serde_json::from_str(ran.stdout.trim()).expect("one object");
    assert_eq!(found["path"], serde_json::Value::Null);
    let path = BASE64.decode(found["path_base64"].as_str().expect("bytes").as_bytes()).expect("base64");
    assert_eq!(path, b"odd-\xff-\x1b[2J.txt");
    assert_eq!(
        (found["line"].as_u64(), found["column"].as_u64(), found["offset"].as_u64()),
        (Some(1), Some(4), Some(3))
    );
    assert_eq!(
        (found["secret"].as_str(), found["form"].as_str()),
        (Some("huggingface/token"), Some("plain"))
    );
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert!(ran.stdout.starts_with("odd-\\xff-\\u{1b}[2J.txt:1:4  "), "{}", ran.stdout);
}

#[test]
fn a_value_in_the_name_of_a_file_is_told_without_the_name() {
    let world = world();
    world.file(&format!("cache/{VALUE}.json"), "{}");
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert_eq!(ran.stdout, "cache/***.json  huggingface/token (plain, in the name of the file)\n");
    quiet(&world, &["secret", "scan", "--json"], 1);
}

#[test]
fn what_git_ignores_is_passed_over_unless_it_is_tracked_or_named() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write(".gitignore", ".env\nbuild/\n*.key\n");
    repository.write(".env", format!("HF_TOKEN={VALUE}\n"));
    repository.write("build/x", VALUE);
    repository.write("src/a.key", VALUE);
    quiet(&world, &["secret", "scan"], 0);
    repository.git(["add", "-f", "src/a.key"]);
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert_eq!(ran.stdout, "src/a.key:1:1  huggingface/token (plain)\n");
    let ran = quiet(&world, &["secret", "scan", "--no-ignore"], 1);
    assert_eq!(ran.stdout.lines().count(), 3, "{}", ran.stdout);
    quiet(&world, &["secret", "scan", ".env"], 1);
    repository.git(["remote", "add", "origin", &format!("https://ada:{VALUE}@example.org/x.git")]);
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert!(ran.stdout.contains(".git/config:"), "{}", ran.stdout);
}

#[test]
fn links_are_not_followed_and_pipes_not_waited_for() {
    let world = world();
    fs::write(world.folder().join("outside"), VALUE).expect("a file");
    std::os::unix::fs::symlink(world.folder().join("outside"), work(&world).join("link")).expect("a link");
    std::os::unix::fs::symlink(world.folder(), work(&world).join("folder")).expect("a link");
    let fifo = work(&world).join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    quiet(&world, &["secret", "scan"], 0);
    // What is named and can't be looked at is no place where nothing was found.
    for (path, words) in
        [("fifo", "is neither a file nor a folder"), ("link", "is a link"), ("gone", "there is no")]
    {
        let ran = quiet(&world, &["secret", "scan", path], 2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = quiet(&world, &["secret", "scan", "folder"], 1);
    assert_eq!(ran.stdout, "folder/outside:1:1  huggingface/token (plain)\n");
}

#[test]
fn lines_paths_and_fingerprints_can_be_allowed() {
    let world = world();
    world.file("a.py", format!("t = '{TOKEN}'  # doppio:allow\nu = '{TOKEN}'\n"));
    world.file("fixtures/b.py", TOKEN);
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("2 places, 1 more allowed"), "{}", ran.stderr);
    let print =
        ran.stdout.split("; ").nth(1).and_then(|rest| rest.get(..16)).expect("a fingerprint").to_owned();
    world.file("doppio.toml", "[scan]\nallow = [\"fixtures/**\"]\n");
    assert_eq!(quiet(&world, &["secret", "scan"], 1).stdout.lines().count(), 1);
    let whole = work(&world).display().to_string();
    assert_eq!(quiet(&world, &["secret", "scan", &whole], 1).stdout.lines().count(), 1);
    world.file("doppio.toml", format!("[scan]\nallow = [\"fixtures/\", \"{print}\"]\n"));
    quiet(&world, &["secret", "scan"], 0);
    world.file("doppio.toml", "[scan]\nalow = []\n");
    assert!(quiet(&world, &["secret", "scan"], 2).stderr.contains("unknown key `alow`"));
}

/// What a project allows holds in its folder, and what the user allows everywhere.
#[test]
fn patterns_hold_in_the_folder_that_they_stand_in() {
    let world = world();
    world.file("f", VALUE);
    world.file("doppio.toml", "[scan]\nallow = [\"f\"]\n");
    let other = world.folder().join("f");
    fs::write(&other, VALUE).expect("a file");
    quiet(&world, &["secret", "scan"], 0);
    let ran = quiet(&world, &["secret", "scan", ".."], 1);
    assert!(ran.stdout.contains("../f:1:1  ") && ran.stderr.contains("1 more allowed"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    // Paths of git begin at the top of the repository.
    let repository = Repository::init(world.folder());
    repository.git(["add", "f", "project/f"]);
    let ran = quiet(&world, &["secret", "scan", "--staged"], 1);
    assert_eq!(ran.stdout, "f:1:1  huggingface/token (plain)\n");
    fs::write(world.doppio_home().join("config.toml"), "[scan]\nallow = [\"f\"]\n").expect("settings");
    quiet(&world, &["secret", "scan", "--staged"], 0);
    quiet(&world, &["secret", "scan", "../f"], 0);
}

#[test]
fn a_file_is_looked_at_once_however_it_is_called() {
    let world = world();
    let repository = Repository::init(&work(&world));
    repository.write(".gitignore", "build/\n");
    repository.write("build/x", VALUE);
    repository.git(["add", "-f", "build/x"]);
    let whole = work(&world).join("build").display().to_string();
    for paths in [&["build"][..], &["build", "build"], &["build/x", "./build/x", "build"], &["build", &whole]]
    {
        let ran = quiet(&world, &[&["secret", "scan"], paths].concat(), 1);
        assert_eq!(ran.stdout.lines().count(), 1, "{paths:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("1 place in "), "{}", ran.stderr);
    }
}

#[test]
fn what_is_said_is_no_longer_than_what_there_is_to_say() {
    let world = world();
    world.file("doppio.toml", "[secrets]\n\"a/a\" = \"env:A\"\n\"b/b\" = \"env:B\"\n\"c/c\" = \"env:C\"\n");
    let world = world.env("A", "27182818").env("B", "/usr/lib/xyz").env("C", "31415926");
    world.file("a.txt", "12345");
    let ran = quiet(&world, &["secret", "scan", "a.txt"], 0);
    assert!(ran.stderr.contains("in 1 files, 5 bytes;"), "{}", ran.stderr);
    let notes: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("not searched for")).collect();
    let reasons = "`b/b`, whose value is a path; `a/a`, `c/c`, whose value is a plain number";
    assert_eq!(notes, [format!("note: 3 values are not searched for: {reasons}")]);
}

#[test]
fn values_of_the_vault_and_of_dotenv_are_looked_for_older_ones_too() {
    let world = world();
    let passphrase = world.private("passphrase", "correct horse battery staple");
    let world = world.env("DOPPIO_PASSPHRASE_FILE", passphrase);
    fs::write(world.doppio_home().join("config.toml"), "keyring = false\n[vault]\nwork_factor = 10\n")
        .expect("settings");
    for value in ["old-8fkW2Lq9Zx0VbN", "new-5tRq7Yp3Ls1DfG"] {
        world.run_with_stdin(["secret", "set", "db/password", "--from-stdin"], value).expect(0);
    }
    world.file("doppio.toml", "dotenv = true\n[secrets]\n\"api/key\" = \"env:MY_OWN\"\n");
    world.file(".env", "SERVICE_TOKEN=dot-3nB6vC8xZ1mQ4\nPORT=8080\nDEBUG=true\n");
    let world = world.env("MY_OWN", "own-9gHj4Kl2Zx7Cv");
    world.file(
        "a.txt",
        "old-8fkW2Lq9Zx0VbN\nnew-5tRq7Yp3Ls1DfG\ndot-3nB6vC8xZ1mQ4 true 8080\nown-9gHj4Kl2Zx7Cv\n",
    );
    let ran = quiet(&world, &["secret", "scan", "a.txt"], 1);
    let names: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert_eq!(
        names,
        ["db/password@1 (plain)", "db/password (plain)", "dotenv:SERVICE_TOKEN (plain)", "api/key (plain)"]
    );
    // What can't be asked is an error, and what is known is looked for all the same.
    let world = world.env("DOPPIO_PASSPHRASE_FILE", "/nonexistent");
    world.file("b.txt", "nothing\n");
    let ran = quiet(&world, &["secret", "scan", "b.txt"], 3);
    assert!(ran.stderr.contains("the age vault"), "{}", ran.stderr);
    world.file("b.txt", VALUE);
    quiet(&world, &["secret", "scan", "b.txt"], 1);
}

#[test]
fn what_cant_be_read_is_told() {
    let world = world();
    let path = world.file("closed/a.txt", VALUE);
    if rustix::process::geteuid().is_root() {
        // Nothing is closed to root; a file that changes its mind is: /proc/self/mem reads as an error.
        let ran = quiet(&world, &["secret", "scan", "/proc/self/mem"], 3);
        assert!(ran.stderr.contains("cannot look at `/proc/self/mem`"), "{}", ran.stderr);
        return;
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).expect("its mode");
    let ran = quiet(&world, &["secret", "scan"], 3);
    assert!(ran.stderr.contains("cannot look at `closed/a.txt`"), "{}", ran.stderr);
}

#[test]
fn a_large_file_is_searched_to_its_end() {
    let world = world();
    let mut text = b"0123456789abcde\n".repeat(3 << 16);
    text.extend_from_slice(VALUE.as_bytes());
    world.file("large", &text);
    let ran = quiet(&world, &["secret", "scan"], 1);
    assert_eq!(ran.stdout, "large:196609:1  huggingface/token (plain)\n");
}

/// Our own sources have examples of tokens, and no token.
#[test]
fn our_own_repository_has_no_false_find() {
    let world = world();
    let ran = quiet(
        &world,
        &[
            "secret",
            "scan",
            concat!(env!("CARGO_MANIFEST_DIR"), "/src"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/docs"),
        ],
        0,
    );
    assert!(ran.stderr.contains("nothing found"), "{}", ran.stderr);
}
