//! `doppio secret set`.

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::Ladder;
use doppio_secrets::Outcome;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::vendor;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments;
use crate::cli::secret::document;
use crate::cli::secret::input;
use crate::cli::secret::input::InputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::ProfileArg;
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
    /// Its name, as `huggingface/token`; `NAME#KEY` sets one key of a JSON object or a record
    #[arg(value_name = "NAME[#KEY]")]
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
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let (name, member) = name(args)?;
    let now = Timestamp::now();
    let expires = args.expires.as_deref().map(|text| when(text, now)).transpose()?;
    let ladder = args.profile.ladder(context)?;
    // Where it will be stored is settled before the user types.
    let source = sources::target(&ladder, args.source.as_deref()).await?;
    let path = sources::path(&ladder, source, &name)?;
    let value = input::value(&args.input, &name, &format!("doppio secret set {}", args.name), context)?;
    validate::refuse(&name, &value)?;
    refuse_note(args.note.as_deref(), &value)?;
    output::warnings(validate::warnings(&name, &value));
    let before = source.locate(&path, None).await.ok();
    let what = lookup::a_use(AuditAction::Set, &args.name, Some(source.place()), Some(&value));
    let remark = Remark { note: args.note.clone(), expires };
    let metadata = lookup::logged(context, vec![what], async {
        if let Some(member) = &member {
            return document::set_members(source, &path, &[(member, &value)], &remark).await;
        }
        let stored = source.set(&path, &value, &remark).await;
        stored.map_err(|error| {
            let fault = CliError::of_source(format!("cannot store `{name}` in {}", source.place()), &error);
            match error {
                SourceError::Absent { .. } => fault.hint(source.remedy_of_absence(&path)),
                _ => fault,
            }
        })
    })
    .await?;
    for warning in &metadata.warnings {
        output::line(&format!("note: {warning}"));
    }
    output::line(&format!("stored `{}` in {}{}", args.name, source.place(), sources::alias(&path, &name)));
    if let Some(before) = before.filter(|_| member.is_none()) {
        tell_of_replaced(&before, &name, source, args.source.as_deref());
    }
    tell_of_others(&ladder, &name, source).await;
    Ok(())
}

/// Says what was there before, and how to have it again.
fn tell_of_replaced(before: &Metadata, name: &SecretName, source: &dyn Source, asked: Option<&str>) {
    let since = before.created.map_or_else(String::new, |at| format!(" of {}", at.strftime("%Y-%m-%d")));
    let command = |action: &str, name: String| {
        let option = asked.into_iter().flat_map(|scheme| ["--in", scheme]);
        typed(["doppio", "secret", action, &name].into_iter().chain(option))
    };
    output::line(&match &before.version {
        Some(version) if source.kind().versions => format!(
            "it replaces the value{since}; {} goes back to that",
            command("rollback", format!("{name}@{version}"))
        ),
        _ => format!(
            "it replaces the value{since}, which {} does not keep; {} keeps the old one",
            source.place(),
            command("rotate", name.to_string())
        ),
    });
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

/// The name, and the member of its document, unless a value stands on the command line. Nothing that may be
/// a value is repeated.
fn name(args: &Args) -> Result<(SecretName, Option<String>), CliError> {
    // An option of other commands is not a value: clap takes it for one, as it takes all that follows.
    let option = args.value.first().and_then(|word| word.to_str()).filter(|word| is_option(word));
    if let Some(option) = option {
        return Err(CliError::usage(format!("`doppio secret set` has no option `{option}`"))
            .hint("`doppio secret set --help` lists its options"));
    }
    if !args.value.is_empty() || args.name.contains('=') {
        return Err(arguments::on_command_line());
    }
    let Some((name, member)) = args.name.split_once('#') else {
        return Ok((arguments::name(&args.name)?, None));
    };
    if member.is_empty() || member.contains(['/', '#', '@', '?']) || vendor::is_token(member) {
        return Err(CliError::usage("this is not a member of a document")
            .hint("write the secret's name and one key, as in `doppio secret set app/prod#DB_URL`"));
    }
    Ok((arguments::name(name)?, Some(member.to_owned())))
}

/// Whether a word is like an option of ours: short, of small letters.
fn is_option(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    word.len() <= 20
        && word.strip_prefix("--").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_letter))
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
