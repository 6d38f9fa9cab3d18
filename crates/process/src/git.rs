//! Asking git, by its own program, which knows every form of a repository.
//!
//! A repository is somebody else's text. Its configuration can name programs that git runs: a file
//! system monitor, hooks, filters, external diffs, text conversions, a pager, a command that lists
//! the refs of alternates, helpers of remotes. So every call has settings of our own, which go before
//! all files, and only commands are called that look at no working tree through filters and print no
//! patches. A bare repository that lies in a working tree, as any commit can bring one, is asked only
//! where it is named (`safe.bareRepository`): elsewhere it would pass for the working tree's.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::Broken;
use crate::Heard;
use crate::Limits;
use crate::Program;
use crate::Stream;

/// How long git may take to say whether a file is ignored.
const QUESTION: Limits = Limits { longest: 1 << 16, deadline: Duration::from_secs(10) };

/// How long and how much it may list: all objects of a history of many years.
const LISTING: Limits = Limits { longest: 2 << 30, deadline: Duration::from_hours(1) };

/// Settings that go before those of the repository, of the user and of the machine.
const SETTINGS: [&str; 15] = [
    // Not every git knows `false` here: one that is older would take it for a program.
    "core.fsmonitor=",
    "core.pager=cat",
    "core.alternateRefsCommand=:",
    "core.askPass=",
    "core.editor=false",
    "core.gitProxy=",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.external=",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "core.quotePath=false",
    "diff.relative=false",
];

/// The one more that every call has but those that ask where the hooks are.
const NO_HOOKS: &str = "core.hooksPath=/dev/null";

/// What a bare repository is: only one that is named.
const NAMED_ONLY: &str = "safe.bareRepository=explicit";

/// The same for one that is named, or lies in no working tree.
const ANY: &str = "safe.bareRepository=all";

/// Programs that the environment names.
const PROGRAMS: [&str; 9] = [
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "SSH_ASKPASS",
];

/// What the environment says of the repository that a command is given in: `git rev-parse
/// --local-env-vars` without the configuration, which is the user's.
const AMBIENT: [&str; 12] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Why git does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitError {
    /// There is no such program.
    #[error("cannot start `git`: {cause}")]
    NoGit {
        /// The system's words.
        cause: String,
    },
    /// The folder is in no repository.
    #[error("`{path}` is not in a git repository")]
    NoRepository {
        /// The folder.
        path: String,
    },
    /// The folder is in a bare repository that lies in a working tree. Whoever made the working
    /// tree's commits made its configuration.
    #[error("`{path}` is a bare repository inside of the working tree `{top}`, so git is not asked there")]
    Planted {
        /// The bare repository.
        path: String,
        /// The working tree.
        top: String,
    },
    /// It refused.
    #[error("`git {command}` failed: {cause}")]
    Failed {
        /// Its first argument.
        command: String,
        /// Its own words.
        cause: String,
    },
}

/// Whether git ignores a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// It does.
    Yes,
    /// The next `git add` would take it.
    No,
    /// The file lies in no working tree, or there is no git that could take it.
    Nowhere,
    /// Git did not say, for this reason.
    Unknown(String),
}

impl Ignored {
    fn of(heard: Result<Heard, Broken>) -> Self {
        match heard {
            Ok(heard) => match heard.status.code() {
                Some(0) => Self::Yes,
                Some(1) => Self::No,
                _ => Self::Unknown(words(&heard)),
            },
            Err(Broken::NotStarted(_)) => Self::Nowhere,
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}

/// A repository, by a folder in it.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
    /// The environment does not say which one it is.
    is_alone: bool,
    /// Which bare repositories count.
    bare: &'static str,
}

impl Repository {
    /// The one that this folder, or the folder of this file, is in.
    ///
    /// # Errors
    ///
    /// When it is in none, or there is no git.
    pub fn at(path: &Path) -> Result<Self, GitError> {
        Self::open(path, false)
    }

    /// The same as [`Repository::at`], whatever the environment says of another one: a hook's does.
    ///
    /// # Errors
    ///
    /// When it is in none, or there is no git.
    pub fn alone(path: &Path) -> Result<Self, GitError> {
        Self::open(path, true)
    }

