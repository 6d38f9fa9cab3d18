//! `forward`: ports of a step's host that are open here while the step, or what depends on it, runs.

use doppio_text::Diagnostic;
use doppio_text::Spanned;
use doppio_text::Toml;
use doppio_text::TomlValue;

use crate::step::Reader;
use crate::step::forwarded_port;

/// Reads a port, or a list: numbers, or `LOCAL:HOST:PORT`.
pub(super) fn read(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Vec<Spanned<String>> {
    let values: Vec<&TomlValue<'_>> = match value.get_ref() {
        Toml::Array(values) => values.iter().collect(),
        _ => vec![value],
    };
    let mut ports = Vec::with_capacity(values.len());
    for value in values {
        let Some(text) = reader.scalar("`forward`", value) else { continue };
        match forwarded_port(&text) {
            Ok(port) => ports.push(Spanned::new(value.span(), port)),
            Err(error) => {
                reader.fault(Diagnostic::error("recipe::not-a-port", error.to_string(), value.span()));
            }
        }
    }
    ports
}
