//! Rented machines as hosts: who hires them out says where they are.

use futures_util::future::BoxFuture;

use crate::HostError;

/// One way to a rented machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which way it is, as in `direct` or `proxy`.
    pub way: &'static str,
    /// Who logs in.
    pub user: String,
    /// Name or address.
    pub hostname: String,
    /// TCP port.
    pub port: u16,
}

/// What knows the rented machines of the user: a client of those who hire them out.
pub trait RentedMachines: Send + Sync {
    /// The machine that a host's name means, as its key is known under: `vast-12345` for `vast:12345`.
    /// None where the name is no such machine's.
    fn id(&self, name: &str) -> Option<String>;

    /// The ways to a machine that runs, the better one first. It is asked for each new connection: a
    /// machine that was stopped and started is elsewhere.
    ///
    /// # Errors
    ///
    /// When the vendor can't be asked, or the machine doesn't run; with what to do.
    fn endpoints<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Endpoint>, HostError>>;

    /// Has the vendor put a public key (a line of `authorized_keys`) on the machine, where it isn't
    /// any more. False where the vendor can't.
    ///
    /// # Errors
    ///
    /// When the vendor can't be asked, or refuses.
    fn attach_key<'a>(&'a self, id: &'a str, key: &'a str) -> BoxFuture<'a, Result<bool, HostError>>;
}
