//! HTTP as Doppio speaks it: how a client is made, how an answer is read, and why none came.

mod agent;
mod body;
mod causes;
mod certificates;
mod client;
mod response;

pub use agent::AGENT;
pub use body::append;
pub use causes::causes;
pub use causes::innermost;
pub use certificates::certificates;
pub use client::client;
pub use response::NoResponse;
pub use response::Response;
