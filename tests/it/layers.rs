//! Holds the structure of the sources: who may import whom, which foreign crate is named where,
//! how long a file may be, and how nothing may be called.

mod commands;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use doppio_secrets::vendor;

use crate::support::rust_code::code_only;
use crate::support::rust_code::without_tests;

use tables::*;

#[test]
fn sources_keep_the_layers() {
    let mut faults = Vec::new();
    let mut read = 0;
    for folder in ["src", "crates", "tests", "benches", "examples", "packaging"] {
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
    let listed: BTreeSet<&str> = MODULES.iter().map(|(module, ..)| *module).collect();
    assert_eq!(declared, listed);
}

#[test]
fn every_crate_has_its_line_in_the_table() {
    let folders =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).expect("there are crates");
    let found: BTreeSet<String> = folders
        .map(|entry| format!("doppio_{}", entry.expect("it can be read").file_name().to_string_lossy()))
        .collect();
    let listed: BTreeSet<String> = CRATES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn the_tables_have_no_circle() {
    fn check<'a>(rows: impl Iterator<Item = (&'a str, &'a [&'a str])>) {
        let mut above = BTreeSet::new();
        for (name, below) in rows {
            for other in below {
                assert!(above.contains(other), "`{name}` may name `{other}`, which does not stand above it");
            }
            above.insert(name);
        }
    }
    check(CRATES.iter().map(|(name, _, below)| (*name, *below)));
    check(MODULES.iter().map(|(name, _, below)| (*name, *below)));
}

#[test]
fn contributors_read_the_same_tables() {
    let text = include_str!("../../CONTRIBUTING.md");
    let rows = |heading: &str| -> Vec<(String, String)> {
        let lines = text.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
        lines
            .take_while(|line| line.starts_with('|'))
            .map(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                (cells[1].replace('`', ""), cells[3].replace('`', ""))
            })
            .collect()
    };
    let short =
        |names: &[&str]| names.iter().map(|name| name.replace("doppio_", "")).collect::<Vec<_>>().join(", ");
    let shown = |names: &[&str]| if names.is_empty() { "–".to_owned() } else { short(names) };
    let crates = CRATES.iter().map(|(name, folder, below)| {
        assert_eq!(short(&[name]), folder["crates/".len()..].trim_end_matches("/src/"));
        (name.replace('_', "-"), shown(below))
    });
    assert_eq!(rows("| crate"), crates.collect::<Vec<_>>());
    let modules = MODULES.iter().map(|(name, crates, modules)| {
        let all = modules.len() + 1 == MODULES.len();
        ((*name).to_owned(), if all { "all".to_owned() } else { shown(&[*crates, *modules].concat()) })
    });
    assert_eq!(rows("| module"), modules.collect::<Vec<_>>());
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
    for declared in ["struct ", "enum ", "type ", "trait "] {
        for (at, _) in code.match_indices(declared) {
            let name = word(&code[at + declared.len()..]);
            if !is_word(code[..at].chars().next_back()) && EMPTY_TYPES.contains(&name) {
                fault(at, format!("`{name}` does not say which one: name it for what it is of"));
            }
        }
    }
    for name in module_names(path, &code) {
        if EMPTY_NAMES.contains(&name.1.as_str()) {
            fault(name.0, format!("`{}` says nothing of what is inside", name.1));
        }
    }
    if path.starts_with("src/") || CRATES.iter().any(|(_, folder, _)| path.starts_with(folder)) {
        let code = without_tests(&code);
        check_paths(path, &code, &mut fault);
        check_confined(path, &code, &mut fault);
        check_programs(path, &code, text, &mut fault);
        check_doors(path, text, &code, &mut fault);
        check_vendors(path, text, &mut fault);
        check_columns(path, text, &code, &mut fault);
        for (line, value) in commands::by_hand(text) {
            faults.push(format!(
                "{path}:{line}: `{value}` in a command: make it with `shell::typed`, which quotes it"
            ));
        }
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

/// The `crate::` and `doppio_…` paths against the tables.
fn check_paths(path: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    for (at, _) in code.match_indices("super::super") {
        fault(at, "`super::super`: write the path from `crate`".to_owned());
    }
    let own = CRATES.iter().find(|(_, folder, _)| path.starts_with(folder));
    let module = path.strip_prefix("src/").map(|rest| rest.split(['/', '.']).next().unwrap_or(rest));
    let row = module.and_then(|module| MODULES.iter().find(|(name, ..)| *name == module));
    let crates = match (own, row) {
        (Some((_, _, below)), _) | (_, Some((_, below, _))) => *below,
        // `main.rs` and `lib.rs`.
        (None, None) => return,
    };
    for (at, named, item) in paths(code, fault) {
        let whole = format!("{named}::{item}");
        let (who, allowed, is_own) = match own {
            Some((name, ..)) => (*name, crates, named == "crate"),
            None => match (row, named) {
                (Some((name, _, modules)), "crate") => (*name, *modules, item == *name),
                (Some((name, ..)), _) => (*name, crates, false),
                (None, _) => continue,
            },
        };
        let is_listed = allowed
            .iter()
            .any(|name| *name == named || *name == whole || (named == "crate" && *name == item));
        if !is_own && !is_listed {
            let whole = whole.strip_prefix("crate::").unwrap_or(&whole);
            fault(at, format!("`{who}` may not name `{whole}`; it may name: {}", allowed.join(", ")));
        }
    }
}

/// Every `crate::` or `doppio_…::` path: its place, its first part, and the part after that.
fn paths<'a>(code: &'a str, fault: &mut dyn FnMut(usize, String)) -> Vec<(usize, &'a str, &'a str)> {
    let mut found = Vec::new();
    for start in ["crate", "doppio_"] {
        for (at, _) in code.match_indices(start) {
            let named = word(&code[at..]);
            let before = code[..at].chars().next_back();
            if is_word(before) || before == Some('$') || (start == "crate" && named != "crate") {
                continue;
            }
            let Some(rest) = code[at + named.len()..].strip_prefix("::") else {
                if start == "crate" && before != Some('(') {
                    fault(at, "`crate` without a path".to_owned());
                }
                continue;
            };
            let item = word(rest);
            if item.is_empty() && start == "crate" {
                fault(at, "a group of `crate` paths: one path a line".to_owned());
                continue;
            }
            found.push((at, named, item));
        }
    }
    found
}

