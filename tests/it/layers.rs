//! Holds the structure of the sources: who may import whom, which foreign crate is named where,
//! how long a file may be, and how nothing may be called.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::rust_code::code_only;
use crate::support::rust_code::without_tests;

/// A top-level module and what it may name of the others. `secret::Masked` is that one item.
const LAYERS: &[(&str, &[&str])] = &[
    ("name", &[]),
    ("text", &[]),
    ("shell", &["name", "text"]),
    ("secret", &["name", "text"]),
    ("event", &["name", "secret::Masked"]),
    ("host", &["name", "text", "shell", "secret"]),
    ("config", &["name", "text", "secret", "host"]),
    ("step", &["name", "text", "shell", "secret", "event", "host"]),
    ("recipe", &["name", "text", "shell", "secret", "step"]),
    ("plan", &["name", "text", "shell", "secret", "step", "recipe"]),
    ("engine", &["name", "secret", "event", "host", "step", "plan"]),
    ("journal", &["name", "event"]),
    ("ui", &["name", "text", "event"]),
    (
        "cli",
        &[
            "name", "text", "shell", "secret", "event", "host", "config", "step", "recipe", "plan", "engine",
            "journal", "ui",
        ],
    ),
];

/// A foreign crate and the one place that may name it.
const CONFINED: &[(&str, &str)] = &[
    ("russh", "src/host/ssh/"),
    ("indicatif", "src/ui/progress.rs"),
    ("annotate_snippets", "src/ui/report.rs"),
    ("keyring", "src/secret/source/keyring.rs"),
    ("minijinja", "src/plan/when/"),
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager"];

/// A file with this many lines is refused.
const TOO_LONG: usize = 600;

#[test]
fn sources_keep_the_layers() {
    let mut faults = Vec::new();
    let mut read = 0;
    for folder in ["src", "tests", "benches", "examples"] {
        walk(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(folder), &mut |path, text| {
            read += 1;
            faults.extend(check(path, text));
        });
    }
    assert!(read > 30, "only {read} sources found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_module_has_its_line_in_the_table() {
    let lib = include_str!("../../src/lib.rs");
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let listed: BTreeSet<&str> = LAYERS.iter().map(|(module, _)| *module).collect();
    assert_eq!(declared, listed);
}

#[test]
fn the_table_has_no_circle() {
    let mut above = BTreeSet::new();
    for (module, below) in LAYERS {
        for name in *below {
            let name = name.split("::").next().expect("a split has a first part");
            assert!(above.contains(name), "`{module}` may name `{name}`, which does not stand above it");
        }
        above.insert(*module);
    }
}

#[test]
fn contributors_read_the_same_table() {
    let text = include_str!("../../CONTRIBUTING.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| module")).skip(2);
    for (row, (module, below)) in rows.zip(LAYERS) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let shown = match below.len() {
            0 => "–".to_owned(),
            all if all + 1 == LAYERS.len() => "all".to_owned(),
            _ => below.join(", "),
        };
        assert_eq!(cells[1], format!("`{module}`"));
        assert_eq!(cells[3].replace('`', ""), shown, "the line of `{module}`");
    }
}

/// Calls `each` with every Rust file below `folder`, by its path from `root`.
fn walk(root: &Path, folder: &Path, each: &mut dyn FnMut(&str, &str)) {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return };
    for entry in entries {
        let entry = entry.expect("a folder can be read");
        let path = folder.join(entry.file_name());
        if entry.file_type().expect("a file has a type").is_dir() {
            walk(root, &path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).expect("sources are UTF-8");
            each(path.to_str().expect("paths are UTF-8"), &text);
        }
    }
}

/// What is wrong with one source, one line a fault.
fn check(path: &str, text: &str) -> Vec<String> {
    let code = code_only(text);
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines >= TOO_LONG {
        faults.push(format!("{path}: {lines} lines, of fewer than {TOO_LONG}: split it by concept"));
    }
    let mut fault = |at: usize, message: String| {
        faults.push(format!("{path}:{}: {message}", code[..at].matches('\n').count() + 1));
    };
    for (at, _) in code.match_indices("#[allow").chain(code.match_indices("#![allow")) {
        fault(at, "`allow`: write `expect` with a reason".to_owned());
    }
    for name in module_names(path, &code) {
        if EMPTY_NAMES.contains(&name.1.as_str()) {
            fault(name.0, format!("`{}` says nothing of what is inside", name.1));
        }
    }
    if path.starts_with("src/") {
        let code = without_tests(&code);
        check_crate_paths(path, &code, &mut fault);
        check_confined(path, &code, &mut fault);
    }
    faults
}

/// The file's own name and the modules that it declares, with their places.
fn module_names(path: &str, code: &str) -> Vec<(usize, String)> {
    let own = Path::new(path)
        .components()
        .map(|part| (0, part.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()));
    let declared = code.match_indices("mod ").filter(|(at, _)| !is_word(code[..*at].chars().next_back()));
    let declared = declared.map(|(at, _)| (at, word(&code[at + "mod ".len()..]).to_owned()));
    own.chain(declared).collect()
}

