//! `credentials`: the providers whose credentials a step gets.

use doppio_secrets::Wanted;
use doppio_secrets::vendor;
use doppio_secrets::vendor::providers;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::TomlValue;

use crate::step::Reader;

/// Reads the list; none if it is not a list of strings. Unknown names are faults.
pub(super) fn read(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Option<Vec<(Wanted, Span)>> {
    let names = reader.strings("`credentials`", value)?;
    let mut all: Vec<(Wanted, Span)> = Vec::with_capacity(names.len());
    for name in names {
        match name.get_ref().parse::<Wanted>() {
            Ok(wanted) => match all.iter().find(|(known, _)| known.clashes_with(&wanted)) {
                Some((known, first)) => reader.fault(clash(&wanted, name.span(), known, first.clone())),
                None => all.push((wanted, name.span())),
            },
            Err(unknown) => reader.fault(fault(&unknown, name.get_ref(), name.span())),
        }
    }
    Some(all)
}

fn clash(wanted: &Wanted, span: Span, known: &Wanted, first: Span) -> Diagnostic {
    let message = format!("`{known}` and `{wanted}` set the same variables");
    let fault = Diagnostic::error("recipe::credentials-clash", message, span).other(first, "the other one");
    fault.help("a step can have only one of them: name the other in a separate step")
}

fn fault(unknown: &vendor::UnknownProvider, written: &str, span: Span) -> Diagnostic {
    let fault = Diagnostic::error("recipe::unknown-provider", unknown.to_string(), span.clone());
    match unknown {
        vendor::UnknownProvider::Which { provider, .. } => {
            fault.help("name the provider alone").edit(span, format!("\"{provider}\""))
        }
        vendor::UnknownProvider::Name { near: Some(near), .. } => {
            let which = written.split_once(':').map_or(String::new(), |(_, which)| format!(":{which}"));
            fault.help("a provider with a similar name exists").edit(span, format!("\"{near}{which}\""))
        }
        vendor::UnknownProvider::Name { near: None, .. } => {
            let names: Vec<&str> = providers().iter().map(|known| known.name).collect();
            fault.help(format!("the providers are: {}", names.join(", ")))
        }
    }
}
