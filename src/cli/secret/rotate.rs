//! `doppio secret rotate`: a new value in the place of an old one, with a way back at any moment.
//!
//! The new value is kept until it is verified: as a pending version where the source has such, else beside
//! the old one, as `NAME.pending`. Then it takes the name, and the old one stays: as an older version where
//! the source keeps them, else as `NAME.previous`.

mod generate;
mod seen;

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::Ladder;
use doppio_secrets::SecretValue;
use doppio_secrets::format;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::PENDING;
use doppio_secrets::source::PREVIOUS;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::vendor;
use doppio_stores::ping;
use doppio_stores::ping::Verdict;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::name;
use crate::cli::secret::input;
use crate::cli::secret::input::InputArgs;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::set;
use crate::cli::secret::sources;
use crate::cli::secret::validate;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The new value is kept as `NAME.pending`, in AWS as the version `AWSPENDING`, until it is \
                        verified. If that fails, the old one stays in force.\n\n\
                        Examples:\n  \
                        doppio secret rotate huggingface/token --online\n  \
                        doppio secret rotate team/webhook --generate\n  \
                        doppio secret rotate huggingface/token --continue --online"
)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub(in crate::cli) struct Args {
    /// Its name
    name: String,
    #[command(flatten)]
    input: InputArgs,
    /// Make a random value: for a secret that is yours to choose
    #[arg(long, group = "from")]
    generate: bool,
    /// Ask the provider whether it accepts the new value
    #[arg(long)]
    online: bool,
    /// Continue with the pending value
    #[arg(long = "continue", group = "from")]
    goes_on: bool,
    /// Discard the pending value
    #[arg(long, group = "from", conflicts_with = "online")]
    abort: bool,
    /// When the new value expires: `90d`, `2027-01-31`
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// The source it is in; else the keychain or the age vault, whichever has it
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(&args.name)?;
    if args.online && !ping::IS_BUILT {
        return Err(CliError::usage("this build of doppio lacks the feature `online`")
            .hint(format!("run it without `--online`: `doppio secret rotate {name}`")));
    }
    if args.online && vendor::ping(&name).is_none() {
        return Err(CliError::usage(format!("no provider can check whether a new `{name}` works"))
            .hint(format!("run it without `--online`: `doppio secret rotate {name}`")));
    }
    let expires = args.expires.as_deref().map(|text| set::when(text, Timestamp::now())).transpose()?;
    let ladder = args.profile.ladder(context)?;
    let (source, path) = sources::holder(&ladder, &name, args.source.as_deref()).await?;
    let rotation = Rotation::new(&name, &ladder, source, path).await?;
    let pending = rotation.pending().await?;
    if args.abort {
        rotation.forget(pending.is_some()).await?;
        output::line(&format!("`{name}` is unchanged; nothing is pending"));
        return Ok(());
    }
    let (new, expires) = match (pending, args.goes_on) {
        // It keeps the end that was said when it was given.
        (Some((pending, end)), true) => (pending, expires.or(end)),
        (None, true) => return Err(CliError::usage(format!("no value is pending for `{name}`"))),
        (Some(_), false) => {
            return Err(CliError::usage(format!("a value is already pending for `{name}`"))
                .hint(format!("continue with it: `doppio secret rotate {name} --continue`"))
                .hint(format!("discard it: `doppio secret rotate {name} --abort`")));
        }
        (None, false) => {
            let new = value(args, &name, context)?;
            rotation.keep(&new, expires).await?;
            (new, expires)
        }
    };
    output::warnings(validate::warnings(&name, &new));
    verify(args.online, &rotation, &new, context).await?;
    let what = lookup::a_use(AuditAction::Rotate, name.as_str(), Some(source.place()), Some(&new));
    lookup::logged(context, vec![what], rotation.switch(&new, expires)).await?;
    // Broken off after the switch, what is in force is the new value: when the old one began is
    // not known.
    let since = rotation.metadata.created.filter(|_| !new.is_same(&rotation.old));
    seen::tell(&name, since, context)?;
    set::tell_of_others(&ladder, &name, source).await;
    Ok(())
}

