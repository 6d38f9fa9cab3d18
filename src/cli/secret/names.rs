//! Names of secrets that a user may want to type. No source is asked: that could need a passphrase.

use std::collections::BTreeSet;

use doppio_secrets::vendor::well_known;

use crate::cli::context::Context;
use crate::cli::secret::uses;

/// Those that were used here, and the well known ones.
pub(in crate::cli) fn names(context: &Context) -> Vec<String> {
    let used = uses::all(context).known.into_iter().map(|used| used.secret);
    let known = well_known().map(|known| known.name.to_owned());
    used.chain(known).collect::<BTreeSet<String>>().into_iter().collect()
}
