//! From the id that a recipe gives to where it leads. The first match of spec order wins: this
//! machine, the sandbox, `hosts.toml`, a rented instance, an address, the user's `ssh_config`, a
//! name that resolves.

use std::path::Path;
use std::path::PathBuf;

use doppio_text::closest;
use doppio_text::name::HostId;

use crate::AgentChoice;
use crate::Deadlines;
use crate::FirstContact;
use crate::HostError;
use crate::HostSpec;
use crate::HostsFile;
use crate::Trust;
use crate::address::Address;
use crate::error::toml_key;
use crate::hosts_file::Entry;
use crate::ssh_config;
use crate::ssh_config::SshConfig;

/// Where an id leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// This machine.
    Local,
    /// The SSH server inside this process.
    Sandbox,
    /// Another machine.
    Ssh(Box<HostSpec>),
}

/// How many jump hosts of `ssh_config` may lead to one another.
const MOST_JUMPS: usize = 8;

/// What OpenSSH offers when nobody names a key, in its order.
const DEFAULT_KEYS: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// What a name is looked up in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub hosts: &'a HostsFile,
    /// The user's home, for `~` and `~/.ssh`.
    pub home: &'a Path,
}

impl Resolver<'_> {
    /// Where the id leads. Nothing is connected to; a name may be looked up.
    ///
    /// # Errors
    ///
    /// When it is unknown, with similar names; when `ssh_config` has a fault.
    pub(crate) async fn resolve(&self, id: &HostId) -> Result<Target, HostError> {
        let name = id.as_str();
        match name {
            "local" | "__local__" => return Ok(Target::Local),
            "sandbox" => return Ok(Target::Sandbox),
            _ => {}
        }
        let spec = if let Some(entry) = self.hosts.entry(name) {
            self.of_entry(entry).await?
        } else if let Some(instance) = vast_instance(name) {
            return Err(vast_is_not_built(name, instance));
        } else if let Some(address) = Address::parse(name)? {
            self.of_address(name, &address).await?
        } else {
            self.of_name(name).await?
        };
        Ok(Target::Ssh(Box::new(spec)))
    }

    async fn of_entry(&self, entry: &Entry) -> Result<HostSpec, HostError> {
        let mut spec = match &entry.hostname {
            Some(hostname) => self.plain(&entry.name, entry.user.as_deref(), hostname, entry.port).await?,
            // Without an address the entry adds to what ssh_config says of the name.
            None => match ssh_config::ask(&entry.name, entry.user.as_deref(), entry.port, self.home).await? {
                Some(config) if config.is_named => self.of_config(&entry.name, &config, 0).await?,
                _ => {
                    let error = format!("`{}` has no `hostname`, and no ssh_config names it", entry.name);
                    return Err(HostError::new(error).hint(format!(
                        "add `hostname = \"ADDRESS\"` below `[hosts.{}]`",
                        toml_key(&entry.name)
                    )));
                }
            },
        };
        spec.identity.clone_from(&entry.name);
        if !entry.identity_files.is_empty() {
            spec.identity_files = entry.identity_files.iter().map(|file| self.expand(file)).collect();
            spec.identities_named = true;
        }
        spec.certificate_files.extend(entry.certificate_files.iter().map(|file| self.expand(file)));
        spec.identities_only = entry.identities_only.unwrap_or(spec.identities_only);
        if let Some(agent) = &entry.identity_agent {
            spec.agent = self.agent(agent);
        }
        if !entry.jump.is_empty() {
            spec.jump = self.jumps_of_entry(entry).await?;
            spec.proxy_command = None;
        }
        if let Some(command) = &entry.proxy_command {
            spec.proxy_command = Some(expand_tokens(command, &entry.name, &spec));
            spec.jump.clear();
        }
        if entry.strict_host_key {
            spec.first_contact = FirstContact::Refuse;
        }
        spec.trust = entry.trust.unwrap_or_default();
        spec.credentials.clone_from(&entry.credentials);
        spec.carrier = entry.carrier;
        spec.env.extend(entry.env.clone());
        spec.workdir.clone_from(&entry.workdir);
        spec.keepalive = entry.keepalive.unwrap_or(spec.keepalive);
        if let Some(total) = entry.connect_timeout {
            spec.deadlines = Deadlines::within(total);
        }
        Ok(spec)
    }

    /// The chain to an entry: its own jumps, before them what its first jump goes through.
    async fn jumps_of_entry(&self, entry: &Entry) -> Result<Vec<HostSpec>, HostError> {
        let mut chain = Vec::new();
        for (index, name) in entry.jump.iter().enumerate() {
            let mut spec = match self.hosts.entry(name) {
                // The file was checked for cycles.
                Some(jump) => Box::pin(self.of_entry(jump)).await?,
                None => match Address::parse(name)? {
                    Some(address) => self.of_address(name, &address).await?,
                    None => return Err(HostError::unknown(name, &self.near(name))),
                },
            };
            let before = std::mem::take(&mut spec.jump);
            if index == 0 {
                chain.extend(before);
            }
            chain.push(spec);
        }
        Ok(chain)
    }

    /// An address as it stands, with what the user's `ssh_config` says of it besides.
    async fn of_address(&self, name: &str, address: &Address) -> Result<HostSpec, HostError> {
        let user = address.user.as_deref();
        match ssh_config::ask(&address.host, user, address.port, self.home).await? {
            Some(config) => self.of_config(name, &config, 0).await,
            None => self.plain(name, user, &address.host, address.port).await,
        }
    }

    async fn of_name(&self, name: &str) -> Result<HostSpec, HostError> {
        let config = ssh_config::ask(name, None, None, self.home).await?;
        if let Some(config) = config.as_ref().filter(|config| config.is_named) {
            return self.of_config(name, config, 0).await;
        }
        let found = tokio::net::lookup_host((name, 22)).await.map(Iterator::count);
        let unknown = match found {
            Ok(1..) => {
                return match &config {
                    Some(config) => self.of_config(name, config, 0).await,
                    None => self.plain(name, None, name, None).await,
                };
            }
            Ok(_) => "the name has no address".to_owned(),
            Err(error) => format!("the name does not resolve: {error}"),
        };
        let asked = if config.is_some() {
            "no `Host` block of ssh_config names it"
        } else {
            "no OpenSSH client is installed to read its configuration with"
        };
        Err(HostError::unknown(name, &self.near(name))
            .cause("hosts.toml has no entry of this name")
            .cause(asked)
            .cause(unknown))
    }

    /// A host with the user's defaults, `ssh_config` left out.
    async fn plain(
        &self,
        name: &str,
        user: Option<&str>,
        hostname: &str,
        port: Option<u16>,
    ) -> Result<HostSpec, HostError> {
        let user = match (user, ssh_config::account().await) {
            (Some(user), _) => user,
            (None, Some(account)) => &account.user,
            (None, None) => {
                return Err(HostError::new(format!("the user for `{name}` is not known")).hint(format!(
                    "write `user = \"root\"` below `[hosts.{}]` in hosts.toml",
                    toml_key(name)
                )));
            }
        };
        let ssh = self.home.join(".ssh");
        let mut spec = HostSpec::new(name, user, hostname, port.unwrap_or(22));
        spec.identity_files = DEFAULT_KEYS.iter().map(|key| ssh.join(key)).collect();
        spec.known_hosts = vec![
            ssh.join("known_hosts"),
            ssh.join("known_hosts2"),
            PathBuf::from("/etc/ssh/ssh_known_hosts"),
            PathBuf::from("/etc/ssh/ssh_known_hosts2"),
        ];
        Ok(spec)
    }

    async fn of_config(&self, name: &str, config: &SshConfig, depth: usize) -> Result<HostSpec, HostError> {
        let hostname = config.get("hostname").unwrap_or(name);
        let port = config.get("port").and_then(|port| port.parse().ok());
        let mut spec = self.plain(name, config.get("user"), hostname, port).await?;
        if let Some(alias) = config.some("hostkeyalias") {
            spec.identity = alias.to_lowercase();
        }
        let files = |key| config.all(key).filter(|file| *file != "none").collect::<Vec<_>>();
        let keys = files("identityfile");
        spec.identities_named = keys.iter().any(|key| {
            !key.strip_prefix("~/.ssh/")
                .is_some_and(|key| DEFAULT_KEYS.contains(&key) || ["id_xmss", "id_dsa"].contains(&key))
        });
        let expand = |file: &str| self.expand(&expand_tokens(file, name, &spec));
        let (keys, certificates): (Vec<_>, Vec<_>) = (
            keys.into_iter().map(expand).collect(),
            files("certificatefile").into_iter().map(expand).collect(),
        );
        spec.identity_files = keys;
        spec.certificate_files = certificates;
        spec.identities_only = config.get("identitiesonly") == Some("yes");
        if let Some(agent) = config.get("identityagent") {
            spec.agent = self.agent(agent);
        }
        spec.known_hosts = self.known_hosts(config).await;
        spec.first_contact = match config.get("stricthostkeychecking") {
            Some("true" | "yes") => FirstContact::Refuse,
            _ => FirstContact::Accept,
        };
        for setting in config.all("setenv") {
            if let Some((name, value)) = setting.split_once('=') {
                spec.env.insert(name.to_owned(), value.to_owned());
            }
        }
        let whole_seconds =
            |key| config.get(key).and_then(|value| value.parse().ok()).filter(|&secs: &u64| secs > 0);
        if let Some(interval) = whole_seconds("serveraliveinterval") {
            spec.keepalive = std::time::Duration::from_secs(interval);
        }
        if let Some(timeout) = whole_seconds("connecttimeout") {
            spec.deadlines.tcp = std::time::Duration::from_secs(timeout);
        }
        if let Some(command) = config.some("proxycommand") {
            spec.proxy_command = Some(expand_tokens(command, name, &spec));
        } else if let Some(jumps) = config.some("proxyjump") {
            spec.jump = self.jumps_of_config(name, jumps, depth).await?;
        }
        // A user who wrote a block for it knows the machine.
        if config.is_named {
            spec.trust = Trust::Shared;
        }
        Ok(spec)
    }

    async fn jumps_of_config(
        &self,
        name: &str,
        jumps: &str,
        depth: usize,
    ) -> Result<Vec<HostSpec>, HostError> {
        if depth >= MOST_JUMPS {
            return Err(HostError::new(format!("the jump hosts of `{name}` form a loop"))
                .hint("look at the ProxyJump lines of ssh_config"));
        }
        let mut chain = Vec::new();
        for (index, jump) in jumps.split(',').map(str::trim).enumerate() {
            let address = Address::loose(jump)?;
            let user = address.user.as_deref();
            let mut spec = match ssh_config::ask(&address.host, user, address.port, self.home).await? {
                Some(config) => Box::pin(self.of_config(jump, &config, depth + 1)).await?,
                None => self.plain(jump, user, &address.host, address.port).await?,
            };
            let before = std::mem::take(&mut spec.jump);
            if index == 0 {
                chain.extend(before);
            }
            chain.push(spec);
        }
        Ok(chain)
    }

    /// The lists of host keys. OpenSSH prints them with the home of the user database.
    async fn known_hosts(&self, config: &SshConfig) -> Vec<PathBuf> {
        let real = ssh_config::account().await.map(|account| account.home.as_path());
        let files = config.get("userknownhostsfile").into_iter().chain(config.get("globalknownhostsfile"));
        files
            .flat_map(|files| files.split(' '))
            .filter(|file| !file.is_empty() && *file != "none")
            .map(|file| {
                let file = self.expand(file);
                match real.and_then(|real| file.strip_prefix(real).ok()) {
                    Some(rest) => self.home.join(rest),
                    None => file,
                }
            })
            .collect()
    }

    fn agent(&self, text: &str) -> AgentChoice {
        match text {
            "none" => AgentChoice::None,
            // A variable other than this one would have to be read from the environment.
            "SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" | "${SSH_AUTH_SOCK}" => AgentChoice::Default,
            path => AgentChoice::Socket(self.expand(path)),
        }
    }

    fn expand(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => PathBuf::from(path),
        }
    }

    fn near(&self, name: &str) -> Vec<String> {
        let mut known = self.hosts.names();
        known.extend(ssh_config::host_names(&self.home.join(".ssh/config")));
        known.extend(["local".to_owned(), "sandbox".to_owned()]);
        closest(name, known.iter().map(String::as_str)).map(str::to_owned).into_iter().collect()
    }
}

