//! AWS as moto plays it, and servers that answer what no AWS would.

use std::fmt::Write as _;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use doppio_test_support::Doppio;

use crate::support::venv;

/// The region of all tests.
pub(crate) const REGION: &str = "eu-west-1";

/// A moto server; it ends when this process does.
pub(crate) struct Moto {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("the server ends when its stdin does");
    }
}

/// Who asks the server: an access key, by which its calls are counted.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) url: String,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Moto {
    /// A server of its own. `free`: after so many calls each one needs a right.
    pub(crate) fn start(free: Option<usize>) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/support/aws_server.py");
        let mut command = Command::new(venv::python());
        command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(free) = free {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", free.to_string());
        }
        let mut child = command.spawn().expect("python starts");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("it prints a line");
        assert!(!port.trim().is_empty(), "the server did not come up");
        Self { child, url: format!("http://127.0.0.1:{}", port.trim()) }
    }

    /// The server that most tests share: each has its own names and its own key.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(None))
    }

    /// A key of this test's own.
    pub(crate) fn keys(&self, id: &str) -> Keys {
        Keys { url: self.url.clone(), id: id.to_owned(), secret: "not-checked".to_owned() }
    }
}

impl Keys {
    /// The variables of every AWS program.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_ACCESS_KEY_ID", &self.id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret),
            ("AWS_REGION", REGION),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// A machine with these keys in its environment.
    pub(crate) fn doppio(&self) -> Doppio {
        let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
        self.variables().into_iter().fold(doppio, |doppio, (name, value)| doppio.env(name, value))
    }

    /// What Amazon's own command line prints.
    #[track_caller]
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let output = self.command(&venv::program("aws")).args(arguments).output().expect("aws starts");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "aws {arguments:?}: {words}");
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    /// Runs a script with `boto3` as `client(SERVICE)`.
    #[track_caller]
    pub(crate) fn boto(&self, script: &str) -> String {
        let script = format!("import boto3, os, json\nclient = boto3.client\n{script}");
        let output = self.command(&venv::python()).args(["-c", &script]).output().expect("python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", "/nonexistent")
            .env("AWS_DEFAULT_REGION", REGION)
            .envs(self.variables());
        command
    }

    /// The calls of this key so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        let address = self.url.strip_prefix("http://").expect("a URL of ours");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let request =
            format!("GET /counted/{} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n", self.id);
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        body.lines().map(str::to_owned).collect()
    }

    /// The calls of this key during `work`.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let before = self.calls().len();
        let done = work();
        (done, self.calls().split_off(before))
    }
}

/// A server that gives everybody the same answer; none at all for no text.
pub(crate) struct Parrot {
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
}

impl Parrot {
    /// Answers with this status and body.
    pub(crate) fn start(status: u16, body: &str) -> Self {
        let mut answer = String::new();
        write!(
            answer,
            "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("into a text");
        Self::saying(Some(answer))
    }

    /// Takes every request, and never answers.
    pub(crate) fn silent() -> Self {
        Self::saying(None)
    }

    fn saying(answer: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                match &answer {
                    Some(answer) => reply(&mut stream, answer),
                    None => silent.push(stream),
                }
            }
        });
        Self { url, asked }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The key to it.
    pub(crate) fn keys(&self) -> Keys {
        Keys { url: self.url.clone(), id: "AKIDPARROT".to_owned(), secret: "not-checked".to_owned() }
    }
}

/// Reads a request to its end before it answers: closing earlier would reset the connection.
fn reply(stream: &mut TcpStream, answer: &str) {
    let mut reader = BufReader::new(&mut *stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    // A client that has gone away is none of a parrot's business.
    if reader.read_exact(&mut body).is_ok() {
        stream.write_all(answer.as_bytes()).ok();
    }
}