/// Foreign crates outside of their place.
fn check_confined(path: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    for (name, places) in CONFINED {
        if places.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for (at, _) in code.match_indices(name) {
            let whole = word(&code[at..]);
            let has_own =
                [format!("mod {whole};"), format!("::{whole};")].iter().any(|own| code.contains(own));
            let before = code[..at].trim_end();
            let after = &code[at + name.len()..];
            let rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start();
            let inner = is_word(code[..at].chars().next_back());
            let rooted = before.ends_with("::") && !is_word(before[..before.len() - 2].chars().next_back());
            let first = !before.ends_with("::") && !before.ends_with('.') && !has_own;
            let used = rest.starts_with("::") || before.ends_with("use") || before.ends_with("use ::");
            if !inner && used && (rooted || first) {
                fault(at, format!("`{name}` is named in `{}` only", places.join("`, `")));
            }
        }
    }
}

/// Programs that are started elsewhere than in their one place, or git by another way than its own.
fn check_programs(path: &str, code: &str, text: &str, fault: &mut dyn FnMut(usize, String)) {
    if path.starts_with(PROGRAMS) {
        return;
    }
    for (at, found) in code.match_indices("process::") {
        let rest = code[at + found.len()..].trim_start();
        let group = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap_or(rest));
        let is_named = word(rest).starts_with("Command")
            || rest.starts_with('*')
            || group.is_some_and(|names| names.contains("Command") || names.contains('*'));
        if is_named {
            fault(
                at,
                format!("`process::Command` is named in `{PROGRAMS}` only: use `doppio_process::Program`"),
            );
        }
    }
    for (at, found) in code.match_indices("process as ") {
        if !is_word(code[..at].chars().next_back()) && word(&code[at + found.len()..]) != "_" {
            fault(at, "`process` under another name".to_owned());
        }
    }
    for (at, found) in code.match_indices("Program::new(") {
        if text[at + found.len()..].starts_with("\"git\"") {
            fault(at, "git is asked by `doppio_process::Repository` only".to_owned());
        }
    }
}

