//! A process that runs on a host, and how it is ended.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;

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

/// A running process. When it is dropped before its end, its pipes are closed, and it is left to
/// itself.
#[derive(Debug)]
pub struct Process {
    pub(crate) reader: PipeReader,
    pub(crate) deliveries: Vec<Delivery<String>>,
    pub(crate) leader: Leader,
    /// The folder of its files, if it has any.
    pub(crate) folder: Option<String>,
    /// Where it runs.
    pub(crate) reach: Box<dyn Reach>,
}

/// How the machine of a process is reached again, to stop it.
pub(crate) trait Reach: Debug + Send + Sync {
    /// Starts a script on the same machine, without waiting for a channel to be free.
    fn exec<'a>(&'a self, exec: &'a Exec) -> BoxFuture<'a, Result<Process, HostError>>;
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
        self.leader.pid
    }

    /// Sends TERM to the whole process group, KILL to what is left of it after `grace`, and says
    /// what survived. Returns as soon as the group is gone; at once when the process has ended by
    /// itself. Output that still comes is to be read from [`Process::next`] as before, up to
    /// 64 MiB of it; more is dropped, and said to be.
    ///
    /// # Errors
    ///
    /// When the host could not be reached.
    pub async fn stop(&self, grace: Duration) -> Result<Stopped, HostError> {
        if self.reader.has_ended() {
            return Ok(Stopped::default());
        }
        self.reader.set_stopping();
        let text = stop::script(&self.leader, self.folder.as_deref(), grace);
        let (exit, output) = self.ask(text).await?;
        let pid = self.leader.pid;
        let survivors = stop::parse(&output).ok_or_else(|| {
            HostError::new(format!("could not check whether process {pid} was stopped"))
                .cause(match exit {
                    Exit::Code(code) => format!("the script that stops it ended with {code}"),
                    Exit::Signal(name) => format!("the script that stops it was ended by {name}"),
                    Exit::Lost(reason) => reason,
                })
                .hint(format!("look on the host: `ps -o pid,comm -g {pid}`"))
        })?;
        Ok(Stopped { survivors })
    }

    /// Looks whether the files that it was given are gone, and removes them where they are not.
    /// None where it had no files.
    ///
    /// # Errors
    ///
    /// When the host could not be asked.
    pub async fn sweep(&self) -> Result<Option<CleanupReport>, HostError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let (_, output) = self.ask(stop::sweep(folder)).await?;
        stop::parse_sweep(&output).map(Some).ok_or_else(|| {
            HostError::new("could not check whether its files are gone")
                .hint(format!("look on the host: `ls -d /dev/shm/{folder} /run/user/*/{folder}`"))
        })
    }

    /// Runs a text of ours on the same machine.
    async fn ask(&self, text: String) -> Result<(Exit, Vec<u8>), HostError> {
        let exec =
            Exec { interpreter: Interpreter { shell: "sh".to_owned(), login: false }, ..Exec::new(text) };
        let process = self.reach.exec(&exec).await?;
        Ok(process.collect().await)
    }

    /// Reads to the end: how it ended, and its standard output.
    async fn collect(mut self) -> (Exit, Vec<u8>) {
        let mut bytes = Vec::new();
        while let Some(output) = self.next().await {
            match output {
                Output::Stdout(more) => bytes.extend_from_slice(&more),
                Output::Stderr(_) => {}
                Output::Exit(exit) => return (exit, bytes),
            }
        }
        (Exit::Lost("no exit status arrived".to_owned()), bytes)
    }
}
