//! Pools of hosts that know nothing of this machine's own keys and settings.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use doppio_hosts::FirstContact;
use doppio_hosts::Host;
use doppio_hosts::HostsFile;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::Prompt;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_text::Source;

use crate::support::sshd::Sshd;

/// Nobody is there to be asked.
struct Nobody;

impl Prompt for Nobody {
    fn secret(&self, _question: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, text: &str) {
        eprintln!("notice: {text}");
    }
}

/// A pool with a home and a state of its own.
pub(crate) struct Testbed {
    pub(crate) pool: Pool,
    folder: TempDir,
}

impl Testbed {
    /// With these hosts and names to learn.
    pub(crate) fn new(hosts_toml: &str, sandbox: bool, names: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-pool-").tempdir().expect("a folder");
        let hosts = HostsFile::parse(&Source::new("hosts.toml", hosts_toml)).expect("hosts");
        let secrets = SecretSession::new(Ladder::of_environment(Environment::default()), Mask::default());
        let env_names = names.iter().map(|name| name.parse().expect("a name")).collect::<BTreeSet<_>>();
        let pool = Pool::new(PoolOptions {
            hosts,
            secrets: Arc::new(secrets),
            prompt: Arc::new(Nobody),
            home: folder.path().join("home"),
            state: folder.path().join("state"),
            agent: None,
            first_contact: FirstContact::Accept,
            sandbox,
            env_names,
            rented: None,
        });
        Self { pool, folder }
    }

    /// With one server, called `box`; `more` are further lines of its entry.
    pub(crate) fn of(server: &Sshd, more: &str, names: &[&str]) -> Self {
        Self::new(&format!("{}{more}", server.hosts_toml("box")), false, names)
    }

    /// The host of that name, connected.
    pub(crate) async fn host(&self, name: &str) -> Host {
        let host = self.pool.host(&name.parse().expect("a host id")).await;
        host.unwrap_or_else(|error| panic!("{error}: {:?} {:?}", error.causes, error.hint))
    }

    /// Where the state is kept.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "state")
    }
}
