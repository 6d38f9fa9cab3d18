//! What a run needs besides its plan.

use std::sync::Arc;

use tokio::sync::watch;

use doppio_hosts::Pool;
use doppio_secrets::SecretSession;
use doppio_text::name::RunId;

use crate::engine::cancel::Cancel;
use crate::rentals::Rentals;

/// What a run needs besides its plan.
pub struct Options {
    /// The run's id.
    pub run: RunId,
    /// Attempts at once, at least 1.
    pub jobs: usize,
    /// The hosts.
    pub pool: Arc<Pool>,
    /// The user's machines at vendors.
    pub rentals: Arc<Rentals>,
    /// The secrets, and the mask.
    pub secrets: Arc<SecretSession>,
    /// Goes to [`Cancel::Ask`] on the first Ctrl-C and to [`Cancel::Force`] on the second.
    pub cancel: watch::Receiver<Cancel>,
}
