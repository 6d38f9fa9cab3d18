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

/// Whether nothing in it looks random but folders and files that exist.
fn is_likely(text: &str) -> bool {
    let is_relative = !text.starts_with(['/', '~', '.']);
    if is_relative && is_random(text) {
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
        ] {
            assert!(looks_like_path(OsStr::new(text)), "{text}");
        }
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
