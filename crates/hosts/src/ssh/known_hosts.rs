//! Lists of host keys as OpenSSH writes them (sshd(8), `SSH_KNOWN_HOSTS` FILE FORMAT): several files
//! read as one, one of them our own and written.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

use data_encoding::BASE64;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use russh::keys::PublicKey;
use sha1::Sha1;

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ssh) enum Marker {
    /// It is the host's.
    Host,
    /// It signs certificates of hosts.
    Authority,
    /// It must not be used any more.
    Revoked,
}

/// One line of one file.
#[derive(Debug, Clone)]
pub(in crate::ssh) struct Entry {
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    pub marker: Marker,
    pub key: PublicKey,
    patterns: String,
}

impl Entry {
    /// Whether the line speaks of this name: `host`, `[host]:port` or an identity.
    pub(in crate::ssh) fn is_about(&self, name: &str) -> bool {
        let mut found = false;
        for pattern in self.patterns.split(',') {
            if let Some(pattern) = pattern.strip_prefix('!') {
                if matches(pattern, name) {
                    return false;
                }
            } else if matches(pattern, name) {
                found = true;
            }
        }
        found
    }

    /// Whether one of the line's names is this one, and not a pattern that fits it.
    pub(in crate::ssh) fn is_about_one(&self, name: &str) -> bool {
        let is_it = |pattern: &str| pattern.eq_ignore_ascii_case(name) || is_hash_of(pattern, name);
        self.patterns.split(',').any(is_it)
    }

    /// Whether the line speaks of every host.
    pub(in crate::ssh) fn is_about_all(&self) -> bool {
        self.patterns.split(',').any(|pattern| pattern == "*")
    }

    /// The file and the line as messages have them.
    pub(in crate::ssh) fn location(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    fn parse(file: &Path, line: usize, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let mut fields = text.split_whitespace();
        let first = fields.next()?;
        let (marker, patterns) = match first {
            "@cert-authority" => (Marker::Authority, fields.next()?),
            "@revoked" => (Marker::Revoked, fields.next()?),
            // A marker that we don't know could mean anything.
            _ if first.starts_with('@') => return None,
            _ => (Marker::Host, first),
        };
        let (kind, base64) = (fields.next()?, fields.next()?);
        // A key type that we don't know can't be offered to us either.
        let key = PublicKey::from_openssh(&format!("{kind} {base64}")).ok()?;
        Some(Self { file: file.to_owned(), line, marker, key, patterns: patterns.to_owned() })
    }
}

/// All lines of all files.
#[derive(Debug, Clone, Default)]
pub(in crate::ssh) struct KnownHosts {
    entries: Vec<Entry>,
}

impl KnownHosts {
    /// Reads the files in order. One that is not there is empty.
    ///
    /// # Errors
    ///
    /// A file that is there and can't be read: a revoked key could stand in it.
    pub(in crate::ssh) fn read(files: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let mut entries = Vec::new();
        for file in files {
            let bytes = match fs::read(file) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err((file.clone(), error)),
            };
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().enumerate();
            entries.extend(lines.filter_map(|(index, line)| Entry::parse(file, index + 1, line)));
        }
        Ok(Self { entries })
    }

    /// The lines with this marker that speak of one of the names.
    pub(in crate::ssh) fn about(&self, marker: Marker, names: &[&str]) -> Vec<&Entry> {
        let is_about = |entry: &Entry| names.iter().any(|name| entry.is_about(name));
        self.entries.iter().filter(|entry| entry.marker == marker && is_about(entry)).collect()
    }
}

/// Keeps a key under an identity, unless another process has just kept one. Gives what the file
/// then says of the identity.
///
/// # Errors
///
/// When the file can't be written.
pub(in crate::ssh) fn keep(path: &Path, identity: &str, key: &PublicKey) -> io::Result<Vec<Entry>> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = File::options().read(true).append(true).create(true).mode(0o600).open(path)?;
    // Held until the file is closed.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let about = |text: &str| -> Vec<Entry> {
        let lines = text.lines().enumerate();
        lines
            .filter_map(|(index, line)| Entry::parse(path, index + 1, line))
            .filter(|entry| entry.marker == Marker::Host && entry.is_about(identity))
            .collect()
    };
    let kept = about(&text);
    if !kept.is_empty() {
        return Ok(kept);
    }
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let key = PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(io::Error::other)?;
    let line = format!("{newline}{} {}\n", pattern_of(identity), key.trim_end());
    file.write_all(line.as_bytes())?;
    file.sync_data()?;
    Ok(about(&(text + &line)))
}

/// Takes out all lines about an identity. Gives how many there were.
///
/// # Errors
///
/// When the file can't be read or written.
pub(crate) fn forget(path: &Path, identity: &str) -> io::Result<usize> {
    let mut file = match File::options().read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let stays = |line: &&str| Entry::parse(path, 0, line).is_none_or(|entry| !entry.is_about(identity));
    let left: String = text.split_inclusive('\n').filter(stays).collect();
    let gone = text.lines().count() - left.lines().count();
    if gone > 0 {
        // In place, since others wait for the lock of this very file.
        file.set_len(0)?;
        file.write_all(left.as_bytes())?;
        file.sync_data()?;
    }
    Ok(gone)
}

