//! `[exec]`: the variables that `doppio secret exec` gives a command where it is told none. A project's file
//! may come from anybody, and names variables for secrets only.

use std::collections::BTreeMap;

use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_secrets::steering;
use doppio_text::Diagnostic;
use doppio_text::TomlKey;
use doppio_text::TomlValue;
use doppio_text::name::EnvName;

use crate::config::settings::file::Reader;
use crate::config::settings::file::Role;

impl Reader<'_> {
    pub(super) fn exec(&mut self, value: &TomlValue<'_>) -> BTreeMap<EnvName, SecretRef> {
        let mut found = BTreeMap::new();
        for (name, value) in self.toml.table("`exec`", value).into_iter().flatten() {
            let what = format!("`{}`", name.get_ref());
            let variable = name.get_ref().parse::<EnvName>();
            if let Err(error) = &variable {
                self.error(name.span(), "settings::variable", error.to_string());
            }
            let is_foreign = self.role == Role::Project;
            let is_refused = is_foreign && !steering::is_for_secret(name.get_ref());
            // What is wrong with the value is reported besides: only then is it hidden where it is drawn.
            if is_refused && variable.is_ok() {
                self.refuse(name);
            }
            let Some(text) = value.get_ref().as_str() else {
                self.toml.wrong_type(&what, value, "a reference, as in `\"huggingface/token\"`");
                continue;
            };
            // The text may be a value that was put here by mistake, so it is not repeated.
            let reference = text.parse::<SecretRef>().ok().filter(|_| !looks_like_value(text));
            let Some(reference) = reference else {
                let message = format!("{what} must be given a reference");
                let fault = Diagnostic::error("settings::reference", message, value.span());
                self.toml.fault(fault.help("write a name, as in `\"huggingface/token\"`, or `SOURCE:PATH`"));
                continue;
            };
            // What is not the user's own must not become a variable of a program: a text of the file, or one
            // beside it.
            let is_dotenv = matches!(&reference.origin, Origin::Source { scheme, .. } if scheme == "dotenv");
            if is_foreign && (reference.default.is_some() || is_dotenv) {
                let message =
                    format!("{what} must be given a secret: no default, and nothing of a dotenv file");
                self.error(value.span(), "settings::reference", message);
                continue;
            }
            found.extend(variable.ok().filter(|_| !is_refused).map(|variable| (variable, reference)));
        }
        found
    }

    /// A variable that a project must not name.
    fn refuse(&mut self, name: &TomlKey<'_>) {
        let why = if steering::steers(name.get_ref()) {
            "tells programs what to run or where to connect, and is not a secret's variable"
        } else {
            "is not known as a secret's variable"
        };
        let message = format!("`{}` {why}", name.get_ref());
        self.toml.fault(Diagnostic::error("settings::variable", message, name.span()).help(
            "a project that comes from somebody else may set a vendor's own variable and one whose name says \
             that it holds a secret, as in `DB_PASSWORD`; move others to `[exec]` of your own config.toml",
        ));
    }
}
