//! `doppio secret set`.

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::Ladder;
use doppio_secrets::Outcome;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretValue;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::vendor;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments;
use crate::cli::secret::input;
use crate::cli::secret::input::InputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::sources;
use crate::cli::secret::time;
use crate::cli::secret::validate;

#[derive(Debug, clap::Args)]
#[command(after_help = "You type the value without echo, or it comes from a pipe, a file or a variable; a \
                        last line break is dropped if it is the only one.\n\n\
                        Examples:\n  \
                        doppio secret set huggingface/token\n  \
                        pass show wandb | doppio secret set wandb/api_key --from-stdin\n  \
                        doppio secret set gcp/key --from-file key.json --expires 90d")]
pub(in crate::cli) struct Args {
    /// Its name, as `huggingface/token`
    name: String,
    /// Values don't belong on a command line; what stands here is refused
    #[arg(hide = true, allow_hyphen_values = true, trailing_var_arg = true)]
    value: Vec<std::ffi::OsString>,
    #[command(flatten)]
    input: InputArgs,
    /// A short note, which is shown
    #[arg(long)]
    note: Option<String>,
    /// When it expires: `90d`, `12h`, `2027-01-31`
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Where to keep it: `keyring`, `file`, or another source that can be written to
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(args)?;
    let now = Timestamp::now();
    let expires = args.expires.as_deref().map(|text| when(text, now)).transpose()?;
    let ladder = lookup::usual_ladder(context)?;
    // Where it will be stored is settled before the user types.
    let source = sources::target(&ladder, args.source.as_deref()).await?;
    let path = sources::path(&ladder, source, &name)?;
    let value = input::value(&args.input, &name, &format!("doppio secret set {name}"), context)?;
    validate::refuse(&name, &value)?;
    refuse_note(args.note.as_deref(), &value)?;
    output::warnings(validate::warnings(&name, &value));
    let what = lookup::a_use(AuditAction::Set, name.as_str(), Some(source.place()), Some(&value));
    let remark = Remark { note: args.note.clone(), expires };
    let metadata = lookup::logged(context, vec![what], async {
        let stored = source.set(&path, &value, &remark).await;
        stored.map_err(|error| {
            CliError::of_source(format!("cannot store `{name}` in {}", source.place()), &error)
        })
    })
    .await?;
    for warning in &metadata.warnings {
        output::line(&format!("note: {warning}"));
    }
    output::line(&format!("stored `{name}` in {}{}", source.place(), sources::alias(&path, &name)));
    tell_of_others(&ladder, &name, source).await;
    Ok(())
}

/// Refuses a note with a value in it: notes are shown.
fn refuse_note(note: Option<&str>, value: &SecretValue) -> Result<(), CliError> {
    let Some(note) = note else { return Ok(()) };
    #[expect(clippy::disallowed_methods, reason = "it is looked for, and not shown")]
    let is_within = value.reveal(|bytes| note.as_bytes().windows(bytes.len()).any(|window| window == bytes));
    if is_within || note.split_whitespace().any(vendor::is_token) {
        return Err(CliError::usage("the note contains a value, and notes are shown")
            .hint("write what the secret is for; `--from-stdin` takes the value"));
    }
    Ok(())
}

/// The name, unless a value stands on the command line. Nothing that may be a value is repeated.
fn name(args: &Args) -> Result<SecretName, CliError> {
    if !args.value.is_empty() || args.name.contains('=') {
        return Err(arguments::on_command_line());
    }
    arguments::name(&args.name)
}

pub(super) fn when(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let expires = time::parse(text, now).ok_or_else(|| {
        CliError::usage(format!("`{text}` is not a time")).hint("write `90d`, `12h`, `8w` or `2027-01-31`")
    })?;
    if expires <= now {
        return Err(CliError::usage(format!("`{text}` is in the past")));
    }
    Ok(expires)
}

/// Says what else has a value of this name: what comes before it, and what it hides.
pub(super) async fn tell_of_others(ladder: &Ladder, name: &SecretName, target: &dyn Source) {
    let trail = ladder.trail(&SecretRef::from(name.clone())).await;
    let mut before = true;
    for asked in &trail.asked {
        let is_target = asked.place == target.place();
        if let Outcome::Won(metadata) | Outcome::Shadowed(metadata) = &asked.outcome
            && !is_target
        {
            let place = &metadata.place;
            output::line(&if before {
                format!("warning: {place} takes precedence over it and will be used instead")
            } else {
                format!("note: {place} has one too, which is not used now")
            });
        }
        before &= !is_target;
    }
}
