//! Vendors: one row each. The ladder, `suggest`, the providers, the scan, the token heuristics, the mask,
//! and who asks whether a token works read it.
//!
//! The rows are in `rows/`. A vendor whose tools keep a credential in files of this machine has its own
//! file with their parsers; [`providers`] lists those that do. Nothing is read but what a row names, and
//! only when it is asked for; home and environment are handed in.

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
mod key;
mod kubeconfig;
mod langsmith;
mod local;
mod netrc;
mod netrc_text;
mod npm;
mod pinecone;
mod pypi;
mod registry;
mod row;
mod rows;
mod ssh;
mod table;
mod token;
mod tool;
mod tool_file;
mod wandb;
mod wanted;

pub use accounts::Accounts;
pub(crate) use aws::is_lasting as is_lasting_aws_key;
pub use discovery::Discovery;
pub use error::ProviderError;
pub use exposure::Exposure;
pub(crate) use git::of_token as git_login;
pub use key::FileForm;
pub use key::Key;
pub use key::Login;
pub use key::Ping;
pub use key::Sent;
pub use local::Local;
pub use registry::UnknownProvider;
pub use registry::find;
pub use registry::is_public;
pub(crate) use registry::of_forge;
pub use registry::of_reference;
pub use registry::of_secret;
pub use registry::tool_file;
pub use row::Credential;
pub use row::Part;
pub use row::Vendor;
pub(crate) use table::in_capitals;
pub use table::is_alias;
pub(crate) use table::is_name;
pub use table::is_token;
pub use table::known;
pub use table::near;
pub use table::of_kind;
pub use table::of_variable;
pub use table::ping;
pub use table::prefixes;
pub use table::providers;
pub use table::recognise;
pub(crate) use table::tokens;
pub(crate) use table::variables;
pub use table::well_known;
pub(crate) use token::Nature;
pub(crate) use token::Shape;
pub use tool_file::ToolFile;
pub use tool_file::ToolSecret;
pub use wanted::Wanted;
pub use wanted::client_keys;
pub use wanted::companion;
pub use wanted::read;

#[cfg(test)]
mod tests;
