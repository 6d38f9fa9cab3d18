//! Servers that stand in for those that are not available on a test machine. They are Python
//! programs in `tests/standins/`, strict about what they are asked.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

/// How long one may take to end before it is killed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stand-in that runs until this is dropped.
pub(crate) struct Standin {
    folder: TempDir,
    child: Child,
    port: u16,
}

impl Standin {
    /// Starts `tests/standins/NAME.py`; `files` are put into its folder first.
    pub(crate) fn start(name: &str, files: &[(&str, &str)]) -> Self {
        Self::start_with("python3".as_ref(), name, files)
    }

    /// The same with another Python, as that of the tests' virtual environment.
    pub(crate) fn start_with(python: &Path, name: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-standin-").tempdir().expect("a folder in /tmp");
        for (file, text) in files {
            fs::write(folder.path().join(file), text).expect("a file in it");
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/standins/{name}.py"));
        let log = fs::File::create(folder.path().join("log")).expect("a log in it");
        let mut child = Command::new(python)
            .arg("-B")
            .arg(&script)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says its port");
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} did not start:\n{log}"));
        Self { folder, child, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its address, for one that talks TLS.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What it is to do from now on, as JSON.
    pub(crate) fn control(&self, json: &str) {
        let (new, old) = (self.path("control.new"), self.path("control"));
        fs::write(&new, json).expect("a file in its folder");
        fs::rename(new, old).expect("a file in its folder");
    }

    /// The requests since the last call, a line each.
    pub(crate) fn requests(&self) -> Vec<String> {
        let path = self.path("requests");
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(path).ok();
        text.lines().map(str::to_owned).collect()
    }

    /// Fails the test if a request was not as the API prescribes.
    #[track_caller]
    pub(crate) fn expect_no_faults(&self) {
        let faults = fs::read_to_string(self.path("faults")).unwrap_or_default();
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        assert!(faults.is_empty() && log.is_empty(), "requests it refused:\n{faults}\nits log:\n{log}");
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        // It ends with its stdin, and what it has started before it does.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                self.child.kill().ok();
                self.child.wait().ok();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Waits for an answer, on a runtime of its own.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_millis(100));
    done
}

pub(crate) fn secret(bytes: impl AsRef<[u8]>) -> SecretValue {
    SecretValue::new(bytes.as_ref().to_vec())
}

pub(crate) fn bytes(value: &SecretValue) -> Vec<u8> {
    value.reveal(<[u8]>::to_vec)
}

/// The bytes at a path.
pub(crate) async fn get(source: &dyn Source, path: &str) -> Result<(Vec<u8>, Metadata), SourceError> {
    source.get(path, None).await.map(|(value, facts)| (bytes(&value), facts))
}

/// An error in full, for a comparison and for a search for what it must not hold.
pub(crate) fn words<T>(answer: Result<T, SourceError>) -> String {
    let error = answer.err().expect("an error");
    let kind = match &error {
        SourceError::Missing => "missing",
        SourceError::Absent { .. } => "absent",
        SourceError::NotAllowed { .. } => "not allowed",
        SourceError::Unreachable { .. } => "unreachable",
        SourceError::Unfit { .. } => "unfit",
    };
    let hint = error.hint().unwrap_or_default();
    let text = format!("{kind}: {error}; {hint}");
    assert!(!text.contains("hunter2"), "a value in `{text}`");
    text
}
