//! Looks for a secret in all that a run leaves behind, in every usual encoding.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use aho_corasick::AhoCorasick;
use data_encoding::BASE64;
use data_encoding::BASE64URL;
use data_encoding::HEXLOWER;
use data_encoding::HEXUPPER;

/// What is looked for. Markers rather than whole values: a value has its marker in each of its
/// lines, so that a part of it is found too, however the rest was quoted or escaped.
pub(crate) struct Needles {
    search: AhoCorasick,
    names: Vec<String>,
}

impl Needles {
    /// For markers made of letters and digits, which most escapes leave alone.
    pub(crate) fn new(markers: &[&str]) -> Self {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut names = Vec::new();
        for marker in markers {
            assert!(marker.len() >= 16 && marker.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            for (encoding, pattern) in encodings(marker.as_bytes()) {
                patterns.push(pattern);
                names.push(format!("{encoding} of {marker}"));
            }
        }
        Self { search: AhoCorasick::new(patterns).expect("a few patterns can be compiled"), names }
    }

    /// What `text` holds, if it holds any.
    pub(crate) fn find(&self, text: &[u8]) -> Option<&str> {
        self.search.find(text).map(|found| self.names[found.pattern()].as_str())
    }

    /// The files below `folder` that hold any, and how many were read. Files older than `since`
    /// and those below `except` are left out.
    pub(crate) fn in_files(&self, folder: &Path, since: SystemTime, except: &Path) -> (Vec<String>, usize) {
        let mut hits = Vec::new();
        let mut read = 0;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            // What other programs put there may go at any time.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path != except) {
                if let Some(found) = self.find(path.as_os_str().as_encoded_bytes()) {
                    hits.push(format!("the name {}: {found}", path.display()));
                }
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                if metadata.is_dir() {
                    folders.push(path);
                } else if metadata.is_file() && metadata.modified().is_ok_and(|time| time >= since) {
                    read += 1;
                    hits.extend(self.in_file(&path));
                }
            }
        }
        (hits, read)
    }

    fn in_file(&self, path: &PathBuf) -> Option<String> {
        let mut text = Vec::new();
        fs::File::open(path).ok()?.read_to_end(&mut text).ok()?;
        self.find(&text).map(|found| format!("{}: {found}", path.display()))
    }
}

/// The forms in which a marker may stand somewhere, whatever stands around it.
fn encodings(marker: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("the plain text".to_owned(), marker.to_vec()),
        ("hex".to_owned(), HEXLOWER.encode(marker).into_bytes()),
        ("upper-case hex".to_owned(), HEXUPPER.encode(marker).into_bytes()),
        ("UTF-16".to_owned(), marker.iter().flat_map(|&byte| [byte, 0]).collect()),
        ("the reverse".to_owned(), marker.iter().rev().copied().collect()),
    ];
    for (name, form) in [
        ("\\x escapes", (|byte| format!("\\x{byte:02x}")) as fn(&u8) -> String),
        ("upper-case \\x escapes", |byte| format!("\\x{byte:02X}")),
        ("percent escapes", |byte| format!("%{byte:02x}")),
        ("upper-case percent escapes", |byte| format!("%{byte:02X}")),
        ("spaced hex", |byte| format!(" {byte:02x}")),
        ("octal escapes", |byte| format!("\\{byte:03o}")),
    ] {
        forms.push((name.to_owned(), marker.iter().map(form).collect::<Vec<_>>().concat().into_bytes()));
    }
    let decimal: Vec<String> = marker.iter().map(u8::to_string).collect();
    for separator in [",", ", "] {
        forms.push(("a list of numbers".to_owned(), decimal.join(separator).into_bytes()));
    }
    for (name, encoding) in [("base64", &BASE64), ("URL-safe base64", &BASE64URL)] {
        let once = base64_cores(encoding, marker);
        for core in &once {
            let twice = base64_cores(encoding, core);
            forms.extend(twice.into_iter().map(|core| (format!("twice {name}"), core)));
        }
        forms.extend(once.into_iter().map(|core| (name.to_owned(), core)));
    }
    forms
}

/// The characters of the base64 of a text that depend on `marker` alone, at the three places that
/// it can have in a group.
fn base64_cores(encoding: &data_encoding::Encoding, marker: &[u8]) -> Vec<Vec<u8>> {
    let core = |offset: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(marker.iter().copied()).collect();
        let text = encoding.encode(&padded).into_bytes();
        text[(offset * 8).div_ceil(6)..padded.len() * 8 / 6].to_vec()
    };
    (0..3).map(core).collect()
}

#[test]
fn every_encoding_is_found_in_its_surroundings() {
    let needles = Needles::new(&["Marker0123456789abcdef"]);
    let value = b"'\"$(x)`\nMarker0123456789abcdef\xff";
    for skip in 0..3 {
        assert!(needles.find(BASE64.encode(&value[skip..]).as_bytes()).is_some());
        let twice = BASE64URL.encode(BASE64URL.encode(&value[skip..]).as_bytes());
        assert!(needles.find(twice.as_bytes()).is_some());
    }
    assert!(needles.find(value).is_some());
    assert!(needles.find(HEXUPPER.encode(value).as_bytes()).is_some());
    assert!(needles.find(b"Marker0123456789abcde").is_none());
}

#[test]
fn files_are_searched_by_name_and_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = SystemTime::UNIX_EPOCH;
    let inner = folder.path().join("a/b");
    let except = folder.path().join("x");
    fs::create_dir_all(&inner).expect("folders");
    fs::create_dir_all(&except).expect("folders");
    fs::write(inner.join("c"), BASE64.encode(b"{\"key\": \"Marker0123456789abcdef\"}")).expect("a file");
    fs::write(inner.join("Marker0123456789abcdef"), "").expect("a file");
    fs::write(except.join("d"), "Marker0123456789abcdef").expect("a file");
    let (hits, read) = Needles::new(&["Marker0123456789abcdef"]).in_files(folder.path(), start, &except);
    assert_eq!((hits.len(), read), (2, 2), "{hits:?}");
}
