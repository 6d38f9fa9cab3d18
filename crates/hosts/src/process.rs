//! A process that runs on a host, and how its group is ended.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use doppio_secrets::Delivery;

use crate::CleanupReport;
use crate::Exec;
use crate::Exit;
use crate::HostError;
use crate::Interpreter;
use crate::Output;
use crate::Stopped;
use crate::bootstrap::Leader;
use crate::output_pipe::PipeReader;
use crate::stop;

/// How long a connection that is there has to begin with a text of ours, until a second one is made
/// for it: the first may be frozen.
const SILENCE: Duration = Duration::from_secs(5);

/// The first line of such a text's output.
const HERE: &str = "doppio:here\n";

/// A running process. When it is dropped before its end, its pipes are closed, and it is left to
/// itself.
#[derive(Debug)]
pub struct Process {
    pub(crate) reader: PipeReader,
    pub(crate) deliveries: Vec<Delivery<String>>,
    pub(crate) group: ProcessGroup,
}

/// A process and all that it started, on its machine, whether or not anyone still hears of it. Cheap
/// to clone.
#[derive(Debug, Clone)]
pub struct ProcessGroup {
    pub(crate) leader: Leader,
    /// The folder of its files, if it has any.
    pub(crate) folder: Option<String>,
    /// Where it runs.
    pub(crate) reach: Arc<dyn Reach>,
}

/// What a person types to look after a process group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// The number of the process that leads it.
    pub pid: u32,
    /// The command that lists what of it still runs.
    pub look: String,
    /// The command that ends it.
    pub end: String,
}

/// How the machine of a process is reached again, to stop it.
pub(crate) trait Reach: Debug + Send + Sync {
    /// Starts a script on the same machine, without waiting for a channel to be free.
    fn exec<'a>(&'a self, exec: &'a Exec, way: Way) -> BoxFuture<'a, Result<Process, HostError>>;

    /// Whether the machine is at hand without a new login, as far as is known.
    fn is_at_hand(&self) -> bool;

    /// What a person types on this machine to run a command on that one.
    fn typed(&self, command: &str) -> String;
}

/// Over what a machine is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A connection that is there, if there is one.
    Shared,
    /// A new one: those that are there do not answer.
    Fresh,
}

impl Process {
    /// The next output; `None` after [`Output::Exit`]. May be dropped and called again without
    /// losing anything.
    pub async fn next(&mut self) -> Option<Output> {
        self.reader.next().await
    }

    /// How the secrets in [`Exec::env`] and [`Exec::stdin`] went to it.
    pub fn deliveries(&self) -> &[Delivery<String>] {
        &self.deliveries
    }

    /// The number of the process that leads its group on the host.
    pub fn pid(&self) -> u32 {
        self.group.leader.pid
    }

    /// Its group, which can be ended without it.
    pub fn group(&self) -> &ProcessGroup {
        &self.group
    }

    /// As [`ProcessGroup::stop`]; at once when the process has ended by itself. Output that still
    /// comes is to be read from [`Process::next`] as before, up to 64 MiB of it; more is dropped, and
    /// said to be.
    ///
    /// # Errors
    ///
    /// When the host could not be reached.
    pub async fn stop(&self, grace: Duration) -> Result<Stopped, HostError> {
        if self.reader.has_ended() {
            return Ok(Stopped { was_over: true, ..Stopped::default() });
        }
        self.reader.set_stopping();
        self.group.stop(grace).await
    }

    /// Looks whether the files that it was given are gone, and removes them where they are not.
    /// None where it had no files.
    ///
    /// # Errors
    ///
    /// When the host could not be asked.
    pub async fn sweep(&self) -> Result<Option<CleanupReport>, HostError> {
        let Some(folder) = &self.group.folder else { return Ok(None) };
        let (_, output) = self.group.ask(stop::sweep(folder)).await?;
        stop::parse_sweep(&output, folder).map(Some).ok_or_else(|| {
            HostError::new("could not check whether its files are gone").hint(format!(
                "look on the host: `ls -d /dev/shm/{folder} /run/user/*/{folder} ~/.doppio/run/{folder}`"
            ))
        })
    }

