//! References and names on the command line; a value is never repeated.

use std::ffi::OsString;

use doppio_secrets::SecretRef;
use doppio_secrets::vendor::is_token;
use doppio_text::name::SecretName;

use crate::cli::error::CliError;

/// A reference from the command line. One that can't be read may be a value, so it is not
/// repeated.
pub(super) fn reference(text: &str) -> Result<SecretRef, CliError> {
    text.parse().map_err(|_| {
        CliError::usage("this is not a reference to a secret")
            .hint("write a name as `huggingface/token`, or `SOURCE:PATH` as `env:HF_TOKEN`")
    })
}

/// Refuses a token that stands where a name or an option is meant, before anything repeats it.
/// What is behind `--` is a command of the user's own.
pub(in crate::cli) fn refuse_tokens(arguments: &[OsString]) -> Result<(), CliError> {
    let has_token =
        |word: &str| is_token(word) || word.split_once('=').is_some_and(|(_, rest)| is_token(rest));
    let mut words = arguments.iter().skip(1).map_while(|word| word.to_str().filter(|word| *word != "--"));
    let is_secret = matches!(words.next(), Some("secret" | "secrets"));
    if is_secret && words.any(has_token) { Err(on_command_line()) } else { Ok(()) }
}

/// The error of a value among the arguments.
pub(super) fn on_command_line() -> CliError {
    CliError::usage("a value must not stand on the command line: others can read it there")
        .hint("run `doppio secret set NAME`, and type the value when asked, or use `--from-stdin`")
        .hint("the value is in your shell's history now: if it is real, replace it where it was issued")
}

/// A name from the command line. Other text may be a value, so it is not repeated.
pub(super) fn name(text: &str) -> Result<SecretName, CliError> {
    text.parse().map_err(|_| {
        CliError::usage("this is not a secret name")
            .hint("use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`")
    })
}
