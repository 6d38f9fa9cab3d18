//! A `.env` file beside the recipe.

use std::fs;
use std::io;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use async_trait::async_trait;
use zeroize::Zeroizing;

use doppio_process::Ignored;
use doppio_process::Repository;
use doppio_text::name::SecretName;
use doppio_text::open;

use crate::SecretValue;
use crate::format;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::env::in_capitals;
use crate::source::env::variable;
use crate::source::env::variables;
use crate::source::expect_value;
use crate::source::no_versions;

pub(super) static KIND: Kind = Kind {
    scheme: "dotenv",
    summary: "a variable of the project's `.env`",
    writes: false,
    versions: false,
    remote: None,
};

/// One file; read anew each time, kept nowhere.
#[derive(Debug)]
pub struct Dotenv(PathBuf);

impl Dotenv {
    /// The source over this file, which need not be there.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn read(&self, name: &str) -> Result<SecretValue, SourceError> {
        variable(name)?;
        let text = match text(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Absent { cause: format!("`{}` does not exist", self.0.display()) });
            }
            Err(error) => return Err(self.broken(&error.to_string())),
        };
        let value = format::dotenv_select(&text, name)
            .map_err(|fault| self.broken(&fault))?
            .ok_or(SourceError::Missing)?;
        if let Some(why) = format::dotenv_disputed(&text, name) {
            return Err(self.broken(&why));
        }
        expect_value(&format!("`{name}` in `{}`", self.0.display()), value.plain())?;
        Ok(value)
    }

    fn broken(&self, cause: &str) -> SourceError {
        SourceError::unreachable(
            format!("cannot read `{}`: {cause}", self.0.display()),
            "fix the file, or write `dotenv = false` in doppio.toml",
        )
    }

    /// What is unsafe about the file.
    async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let shown = self.0.display();
        if let Ok(metadata) = fs::metadata(&self.0)
            && metadata.mode() & 0o077 != 0
        {
            warnings.push(format!("others can read `{shown}`: run `chmod 600 {shown}`"));
        }
        match Repository::ignores(&self.0).await {
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
    let mut text = Zeroizing::new(Vec::new());
    open(path)?.read_to_end(&mut text)?;
    Ok(text)
}

#[async_trait]
impl Source for Dotenv {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        format!("`{}`", self.0.display())
    }

    fn spelling(&self, name: &SecretName) -> String {
        in_capitals(name)
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        variables(name)
    }

    fn remedy(&self, path: &str) -> String {
        format!("write a line `{path}=…` to `{}`", self.0.display())
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
        let place = format!("`{path}` in `{}`", self.0.display());
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
        let (folder, source) = source("A=12345678");
        assert!(source.locate("A", None).await.unwrap().warnings.is_empty());
        fs::set_permissions(folder.path().join(".env"), fs::Permissions::from_mode(0o644)).unwrap();
        let init =
            std::process::Command::new("git").arg("init").arg("-q").arg(folder.path()).status().unwrap();
        assert!(init.success());
        let warnings = source.locate("A", None).await.unwrap().warnings;
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        fs::write(folder.path().join(".gitignore"), ".env\n").unwrap();
        assert_eq!(source.locate("A", None).await.unwrap().warnings.len(), 1);
    }
}
