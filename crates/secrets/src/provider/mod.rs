//! Providers: whose credentials are where on this machine, in the vendor's own order, and what the
//! far side needs of them.
//!
//! One row a provider, in [`PROVIDERS`]; one with logic has its own file. Nothing is read but what
//! a row names, and only when it is asked for; home and environment are handed in.

mod accounts;
mod anthropic;
mod aws;
mod azure;
mod credential;
mod discovery;
mod docker;
mod error;
mod exposure;
mod gcp;
mod git;
mod github;
mod gpu_clouds;
mod huggingface;
mod kaggle;
mod keys;
mod kubeconfig;
mod langsmith;
mod local;
mod netrc;
mod netrc_text;
mod npm;
mod pypi;
mod registry;
mod row;
mod ssh;
mod tool;
mod url;
mod wandb;
mod wanted;

pub use accounts::Several;
pub(crate) use aws::is_lasting as is_lasting_aws_key;
pub use credential::Credential;
pub use credential::Part;
pub use credential::Provider;
pub use discovery::Discovery;
pub use error::ProviderError;
pub use exposure::Exposure;
pub use local::Local;
pub use registry::PROVIDERS;
pub use registry::UnknownProvider;
pub use registry::find;
pub use registry::is_public;
pub use registry::of_reference;
pub use registry::of_secret;
pub use row::FileForm;
pub use row::Key;
pub use row::Sent;
pub use wanted::Wanted;
pub use wanted::read;

#[cfg(test)]
mod tests;
