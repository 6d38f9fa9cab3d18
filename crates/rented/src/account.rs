//! Who hires: keys and the address of the API.

use doppio_secrets::SecretValue;

/// How a client is logged in, and where.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The keys that may be tried, in this order: one that expires (that of a login with a second factor)
    /// before the one that doesn't.
    pub keys: Vec<SecretValue>,
    /// Where the API is, if not at the vendor's own address: `https`, or `http` on this machine.
    pub base: Option<String>,
    /// Whether requests are sent without the vendor's intervals and without pauses between tries: for
    /// tests. What a server itself asks for is waited all the same.
    pub in_haste: bool,
}