    /// Reads to the end: how it ended, and its standard output. `begun` is told when that begins.
    async fn collect(mut self, begun: &Notify) -> (Exit, Vec<u8>) {
        let mut bytes = Vec::new();
        while let Some(output) = self.next().await {
            match output {
                Output::Stdout(more) => {
                    bytes.extend_from_slice(&more);
                    begun.notify_one();
                }
                Output::Stderr(_) => {}
                Output::Exit(exit) => return (exit, bytes),
            }
        }
        (Exit::Lost("no exit status arrived".to_owned()), bytes)
    }
}

impl ProcessGroup {
    /// Sends TERM to the whole group, KILL to what is left of it after `grace`, and says what
    /// survived. Returns as soon as the group is gone.
    ///
    /// # Errors
    ///
    /// When the host could not be reached, neither over a connection that is there nor over another.
    pub async fn stop(&self, grace: Duration) -> Result<Stopped, HostError> {
        let text = stop::script(&self.leader, self.folder.as_deref(), grace);
        let (exit, output) = self.ask(text).await?;
        let pid = self.leader.pid;
        stop::parse(&output).ok_or_else(|| {
            HostError::new(format!("could not check whether process {pid} was stopped")).cause(match exit {
                Exit::Code(stop::BLIND) => {
                    "the host has neither `/proc` nor `ps` to look for what it has started".to_owned()
                }
                Exit::Code(code) => format!("the script that stops it ended with {code}"),
                Exit::Signal(name) => format!("the script that stops it was ended by {name}"),
                Exit::Lost(reason) => reason,
                Exit::NotStarted(error) => {
                    std::iter::once(error.message).chain(error.causes).collect::<Vec<_>>().join(": ")
                }
            })
        })
    }

    /// The number of the process that leads it.
    pub fn pid(&self) -> u32 {
        self.leader.pid
    }

    /// Whether it is that one.
    pub fn is(&self, other: &Self) -> bool {
        self.leader == other.leader && Arc::ptr_eq(&self.reach, &other.reach)
    }

    /// Whether its machine can be asked without a new login.
    pub fn is_at_hand(&self) -> bool {
        self.reach.is_at_hand()
    }

    /// The commands with which a person looks after it.
    pub fn by_hand(&self) -> ByHand {
        let Leader { pid, leads, .. } = self.leader;
        let (column, group) = if leads { (2, "-") } else { (1, "") };
        let look = format!("ps -A -o pid,pgid,args | awk \"NR==1 || \\${column}=={pid}\"");
        ByHand {
            pid,
            look: self.reach.typed(&look),
            end: self.reach.typed(&format!("kill -TERM {group}{pid}")),
        }
    }

    /// Runs a text of ours on the same machine: over a connection that is there, and when nothing
    /// comes of it, over a new one.
    async fn ask(&self, text: String) -> Result<(Exit, Vec<u8>), HostError> {
        let exec = Exec {
            interpreter: Interpreter { shell: "sh".to_owned(), login: false },
            ..Exec::new(format!("echo {}\n{text}", HERE.trim_end()))
        };
        let begun = Notify::new();
        let mut shared = pin!(self.answer(&exec, Way::Shared, &begun));
        tokio::select! {
            answered = &mut shared => return match answered {
                Ok(answered) => Ok(answered),
                Err(_) => self.answer(&exec, Way::Fresh, &begun).await,
            },
            () = begun.notified() => return shared.await,
            () = tokio::time::sleep(SILENCE) => {}
        }
        let ignored = Notify::new();
        let fresh = pin!(self.answer(&exec, Way::Fresh, &ignored));
        tokio::select! {
            biased;
            () = begun.notified() => shared.await,
            Ok(answered) = &mut shared => Ok(answered),
            answered = fresh => answered,
        }
    }

    /// The answer to a text, unless the connection broke first.
    async fn answer(&self, exec: &Exec, way: Way, begun: &Notify) -> Result<(Exit, Vec<u8>), HostError> {
        let (exit, output) = self.reach.exec(exec, way).await?.collect(begun).await;
        match exit {
            Exit::Lost(reason) => Err(HostError::new("the connection broke").cause(reason)),
            exit => Ok((exit, output.strip_prefix(HERE.as_bytes()).map(<[u8]>::to_vec).unwrap_or(output))),
        }
    }
}
