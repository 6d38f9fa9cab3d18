//! Texts that are long, deep or hostile get an answer, in time.

use std::fmt::Write;
use std::time::Duration;
use std::time::Instant;

use doppio_test_support::Doppio;

use crate::check::steps;

/// Runs `check` on a text and gives its code; it must answer, in time.
fn answers(name: &str, text: &[u8]) -> i32 {
    let world = Doppio::new();
    world.file("r.toml", text);
    let begin = Instant::now();
    let ran = world.run(["check", "r.toml"]);
    assert!(matches!(ran.code, 0 | 2), "{name}: {} {}", ran.code, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{name}: {}", ran.stderr);
    assert!(begin.elapsed() < Duration::from_mins(3), "{name} took {:?}", begin.elapsed());
    ran.code
}

/// A chain of steps, `s0` and so on.
fn chain(length: usize) -> String {
    let mut recipe = steps("");
    for step in 0..length {
        write!(recipe, "[[step]]\nid = \"s{step}\"\nlocal_command = {{ command = \"echo {step}\" }}\n")
            .unwrap();
        if let Some(before) = usize::checked_sub(step, 1) {
            writeln!(recipe, "depends_on = [\"s{before}\"]").unwrap();
        }
    }
    recipe
}

#[test]
fn a_hundred_thousand_steps() {
    let mut recipe = chain(100_000);
    assert_eq!(answers("a chain", recipe.as_bytes()), 0);
    recipe.push_str("[[step]]\nid = \"last\"\nsleep = {}\n");
    assert_eq!(answers("a chain with a fault", recipe.as_bytes()), 2);
}

#[test]
fn a_part_of_a_hundred_thousand_steps() {
    let world = Doppio::new();
    // The last ones of a matrix have what they wait for in common.
    let recipe = chain(90_000)
        + "[[step]]\nid = \"m\"\nmatrix = { a = [1, 2, 3, 4, 5, 6, 7, 8, 9], b = [1, 2, 3, 4, 5, 6, 7, 8, 9], \
           c = [1, 2, 3, 4, 5, 6, 7, 8, 9] }\ndepends_on = [\"s89999\"]\nsleep = { duration_secs = 1 }\n";
    world.file("r.toml", recipe);
    let begin = Instant::now();
    let ran = world.run(["plan", "r.toml", "--only", "m", "--only", "s0", "--json"]).expect(0);
    assert!(begin.elapsed() < Duration::from_mins(3), "it took {:?}", begin.elapsed());
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(plan.to_string().matches("\"m[").count() >= 729);
}

#[test]
fn ten_megabytes_in_one_text() {
    let command = "echo ${secret:a/b} 'x' \\\n".repeat(10_000_000 / 26);
    let recipe = steps(&format!("[[step]]\nid = \"a\"\nlocal_command = {{ command = '''{command}''' }}\n"));
    assert!(matches!(answers("a long command", recipe.as_bytes()), 0 | 2));
}

#[test]
fn deep_nesting_and_long_chains() {
    for (name, text) in [
        ("brackets", format!("x = {}", "[".repeat(100_000))),
        ("braces", format!("x = {}", "{a=".repeat(100_000))),
        ("heads", "[".repeat(100_000)),
        ("dots", format!("a{} = 1", ".a".repeat(100_000))),
        ("table", format!("[a{}]", ".a".repeat(100_000))),
        (
            "not",
            steps(&format!(
                "[[step]]\nid = \"a\"\nwhen = \"{}true\"\nsleep = {{}}\n",
                "not ".repeat(100_000)
            )),
        ),
        (
            "parentheses",
            steps(&format!("[[step]]\nid = \"a\"\nwhen = \"{}\"\nsleep = {{}}\n", "(".repeat(900))),
        ),
        (
            "nots",
            steps(&format!("[[step]]\nid = \"a\"\nwhen = \"{}true\"\nsleep = {{}}\n", "not ".repeat(200))),
        ),
    ] {
        assert_eq!(answers(name, text.as_bytes()), 2, "{name}");
    }
}

#[test]
fn variables_that_grow_without_end() {
    let mut recipe = "[recipe]\nname = \"r\"\n[variables]\nv0 = \"ha\"\n".to_owned();
    for n in 1..200 {
        writeln!(recipe, "v{n} = \"${{v{0}}}${{v{0}}}\"", n - 1).unwrap();
    }
    assert_eq!(answers("doubling", recipe.as_bytes()), 2);
    let mut recipe = "[recipe]\nname = \"r\"\n[variables]\nv0 = \"ha\"\n".to_owned();
    for n in 1..50_000 {
        writeln!(recipe, "v{n} = \"${{v{}}}\"", n - 1).unwrap();
    }
    recipe += "[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n";
    assert_eq!(answers("a chain", recipe.as_bytes()), 0);
}

#[test]
fn a_link_to_what_is_not_a_recipe_shows_nothing_of_it() {
    let world = Doppio::new();
    let key =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let files =
        [("id_ed25519", key), ("credentials.toml", "[registry]\nhush = \"b3BlbnNzaC1rZXktdjEAAAAA\"\n")];
    let repository = world.folder().join("project");
    for (name, text) in files {
        world.private(name, text);
    }
    std::fs::create_dir(repository.join("recipes")).unwrap();
    std::os::unix::fs::symlink(world.folder(), repository.join("linked")).unwrap();
    for (name, _) in files {
        std::os::unix::fs::symlink(world.folder().join(name), repository.join("recipes/x.toml")).unwrap();
        for recipe in ["recipes/x.toml".to_owned(), format!("linked/{name}")] {
            for command in [
                &["check", &recipe][..],
                &["check", "--json", &recipe],
                &["plan", &recipe],
                &["run", &recipe],
            ] {
                let ran = world.run(command).expect(2);
                let said = ran.stdout + &ran.stderr;
                assert!(said.contains("which is not a recipe: its text is not shown"), "{command:?}: {said}");
                assert!(!said.contains("b3Blb") && !said.contains("BEGIN"), "{command:?}: {said}");
            }
            let ran = world.run(["secret", "status", &recipe]);
            assert!(!(ran.stdout + &ran.stderr).contains("b3Blb"));
        }
        std::fs::remove_file(repository.join("recipes/x.toml")).unwrap();
    }
    // A recipe that is shared by a link is quoted as any other.
    world.file("shared.toml", steps("[[step]]\nid = \"a\"\nslep = {}\n"));
    std::os::unix::fs::symlink("../shared.toml", repository.join("recipes/x.toml")).unwrap();
    let ran = world.run(["check", "recipes/x.toml"]).expect(2);
    assert!(ran.stderr.contains("slep = {}"), "{}", ran.stderr);
}
