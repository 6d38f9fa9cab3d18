//! Whether a text is what it should be: a path or a name, which messages quote, or a value that somebody
//! put there by mistake, as the JSON of a key in a variable for its file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

use crate::randomness::is_random;

/// No file system has longer names, or paths. In bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4096;

/// What no message quotes though it stands where a path or a name should.
const SIGNS: [char; 6] = ['"', '{', '}', '\n', '\r', '\0'];

/// Whether a text may be quoted as a path or a name.
pub fn looks_like_path(text: &OsStr) -> bool {
    let bytes = text.as_bytes();
    let Some(text) = text.to_str() else { return Path::new(text).exists() };
    let is_fit = bytes.len() <= LONGEST_PATH
        && !text.contains(SIGNS)
        && !text.contains("-----BEGIN")
        && text.split('/').all(|name| name.len() <= LONGEST_NAME);
    is_fit && is_likely(text)
}

/// Whether it ends like the name of a file, as in `key.json`.
fn has_ending(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty()
            && matches!(ending.len(), 1..=5)
            && ending.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

/// Whether it is a word such as people write for a name themselves: short, and in small letters.
fn is_plain(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    text.len() <= 30 && text.bytes().all(is_fit)
}

/// Whether a text may be shown as the name that it should be, as that of a region or a profile: a short word
/// that looks like no secret.
pub fn looks_like_name(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 40 && text.bytes().all(is_fit) && !is_random(text)
}

/// Whether nothing in it looks random but folders and files that exist.
fn is_likely(text: &str) -> bool {
    let is_relative = !text.starts_with(['/', '~', '.']);
    // A word alone may be anything; a file that is not there is known by its ending.
    if is_relative && (is_random(text) || !text.contains('/') && !has_ending(text) && !is_plain(text)) {
        return Path::new(text).exists();
    }
    let ends = text.match_indices(['/', ':']).map(|(end, _)| end).chain([text.len()]);
    let mut begin = 0;
    for end in ends {
        if is_random(&text[begin..end]) && !Path::new(&text[..end]).exists() {
            return false;
        }
        begin = end + 1;
    }
    true
}

/// What a variable that should hold a path holds: a value that is not one is replaced by a path that no
/// file has, and that says so where messages quote it.
pub(crate) fn path(variable: &str, value: &OsStr) -> PathBuf {
    if looks_like_path(value) {
        return PathBuf::from(value);
    }
    PathBuf::from(format!("/dev/null/the value of {variable} is not a path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // case B1
    #[test]
    fn paths_and_names_are_told_from_values() {
        for text in [
            "/home/me/.config/gcloud/application_default_credentials.json",
            "~/.netrc",
            "key.json",
            "../keys/service account.json",
            "/tmp/.tmpAb3dEf9/home/x",
            "/a:/b/c",
            "prod-eu",
            "ghe.example",
        ] {
            assert!(looks_like_path(OsStr::new(text)), "{text}");
        }
        assert!(!looks_like_path(OsStr::new("PRIVATEXX_tok_hf_abcDEF123")), "a word alone may be a token");
        assert!(looks_like_name("eu-central-1") && looks_like_name("prod"));
        assert!(!looks_like_name("{\"private_key\":\"x\"}") && !looks_like_name(&"a".repeat(41)));
        let token = format!("hf_{}", "aB3dE5gH7j".repeat(4));
        let long = "x".repeat(300);
        for text in [
            r#"{"type": "service_account", "private_key": "-----BEGIN"}"#,
            "machine github.com\nlogin me\npassword hunter2",
            "apiVersion: v1\nkind: Config",
            &token,
            &format!("/secrets/{token}"),
            "wJ4lrXUtnFEM7/K7mDeNG3bPxRf9CYqZ2sT6vW8yA1c",
            &long,
        ] {
            assert!(!looks_like_path(OsStr::new(text)), "{text}");
            let path = path("NETRC", OsStr::new(text));
            assert_eq!(path, Path::new("/dev/null/the value of NETRC is not a path"));
            assert!(!path.exists());
        }
    }
}
