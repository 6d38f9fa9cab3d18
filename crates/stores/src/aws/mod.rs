//! Amazon Web Services: Secrets Manager (`aws`) and Parameter Store (`ssm`).
//!
//! The few operations that are needed are asked for here, in the protocol of both services (AWS JSON
//! 1.1): their SDKs would take a sixth of the time of a build. Credentials and signatures are left to
//! Amazon's own crates.
//!
//! Credentials, region and endpoint come from `[sources.aws]` or `[sources.ssm]`, else from
//! where every AWS program has them: the environment, the profiles of `~/.aws`, single sign-on,
//! a credential process, a web identity, the container, the instance. This is the one place where
//! a library below reads the process environment and the home by itself: Amazon's `aws-config` does.

mod account;
mod api;
mod batch;
mod body;
mod call;
mod connector;
mod metadata;
mod parameter;
mod parameters;
mod profiles;
mod refusal;
mod reply;
mod request;
mod retry;
mod secrets;
mod service;
mod writing;

pub(super) use self::parameters::SOURCE as PARAMETERS;
pub(super) use self::secrets::SOURCE as MANAGER;