/// An identity as a pattern that means nothing else: hashed where it holds a sign of patterns.
fn pattern_of(identity: &str) -> String {
    if !identity.contains([',', '*', '?', '!', '|', '#', '@', ' ']) {
        return identity.to_owned();
    }
    let mut salt = [0; 20];
    // Only uniqueness is wanted of it; without it the hash is as good.
    let _ = getrandom::fill(&mut salt);
    let hash = hashed(&salt, identity).finalize().into_bytes();
    format!("|1|{}|{}", BASE64.encode(&salt), BASE64.encode(&hash))
}

fn hashed(salt: &[u8], name: &str) -> Hmac<Sha1> {
    Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of every length").chain_update(name)
}

fn matches(pattern: &str, name: &str) -> bool {
    if pattern.starts_with("|1|") { is_hash_of(pattern, name) } else { is_like(pattern, name) }
}

fn is_hash_of(pattern: &str, name: &str) -> bool {
    let Some((salt, hash)) = pattern.strip_prefix("|1|").and_then(|hash| hash.split_once('|')) else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (BASE64.decode(salt.as_bytes()), BASE64.decode(hash.as_bytes())) else {
        return false;
    };
    hashed(&salt, name).verify_slice(&hash).is_ok()
}

/// Wildcards as in `ssh_config`: `*` is any text, `?` any one character. Case does not matter.
pub(in crate::ssh) fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase().into_bytes(), name.to_lowercase().into_bytes());
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(&sign) if sign == b'?' || sign == name[of] => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    at = back + 1;
                    of = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&sign| sign == b'*')
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn entry(patterns: &str) -> Entry {
        Entry::parse(Path::new("k"), 1, &format!("{patterns} {KEY} comment")).expect("the line is good")
    }

    #[test]
    fn patterns_follow_openssh() {
        assert!(entry("gpu").is_about("gpu"));
        assert!(entry("gpu").is_about("GPU"));
        assert!(!entry("gpu").is_about("[gpu]:2222"));
        assert!(entry("[gpu]:2222,10.0.0.7").is_about("10.0.0.7"));
        assert!(entry("*.example.com,!bad.example.com").is_about("a.example.com"));
        assert!(!entry("*.example.com,!bad.example.com").is_about("bad.example.com"));
        assert!(entry("10.0.0.?").is_about("10.0.0.7"));
        assert!(!entry("10.0.0.?").is_about("10.0.0.77"));
        assert!(entry("[*]:2222").is_about("[x]:2222"));
    }

    #[test]
    fn hashed_names_are_found() {
        // ssh-keygen -H of `gpu.example.com`.
        let name = "gpu.example.com";
        let hash = pattern_of("gpu.example.com,");
        assert!(hash.starts_with("|1|"));
        assert!(entry(&hash).is_about("gpu.example.com,"));
        assert!(!entry(&hash).is_about(name));
    }

    #[test]
    fn odd_lines_are_left_out() {
        for line in ["", "# x", "gpu", "gpu ssh-ed25519", "gpu ssh-ed25519 ????", "@other gpu x y"] {
            assert!(Entry::parse(Path::new("k"), 1, line).is_none(), "{line}");
        }
        let revoked = Entry::parse(Path::new("k"), 1, &format!("@revoked * {KEY}")).unwrap();
        assert_eq!(revoked.marker, Marker::Revoked);
        assert!(revoked.is_about_all());
    }

    #[test]
    fn a_key_is_kept_once_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/known_hosts");
        let (key, other) = (PublicKey::from_openssh(KEY).unwrap(), PublicKey::from_openssh(OTHER).unwrap());
        assert_eq!(keep(&path, "gpu", &key).unwrap().len(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let kept = keep(&path, "gpu", &other).unwrap();
        assert_eq!((kept.len(), &kept[0].key), (1, &key), "what is kept first stays");
        keep(&path, "gpu2", &other).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("gpu {KEY}\ngpu2 {OTHER}\n"));
        assert_eq!(forget(&path, "gpu").unwrap(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("gpu2 {OTHER}\n"));
        assert_eq!(forget(&folder.path().join("none"), "gpu").unwrap(), 0);
    }

    #[test]
    fn what_openssh_hashes_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        // By `ssh-keygen -H`, of `[127.0.0.1]:2222`.
        fs::write(&path, format!("|1|t4AqVBbTEb/96xVBiWUhrTb4D7g=|tqb9p7uFfXYGA4NCzKTF93Q6btA= {KEY}\n"))
            .unwrap();
        let known = KnownHosts::read(&[path]).unwrap();
        assert_eq!(known.about(Marker::Host, &["[127.0.0.1]:2222"]).len(), 1);
        assert!(known.about(Marker::Host, &["[127.0.0.1]:2222"])[0].is_about_one("[127.0.0.1]:2222"));
        assert!(known.about(Marker::Host, &["127.0.0.1"]).is_empty());
    }
}
