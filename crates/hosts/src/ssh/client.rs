//! What russh calls back, and how it is set up.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::Mutex;

use russh::AlgorithmKind;
use russh::cipher;
use russh::client::Config;
use russh::client::DisconnectReason;
use russh::client::Handler;
use russh::client::Session;
use russh::kex;
use russh::keys::Algorithm;
use russh::keys::EcdsaCurve;
use russh::keys::HashAlg;
use russh::keys::PublicKeyOrCertificate;
use tokio::sync::watch;

use crate::HostError;
use crate::HostSpec;
use crate::ssh::host_key::Judge;
use crate::ssh::pinned_key::fingerprint;

/// Unanswered keepalives that end a connection.
const KEEPALIVES: usize = 3;

/// Bytes in flight to us per channel: enough for 1 Gbit/s at 60 ms.
const WINDOW: u32 = 8 * 1024 * 1024;

/// russh ends the session when the server names no method to go on with.
pub(in crate::ssh) const NO_WAY_IN: &str = "the server offers no way to log in";

/// The callbacks of one session. What they learn lies in [`Learnt`].
pub(crate) struct Client {
    judge: Judge,
    learnt: Arc<Mutex<Learnt>>,
    ended: watch::Sender<Option<String>>,
}

/// What the callbacks of a session learnt.
#[derive(Debug, Default)]
pub(in crate::ssh) struct Learnt {
    /// Why the host key was not accepted.
    pub refusal: Option<HostError>,
    /// The host key that was accepted, as `ssh-ed25519 SHA256:…`.
    pub host_key: String,
    /// What the server wants a person to read before logging in.
    pub notice: String,
}

impl Client {
    pub(in crate::ssh) fn new(judge: Judge) -> (Self, Arc<Mutex<Learnt>>, watch::Receiver<Option<String>>) {
        let learnt = Arc::new(Mutex::new(Learnt::default()));
        let (ended, watch_end) = watch::channel(None);
        (Self { judge, learnt: learnt.clone(), ended }, learnt, watch_end)
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let decided = self.judge.decide(offered);
        let mut learnt = self.learnt.lock().expect("no holder panics");
        learnt.host_key = fingerprint(offered.public_key().key_data());
        learnt.refusal = decided.err();
        Ok(learnt.refusal.is_none())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), russh::Error> {
        let mut learnt = self.learnt.lock().expect("no holder panics");
        // A server may send as many as it likes.
        if learnt.notice.len() < 4096 {
            learnt.notice.push_str(banner);
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let (text, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let said = crate::error::words(info.message.as_bytes());
                let text = if said.is_empty() { format!("{:?}", info.reason_code) } else { said };
                (format!("the server ended the session: {text}"), Ok(()))
            }
            DisconnectReason::Error(error) => (why(&error), Err(error)),
        };
        self.ended.send_replace(Some(text));
        result
    }
}

/// An error of russh in words that say more than its own.
pub(in crate::ssh) fn why(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::SendError | russh::Error::RecvError => {
            "the connection was closed".to_owned()
        }
        russh::Error::NoAuthMethod => NO_WAY_IN.to_owned(),
        russh::Error::KeepaliveTimeout => format!("the host did not answer {KEEPALIVES} keepalives"),
        russh::Error::IO(error) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
            _ => error.to_string(),
        },
        russh::Error::NoCommonAlgo { kind, ours, theirs } => format!(
            "no common {} algorithm: here {}; there {}",
            format!("{kind:?}").to_lowercase(),
            ours.join(","),
            theirs.join(",")
        ),
        other => other.to_string(),
    }
}

/// How russh is to behave with this host.
pub(in crate::ssh) fn config(spec: &HostSpec, judge: &Judge) -> Config {
    let mut config = Config {
        window_size: WINDOW,
        keepalive_interval: Some(spec.keepalive),
        keepalive_max: KEEPALIVES,
        nodelay: true,
        ..Config::default()
    };
    let algorithms = judge.algorithms(&host_key_algorithms());
    if judge.has_authority() {
        config.preferred.host_key_certificates = Cow::Owned(algorithms.clone());
    }
    config.preferred.key = Cow::Owned(algorithms);
    config.preferred.kex = Cow::Owned(key_exchanges(&config.preferred.kex));
    config.preferred.cipher = Cow::Owned(ciphers());
    config.preferred.compression = Cow::Borrowed(&[russh::compression::NONE]);
    config
}

/// Everything but SHA-1.
fn host_key_algorithms() -> Vec<Algorithm> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    vec![
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        rsa(HashAlg::Sha512),
        rsa(HashAlg::Sha256),
    ]
}

/// russh's own choice, and last the curves of NIST, which some servers have alone.
fn key_exchanges(usual: &[kex::Name]) -> Vec<kex::Name> {
    const CURVES: [kex::Name; 3] =
        [kex::ECDH_SHA2_NISTP256, kex::ECDH_SHA2_NISTP384, kex::ECDH_SHA2_NISTP521];
    let mut all: Vec<_> = usual.iter().copied().filter(|name| !CURVES.contains(name)).collect();
    // At the list's end stand extensions, which are no algorithms.
    let end = all.iter().position(|name| *name == kex::EXTENSION_SUPPORT_AS_CLIENT).unwrap_or(all.len());
    all.splice(end..end, CURVES);
    all
}

/// What to write where both have no algorithm in common.
pub(in crate::ssh) fn hint(error: &russh::Error) -> Option<String> {
    let russh::Error::NoCommonAlgo { kind, .. } = error else { return None };
    let line = match kind {
        AlgorithmKind::Kex => "KexAlgorithms +curve25519-sha256",
        AlgorithmKind::Key => "HostKeyAlgorithms +ssh-ed25519",
        AlgorithmKind::Cipher => "Ciphers +aes256-gcm@openssh.com,aes256-ctr",
        AlgorithmKind::Mac => "MACs +hmac-sha2-256-etm@openssh.com,hmac-sha2-256",
        AlgorithmKind::Compression => "Compression no",
    };
    Some(format!(
        "add `{line}` to its sshd_config; Doppio speaks no algorithm that it offers now. Your own `ssh` may: \
         write `transport = \"openssh\"` into its entry of hosts.toml"
    ))
}

/// AES-GCM first where the processor has AES, else `ChaCha20` first.
fn ciphers() -> Vec<cipher::Name> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let has_aes = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let has_aes = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let has_aes = false;
    let mut ciphers = vec![
        cipher::AES_128_GCM,
        cipher::AES_256_GCM,
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_CTR,
        cipher::AES_192_CTR,
        cipher::AES_128_CTR,
    ];
    if !has_aes {
        ciphers[..3].rotate_right(1);
    }
    ciphers
}