/// Code that has one place, and stands in another. Escapes stand in literals, which are no code: they
/// are looked for in the text before its tests.
fn check_doors(path: &str, text: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    let before_tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    for (what, places, why) in DOORS {
        if places.iter().any(|place| path.starts_with(place)) || path.ends_with("tests.rs") {
            continue;
        }
        let searched = if what.starts_with('\\') { &text[..before_tests] } else { code };
        for (at, _) in searched.match_indices(what) {
            // `without_stdout()` of a program has another meaning.
            if !is_word(searched[..at].chars().next_back()) {
                fault(at, format!("`{what}`: {why}"));
            }
        }
    }
}

/// Literals that are the variable of a vendor's secret, and the beginnings of tokens in literals and in
/// expressions.
fn check_vendors(path: &str, text: &str, fault: &mut dyn FnMut(usize, String)) {
    if path.ends_with("tests.rs") || OF_VENDORS.iter().any(|place| path.starts_with(place)) {
        return;
    }
    let text = &text[..text.find("#[cfg(test)]").unwrap_or(text.len())];
    let keys = vendor::providers().into_iter().flat_map(vendor::Vendor::keys);
    for what in keys.flat_map(|key| key.read.iter().copied()).chain(vendor::prefixes()) {
        for (at, _) in text.match_indices(what) {
            let is_begun = text[..at].ends_with(['"', '(', '|']);
            if is_begun && text[at + what.len()..].starts_with(['"', ')', '|', '[']) {
                fault(at, format!("`{what}` stands in the row of its vendor only"));
            }
        }
    }
}