/// The `crate::` paths against the table.
fn check_crate_paths(path: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    let module = path["src/".len()..].split(['/', '.']).next().expect("a split has a first part");
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    for (at, _) in code.match_indices("super::super") {
        fault(at, "`super::super`: write the path from `crate`".to_owned());
    }
    for (at, _) in code.match_indices("crate") {
        let rest = &code[at + "crate".len()..];
        let before = code[..at].chars().next_back();
        if is_word(before) || is_word(rest.chars().next()) || before == Some('$') {
            continue;
        }
        let Some(rest) = rest.strip_prefix("::") else {
            if before != Some('(') {
                fault(at, "`crate` without a path".to_owned());
            }
            continue;
        };
        let named = word(rest);
        if named.is_empty() {
            fault(at, "a group of `crate` paths: one path a line".to_owned());
            continue;
        }
        let Some(below) = allowed.get(module) else { continue };
        let item = rest[named.len()..].strip_prefix("::").map_or("", word);
        let whole = format!("{named}::{item}");
        if named != module && !below.contains(&named) && !below.contains(&whole.as_str()) {
            fault(at, format!("`{module}` may not name `{whole}`; it may name: {}", below.join(", ")));
        }
    }
}

/// Foreign crates outside of their place.
fn check_confined(path: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    for (name, place) in CONFINED {
        if path.starts_with(place) {
            continue;
        }
        let has_own = code.contains(&format!("mod {name};"));
        for (at, _) in code.match_indices(name) {
            let before = code[..at].trim_end();
            let after = &code[at + name.len()..];
            let rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start();
            let inner = is_word(code[..at].chars().next_back());
            let rooted = before.ends_with("::") && !is_word(before[..before.len() - 2].chars().next_back());
            let first = !before.ends_with("::") && !before.ends_with('.') && !has_own;
            let used = rest.starts_with("::") || before.ends_with("use") || before.ends_with("use ::");
            if !inner && used && (rooted || first) {
                fault(at, format!("`{name}` is named in `{place}` only"));
            }
        }
    }
}

/// The name that `text` begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !is_word(Some(c))).unwrap_or(text.len());
    &text[..end]
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[test]
fn each_rule_catches_its_planted_fault() {
    let long = "\n".repeat(TOO_LONG);
    for (path, text, message) in [
        ("src/journal/a.rs", "use crate::host::Host;", "`journal` may not name `host::Host`"),
        ("src/text/a.rs", "fn f() { crate::name::x() }", "`text` may not name `name::x`"),
        ("src/name.rs", "type T = Vec<crate::text::Span>;", "`name` may not name `text::Span`"),
        ("src/event/a.rs", "use crate::secret::Vault;", "`event` may not name `secret::Vault`"),
        ("src/ui/a.rs", "use crate::{event, text};", "a group of `crate` paths"),
        ("src/cli/a.rs", "use crate as doppio;", "`crate` without a path"),
        ("src/host/ssh/a.rs", "use super::super::Pool;", "`super::super`"),
        ("src/host/pool.rs", "use russh::client;", "`russh` is named in"),
        ("src/host/pool.rs", "fn f(k: ::russh::keys::K) {}", "`russh` is named in"),
        ("src/host/pool.rs", "fn f() { russh_sftp::x() }", "`russh` is named in"),
        ("src/ui/tree.rs", "use indicatif::ProgressBar;", "`indicatif` is named in"),
        ("src/recipe/a.rs", "use annotate_snippets::Level;", "`annotate_snippets` is named in"),
        ("src/secret/source/mod.rs", "mod keyring; use ::keyring::Entry;", "`keyring` is named in"),
        ("src/cli/doctor.rs", "let e = keyring::Entry::new();", "`keyring` is named in"),
        ("src/step/a.rs", "use minijinja::Environment;", "`minijinja` is named in"),
        ("tests/it/a.rs", "#[allow(dead_code)]", "`allow`"),
        ("src/lib.rs", "#![allow(missing_docs)]", "`allow`"),
        ("src/host/util.rs", "", "`util` says nothing"),
        ("src/helpers/mod.rs", "", "`helpers` says nothing"),
        ("src/a.rs", "mod common { }", "`common` says nothing"),
        ("benches/a.rs", long.as_str(), "600 lines"),
    ] {
        let faults = check(path, text);
        assert!(faults.iter().any(|fault| fault.contains(message)), "{path}: {text}: {faults:?}");
    }
}

#[test]
fn what_is_allowed_is_no_fault() {
    for (path, text) in [
        ("src/event/a.rs", "use crate::secret::Masked; use crate::event::Sink;"),
        ("src/text/a.rs", "// crate::host::Host\nconst A: &str = \"crate::host\";"),
        ("src/text/a.rs", "#[cfg(test)]\nmod tests { use crate::host::Host; }"),
        ("src/plan/a.rs", "pub(crate) fn f() {} pub(in crate::plan) fn g() {}"),
        ("src/host/ssh/a.rs", "use russh::client;"),
        ("src/secret/source/mod.rs", "mod keyring; static A: K = keyring::KIND;"),
        ("src/secret/source/keyring.rs", "use ::keyring::Entry;"),
        ("src/secret/ladder.rs", "let a = source::keyring::KIND; let keyring = 1;"),
        ("src/main.rs", "use doppio::cli;"),
    ] {
        let faults = check(path, text);
        assert!(faults.is_empty(), "{path}: {text}: {faults:?}");
    }
}
