//! Which secrets and credentials a recipe's text names. Read from the text alone, so that
//! a recipe with faults or unset variables can be asked too.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_text::Toml;
use doppio_text::TomlTable;
use doppio_text::shell::typed;

use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::linked;
use crate::cli::load;
use crate::cli::output;
use crate::step::Reader;

/// The references of some recipes, and the recipes that name each.
pub(super) type Needs = BTreeMap<SecretRef, Vec<PathBuf>>;

/// The providers that some recipes name in `credentials`, and the recipes that name each.
pub(super) type Credentials = BTreeMap<String, Vec<PathBuf>>;

/// The recipes of a folder: its TOML files with a `[recipe]` table or a step. One that is not TOML
/// may be a recipe, and is reported.
pub(super) fn recipes_in(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unreadable = || format!("cannot read `{}`", folder.display());
    let mut recipes = Vec::new();
    for entry in fs::read_dir(folder).or_world(unreadable())? {
        let path = entry.or_world(unreadable())?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            let is_recipe =
                |table: &TomlTable<'_>| ["recipe", "step"].iter().any(|key| table.contains_key(*key));
            let is_longer = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > load::LONGEST);
            match read(&path, is_recipe) {
                Ok(true) => recipes.push(path),
                Ok(false) => {}
                Err(error) if !error.faults.is_empty() => {
                    output::line(&format!("note: `{}` is not TOML, and was skipped", path.display()));
                }
                Err(_) if is_longer => {
                    output::line(&format!(
                        "note: `{}` is too long for a recipe, and was skipped",
                        path.display()
                    ));
                }
                Err(error) => return Err(error),
            }
        }
    }
    recipes.sort();
    Ok(recipes)
}

/// Adds what one recipe names.
pub(super) fn collect(path: &Path, needs: &mut Needs) -> Result<(), CliError> {
    let found = read(path, |table| {
        let mut found = Vec::new();
        for value in table.values() {
            strings(value.get_ref(), &mut |text| references(text, &mut found));
        }
        found
    })?;
    if found.iter().any(|reference: &SecretRef| looks_like_value(&reference.label())) {
        let path = path.display().to_string();
        return Err(CliError::usage(format!(
            "`{path}` has what looks like a value where a reference belongs"
        ))
        .hint(typed(["doppio", "check", &path])));
    }
    add(needs, found, path);
    Ok(())
}

/// A reference of a recipe for a command of the user's own: the recipe's default is for its own steps, and
/// such a command's variable is left unset instead.
pub(super) fn without_default(reference: SecretRef) -> SecretRef {
    SecretRef { default: reference.default.map(|_| "?".to_owned()), ..reference }
}

/// Adds the providers that one recipe names: in its defaults and at its steps.
pub(super) fn collect_credentials(path: &Path, credentials: &mut Credentials) -> Result<(), CliError> {
    let found = read(path, |table| {
        let defaults = table.get("defaults").and_then(|value| value.get_ref().as_table());
        let steps = table.get("step").and_then(|value| value.get_ref().as_array()).into_iter().flatten();
        let tables = defaults.into_iter().chain(steps.filter_map(|step| step.get_ref().as_table()));
        let mut found = Vec::new();
        for named in tables.filter_map(|table| table.get("credentials")) {
            strings(named.get_ref(), &mut |text| found.push(text.to_owned()));
        }
        found
    })?;
    add(credentials, found, path);
    Ok(())
}

/// What `take` takes out of a recipe's table.
fn read<T>(path: &Path, take: impl FnOnce(&TomlTable<'_>) -> T) -> Result<T, CliError> {
    let source = load::read(path).map_err(|error| {
        if error.faults.is_empty() { CliError { kind: Kind::World, ..error } } else { error }
    })?;
    let mut reader = Reader::new(&source);
    let taken = take(&reader.document());
    // The first alone: others may be its echo, and who wants them all asks `check`.
    let fault = reader.into_faults().into_iter().next();
    fault.map_or(Ok(taken), |fault| Err(linked::faults(path, source, vec![fault])))
}

fn add<N: Ord>(needs: &mut BTreeMap<N, Vec<PathBuf>>, found: Vec<N>, path: &Path) {
    for name in found {
        let users = needs.entry(name).or_default();
        if users.last().is_none_or(|last| last != path) {
            users.push(path.to_owned());
        }
    }
}

fn strings(value: &Toml<'_>, each: &mut impl FnMut(&str)) {
    match value {
        Toml::String(text) => each(text),
        Toml::Array(items) => items.iter().for_each(|item| strings(item.get_ref(), each)),
        Toml::Table(table) => table.values().for_each(|value| strings(value.get_ref(), each)),
        _ => {}
    }
}

/// The references of one string. `$${` is a literal `${`. What can't be read is for `doppio check`
/// to report.
fn references(text: &str, found: &mut Vec<SecretRef>) {
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let is_escaped = rest[..at].ends_with('$');
        rest = &rest[at + 2..];
        if is_escaped {
            continue;
        }
        if let Some(reference) = rest.strip_prefix("secret:")
            && let Some(end) = reference.find('}')
            && let Ok(reference) = reference[..end].parse()
        {
            found.push(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_escapes_are_not() {
        let mut found = Vec::new();
        references("a ${secret:a/b} ${x} $${secret:no} ${secret:env:X#k?d} ${secret:", &mut found);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["a/b", "env:X#k?d"]);
    }
}
