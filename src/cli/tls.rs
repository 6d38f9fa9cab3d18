//! The one provider of cryptography for all TLS clients.

/// Installs rustls' ring provider. The clients are built without one, so whoever uses the library
/// without this module installs one itself before the first secret is asked for.
pub(super) fn install() {
    // Fails only where one is installed already, as when a program calls `main` twice.
    drop(rustls::crypto::ring::default_provider().install_default());
}
