//! What a command needs that logs in to hosts.

use std::collections::BTreeSet;
use std::sync::Arc;

use doppio_hosts::PoolOptions;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretSession;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::secret::lookup;
use crate::cli::terminal::Terminal;
use crate::config::Dirs;
use crate::rentals::Rentals;

/// The user's hosts, keys and lists of host keys, with nothing to hand over to a step.
pub(super) fn options(context: &Context) -> Result<PoolOptions, CliError> {
    let secrets = Arc::new(SecretSession::new(lookup::usual_ladder(context)?, Mask::new(MaskStyle::Stars)));
    let rentals = Rentals::new(Arc::clone(&secrets), context.env.clone(), context.home.clone());
    Ok(PoolOptions {
        hosts: load::hosts(context)?,
        secrets,
        prompt: Arc::new(Terminal::new(context)),
        home: context.home.clone(),
        state: Dirs::new(&context.env, &context.home).state().to_owned(),
        agent: context.env.path("SSH_AUTH_SOCK"),
        first_contact: context.first_contact(),
        sandbox: false,
        env_names: BTreeSet::new(),
        rented: Some(Arc::new(rentals)),
    })
}
