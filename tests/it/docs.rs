//! What the documentation says is so: its recipes are right, its commands and files are there.

mod manual;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use doppio_test_support::Doppio;

/// Marks a block that is a whole recipe.
const RECIPE: &str = "toml recipe";

/// Marks a block that is the rest of a step: one operation.
const STEP: &str = "toml step";

/// What stands before the text of such a block.
const STEP_HEAD: &str = "[recipe]\nname = \"example\"\n\n[[step]]\nid = \"example\"\n";

/// The members that the example of a group names.
const MEMBERS: &str = "[[step]]\nid = \"fetch\"\nlocal_command = { command = \"true\" }\n\
                       [[step]]\nid = \"build\"\nlocal_command = { command = \"true\" }\n";

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

// case F18
#[test]
fn the_other_spelling_of_a_secret_is_documented_and_used() {
    for page in ["docs/secrets.md", "docs/recipe.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("a page");
        assert!(text.contains("`$<secret:REF>`"), "{page}");
    }
    let uses = |path: &PathBuf| fs::read_to_string(path).expect("a recipe").contains("\"$<secret:");
    let recipe = files_in("recipes", "toml").into_iter().find(uses).expect("one recipe uses it");
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    let arguments = ["plan".as_ref(), recipe.as_os_str(), "--sandbox".as_ref(), "--json".as_ref()];
    assert!(doppio.run(arguments).expect(0).stdout.contains("\"secret\":\"wandb/api_key?offline\""));
}

#[test]
fn examples_in_the_text_are_right() {
    let mut checked = 0;
    for block in blocks() {
        let recipe = match block.language.as_str() {
            RECIPE => block.text,
            STEP if block.text.starts_with("group = ") => format!("{STEP_HEAD}{}{MEMBERS}", block.text),
            STEP => format!("{STEP_HEAD}{}", block.text),
            "toml" => {
                let is_recipe = block.text.contains("[[step]]");
                assert!(!is_recipe, "{}: mark it `{RECIPE}` or `{STEP}`", block.place);
                continue;
            }
            _ => continue,
        };
        let world = Doppio::new();
        let recipe = world.file("recipe.toml", &recipe);
        let ran = world.run(["check".as_ref(), "--deny".as_ref(), "warnings".as_ref(), recipe.as_os_str()]);
        assert_eq!(ran.code, 0, "{}: {}", block.place, ran.stderr);
        checked += 1;
    }
    assert!(checked >= 20, "only {checked} examples were found");
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
fn files_and_sections_that_the_text_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).expect("pages are UTF-8");
        for link in text.split("](").skip(1).chain(text.split("src=\"").skip(1)) {
            let link = link.split([')', '"']).next().expect("a split has a first part");
            if link.is_empty() || link.starts_with("https://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { path.clone() } else { path.parent().unwrap_or(root).join(file) };
            assert!(target.exists(), "{}: there is no {link}", path.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("pages are UTF-8");
                let is_there = text.lines().filter_map(heading).any(|found| anchor_of(found) == anchor);
                assert!(is_there, "{}: there is no section {link}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 40, "only {checked} links were found");
}

/// What stands between the two lines of docs/recipe.md is made of the step types' declarations;
/// `DOPPIO_ACCEPT_DOCS=1` makes it anew.
#[test]
fn operations_are_documented_as_they_are_declared() {
    const BEGIN: &str = "by `DOPPIO_ACCEPT_DOCS=1 cargo test --test it docs` -->\n";
    const END: &str = "<!-- end of what is made -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipe.md");
    let page = fs::read_to_string(&path).expect("pages are UTF-8");
    let begin = page.find(BEGIN).expect("the section begins") + BEGIN.len();
    let end = begin + page[begin..].find(END).expect("the section ends");
    let made = format!("\n{}\n", manual::manual());
    if std::env::var_os("DOPPIO_ACCEPT_DOCS").is_some() {
        fs::write(&path, format!("{}{made}{}", &page[..begin], &page[end..])).expect("docs can be written");
        return;
    }
    let differs = page[begin..end].lines().zip(made.lines()).find(|(is, should)| is != should);
    assert_eq!(differs, None, "run `DOPPIO_ACCEPT_DOCS=1 cargo test --test it docs`");
    assert_eq!(page[begin..end].lines().count(), made.lines().count());
}

/// README.md, CONTRIBUTING.md and all below docs/ and benches/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("CHANGELOG.md")];
    pages.extend(files_in("docs", "md"));
    pages.extend(files_in("docs/secrets", "md"));
    for folder in [
        "benches",
        "packaging",
        "crates/text",
        "crates/process",
        "crates/secrets",
        "crates/stores",
        "crates/hosts",
        "crates/http",
        "crates/rented",
    ] {
        pages.extend(files_in(folder, "md"));
    }
    pages
}

/// The words of a heading, if the line is one.
fn heading(line: &str) -> Option<&str> {
    line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))
}

/// What GitHub calls the section below a heading.
fn anchor_of(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
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
