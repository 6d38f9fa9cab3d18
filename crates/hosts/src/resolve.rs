//! From the id that a recipe gives to where it leads. The first match of spec order wins: this
//! machine, the sandbox, `hosts.toml`, a rented instance, an address, the user's `ssh_config`, a
//! name that resolves.

use std::net::IpAddr;
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
use crate::RentedMachines;
use crate::Transport;
use crate::Trust;
use crate::address::Address;
use crate::hosts_file::Entry;
use crate::hosts_file::NewEntry;
use crate::openssh_options::added;
use crate::spec::AddressFamily;
use crate::spec::ConfigHost;
use crate::spec::NamedBy;
use crate::spec::Pins;
use crate::ssh_config;
use crate::ssh_config::SshConfig;
use crate::ssh_config::Tokens;

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

/// Takes over what an entry says of the key.
fn pin(spec: &mut HostSpec, entry: &Entry) {
    if spec.pins.is_none() && !entry.host_keys.is_empty() {
        spec.pins = Some(Box::new(Pins { entry: entry.name.clone(), keys: entry.host_keys.clone() }));
    }
    let strict = entry.strict_host_key;
    let contact = strict.map(|strict| if strict { FirstContact::Refuse } else { FirstContact::Accept });
    spec.first_contact = contact.or(spec.first_contact);
}

/// Whether two texts are the same address, however it is written.
fn is_same_host(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.to_canonical() == other.to_canonical(),
        _ => one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.')),
    }
}

/// How many jump hosts of `ssh_config` may lead to one another.
const MOST_JUMPS: usize = 8;

