//! `doppio secret import`: from a file with many secrets, from another source, or what providers'
//! own tools keep on this machine.

mod file;
mod leftovers;
mod provider;

use std::path::PathBuf;
use std::process::ExitCode;

use doppio_secrets::Ladder;
use doppio_secrets::bundle::Form;
use doppio_secrets::naming;
use doppio_secrets::source::Source;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::copy;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::name;
use crate::cli::secret::place;
use crate::cli::secret::transfer;
use crate::cli::secret::transfer::Item;
use crate::cli::secret::transfer::Plan;
use crate::cli::secret::transfer::Wish;

/// Arguments of `secret import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`HF_TOKEN` becomes `huggingface/token`, as all well-known variables; `DATABASE_URL` \
                        becomes `env/DATABASE_URL`, or `app/DATABASE_URL` with `--prefix app`; the member `url` \
                        of a table `db` becomes `db/url`. Nothing is written before you have seen it.\n\n\
                        Examples:\n  doppio secret import .env\n  \
                        doppio secret import secrets.json --prefix app --dry-run\n  \
                        doppio secret import --from aws team/key --in keyring --yes\n  \
                        doppio secret import --provider huggingface --provider aws:prod"
)]
pub(super) struct Args {
    /// A dotenv, JSON, YAML or TOML file
    #[arg(value_name = "FILE", required_unless_present_any = ["from", "provider"])]
    file: Option<PathBuf>,
    /// Import what this provider's own tools keep on this machine, as `doppio secret discover` lists
    #[arg(long, value_name = "PROVIDER", conflicts_with_all = ["file", "from", "format", "remove_source"])]
    provider: Vec<String>,
    /// Import from this source instead; what stands for FILE is then the one secret to import
    #[arg(long, value_name = "SOURCE")]
    from: Option<String>,
    /// The file's format; else its name or its text decides
    #[arg(long, value_name = "FORM", conflicts_with = "from")]
    format: Option<FormArg>,
    /// The prefix for names of variables that are not well-known; else `env`
    #[arg(long)]
    prefix: Option<String>,
    /// Give one another name
    #[arg(long = "map", value_name = "VARIABLE=NAME")]
    renames: Vec<String>,
    /// Where to keep them; else the keychain, or the age vault where there is no keychain
    #[arg(long = "in", value_name = "SOURCE")]
    target: Option<String>,
    /// Afterwards remove the file, or what was imported from the source, with its older versions
    #[arg(long)]
    remove_source: bool,
    #[command(flatten)]
    wish: Wish,
}

/// The forms as the command line has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormArg {
    Dotenv,
    Json,
    Yaml,
    Toml,
}

impl From<FormArg> for Form {
    fn from(form: FormArg) -> Self {
        match form {
            FormArg::Dotenv => Self::Dotenv,
            FormArg::Json => Self::Json,
            FormArg::Yaml => Self::Yaml,
            FormArg::Toml => Self::Toml,
        }
    }
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let names = Names::new(args)?;
    let ladder = lookup::ladder(context, &context.cwd, &LookupArgs::default())?;
    if !args.provider.is_empty() {
        return provider::import(&names, args, &ladder, context).await;
    }
    match (&args.from, &args.file) {
        (Some(scheme), only) => {
            let only = only.iter().map(|name| name.display().to_string()).collect::<Vec<_>>();
            from_source(place::named(&ladder, scheme)?, &only, &names, args, &ladder, context).await
        }
        (None, Some(path)) => {
            let (items, text) = file::items(path, args.format.map(Form::from), &names)?;
            let target = place::target(&ladder, args.target.as_deref()).await?;
            let plan = transfer::plan(target, items, args.wish.replaces).await?;
            if plan.carry_out(args.wish, context).await? {
                tell_of_variables(&ladder, &plan).await;
                plan.complain()?;
                leftovers::of_file(path, &text, &plan, args, context)?;
                plan.complain_of_refused()?;
            }
            Ok(ExitCode::SUCCESS)
        }
        (None, None) => Err(CliError::usage("neither a file nor a source is named")),
    }
}

async fn from_source(
    from: &dyn Source,
    only: &[String],
    names: &Names,
    args: &Args,
    ladder: &Ladder,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let target = place::target(ladder, args.target.as_deref()).await?;
    if from.kind().scheme == target.kind().scheme {
        return Err(CliError::usage(format!("both sources are `{}`", target.kind().scheme)));
    }
    let mut items = copy::items(from, only).await?;
    let paths: Vec<String> = items.iter().map(|item| item.path.clone()).collect();
    for item in &mut items {
        rename(item, names);
    }
    let plan: Plan<'_> = transfer::plan(target, items, args.wish.replaces).await?;
    if plan.carry_out(args.wish, context).await? {
        tell_of_variables(ladder, &plan).await;
        plan.complain()?;
        if args.remove_source {
            leftovers::of_source(from, &paths, &plan, args, context).await?;
        }
        plan.complain_of_refused()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says which of the secrets a lookup does not find where they are now: variables come first.
async fn tell_of_variables(ladder: &Ladder, plan: &Plan<'_>) {
    let Ok(env) = ladder.source("env") else { return };
    for item in plan.arrivals() {
        let Ok(name) = item.path.parse::<SecretName>() else { continue };
        for variable in env.candidates(&name) {
            if env.locate(&variable, None).await.is_ok() {
                output::line(&format!(
                    "warning: variable `{variable}` takes precedence over `{name}` and will be used instead"
                ));
            }
        }
    }
}

/// Gives an item of another source its name here.
fn rename(item: &mut Item, names: &Names) {
    match names.of(&item.path) {
        Some(name) => item.path = name.to_string(),
        None => item.value = Err("its path can't be a name: use `--map PATH=NAME`".to_owned()),
    }
}

/// How variables and members are called.
struct Names {
    prefix: Option<String>,
    renames: Vec<(String, SecretName)>,
}

impl Names {
    fn new(args: &Args) -> Result<Self, CliError> {
        if let Some(prefix) = &args.prefix {
            name(prefix.trim_end_matches('/'))?;
        }
        let renames = args
            .renames
            .iter()
            .map(|text| {
                let (key, new) = text
                    .rsplit_once('=')
                    .ok_or_else(|| CliError::usage("`--map` takes a variable and a name"))
                    .map_err(|error| error.hint("as in `--map DATABASE_URL=db/url`"))?;
                Ok((key.to_owned(), name(new)?))
            })
            .collect::<Result<_, CliError>>()?;
        Ok(Self { prefix: args.prefix.clone(), renames })
    }

    /// The name that the command line gives a key, if it does.
    fn renamed(&self, key: &str) -> Option<&SecretName> {
        self.renames.iter().find(|(renamed, _)| renamed == key).map(|(_, name)| name)
    }

    /// The name for a key. A path of another source that is a name stays what it is.
    fn of(&self, key: &str) -> Option<SecretName> {
        self.renamed(key).cloned().or_else(|| naming::name_of(key, self.prefix.as_deref()))
    }

    /// Keys that were to be renamed and are not there.
    fn unused(&self, mut has: impl FnMut(&str) -> bool) -> Option<&str> {
        self.renames.iter().map(|(key, _)| key.as_str()).find(|key| !has(key))
    }
}
