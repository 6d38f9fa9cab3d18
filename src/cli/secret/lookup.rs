//! Settings, environment and flags → the ladder.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use doppio_secrets::AuditAction;
use doppio_secrets::AuditError;
use doppio_secrets::AuditLog;
use doppio_secrets::Auditor;
use doppio_secrets::Bound;
use doppio_secrets::Ladder;
use doppio_secrets::LadderOptions;
use doppio_secrets::Mask;
use doppio_secrets::Origin;
use doppio_secrets::Prompt;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_secrets::Use;
use doppio_secrets::looks_like_value;
use doppio_secrets::source::KeyOptions;
use doppio_secrets::source::Keychain;
use doppio_secrets::source::Source;
use doppio_secrets::vendor::Discovery;
use doppio_text::closest;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::terminal::Terminal;
use crate::cli::terminal::is_attended;
use crate::config::Dirs;
use crate::config::Settings;
use crate::config::SettingsError;
use crate::config::project_file;
use crate::sources::SOURCES;

/// The secrets that a login on a host asks for, whatever the recipe.
const OF_LOGINS: [&str; 2] = ["ssh/passphrase", "ssh/password"];

/// Where secrets are looked up.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct LookupArgs {
    /// Use this profile of the settings; else `DOPPIO_PROFILE`
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Look a secret up elsewhere for this command: a reference, never a value
    #[arg(long = "secret", value_name = "NAME=REF")]
    secrets: Vec<String>,
}

impl LookupArgs {
    /// The profile of the settings, if one is named.
    pub(in crate::cli) fn profile<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        self.profile.as_deref().or_else(|| context.env.text("DOPPIO_PROFILE"))
    }
}

/// The ladder for a recipe in the folder `project`. Its sources are closed with the context's.
pub(in crate::cli) fn ladder(
    context: &Context,
    project: &Path,
    args: &LookupArgs,
) -> Result<Ladder, CliError> {
    ladder_asking(context, project, args, Arc::new(Terminal::new(context)))
}

/// What resolves secrets for a recipe in the folder `project`.
pub(in crate::cli) fn session(
    context: &Context,
    project: &Path,
    args: &LookupArgs,
) -> Result<SecretSession, CliError> {
    Ok(SecretSession::new(ladder(context, project, args)?, Mask::default()))
}

/// The ladder for a command of this folder that binds no secrets.
pub(in crate::cli) fn usual_ladder(context: &Context) -> Result<Ladder, CliError> {
    ladder(context, &context.cwd, &LookupArgs::default())
}

/// The profile of a command that writes.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct ProfileArg {
    /// Use this profile of the settings, whose `default_source` says where names are kept; else
    /// `DOPPIO_PROFILE`
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
}

impl ProfileArg {
    /// The ladder for a command of this folder that binds no secrets, with this profile.
    pub(in crate::cli) fn ladder(&self, context: &Context) -> Result<Ladder, CliError> {
        let args = LookupArgs { profile: self.profile.clone(), secrets: Vec::new() };
        ladder(context, &context.cwd, &args)
    }
}

/// The same, with somebody else who asks the user.
pub(in crate::cli) fn ladder_asking(
    context: &Context,
    project: &Path,
    args: &LookupArgs,
    prompt: Arc<dyn Prompt>,
) -> Result<Ladder, CliError> {
    let dirs = Dirs::new(&context.env, &context.home);
    let profile = args.profile(context);
    let settings = Settings::load(project, &dirs.config_toml(), &context.home, profile)?;
    let keychain = if settings.keyring && context.env.text("DOPPIO_KEYRING") != Some("off") {
        Keychain::new(is_attended(context))
    } else {
        Keychain::off()
    };
    let identity = context.env.path("DOPPIO_VAULT_IDENTITY").or(settings.vault_identity);
    let keys = KeyOptions {
        identity: identity.map(|path| below_home(context, path)),
        passphrase_fd: context.env.text("DOPPIO_PASSPHRASE_FD").map(str::to_owned),
        passphrase_file: context.env.path("DOPPIO_PASSPHRASE_FILE"),
        home: context.home.clone(),
        prompt,
        keychain: Arc::new(keychain),
        work_factor: settings.vault_work_factor,
    };
    let discovery: Option<Arc<dyn Source>> = settings
        .discover
        .then(|| Arc::new(Discovery::new(context.env.clone(), context.home.clone())) as Arc<dyn Source>);
    let ladder = Ladder::new(LadderOptions {
        kinds: SOURCES,
        flags: flags(&args.secrets)?,
        bindings: settings.bindings,
        environment: context.env.clone(),
        dotenv: (project_file(project, ".env"), settings.dotenv),
        vault: (dirs.vault(), keys),
        commands: settings.commands,
        sources: settings.sources,
        home: context.home.clone(),
        default_source: settings.default_source,
        discovery,
        on_error: settings.on_error,
    });
    context.opened.add(&ladder);
    Ok(ladder)
}

/// Who keeps the audit log of this command, as the settings say.
pub(in crate::cli) fn auditor(context: &Context, prompt: Arc<dyn Prompt>) -> Result<Arc<Auditor>, CliError> {
    let dirs = Dirs::new(&context.env, &context.home);
    let policy = Settings::load(&context.cwd, &dirs.config_toml(), &context.home, None)?.audit;
    Ok(Arc::new(Auditor::new(AuditLog::new(dirs.state()), policy, prompt)))
}

