//! From a host's name to a login, against real servers and scripted liars.
mod cut;
mod keys;
mod liars;
mod names;
mod rented;
mod trust;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use doppio_hosts::FirstContact;
use doppio_hosts::HostError;
use doppio_hosts::HostsFile;
use doppio_hosts::PoolOptions;
use doppio_hosts::Probed;
use doppio_hosts::Prompt;
use doppio_hosts::RentedMachines;
use doppio_hosts::probe;
use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_text::Source;

/// A user at a keyboard: answers one question after the other, the last answer again and again, and
/// remembers all that was said.
#[derive(Default)]
struct Person {
    answers: Vec<String>,
    heard: Mutex<Vec<String>>,
}

impl Prompt for Person {
    fn secret(&self, question: &str) -> Option<SecretValue> {
        let mut heard = self.heard.lock().unwrap();
        let asked = heard.iter().filter(|heard| heard.starts_with('?')).count();
        heard.push(format!("? {question}"));
        let answer = self.answers.get(asked).or(self.answers.last())?;
        Some(SecretValue::new(answer.clone().into_bytes()))
    }

    fn notice(&self, text: &str) {
        self.heard.lock().unwrap().push(text.to_owned());
    }
}

/// A machine with a home of its own, from which hosts are reached.
struct Machine {
    folder: TempDir,
    hosts: String,
    environment: Vec<(String, String)>,
    agent: Option<PathBuf>,
    first_contact: FirstContact,
    person: Arc<Person>,
    rented: Option<Arc<dyn RentedMachines>>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("doppio-connect-").tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".ssh")).unwrap();
        Self {
            folder,
            hosts: String::new(),
            environment: Vec::new(),
            agent: None,
            first_contact: FirstContact::Accept,
            person: Arc::new(Person::default()),
            rented: None,
        }
    }

    fn hosts(mut self, text: &str) -> Self {
        writeln!(self.hosts, "{text}").unwrap();
        self
    }

    fn secret(mut self, variable: &str, value: &str) -> Self {
        self.environment.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn answering(mut self, answer: &str) -> Self {
        self.person = Arc::new(Person { answers: vec![answer.to_owned()], ..Person::default() });
        self
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn own_known_hosts(&self) -> PathBuf {
        self.folder.path().join("state/known_hosts")
    }

    fn heard(&self) -> Vec<String> {
        self.person.heard.lock().unwrap().clone()
    }

    fn options(&self) -> PoolOptions {
        let environment: Environment =
            self.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let vault = SecretSession::new(Ladder::of_environment(environment), Mask::new(MaskStyle::default()));
        PoolOptions {
            hosts: HostsFile::parse(&Source::new("/h/hosts.toml", self.hosts.clone())).unwrap(),
            secrets: Arc::new(vault),
            prompt: self.person.clone(),
            home: self.folder.path().to_owned(),
            state: self.folder.path().join("state"),
            agent: self.agent.clone(),
            first_contact: self.first_contact,
            sandbox: false,
            env_names: [].into(),
            rented: self.rented.clone(),
        }
    }

    async fn reach(&self, id: &str) -> Result<Probed, HostError> {
        // Each of its deadlines is far shorter.
        let (id, options) = (id.parse().unwrap(), self.options());
        let answer = tokio::time::timeout(Duration::from_mins(2), probe(&id, &options)).await;
        let reached = answer.expect("an answer in time")?;
        Ok(reached.expect("the host is another machine"))
    }

    /// The error as the user reads it, with what changes from run to run replaced.
    async fn refusal(&self, id: &str, names: &[(&str, &str)]) -> String {
        let error = self.reach(id).await.expect_err("the host must not be reached");
        let mut text = error.message;
        for cause in error.causes {
            write!(text, "\n  cause: {cause}").unwrap();
        }
        if let Some(hint) = error.hint {
            write!(text, "\nhint: {hint}").unwrap();
        }
        for (from, to) in names {
            text = text.replace(from, to);
        }
        text.replace(self.folder.path().to_str().unwrap(), "HOME")
    }
}
