//! The arguments with which `ssh` reaches a host by itself, and the login.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::sleep;

use doppio_process::Program;

use crate::HostError;
use crate::HostSpec;
use crate::openssh_host::master::Master;
use crate::openssh_host::master::quiet;
use crate::ssh::client_trust::ClientTrust;
use crate::ssh::openssh_config::openssh_config;
use crate::ssh::options::ConnectOptions;
use crate::ssh::reach::locate;
use crate::ssh_config;

/// Tries of one login, where a passing trouble ended the others.
const TRIES: u32 = 4;

/// The wait before the second try; it doubles from then on.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// What a host is called in a configuration of ours.
const ALIAS: &str = "doppio-host";

/// One login to be: its files are in the folder, named by a number.
pub(super) struct Login {
    arguments: Vec<OsString>,
    trust: ClientTrust,
    keys: PathBuf,
    socket: PathBuf,
    folder: PathBuf,
}

impl Login {
    /// Writes what `ssh` is to read.
    ///
    /// # Errors
    ///
    /// When a list of host keys can't be read, the files can't be written, or the vendor of a rented
    /// machine can't say where it is.
    pub(super) async fn prepare(
        spec: &HostSpec,
        options: &ConnectOptions,
        folder: &Path,
        number: u32,
    ) -> Result<Self, HostError> {
        let spec = &locate(spec.clone(), options.rented.as_deref()).await?;
        let keys = folder.join(format!("{number}.keys"));
        let trust = ClientTrust::of(spec, &keys, options)?;
        let write = |file: &Path, text: &str| {
            fs::write(file, text).map_err(|error| {
                HostError::new(format!("cannot reach `{}`", spec.name))
                    .cause(format!("cannot write {}: {error}", file.display()))
            })
        };
        let mut arguments: Vec<OsString> = Vec::new();
        let mut option = |name: &str, value: &str| {
            arguments.extend([OsString::from("-o"), OsString::from(format!("{name}={value}"))]);
        };
        for (name, value) in ALWAYS {
            option(name, value);
        }
        for (name, value) in &trust.options {
            option(name, value);
        }
        option("ServerAliveInterval", &spec.keepalive.as_secs().max(1).to_string());
        option("ConnectTimeout", &spec.deadlines.tcp.as_secs().max(1).to_string());
        let target = if let Some(host) = &spec.config_host {
            for (name, value) in &host.options {
                option(name, value);
            }
            if let Some(file) = ssh_config::file(&options.home).await {
                arguments.extend([OsString::from("-F"), file.into()]);
            }
            write(&keys, &trust.lines)?;
            host.name.clone()
        } else {
            // Where the client keeps the key of a jump host that it learns; else it says that it can't.
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&options.state).ok();
            let config = openssh_config(spec, ALIAS, &keys, options)?;
            // A jump host's own client has no one to ask either.
            let text = format!("{}\nHost *\n    BatchMode yes\n", config.blocks);
            let file = folder.join(format!("{number}.config"));
            write(&file, &text)?;
            // Those of jump hosts come after ours.
            write(&keys, &format!("{}{}", trust.lines, config.keys))?;
            arguments.extend([OsString::from("-F"), file.into()]);
            ALIAS.to_owned()
        };
        arguments.extend(["--".into(), target.into()]);
        Ok(Self {
            arguments,
            trust,
            keys,
            socket: folder.join(number.to_string()),
            folder: folder.to_owned(),
        })
    }

    /// Logs in and keeps the connection. A passing trouble is tried again a few times.
    ///
    /// # Errors
    ///
    /// When there is no `ssh`, or it can't reach the host or log in; with its last words.
    pub(super) async fn log_in(
        &self,
        spec: &HostSpec,
        options: &ConnectOptions,
    ) -> Result<Master, HostError> {
        let begin = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut tried = 0;
        let master = loop {
            tried += 1;
            let within = spec.deadlines.total.saturating_sub(begin.elapsed());
            let mut words: Vec<OsString> = ["-M", "-N", "-T", "-x", "-a", "-S"].map(OsString::from).into();
            words.push(self.socket.clone().into());
            words.extend(self.arguments.iter().cloned());
            match Master::start(words, &self.socket, &self.folder, spec, within, &*options.prompt).await {
                Ok(master) => break master,
                Err(refused)
                    if refused.is_passing && tried < TRIES && begin.elapsed() < spec.deadlines.total =>
                {
                    sleep(wait).await;
                    wait *= 2;
                }
                Err(refused) => return Err(refused.error),
            }
        };
        if let Err(error) = self.decide() {
            master.close().await;
            return Err(error);
        }
        Ok(master)
    }

    /// Decides about the host key that `ssh` has learnt, if it was a first contact.
    ///
    /// # Errors
    ///
    /// When the key is not the host's.
    pub(super) fn decide(&self) -> Result<(), HostError> {
        let lines = fs::read_to_string(&self.keys).unwrap_or_default();
        self.trust.decide(&lines)
    }

    /// An `ssh` that logs in for one command only.
    pub(super) fn alone(&self, log: &Path, command: &str) -> Program {
        let client = quiet(Program::new("ssh")).args(["-T", "-x", "-a", "-S", "none", "-E"]).arg(log);
        client.args(&self.arguments).arg(command)
    }
}

/// What holds for every login. The first value that `ssh` hears of counts, so these come first.
const ALWAYS: [(&str, &str); 9] = [
    ("BatchMode", "yes"),
    ("ControlPersist", "no"),
    ("ClearAllForwardings", "yes"),
    ("PermitLocalCommand", "no"),
    ("RemoteCommand", "none"),
    ("RequestTTY", "no"),
    ("LogLevel", "INFO"),
    ("ServerAliveCountMax", "3"),
    ("Tunnel", "no"),
];
