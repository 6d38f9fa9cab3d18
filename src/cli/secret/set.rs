//! `doppio secret set`.

use std::fs;
use std::io;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::source_error;
use crate::cli::secret::time;
use crate::cli::terminal::NoAnswer;
use crate::cli::terminal::Terminal;
use crate::name::SecretName;
use crate::secret::Fitness;
use crate::secret::Ladder;
use crate::secret::Outcome;
use crate::secret::SecretRef;
use crate::secret::SecretValue;
use crate::secret::source::Remark;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::well_known;

/// No secret is longer.
const LONGEST: u64 = 1 << 20;

/// Arguments of `secret set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A value is typed where nobody sees it, or comes from a pipe, a file or a variable; \
                        a last line break is dropped if it is the only one.\n\n\
                        Examples:\n  doppio secret set huggingface/token\n  \
                        pass show wandb | doppio secret set wandb/api_key --from-stdin\n  \
                        doppio secret set gcp/key --from-file key.json --expires 90d")]
pub(super) struct Args {
    /// Its name, as `huggingface/token`
    name: String,
    /// Values don't belong on a command line; what stands here is refused
    #[arg(hide = true, allow_hyphen_values = true, trailing_var_arg = true)]
    value: Vec<std::ffi::OsString>,
    /// Read the value from stdin
    #[arg(long, group = "from")]
    from_stdin: bool,
    /// Read the value from a file
    #[arg(long, group = "from", value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Take the value of this variable
    #[arg(long, group = "from", value_name = "VARIABLE")]
    from_env: Option<String>,
    /// A few words beside it
    #[arg(long)]
    note: Option<String>,
    /// When it stops being good: `90d`, `12h`, `2027-01-31`
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Where to keep it: `keyring` or `file`
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let name = name(args)?;
    let now = Timestamp::now();
    let expires = args.expires.as_deref().map(|text| when(text, now)).transpose()?;
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    // Where it will be kept is settled before anybody types.
    let source = target(&ladder, args.source.as_deref()).await?;
    let value = value(args, &name, context)?;
    refuse(&name, &value)?;
    for warning in warnings(&name, &value) {
        output::line(&format!("warning: {warning}"));
    }
    let remark = Remark { note: args.note.clone(), expires };
    let facts = source
        .set(name.as_str(), &value, &remark)
        .await
        .map_err(|error| source_error(format!("cannot store `{name}` in {}", source.place()), &error))?;
    for warning in &facts.warnings {
        output::line(&format!("note: {warning}"));
    }
    output::line(&format!("stored `{name}` in {}", source.place()));
    tell_of_others(&ladder, &name, source).await;
    Ok(ExitCode::SUCCESS)
}

/// The name, unless a value stands on the command line. Nothing that may be one is repeated.
fn name(args: &Args) -> Result<SecretName, CliError> {
    let is_value = |text: &str| well_known::recognise(&SecretValue::new(text.as_bytes().to_vec())).is_some();
    if !args.value.is_empty() || args.name.contains('=') || is_value(&args.name) {
        let fault = CliError::usage("a value must not stand on the command line: others can read it there");
        return Err(fault
            .hint("run `doppio secret set NAME`, and type the value when asked, or use `--from-stdin`")
            .hint(
                "what you gave is in your shell's history now: if it is real, replace it where it was issued",
            ));
    }
    args.name.parse().map_err(|_| {
        CliError::usage("this is not a secret name")
            .hint("use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`")
    })
}

fn when(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let expires = time::parse(text, now).ok_or_else(|| {
        CliError::usage(format!("`{text}` is not a time")).hint("write `90d`, `12h`, `8w` or `2027-01-31`")
    })?;
    if expires <= now {
        return Err(CliError::usage(format!("`{text}` is over already")));
    }
    Ok(expires)
}

/// Where to keep it: what was asked for, else the keychain, else the vault where there is no
/// keychain.
async fn target<'a>(ladder: &'a Ladder, asked: Option<&str>) -> Result<&'a dyn Source, CliError> {
    if let Some(scheme) = asked {
        let source = ladder.source(scheme).map_err(|error| {
            CliError::usage(error.to_string())
                .hint("`--in keyring` is the keychain, `--in file` the encrypted vault")
        })?;
        if !source.kind().writes {
            return Err(CliError::usage(format!("Doppio can't write to {}", source.place()))
                .hint("use `--in keyring` or `--in file`"));
        }
        return Ok(source);
    }
    let find = |scheme| ladder.source(scheme).map_err(|error| CliError::usage(error.to_string()));
    let keyring = find("keyring")?;
    match keyring.check().await {
        Ok(()) => Ok(keyring),
        Err(SourceError::Absent { .. }) => find("file"),
        Err(error) => Err(source_error("cannot use the keychain".to_owned(), &error)),
    }
}

