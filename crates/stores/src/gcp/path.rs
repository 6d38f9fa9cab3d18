//! `NAME` and `projects/PROJECT/secrets/NAME`.

use doppio_secrets::source::SourceError;

/// Which secret is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// None for that of the settings, the environment or the login.
    pub project: Option<&'a str>,
    pub name: &'a str,
}

impl<'a> Path<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, SourceError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (project, name) = match parts.as_slice() {
            [name] => (None, *name),
            ["projects", project, "secrets", name] => (Some(*project), *name),
            _ => {
                return Err(SourceError::unfit(format!(
                    "`{text}` is not a path of Secret Manager: write `NAME` or `projects/PROJECT/secrets/NAME`"
                )));
            }
        };
        if let Some(project) = project.filter(|project| !is_project(project)) {
            return Err(SourceError::unfit(format!("`{project}` is not the id or number of a project")));
        }
        if !is_id(name) {
            return Err(SourceError::unfit(format!(
                "`{name}` is not a name of Secret Manager: use letters, digits, `_` and `-`, at most 255"
            )));
        }
        Ok(Self { project, name })
    }

    /// Its full name, in its own project or else in this one.
    pub(super) fn full(&self, project: Option<&str>) -> Result<String, SourceError> {
        match self.project.or(project) {
            Some(project) => Ok(format!("projects/{project}/secrets/{}", self.name)),
            None => Err(no_project()),
        }
    }
}

pub(super) fn no_project() -> SourceError {
    SourceError::unreachable(
        "no project is named",
        "write `project = \"ID\"` to `[sources.gcp]` in config.toml, or set `GOOGLE_CLOUD_PROJECT`",
    )
}

/// A version as it may stand in a path: a number, `latest` or an alias.
pub(super) fn version(text: &str) -> Result<&str, SourceError> {
    if is_id(text) {
        Ok(text)
    } else {
        Err(SourceError::unfit(format!(
            "`{text}` is not a version of Secret Manager: write a number, `latest` or an alias"
        )))
    }
}

fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether it can be the id or the number of a project; old ids have a domain, `example.com:app`.
pub(super) fn is_project(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms() {
        assert_eq!(Path::parse("db_url").unwrap().full(Some("ml")).unwrap(), "projects/ml/secrets/db_url");
        let path = Path::parse("projects/other-1/secrets/db").unwrap();
        assert_eq!(path.full(Some("ml")).unwrap(), "projects/other-1/secrets/db");
        assert!(matches!(Path::parse("db").unwrap().full(None), Err(SourceError::Unreachable { .. })));
    }

    #[test]
    fn what_is_no_path() {
        for text in
            ["a/b", "projects/p/secrets/a/versions/1", "a.b", "", "projects/../secrets/a", "a b", "a?b"]
        {
            assert!(matches!(Path::parse(text), Err(SourceError::Unfit { .. })), "{text}");
        }
        assert!(version("latest").is_ok() && version("3").is_ok() && version("prod-1").is_ok());
        assert!(version("1:access?x").is_err() && version("../1").is_err());
    }
}