    fn open(path: &Path, is_alone: bool) -> Result<Self, GitError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // What is named by its own path is meant; where a command is given by chance is not.
        let is_named = folder != Path::new(".") && is_store(folder);
        let bare = if is_named { ANY } else { NAMED_ONLY };
        let mut own = Self { folder: folder.to_owned(), is_alone, bare };
        match own.read(&["rev-parse", "--git-dir"]) {
            Ok(_) => Ok(own),
            Err(GitError::Failed { cause, .. }) if cause.contains("not a git repository") => {
                Err(GitError::NoRepository { path: folder.display().to_string() })
            }
            Err(GitError::Failed { cause, .. }) if cause.contains("safe.bareRepository") => {
                let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                if let Some(top) = working_tree(&real) {
                    let path = real.ancestors().find(|folder| is_store(folder)).unwrap_or(&real);
                    return Err(GitError::Planted {
                        path: path.display().to_string(),
                        top: top.display().to_string(),
                    });
                }
                own.bare = ANY;
                own.read(&["rev-parse", "--git-dir"]).map(|_| own)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether git ignores the file at this absolute path, which need not be there. The working tree
    /// is looked for by its `.git`, and git is asked at its top: nothing that lies further down can
    /// pass for the repository.
    pub async fn ignores(path: &Path) -> Ignored {
        let Some(question) = Self::question(path) else { return Ignored::Nowhere };
        Ignored::of(question.hear(None, QUESTION).await)
    }

    /// The same for whoever can't wait.
    pub fn ignores_blocking(path: &Path) -> Ignored {
        let Some(question) = Self::question(path) else { return Ignored::Nowhere };
        Ignored::of(question.hear_blocking(None, QUESTION))
    }

    fn question(path: &Path) -> Option<Program> {
        let (top, name) = within(path)?;
        let own = Self { folder: top, is_alone: true, bare: NAMED_ONLY };
        // What begins with a dot is never taken for a pattern of paths.
        let name = Path::new(".").join(name);
        Some(own.program(&[NO_HOOKS]).args(["check-ignore", "-q", "--"]).arg(name).without_stdout())
    }

    /// Whether it has neither working tree nor index.
    ///
    /// # Errors
    ///
    /// When git can't be asked.
    pub fn is_bare(&self) -> Result<bool, GitError> {
        Ok(self.read(&["rev-parse", "--is-bare-repository"])?.starts_with(b"true"))
    }

    /// Where the paths of its files begin; of a bare one, the folder that it was found by.
    pub fn top(&self) -> PathBuf {
        self.read(&["rev-parse", "--show-toplevel"]).map_or_else(|_| self.folder.clone(), path_of)
    }

    /// The folder where git looks for hooks.
    ///
    /// # Errors
    ///
    /// When git can't be asked.
    pub fn hooks(&self) -> Result<PathBuf, GitError> {
        let arguments = ["rev-parse", "--path-format=absolute", "--git-path", "hooks"];
        self.heard(&[], &arguments, &[]).map(path_of)
    }

    /// The scope of the setting that says where the hooks are, as git calls it: none where none
    /// does.
    pub fn scope_of_hooks(&self) -> Option<String> {
        let said = self.heard(&[], &["config", "--show-scope", "--get", "core.hooksPath"], &[]).ok()?;
        String::from_utf8_lossy(&said).split('\t').next().map(str::to_owned)
    }

    /// What a command of git prints. Commands that run filters or print patches are none for here.
    ///
    /// # Errors
    ///
    /// When it can't be started, or fails.
    pub fn read(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.read_with(arguments, &[])
    }

    /// The same, with something on its stdin.
    ///
    /// # Errors
    ///
    /// When it can't be started, or fails.
    pub fn read_with(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        self.heard(&[NO_HOOKS], arguments, input)
    }

    /// What a command of git prints, while it prints it.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn stream(&self, arguments: &[&str], input: Vec<u8>) -> Result<Stream, GitError> {
        let program = self.program(&[NO_HOOKS]).args(arguments);
        program.stream(input).map_err(|error| no_git(&error))
    }

    fn heard(&self, settings: &[&str], arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let failed = |cause: String| GitError::Failed {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            cause,
        };
        let program = self.program(settings).args(arguments);
        let mut heard = program.hear_blocking(Some(input), LISTING).map_err(|error| match error {
            Broken::NotStarted(error) => no_git(&error),
            error => failed(error.to_string()),
        })?;
        if heard.status.success() {
            return Ok(std::mem::take(&mut *heard.stdout));
        }
        Err(failed(words(&heard)))
    }

    /// Git in its folder, with settings on top of those that every call has.
    fn program(&self, settings: &[&str]) -> Program {
        let mut program = Program::new("git").arg("-C").arg(&self.folder);
        for setting in SETTINGS.iter().chain([&self.bare]).chain(settings) {
            program = program.args(["-c", setting]);
        }
        for name in PROGRAMS.iter().chain(AMBIENT.iter().filter(|_| self.is_alone)) {
            program = program.env_remove(name);
        }
        program
            .args(["--no-pager", "--no-optional-locks", "--no-replace-objects"])
            // Its words are looked at.
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // What a clone left out is not fetched; not every git knows the first of these.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
    }
}

/// Whether a folder is where git keeps a repository: a bare one, or a `.git`. What lies in it is
/// compressed.
pub fn is_store(folder: &Path) -> bool {
    folder.join("HEAD").symlink_metadata().is_ok()
        && ["objects", "refs"].iter().all(|name| folder.join(name).is_dir())
}

/// The nearest folder with a `.git` that this one lies in.
fn working_tree(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

/// The top of the working tree that a file lies in, and its path from there.
fn within(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let real = path.canonicalize().or_else(|_| {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        folder.canonicalize().map(|folder| folder.join(name))
    });
    let real = real.ok()?;
    let top = working_tree(real.parent()?)?;
    Some((top.to_owned(), real.strip_prefix(top).ok()?.to_owned()))
}

fn path_of(mut line: Vec<u8>) -> PathBuf {
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    PathBuf::from(OsString::from_vec(line))
}

fn no_git(error: &io::Error) -> GitError {
    GitError::NoGit { cause: error.to_string() }
}

/// What it stopped for; advice may follow.
fn words(heard: &Heard) -> String {
    let words = String::from_utf8_lossy(&heard.stderr);
    let fatal = words.lines().find_map(|line| line.strip_prefix("fatal: "));
    fatal.or(words.trim().lines().next_back()).unwrap_or("no words").to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let program = Program::new("git").arg("-C").arg(folder).args(arguments);
        let heard = program.env("GIT_CONFIG_GLOBAL", "/dev/null").hear_blocking(None, QUESTION).unwrap();
        assert!(heard.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&heard.stderr));
    }

