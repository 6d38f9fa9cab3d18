//! The process environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use futures_util::FutureExt;

use crate::name::EnvName;
use crate::name::SecretName;
use crate::secret::Environment;
use crate::secret::SecretValue;
use crate::secret::source::Answer;
use crate::secret::source::Facts;
use crate::secret::source::Kind;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::source::no_versions;
use crate::secret::well_known;

pub(super) static KIND: Kind = Kind {
    scheme: "env",
    summary: "a variable of the environment",
    writes: false,
    versions: false,
    remote: None,
};

/// The environment as it was when Doppio started. An empty variable counts as unset.
#[derive(Debug)]
pub struct Env(Environment);

impl Env {
    /// The source over this snapshot.
    pub fn new(environment: Environment) -> Self {
        Self(environment)
    }

    fn look<'a>(&'a self, path: &str, version: Option<&str>) -> Result<(&'a OsStr, Facts), SourceError> {
        no_versions("the environment", version)?;
        variable(path)?;
        let value = self.0.get(path).ok_or(SourceError::Missing)?;
        Ok((value, Facts { place: format!("variable `{path}`"), ..Facts::default() }))
    }
}

/// The variables in which a name may be found: the usual ones, then the name in capitals.
pub fn variables(name: &SecretName) -> Vec<String> {
    let usual = well_known::find(name).map_or(&[][..], |known| known.variables);
    let capitals: String = name
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let mut variables: Vec<String> = usual.iter().map(|&name| name.to_owned()).collect();
    if capitals.parse::<EnvName>().is_ok() && !variables.contains(&capitals) {
        variables.push(capitals);
    }
    variables
}

pub(super) fn variable(path: &str) -> Result<EnvName, SourceError> {
    path.parse().map_err(|error: crate::name::InvalidName| SourceError::Unfit { cause: error.to_string() })
}

impl Source for Env {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "the environment".to_owned()
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        variables(name)
    }

    fn remedy(&self, path: &str) -> String {
        format!("set the variable `{path}` in the environment of `doppio`")
    }

    fn check(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)> {
        let found = self.look(path, version);
        async move { found.map(|(value, facts)| (SecretValue::new(value.as_bytes().to_vec()), facts)) }
            .boxed()
    }

    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Facts> {
        let found = self.look(path, version);
        async move { found.map(|(_, facts)| facts) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_variables_come_first() {
        let of = |name: &str| variables(&name.parse().unwrap());
        assert_eq!(of("huggingface/token"), ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"]);
        assert_eq!(of("team/db-url.v2"), ["TEAM_DB_URL_V2"]);
        assert!(of("2fa/code").is_empty());
    }

    #[tokio::test]
    async fn values_are_bytes() {
        let bytes = OsStr::from_bytes(b"a\xff\nb");
        let env = Env::new([("RAW".into(), bytes.to_owned())].into_iter().collect());
        let (value, facts) = env.get("RAW", None).await.unwrap();
        assert_eq!(value.plain(), b"a\xff\nb");
        assert_eq!(facts.place, "variable `RAW`");
        assert_eq!(env.get("GONE", None).await.unwrap_err(), SourceError::Missing);
        assert!(matches!(env.get("not a name", None).await, Err(SourceError::Unfit { .. })));
        assert!(matches!(env.get("RAW", Some("3")).await, Err(SourceError::Unfit { .. })));
    }
}
