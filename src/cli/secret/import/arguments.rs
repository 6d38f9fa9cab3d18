//! The arguments of `doppio secret import`, and how they call what is imported.

use std::path::PathBuf;

use doppio_secrets::format::Format;
use doppio_secrets::naming;
use doppio_text::name::SecretName;

use crate::cli::error::CliError;
use crate::cli::secret::arguments::name;
use crate::cli::secret::lookup::ProfileArg;
use crate::cli::secret::transfer::Wish;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "`HF_TOKEN` becomes `huggingface/token`, as all well-known variables; `DATABASE_URL` \
                        becomes `env/DATABASE_URL`, or `app/DATABASE_URL` with `--prefix app`; the member `url` \
                        of a table `db` becomes `db/url`. Nothing is written before you have seen it.\n\n\
                        Examples:\n  doppio secret import .env\n  \
                        doppio secret import secrets.json --prefix app --dry-run\n  \
                        doppio secret import .env --into app/production --in aws\n  \
                        doppio secret import --from aws team/key --in keyring --yes\n  \
                        doppio secret import --provider huggingface --provider aws:prod"
)]
pub(in crate::cli) struct Args {
    /// A dotenv, JSON, YAML, TOML or Python file, a Kubernetes Secret, or a file of a provider's tools
    #[arg(value_name = "FILE", required_unless_present_any = ["from", "provider"])]
    pub(super) file: Option<PathBuf>,
    /// Import what this provider's own tools keep on this machine, as `doppio secret discover` lists
    #[arg(long, value_name = "PROVIDER", conflicts_with_all = ["file", "from", "format", "remove_source"])]
    pub(super) provider: Vec<String>,
    /// Import from this source instead; what stands for FILE is then the one secret to import
    #[arg(long, value_name = "SOURCE")]
    pub(super) from: Option<String>,
    /// The file's format; else its name or its text decides
    #[arg(long, value_name = "FORM", conflicts_with = "from")]
    pub(super) format: Option<FormatArg>,
    /// The prefix for names of variables that are not well-known; else `env`
    #[arg(long)]
    pub(super) prefix: Option<String>,
    /// Give one another name
    #[arg(long = "map", value_name = "VARIABLE=NAME")]
    pub(super) renames: Vec<String>,
    /// Keep them together as one document, a JSON object or a record, each under the key that it has in the
    /// file
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from", "provider", "prefix", "renames"])]
    pub(super) into: Option<String>,
    /// Where to keep them; else the keychain, or the age vault where there is no keychain
    #[arg(long = "in", value_name = "SOURCE")]
    pub(super) target: Option<String>,
    /// Afterwards remove the file, or what was imported from the source, with its older versions
    #[arg(long)]
    pub(super) remove_source: bool,
    #[command(flatten)]
    pub(super) wish: Wish,
    #[command(flatten)]
    pub(super) profile: ProfileArg,
}

/// The forms as the command line has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FormatArg {
    Dotenv,
    Json,
    Yaml,
    Toml,
    Python,
}

impl From<FormatArg> for Format {
    fn from(form: FormatArg) -> Self {
        match form {
            FormatArg::Dotenv => Self::Dotenv,
            FormatArg::Json => Self::Json,
            FormatArg::Yaml => Self::Yaml,
            FormatArg::Toml => Self::Toml,
            FormatArg::Python => Self::Python,
        }
    }
}

/// How variables and members are called.
pub(super) struct Names {
    pub(super) prefix: Option<String>,
    pub(super) renames: Vec<(String, SecretName)>,
}

impl Names {
    pub(super) fn new(args: &Args) -> Result<Self, CliError> {
        if let Some(prefix) = &args.prefix {
            name(prefix.trim_end_matches('/'))?;
        }
        let renames = args
            .renames
            .iter()
            .map(|text| {
                let (key, new) = text
                    .rsplit_once('=')
                    .ok_or_else(|| CliError::usage("`--map` takes a variable and a name"))
                    .map_err(|error| error.hint("as in `--map DATABASE_URL=db/url`"))?;
                Ok((key.to_owned(), name(new)?))
            })
            .collect::<Result<_, CliError>>()?;
        Ok(Self { prefix: args.prefix.clone(), renames })
    }

    /// The name that the command line gives a key, if it does.
    pub(super) fn renamed(&self, key: &str) -> Option<&SecretName> {
        self.renames.iter().find(|(renamed, _)| renamed == key).map(|(_, name)| name)
    }

    /// The name for a key. A path of another source that is a name stays what it is.
    pub(super) fn of(&self, key: &str) -> Option<SecretName> {
        self.renamed(key).cloned().or_else(|| naming::name_of(key, self.prefix.as_deref()))
    }

    /// Keys that were to be renamed and are not there.
    pub(super) fn unused(&self, mut has: impl FnMut(&str) -> bool) -> Option<&str> {
        self.renames.iter().map(|(key, _)| key.as_str()).find(|key| !has(key))
    }
}