/// The new value, refused as `set` refuses one.
fn value(args: &Args, name: &SecretName, context: &Context) -> Result<SecretValue, CliError> {
    let command = format!("doppio secret rotate {name}");
    let value = if args.generate {
        generate::value(name)?
    } else {
        input::value(&args.input, name, &command, context)?
    };
    validate::refuse(name, &value)?;
    Ok(value)
}

/// Asks the provider, if that is wished. What is not clear keeps the value pending.
async fn verify(
    online: bool,
    rotation: &Rotation<'_>,
    new: &SecretValue,
    context: &Context,
) -> Result<(), CliError> {
    let name = rotation.name;
    let asked = vendor::ping(name);
    if !online {
        if let Some((_, question)) = asked.filter(|_| ping::IS_BUILT) {
            output::line(&format!("note: {} was not asked; `--online` asks it", question.vendor));
        }
        return Ok(());
    }
    let Some((vendor, question)) = asked else { return Ok(()) };
    let base = context.env.text(&format!("DOPPIO_PING_{}", vendor.name.to_ascii_uppercase()));
    let elsewhere = vendor::companion(vendor, question.elsewhere, &context.env, &context.home)
        .filter(|server| !ping::is_own(question, server));
    let verdict = match elsewhere {
        Some(server) => Verdict::Unclear(format!(
            "`{}` names `{server}`, and a key of that server is not sent to {}",
            question.elsewhere, question.vendor
        )),
        None => ping::ask(question, new, base).await,
    };
    let fault = match verdict {
        Verdict::Accepted => {
            output::line(&format!("{} accepts the new value", question.vendor));
            return Ok(());
        }
        Verdict::Refused => CliError::world(format!("{} does not accept the new value", question.vendor)),
        Verdict::Unclear(why) => {
            CliError::world(format!("whether {} accepts the new value is not clear", question.vendor))
                .cause(why)
        }
    };
    // A new token is often shown only once: it is never thrown away unasked.
    Err(fault
        .hint(format!("the old value of `{name}` stays in force; the new one is pending"))
        .hint(format!("try again with `doppio secret rotate {name} --continue --online`"))
        .hint(format!("or discard the new one: `doppio secret rotate {name} --abort`")))
}

/// One secret on its way from an old value to a new one.
struct Rotation<'a> {
    name: &'a SecretName,
    source: &'a dyn Source,
    /// The value in force, and what is known of it.
    old: SecretValue,
    metadata: Metadata,
    /// Where the value is, the new one before it is in force, and the old one afterwards.
    path: String,
    pending: String,
    previous: String,
}

impl<'a> Rotation<'a> {
    async fn new(
        name: &'a SecretName,
        ladder: &Ladder,
        source: &'a dyn Source,
        path: String,
    ) -> Result<Self, CliError> {
        let (old, metadata) = source.get(&path, None).await.map_err(|error| {
            CliError::of_source(format!("cannot read `{name}` from {}", source.place()), &error)
        })?;
        let beside = |role| sources::beside(ladder, source, &path, name, role);
        let (pending, previous) = (beside(PENDING)?, beside(PREVIOUS)?);
        let rotation = Self { name, source, old, metadata, path, pending, previous };
        if !sources::keeps_versions(source, &rotation.metadata) {
            rotation.own(&rotation.previous, &sources::note_of_previous(name)).await?;
        }
        Ok(rotation)
    }

    fn note_of_pending(&self) -> String {
        format!("new value of {}, not in force yet", self.name)
    }

    /// What this command has put at a path beside the secret, if it has. Its note tells it from a
    /// secret that somebody gave the same name.
    async fn own(&self, path: &str, note: &str) -> Result<Option<(SecretValue, Metadata)>, CliError> {
        match self.source.get(path, None).await {
            Ok((_, metadata)) if !sources::may_have_note(self.source, &metadata, note) => {
                Err(CliError::usage(format!("`{path}` is a separate secret, and `rotate` needs that name"))
                    .hint(format!(
                        "give it another one: {}",
                        typed(["doppio", "secret", "mv", path, "NAME"])
                    )))
            }
            Ok(found) => Ok(Some(found)),
            Err(SourceError::Missing) => Ok(None),
            Err(error) => Err(self.failed("read", path, &error)),
        }
    }

