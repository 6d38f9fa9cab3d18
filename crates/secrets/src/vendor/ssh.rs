//! SSH keys: `openssh/readconf.c`, the default identities.

use crate::SecretValue;
use crate::vendor::Credential;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;

/// git uses this key and no other, and never prompts.
pub(super) static FILE: FileForm = FileForm {
    variable: "GIT_SSH_COMMAND",
    file: "key",
    before: "ssh -i '",
    after: "' -o IdentitiesOnly=yes -o BatchMode=yes \
            -o \"GlobalKnownHostsFile=$DOPPIO_KNOWN_HOSTS /etc/ssh/ssh_known_hosts\"",
    names_folder: false,
};

/// Beside it, for hosts that have never met a forge: nobody could confirm a key there.
static KNOWN_HOSTS: FileForm = FileForm::path("DOPPIO_KNOWN_HOSTS", "known_hosts");

/// The keys of the usual forges, as they publish them: docs.github.com "GitHub's SSH key fingerprints",
/// docs.gitlab.com "SSH `known_hosts` entries", bitbucket.org/site/ssh, huggingface.co "Git over SSH".
const FORGES: &str = "\
github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=
gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf
bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO
hf.co ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINJjhgtT9FOQrsVSarIoPVI1jFMh3VSHdKfdqp/O776s
";

/// The order in which `ssh` offers them. Those of a security key (`_sk`) can't be copied.
const IDENTITIES: [&str; 4] = ["id_rsa", "id_ecdsa", "id_ed25519", "id_mldsa44_ed25519"];

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let usual = || IDENTITIES.iter().map(|name| local.home(".ssh").join(name)).collect();
    let paths = local.asked().map_or_else(usual, |path| vec![local.below_home(path.as_ref())]);
    for path in paths {
        let Some(file) = Local::read(path)? else { continue };
        let text = file.text()?;
        if !text.contains("PRIVATE KEY-----") {
            return Err(file.broken("it is not a private key"));
        }
        return Ok(Some(file.found(vendor, file.value.clone(), file.place())));
    }
    Ok(None)
}

/// The default ones that are there.
pub(super) fn key_files(local: &Local<'_>) -> Vec<String> {
    let names = IDENTITIES.iter().map(|name| format!("~/.ssh/{name}"));
    names.filter(|name| local.below_home(name.as_ref()).exists()).collect()
}

pub(super) fn tell(mut credential: Credential, _: &Local<'_>) -> Credential {
    credential.files.push((&KNOWN_HOSTS, FORGES.to_owned()));
    let is_locked = |value: &SecretValue| std::str::from_utf8(value.plain()).is_ok_and(is_locked);
    if credential.values().any(is_locked) {
        credential.staying("it has a passphrase, which nobody could type there")
    } else {
        credential
    }
}

/// Whether the key has a passphrase: a PEM header says so, or the name of the cipher in a key of
/// OpenSSH's own form (`PROTOCOL.key`).
fn is_locked(text: &str) -> bool {
    if text.contains("ENCRYPTED") {
        return true;
    }
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).take(2).collect();
    let head = body.get(..body.len() / 4 * 4).unwrap_or_default();
    let Ok(head) = data_encoding::BASE64.decode(head.as_bytes()) else { return false };
    // `openssh-key-v1\0`, then the length of the cipher's name and the name.
    head.starts_with(b"openssh-key-v1\0") && head.get(19..23) != Some(b"none")
}

/// A private key: it is one secret, byte for byte.
pub(super) fn file(vendor: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let begin = text.plain().trim_ascii_start();
    let line = begin.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
    let is_key = line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----");
    let key = &vendor.sets[0][0];
    is_key.then(|| {
        let secret = ToolSecret::new(key.name, key.name, text.clone());
        ToolFile::of("a private key", vec![secret])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_is_told_by_its_cipher() {
        let key = |cipher: &[u8]| {
            let mut bytes = b"openssh-key-v1\0\0\0\0".to_vec();
            bytes.push(u8::try_from(cipher.len()).unwrap());
            bytes.extend_from_slice(cipher);
            bytes.extend_from_slice(&[7; 60]);
            let body = data_encoding::BASE64.encode(&bytes);
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
        };
        assert!(!is_locked(&key(b"none")));
        assert!(is_locked(&key(b"aes256-ctr")));
        assert!(is_locked("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"));
    }
}
