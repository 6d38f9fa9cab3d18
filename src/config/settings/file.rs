//! One file of settings: its text → what it says, or all its faults with their locations.

mod exec;
mod sources;

use std::collections::BTreeMap;
use std::path::PathBuf;

use doppio_secrets::AuditPolicy;
use doppio_secrets::Bound;
use doppio_secrets::DefaultSource;
use doppio_secrets::OnError;
use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::source::Command;
use doppio_secrets::source::Options;
use doppio_secrets::vendor;
use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::Spanned;
use doppio_text::TomlCodes;
use doppio_text::TomlKey;
use doppio_text::TomlReader;
use doppio_text::TomlTable;
use doppio_text::TomlValue;
use doppio_text::name::EnvName;
use doppio_text::name::SecretName;

use crate::sources::SOURCES;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Project,
    User,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub base: Layer,
    pub profiles: BTreeMap<String, Layer>,
    pub keyring: Option<bool>,
    pub audit: Option<AuditPolicy>,
    pub scan_allow: Vec<String>,
    pub log_mib: Option<u32>,
    pub vault_identity: Option<PathBuf>,
    pub vault_work_factor: Option<u8>,
    pub commands: BTreeMap<String, Command>,
    pub sources: BTreeMap<String, Options>,
    pub discover: Option<bool>,
}

/// What may stand at the top and in a profile.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub on_error: Option<OnError>,
    pub dotenv: Option<bool>,
    pub default_source: Option<DefaultSource>,
    pub secrets: BTreeMap<SecretName, Bound>,
    pub exec: BTreeMap<EnvName, SecretRef>,
}

/// The keys of a layer.
const LAYER: [&str; 5] = ["on_error", "dotenv", "default_source", "secrets", "exec"];

static CODES: TomlCodes = TomlCodes {
    syntax: "settings::syntax",
    unknown_key: "settings::unknown-key",
    wrong_type: "settings::wrong-type",
    unknown_value: "settings::unknown-value",
    shows_values: false,
};

/// Reads a file's text.
pub(super) fn parse(source: &Source, role: Role) -> Result<File, Vec<Diagnostic>> {
    let mut reader = Reader { toml: TomlReader::new(source, &CODES), role };
    let document = reader.toml.document();
    let file = if reader.toml.faults.is_empty() { reader.file(&document) } else { File::default() };
    reader.toml.finish(file)
}

struct Reader<'s> {
    toml: TomlReader<'s>,
    role: Role,
}

