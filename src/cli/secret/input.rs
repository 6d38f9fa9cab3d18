//! A value that the user gives: typed, or from stdin, a file or a variable.

use std::fs;
use std::io;
use std::io::Read;
use std::path::PathBuf;

use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::terminal::NoAnswer;
use crate::cli::terminal::Terminal;

/// No secret is longer.
const LONGEST: u64 = 1 << 20;

/// Where the value comes from; typed if nothing is said.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "they are named as the flags are")]
pub(super) struct InputArgs {
    /// Read the value from stdin
    #[arg(long, group = "from")]
    pub from_stdin: bool,
    /// Read the value from a file
    #[arg(long, group = "from", value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// Take the value of this variable
    #[arg(long, group = "from", value_name = "VARIABLE")]
    pub from_env: Option<String>,
}

/// The value. `command` is what the hints show, as in `doppio secret set NAME`.
pub(super) fn value(
    args: &InputArgs,
    name: &SecretName,
    command: &str,
    context: &Context,
) -> Result<SecretValue, CliError> {
    let (bytes, place) = if args.from_stdin {
        if context.env.text("DOPPIO_PASSPHRASE_FD") == Some("0") {
            return Err(CliError::usage("stdin carries the passphrase: `DOPPIO_PASSPHRASE_FD` is 0")
                .hint(format!("pass the passphrase on another descriptor: `DOPPIO_PASSPHRASE_FD=3 {command} --from-stdin 3< FILE`")));
        }
        (read(io::stdin().lock()), "stdin".to_owned())
    } else if let Some(path) = &args.from_file {
        (fs::File::open(path).and_then(read), format!("`{}`", path.display()))
    } else if let Some(variable) = &args.from_env {
        let value = context.env.get(variable).map(|value| value.as_encoded_bytes().to_vec());
        return value
            .map(SecretValue::new)
            .ok_or_else(|| CliError::world(format!("`{variable}` is not set")));
    } else {
        return ask(name, command, context);
    };
    let bytes = bytes.or_world(format!("cannot read {place}"))?;
    let (bytes, was) = format::decoded(&bytes);
    if let Some(was) = was {
        output::line(&format!("note: {place} {}", was.describe()));
    }
    Ok(bytes.without_last_newline())
}

fn ask(name: &SecretName, command: &str, context: &Context) -> Result<SecretValue, CliError> {
    Terminal::new(context).ask(&format!("value of `{name}` (it is not shown)")).map_err(|error| match error {
        NoAnswer::Failed(_) => CliError::world(error.to_string()),
        NoAnswer::Nobody => CliError::usage("there is no terminal to ask for the value")
            .hint(format!("pipe it: `… | {command} --from-stdin`")),
        NoAnswer::Lines | NoAnswer::TooLong => CliError::usage(format!("`{name}` was not stored: {error}"))
            .hint(format!("write it to a file and run `{command} --from-file FILE`")),
    })
}

/// Reads with the final capacity, so that no copy is left behind as the bytes grow.
pub(super) fn read(from: impl Read) -> io::Result<SecretValue> {
    let mut bytes = Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(usize::MAX) + 1);
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let is_too_long = bytes.len() as u64 > LONGEST;
    let value = SecretValue::new(bytes);
    if is_too_long { Err(io::Error::other("it is longer than a secret can be")) } else { Ok(value) }
}
