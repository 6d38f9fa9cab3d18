//! Which file of a crate names which: every path in its code, led to the file that defines the item.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::support::rust_code::code_only;
use crate::support::rust_code::without_tests;

/// What stands before the name of an item.
const KEYWORDS: &[&str] = &["fn", "struct", "enum", "trait", "type", "const", "static", "union"];

/// One file of a crate, tests left out.
#[derive(Default)]
struct File {
    /// The file that declares it; `None` for the crate's root.
    parent: Option<String>,
    /// The files of the modules that it declares, by their names.
    children: BTreeMap<String, String>,
    /// What it defines, outside of other items.
    items: BTreeSet<String>,
    /// The names that its `use` lines bind, and the paths that these stand for.
    bound: BTreeMap<String, Vec<String>>,
    /// The paths that it names, `use` lines left out.
    inline: Vec<Vec<String>>,
    /// It only declares modules and hands names on.
    is_face: bool,
}

/// The files of one crate, by their paths.
pub(crate) struct Arrows {
    root: String,
    files: BTreeMap<String, File>,
}

impl Arrows {
    /// Reads the crate whose root is the file `root`; `text_of` has the text of a path. A file that
    /// only tests declare is no part of it.
    pub(crate) fn read(root: &str, text_of: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut files = BTreeMap::new();
        let mut waiting = vec![(root.to_owned(), None)];
        while let Some((path, parent)) = waiting.pop() {
            let text = text_of(&path).unwrap_or_else(|| panic!("{path} is declared and not there"));
            let mut file = File { parent, is_face: true, ..File::default() };
            file.note(&path, &tokens(&without_tests(&code_only(&text))), text_of);
            waiting.extend(file.children.values().map(|child| (child.clone(), Some(path.clone()))));
            files.insert(path, file);
        }
        Self { root: root.to_owned(), files }
    }

    /// Every pair of files of which the first names items of the second, with these items.
    pub(crate) fn all(&self) -> BTreeMap<(&str, &str), BTreeSet<String>> {
        let mut arrows: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        for (from, file) in self.files.iter().filter(|(_, file)| !file.is_face) {
            for path in file.bound.values().chain(&file.inline) {
                if let Some((to, item)) = self.lead(from, path)
                    && to != from
                {
                    arrows.entry((from, to)).or_default().insert(item);
                }
            }
        }
        arrows
    }

    /// The file that defines what `path` names in the file `from`, and the item. `None` for what is
    /// another crate's or the language's, and for a module.
    fn lead<'a>(&'a self, from: &'a str, path: &[String]) -> Option<(&'a str, String)> {
        let mut at = from;
        for (index, name) in path.iter().enumerate() {
            let file = &self.files[at];
            let is_last = index + 1 == path.len();
            match name.as_str() {
                "crate" => at = &self.root,
                "self" => {}
                "super" => at = file.parent.as_deref().unwrap_or(at),
                _ if is_last && file.items.contains(name) => return Some((at, name.clone())),
                _ if file.children.contains_key(name) => at = &file.children[name],
                _ => match file.bound.get(name) {
                    // Bound to itself: another crate's.
                    Some(whole) if index == 0 && whole[0] == *name => return None,
                    Some(whole) => {
                        let rest = &path[index + 1..];
                        return self.lead(at, &whole.iter().chain(rest).cloned().collect::<Vec<_>>());
                    }
                    None if index == 0 && !file.items.contains(name) => return None,
                    // An item whose members the path goes on with, or one that a macro makes.
                    None => return Some((at, name.clone())),
                },
            }
        }
        None
    }
}

impl File {
    /// Takes down what the tokens of the file `path` declare, define and name.
    fn note(&mut self, path: &str, tokens: &[&str], text_of: &dyn Fn(&str) -> Option<String>) {
        let mut at = 0;
        let mut depth = 0_usize;
        while at < tokens.len() {
            let rest = &tokens[at..];
            let before = if at == 0 { "" } else { tokens[at - 1] };
            at += match rest {
                ["mod", name, ";", ..] => {
                    self.children.insert((*name).to_owned(), file_of(path, name, text_of));
                    3
                }
                ["use", next, ..] if *next != "<" => {
                    let length = rest.iter().position(|token| *token == ";").unwrap_or(rest.len());
                    self.note_use(&rest[1..length], &[]);
                    length + 1
                }
                ["#", "!", ..] => 2 + closed(&rest[2..]),
                ["#", ..] => 1 + closed(&rest[1..]),
                ["pub", "(", ..] => 1 + closed(&rest[1..]),
                ["pub", ..] => 1,
                [first, "::", ..] if is_name(first) && !["::", ".", "$"].contains(&before) => {
                    let parts = rest.chunks(2).take_while(|pair| is_name(pair[0]));
                    let more = parts.clone().take_while(|pair| pair.get(1) == Some(&"::")).count();
                    let whole: Vec<String> = parts.take(more + 1).map(|pair| pair[0].to_owned()).collect();
                    let length = 2 * whole.len() - 1;
                    self.inline.push(whole);
                    self.is_face = false;
                    length
                }
                [first, ..] => {
                    if depth == 0 && KEYWORDS.contains(&before) {
                        self.items.insert((*first).to_owned());
                    }
                    depth += usize::from(*first == "{");
                    depth -= usize::from(*first == "}");
                    self.is_face = false;
                    1
                }
                [] => 1,
            };
        }
    }

    /// Takes down what a `use` binds; `within` stands before each of its paths.
    fn note_use(&mut self, tokens: &[&str], within: &[String]) {
        let mut path = within.to_vec();
        let mut at = 0;
        while at < tokens.len() {
            match tokens[at] {
                "::" => {}
                "{" => {
                    let inner = &tokens[at + 1..at + closed(&tokens[at..]) - 1];
                    inner.split(|token| *token == ",").for_each(|one| self.note_use(one, &path));
                    return;
                }
                "as" => break,
                name => path.push(name.to_owned()),
            }
            at += 1;
        }
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let name = tokens.get(at + 1).map(|name| (*name).to_owned()).or_else(|| path.last().cloned());
        if let Some(name) = name {
            self.bound.insert(name, path);
        }
    }
}

/// The file of the module `name` that the file `path` declares.
fn file_of(path: &str, name: &str, text_of: &dyn Fn(&str) -> Option<String>) -> String {
    let (folder, own) = path.rsplit_once('/').expect("sources stand in a folder");
    let folder = match own {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", own.trim_end_matches(".rs")),
    };
    let file = format!("{folder}/{name}.rs");
    if text_of(&file).is_some() { file } else { format!("{folder}/{name}/mod.rs") }
}

/// How many tokens the bracket that `tokens` begin with holds, it and its end among them.
fn closed(tokens: &[&str]) -> usize {
    let mut depth = 0_usize;
    let end = tokens.iter().position(|token| {
        depth += usize::from(["(", "[", "{"].contains(token));
        depth -= usize::from([")", "]", "}"].contains(token));
        depth == 0
    });
    end.map_or(tokens.len(), |end| end + 1)
}

/// The names, the `::` and the other characters of `code`, blanks left out.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_of_name(first) => rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