impl Reader<'_> {
    fn file(&mut self, table: &TomlTable<'_>) -> File {
        const KEYS: [&str; 13] = [
            LAYER[0], LAYER[1], LAYER[2], LAYER[3], LAYER[4], "profile", "keyring", "discover", "audit",
            "scan", "logs", "vault", "sources",
        ];
        let mut file = File::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "profile" => self.profiles(&mut file, value),
                "keyring" | "discover" | "audit" | "logs" | "vault" | "sources"
                    if self.role == Role::Project =>
                {
                    let message = format!("`{}` is not allowed in a project's settings", key.get_ref());
                    self.toml.fault(Diagnostic::error("settings::not-here", message, key.span()).help(
                        "move it to your own config.toml: a project that comes from somebody else must not \
                         choose programs and keys of this machine",
                    ));
                }
                "keyring" => file.keyring = self.toml.boolean("`keyring`", value),
                "discover" => file.discover = self.toml.boolean("`discover`", value),
                "audit" => file.audit = self.audit(value),
                "scan" => self.scan(&mut file, value),
                "logs" => self.logs(&mut file, value),
                "vault" => self.vault(&mut file, value),
                "sources" => self.sources(&mut file, value),
                _ if self.layer_key(&mut file.base, key, value) => {}
                _ => self.unknown(key, "the settings", &KEYS),
            }
        }
        file
    }

    fn profiles(&mut self, file: &mut File, value: &TomlValue<'_>) {
        for (name, profile) in self.toml.table("`profile`", value).into_iter().flatten() {
            let mut layer = Layer::default();
            let what = format!("`{}`", name.get_ref());
            for (key, value) in self.toml.table(&what, profile).into_iter().flatten() {
                if !self.layer_key(&mut layer, key, value) {
                    self.unknown(key, &format!("profile {what}"), &LAYER);
                }
            }
            file.profiles.insert(name.get_ref().clone().into_owned(), layer);
        }
    }

    /// Whether the key is one of a layer's.
    fn layer_key(&mut self, layer: &mut Layer, key: &TomlKey<'_>, value: &TomlValue<'_>) -> bool {
        match key.get_ref().as_ref() {
            "on_error" => {
                let words = [("stop", OnError::Stop), ("next", OnError::Next)];
                layer.on_error = self.toml.one_of("`on_error`", value, &words);
            }
            "dotenv" => layer.dotenv = self.toml.boolean("`dotenv`", value),
            "default_source" => layer.default_source = self.default_source(value),
            "secrets" => {
                for (name, value) in self.toml.table("`secrets`", value).into_iter().flatten() {
                    if let Some((name, bound)) = self.binding(name, value) {
                        layer.secrets.insert(name, bound);
                    }
                }
            }
            "exec" => layer.exec = self.exec(value),
            _ => return false,
        }
        true
    }

    fn default_source(&mut self, value: &TomlValue<'_>) -> Option<DefaultSource> {
        let Some(text) = value.get_ref().as_str() else {
            let expected = "a string, as in `\"aws:ml-workflow/{profile}/{name}\"`";
            self.toml.wrong_type("`default_source`", value, expected);
            return None;
        };
        let read = DefaultSource::parse(text, SOURCES);
        if let Err(error) = &read {
            self.error(value.span(), "settings::default-source", format!("`default_source`: {error}"));
        }
        read.ok()
    }

    fn binding(&mut self, name: &TomlKey<'_>, value: &TomlValue<'_>) -> Option<(SecretName, Bound)> {
        let parsed = name.get_ref().parse::<SecretName>();
        if let Err(error) = &parsed {
            self.error(name.span(), "settings::secret-name", error.to_string());
        }
        let what = format!("`{}`", name.get_ref());
        let Some(text) = value.get_ref().as_str() else {
            self.toml.wrong_type(&what, value, "a reference, as in `\"env:TOKEN\"`");
            return None;
        };
        let reference = text.parse::<SecretRef>();
        let is_value = vendor::is_token(text);
        match &reference {
            // The text may be a value that was put here by mistake, so it is not repeated.
            Err(_) | Ok(_) if is_value || reference.is_err() => {
                let message = format!("{what} must be bound to a reference");
                let fault = Diagnostic::error("settings::reference", message, value.span());
                self.toml.fault(
                    fault.help("write `SOURCE:PATH`, as in `\"env:TOKEN\"`; values don't belong in settings"),
                );
            }
            Ok(SecretRef { origin: Origin::Source { scheme, .. }, .. }) => {
                if let Err(error) = SOURCES.find(scheme) {
                    self.error(value.span(), "settings::source", error.to_string());
                    return None;
                }
            }
            _ => {}
        }
        let by = format!("`[secrets]` of `{}`", self.toml.source.name());
        Some((parsed.ok()?, Bound { reference: reference.ok()?, by }))
    }

    fn audit(&mut self, value: &TomlValue<'_>) -> Option<AuditPolicy> {
        let words =
            [("warn", AuditPolicy::Warn), ("required", AuditPolicy::Required), ("off", AuditPolicy::Off)];
        self.toml.one_of("`audit`", value, &words)
    }

    fn scan(&mut self, file: &mut File, value: &TomlValue<'_>) {
        for (key, value) in self.toml.table("`scan`", value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "allow" => {
                    let entries = self.toml.strings("`allow`", value).unwrap_or_default();
                    file.scan_allow = entries.into_iter().map(Spanned::into_inner).collect();
                }
                _ => self.unknown(key, "`scan`", &["allow"]),
            }
        }
    }

    fn logs(&mut self, file: &mut File, value: &TomlValue<'_>) {
        for (key, value) in self.toml.table("`logs`", value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "step_mib" => {
                    let mib = self.toml.within("`step_mib`", value, 1..=1 << 20, "");
                    file.log_mib = mib.and_then(|mib| u32::try_from(mib).ok());
                }
                _ => self.unknown(key, "`logs`", &["step_mib"]),
            }
        }
    }

    fn vault(&mut self, file: &mut File, value: &TomlValue<'_>) {
        for (key, value) in self.toml.table("`vault`", value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "identity" => {
                    file.vault_identity = self.toml.string("`identity`", value).map(PathBuf::from);
                }
                "work_factor" => {
                    let factor = self.toml.within("`work_factor`", value, 10..=22, "");
                    file.vault_work_factor = factor.and_then(|factor| u8::try_from(factor).ok());
                }
                _ => self.unknown(key, "`vault`", &["identity", "work_factor"]),
            }
        }
    }

    fn unknown(&mut self, key: &TomlKey<'_>, place: &str, known: &[&str]) {
        self.toml.unknown_key(key.get_ref(), key.span(), place, known.iter().copied());
    }

    fn error(&mut self, span: Span, code: &'static str, message: String) {
        self.toml.fault(Diagnostic::error(code, message, span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str, role: Role) -> Vec<String> {
        let source = Source::new("config.toml", text);
        let faults = parse(&source, role).unwrap_err();
        faults
            .iter()
            .map(|fault| {
                let (line, column) = source.line_column(fault.primary.span.start);
                let edit =
                    fault.edit.as_ref().map(|edit| format!(" → {}", edit.replacement)).unwrap_or_default();
                format!("{line}:{column} {}{edit}", fault.message)
            })
            .collect()
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            on_error = "next"
            keyring = false
            discover = true
            default_source = "file:ml/{profile}/{name}"
            [secrets]
            "db/url" = "command:db#url"
            [logs]
            step_mib = 64
            [vault]
            identity = "~/.ssh/id_ed25519"
            work_factor = 15
            [sources.command.db]
            run = ["pass", "show", "db"]
            timeout_secs = 5
            missing_exit_codes = [1, 44]
            keep_newline = true
        "#;
        let file = parse(&Source::new("config.toml", text), Role::User).unwrap();
        assert_eq!(file.base.on_error, Some(OnError::Next));
        assert_eq!((file.keyring, file.discover), (Some(false), Some(true)));
        assert_eq!(file.base.default_source.unwrap().scheme(), "file");
        assert_eq!(file.vault_identity.unwrap().to_str(), Some("~/.ssh/id_ed25519"));
        assert_eq!((file.vault_work_factor, file.log_mib), (Some(15), Some(64)));
        let command = &file.commands["db"];
        assert_eq!(command.run, ["pass", "show", "db"]);
        assert_eq!(
            (command.timeout.as_secs(), &command.missing[..], command.keep_newline),
            (5, &[1, 44][..], true)
        );
        let bound = file.base.secrets.values().next().unwrap();
        assert_eq!(bound.by, "`[secrets]` of `config.toml`");
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_locations() {
        let text = "dotnev = true\non_error = 'go'\n[secrets]\n'a b' = 'env:X'\nc = 'plain hunter2'\nf = 'ghp_hunter2hunter2hunter2hunter2hunter2hunter2'\nd = 1\n\
                    e = 'valt:x'\n[profile.p]\nkeyring = true\n[sources.command.x]\nrun = []\n[sources.command.y]\n\
                    [vault]\nwork_factor = 40\n";
        let found = faults(text, Role::User);
        insta::assert_snapshot!(found.join("\n"), @r#"
        1:1 unknown key `dotnev` in the settings → dotenv
        2:12 `on_error` can't be this
        4:1 `a b` is not a secret name: use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`
        5:5 `c` must be bound to a reference
        6:5 `f` must be bound to a reference
        7:5 `d` must be a reference, as in `"env:TOKEN"`
        8:5 no source is called `valt`: did you mean `vault`?
        10:1 unknown key `keyring` in profile `p`
        11:1 this command has no `run`
        13:1 this command has no `run`
        15:15 `work_factor` must be a number from 10 to 22
        "#);
        assert!(!found.join("\n").contains("hunter2"));
    }

    #[test]
    fn a_project_chooses_no_programs_and_no_keys() {
        let text = "[sources.command.x]\nrun = ['sh']\n[vault]\nidentity = 'k'\n";
        insta::assert_snapshot!(faults(text, Role::Project).join("\n"), @r"
        1:2 `sources` is not allowed in a project's settings
        3:2 `vault` is not allowed in a project's settings
        ");
    }

    #[test]
    fn broken_toml_is_told_with_its_location() {
        assert_eq!(faults("a = 1\nb = [", Role::User).len(), 1);
        assert!(faults("a = \n", Role::User)[0].starts_with("1:"));
    }
}
