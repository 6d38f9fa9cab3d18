//! The process environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use async_trait::async_trait;

use doppio_text::name::EnvName;
use doppio_text::name::InvalidName;
use doppio_text::name::SecretName;

use crate::Environment;
use crate::SecretValue;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::expect_value;
use crate::source::no_versions;
use crate::value::trims;
use crate::vendor;

pub(super) static KIND: Kind = Kind {
    scheme: "env",
    summary: "a variable of the environment",
    writes: false,
    versions: false,
    remote: None,
};

/// The environment as it was when Doppio started. An empty variable counts as unset.
#[derive(Debug)]
pub struct Env {
    environment: Environment,
    /// Whether a variable of nothing but space counts as unset too, and is told.
    passes_blanks: bool,
}

impl Env {
    /// The source over this snapshot.
    pub fn new(environment: Environment) -> Self {
        Self { environment, passes_blanks: false }
    }

    /// The same where plain names are looked up: like the vendors' own tools it goes on where a
    /// variable is set and blank, as `HF_TOKEN=""` in a job's definition.
    pub(crate) fn of_names(environment: Environment) -> Self {
        Self { environment, passes_blanks: true }
    }

    fn look<'a>(&'a self, path: &str, version: Option<&str>) -> Result<(&'a OsStr, Metadata), SourceError> {
        no_versions("the environment", version)?;
        variable(path)?;
        if self.passes_blanks && self.environment.is_blank(path) {
            return Err(SourceError::Absent { cause: format!("`{path}` is set, but blank") });
        }
        let value = self.environment.get(path).ok_or(SourceError::Missing)?;
        let place = format!("variable `{path}`");
        expect_value(&place, value.as_bytes())?;
        let is_padded = vendor::of_variable(path).is_some() && trims(value.as_bytes());
        let warnings = is_padded.then(|| "the white space around it is left out".to_owned());
        Ok((value, Metadata { place, warnings: warnings.into_iter().collect(), ..Metadata::default() }))
    }
}

/// The variables in which a name may be found: the usual ones, then the name in capitals. What
/// was imported from a variable, as `env/DATABASE_URL`, is in that one.
pub fn variables(name: &SecretName) -> Vec<String> {
    if let Some(variable) = name.as_str().strip_prefix("env/")
        && variable.parse::<EnvName>().is_ok()
    {
        return vec![variable.to_owned()];
    }
    vendor::variables(name)
}

pub(super) fn variable(path: &str) -> Result<EnvName, SourceError> {
    path.parse().map_err(|error: InvalidName| SourceError::unfit(error.to_string()))
}

#[async_trait]
impl Source for Env {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the environment".to_owned()
    }

    fn spelling(&self, name: &SecretName) -> String {
        vendor::in_capitals(name.as_str())
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        variables(name)
    }

    fn remedy(&self, path: &str) -> String {
        format!("set the variable `{path}` in the environment of `doppio`")
    }

    async fn is_at_hand(&self) -> bool {
        true
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let found = self.look(path, version);
        found.map(|(value, metadata)| (SecretValue::new(value.as_bytes().to_vec()), metadata))
    }

    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        let found = self.look(path, version);
        found.map(|(_, metadata)| metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_variables_come_first() {
        let of = |name: &str| variables(&name.parse().unwrap());
        assert_eq!(of("huggingface/token")[..3], ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"]);
        assert_eq!(of("team/db-url.v2"), ["TEAM_DB_URL_V2"]);
        assert!(of("2fa/code").is_empty());
    }

    #[tokio::test]
    async fn values_are_bytes() {
        let bytes = OsStr::from_bytes(b"a\xff\nb");
        let env = Env::new([("RAW".into(), bytes.to_owned())].into_iter().collect());
        let (value, metadata) = env.get("RAW", None).await.unwrap();
        assert_eq!(value.plain(), b"a\xff\nb");
        assert_eq!(metadata.place, "variable `RAW`");
        assert_eq!(env.get("GONE", None).await.unwrap_err(), SourceError::Missing);
        assert!(matches!(env.get("not a name", None).await, Err(SourceError::Unfit { .. })));
        assert!(matches!(env.get("RAW", Some("3")).await, Err(SourceError::Unfit { .. })));
    }

    #[tokio::test]
    async fn blank_variables_are_passed_over_for_names_only() {
        let all = || [("EMPTY", ""), ("BLANK", " \t\n")].map(|(name, value)| (name.into(), value.into()));
        let names = Env::of_names(all().into_iter().collect());
        for name in ["EMPTY", "BLANK"] {
            let fault = names.locate(name, None).await.unwrap_err();
            assert_eq!(fault, SourceError::Absent { cause: format!("`{name}` is set, but blank") });
        }
        let env = Env::new(all().into_iter().collect());
        assert_eq!(env.get("EMPTY", None).await.unwrap_err(), SourceError::Missing);
        assert_eq!(env.get("BLANK", None).await.unwrap().0.plain(), b" \t\n");
    }
}
