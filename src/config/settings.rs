//! The settings: `doppio.toml` beside the recipe or above it in its repository, `config.toml` of the user.
//!
//! ```toml
//! on_error = "stop"        # or "next": go on when a source can't be asked
//! dotenv = true            # look names up in `.env` beside the recipe
//! keyring = true           # false: never ask the keychain
//! audit = "warn"           # config.toml only; "required": give out no value that is not logged; "off"
//!
//! [secrets]
//! "db/url" = "command:db"
//!
//! default_source = "aws:ml-workflow/{profile}/{name}"  # where names are looked up last
//!
//! [exec]                   # what `doppio secret exec -- COMMAND` gives the command
//! HF_TOKEN = "huggingface/token"
//!
//! [scan]
//! allow = ["tests/keys/**", "0123456789abcdef"]   # paths and fingerprints to pass over
//!
//! [profile.prod]           # `--profile prod`; may hold on_error, dotenv, default_source, secrets, exec
//! secrets = { "db/url" = "env:PROD_DB" }
//!
//! [logs]                   # config.toml only
//! step_mib = 256           # what the log of a step keeps: its beginning and its end
//!
//! [vault]                  # config.toml only
//! identity = "~/.ssh/id_ed25519"
//!
//! [sources.command.db]     # config.toml only
//! run = ["pass", "show", "db"]
//!
//! [sources.vault]          # config.toml only; one table for each remote source
//! address = "https://vault.example.com:8200"
//! ```
//!
//! The project's file wins over the user's, and a profile over both. What makes this machine run
//! a program or use a key is read from the user's file only, and `[exec]` of a project names variables for
//! secrets only: a project may come from anybody.

mod file;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use doppio_secrets::AuditPolicy;
use doppio_secrets::Bound;
use doppio_secrets::DefaultSource;
use doppio_secrets::OnError;
use doppio_secrets::SecretRef;
use doppio_secrets::looks_like_name;
use doppio_secrets::looks_like_value;
use doppio_secrets::source::Command;
use doppio_secrets::source::Options;
use doppio_text::Diagnostic;
use doppio_text::NotOwn;
use doppio_text::OwnFileError;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::closest;
use doppio_text::name::EnvName;
use doppio_text::name::SecretName;
use doppio_text::open;
use doppio_text::open_own;

use crate::config::project::SETTINGS;
use crate::config::project::own_file;
use crate::config::project_file;

use file::File;
use file::Role;

/// What the settings come to, for one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What names are bound to.
    pub bindings: BTreeMap<SecretName, Bound>,
    /// What `doppio secret exec` gives a command where it is told nothing.
    pub exec: BTreeMap<EnvName, SecretRef>,
    /// What a source that can't be asked does to a search.
    pub on_error: OnError,
    /// Whether names are looked up in `.env`.
    pub dotenv: bool,
    /// Whether the keychain is asked.
    pub keyring: bool,
    /// What an audit log that can't be written does.
    pub audit: AuditPolicy,
    /// Paths and fingerprints that a scan passes over, of the project's file: paths in its folder.
    pub scan_allow: Vec<String>,
    /// The same of the user's file: paths everywhere.
    pub scan_allow_everywhere: Vec<String>,
    /// Mebibytes that the log of a step keeps.
    pub log_mib: u32,
    /// The identity that locks the vault, as written.
    pub vault_identity: Option<PathBuf>,
    /// Binary logarithm of scrypt's cost for a new passphrase vault.
    pub vault_work_factor: u8,
    /// The programs of `[sources.command]`.
    pub commands: BTreeMap<String, Command>,
    /// `[sources.SCHEME]`, by scheme.
    pub sources: BTreeMap<String, Options>,
    /// Where names are looked up that no other rung has.
    pub default_source: Option<DefaultSource>,
    /// Whether the credentials that providers' own tools keep here are found by themselves.
    pub discover: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bindings: BTreeMap::new(),
            exec: BTreeMap::new(),
            on_error: OnError::Stop,
            dotenv: false,
            keyring: true,
            audit: AuditPolicy::Warn,
            scan_allow: Vec::new(),
            scan_allow_everywhere: Vec::new(),
            log_mib: 256,
            vault_identity: None,
            // What `age` itself takes about a second for.
            vault_work_factor: 18,
            commands: BTreeMap::new(),
            sources: BTreeMap::new(),
            default_source: None,
            discover: false,
        }
    }
}

/// Why there are no settings.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// A file is there and can't be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        cause: String,
    },
    /// Others than the user can write the user's file.
    #[error(transparent)]
    NotOwn(#[from] NotOwn),
    /// A file has faults.
    #[error("`{}` has {}", source_text.name(), count(faults.len()))]
    Faults {
        /// The file.
        source_text: Source,
        /// All of them, with their locations.
        faults: Vec<Diagnostic>,
    },
    /// No file has the profile.
    #[error("{}: {hint}", no_profile(name))]
    UnknownProfile {
        /// The name that was asked for.
        name: String,
        /// What there is.
        hint: String,
    },
}

