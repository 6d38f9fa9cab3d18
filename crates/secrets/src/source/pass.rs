//! `pass`, the standard Unix password manager: `pass:PATH`.
//!
//! The value is the whole entry, without its last line break if that is the only one. `#password`
//! is its first line, and any other property the `KEY: value` line of that name, or a member of an
//! entry that is a document.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use doppio_text::shell::typed;

use crate::SecretValue;
use crate::format;
use crate::source::Answer;
use crate::source::Key;
use crate::source::KeyType;
use crate::source::Kind;
use crate::source::Member;
use crate::source::Metadata;
use crate::source::Remark;
use crate::source::RemoteKind;
use crate::source::RemoteSource;
use crate::source::Setup;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::no_versions;
use crate::source::program::Complaint;
use crate::source::program::Meaning;
use crate::source::program::Program;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Pass::new(&setup)) };

static KIND: Kind = Kind {
    scheme: "pass",
    summary: "the password store of `pass`: `pass:PATH`",
    writes: true,
    versions: false,
    remote: Some(RemoteKind {
        // The agent may ask for a passphrase.
        deadline: Duration::from_mins(1),
        batch: 1,
        keys: KEYS,
    }),
};

const KEYS: &[Key] = &[
    Key {
        name: "store",
        form: KeyType::Path,
        doc: "the store's folder; else `PASSWORD_STORE_DIR`, then `~/.password-store`",
    },
    Key { name: "program", form: KeyType::Path, doc: "the program, if it is not `pass` in `PATH`" },
];

/// Parts the path of an entry from a line of it; a reference holds no such character.
const LINE: char = '\n';

/// The source `pass`.
#[derive(Debug)]
struct Pass {
    program: Program,
    store: PathBuf,
    /// The settings or the environment say that there is a store.
    is_named: bool,
}

impl Pass {
    fn new(setup: &Setup) -> Self {
        let path = setup.path("program", &[]).unwrap_or_else(|| "pass".into());
        let named = setup.path("store", &["PASSWORD_STORE_DIR"]);
        let is_named = named.is_some();
        let store = named.unwrap_or_else(|| setup.home.join(".password-store"));
        let variables = vec![("PASSWORD_STORE_DIR", store.clone().into())];
        let get = "https://www.passwordstore.org";
        Self { program: Program { path, get, variables, complaints: COMPLAINTS }, store, is_named }
    }

    /// The file of an entry. A path is never one outside of the store.
    fn file(&self, path: &str) -> Result<PathBuf, SourceError> {
        if path.starts_with('-') || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(SourceError::unfit(format!("`{path}` is not a path of an entry")));
        }
        if !self.store.is_dir() {
            let cause = format!("there is no password store (`{}`)", self.store.display());
            return Err(if self.is_named {
                let hint = "mount it, or fix `store` in `[sources.pass]` or `PASSWORD_STORE_DIR`";
                SourceError::unreachable(cause, hint)
            } else {
                SourceError::Absent { cause }
            });
        }
        Ok(self.store.join(format!("{path}.gpg")))
    }

    /// What is known of an entry that is there, without decrypting it.
    fn entry(&self, path: &str, version: Option<&str>) -> Result<Metadata, SourceError> {
        no_versions("`pass`", version)?;
        match std::fs::metadata(self.file(path)?) {
            Ok(file) => Ok(Metadata {
                place: format!("entry `{path}` of `pass`"),
                created: file.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok()),
                ..Metadata::default()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SourceError::Missing),
            Err(error) => Err(SourceError::unreachable(
                format!("cannot look at the entry `{path}`: {error}"),
                "check the modes of the password store",
            )),
        }
    }

    fn walk(&self, folder: &Path, found: &mut Vec<(String, Metadata)>) -> Result<(), SourceError> {
        let broken = |error: std::io::Error| {
            SourceError::unreachable(
                format!("cannot read `{}`: {error}", folder.display()),
                "check the modes of the password store",
            )
        };
        for entry in std::fs::read_dir(folder).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() && !path.is_symlink() && !is_hidden {
                self.walk(&path, found)?;
            } else if let Some(name) = path
                .strip_prefix(&self.store)
                .ok()
                .and_then(Path::to_str)
                .and_then(|name| name.strip_suffix(".gpg"))
                && let Ok(metadata) = self.entry(name, None)
            {
                found.push((name.to_owned(), metadata));
            }
        }
        Ok(())
    }
}

