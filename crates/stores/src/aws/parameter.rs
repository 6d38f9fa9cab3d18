//! A parameter: what AWS calls it, and what it says of it.

use std::borrow::Cow;

use serde::Deserialize;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;

use crate::aws::metadata::Moment;
use crate::aws::refusal::Failure;
use crate::aws::reply::Object;

/// What AWS calls a parameter: a name with a slash in it must begin with one.
pub(super) fn full(path: &str) -> Cow<'_, str> {
    let is_whole = path.starts_with('/') || path.starts_with("arn:") || !path.contains('/');
    if is_whole { Cow::Borrowed(path) } else { Cow::Owned(format!("/{path}")) }
}

/// What AWS calls a version of a parameter.
pub(super) fn selected(path: &str, version: Option<&str>) -> String {
    match version {
        None | Some("latest") => full(path).into_owned(),
        Some(version) => format!("{}:{version}", full(path)),
    }
}

/// A parameter as AWS has it, but for its value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Found {
    pub name: Option<String>,
    /// Its version or label as it was asked for, with a colon before it.
    pub selector: Option<String>,
    #[serde(default)]
    pub version: i64,
    pub last_modified_date: Option<Moment>,
    description: Option<String>,
    pub labels: Option<Vec<String>>,
}

impl Found {
    pub(super) fn metadata(&self, path: &str) -> Metadata {
        Metadata {
            place: format!("AWS parameter `{path}`"),
            version: Some(self.version.to_string()),
            created: self.last_modified_date.and_then(Moment::timestamp),
            note: self.description.clone().filter(|note| !note.is_empty()),
            ..Metadata::default()
        }
    }
}

/// A parameter with its value; none where the answer holds no value.
pub(super) fn read(path: &str, object: Object<'_>) -> Result<Option<(SecretValue, Metadata)>, Failure> {
    let found: Found = object.metadata()?;
    Ok(object.text("Value")?.map(|value| (value, found.metadata(path))))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests compare values")]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_behind_the_name() {
        assert_eq!(selected("/a/b", Some("3")), "/a/b:3");
        assert_eq!(selected("/a/b", Some("latest")), "/a/b");
        assert_eq!(selected("a/b", None), "/a/b");
        assert_eq!(selected("a", Some("current")), "a:current");
    }

    #[test]
    fn a_parameter_is_its_value_and_what_is_known_of_it() {
        let text = r#"{"Name": "/a", "Value": "x\ty", "Version": 3, "LastModifiedDate": 1.5}"#;
        let (value, metadata) = read("a", Object(text.as_bytes())).unwrap().unwrap();
        assert_eq!(value.expose(), b"x\ty");
        assert_eq!(metadata.version.as_deref(), Some("3"));
        assert_eq!(metadata.created.unwrap().as_second(), 1);
        assert!(read("a", Object(br#"{"Name": "/a"}"#)).unwrap().is_none());
        assert!(read("a", Object(br#"{"Value": ["x"]}"#)).is_err());
    }
}
