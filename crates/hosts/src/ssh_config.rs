//! The user's `ssh_config`, as the user's own OpenSSH client reads it: `ssh -G NAME` knows `Match`,
//! `Include` and all the rest.

mod account;
mod tokens;

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;
use doppio_text::shell::typed;

use crate::HostError;

pub(crate) use crate::ssh_config::account::account;
pub(crate) use crate::ssh_config::tokens::Tokens;

/// Reading the configuration can run `Match exec` commands, which may hang.
const LIMITS: Limits = Limits { longest: 16 << 20, deadline: Duration::from_secs(10) };

/// A name that no `Host` block names: what stands under it is what stands under every name.
const NOBODY: &str = "doppio-7b1f0c-nobody";

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

/// The file that `ssh` is to read for the user's own configuration, if it must be named: OpenSSH looks
/// the home up by user id.
pub(crate) async fn file(home: &Path) -> Option<PathBuf> {
    if account().await.is_some_and(|account| account.home == home) {
        return None;
    }
    let file = home.join(".ssh/config");
    Some(if file.is_file() { file } else { PathBuf::from("none") })
}

async fn run(
    name: &str,
    user: Option<&str>,
    port: Option<u16>,
    home: &Path,
) -> Result<Option<String>, HostError> {
    let mut ssh = Program::new("ssh").arg("-G");
    if let Some(file) = file(home).await {
        ssh = ssh.arg("-F").arg(file);
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
            .hint(format!("{} shows the same", typed(["ssh", "-G", "--", name])))
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

/// Options that decide whom a connection trusts or which way it takes, and that Doppio does not have:
/// key and value where the option is not set, and its name.
const NOT_SUPPORTED: [(&str, &str, &str); 5] = [
    ("knownhostscommand", "none", "KnownHostsCommand"),
    ("revokedhostkeys", "none", "RevokedHostKeys"),
    ("proxyusefdpass", "no", "ProxyUseFdpass"),
    ("bindaddress", "none", "BindAddress"),
    ("bindinterface", "none", "BindInterface"),
];

impl SshConfig {
    /// The first option that is set and can't be left out without harm: its name and its value.
    pub(crate) fn not_supported(&self) -> Option<(&'static str, &str)> {
        NOT_SUPPORTED.iter().find_map(|(key, none, name)| {
            self.get(key).filter(|value| value != none).map(|value| (*name, value))
        })
    }

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

/// The paths of a line of `ssh -G`, which joins them with a blank and quotes none. A word that begins no
/// path goes on with the one before it.
pub(crate) fn several_paths(line: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let begins = word.starts_with(['/', '~', '%', '$']) || word == "none";
        match paths.last_mut() {
            Some(path) if !begins => path.extend([" ", word]),
            _ => paths.push(word.to_owned()),
        }
    }
    paths
}

/// The names of the `Host` lines of a file, patterns left out: for suggestions only.
pub(crate) fn host_names(file: &Path) -> Vec<String> {
    // A comment may be in another encoding.
    let bytes = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .filter_map(|line| line.trim().split_once([' ', '\t', '=']))
        .filter(|(key, _)| key.eq_ignore_ascii_case("host"))
        .flat_map(|(_, names)| names.split_whitespace().map(quoted_alone).map(str::to_owned))
        // A name with a blank is no host's.
        .filter(|name| !name.contains(['*', '?', '!', '=', '"']))
        .collect()
}

/// A word without the quotes around it, where both are there.
fn quoted_alone(word: &str) -> &str {
    word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(word)
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

    // case E1
    #[test]
    fn a_path_with_a_blank_is_one() {
        assert_eq!(several_paths("/root/.ssh/known hosts /etc/k"), ["/root/.ssh/known hosts", "/etc/k"]);
        assert_eq!(several_paths("none"), ["none"]);
    }

    #[test]
    fn names_of_blocks_are_for_suggestions() {
        let home = home("Host gpu *.lab !x\nhost\tb c\nHost=\"d\"\nMatch host e\n");
        assert_eq!(host_names(&home.path().join(".ssh/config")), ["gpu", "b", "c", "d"]);
    }
}
