//! Remote sources as the ladder opens them, behind their deadline and memory, for tests that ask
//! them without the binary.

use std::path::Path;
use std::time::Duration;

use doppio::sources::SOURCES;
use doppio_secrets::Environment;
use doppio_secrets::SecretValue;
use doppio_secrets::source;
use doppio_secrets::source::Local;
use doppio_secrets::source::Logins;
use doppio_secrets::source::Options;
use doppio_secrets::source::Remote;
use doppio_secrets::source::Setting;
use doppio_secrets::source::Setup;

/// A source with its settings, as config.toml writes them, and an environment; its deadline is
/// 10 s unless given.
pub(crate) fn open(
    scheme: &str,
    home: &Path,
    settings: &[(&str, &str)],
    variables: &[(&str, &str)],
    deadline: impl Into<Option<Duration>>,
) -> Remote {
    // Fails where another test was first.
    #[cfg(feature = "vault")]
    drop(rustls::crypto::ring::default_provider().install_default());
    let remote =
        SOURCES.remote().find(|source| source.kind.scheme == scheme).expect("a source of this build");
    let keys = remote.kind.remote.as_ref().expect("a remote one").keys;
    let environment: Environment =
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let mut options = Options::default();
    for (name, value) in settings {
        let key = keys.iter().find(|key| key.name == *name).expect("a key of the source");
        let setting = match key.form {
            source::KeyType::Reference => Setting::Reference(value.parse().expect("a reference")),
            source::KeyType::Truth => Setting::Truth(value.parse().expect("`true` or `false`")),
            _ => Setting::Text((*value).to_owned()),
        };
        options.insert(key, setting);
    }
    let local = Local::new([std::sync::Arc::new(source::Env::new(environment.clone())) as _]);
    let logins = Logins::default();
    let setup = Setup { environment, home: home.to_owned(), options, local, logins: logins.clone() };
    Remote::new((remote.open)(setup), Some(deadline.into().unwrap_or(Duration::from_secs(10))), logins)
}

/// The bytes of a value.
pub(crate) fn plain(value: &SecretValue) -> Vec<u8> {
    value.reveal(<[u8]>::to_vec)
}
