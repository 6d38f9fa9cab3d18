//! `doppio secret get`.

use std::time::Duration;

use jiff::Timestamp;

use doppio_secrets::AuditAction;
use doppio_secrets::SecretValue;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::arguments::reference;
use crate::cli::secret::clipboard;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::secret::time;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio secret get huggingface/token\n  \
                        doppio secret get huggingface/token --reveal\n  \
                        doppio secret get huggingface/token --copy")]
pub(in crate::cli) struct Args {
    /// A name, or `SOURCE:PATH`
    reference: String,
    /// Print the value; on a terminal only
    #[arg(long)]
    reveal: bool,
    /// Print the value even if stdout is not a terminal
    #[arg(long, requires = "reveal")]
    force: bool,
    /// Put the value on the clipboard, and show nothing
    #[arg(long, conflicts_with = "reveal")]
    copy: bool,
    /// Clear the clipboard after this many seconds; 0 keeps it
    #[arg(long, value_name = "SECONDS", default_value_t = 45, requires = "copy")]
    clear_after: u64,
    #[command(flatten)]
    lookup: LookupArgs,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let reference = reference(&args.reference)?;
    if args.reveal && !args.force && !context.stdout_is_terminal {
        return Err(CliError::usage("stdout is not a terminal: the value may end up in a file or a log")
            .hint(format!(
                "run {} if that is what you want",
                typed(["doppio", "secret", "get", &reference.label(), "--reveal", "--force"])
            )));
    }
    let vault = lookup::session(context, &context.cwd, &args.lookup)?;
    if args.copy || args.reveal {
        let value = vault.fetch(&reference).await?;
        // A default is not a secret.
        let is_secret = !vault.stands_in(&reference);
        let label = reference.label();
        let what = is_secret.then(|| lookup::a_use(AuditAction::Reveal, &label, None, Some(&value)));
        lookup::logged(context, what.into_iter().collect(), async {
            if args.copy {
                let keep = Some(Duration::from_secs(args.clear_after)).filter(|keep| !keep.is_zero());
                clipboard::copy(context, &label, &value, keep)
            } else {
                reveal(&value, context.stdout_is_terminal)
            }
        })
        .await?;
        lookup::tell_of_lent(&vault);
    } else {
        let location = vault.locate(&reference).await?;
        output::warnings(&location.metadata.warnings);
        let place = time::describe(&location.metadata, Timestamp::now());
        output::text(&format!("{} = *** ({place})\n", reference.label()))?;
    }
    Ok(())
}

/// Prints the bytes; with a line break on a terminal, where they would run into the prompt.
fn reveal(value: &SecretValue, is_terminal: bool) -> Result<(), CliError> {
    #[expect(clippy::disallowed_methods, reason = "the user asked to see the value")]
    value.reveal(output::data)?;
    if is_terminal { output::data(b"\n") } else { Ok(()) }
}
