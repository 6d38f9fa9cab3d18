//! `[sources]`: the programs of `[sources.command]`, and a table for each remote source.

use std::time::Duration;

use toml::de::DeTable;

use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_value;
use doppio_secrets::source::Command;
use doppio_secrets::source::Form;
use doppio_secrets::source::Key;
use doppio_secrets::source::Options;
use doppio_secrets::source::Setting;
use doppio_secrets::source::TIMEOUT;
use doppio_secrets::source::UnknownSource;
use doppio_text::Span;

use crate::config::settings::COMMAND_TIMEOUT;
use crate::config::settings::file::File;
use crate::config::settings::file::Reader;
use crate::config::settings::file::Value;
use crate::config::settings::file::value::exit_codes;
use crate::config::settings::file::value::integer;
use crate::config::settings::file::value::texts;
use crate::sources::SOURCES;

/// What a reference in the settings of a source may name: what is on this machine.
const LOCAL: [&str; 4] = ["env", "keyring", "file", "command"];

impl Reader<'_> {
    pub(super) fn sources(&mut self, file: &mut File, value: Value<'_>) {
        for (key, value) in self.table("sources", value) {
            let scheme = key.get_ref().as_ref();
            let found = SOURCES.find(scheme);
            if scheme == "command" {
                for (name, value) in self.table("command", value) {
                    let span = value.span();
                    let table = self.table(name.get_ref(), value);
                    if let Some(command) = self.command(span, table) {
                        file.commands.insert(name.into_inner().into_owned(), command);
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
                self.unknown(&key, &known);
            }
        }
    }

    fn options(&mut self, scheme: &str, keys: &[Key], value: Value<'_>) -> Options {
        let mut options = Options::default();
        for (name, value) in self.table(scheme, value) {
            let known = keys.iter().chain([&TIMEOUT]);
            if let Some(key) = known.clone().find(|key| key.name == name.get_ref()) {
                if let Some(setting) = self.setting(key, &value) {
                    options.insert(key, setting);
                }
            } else {
                let names: Vec<&str> = known.map(|key| key.name).collect();
                self.unknown(&name, &names);
            }
        }
        options
    }

    fn setting(&mut self, key: &Key, value: &Value<'_>) -> Option<Setting> {
        let text = value.get_ref().as_str();
        if key.form == Form::Reference {
            return self.reference(key, text, value.span()).map(Setting::Reference);
        }
        if text.is_some_and(looks_like_value) {
            self.value_refused(key, value.span());
            return None;
        }
        let found = match key.form {
            Form::Text | Form::Path => {
                text.filter(|text| !text.is_empty()).map(|text| Setting::Text(text.to_owned()))
            }
            Form::Choice(all) => {
                text.filter(|text| all.contains(text)).map(|text| Setting::Text(text.to_owned()))
            }
            Form::Truth => value.get_ref().as_bool().map(Setting::Truth),
            Form::Seconds => integer(value)
                .and_then(|number| u64::try_from(number).ok())
                .filter(|number| *number > 0)
                .map(Setting::Seconds),
            Form::Reference => None,
        };
        if found.is_none() {
            let expected = match key.form {
                Form::Text | Form::Reference => "a non-empty string".to_owned(),
                Form::Path => "a path".to_owned(),
                Form::Choice(all) => {
                    all.iter().map(|text| format!("`\"{text}\"`")).collect::<Vec<_>>().join(" or ")
                }
                Form::Truth => "`true` or `false`".to_owned(),
                Form::Seconds => "a number of seconds, at least 1".to_owned(),
            };
            self.wrong(key.name, value, &expected);
        }
        found
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
        let (message, example) = match key.form {
            Form::Reference => (
                format!("`{name}` must be a reference to a secret on this machine, never a value"),
                "env:VARIABLE",
            ),
            _ => (format!("`{name}` looks like the value of a secret"), "file:NAME"),
        };
        self.error(span, "settings::reference", message).help = Some(match key.form {
            Form::Reference => format!(
                "write `{name} = \"{example}\"`, or `keyring:NAME`, `file:NAME`, `command:NAME`; settings hold no values"
            ),
            _ => "settings hold no values: store it with `doppio secret set`".to_owned(),
        });
    }

    fn command(&mut self, span: Span, table: DeTable<'_>) -> Option<Command> {
        const KEYS: &[&str] = &["run", "timeout_secs", "missing_exit_codes", "keep_newline"];
        let mut command =
            Command { run: Vec::new(), timeout: COMMAND_TIMEOUT, missing: Vec::new(), keep_newline: false };
        let before = self.faults.len();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "run" => {
                    match texts(&value).filter(|run| run.first().is_some_and(|program| !program.is_empty())) {
                        Some(run) => command.run = run,
                        None => self.wrong("run", &value, "a list of strings, the program first"),
                    }
                }
                "timeout_secs" => {
                    match integer(&value).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0) {
                        Some(seconds) => command.timeout = Duration::from_secs(seconds),
                        None => self.wrong("timeout_secs", &value, "a number of seconds, at least 1"),
                    }
                }
                "missing_exit_codes" => match exit_codes(&value) {
                    Some(codes) => command.missing = codes,
                    None => self.wrong("missing_exit_codes", &value, "a list of exit codes from 0 to 255"),
                },
                "keep_newline" => {
                    command.keep_newline = self.truth("keep_newline", &value).unwrap_or_default();
                }
                _ => self.unknown(&key, KEYS),
            }
        }
        if command.run.is_empty() && self.faults.len() == before {
            self.error(span, "settings::missing-key", "this command has no `run`".to_owned()).help =
                Some("write `run = [\"program\", \"argument\"]`".to_owned());
        }
        (self.faults.len() == before).then_some(command)
    }
}
