//! One file of settings: its text → what it says, or all its faults with their places.

mod sources;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use doppio_secrets::AuditPolicy;
use doppio_secrets::Bound;
use doppio_secrets::DefaultSource;
use doppio_secrets::OnError;
use doppio_secrets::Origin;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretValue;
use doppio_secrets::source::Command;
use doppio_secrets::source::Options;
use doppio_secrets::well_known;
use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::name::SecretName;

use crate::sources::SOURCES;

use self::value::integer;
use self::value::texts;

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
}

/// The keys of a layer.
const LAYER: [&str; 4] = ["on_error", "dotenv", "default_source", "secrets"];

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads a file's text.
pub(super) fn parse(source: &Source, role: Role) -> Result<File, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let mut reader = Reader { faults: Vec::new(), file_name: source.name() };
    for error in errors {
        let span = error.span().unwrap_or_default();
        reader.faults.push(Diagnostic::error("settings::syntax", error.message().to_owned(), span));
    }
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let file = reader.file(table.into_inner(), role);
    reader.faults.sort_by_key(|fault| fault.primary.span.start);
    if reader.faults.is_empty() { Ok(file) } else { Err(reader.faults) }
}

struct Reader<'a> {
    faults: Vec<Diagnostic>,
    file_name: &'a str,
}

