//! Stand-ins for those who rent machines out. Each machine is a real sshd in namespaces of its own,
//! and ends with the stand-in: dropping it fails the test when a process of one is left.

use std::fs;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::thread;

use serde_json::Value;

use doppio_test_support::Doppio;
use doppio_test_support::wait_until;

use crate::support::standin::Standin;

/// A vendor with its machines; `tests/standins/rented.py` says what may be ordered of it.
pub(crate) struct Rented {
    standin: Option<Standin>,
    key: String,
    second_key: String,
    folder: PathBuf,
}

impl Rented {
    /// vast.ai.
    pub(crate) fn vast() -> Self {
        Self::start("vast")
    }

    /// `RunPod`, version 2 of its API.
    pub(crate) fn runpod() -> Self {
        Self::start("runpod")
    }

    /// Lambda.
    pub(crate) fn lambda() -> Self {
        Self::start("lambda")
    }

    fn start(name: &str) -> Self {
        let [key, second_key, instance_key] = [random(), random(), random()];
        let seed = serde_json::json!({ "key": key, "second_key": second_key, "instance_key": instance_key });
        let standin = Standin::start(name, &[("seed", &seed.to_string())]);
        let folder = standin.path("");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "client", "-f"])
            .arg(folder.join("id"))
            .status()
            .expect("ssh-keygen is installed");
        assert!(made.success());
        Self { standin: Some(standin), key, second_key, folder }
    }

    fn standin(&self) -> &Standin {
        self.standin.as_ref().expect("it ends with this")
    }

    /// The address of its API, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.standin().port())
    }

    /// The API key that it takes.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Another that it takes, as that of a session with two factors.
    pub(crate) fn second_key(&self) -> &str {
        &self.second_key
    }

    /// A private key that no machine knows yet.
    pub(crate) fn identity(&self) -> PathBuf {
        self.folder.join("id")
    }

    /// Its public half, as one line.
    pub(crate) fn public_key(&self) -> String {
        fs::read_to_string(self.folder.join("id.pub")).expect("it is made").trim().to_owned()
    }

    /// What goes wrong from now on, and how its machines are, as JSON.
    pub(crate) fn control(&self, json: &str) {
        self.standin().control(json);
    }

    /// The process of the stand-in.
    pub(crate) fn pid(&self) -> u32 {
        self.standin().pid()
    }

    /// Its machines, those that are gone, the requests, and the money that was spent.
    pub(crate) fn state(&self) -> Value {
        let (status, body) = self.ask("GET", "/_test/state", None, None);
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Makes something happen to a machine: `{"do": "preempt", "id": 1}`.
    pub(crate) fn happens(&self, what: &str, id: &str) {
        assert_eq!(self.order(&serde_json::json!({ "do": what, "id": id })), 200);
    }

    /// The same, with more to say than what and to which; the status of the answer.
    pub(crate) fn order(&self, order: &Value) -> u16 {
        self.ask("POST", "/_test/do", None, Some(order)).0
    }

    /// A request with the key; the status and the JSON of the answer, or its text.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask(method, path, Some(&self.key), body)
    }

    /// The same with another key.
    pub(crate) fn call_with(&self, key: &str, method: &str, path: &str) -> (u16, Value) {
        self.ask(method, path, Some(key), None)
    }

    fn ask(&self, method: &str, path: &str, key: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let answer = exchange(self.standin().port(), method, path, key, body).expect("it answers");
        let (head, text) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    }

    /// A user of Doppio whose vast.ai is this, with [`Self::identity`] as SSH key.
    pub(crate) fn customer(&self) -> Doppio {
        let doppio = Doppio::with_vault()
            .env("VAST_URL", self.url())
            .env("VAST_API_KEY", self.key())
            .env("DOPPIO_KEYRING", "off");
        let ssh = doppio.home().join(".ssh");
        fs::create_dir_all(&ssh).expect("a folder");
        fs::copy(self.identity(), ssh.join("id_ed25519")).expect("a key with its mode");
        fs::write(ssh.join("id_ed25519.pub"), self.public_key() + "\n").expect("its public half");
        doppio
    }

    /// Waits until its state is so, and returns it.
    pub(crate) fn wait_until(&self, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
        wait_until(|| enough(&self.state()), || format!("it is not so that {what}: {:#}", self.state()));
        self.state()
    }

    /// Waits until a machine runs: as it is in `state`.
    pub(crate) fn wait_for_machine(&self, id: &str) -> Value {
        let is_it = |machine: &&Value| text(&machine["id"]) == id && machine["running"] == true;
        let find =
            |state: &Value| state["machines"].as_array().and_then(|all| all.iter().find(is_it).cloned());
        let state = self.wait_until("the machine runs", |state| find(state).is_some());
        find(&state).expect("it just ran")
    }

    /// Logs in with OpenSSH and [`Self::identity`], through this port of 127.0.0.1.
    pub(crate) fn ssh(&self, user: &str, port: u64, command: &str) -> Output {
        Command::new("ssh")
            .args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"])
            .args(["-o", "LogLevel=ERROR", "-p", &port.to_string(), "-i"])
            .arg(self.identity())
            .args([&format!("{user}@127.0.0.1"), command])
            .output()
            .expect("ssh is installed")
    }

    /// Fails the test if a request was not as the API prescribes.
    #[track_caller]
    pub(crate) fn expect_no_faults(&self) {
        self.standin().expect_no_faults();
    }

    /// Fails the test if a machine runs, or costs money for its disk.
    #[track_caller]
    pub(crate) fn expect_nothing_rented(&self) {
        let state = self.state();
        assert_eq!(state["machines"].as_array().map(Vec::len), Some(0), "{state:#}");
        assert_eq!(state["pids"].as_array().map(Vec::len), Some(0), "{state:#}");
        assert_eq!(processes_in(&self.folder), Vec::<String>::new());
    }

    /// Every process of its machines, as `PID COMMAND`.
    pub(crate) fn processes(&self) -> Vec<String> {
        processes_in(&self.folder)
    }
}

impl Drop for Rented {
    fn drop(&mut self) {
        drop(self.standin.take());
        if !thread::panicking() {
            assert_eq!(processes_in(&self.folder), Vec::<String>::new(), "these outlived their machine");
            assert!(!self.folder.exists(), "{} is left", self.folder.display());
        }
    }
}

/// A value of JSON as text, without quotes.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn random() -> String {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).expect("random bytes");
    u128::from_ne_bytes(bytes).to_string()
}

fn exchange(
    port: u16,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&Value>,
) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = match body.len() {
        0 => String::new(),
        length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
    };
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n{key}{length}");
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Processes whose root or command line lies in a folder.
fn processes_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let needle = folder.join("machines").display().to_string();
    let named = |pid: &Path| {
        let line = String::from_utf8_lossy(&fs::read(pid.join("cmdline")).ok()?).replace('\0', " ");
        let root = fs::read_link(pid.join("root")).unwrap_or_default();
        let inside = line.contains(&needle) || root.starts_with(&needle);
        inside.then(|| format!("{} {line}", pid.file_name().unwrap_or_default().display()))
    };
    entries.flatten().filter_map(|entry| named(&entry.path())).collect()
}