    /// The value that is pending, and when it stops being good.
    async fn pending(&self) -> Result<Option<(SecretValue, Option<Timestamp>)>, CliError> {
        if self.source.stages() {
            return match self.source.get(&self.path, Some(PENDING)).await {
                // AWS's own rotation leaves the mark on the version that it has put in force.
                Ok((value, _)) => Ok((!value.is_same(&self.old)).then_some((value, None))),
                Err(SourceError::Missing) => Ok(None),
                Err(error) => Err(self.failed("read the pending version of", &self.path, &error)),
            };
        }
        let found = self.own(&self.pending, &self.note_of_pending()).await?;
        Ok(found.map(|(value, metadata)| (value, metadata.expires)))
    }

    /// Keeps the new value beside the old one.
    async fn keep(&self, new: &SecretValue, expires: Option<Timestamp>) -> Result<(), CliError> {
        if new.is_same(&self.old) {
            return Err(CliError::usage(format!("`{}` already has this value", self.name))
                .hint("nothing was changed"));
        }
        if self.source.stages() {
            let staged = self.source.stage(&self.path, new).await;
            return staged.map(drop).map_err(|error| self.failed("write", &self.path, &error));
        }
        let remark = Remark { note: Some(self.note_of_pending()), expires };
        self.write(&self.pending, new, &remark).await.map(drop)
    }

    async fn forget(&self, is_there: bool) -> Result<(), CliError> {
        let gone = match (self.source.stages(), is_there) {
            (true, true) => self.source.discard(&self.path).await,
            (true, false) => Ok(()),
            (false, _) => self.source.delete(&self.pending).await,
        };
        match gone {
            Ok(()) => Ok(()),
            Err(SourceError::Missing) if !is_there => Ok(()),
            Err(error) => Err(self.failed("remove", &self.pending, &error)),
        }
    }

    /// Puts the new value in force. Broken off at any point it can be given again.
    async fn switch(&self, new: &SecretValue, expires: Option<Timestamp>) -> Result<(), CliError> {
        let name = self.name;
        // Broken off after the switch, when all but the clearing up was done.
        if !new.is_same(&self.old) {
            let kept = if sources::keeps_versions(self.source, &self.metadata) {
                format!("{name}@{}", self.metadata.version.as_deref().unwrap_or(PREVIOUS))
            } else {
                let remark =
                    Remark { note: Some(sources::note_of_previous(name)), expires: self.metadata.expires };
                self.write(&self.previous, &self.old, &remark).await?;
                self.previous.clone()
            };
            let remark = Remark { note: self.metadata.note.clone(), expires };
            if self.source.stages() {
                self.promote(new, &remark).await?;
            } else {
                self.write(&self.path, new, &remark).await?;
            }
            output::line(&format!(
                "`{name}` has its new value in {}; the old one is kept as `{kept}`",
                self.source.place()
            ));
            if self.source.stages() {
                return Ok(());
            }
        }
        self.forget(!self.source.stages()).await
    }

    /// Puts the pending version in force and reads it back.
    async fn promote(&self, new: &SecretValue, remark: &Remark) -> Result<(), CliError> {
        let failed = |error| self.failed("put the pending version in force of", &self.path, &error);
        let metadata = self.source.promote(&self.path, remark).await.map_err(failed)?;
        output::warnings(metadata.warnings);
        self.read_back(&self.path, new).await
    }

    /// Writes an item and reads it back.
    async fn write(&self, path: &str, value: &SecretValue, remark: &Remark) -> Result<Metadata, CliError> {
        let failed = |error| self.failed("write", path, &error);
        let metadata = self.source.set(path, value, remark).await.map_err(failed)?;
        self.read_back(path, value).await.map(|()| metadata)
    }

    async fn read_back(&self, path: &str, value: &SecretValue) -> Result<(), CliError> {
        let (back, _) =
            self.source.get(path, None).await.map_err(|error| self.failed("read", path, &error))?;
        if format::is_same_document(&back, value) {
            return Ok(());
        }
        Err(CliError::world(format!("{} returned a different value for `{path}`", self.source.place()))
            .hint(format!("check it: {}", typed(["doppio", "secret", "why", self.name.as_str()]))))
    }

    fn failed(&self, action: &str, path: &str, error: &SourceError) -> CliError {
        CliError::of_source(format!("cannot {action} `{path}` in {}", self.source.place()), error)
    }
}
