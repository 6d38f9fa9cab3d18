//! `[sources]`: the programs of `[sources.command]`, and a table for each remote source.

use std::time::Duration;

use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_secrets::source::Command;
use doppio_secrets::source::Key;
use doppio_secrets::source::KeyType;
use doppio_secrets::source::Options;
use doppio_secrets::source::Setting;
use doppio_secrets::source::TIMEOUT;
use doppio_secrets::source::UnknownSource;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::Spanned;
use doppio_text::TomlValue;

use crate::config::settings::COMMAND_TIMEOUT;
use crate::config::settings::file::File;
use crate::config::settings::file::Reader;
use crate::sources::SOURCES;

/// What a reference in the settings of a source may name: what is on this machine.
const LOCAL: [&str; 4] = ["env", "keyring", "file", "command"];

impl Reader<'_> {
    pub(super) fn sources(&mut self, file: &mut File, value: &TomlValue<'_>) {
        for (key, value) in self.toml.table("`sources`", value).into_iter().flatten() {
            let scheme = key.get_ref().as_ref();
            let found = SOURCES.find(scheme);
            if scheme == "command" {
                for (name, value) in self.toml.table("`command`", value).into_iter().flatten() {
                    if let Some(command) = self.command(name.get_ref(), value) {
                        file.commands.insert(name.get_ref().clone().into_owned(), command);
                    }
                }
            } else if let Some(remote) = found.as_ref().ok().and_then(|kind| kind.remote.as_ref()) {
                let options = self.options(scheme, remote.keys, value);
                file.sources.insert(scheme.to_owned(), options);
            } else if let Err(error @ UnknownSource::NotBuilt { .. }) = found {
                self.error(key.span(), "settings::source", error.to_string());
            } else {
                let remote = SOURCES.remote().map(|source| source.kind.scheme);
                let known: Vec<&str> = std::iter::once("command").chain(remote).collect();
                self.unknown(key, "`sources`", &known);
            }
        }
    }

    fn options(&mut self, scheme: &str, keys: &[Key], value: &TomlValue<'_>) -> Options {
        let mut options = Options::default();
        let what = format!("`{scheme}`");
        for (name, value) in self.toml.table(&what, value).into_iter().flatten() {
            let known = keys.iter().chain([&TIMEOUT]);
            if let Some(key) = known.clone().find(|key| key.name == name.get_ref()) {
                if let Some(setting) = self.setting(key, value) {
                    options.insert(key, setting);
                }
            } else {
                let names: Vec<&str> = known.map(|key| key.name).collect();
                self.unknown(name, &what, &names);
            }
        }
        options
    }

    fn setting(&mut self, key: &Key, value: &TomlValue<'_>) -> Option<Setting> {
        let text = value.get_ref().as_str();
        if key.form == KeyType::Reference {
            return self.reference(key, text, value.span()).map(Setting::Reference);
        }
        if text.is_some_and(looks_like_value) {
            self.value_refused(key, value.span());
            return None;
        }
        let what = format!("`{}`", key.name);
        let of_text = |allowed: &dyn Fn(&str) -> bool| {
            text.filter(|text| allowed(text)).map(|text| Setting::Text(text.to_owned()))
        };
        let (found, expected) = match key.form {
            KeyType::Truth => return self.toml.boolean(&what, value).map(Setting::Truth),
            KeyType::Seconds => return self.seconds(&what, value).map(Setting::Seconds),
            KeyType::Choice(all) => (
                of_text(&|text| all.contains(&text)),
                all.iter().map(|text| format!("`\"{text}\"`")).collect::<Vec<_>>().join(" or "),
            ),
            KeyType::Path => (of_text(&|text| !text.is_empty()), "a path".to_owned()),
            KeyType::Text | KeyType::Reference => {
                (of_text(&|text| !text.is_empty()), "a non-empty string".to_owned())
            }
        };
        if found.is_none() {
            self.toml.wrong_type(&what, value, &expected);
        }
        found
    }

    fn seconds(&mut self, what: &str, value: &TomlValue<'_>) -> Option<u64> {
        self.toml.within(what, value, 1..=u64::MAX, " of seconds,")
    }

    /// A reference to something on this machine. Other text may be a value, so it is not repeated.
    fn reference(&mut self, key: &Key, text: Option<&str>, span: Span) -> Option<SecretRef> {
        let parsed =
            text.filter(|text| !looks_like_value(text)).and_then(|text| text.parse::<SecretRef>().ok());
        let is_local = |reference: &SecretRef| match &reference.origin {
            Origin::Source { scheme, .. } => LOCAL.contains(&scheme.as_str()) && reference.default.is_none(),
            Origin::Name(_) => false,
        };
        let found = parsed.filter(is_local);
        if found.is_none() {
            self.value_refused(key, span);
        }
        found
    }

    fn value_refused(&mut self, key: &Key, span: Span) {
        let name = key.name;
        let (message, help) = match key.form {
            KeyType::Reference => (
                format!("`{name}` must be a reference to a secret on this machine, never a value"),
                format!(
                    "write `{name} = \"env:VARIABLE\"`, or `keyring:NAME`, `file:NAME`, `command:NAME`; settings hold no values"
                ),
            ),
            _ => (
                format!("`{name}` looks like the value of a secret"),
                "settings hold no values: store it with `doppio secret set`".to_owned(),
            ),
        };
        self.toml.fault(Diagnostic::error("settings::reference", message, span).help(help));
    }

    fn command(&mut self, name: &str, value: &TomlValue<'_>) -> Option<Command> {
        const KEYS: &[&str] = &["run", "timeout_secs", "missing_exit_codes", "keep_newline"];
        let mut command =
            Command { run: Vec::new(), timeout: COMMAND_TIMEOUT, missing: Vec::new(), keep_newline: false };
        let what = format!("`{name}`");
        let before = self.toml.faults.len();
        for (key, value) in self.toml.table(&what, value)? {
            match key.get_ref().as_ref() {
                "run" => {
                    let run = self.toml.strings("`run`", value).unwrap_or_default();
                    command.run = run.into_iter().map(Spanned::into_inner).collect();
                    if command.run.first().is_some_and(String::is_empty) {
                        self.toml.wrong_type("`run`", value, "a list of strings, the program first");
                    }
                }
                "timeout_secs" => {
                    if let Some(seconds) = self.seconds("`timeout_secs`", value) {
                        command.timeout = Duration::from_secs(seconds);
                    }
                }
                "missing_exit_codes" => command.missing = self.exit_codes(value),
                "keep_newline" => {
                    command.keep_newline = self.toml.boolean("`keep_newline`", value).unwrap_or_default();
                }
                _ => self.unknown(key, &what, KEYS),
            }
        }
        if command.run.is_empty() && self.toml.faults.len() == before {
            let fault = Diagnostic::error("settings::missing-key", "this command has no `run`", value.span());
            self.toml.fault(fault.help("write `run = [\"program\", \"argument\"]`"));
        }
        (self.toml.faults.len() == before).then_some(command)
    }

    fn exit_codes(&mut self, value: &TomlValue<'_>) -> Vec<i32> {
        let what = "`missing_exit_codes`";
        let items = self.toml.list(what, value, "a list of exit codes from 0 to 255").unwrap_or_default();
        let code = |item| self.toml.within(&format!("each of {what}"), item, 0..=255, "");
        items.iter().filter_map(code).filter_map(|code| i32::try_from(code).ok()).collect()
    }
}