/// What the program's messages mean.
const COMPLAINTS: &[Complaint] = &[
    (&["is not in the password store"], Meaning::Missing),
    (
        &["no secret key", "no such key", "unusable secret key"],
        Meaning::NotAllowed(
            "the entry is not encrypted for a key of yours:",
            "run `gpg --list-secret-keys`, and look at `GNUPGHOME`",
        ),
    ),
    (
        &["inappropriate ioctl", "cancelled", "canceled", "no pinentry", "bad passphrase", "timeout"],
        Meaning::Unreachable(
            "the key is locked:",
            "unlock it first, as by `pass show ENTRY` at a terminal; the agent keeps it open for a while",
        ),
    ),
    (
        &["pass init", "store is empty"],
        Meaning::Unreachable("the password store has no key", "run `pass init KEY-ID`"),
    ),
    (&[], Meaning::Unreachable("`pass` failed:", "run `pass` by hand to see what it says")),
];

/// The line of an entry that a property means.
fn line(entry: &SecretValue, property: &str, path: &str) -> Result<SecretValue, SourceError> {
    let mut lines = entry.plain().split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let found = if property == "password" {
        Some(first)
    } else {
        lines.find_map(|line| {
            let rest = line.strip_prefix(property.as_bytes())?.strip_prefix(b":")?;
            Some(rest.trim_ascii())
        })
    };
    match found {
        Some([]) => Err(SourceError::Missing),
        Some(line) => Ok(SecretValue::new(line.to_vec())),
        // An entry may be a whole document.
        None => format::select_in(entry, property, path).ok().flatten().ok_or(SourceError::Missing),
    }
}

#[async_trait]
impl Source for Pass {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "`pass`".to_owned()
    }

    fn member(&self, path: &str, property: &str) -> Option<Member> {
        Some(Member { path: format!("{path}{LINE}{property}"), rest: Vec::new() })
    }

    fn member_to_write(&self, _path: &str, _property: &str) -> Option<String> {
        None
    }

    fn remedy(&self, path: &str) -> String {
        format!("run {}", typed(["pass", "insert", path.split(LINE).next().unwrap_or(path)]))
    }

    /// That the program is there and the store has a key; nothing is decrypted.
    async fn check(&self) -> Answer<()> {
        self.file("doppio")?;
        if !self.store.join(".gpg-id").is_file() {
            return Err(SourceError::unreachable("the password store has no key", "run `pass init KEY-ID`"));
        }
        self.program.run(&["version"], None).await.map(drop)
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let (entry, property) = path.split_once(LINE).map_or((path, None), |(path, key)| (path, Some(key)));
        // `pass show FOLDER` prints what is in it, and that is not a secret.
        let metadata = self.entry(entry, version)?;
        let mut printed = self.program.run(&["show", "--", entry], None).await?;
        let value = SecretValue::new(std::mem::take(&mut *printed.stdout));
        let value = match property {
            Some(property) => line(&value, property, entry)?,
            None => value.without_last_newline(),
        };
        if value.plain().is_empty() { Err(SourceError::Missing) } else { Ok((value, metadata)) }
    }

    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        match path.split_once(LINE) {
            Some(_) => self.get(path, version).await.map(|(_, metadata)| metadata),
            None => self.entry(path, version),
        }
    }

    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        self.file(path)?;
        let arguments = ["insert", "--multiline", "--force", "--", path];
        self.program.run(&arguments, Some(value.plain())).await?;
        let mut metadata = self.entry(path, None)?;
        if !remark.is_empty() {
            metadata
                .warnings
                .push("`pass` stores neither note nor expiry: only the value was written".to_owned());
        }
        Ok(metadata)
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        self.entry(path, None)?;
        self.program.run(&["rm", "--force", "--", path], None).await.map(drop)
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        self.file("doppio")?;
        let mut found = Vec::new();
        self.walk(&self.store, &mut found)?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_entry() {
        let entry = SecretValue::new(b"hunter2\nuser: me\nurl: https://x\nuser: you\n".to_vec());
        let of = |property| line(&entry, property, "app").map(|value| value.plain().to_vec());
        assert_eq!(of("password").unwrap(), b"hunter2");
        assert_eq!(of("user").unwrap(), b"me");
        assert_eq!(of("url").unwrap(), b"https://x");
        assert_eq!(of("gone"), Err(SourceError::Missing));
    }
}