/// What is no name may be a secret that was put there by mistake.
fn no_profile(name: &str) -> String {
    if looks_like_name(name) {
        format!("no profile is called `{name}`")
    } else {
        "there is no profile of that name".to_owned()
    }
}

fn count(faults: usize) -> String {
    if faults == 1 { "1 fault".to_owned() } else { format!("{faults} faults") }
}

impl Settings {
    /// Reads both files; one that is not there counts as empty. `project` is the folder of the
    /// recipe, from which `doppio.toml` is looked for upward, `user` the path of `config.toml`, which
    /// only the user may be able to write, up to the `home`: it names programs to run.
    ///
    /// # Errors
    ///
    /// When a file can't be read or has faults, when others can write the user's, or no file has the
    /// profile.
    pub fn load(
        project: &Path,
        user: &Path,
        home: &Path,
        profile: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let project = project_file(project, SETTINGS);
        let opened = own_file(&project).and_then(|()| open(&project)).map_err(OwnFileError::Io);
        let project = read(&project, Role::Project, opened)?;
        let user = read(user, Role::User, open_own(user, home))?;
        Self::merge(&project, &user, profile)
    }

    /// Later layers win: default, user, project, the user's profile, the project's profile.
    fn merge(project: &File, user: &File, profile: Option<&str>) -> Result<Self, SettingsError> {
        let mut layers = vec![&user.base, &project.base];
        if let Some(name) = profile {
            let found: Vec<_> =
                [user, project].into_iter().filter_map(|file| file.profiles.get(name)).collect();
            if found.is_empty() {
                return Err(unknown_profile(name, project, user));
            }
            layers.extend(found);
        }
        let mut settings = Self {
            keyring: user.keyring.unwrap_or(true),
            audit: user.audit.unwrap_or_default(),
            scan_allow: project.scan_allow.clone(),
            scan_allow_everywhere: user.scan_allow.clone(),
            vault_identity: user.vault_identity.clone(),
            commands: user.commands.clone(),
            sources: user.sources.clone(),
            discover: user.discover.unwrap_or_default(),
            ..Self::default()
        };
        settings.log_mib = user.log_mib.unwrap_or(settings.log_mib);
        settings.vault_work_factor = user.vault_work_factor.unwrap_or(settings.vault_work_factor);
        for layer in layers {
            settings.on_error = layer.on_error.unwrap_or(settings.on_error);
            settings.dotenv = layer.dotenv.unwrap_or(settings.dotenv);
            settings.default_source = layer.default_source.clone().or(settings.default_source);
            settings.bindings.extend(layer.secrets.clone());
            settings.exec.extend(layer.exec.clone());
        }
        settings.default_source = settings.default_source.map(|template| template.with_profile(profile));
        Ok(settings)
    }
}

fn unknown_profile(name: &str, project: &File, user: &File) -> SettingsError {
    let names: Vec<&str> = project.profiles.keys().chain(user.profiles.keys()).map(String::as_str).collect();
    let hint = match closest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() && looks_like_name(name) => {
            format!("write `[profile.{name}.secrets]` to doppio.toml")
        }
        None if names.is_empty() => "write `[profile.NAME.secrets]` to doppio.toml".to_owned(),
        None => format!("there is {}", names.join(", ")),
    };
    SettingsError::UnknownProfile { name: name.to_owned(), hint }
}

fn read(path: &Path, role: Role, opened: Result<fs::File, OwnFileError>) -> Result<File, SettingsError> {
    let shown = path.display().to_string();
    let unreadable = |cause: String| SettingsError::Unreadable { path: shown.clone(), cause };
    let mut bytes = Vec::new();
    match opened.and_then(|mut file| Ok(file.read_to_end(&mut bytes)?)) {
        Ok(_) => {}
        Err(OwnFileError::NotOwn(error)) => return Err(error.into()),
        Err(OwnFileError::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(File::default()),
        Err(OwnFileError::Io(error)) => return Err(unreadable(error.to_string())),
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let (line, column) = Source::new("", before.as_str()).line_column(before.len());
        unreadable(format!("line {line}, column {column} is not UTF-8 text"))
    })?;
    let source_text = Source::new(shown.clone(), text);
    file::parse(&source_text, role).map_err(|faults| {
        let (source_text, faults) = hidden(&source_text, faults);
        SettingsError::Faults { source_text, faults }
    })
}