impl Reader<'_> {
    fn file(&mut self, table: DeTable<'_>, role: Role) -> File {
        const KEYS: [&str; 11] = [
            LAYER[0], LAYER[1], LAYER[2], LAYER[3], "profile", "keyring", "discover", "audit", "scan",
            "vault", "sources",
        ];
        let mut file = File::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "profile" => {
                    for (name, profile) in self.table("profile", value) {
                        let mut layer = Layer::default();
                        for (key, value) in self.table(name.get_ref(), profile) {
                            if let Some(value) = self.layer_key(&mut layer, &key, value) {
                                drop(value);
                                self.unknown(&key, &LAYER);
                            }
                        }
                        file.profiles.insert(name.into_inner().into_owned(), layer);
                    }
                }
                "keyring" | "discover" | "audit" | "vault" | "sources" if role == Role::Project => {
                    self.error(
                        key.span(),
                        "settings::not-here",
                        format!("`{}` is not allowed in a project's settings", key.get_ref()),
                    )
                    .help = Some(
                        "move it to your own config.toml: a project that comes from somebody else must not \
                         choose programs and keys of this machine"
                            .to_owned(),
                    );
                }
                "keyring" => file.keyring = self.truth("keyring", &value),
                "discover" => file.discover = self.truth("discover", &value),
                "audit" => file.audit = self.audit(&value),
                "scan" => self.scan(&mut file, value),
                "vault" => self.vault(&mut file, value),
                "sources" => self.sources(&mut file, value),
                _ => {
                    if self.layer_key(&mut file.base, &key, value).is_some() {
                        self.unknown(&key, &KEYS);
                    }
                }
            }
        }
        file
    }

    /// Returns the value if the key is not one of a layer's.
    fn layer_key<'i>(
        &mut self,
        layer: &mut Layer,
        key: &Spanned<Cow<'i, str>>,
        value: Value<'i>,
    ) -> Option<Value<'i>> {
        match key.get_ref().as_ref() {
            "on_error" => {
                layer.on_error = match value.get_ref().as_str() {
                    Some("stop") => Some(OnError::Stop),
                    Some("next") => Some(OnError::Next),
                    _ => {
                        self.wrong("on_error", &value, "`\"stop\"` or `\"next\"`");
                        None
                    }
                };
            }
            "dotenv" => layer.dotenv = self.truth("dotenv", &value),
            "default_source" => layer.default_source = self.default_source(&value),
            "secrets" => {
                for (name, value) in self.table("secrets", value) {
                    if let Some((name, bound)) = self.binding(&name, &value) {
                        layer.secrets.insert(name, bound);
                    }
                }
            }
            _ => return Some(value),
        }
        None
    }

    fn default_source(&mut self, value: &Value<'_>) -> Option<DefaultSource> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong("default_source", value, "a string, as in `\"aws:ml-workflow/{profile}/{name}\"`");
            return None;
        };
        match DefaultSource::parse(text, SOURCES) {
            Ok(template) => Some(template),
            Err(error) => {
                self.error(value.span(), "settings::default-source", format!("`default_source`: {error}"));
                None
            }
        }
    }

    fn binding(&mut self, name: &Spanned<Cow<'_, str>>, value: &Value<'_>) -> Option<(SecretName, Bound)> {
        let parsed = name.get_ref().parse::<SecretName>();
        if let Err(error) = &parsed {
            self.error(name.span(), "settings::secret-name", error.to_string());
        }
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(name.get_ref(), value, "a reference, as in `\"env:TOKEN\"`");
            return None;
        };
        let reference = text.parse::<SecretRef>();
        let is_value = well_known::recognise(&SecretValue::new(text.as_bytes().to_vec())).is_some();
        match &reference {
            // The text may be a value that was put here by mistake, so it is not repeated.
            Err(_) | Ok(_) if is_value || reference.is_err() => {
                let message = format!("`{}` must be bound to a reference", name.get_ref());
                self.error(value.span(), "settings::reference", message).help = Some(
                    "write `SOURCE:PATH`, as in `\"env:TOKEN\"`; values don't belong in settings".to_owned(),
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
        let by = format!("`[secrets]` of `{}`", self.file_name);
        Some((parsed.ok()?, Bound { reference: reference.ok()?, by }))
    }

    fn audit(&mut self, value: &Value<'_>) -> Option<AuditPolicy> {
        match value.get_ref().as_str() {
            Some("warn") => Some(AuditPolicy::Warn),
            Some("required") => Some(AuditPolicy::Required),
            Some("off") => Some(AuditPolicy::Off),
            _ => {
                self.wrong("audit", value, "`\"warn\"`, `\"required\"` or `\"off\"`");
                None
            }
        }
    }

    fn scan(&mut self, file: &mut File, value: Value<'_>) {
        for (key, value) in self.table("scan", value) {
            match key.get_ref().as_ref() {
                "allow" => match texts(&value) {
                    Some(entries) => file.scan_allow = entries,
                    None => self.wrong("allow", &value, "a list of paths and fingerprints"),
                },
                _ => self.unknown(&key, &["allow"]),
            }
        }
    }

    fn vault(&mut self, file: &mut File, value: Value<'_>) {
        for (key, value) in self.table("vault", value) {
            match key.get_ref().as_ref() {
                "identity" => match value.get_ref().as_str() {
                    Some(path) => file.vault_identity = Some(PathBuf::from(path)),
                    None => self.wrong("identity", &value, "a path"),
                },
                "work_factor" => {
                    let number = integer(&value).and_then(|number| u8::try_from(number).ok());
                    match number.filter(|number| (10..=22).contains(number)) {
                        Some(number) => file.vault_work_factor = Some(number),
                        None => self.wrong("work_factor", &value, "a number from 10 to 22"),
                    }
                }
                _ => self.unknown(&key, &["identity", "work_factor"]),
            }
        }
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
        assert_eq!(file.vault_work_factor, Some(15));
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
    fn all_faults_are_told_at_once_with_their_places() {
        let text = "dotnev = true\non_error = 'go'\n[secrets]\n'a b' = 'env:X'\nc = 'plain hunter2'\nf = 'ghp_hunter2hunter2hunter2hunter2hunter2hunter2'\nd = 1\n\
                    e = 'valt:x'\n[profile.p]\nkeyring = true\n[sources.command.x]\nrun = []\n[sources.command.y]\n\
                    [vault]\nwork_factor = 40\n";
        let found = faults(text, Role::User);
        insta::assert_snapshot!(found.join("\n"), @r#"
        1:1 unknown key `dotnev` → dotenv
        2:12 `on_error` must be `"stop"` or `"next"`
        4:1 `a b` is not a secret name: use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`
        5:5 `c` must be bound to a reference
        6:5 `f` must be bound to a reference
        7:5 `d` must be a reference, as in `"env:TOKEN"`
        8:5 no source is called `valt`: did you mean `vault`?
        10:1 unknown key `keyring`
        12:7 `run` must be a list of strings, the program first
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
    fn broken_toml_is_told_by_place() {
        assert_eq!(faults("a = 1\nb = [", Role::User).len(), 1);
        assert!(faults("a = \n", Role::User)[0].starts_with("1:"));
    }
}
