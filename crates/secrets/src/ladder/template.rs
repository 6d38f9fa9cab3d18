//! Rung 7: the path that the settings make of a name, `aws:ml-workflow/{profile}/{name}`.

use doppio_text::closest;
use doppio_text::name::SecretName;

use crate::Origin;
use crate::SecretRef;
use crate::source;
use crate::source::Source;
use crate::source::SourceKinds;

/// What may stand in braces.
const PLACEHOLDERS: [&str; 2] = ["name", "profile"];

/// What `{profile}` reads as where no profile was asked for.
const NO_PROFILE: &str = "default";

/// `default_source` of the settings: a reference with placeholders in its path or property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultSource {
    scheme: String,
    path: String,
    property: Option<String>,
    profile: String,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// It is not `SOURCE:PATH`.
    #[error("it must be `SOURCE:PATH` with `{{name}}` in it, as in `aws:ml-workflow/{{profile}}/{{name}}`")]
    Form,
    /// A source that can't be used.
    #[error(transparent)]
    Source(#[from] source::UnknownSource),
    /// Braces that mean nothing.
    #[error("`{{{found}}}` has no meaning here: {hint}")]
    Placeholder {
        /// What is between the braces.
        found: String,
        /// What there is.
        hint: String,
    },
    /// Every secret would be the same one.
    #[error("it has no `{{name}}`, so every secret would be the same one")]
    NoName,
}

impl DefaultSource {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// When it is none, names no source of this build, or holds other placeholders.
    pub fn parse(text: &str, kinds: SourceKinds) -> Result<Self, InvalidTemplate> {
        let reference: SecretRef = text.parse().map_err(|_| InvalidTemplate::Form)?;
        let Origin::Source { scheme, path } = reference.origin else { return Err(InvalidTemplate::Form) };
        if reference.version.is_some() || reference.default.is_some() {
            return Err(InvalidTemplate::Form);
        }
        kinds.find(&scheme)?;
        let template = Self { scheme, path, property: reference.property, profile: NO_PROFILE.to_owned() };
        let mut has_name = false;
        for found in [Some(&template.path), template.property.as_ref()].into_iter().flatten() {
            for placeholder in placeholders(found)? {
                has_name |= placeholder == "name";
                if !PLACEHOLDERS.contains(&placeholder) {
                    let hint = match closest(placeholder, PLACEHOLDERS) {
                        Some(near) => format!("did you mean `{{{near}}}`?"),
                        None => "use `{name}` or `{profile}`".to_owned(),
                    };
                    return Err(InvalidTemplate::Placeholder { found: placeholder.to_owned(), hint });
                }
            }
        }
        if has_name { Ok(template) } else { Err(InvalidTemplate::NoName) }
    }

    /// The same for a profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<&str>) -> Self {
        profile.unwrap_or(NO_PROFILE).clone_into(&mut self.profile);
        self
    }

    /// Which source is asked.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The path of a name, and the property to take. Both hold the name as `source` spells it,
    /// where it can't hold all that a name may be.
    pub(super) fn of(&self, name: &SecretName, source: &dyn Source) -> (String, Option<String>) {
        let fill =
            |text: &String, name: &str| text.replace("{profile}", &self.profile).replace("{name}", name);
        let path = fill(&self.path, &source.spelling(name));
        (path, self.property.as_ref().map(|property| fill(property, &source.property_spelling(name))))
    }

    /// The name that stands in a path where `{name}` stands in the template.
    pub(super) fn name_of(&self, path: &str) -> Option<SecretName> {
        let template = self.path.replace("{profile}", &self.profile);
        let (before, behind) = template.split_once("{name}")?;
        path.strip_prefix(before)?.strip_suffix(behind)?.parse().ok()
    }
}

/// What stands in braces, one after the other.
fn placeholders(text: &str) -> Result<Vec<&str>, InvalidTemplate> {
    let mut found = Vec::new();
    for part in text.split('{').skip(1) {
        found.push(part.split_once('}').ok_or(InvalidTemplate::Form)?.0);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::Environment;
    use crate::source::Env;

    use super::*;

    fn of(template: &str, profile: Option<&str>) -> (String, Option<String>) {
        let template = DefaultSource::parse(template, SourceKinds::default()).unwrap().with_profile(profile);
        let source = Env::new(Environment::default());
        template.of(&"huggingface/token".parse().unwrap(), &source)
    }

    #[test]
    fn a_name_and_a_profile_make_a_path() {
        assert_eq!(of("env:ML_{profile}_{name}", Some("prod")), ("ML_prod_HUGGINGFACE_TOKEN".into(), None));
        assert_eq!(of("env:ML_{profile}_{name}", None).0, "ML_default_HUGGINGFACE_TOKEN");
        let (path, property) = of("env:app_{profile}#{name}", Some("prod"));
        assert_eq!((path.as_str(), property.as_deref()), ("app_prod", Some("huggingface/token")));
        let template = DefaultSource::parse("env:ml/{profile}/{name}", SourceKinds::default()).unwrap();
        let name = |path| template.name_of(path).map(|name| name.to_string());
        assert_eq!(name("ml/default/team/key").as_deref(), Some("team/key"));
        assert_eq!([name("other/team/key"), name("ml/default/")], [None, None]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fault = |text| DefaultSource::parse(text, SourceKinds::default()).unwrap_err().to_string();
        assert_eq!(fault("file:a/{nam}"), "`{nam}` has no meaning here: did you mean `{name}`?");
        assert_eq!(fault("file:a/{profile}"), "it has no `{name}`, so every secret would be the same one");
        assert_eq!(fault("fil:a/{name}"), "no source is called `fil`: did you mean `file`?");
        for text in ["a/{name}", "file:a/{name", "file:{name}@3", "file:{name}?x", ""] {
            assert_eq!(
                DefaultSource::parse(text, SourceKinds::default()),
                Err(InvalidTemplate::Form),
                "{text}"
            );
        }
    }
}