    /// A bare repository as a commit can bring one, whose monitor leaves a file.
    fn plant(folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        git(folder, &["init", "-q", "--bare", "."]);
        let mark = folder.join("PLANTED");
        let text = format!(
            "[core]\nrepositoryFormatVersion = 0\nfsmonitor = \"touch '{}'; false\"\nworktree = .\n",
            mark.display()
        );
        fs::write(folder.join("config"), text).unwrap();
        mark
    }

    #[tokio::test]
    async fn whether_a_file_is_ignored_is_known_or_said_to_be_unknown() {
        let world = tempfile::tempdir().unwrap();
        let top = world.path().join("tree");
        let inner = top.join("inner");
        assert_eq!(Repository::ignores(&world.path().join(".env")).await, Ignored::Nowhere);
        fs::create_dir(&top).unwrap();
        git(&top, &["init", "-q"]);
        let mark = plant(&inner);
        for file in [top.join(".env"), inner.join(".env"), inner.join(":(top).env")] {
            assert_eq!(Repository::ignores(&file).await, Ignored::No, "{}", file.display());
        }
        fs::write(top.join(".gitignore"), ".env\n").unwrap();
        for file in [top.join(".env"), inner.join(".env")] {
            assert_eq!(Repository::ignores(&file).await, Ignored::Yes, "{}", file.display());
        }
        fs::write(top.join(".git/config"), "[core\n").unwrap();
        assert!(matches!(Repository::ignores(&top.join(".env")).await, Ignored::Unknown(_)));
        assert!(!mark.exists());
    }

    #[test]
    fn a_bare_repository_counts_where_it_lies_in_no_working_tree() {
        let world = tempfile::tempdir().unwrap();
        let top = world.path().join("tree");
        let bare = world.path().join("bare.git");
        let mark = plant(&bare);
        Repository::at(&bare).unwrap().read(&["ls-files"]).unwrap();
        fs::create_dir(&top).unwrap();
        git(&top, &["init", "-q"]);
        assert!(!Repository::at(&top).unwrap().is_bare().unwrap());
        let planted = plant(&top.join("inner"));
        let fault = Repository::at(&top.join("inner/refs")).unwrap_err();
        assert!(matches!(fault, GitError::Planted { .. }), "{fault}");
        Repository::at(&top.join("inner")).unwrap().read(&["ls-files"]).unwrap();
        let fault = Repository::alone(world.path()).unwrap_err();
        assert!(matches!(fault, GitError::NoRepository { .. }), "{fault}");
        assert!(!mark.exists() && !planted.exists());
    }

    #[test]
    fn the_hooks_of_the_repository_are_told_although_none_runs() {
        let world = tempfile::tempdir().unwrap();
        git(world.path(), &["init", "-q"]);
        let own = Repository::alone(world.path()).unwrap();
        assert!(own.hooks().unwrap().ends_with(".git/hooks"));
        git(world.path(), &["config", "core.hooksPath", "/nowhere"]);
        assert_eq!(own.hooks().unwrap(), Path::new("/nowhere"));
        assert_eq!(own.scope_of_hooks().as_deref(), Some("local"));
    }

    /// Each of them goes before the setting of the repository.
    #[test]
    fn settings_of_our_own_win() {
        let world = tempfile::tempdir().unwrap();
        git(world.path(), &["init", "-q"]);
        let own = Repository::alone(world.path()).unwrap();
        for setting in SETTINGS.iter().chain([&NO_HOOKS]) {
            let (key, value) = setting.split_once('=').unwrap();
            git(world.path(), &["config", key, "touch PLANTED"]);
            let said = own.read(&["config", "--get", key]).unwrap();
            assert_eq!(String::from_utf8_lossy(&said).trim_end(), value, "{key}");
        }
    }
}