/// What OpenSSH offers when nobody names a key, in its order.
const DEFAULT_KEYS: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// What a name is looked up in.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub hosts: &'a HostsFile,
    /// The user's home, for `~` and `~/.ssh`.
    pub home: &'a Path,
    pub rented: Option<&'a dyn RentedMachines>,
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
        let mut spec = if let Some(entry) = self.entry(name) {
            self.of_entry(entry).await?
        } else if let Some(id) = self.rented_id(name) {
            self.of_rented(name, id).await?
        } else if let Some(address) = Address::parse(name)? {
            self.of_address(name, &address).await?
        } else {
            self.of_name(name).await?
        };
        self.check_jumps(&spec)?;
        self.pin_by_address(&mut spec);
        Ok(Target::Ssh(Box::new(spec)))
    }

    /// What the user's own entry says of a machine's key counts on every way to it: whoever writes the recipe
    /// must not choose a way round it. Behind a jump host an address may be another machine's.
    fn pin_by_address(&self, spec: &mut HostSpec) {
        let direct = if spec.jump.is_empty() { spec } else { &mut spec.jump[0] };
        let (hostname, port) = (direct.hostname.clone(), direct.port);
        let is_it = |entry: &&Entry| {
            entry.hostname.as_ref().is_some_and(|own| is_same_host(own, &hostname))
                && entry.port.unwrap_or(22) == port
                && entry.jump.is_empty()
                && entry.proxy_command.is_none()
        };
        if direct.proxy_command.is_some() {
            return;
        }
        for entry in self.hosts.entries().filter(is_it) {
            let is_strict = direct.first_contact == Some(FirstContact::Refuse);
            pin(direct, entry);
            if is_strict {
                direct.first_contact = Some(FirstContact::Refuse);
            }
        }
    }

    /// What the user says of a name, in whichever spelling of a rented machine's.
    fn entry(&self, name: &str) -> Option<&Entry> {
        self.hosts.entry(name).or_else(|| {
            let id = self.rented_id(name)?;
            self.hosts.entries().find(|entry| self.rented_id(&entry.name).as_ref() == Some(&id))
        })
    }

    /// A jump host is reached as the host behind it is.
    fn check_jumps(&self, spec: &HostSpec) -> Result<(), HostError> {
        let is_other = |hop: &&HostSpec| {
            hop.transport == Transport::OpenSsh
                && (spec.transport == Transport::Doppio || hop.config_host.is_some())
        };
        let Some(hop) = spec.jump.iter().find(is_other) else { return Ok(()) };
        let error = HostError::new(format!("`{}` can't be reached through `{}`", spec.name, hop.name));
        Err(if spec.transport == Transport::Doppio {
            error
                .cause(format!(
                    "`{}` has `transport = \"openssh\"`, and a jump host needs the same",
                    hop.name
                ))
                .hint(format!(
                    "write `transport = \"openssh\"` below `{}` in {}, too",
                    NewEntry::new(&spec.name),
                    self.hosts.path()
                ))
        } else {
            error.cause(format!("only your own ssh_config says where `{}` is", hop.name)).hint(format!(
                "leave `hostname` and `jump` out for `{}`, and write `ProxyJump {}` into ssh_config",
                spec.name, hop.name
            ))
        })
    }

    fn rented_id(&self, name: &str) -> Option<String> {
        self.rented.and_then(|rented| rented.id(name))
    }

    /// A rented machine. Its key is bound to the machine: addresses are given to the next tenant.
    async fn of_rented(&self, name: &str, id: String) -> Result<HostSpec, HostError> {
        let mut spec = self.plain(name, Some("root"), name, None).await?;
        spec.identity.clone_from(&id);
        spec.is_alias = true;
        spec.rented = Some(id);
        Ok(spec)
    }

    async fn of_entry(&self, entry: &Entry) -> Result<HostSpec, HostError> {
        let mut spec = match &entry.hostname {
            Some(hostname) => self.plain(&entry.name, entry.user.as_deref(), hostname, entry.port).await?,
            // Without an address the entry adds to what a vendor or ssh_config says of the name.
            None if let Some(id) = self.rented_id(&entry.name) => self.of_rented(&entry.name, id).await?,
            None => match ssh_config::ask(&entry.name, entry.user.as_deref(), entry.port, self.home).await? {
                Some(config) if config.is_named => {
                    self.of_config(&entry.name, &entry.name, &config, 0).await?
                }
                _ => {
                    let error = format!("`{}` has no `hostname`, and no ssh_config names it", entry.name);
                    return Err(HostError::new(error).hint(format!(
                        "add `hostname = \"ADDRESS\"` below `{}` in {}",
                        NewEntry::new(&entry.name),
                        self.hosts.path()
                    )));
                }
            },
        };
        if !spec.is_alias {
            spec.identity.clone_from(&entry.name);
        }
        spec.named_by = NamedBy::HostsFile;
        spec.transport = entry.transport;
        if !entry.identity_files.is_empty() {
            spec.identity_files =
                self.paths(&spec, &entry.name, "identity_file", &entry.identity_files).await?;
            spec.identities_named = true;
        }
        let certificates =
            self.paths(&spec, &entry.name, "certificate_file", &entry.certificate_files).await?;
        spec.certificate_files.extend(certificates);
        spec.identities_only = entry.identities_only.unwrap_or(spec.identities_only);
        if let Some(agent) = &entry.identity_agent {
            spec.agent = self.agent(&spec, &entry.name, "identity_agent", agent).await?;
        }
        if !entry.jump.is_empty() {
            spec.jump = self.jumps_of_entry(entry).await?;
            spec.proxy_command = None;
        }
        if let Some(command) = &entry.proxy_command {
            let tokens = Tokens::of(&spec, &entry.name, self.home).await;
            spec.proxy_command = Some(tokens.command("proxy_command", command)?);
            spec.jump.clear();
        }
        if let Some(mut config_host) = spec.config_host.take() {
            config_host.options = added(entry, &spec)?;
            spec.config_host = Some(config_host);
        }
        pin(&mut spec, entry);
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
                    None => return Err(HostError::unknown(name, &self.near(name), self.hosts.path())),
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
            Some(config) => self.of_config(name, &address.host, &config, 0).await,
            None => self.plain(name, user, &address.host, address.port).await,
        }
    }

    async fn of_name(&self, name: &str) -> Result<HostSpec, HostError> {
        let config = ssh_config::ask(name, None, None, self.home).await?;
        if let Some(config) = config.as_ref().filter(|config| config.is_named) {
            return self.of_config(name, name, config, 0).await;
        }
        let found = tokio::net::lookup_host((name, 22)).await.map(Iterator::count);
        let unknown = match found {
            Ok(1..) => {
                return match &config {
                    Some(config) => self.of_config(name, name, config, 0).await,
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
        Err(HostError::unknown(name, &self.near(name), self.hosts.path())
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
                    "write `user = \"root\"` below `{}` in {}",
                    NewEntry::new(name),
                    self.hosts.path()
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

    /// A host as `ssh_config` has it; `original` is what `ssh` was asked for.
    async fn of_config(
        &self,
        name: &str,
        original: &str,
        config: &SshConfig,
        depth: usize,
    ) -> Result<HostSpec, HostError> {
        // An entry without an address adds to this name of ssh_config, whoever the user is there.
        let entry = self.hosts.entry(original).filter(|entry| entry.hostname.is_none());
        let is_of_openssh = entry.is_some_and(|entry| entry.transport == Transport::OpenSsh);
        if let Some((option, value)) = config.not_supported().filter(|_| !is_of_openssh) {
            return Err(self.not_supported(name, original, option, value));
        }
        let hostname = config.get("hostname").unwrap_or(name);
        let port = config.get("port").and_then(|port| port.parse().ok());
        let mut spec = self.plain(name, config.get("user"), hostname, port).await?;
        if let Some(alias) = config.some("hostkeyalias") {
            spec.identity = alias.to_lowercase();
            spec.is_alias = true;
        }
        if config.is_named {
            spec.named_by = NamedBy::SshConfig;
        }
        spec.family = match config.get("addressfamily") {
            Some("inet") => AddressFamily::V4,
            Some("inet6") => AddressFamily::V6,
            _ => AddressFamily::Any,
        };
        let files = |key| config.all(key).filter(|file| *file != "none").collect::<Vec<_>>();
        let keys = files("identityfile");
        spec.identities_named = keys.iter().any(|key| {
            !key.strip_prefix("~/.ssh/")
                .is_some_and(|key| DEFAULT_KEYS.contains(&key) || ["id_xmss", "id_dsa"].contains(&key))
        });
        spec.identity_files = self.paths(&spec, original, "IdentityFile", &keys).await?;
        spec.certificate_files =
            self.paths(&spec, original, "CertificateFile", &files("certificatefile")).await?;
        spec.identities_only = config.get("identitiesonly") == Some("yes");
        if let Some(agent) = config.get("identityagent") {
            spec.agent = self.agent(&spec, original, "IdentityAgent", agent).await?;
        }
        spec.known_hosts = self.known_hosts(&spec, original, config).await?;
        spec.first_contact = match config.get("stricthostkeychecking") {
            Some("true" | "yes") => Some(FirstContact::Refuse),
            Some("false" | "no" | "off" | "accept-new") => Some(FirstContact::Accept),
            // `ask`: Doppio has nobody to ask in a run.
            _ => None,
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
            let tokens = Tokens::of(&spec, original, self.home).await;
            spec.proxy_command = Some(tokens.command("ProxyCommand", command)?);
        } else if let Some(jumps) = config.some("proxyjump").filter(|_| !is_of_openssh) {
            spec.jump = self.jumps_of_config(name, jumps, depth).await?;
        }
        // A user who wrote a block for it knows the machine.
        if config.is_named {
            spec.trust = Trust::Shared;
        }
        if let Some(entry) = entry {
            pin(&mut spec, entry);
        }
        if is_of_openssh {
            spec.transport = Transport::OpenSsh;
            let options = vec![("User", spec.user.clone()), ("Port", spec.port.to_string())];
            spec.config_host = Some(Box::new(ConfigHost { name: original.to_owned(), options }));
        }
        Ok(spec)
    }

    fn not_supported(&self, name: &str, original: &str, option: &str, value: &str) -> HostError {
        let lines = format!("{}\ntransport = \"openssh\"", NewEntry::new(original)).replace('\n', "`, `");
        HostError::new(format!("`{name}` has `{option}`, which Doppio does not support"))
            .cause(format!("ssh_config sets it to `{value}`"))
            .hint(format!(
                "have your own `ssh` reach the host, with the lines `{lines}` in {}; or take it out for this \
                 host, or give the host an entry with a `hostname` there: Doppio then reads no ssh_config for it",
                self.hosts.path()
            ))
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
                Some(config) => Box::pin(self.of_config(jump, &address.host, &config, depth + 1)).await?,
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

    /// The lists of host keys. OpenSSH prints them in one line, with the home of the user database.
    async fn known_hosts(
        &self,
        spec: &HostSpec,
        original: &str,
        config: &SshConfig,
    ) -> Result<Vec<PathBuf>, HostError> {
        let real = ssh_config::account().await.map(|account| account.home.as_path());
        let mut found = Vec::new();
        for (key, option) in
            [("userknownhostsfile", "UserKnownHostsFile"), ("globalknownhostsfile", "GlobalKnownHostsFile")]
        {
            let files = config.get(key).map(ssh_config::several_paths).unwrap_or_default();
            let files: Vec<_> = files.into_iter().filter(|file| file != "none").collect();
            found.extend(self.paths(spec, original, option, &files).await?);
        }
        for file in &mut found {
            if let Some(rest) = real.and_then(|real| file.strip_prefix(real).ok()) {
                *file = self.home.join(rest);
            }
        }
        Ok(found)
    }

    async fn agent(
        &self,
        spec: &HostSpec,
        original: &str,
        option: &str,
        text: &str,
    ) -> Result<AgentChoice, HostError> {
        Ok(match text {
            "none" => AgentChoice::None,
            "SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" | "${SSH_AUTH_SOCK}" => AgentChoice::Default,
            _ => {
                // A mere name of a variable is one, too.
                let is_name = text.strip_prefix('$').is_some_and(|name| !name.starts_with('{'));
                let text = if is_name { format!("${{{}}}", &text[1..]) } else { text.to_owned() };
                let path = self.paths(spec, original, option, &[text]).await?;
                path.into_iter().next().map_or(AgentChoice::None, AgentChoice::Socket)
            }
        })
    }

    /// The files that an option names.
    async fn paths<T: AsRef<str>>(
        &self,
        spec: &HostSpec,
        original: &str,
        option: &str,
        texts: &[T],
    ) -> Result<Vec<PathBuf>, HostError> {
        let tokens = Tokens::of(spec, original, self.home).await;
        let mut paths = Vec::with_capacity(texts.len());
        for text in texts {
            paths.push(tokens.path(option, text.as_ref()).await?);
        }
        Ok(paths)
    }

    fn near(&self, name: &str) -> Vec<String> {
        let mut known = self.hosts.names();
        known.extend(ssh_config::host_names(&self.home.join(".ssh/config")));
        known.extend(["local".to_owned(), "sandbox".to_owned()]);
        closest(name, known.iter().map(String::as_str)).map(str::to_owned).into_iter().collect()
    }
}
