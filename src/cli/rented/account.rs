//! The account that asks a vendor, and which machine is meant.

use std::sync::Arc;

use doppio_rented::MachineId;
use doppio_rented::Vendor;
use doppio_rented::VendorName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::lookup::LookupArgs;
use crate::cli::terminal::ask;
use crate::rentals::Rentals;

/// Who asks the vendor.
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
    /// A vendor, for the key of the ladder, else for those that the vendor's own client keeps here.
    pub(super) async fn vendor(
        &self,
        name: VendorName,
        context: &Context,
    ) -> Result<Arc<dyn Vendor>, CliError> {
        let session = lookup::session(context, &context.cwd, &self.lookup)?;
        let session = Arc::new(lookup::audited(context, session)?);
        let rentals = Rentals::new(session, context.env.clone(), context.home.clone());
        Ok(rentals.warning(|warning| output::warnings([warning])).vendor(name).await?)
    }
}

/// The machine that is meant: `vast-12345`, `vast:12345`, or the vendor's own id alone.
pub(super) fn machine(text: &str, vendor: VendorName) -> Result<MachineId, CliError> {
    let whole = format!("{}-{text}", vendor.as_str());
    let other = VendorName::ALL.into_iter().filter(|other| *other != vendor);
    let is_others = other.into_iter().any(|other| text.starts_with(&format!("{}-", other.as_str())));
    let parsed = text.parse::<MachineId>().ok().filter(|id| id.vendor == vendor);
    let parsed = parsed.or_else(|| whole.parse().ok().filter(|_| !is_others));
    parsed.ok_or_else(|| {
        CliError::usage(format!("`{text}` is not the id of a machine of {}", vendor.shown()))
            .hint(format!("see what there is: {}", typed(["doppio", vendor.as_str(), "list"])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_with_or_without_its_vendor_and_not_by_anothers() {
        let named = |text, vendor| machine(text, vendor).ok().map(|id| id.to_string());
        assert_eq!(named("12", VendorName::Vast).as_deref(), Some("vast-12"));
        assert_eq!(named("vast:12", VendorName::Vast).as_deref(), Some("vast-12"));
        assert_eq!(named("x7aq2", VendorName::Runpod).as_deref(), Some("runpod-x7aq2"));
        assert_eq!(named("lambda-0a", VendorName::Lambda).as_deref(), Some("lambda-0a"));
        for (text, vendor) in
            [("x7aq2", VendorName::Vast), ("vast-12", VendorName::Runpod), ("a/b", VendorName::Lambda)]
        {
            assert_eq!(named(text, vendor), None, "{text}");
        }
    }
}
