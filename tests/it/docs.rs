//! What the documentation says is so: its recipes are right, its commands and files are there.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::support::doppio::Doppio;

/// A block between fences: its language and its text.
struct Block {
    place: String,
    language: String,
    text: String,
}

#[test]
fn recipes_are_right() {
    let recipes = files_in("recipes", "toml");
    assert!(recipes.len() >= 4, "{recipes:?}");
    for path in recipes {
        Doppio::new().run(["check".as_ref(), path.as_os_str()]).expect(0);
    }
}

#[test]
fn recipes_in_the_text_are_right() {
    let mut checked = 0;
    for block in blocks().iter().filter(|block| block.language == "toml" && block.text.contains("[recipe]")) {
        let world = Doppio::new();
        let recipe = world.file("recipe.toml", &block.text);
        let ran = world.run(["check".as_ref(), recipe.as_os_str()]);
        assert_eq!(ran.code, 0, "{}: {}", block.place, ran.stderr);
        checked += 1;
    }
    assert!(checked >= 2, "only {checked} whole recipes were found");
}

#[test]
fn commands_in_the_text_exist() {
    let root = doppio::cli::command();
    let mut checked = 0;
    for block in blocks().iter().filter(|block| block.language == "sh") {
        for line in block.text.lines().filter_map(|line| line.trim().strip_prefix("doppio ")) {
            let place = format!("{}: doppio {line}", block.place);
            let line = line.split(" #").next().unwrap_or(line);
            let mut command = &root;
            for word in line.split_whitespace().take_while(|word| *word != "--" && *word != "|") {
                if let Some(flag) = word.strip_prefix("--") {
                    let flag = flag.split('=').next().unwrap_or(flag);
                    let known = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                    assert!(known || flag == "help", "{place}: there is no `--{flag}`");
                } else if command.has_subcommands() {
                    command = command.find_subcommand(word).unwrap_or_else(|| panic!("{place}: no `{word}`"));
                }
            }
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} commands were found");
}

#[test]
fn files_that_the_text_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).expect("pages are UTF-8");
        for link in text.split("](").skip(1).chain(text.split("src=\"").skip(1)) {
            let link = link.split([')', '"', '#']).next().expect("a split has a first part");
            if link.is_empty() || link.starts_with("https://") || link.starts_with("mailto:") {
                continue;
            }
            let target = path.parent().unwrap_or(root).join(link);
            assert!(target.exists(), "{}: there is no {link}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 5, "only {checked} links were found");
}

/// README.md, CONTRIBUTING.md and all below docs/ and benches/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("CHANGELOG.md")];
    pages.extend(files_in("docs", "md"));
    pages.extend(files_in("benches", "md"));
    pages
}

fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be read").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for path in pages() {
        let text = fs::read_to_string(&path).expect("pages are UTF-8");
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            match (&mut open, line.trim().strip_prefix("```")) {
                (Some(block), None) => block.text.extend([line, "\n"]),
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(language)) => {
                    let place = format!("{}:{}", path.display(), number + 1);
                    open = Some(Block { place, language: language.to_owned(), text: String::new() });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", path.display());
    }
    blocks
}
