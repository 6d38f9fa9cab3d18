//! `[VARIABLE=]REF` of command lines: which secret goes into which variable.

use std::collections::BTreeMap;

use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_secrets::naming;
use doppio_text::name::EnvName;

use crate::cli::error::CliError;
use crate::cli::secret::arguments;

/// The variable that a secret is usually in.
pub(in crate::cli::secret) fn usual_variable(reference: &SecretRef) -> Result<EnvName, CliError> {
    given_variable(naming::variable_of(reference), reference)
}

/// The variable that was found for a secret.
pub(in crate::cli::secret) fn given_variable(
    variable: Option<EnvName>,
    reference: &SecretRef,
) -> Result<EnvName, CliError> {
    variable.ok_or_else(|| {
        CliError::usage(format!("`{}` has no usual variable", reference.label()))
            .hint(format!("name one: `VARIABLE={}`", reference.label()))
    })
}

/// `[VARIABLE=]REF` of the command line. What can't be read may hold a value, so it is not repeated.
pub(in crate::cli) fn bindings(texts: &[String]) -> Result<BTreeMap<EnvName, SecretRef>, CliError> {
    let mut bindings = BTreeMap::new();
    for text in texts {
        let wrong = || {
            CliError::usage("`exec` takes a reference, or a variable and a reference, never a value").hint(
                "write `huggingface/token` or `HF_TOKEN=huggingface/token`, and the command after ` -- `",
            )
        };
        let (variable, reference) = match text.split_once('=') {
            Some((variable, reference)) if variable.parse::<EnvName>().is_ok() => (Some(variable), reference),
            _ => (None, text.as_str()),
        };
        let reference = reference
            .strip_prefix("${secret:")
            .and_then(|inner| inner.strip_suffix('}'))
            .unwrap_or(reference);
        let reference = reference.parse::<SecretRef>().map_err(|_| wrong())?;
        let variable = match variable.map(str::parse::<EnvName>) {
            Some(variable) => variable.map_err(|_| wrong())?,
            None if looks_like_value(&reference.to_string()) => return Err(arguments::on_command_line()),
            None => usual_variable(&reference)?,
        };
        if looks_like_value(&reference.to_string()) {
            return Err(CliError::usage(format!(
                "what `{variable}` is given looks like a value, not a reference"
            ))
            .hint("store it with `doppio secret set NAME`, and give the name here")
            .hint(
                "the value is in your shell's history now: if it is real, replace it where it was issued",
            ));
        }
        if bindings.insert(variable.clone(), reference).is_some() {
            return Err(CliError::usage(format!("`{variable}` is given twice")));
        }
    }
    Ok(bindings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<usize, CliError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        bindings(&texts).map(|bindings| bindings.len())
    }

    #[test]
    fn values_are_no_references() {
        assert_eq!(
            parse(&["A=huggingface/token", "B=env:X#a=b", "huggingface/token", "C=${secret:a/b}"]).unwrap(),
            4
        );
        let token = format!("A=hf_{}", "a1".repeat(17));
        for wrong in [&["1=2"][..], &[&token[2..]], &["A=a b"], &["1A=x/y"], &["A=x", "A=y"], &[&token]] {
            let fault = parse(wrong).unwrap_err();
            let told = format!("{:?}{:?}", fault.message, fault.hints);
            assert!(!told.contains("a1a1") && !told.contains("a b"), "{told}");
        }
    }
}
