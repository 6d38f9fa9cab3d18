//! Who saw the old value: runs, steps, hosts and commands.

use jiff::Timestamp;

use doppio_secrets::vendor;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::uses;

/// Lists who got it since the old value was set, and says where to revoke it.
pub(super) fn tell(name: &SecretName, since: Option<Timestamp>, context: &Context) -> Result<(), CliError> {
    let mut uses = uses::all(context).known;
    uses.retain(|used| {
        let is_later = |since| used.time.is_none_or(|time| time >= since);
        uses::is_of(&used.secret, name.as_str()) && since.is_none_or(is_later)
    });
    if uses.is_empty() {
        output::line("as far as this machine knows, nobody got the old value");
    } else {
        output::line("these got the old value:");
    }
    for line in uses::by_host(&uses) {
        output::text(&format!("{line}\n"))?;
    }
    if let Some(known) = vendor::known(name) {
        output::line(&format!("revoke the old one where it was issued: {}", known.get));
    }
    Ok(())
}