/// The text and its faults with `***` in the place of what may be a value that was put there by
/// mistake: faults are drawn with the lines they stand on.
fn hidden(source_text: &Source, mut faults: Vec<Diagnostic>) -> (Source, Vec<Diagnostic>) {
    let mut text = source_text.text().to_owned();
    let may_be_value = |fault: &&Diagnostic| fault.code == "settings::reference";
    let mut spans: Vec<Span> =
        faults.iter().filter(may_be_value).map(|fault| fault.primary.span.clone()).collect();
    let inside =
        |spans: &[Span], word: &Span| spans.iter().any(|span| span.start < word.end && word.start < span.end);
    for word in words(&text).filter(|word| looks_like_value(&text[word.clone()])) {
        if !inside(&spans, &word) {
            spans.push(word);
        }
    }
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    spans.dedup();
    for hidden in spans {
        let stars = if text[hidden.clone()].starts_with(['"', '\'']) { "\"***\"" } else { "***" };
        text.replace_range(hidden.clone(), stars);
        let moved = |at: usize| {
            if at >= hidden.end { at - hidden.end + hidden.start + stars.len() } else { at.min(hidden.start) }
        };
        for fault in &mut faults {
            let labels = std::iter::once(&mut fault.primary).chain(&mut fault.others);
            let edit = fault.edit.as_mut().map(|edit| &mut edit.span);
            for span in labels.map(|label| &mut label.span).chain(edit) {
                *span = moved(span.start)..moved(span.end).max(moved(span.start));
            }
        }
    }
    (Source::new(source_text.name(), text), faults)
}

/// The words of a text, as tokens are made of.
fn words(text: &str) -> impl Iterator<Item = Span> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    text.split(move |c| !is_of_word(c)).filter(|word| !word.is_empty()).map(|word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        start..start + word.len()
    })
}

/// How long a command may take unless its settings say otherwise.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn load(project: &str, user: &str, profile: Option<&str>) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("doppio.toml"), project).unwrap();
        fs::write(folder.path().join("config.toml"), user).unwrap();
        Settings::load(folder.path(), &folder.path().join("config.toml"), folder.path(), profile)
    }

    fn bound(settings: &Settings, name: &str) -> String {
        settings.bindings[&name.parse::<SecretName>().unwrap()].reference.to_string()
    }

    #[test]
    fn no_files_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            Settings::load(folder.path(), &folder.path().join("config.toml"), folder.path(), None).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn nearer_files_and_profiles_win() {
        let project =
            "dotenv = true\n[secrets]\n'a' = 'env:P'\n[profile.prod]\nsecrets = { 'b' = 'env:PP' }\n";
        let user = "on_error = 'next'\ndotenv = false\n[secrets]\n'a' = 'env:U'\n'b' = 'env:UB'\n'c' = 'env:UC'\n\
                    [profile.prod.secrets]\n'a' = 'env:UP'\n";
        let plain = load(project, user, None).unwrap();
        assert_eq!((plain.on_error, plain.dotenv), (OnError::Next, true));
        assert_eq!(["a", "b", "c"].map(|name| bound(&plain, name)), ["env:P", "env:UB", "env:UC"]);
        let prod = load(project, user, Some("prod")).unwrap();
        assert_eq!(["a", "b", "c"].map(|name| bound(&prod, name)), ["env:UP", "env:PP", "env:UC"]);
        let fault = load(project, user, Some("prd")).unwrap_err();
        assert_eq!(fault.to_string(), "no profile is called `prd`: did you mean `prod`?");
    }

    #[test]
    fn the_default_source_of_a_profile_wins_and_knows_its_name() {
        let project =
            "default_source = 'file:{name}'\n[profile.prod]\ndefault_source = 'file:{profile}/{name}'\n";
        let of = |profile| load(project, "", profile).unwrap().default_source.unwrap();
        let expected = |text, profile| {
            DefaultSource::parse(text, crate::sources::SOURCES).unwrap().with_profile(profile)
        };
        assert_eq!(of(None), expected("file:{name}", None));
        assert_eq!(of(Some("prod")), expected("file:{profile}/{name}", Some("prod")));
    }

    #[test]
    fn what_a_file_that_cant_be_read_says() {
        let folder = tempfile::tempdir().unwrap();
        let user = folder.path().join("config.toml");
        fs::write(&user, b"a = 1\nb = '\xff'\n").unwrap();
        let fault = Settings::load(folder.path(), &user, folder.path(), None).unwrap_err().to_string();
        assert!(fault.ends_with("line 2, column 6 is not UTF-8 text"), "{fault}");
        fs::remove_file(&user).unwrap();
        fs::create_dir(&user).unwrap();
        assert!(matches!(
            Settings::load(folder.path(), &user, folder.path(), None),
            Err(SettingsError::Unreadable { .. })
        ));
    }
}
