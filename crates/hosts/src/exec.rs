//! What is asked of a host, and what comes back.

use doppio_secrets::Carrier;
use doppio_secrets::Delivery;
use doppio_secrets::SecretValue;
use doppio_secrets::vendor::FileForm;
use doppio_text::name::EnvName;

use crate::HostError;

/// Shell text to run, and all it needs.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Shell text without any value in it; it may be seen in argv.
    pub script: String,
    /// Its environment. Values never reach an argv or a file.
    pub env: Vec<EnvVar>,
    /// Where it runs; the home directory otherwise. A leading `~` is the remote home.
    pub workdir: Option<String>,
    /// What reads the script.
    pub interpreter: Interpreter,
    /// Files that are sourced first.
    pub source: Vec<String>,
    /// Bytes for its stdin, which is empty otherwise. End of file follows them.
    pub stdin: Option<SecretValue>,
}

impl Exec {
    /// The script with an empty environment, under `bash` (or `sh` where there is none).
    pub fn new(script: impl Into<String>) -> Self {
        Self {
            script: script.into(),
            env: Vec::new(),
            workdir: None,
            interpreter: Interpreter::default(),
            source: Vec::new(),
            stdin: None,
        }
    }
}

/// One environment variable of a process.
#[derive(Debug, Clone)]
pub struct EnvVar {
    /// Its name.
    pub name: EnvName,
    /// Its value.
    pub value: SecretValue,
    /// The secrets it is made of, as the recipe refers to them; none for an ordinary value.
    pub secrets: Vec<String>,
    /// Whether they are not set, and this is the default of the reference.
    pub is_default: bool,
    /// The file that it goes as, whose path the variable then has; none for a value of the
    /// environment.
    pub file: Option<&'static FileForm>,
}

impl EnvVar {
    /// A value that is made of no secret.
    pub fn new(name: EnvName, value: SecretValue) -> Self {
        Self { name, value, secrets: Vec::new(), is_default: false, file: None }
    }

    /// The secrets in it, once they went by this carrier.
    pub fn sent_by(&self, carrier: Carrier) -> impl Iterator<Item = Delivery<String>> {
        self.secrets.iter().map(move |secret| Delivery {
            variable: self.name.clone(),
            secret: secret.clone(),
            carrier,
            is_default: self.is_default,
        })
    }
}

/// What reads a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The shell, as in `bash`. Only `bash` falls back to `sh`.
    pub shell: String,
    /// Whether it reads the login files first (`-l`).
    pub login: bool,
}

impl Default for Interpreter {
    fn default() -> Self {
        Self { shell: "bash".to_owned(), login: false }
    }
}

/// What a process sends.
#[derive(Debug)]
pub enum Output {
    /// Bytes of its standard output.
    Stdout(Vec<u8>),
    /// Bytes of its standard error.
    Stderr(Vec<u8>),
    /// It is over; nothing follows.
    Exit(Exit),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It ran to its end with this code.
    Code(i32),
    /// A signal ended it: the name without `SIG`.
    Signal(String),
    /// The connection broke before an end was heard of.
    Lost(String),
    /// It never ran: what stood in its way.
    NotStarted(HostError),
}

/// What was found of the files that a process had.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CleanupReport {
    /// They were still there when they were looked for.
    pub was_there: bool,
    /// Folders that could not be removed.
    pub left: Vec<String>,
}

/// What stopping a process came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stopped {
    /// Processes of the group that are still there, as `pid name`.
    pub survivors: Vec<String>,
    /// Whether nothing of it ran any more when it was to be stopped: it had ended by itself.
    pub was_over: bool,
}

impl Stopped {
    /// Whether the group is seen to be gone.
    pub fn is_gone(&self) -> bool {
        self.survivors.is_empty()
    }
}