fn value(args: &Args, name: &SecretName, context: &Context) -> Result<SecretValue, CliError> {
    let (bytes, place) = if args.from_stdin {
        (read(io::stdin().lock()), "stdin".to_owned())
    } else if let Some(path) = &args.from_file {
        (fs::File::open(path).and_then(read), format!("`{}`", path.display()))
    } else if let Some(variable) = &args.from_env {
        let value = context.env.get(variable).map(|value| value.as_encoded_bytes().to_vec());
        return value
            .map(SecretValue::new)
            .ok_or_else(|| CliError::world(format!("`{variable}` is not set")));
    } else {
        return ask(name, context);
    };
    let bytes =
        bytes.map_err(|error| CliError::world(format!("cannot read {place}")).cause(error.to_string()))?;
    Ok(bytes.without_last_newline())
}

fn ask(name: &SecretName, context: &Context) -> Result<SecretValue, CliError> {
    Terminal::new(context).ask(&format!("value of `{name}` (it is not shown)")).map_err(|error| match error {
        NoAnswer::Failed(_) => CliError::world(error.to_string()),
        NoAnswer::Nobody => CliError::usage("there is no terminal to ask for the value")
            .hint(format!("pipe it: `… | doppio secret set {name} --from-stdin`")),
        NoAnswer::Lines | NoAnswer::TooLong => CliError::usage(format!("`{name}` was not stored: {error}"))
            .hint(format!("write it to a file and run `doppio secret set {name} --from-file FILE`")),
    })
}

/// Reads with the final capacity, so that no copy is left behind as the bytes grow.
fn read(from: impl Read) -> io::Result<SecretValue> {
    let mut bytes = Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(usize::MAX) + 1);
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let is_too_long = bytes.len() as u64 > LONGEST;
    let value = SecretValue::new(bytes);
    if is_too_long { Err(io::Error::other("it is longer than a secret can be")) } else { Ok(value) }
}

fn refuse(name: &SecretName, value: &SecretValue) -> Result<(), CliError> {
    let fault = |why: &str| CliError::usage(format!("`{name}` was not stored: the value {why}"));
    if well_known::is_placeholder(value) {
        let get = well_known::find(name).map_or("", |known| known.get);
        let fault = fault("only holds the place of one");
        return Err(if get.is_empty() { fault } else { fault.hint(format!("get one at {get}")) });
    }
    match value.fitness() {
        Fitness::Fit => Ok(()),
        Fitness::Empty => Err(fault("is empty")),
        Fitness::TooLong => Err(fault("is too long to be masked").hint("split it: 256 KiB is the limit")),
        Fitness::TooShort => Err(fault("is too short to be masked").hint("use a value of at least 4 bytes")),
        Fitness::Nul => {
            Err(fault("holds a NUL byte, which no environment variable can carry").hint("store it as base64"))
        }
    }
}

/// What looks wrong about the value, in words that don't tell it.
fn warnings(name: &SecretName, value: &SecretValue) -> Vec<String> {
    let known = well_known::find(name);
    let mut warnings = Vec::new();
    match (known, well_known::recognise(value)) {
        (known, Some(other)) if known.is_none_or(|known| known.name != other.name) => warnings
            .push(format!("the value looks like a {}; its usual name is `{}`", other.summary, other.name)),
        (Some(known), _) if !known.matches(value) => {
            warnings
                .push(format!("the value does not look like a {}: expected {}", known.summary, known.looks));
        }
        _ => {}
    }
    if value.has_outer_space() {
        warnings.push("the value begins or ends with white space".to_owned());
    }
    warnings
}

/// Says what else has a value of this name: what comes before it, and what it hides.
async fn tell_of_others(ladder: &Ladder, name: &SecretName, target: &dyn Source) {
    let trail = ladder.trail(&SecretRef::from(name.clone())).await;
    let mut before = true;
    for asked in &trail.asked {
        let is_target = asked.place == target.place();
        if let Outcome::Won(facts) | Outcome::Shadowed(facts) = &asked.outcome
            && !is_target
        {
            let place = &facts.place;
            output::line(&if before {
                format!("warning: {place} comes before it and will be used instead")
            } else {
                format!("note: {place} has one too, which is not used now")
            });
        }
        before &= !is_target;
    }
}