/// The vault of a command that hands values on: what it fetches is written down.
pub(in crate::cli) fn audited(context: &Context, vault: SecretSession) -> Result<SecretSession, CliError> {
    Ok(vault.audited(auditor(context, Arc::new(Terminal::new(context)))?))
}

/// Says what becomes of values that were made for a command which hands them to the user.
pub(in crate::cli) fn tell_of_lent(vault: &SecretSession) {
    if vault.has_lent() {
        output::line(
            "note: it was created for this command and is returned now; `doppio secret exec` runs a command with one",
        );
    }
}

/// Records what a command did with a secret.
pub(in crate::cli) fn record(
    context: &Context,
    action: AuditAction,
    secret: &str,
    place: Option<String>,
    value: Option<&SecretValue>,
) -> Result<(), CliError> {
    record_all(context, vec![a_use(action, secret, place, value)])
}

/// A line of the log, with the value that it is about.
pub(in crate::cli) fn a_use(
    action: AuditAction,
    secret: &str,
    place: Option<String>,
    value: Option<&SecretValue>,
) -> (Use, Option<SecretValue>) {
    (Use { action, secret: secret.to_owned(), source: place, ..Use::default() }, value.cloned())
}

/// The same of several.
pub(in crate::cli) fn record_all(
    context: &Context,
    uses: Vec<(Use, Option<SecretValue>)>,
) -> Result<(), CliError> {
    auditor(context, Arc::new(Terminal::new(context)))?.record(uses).map_err(|error| not_logged(&error))
}

/// Does what was recorded before; if it fails, that is recorded too.
pub(in crate::cli) async fn logged<T>(
    context: &Context,
    uses: Vec<(Use, Option<SecretValue>)>,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    record_all(context, uses.clone())?;
    let done = work.await;
    if done.is_err() {
        let failed = uses.into_iter().map(|(what, value)| (Use { failed: true, ..what }, value));
        if let Err(error) = record_all(context, failed.collect()) {
            output::fail(&error);
        }
    }
    done
}

fn not_logged(error: &AuditError) -> CliError {
    CliError::world("the audit log can't be written, and the settings say `audit = \"required\"`")
        .cause(error.to_string())
        .hint("fix it, or write `audit = \"warn\"` in config.toml")
}

/// A path of the settings with its `~` resolved.
fn below_home(context: &Context, path: PathBuf) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => context.home.join(rest),
        Err(_) => path,
    }
}

/// `NAME=REF` of the command line. What can't be read may hold a value, so it is not repeated.
fn flags(texts: &[String]) -> Result<BTreeMap<SecretName, Bound>, CliError> {
    let mut flags = BTreeMap::new();
    for text in texts {
        let parsed = text.split_once('=').and_then(|(name, reference)| {
            Some((name.parse::<SecretName>().ok()?, reference.parse::<SecretRef>().ok()?))
        });
        let Some((name, reference)) = parsed else {
            return Err(never_a_value());
        };
        if [name.as_str(), &reference.to_string()].into_iter().any(looks_like_value) {
            return Err(never_a_value().hint(
                "the value is in your shell's history now: if it is real, replace it where it was issued",
            ));
        }
        if let Origin::Source { scheme, .. } = &reference.origin {
            SOURCES.find(scheme).map_err(|error| CliError::usage(error.to_string()))?;
        }
        flags.insert(name, Bound { reference, by: "`--secret`".to_owned() });
    }
    Ok(flags)
}

fn never_a_value() -> CliError {
    CliError::usage("`--secret` takes a name and a reference, never a value")
        .hint("write `--secret huggingface/token=env:HF_TOKEN`, or `…=file:PATH` for one in the age vault")
}

/// Refuses a name that the command line binds and nobody will ask for: it is not `needed` by the
/// recipe, nor by the login on a host.
pub(in crate::cli) fn check_bound(args: &LookupArgs, needed: &BTreeSet<SecretName>) -> Result<(), CliError> {
    let bound = flags(&args.secrets)?;
    let is_needed = |name: &SecretName| needed.contains(name) || OF_LOGINS.contains(&name.as_str());
    let Some(name) = bound.keys().find(|name| !is_needed(name)) else { return Ok(()) };
    let error = CliError::usage(format!("`--secret {name}=…`: the recipe has no secret `{name}`"));
    Err(match closest(name.as_str(), needed.iter().map(SecretName::as_str)) {
        Some(near) => error.hint(format!("did you mean `--secret {near}=…`?")),
        None if needed.is_empty() => error.hint("the recipe names no secret that could be bound"),
        None => {
            let names: Vec<String> = needed.iter().map(|name| format!("`{name}`")).collect();
            error.hint(format!("the recipe's secrets are {}", names.join(", ")))
        }
    })
}

impl From<SettingsError> for CliError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Faults { source_text, faults } => Self::faults(source_text, faults),
            SettingsError::NotOwn(error) => error.into(),
            SettingsError::UnknownProfile { .. } => Self::usage(error.to_string()),
            SettingsError::Unreadable { path, cause } => Self::world(format!("cannot read `{path}`"))
                .cause(cause)
                .hint(format!("look at it with {}", typed(["ls", "-l", &path]))),
        }
    }
}
