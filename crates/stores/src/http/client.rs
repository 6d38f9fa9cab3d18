//! The one HTTP client of all stores. A cluster alone is asked by a client of its own: it may have to
//! show another name than the one that it is reached by, which `reqwest` can't check.

use crate::http::agent::AGENT;

/// A client that follows no redirect, which could take a token or a value to another host.
pub(crate) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).user_agent(AGENT)
}
