//! The key of vast.ai, and which machine is meant.

use doppio_rented::Account;
use doppio_rented::MachineId;
use doppio_rented::NotMachineId;
use doppio_rented::Vast;
use doppio_rented::VendorName;
use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretValue;
use doppio_secrets::vendor;
use doppio_secrets::vendor::Credential;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::terminal::ask;

/// Who asks vast.ai.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AccountArgs {
    #[command(flatten)]
    lookup: LookupArgs,
}

/// Leave to do what costs or destroys.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct YesArg {
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

impl YesArg {
    /// Whether the user wants it; what `--yes` allows is not asked.
    pub(super) fn allows(self, question: &str, context: &Context) -> Result<bool, CliError> {
        if self.yes {
            return Ok(true);
        }
        let is_wanted = ask(question, "repeat the command with `--yes` if that is what you want", context)?;
        if !is_wanted {
            output::line("nothing was done");
        }
        Ok(is_wanted)
    }
}

impl AccountArgs {
    /// vast.ai, for the key of the ladder, else for the keys that vast.ai's own client keeps here.
    pub(super) async fn vast(&self, context: &Context) -> Result<Vast, CliError> {
        let base = context.env.text("VAST_URL").filter(|base| !base.trim().is_empty());
        let keys = self.keys(context).await?;
        Ok(Vast::new(&Account { keys, base: base.map(str::to_owned), in_haste: false })?)
    }

    async fn keys(&self, context: &Context) -> Result<Vec<SecretValue>, CliError> {
        let name: SecretName = VendorName::Vast.secret().parse().or_world("cannot look for the key")?;
        let reference = SecretRef::from(name);
        let session = lookup::session(context, &context.cwd, &self.lookup)?;
        let session = lookup::audited(context, session)?;
        match session.fetch(&reference).await {
            Ok(key) => {
                // Where the ladder found the client's key that expires, the next ones stand behind it.
                let mut keys = of_client(context).map(values).unwrap_or_default();
                let at = keys.iter().position(|known| known.is_same(&key));
                Ok(at.map_or_else(|| vec![key], |at| keys.split_off(at)))
            }
            Err(missing @ SecretError::Missing { .. }) => {
                let found = of_client(context)?;
                if found.is_empty() {
                    return Err(missing.into());
                }
                for credential in &found {
                    output::warnings(&credential.warnings);
                }
                Ok(values(found))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The keys that vast.ai's own client keeps, with what is unsafe about their files.
fn of_client(context: &Context) -> Result<Vec<Credential>, CliError> {
    vendor::vast_keys(&context.env, &context.home).map_err(|error| {
        CliError::world("cannot read the key of vast.ai's client").cause(error.cause).hint(error.hint)
    })
}

fn values(found: Vec<Credential>) -> Vec<SecretValue> {
    found.into_iter().flat_map(|found| found.parts).filter_map(|part| part.value).collect()
}

/// The machine that is meant: `vast-12345`, `vast:12345`, or the number alone.
pub(super) fn machine(text: &str) -> Result<MachineId, NotMachineId> {
    let is_number = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return Ok(MachineId::vast(text));
    }
    text.parse::<MachineId>().and_then(|id| match id.vendor {
        VendorName::Vast => Ok(id),
        _ => Err(NotMachineId { text: text.to_owned() }),
    })
}