/// Columns that are laid out elsewhere than in their one place. Padding stands in literals.
fn check_columns(path: &str, text: &str, code: &str, fault: &mut dyn FnMut(usize, String)) {
    if path == TABLES
        || path.ends_with("tests.rs")
        || !["src/ui/", "src/cli/"].iter().any(|of| path.starts_with(of))
    {
        return;
    }
    let padding = Regex::new(r"\{\w*:(.?[<>^])?(?:[1-9]\d*|\w+\$)[^}]*\}").expect("it is a pattern");
    let before_tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    for found in padding.find_iter(&text[..before_tests]) {
        fault(found.start(), format!("`{}`: columns are padded by `ui::table` only", found.as_str()));
    }
    for (at, _) in code.match_indices("chars().count()") {
        fault(at, "the width of a text is measured by `ui::table` only".to_owned());
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

/// Variables that Doppio reads from its environment or sets for what it starts, and that programs
/// may get: none of them opens the vault.
const HANDED_ON: &[&str] = &[
    "DOPPIO_GIT_PASSWORD",
    "DOPPIO_GIT_USERNAME",
    "DOPPIO_HOME",
    "DOPPIO_KEYRING",
    "DOPPIO_KNOWN_HOSTS",
    "DOPPIO_PING_",
    "DOPPIO_PROFILE",
    "DOPPIO_SANDBOX",
    "DOPPIO_SECRET_",
    "DOPPIO_VALUE_",
];

#[test]
fn every_variable_of_our_own_is_handed_on_or_not() {
    let mut found = BTreeSet::new();
    for folder in ["src", "crates"] {
        walk(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(folder), &mut |_, text| {
            for (at, start) in text.match_indices("DOPPIO_") {
                let name = text[at..].split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next();
                found.extend(name.filter(|name| name.len() > start.len()).map(str::to_owned));
            }
        });
    }
    let known: BTreeSet<String> =
        HANDED_ON.iter().chain(&doppio_process::OWN).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, known, "a new variable goes to `HANDED_ON` here, or to `OWN` of crates/process");
}

#[test]
fn each_rule_catches_its_planted_fault() {
    let long = "\n".repeat(TOO_LONG);
    for (path, text, message) in [
        ("src/journal/a.rs", "use doppio_hosts::Host;", "`journal` may not name `doppio_hosts::Host`"),
        ("src/journal/a.rs", "fn f() { crate::ui::x() }", "`journal` may not name `ui`"),
        ("src/sources.rs", "type T = Vec<crate::event::Event>;", "`sources` may not name `event`"),
        ("src/event/a.rs", "use doppio_secrets::Vault;", "`event` may not name `doppio_secrets::Vault`"),
        (
            "crates/text/src/a.rs",
            "use doppio_secrets::Mask;",
            "`doppio_text` may not name `doppio_secrets::Mask`",
        ),
        ("crates/secrets/src/a.rs", "fn f(h: &doppio_hosts::Host) {}", "may not name `doppio_hosts::Host`"),
        ("src/ui/a.rs", "use crate::{event, text};", "a group of `crate` paths"),
        ("src/ui/a.rs", "pub(super) enum Form {}", "`Form` does not say which one"),
        ("src/cli/a.rs", "use crate as doppio;", "`crate` without a path"),
        ("crates/hosts/src/ssh/a.rs", "use super::super::Pool;", "`super::super`"),
        ("crates/hosts/src/pool.rs", "use russh::client;", "`russh` is named in"),
        ("crates/hosts/src/pool.rs", "fn f(k: ::russh::keys::K) {}", "`russh` is named in"),
        ("crates/hosts/src/pool.rs", "fn f() { russh_sftp::x() }", "`russh` is named in"),
        ("src/ui/tree.rs", "use indicatif::ProgressBar;", "`indicatif` is named in"),
        ("src/recipe/a.rs", "use annotate_snippets::Level;", "`annotate_snippets` is named in"),
        ("crates/secrets/src/source/mod.rs", "mod keyring; use ::keyring::Entry;", "`keyring` is named in"),
        ("src/cli/doctor.rs", "let e = keyring::Entry::new();", "`keyring` is named in"),
        ("src/step/a.rs", "use minijinja::Environment;", "`minijinja` is named in"),
        ("src/recipe/a.rs", "use toml::de::DeTable;", "`toml` is named in"),
        ("src/cli/a.rs", "let t: Table = toml::from_str(text)?;", "`toml` is named in"),
        ("src/config/a.rs", "toml_edit::ImDocument::parse(text)", "`toml` is named in"),
        ("src/cli/a.rs", "use unicode_width::UnicodeWidthStr;", "`unicode_width` is named in"),
        ("src/cli/a.rs", "format!(\"{name:width$}  {}\", a)", "`{name:width$}`: columns are padded"),
        ("src/cli/a.rs", "format!(\"{:<14} {}\", a, b)", "`{:<14}`: columns are padded"),
        ("src/ui/a.rs", "format!(\"{clock:>6}\")", "`{clock:>6}`: columns are padded"),
        ("src/ui/a.rs", "let width = name.chars().count();", "the width of a text is measured"),
        ("src/cli/a.rs", "use std::process::Command;", "`process::Command` is named in"),
        ("crates/stores/src/a.rs", "let c = tokio::process::Command::new(\"x\");", "is named in"),
        ("crates/hosts/src/a.rs", "use std::process::{Child, Command};", "`process::Command` is named in"),
        ("crates/hosts/src/a.rs", "use std::os::unix::process::CommandExt;", "is named in"),
        ("src/step/a.rs", "use std::process as other;", "`process` under another name"),
        ("crates/secrets/src/a.rs", "Program::new(\"git\").arg(\"status\")", "git is asked by"),
        ("crates/hosts/src/a.rs", "fn f(c: char) { c.is_control() }", "`is_control`: what is fit"),
        ("src/cli/a.rs", "fn f(c: char) { c.escape_default() }", "`escape_de`: names are made"),
        ("crates/secrets/src/mask/a.rs", "match byte { 0x1b => 1 }", "`0x1b`: escape sequences are read"),
        ("src/ui/a.rs", "let a = \"\\x1b[1m\";", "`\\x1b`: escape sequences are read"),
        ("src/ui/a.rs", "match c { '\\u{1b}' => 1 }", "`\\u{1b}`: escape sequences are read"),
        ("crates/stores/src/a.rs", "let c = reqwest::Client::new();", "`reqwest::Client::`: clients of HTTP"),
        ("crates/stores/src/a.rs", "use reqwest::Client;", "`use reqwest::Client`: write"),
        ("crates/stores/src/a.rs", "let b = reqwest::ClientBuilder::new();", "`ClientBuilder::new`: clients"),
        ("crates/stores/src/aws/a.rs", "Certificate::from_pem_bundle(&p)", "`from_pem_bundle`: certificates"),
        ("crates/stores/src/gcp/a.rs", "answer.chunk().await", "`chunk()`: answers are read"),
        ("crates/stores/src/vault/a.rs", "use hyper_util::rt::TokioExecutor;", "`hyper` is named in"),
        ("src/cli/a.rs", "std::io::stdout().write(b)", "`stdout()`: people are told"),
        ("src/cli/a.rs", "std::io::stderr().write(b)", "`stderr()`: people are told"),
        ("crates/secrets/src/vendor/a.rs", "serde_saphyr::from_str(text)", "`serde_saphyr::`: YAML is read"),
        ("crates/stores/src/a.rs", "toml::from_str(text)", "`toml::from_`: TOML of others"),
        ("crates/secrets/src/source/a.rs", "EnvLoader::new()", "`EnvLoader`: dotenv is read"),
        ("crates/secrets/src/vendor/a.rs", "Ini::parse(text)", "`Ini::parse`: INI is read"),
        (
            "crates/secrets/src/vendor/a.rs",
            "serde_json::from_slice(b)",
            "`serde_json::from_`: JSON of others",
        ),
        ("crates/hosts/src/a.rs", "env.get(\"HF_TOKEN\")", "`HF_TOKEN` stands in the row"),
        ("src/cli/a.rs", "text.starts_with(\"sk-ant-\")", "`sk-ant-` stands in the row"),
        ("crates/secrets/src/a.rs", "Regex::new(r\"(pcsk_|hf_)[a-z]+\")", "`hf_` stands in the row"),
        ("src/step/a.rs", "sent.push((name, Carrier::File))", "`Carrier::`: how a secret went"),
        ("src/cli/a.rs", "Use { action: AuditAction::Deliver }", "`AuditAction::Deliver`: what was"),
        ("src/event/a.rs", "struct Sent { secret: Masked, carrier: String }", "`carrier: String`: what was"),
        ("tests/it/a.rs", "#[allow(dead_code)]", "`allow`"),
        ("src/lib.rs", "#![allow(missing_docs)]", "`allow`"),
        ("crates/hosts/src/util.rs", "", "`util` says nothing"),
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
        ("src/event/a.rs", "use doppio_secrets::Masked; use crate::event::Sink;"),
        ("crates/text/src/a.rs", "// doppio_hosts::Host\nconst A: &str = \"doppio_hosts::Host\";"),
        ("crates/text/src/a.rs", "#[cfg(test)]\nmod tests { use doppio_hosts::Host; }"),
        ("crates/secrets/src/a.rs", "use crate::mask::Mask; use doppio_text::Span;"),
        ("src/plan/a.rs", "pub(crate) fn f() {} pub(in crate::plan) fn g() {}"),
        ("crates/hosts/src/ssh/a.rs", "use russh::client;"),
        ("crates/secrets/src/source/mod.rs", "mod keyring; static A: K = keyring::KIND;"),
        ("crates/secrets/src/source/keyring.rs", "use ::keyring::Entry;"),
        ("crates/secrets/src/ladder.rs", "let a = source::keyring::KIND; let keyring = 1;"),
        ("src/main.rs", "use doppio::cli;"),
        ("src/cli/a.rs", "let help = \"write `HF_TOKEN=hf_…`\"; const STEP: &str = \"hf_download\";"),
        ("crates/text/src/lib.rs", "mod toml_reader; pub use toml_reader::TomlReader;"),
        ("crates/secrets/src/format/whole.rs", "use crate::format::toml; let a = toml::entries(text);"),
        ("src/config/a.rs", "self.toml.table(what, value); let b = Reader { toml: reader };"),
        ("src/ui/a.rs", "format!(\"{seconds:02} {x:.1} {name:?} {name}\")"),
        ("crates/process/src/a.rs", "use std::process::Command; Program::new(\"git\");"),
        ("src/cli/a.rs", "use std::process::Child; use doppio_process::Program; Program::new(\"ssh\");"),
        ("crates/hosts/src/a.rs", "#[cfg(test)]\nmod tests { use std::process::Command; }"),
    ] {
        let faults = check(path, text);
        assert!(faults.is_empty(), "{path}: {text}: {faults:?}");
    }
}
