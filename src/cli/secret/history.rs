//! `doppio secret history`.

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::sources;
use crate::cli::secret::time;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: doppio secret history huggingface/token")]
pub(in crate::cli) struct Args {
    /// Its name
    name: String,
    /// The source to ask; else the keychain or the age vault, whichever has it
    #[arg(long = "in", value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    profile: ProfileArg,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let name = name(&args.name)?;
    let ladder = args.profile.ladder(context)?;
    let (source, path) = sources::holder(&ladder, &name, args.source.as_deref()).await?;
    let versions = source.versions(&path).await.map_err(|error| {
        CliError::of_source(format!("`{name}` has no history"), &error)
            .hint("the age vault keeps ten older versions: `doppio secret copy --from keyring --to file`")
    })?;
    if args.output.is_json() {
        return output::json_array(versions.iter().map(|version| {
            serde_json::json!({
                "version": version.id,
                "created": version.created,
                "labels": version.labels,
                "current": version.current,
                "readable": version.readable,
            })
        }));
    }
    let now = Timestamp::now();
    for version in &versions {
        let set = version.created.map(|created| format!("set {}", time::age(created, now)));
        let mut words: Vec<String> = set.into_iter().collect();
        words.extend(version.current.then(|| "in use".to_owned()));
        words.extend(version.labels.iter().cloned());
        words.extend((!version.readable).then(|| "can't be read any more".to_owned()));
        output::text(&format!("{name}@{}  {}\n", version.id, words.join("  ")))?;
    }
    Ok(())
}
