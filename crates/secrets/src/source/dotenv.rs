//! A `.env` file beside the recipe.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use doppio_process::Ignored;
use doppio_process::Repository;
use doppio_text::name::SecretName;
use doppio_text::open;
use doppio_text::shell::typed;

use crate::SecretValue;
use crate::format::DotenvIndex;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::env::variable;
use crate::source::env::variables;
use crate::source::expect_value;
use crate::source::no_versions;
use crate::vendor;

pub(super) static KIND: Kind = Kind {
    scheme: "dotenv",
    summary: "a variable of the project's `.env`",
    writes: false,
    versions: false,
    remote: None,
};

/// One file. Its bytes are read anew each time, and kept nowhere; what is kept is where its variables stand.
#[derive(Debug)]
pub struct Dotenv {
    path: PathBuf,
    index: Mutex<Option<(Stamp, Arc<DotenvIndex>)>>,
    ignored: OnceCell<Ignored>,
}

/// What differs when a file has changed.
#[derive(Debug, PartialEq, Eq)]
struct Stamp([i128; 6]);

impl Stamp {
    fn of(file: &fs::Metadata) -> Self {
        Self([
            file.dev().into(),
            file.ino().into(),
            file.len().into(),
            i128::from(file.mtime()) << 32 | i128::from(file.mtime_nsec()),
            i128::from(file.ctime()) << 32 | i128::from(file.ctime_nsec()),
            file.mode().into(),
        ])
    }
}

impl Dotenv {
    /// The source over this file, which need not be there.
    pub fn new(path: PathBuf) -> Self {
        Self { path, index: Mutex::new(None), ignored: OnceCell::new() }
    }

    fn read(&self, name: &str) -> Result<SecretValue, SourceError> {
        variable(name)?;
        let opened = open(&self.path).and_then(|file| Ok((Stamp::of(&file.metadata()?), whole(file)?)));
        let (stamp, text) = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Absent {
                    cause: format!("`{}` does not exist", self.path.display()),
                });
            }
            Err(error) => return Err(self.broken(&error.to_string())),
        };
        let index = self.index(stamp, &text).map_err(|fault| self.broken(&fault))?;
        let value =
            index.select(&text, name).map_err(|fault| self.broken(&fault))?.ok_or(SourceError::Missing)?;
        expect_value(&format!("`{name}` in `{}`", self.path.display()), value.plain())?;
        Ok(value)
    }

    /// Where the variables of the file stand; it is read through once, until it changes.
    fn index(&self, stamp: Stamp, text: &[u8]) -> Result<Arc<DotenvIndex>, String> {
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, index)) = &*kept
            && *of == stamp
        {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(DotenvIndex::new(text)?);
        *kept = Some((stamp, Arc::clone(&index)));
        Ok(index)
    }

    fn broken(&self, cause: &str) -> SourceError {
        SourceError::unreachable(
            format!("cannot read `{}`: {cause}", self.path.display()),
            "fix the file, or write `dotenv = false` in doppio.toml",
        )
    }

    /// What is unsafe about the file.
    async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let shown = self.path.display();
        if let Ok(metadata) = fs::metadata(&self.path)
            && metadata.mode() & 0o077 != 0
        {
            warnings.push(format!(
                "others can read `{shown}`: run {}",
                typed(["chmod", "600", &shown.to_string()])
            ));
        }
        match self.ignored.get_or_init(|| Repository::ignores(&self.path)).await {
            Ignored::Yes | Ignored::Nowhere => {}
            Ignored::No => warnings.push(format!("git does not ignore `{shown}`: add it to .gitignore")),
            Ignored::Unknown(why) => {
                warnings.push(format!("whether git ignores `{shown}` is not known: {why}"));
            }
        }
        warnings
    }
}

/// What is in a `.env` file.
pub(crate) fn text(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    whole(open(path)?)
}

fn whole(mut file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text)?;
    Ok(text)
}

