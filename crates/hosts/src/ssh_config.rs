//! The user's `ssh_config`, as the user's own OpenSSH client reads it: `ssh -G NAME` knows `Match`,
//! `Include` and all the rest.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::OnceCell;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;

use crate::HostError;

/// Reading the configuration can run `Match exec` commands, which may hang.
const LIMITS: Limits = Limits { longest: 16 << 20, deadline: Duration::from_secs(10) };

/// A name that no `Host` block names: what stands under it is what stands under every name.
const NOBODY: &str = "doppio-7b1f0c-nobody";

/// Who runs this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub user: String,
    /// The home of the user database, which OpenSSH reads whatever `HOME` says.
    pub home: PathBuf,
}

/// Asks the system once. None where there is no shell, or no entry for this user.
pub(crate) async fn account() -> Option<&'static Account> {
    static ACCOUNT: OnceCell<Option<Account>> = OnceCell::const_new();
    ACCOUNT.get_or_init(look_up_account).await.as_ref()
}

async fn look_up_account() -> Option<Account> {
    let asked = Program::shell("id -un && eval echo \"~$(id -un)\"").hear(None, LIMITS).await.ok()?;
    let text = asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).into_owned())?;
    let (user, home) = text.trim_end().split_once('\n')?;
    Some(Account { user: user.to_owned(), home: PathBuf::from(home) })
}

/// What `ssh_config` says of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SshConfig {
    lines: Vec<(String, String)>,
    /// Whether more is said of this name than of any other.
    pub is_named: bool,
}

/// Asks `ssh -G`; none where no OpenSSH client is installed. A user and a port that are given
/// count as on the command line of `ssh`.
///
/// # Errors
///
/// When `ssh` finds a fault in the configuration, with its own words.
pub(crate) async fn ask(
    name: &str,
    user: Option<&str>,
    port: Option<u16>,
    home: &Path,
) -> Result<Option<SshConfig>, HostError> {
    let (said, of_nobody) = tokio::join!(run(name, user, port, home), run(NOBODY, user, port, home));
    let (Some(said), Some(of_nobody)) = (said?, of_nobody?) else { return Ok(None) };
    let is_named = said.to_lowercase() != of_nobody.replace(NOBODY, name).to_lowercase();
    let lines = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Ok(Some(SshConfig { lines, is_named }))
}

async fn run(
    name: &str,
    user: Option<&str>,
    port: Option<u16>,
    home: &Path,
) -> Result<Option<String>, HostError> {
    let mut ssh = Program::new("ssh").arg("-G");
    // OpenSSH looks the home up by user id. Another home is told by naming its file.
    if account().await.is_none_or(|account| account.home != home) {
        let file = home.join(".ssh/config");
        ssh = ssh.arg("-F").arg(if file.is_file() { file.as_path() } else { Path::new("none") });
    }
    if let Some(user) = user {
        ssh = ssh.args(["-l", user]);
    }
    if let Some(port) = port {
        ssh = ssh.args(["-p", &port.to_string()]);
    }
    let failed = |cause: String| {
        HostError::new(format!("cannot read the ssh_config for `{name}`"))
            .cause(cause)
            .hint(format!("`ssh -G {name}` shows the same"))
    };
    match ssh.args(["--", name]).hear(None, LIMITS).await {
        Err(Broken::Late(deadline)) => {
            Err(failed(format!("`ssh -G` took longer than {} s", deadline.as_secs())))
        }
        Err(Broken::NotStarted(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
        Ok(heard) if heard.status.success() => Ok(Some(String::from_utf8_lossy(&heard.stdout).into_owned())),
        Ok(heard) => Err(failed(String::from_utf8_lossy(&heard.stderr).trim_end().to_owned())),
    }
}

impl SshConfig {
    /// The first value of a key, which is lowercase.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// The value, unless it is `none`.
    pub(crate) fn some(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| *value != "none")
    }

    /// All values of a key.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(own, _)| own == key).map(|(_, value)| value.as_str())
    }
}

/// The names of the `Host` lines of a file, patterns left out: for suggestions only.
pub(crate) fn host_names(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.trim().split_once([' ', '\t', '=']))
        .filter(|(key, _)| key.eq_ignore_ascii_case("host"))
        .flat_map(|(_, names)| names.split_whitespace().map(|name| name.trim_matches('"').to_owned()))
        .filter(|name| !name.contains(['*', '?', '!', '=']))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(config: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        std::fs::write(home.path().join(".ssh/config"), config).unwrap();
        home
    }

    #[test]
    fn names_of_blocks_are_for_suggestions() {
        let home = home("Host gpu *.lab !x\nhost\tb c\nHost=\"d\"\nMatch host e\n");
        assert_eq!(host_names(&home.path().join(".ssh/config")), ["gpu", "b", "c", "d"]);
    }
}
