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
    /// When it ends early; at no failure otherwise.
    pub strict: Strict,
    /// Bytes for its stdin, which is empty otherwise. End of file follows them.
    pub stdin: Option<Stdin>,
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
            strict: Strict::default(),
            stdin: None,
        }
    }
}

/// Bytes for a script's stdin, and which secrets go with them.
#[derive(Debug, Clone)]
pub struct Stdin {
    /// The bytes.
    pub bytes: SecretValue,
    /// The secrets in them, once they were sent.
    pub deliveries: Vec<Delivery<String>>,
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
            variable: Some(self.name.clone()),
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

impl Interpreter {
    /// Whether its language is that of a POSIX shell.
    pub fn is_posix(&self) -> bool {
        // `ksh93`, `bash-5.2`
        let version = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
        matches!(
            self.name().trim_end_matches(version),
            "sh" | "ash"
                | "bash"
                | "bash-static"
                | "dash"
                | "ksh"
                | "lksh"
                | "loksh"
                | "mksh"
                | "oksh"
                | "posh"
                | "rbash"
                | "yash"
                | "zsh"
                | "zsh-static"
        )
    }

    /// The program's name without its folder.
    pub fn name(&self) -> &str {
        self.shell.rsplit('/').next().unwrap_or_default()
    }
}

/// At which failure of its commands a script ends, where a POSIX shell reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strict {
    /// At the first command that fails: `set -e`.
    pub errexit: bool,
    /// A pipe has failed if any of its commands has: `set -o pipefail`.
    pub pipefail: bool,
}

impl Strict {
    /// What stands before a script, on the same line: so its lines keep their numbers, and a trace that
    /// it turns on does not show this.
    ///
    /// A shell without `pipefail` ends with code 98 and says so.
    pub fn opening(self) -> String {
        let mut text = String::new();
        if self.pipefail {
            // An option that a shell does not know ends it, so it is tried in one that may end.
            text.push_str(
                "(set -o pipefail) 2>/dev/null||{ echo \"doppio: this shell has no pipefail\" >&2;exit 98;};\
                 set -o pipefail;",
            );
        }
        if self.errexit {
            text.push_str("set -e;");
        }
        text
    }
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