#[async_trait]
impl Source for Dotenv {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        format!("`{}`", self.path.display())
    }

    fn spelling(&self, name: &SecretName) -> String {
        vendor::in_capitals(name.as_str())
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        variables(name)
    }

    fn remedy(&self, path: &str) -> String {
        format!("write a line `{path}=…` to `{}`", self.path.display())
    }

    async fn check(&self) -> Answer<()> {
        match self.read("DOPPIO") {
            Ok(_) | Err(SourceError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn is_at_hand(&self) -> bool {
        true
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        no_versions("a `.env`", version)?;
        let value = self.read(path)?;
        let place = format!("`{path}` in `{}`", self.path.display());
        Ok((value, Metadata { place, warnings: self.warnings().await, ..Metadata::default() }))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn source(text: &str) -> (tempfile::TempDir, Dotenv) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, Dotenv::new(path))
    }

    #[tokio::test]
    async fn values_keep_every_byte() {
        let (_folder, source) = source("A=p$HOME\\n${X}\nB='one\ntwo $B'\nC=\"a\\nb\"\nD=\nexport E=x # y\n");
        for (name, value) in [("A", "p$HOME\\n${X}"), ("B", "one\ntwo $B"), ("C", "a\nb"), ("E", "x")] {
            assert_eq!(source.get(name, None).await.unwrap().0.plain(), value.as_bytes(), "{name}");
        }
        assert_eq!(source.get("D", None).await.unwrap_err(), SourceError::Missing);
        assert_eq!(source.locate("Z", None).await.unwrap_err(), SourceError::Missing);
    }

    #[test]
    fn a_file_is_read_through_once_until_it_changes() {
        let lines: Vec<String> = (0..2000).map(|n| format!("NAME_{n}=value-of-{n}")).collect();
        let (_folder, source) = source(&lines.join("\n"));
        let kept = || source.index.lock().unwrap().as_ref().map(|(_, index)| Arc::clone(index));
        assert_eq!(source.read("NAME_0").unwrap().plain(), b"value-of-0");
        let first = kept().unwrap();
        for n in 0..2000 {
            assert_eq!(
                source.read(&format!("NAME_{n}")).unwrap().plain(),
                format!("value-of-{n}").as_bytes()
            );
        }
        assert!(Arc::ptr_eq(&first, &kept().unwrap()));
        fs::write(&source.path, "\nNAME_1=another-one\nNAME_1='and one\nmore'\n").unwrap();
        assert_eq!(source.read("NAME_1").unwrap().plain(), b"and one\nmore");
        assert_eq!(source.read("NAME_0").unwrap_err(), SourceError::Missing);
    }

    #[tokio::test]
    async fn what_others_read_otherwise_is_refused() {
        let (_folder, source) = source("A=plain-one\nB=hun\\$ter2\nC='hun\\$ter2'\nB=hun\\#ter2\n");
        assert!(source.get("A", None).await.is_ok() && source.get("C", None).await.is_ok());
        let fault = source.get("B", None).await.unwrap_err().to_string();
        assert!(fault.contains("line 4: the value of `B`") && !fault.contains("ter2"), "{fault}");
    }

    #[tokio::test]
    async fn a_fault_has_a_place_and_no_text() {
        let (_folder, source) = source("A=1\nB='hunter2\n");
        let fault = source.get("A", None).await.unwrap_err().to_string();
        assert!(fault.contains("line 2, column"), "{fault}");
        assert!(!fault.contains("hunter2"), "{fault}");
    }

    #[tokio::test]
    async fn an_open_mode_and_a_tracked_file_are_told() {
        let (folder, _) = source("A=12345678");
        // Each asks git once.
        let told = || Dotenv::new(folder.path().join(".env"));
        assert!(told().locate("A", None).await.unwrap().warnings.is_empty());
        fs::set_permissions(folder.path().join(".env"), fs::Permissions::from_mode(0o644)).unwrap();
        let init =
            std::process::Command::new("git").arg("init").arg("-q").arg(folder.path()).status().unwrap();
        assert!(init.success());
        let warnings = told().locate("A", None).await.unwrap().warnings;
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        fs::write(folder.path().join(".gitignore"), ".env\n").unwrap();
        assert_eq!(told().locate("A", None).await.unwrap().warnings.len(), 1);
    }
}
