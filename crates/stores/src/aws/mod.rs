//! Amazon Web Services: Secrets Manager (`aws`) and Parameter Store (`ssm`), with Amazon's SDK.
//!
//! Credentials, region and endpoint come from `[sources.aws]` or `[sources.ssm]`, else from
//! where every AWS program has them: the environment, the profiles of `~/.aws`, single sign-on,
//! a credential process, a web identity, the container, the instance. This is the one place where
//! a library below reads the process environment and the home by itself: Amazon's SDK does.

mod account;
mod batch;
mod fault;
mod metadata;
mod parameters;
mod secrets;

use doppio_secrets::source::Form;
use doppio_secrets::source::Key;

pub(super) use self::parameters::SOURCE as PARAMETERS;
pub(super) use self::secrets::SOURCE as MANAGER;

/// The keys of both tables.
const KEYS: &[Key] = &[
    Key { name: "region", form: Form::Text, doc: "the region, as in `eu-central-1`" },
    Key { name: "profile", form: Form::Text, doc: "the profile of `~/.aws/config` to use" },
    Key { name: "endpoint", form: Form::Text, doc: "the URL to ask instead of the region's own" },
];

/// Single calls of one batch that are under way at the same time.
const CALLS: usize = 8;

/// The time as Amazon tells it.
fn time(time: &aws_sdk_secretsmanager::primitives::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}