/// The tokens of `ssh_config` (`man ssh_config`, TOKENS) that `ssh -G` leaves as they are.
fn expand_tokens(text: &str, original: &str, spec: &HostSpec) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let token = after.chars().next();
        match token {
            Some('h') => expanded.push_str(&spec.hostname),
            Some('n') => expanded.push_str(original),
            Some('p') => expanded.push_str(&spec.port.to_string()),
            Some('r') => expanded.push_str(&spec.user),
            Some('k') => expanded.push_str(&spec.identity),
            Some('%') | None => expanded.push('%'),
            Some(other) => expanded.extend(['%', other]),
        }
        rest = token.map_or("", |token| &after[token.len_utf8()..]);
    }
    expanded + rest
}

fn vast_instance(name: &str) -> Option<&str> {
    let instance = name.strip_prefix("vast-").or_else(|| name.strip_prefix("vast:"))?;
    (!instance.is_empty() && instance.bytes().all(|b| b.is_ascii_digit())).then_some(instance)
}

fn vast_is_not_built(name: &str, instance: &str) -> HostError {
    HostError::new(format!("cannot find the address of `{name}`"))
        .cause("hosts.toml has no entry of this name")
        .cause("asking the vast.ai API for it is not built yet")
        .hint(format!(
            "add it to hosts.toml, with the address and port that `vastai ssh-url {instance}` prints:\n\n\
             [hosts.{}]\nhostname = \"ssh4.vast.ai\"\nport = 12345\nuser = \"root\"",
            toml_key(name)
        ))
}
