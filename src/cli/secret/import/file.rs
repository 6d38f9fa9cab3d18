//! A file's values as items of a transfer.

use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::format::Entry;
use doppio_secrets::format::Format;
use doppio_secrets::looks_like_value;
use doppio_secrets::source::Remark;

use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::secret::import::Names;
use crate::cli::secret::input;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;

/// Reads the file and gives each value its name; the text comes with them.
pub(super) fn items(
    path: &Path,
    format: Option<Format>,
    names: &Names,
) -> Result<(Vec<Item>, SecretValue), CliError> {
    let shown = path.display();
    let text = File::open(path).and_then(input::read).or_world(format!("cannot read `{shown}`"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    #[expect(clippy::disallowed_methods, reason = "the file is a box of values, opened to take them out")]
    let (format, entries) = text.reveal(|text| {
        let format = format.or_else(|| Format::of_name(&name)).unwrap_or_else(|| Format::of_text(text));
        (format, format::read(format, text))
    });
    let malformed = |fault: &dyn Display| {
        CliError::usage(format!("`{shown}`, {fault}"))
            .hint("nothing was imported; name its format with `--format dotenv|json|yaml|toml`")
    };
    let entries = entries.map_err(|fault| malformed(&fault))?;
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
    if let Some(key) = names.unused(|key| entries.iter().any(|entry| entry.key == key)) {
        return Err(CliError::usage(format!("`--map {key}=…`: `{shown}` has no `{key}`")));
    }
    Ok((entries.into_iter().map(|entry| item(entry, names)).collect(), text))
}

fn item(entry: Entry, names: &Names) -> Item {
    let Entry { key, line, value } = entry;
    let from = format!("{key} (line {line})");
    match (names.of(&key), value) {
        (Some(name), Ok(value)) => transfer::item(&name, from, value, Remark::default()),
        (Some(name), Err(why)) => Item {
            path: name.to_string(),
            from,
            value: Err(format!("the value {why}")),
            remark: Remark::default(),
        },
        (None, _) => Item {
            path: "-".to_owned(),
            from,
            value: Err(format!("it can't be a name: use `--map {key}=NAME`")),
            remark: Remark::default(),
        },
    }
}
