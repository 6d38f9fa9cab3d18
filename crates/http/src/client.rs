//! The one HTTP client of all servers. A Kubernetes cluster alone is asked by a client of its own: it may have to
//! show another name than the one that it is reached by, which `reqwest` can't check.

use crate::agent::AGENT;

/// A client that follows no redirect, which could take a token or a value to another host.
pub fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).user_agent(AGENT)
}
