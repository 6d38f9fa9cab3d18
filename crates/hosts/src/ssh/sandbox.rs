//! An SSH server inside this process, for trying recipes without a host: on loopback, with keys
//! that are made for it and thrown away, and with a home folder of its own. What runs on it runs
//! on this machine; the way there is the same as to any other host.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use russh::Channel;
use russh::ChannelId;
use russh::MethodKind;
use russh::MethodSet;
use russh::keys::PrivateKey;
use russh::keys::PublicKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server;
use russh::server::Auth;
use russh::server::ChannelOpenHandle;
use russh::server::Msg;
use russh::server::Session;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::HostError;
use crate::HostSpec;
use crate::Trust;
use crate::spec::AgentChoice;
use crate::spec::FirstContact;
use crate::ssh::sandbox_exec;
use crate::ssh::sandbox_exec::Processes;
use crate::ssh::sandbox_exec::SandboxExec;
use crate::ssh::strangers::Stranger;
use crate::ssh::strangers::Strangers;

/// What recipes call it.
pub(in crate::ssh) const NAME: &str = "sandbox";

/// What may lie in memory of what a client sends and nobody has read yet, once it has logged in.
const UNREAD: usize = 1 << 30;

/// The running server.
pub(crate) struct Sandbox {
    spec: HostSpec,
    folder: PathBuf,
    processes: Arc<Processes>,
    listening: JoinHandle<()>,
}

impl Sandbox {
    /// Starts one, with its folder below `state`.
    ///
    /// # Errors
    ///
    /// When the folder can't be made, or nothing can listen on loopback.
    pub(crate) async fn start(state: &Path) -> Result<Self, HostError> {
        Self::set_up(state)
            .await
            .map_err(|error| HostError::new("the sandbox could not be started").cause(error.to_string()))
    }

    async fn set_up(state: &Path) -> io::Result<Self> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce)?;
        let nonce = data_encoding::HEXLOWER.encode(&nonce);
        let folder = state.join(format!("sandbox-{nonce}"));
        let home = folder.join("home");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&home)?;
        // From here on the folder goes with the value.
        let processes = Arc::new(Processes::new(home, nonce));
        let mut sandbox = Self {
            spec: HostSpec::new(NAME, "sandbox", "127.0.0.1", 0),
            folder,
            processes,
            listening: tokio::spawn(async {}),
        };
        let (host_key, client_key) = (new_key()?, new_key()?);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let key_file = sandbox.folder.join("id");
        let text = client_key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
        write_private(&key_file, text.as_bytes())?;
        let known = sandbox.folder.join("known_hosts");
        let public = host_key.public_key().to_openssh().map_err(io::Error::other)?;
        write_private(&known, format!("sandbox,[127.0.0.1]:{port} {public}\n").as_bytes())?;
        sandbox.spec.port = port;
        // Else its key would be learnt, and the next sandbox would be taken for a changed host.
        NAME.clone_into(&mut sandbox.spec.identity);
        sandbox.spec.identity_files = vec![key_file];
        sandbox.spec.identities_only = true;
        sandbox.spec.agent = AgentChoice::None;
        sandbox.spec.known_hosts = vec![known];
        sandbox.spec.first_contact = Some(FirstContact::Refuse);
        sandbox.spec.trust = Trust::Owned;
        let config = server::Config {
            methods: MethodSet::from(&[MethodKind::PublicKey][..]),
            keys: vec![host_key],
            auth_rejection_time: std::time::Duration::ZERO,
            inactivity_timeout: None,
            nodelay: true,
            ..server::Config::default()
        };
        let visits = accept(
            listener,
            Arc::new(config),
            client_key.public_key().clone(),
            Arc::clone(&sandbox.processes),
        );
        sandbox.listening = tokio::spawn(visits);
        Ok(sandbox)
    }

    /// How it is reached.
    pub(crate) fn spec(&self) -> &HostSpec {
        &self.spec
    }

    /// Ends the server and all that runs on it, and removes its folder.
    pub(crate) async fn close(&self) {
        self.listening.abort();
        self.processes.empty().await;
        self.remove();
    }

    fn remove(&self) {
        if let Err(error) = fs::remove_dir_all(&self.folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            // Something may have been written in there while it was removed.
            let _left = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.listening.abort();
        self.processes.kill();
        self.remove();
    }
}

fn new_key() -> io::Result<PrivateKey> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)?;
    Ok(PrivateKey::from(Ed25519Keypair::from_seed(&seed)))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, bytes)
}

async fn accept(
    listener: TcpListener,
    config: Arc<server::Config>,
    key: PublicKey,
    processes: Arc<Processes>,
) {
    let strangers = Strangers::default();
    while let Ok((stream, _)) = listener.accept().await {
        let Some(stranger) = strangers.admit() else { continue };
        let visitor = Visitor {
            key: key.clone(),
            processes: Arc::clone(&processes),
            channels: HashMap::new(),
            login: stranger.login(),
        };
        tokio::spawn(visit(stream, Arc::clone(&config), visitor, stranger));
    }
}

/// Serves one connection. The socket is always read: both ends of russh stop reading while they
/// write, and two of them would wait for each other.
async fn visit(stream: TcpStream, config: Arc<server::Config>, visitor: Visitor, stranger: Stranger) {
    let _slow = stream.set_nodelay(true);
    let (mut from_socket, to_socket) = stream.into_split();
    let (from_pump, mut to_session) = tokio::io::simplex(UNREAD);
    let pump = async move {
        if stranger.hear(&mut from_socket, &mut to_session).await.is_ok() {
            let _broken = tokio::io::copy(&mut from_socket, &mut to_session).await;
        }
        let _ended = to_session.shutdown().await;
    };
    let serve = async move {
        if let Ok(session) = server::run_stream(config, tokio::io::join(from_pump, to_socket), visitor).await
        {
            let _broken = session.await;
        }
    };
    tokio::join!(pump, serve);
}

/// One connection's handler.
struct Visitor {
    key: PublicKey,
    processes: Arc<Processes>,
    channels: HashMap<ChannelId, SandboxExec>,
    /// Told when it has logged in.
    login: watch::Sender<bool>,
}

impl server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        offer: server::PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let judged = self.judge(key.public_key);
        self.login.send_replace(matches!(judged, Auth::Accept));
        Ok(judged)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let id = channel.id();
        // What comes is taken from `data`: a reading half that nobody reads would hold up all.
        let (_, writer) = channel.split();
        self.channels.insert(id, SandboxExec::new(writer));
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Like a server as it comes.
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let started = match self.channels.get_mut(&channel) {
            Some(exec) => exec.start(&self.processes, command, session.handle()),
            None => Err(io::Error::other("no such channel")),
        };
        if started.is_ok() { session.channel_success(channel) } else { session.channel_failure(channel) }
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(exec) = self.channels.get(&channel) {
            exec.hear(sandbox_exec::Said::Bytes(data.to_vec()));
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        if let Some(exec) = self.channels.get(&channel) {
            exec.hear(sandbox_exec::Said::End);
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }
}

impl Visitor {
    fn judge(&self, key: &PublicKey) -> Auth {
        if key.key_data() == self.key.key_data() { Auth::Accept } else { Auth::reject() }
    }
}
