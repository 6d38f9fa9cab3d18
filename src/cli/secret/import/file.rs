//! A file's values as items of a transfer.

use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use doppio_secrets::Fitness;
use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::format::Document;
use doppio_secrets::format::Entry;
use doppio_secrets::format::Format;
use doppio_secrets::format::NotSecrets;
use doppio_secrets::is_open_template;
use doppio_secrets::looks_like_value;
use doppio_secrets::naming;
use doppio_secrets::source::Remark;
use doppio_secrets::vendor;
use doppio_secrets::vendor::ToolFile;
use doppio_secrets::vendor::ToolSecret;
use doppio_text::shell;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::secret::import::Names;
use crate::cli::secret::input;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Stays;

/// What a file holds.
pub(super) struct Contents {
    /// Its values.
    pub(super) items: Vec<Item>,
    /// All that was read, as it is in the file.
    pub(super) text: SecretValue,
    /// What else is in it, so that it is not a file of secrets alone and is not removed.
    pub(super) besides: Option<String>,
}

/// Reads the file and gives each value its name; the text comes with them.
pub(super) fn contents(path: &Path, format: Option<Format>, names: &Names) -> Result<Contents, CliError> {
    let shown = path.display();
    let text = File::open(path).and_then(input::read).or_world(format!("cannot read `{shown}`"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (plain, was) = format::decoded(&text);
    if let Some(was) = was {
        output::line(&format!("note: `{shown}` {}", was.describe()));
    }
    let tool = if format.is_none() { vendor::tool_file(&name, &plain) } else { None };
    let (items, besides) = match tool {
        Some(tool) => of_tool(path, tool, names)?,
        None => of_format(path, &name, format, &plain, names)?,
    };
    Ok(Contents { items, text, besides })
}

/// The secrets of a file of a vendor's tools.
fn of_tool(path: &Path, tool: ToolFile, names: &Names) -> Result<(Vec<Item>, Option<String>), CliError> {
    let shown = path.display();
    if let Some(instead) = &tool.instead {
        return Err(CliError::usage(format!("`{shown}` is {}, and not a file of secrets alone", tool.what))
            .hint(format!("where its tools keep it, it is imported by `{instead}`"))
            .hint(format!("as one secret: `doppio secret set NAME --from-file {}`", shell_path(path))));
    }
    output::line(&format!("note: `{shown}` is {}", tool.what));
    unused(names, &shown, |key| tool.secrets.iter().any(|secret| secret.key == key))?;
    let besides = (!tool.is_whole).then(|| format!("it is {}, which its own tools read", tool.what));
    Ok((tool.secrets.into_iter().map(|secret| of_secret(secret, names)).collect(), besides))
}

fn of_secret(secret: ToolSecret, names: &Names) -> Item {
    let ToolSecret { key, name, value, .. } = secret;
    let name = names.renamed(&key).cloned().or_else(|| name?.parse().ok());
    if let Some(name) = name {
        return transfer::item(&name, key, value, Remark::default());
    }
    let why = Stays::Refused(format!("nothing says what it is for: use `--map {key}=NAME`"));
    transfer::without_value(None, key, why)
}

/// The values of a file of this format.
fn of_format(
    path: &Path,
    name: &str,
    format: Option<Format>,
    text: &SecretValue,
    names: &Names,
) -> Result<(Vec<Item>, Option<String>), CliError> {
    let shown = path.display();
    #[expect(clippy::disallowed_methods, reason = "the file is a box of values, opened to take them out")]
    let (format, document) = text.reveal(|text| {
        let format = format.or_else(|| Format::of_name(name)).unwrap_or_else(|| Format::of_text(text));
        (format, format::document(format, text))
    });
    let malformed = |fault: &dyn Display| {
        CliError::usage(format!("`{shown}`, {fault}"))
            .hint("nothing was imported; name its format with `--format dotenv|json|yaml|toml|python`")
    };
    let Document { entries, code } = document.map_err(|fault| match fault {
        NotSecrets::Malformed(fault) => malformed(&fault),
        NotSecrets::Other { what, hint } => {
            CliError::usage(format!("`{shown}` {what}; nothing was imported"))
                .hint(hint.replace("FILE", &shell_path(path)))
        }
    })?;
    // Messages repeat names. A value that stands alone in a line before a `=` is none.
    if let Some(value) = entries.iter().find(|entry| looks_like_value(&entry.key))
        && format == Format::Dotenv
    {
        let line = value.line;
        return Err(malformed(&format!("line {line}: the text before the `=` is not a variable's name")));
    }
    if entries.is_empty() {
        return Err(CliError::usage(format!("there is no value in `{shown}`")));
    }
    unused(names, &shown, |key| entries.iter().any(|entry| entry.key == key))?;
    let besides = besides(&entries, code, names);
    Ok((entries.into_iter().map(|entry| item(entry, names)).collect(), besides))
}

/// What is in a file besides secrets: code, or a setting that nobody called a secret.
fn besides(entries: &[Entry], code: Option<usize>, names: &Names) -> Option<String> {
    if let Some(line) = code {
        return Some(format!("it holds code, too (line {line})"));
    }
    let is_setting = |entry: &&Entry| {
        names.renamed(&entry.key).is_none()
            && entry.value.as_ref().is_ok_and(|value| !naming::is_secret(&entry.key, value))
    };
    let setting = entries.iter().filter(|entry| !is_nothing(entry)).find(is_setting)?;
    Some(format!(
        "it holds settings, too: `{}` (line {}) does not look like a secret",
        setting.key, setting.line
    ))
}

/// Whether an entry has no value: it is empty, or only a placeholder.
fn is_nothing(entry: &Entry) -> bool {
    entry.value.as_ref().is_ok_and(|value| value.fitness() == Fitness::Empty || is_open_template(value))
}

fn unused(names: &Names, shown: &dyn Display, has: impl FnMut(&str) -> bool) -> Result<(), CliError> {
    match names.unused(has) {
        Some(key) => Err(CliError::usage(format!("`--map {key}=…`: `{shown}` has no `{key}`"))),
        None => Ok(()),
    }
}

/// A path as a shell takes it.
fn shell_path(path: &Path) -> String {
    shell::quote_path(&path.display().to_string())
}

fn item(entry: Entry, names: &Names) -> Item {
    let Entry { key, line, value } = entry;
    let from = format!("{key} (line {line})");
    let item = match (names.of(&key), value) {
        (Some(name), Ok(value)) => transfer::item(&name, from, value, Remark::default()),
        (name @ Some(_), Err(why)) if why == format::NULL => {
            transfer::without_value(name, from, Stays::Nothing(format!("the value {why}")))
        }
        (name @ Some(_), Err(why)) => {
            transfer::without_value(name, from, Stays::Refused(format!("the value {why}")))
        }
        (None, _) => {
            let why = Stays::Refused(format!("it can't be a name: use `--map {key}=NAME`"));
            transfer::without_value(None, from, why)
        }
    };
    Item { key, ..item }
}
