//! A program of this machine that becomes the bootstrap, here or elsewhere, and speaks by three pipes:
//! from its announcement to its end.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::time::timeout_at;

use doppio_process::Chunks;
use doppio_process::Running;
use doppio_process::Stdin as Input;
use doppio_process::Stdout;
use doppio_secrets::Delivery;

use crate::Exec;
use crate::Exit;
use crate::Output;
use crate::Process;
use crate::ProcessGroup;
use crate::bootstrap::Challenge;
use crate::bootstrap::Leader;
use crate::bootstrap::Listener;
use crate::bootstrap::Trouble;
use crate::end_mark::EndMark;
use crate::launch_gate::LaunchGate;
use crate::launch_gate::Wants;
use crate::output_pipe;
use crate::output_pipe::PipeWriter;
use crate::payload::Payload;
use crate::process::Reach;

/// How long a bootstrap that runs may take to answer the first challenge; for each further one
/// twice as long. Something in the login files that is over by now may have read the first.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Challenges until it is clear that something else reads them.
const CHALLENGES: u32 = 3;

/// How much of the error output of one that announces nothing is kept, in bytes.
const COMPLAINTS: usize = 4096;

/// A program whose bootstrap waits for its payload.
pub(crate) struct Piped {
    running: Running,
    stdin: Option<Input>,
    stdout: Option<Stdout>,
    leader: Leader,
    challenge: Challenge,
    /// What followed the announcement.
    early: Vec<u8>,
}

/// Why there is no bootstrap.
#[derive(Debug)]
pub(crate) enum Unannounced {
    /// The system said so.
    System(String),
    /// The program ended: how, and the last that it printed.
    Ended(Option<ExitStatus>, Vec<String>),
    /// It must not get a payload: why, and the last that it printed, or who else reads its input.
    Trouble(Trouble, Vec<String>),
    /// It took too long: the last that it printed.
    Late(Vec<String>),
}

/// Where the end of a script is known from.
pub(crate) enum Ends {
    /// The program ends as the script does.
    AsTheProgram,
    /// The mark, or an exit code of the program other than 255. Without both the script is lost, for
    /// the reason that this gives.
    ByMark(Box<dyn FnOnce() -> String + Send>),
}

/// What goes to a bootstrap, and what is known of it.
pub(crate) struct Launch<'a> {
    pub exec: &'a Exec,
    pub payload: Payload,
    pub deliveries: Vec<Delivery<String>>,
    /// Where it runs, as in "on `box`".
    pub at: String,
    pub reach: Arc<dyn Reach>,
    pub ends: Ends,
}

impl Piped {
    /// Waits for the announcement of a program that was just started.
    ///
    /// # Errors
    ///
    /// When it does not come in time, or comes from something that must not get a payload.
    pub(crate) async fn announced(mut running: Running, within: Duration) -> Result<Self, Unannounced> {
        let challenge = Challenge::new().map_err(|error| Unannounced::System(error.to_string()))?;
        let mut stdin = running.stdin.take();
        let mut stdout = running.stdout.take();
        let mut waiting = Waiting {
            listener: Listener::new(challenge.clone()),
            complaint: Vec::new(),
            deadline: Instant::now() + within,
        };
        let line = challenge.line();
        let announced = waiting.listen(&mut running, stdin.as_mut(), stdout.as_mut(), line.as_bytes()).await;
        let (leader, early) = announced?;
        Ok(Self { running, stdin, stdout, leader, challenge, early })
    }

    /// Sends the payload, and what is meant for the script; from here on it runs.
    pub(crate) fn launch(self, launch: Launch<'_>) -> Process {
        let Launch { exec, payload, deliveries, at, reach, ends } = launch;
        let Self { running, stdin, stdout, leader, challenge, early } = self;
        let gate = LaunchGate::new(challenge.launch_mark(), Wants::of(exec, at));
        let (writer, reader) = output_pipe::pair(gate);
        let folder = payload.folder.clone();
        let rest = exec.stdin.clone();
        let feed = stdin.map(|mut stdin| {
            tokio::spawn(async move {
                let _closed = payload.feed(&mut stdin, rest).await;
            })
        });
        let mark = match ends {
            Ends::AsTheProgram => None,
            Ends::ByMark(lost) => Some((EndMark::new(challenge.end_mark()), lost)),
        };
        tokio::spawn(follow(running, stdout, feed, early, writer, mark));
        Process { reader, deliveries, group: ProcessGroup { leader, folder, reach } }
    }
}

struct Waiting {
    listener: Listener,
    complaint: Vec<u8>,
    deadline: Instant,
}

impl Waiting {
    async fn listen(
        &mut self,
        running: &mut Running,
        mut stdin: Option<&mut Input>,
        mut stdout: Option<&mut Stdout>,
        challenge: &[u8],
    ) -> Result<(Leader, Vec<u8>), Unannounced> {
        let mut buffer = [0; 1024];
        let mut words = [0; 1024];
        let mut stderr = running.stderr.take();
        let (mut asked, mut answer_by) = (0, None);
        loop {
            if asked == 0 || answer_by.is_some_and(|time| time <= Instant::now()) {
                if asked == CHALLENGES {
                    return Err(self.trouble(Trouble::Shared));
                }
                if let Some(stdin) = &mut stdin {
                    // One that is gone already says why below.
                    let _closed = stdin.write_all(challenge).await;
                }
                answer_by = (asked > 0).then(|| Instant::now() + ANSWER_LIMIT * 2_u32.pow(asked));
                asked += 1;
            }
            if self.listener.is_waiting() && answer_by.is_none() {
                answer_by = Some(Instant::now() + ANSWER_LIMIT);
            }
            let until = answer_by.map_or(self.deadline, |time| self.deadline.min(time));
            let heard = timeout_at(until, async {
                tokio::select! {
                    biased;
                    count = read(stderr.as_mut(), &mut words), if stderr.is_some() => (true, count),
                    count = read(stdout.as_deref_mut(), &mut buffer) => (false, count),
                }
            });
            match heard.await {
                Err(_) if Instant::now() >= self.deadline => return Err(Unannounced::Late(self.said())),
                Err(_) => {}
                Ok((true, Ok(0) | Err(_))) => stderr = None,
                Ok((true, Ok(count))) => {
                    let room = COMPLAINTS.saturating_sub(self.complaint.len());
                    self.complaint.extend_from_slice(&words[..count.min(room)]);
                }
                Ok((false, Err(error))) => return Err(Unannounced::System(error.to_string())),
                Ok((false, Ok(0))) => {
                    if let Some(stderr) = stderr.take() {
                        let rest = stderr.take(COMPLAINTS as u64);
                        tokio::pin!(rest);
                        let heard = timeout_at(self.deadline.min(Instant::now() + ANSWER_LIMIT), async {
                            rest.read_to_end(&mut self.complaint).await
                        });
                        let _late = heard.await;
                    }
                    let ended = timeout_at(self.deadline, running.wait()).await;
                    return Err(Unannounced::Ended(ended.ok().and_then(Result::ok), self.said()));
                }
                Ok((false, Ok(count))) => match self.listener.hear(&buffer[..count]) {
                    Ok(Some(announced)) => {
                        running.stderr = stderr;
                        return Ok(announced);
                    }
                    Ok(None) => {}
                    Err(trouble) => return Err(self.trouble(trouble)),
                },
            }
        }
    }

    fn trouble(&self, trouble: Trouble) -> Unannounced {
        match self.listener.sharer().filter(|_| trouble == Trouble::Shared) {
            Some(process) => Unannounced::Trouble(trouble, vec![format!("process {process}")]),
            None => Unannounced::Trouble(trouble, self.said()),
        }
    }

    /// What it printed, for an error: no secret had been sent.
    fn said(&self) -> Vec<String> {
        let complaint = String::from_utf8_lossy(&self.complaint).trim().to_owned();
        [complaint, self.listener.noise()].into_iter().filter(|text| !text.is_empty()).collect()
    }
}

async fn read(from: Option<&mut (impl AsyncRead + Unpin)>, buffer: &mut [u8]) -> std::io::Result<usize> {
    match from {
        Some(from) => from.read(buffer).await,
        None => Ok(0),
    }
}

type Mark = (EndMark, Box<dyn FnOnce() -> String + Send>);

/// Drains the process to its end.
async fn follow(
    mut running: Running,
    stdout: Option<Stdout>,
    feed: Option<JoinHandle<()>>,
    early: Vec<u8>,
    writer: PipeWriter,
    mark: Option<Mark>,
) {
    let (mark, lost) = mark.map_or((None, None), |(mark, lost)| (Some(mark), Some(lost)));
    let (found, mut marked) = watch::channel(None);
    let (alive, mut moved) = mpsc::channel::<()>(1);
    let mut filter = Filter { mark, found };
    filter.hand_on(early, &writer).await;
    let out = {
        let (writer, alive) = (writer.clone(), alive.clone());
        tokio::spawn(async move {
            let mut chunks = Chunks::new(stdout);
            while let Some(bytes) = chunks.next().await {
                filter.hand_on(bytes, &writer).await;
                let _full = alive.try_send(());
            }
            filter.end(&writer).await;
        })
    };
    let err = tokio::spawn(drain(running.stderr.take(), writer.clone(), alive));
    let mut is_abandoned = false;
    let status = loop {
        tokio::select! {
            status = running.wait() => break Some(status),
            Ok(_) = marked.wait_for(Option::is_some) => break None,
            Some(()) = moved.recv() => {}
            () = writer.abandoned(), if !is_abandoned => {
                is_abandoned = true;
                out.abort();
                err.abort();
            }
        }
    };
    writer.linger(&mut moved).await;
    for task in [out, err] {
        task.abort();
    }
    if let Some(feed) = feed {
        feed.abort();
    }
    let code = *marked.borrow();
    writer.end(match (code, status, lost) {
        (Some(code), ..) => Exit::Code(code),
        (None, Some(Ok(status)), Some(lost)) => match status.code() {
            Some(code) if code != 255 => Exit::Code(code),
            _ => Exit::Lost(lost()),
        },
        (None, Some(Ok(status)), None) => ended(status),
        (None, Some(Err(error)), _) => Exit::Lost(error.to_string()),
        (None, None, _) => Exit::Lost("no exit status arrived".to_owned()),
    });
}

/// What of standard output goes on.
struct Filter {
    mark: Option<EndMark>,
    found: watch::Sender<Option<i32>>,
}

impl Filter {
    async fn hand_on(&mut self, bytes: Vec<u8>, writer: &PipeWriter) {
        let bytes = match &mut self.mark {
            Some(mark) => mark.pass(bytes),
            None => bytes,
        };
        if !bytes.is_empty() {
            writer.send(Output::Stdout(bytes)).await;
        }
        let code = self.mark.as_ref().and_then(EndMark::code);
        if code.is_some() && self.found.borrow().is_none() {
            self.found.send_replace(code);
        }
    }

    async fn end(&mut self, writer: &PipeWriter) {
        let rest = self.mark.as_mut().map(EndMark::rest).unwrap_or_default();
        if !rest.is_empty() {
            writer.send(Output::Stdout(rest)).await;
        }
    }
}

async fn drain<R>(pipe: Option<R>, writer: PipeWriter, alive: mpsc::Sender<()>)
where
    R: AsyncRead + Unpin,
{
    let mut chunks = Chunks::new(pipe);
    while let Some(bytes) = chunks.next().await {
        writer.send(Output::Stderr(bytes)).await;
        let _full = alive.try_send(());
    }
}

fn ended(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal_name(signal)),
        (None, None) => Exit::Lost(status.to_string()),
    }
}

/// The name of a signal without `SIG`; its number where it has none that is known everywhere.
pub(crate) fn signal_name(signal: i32) -> String {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::ILL, "ILL"),
        (Signal::TRAP, "TRAP"),
        (Signal::ABORT, "ABRT"),
        (Signal::BUS, "BUS"),
        (Signal::FPE, "FPE"),
        (Signal::KILL, "KILL"),
        (Signal::USR1, "USR1"),
        (Signal::SEGV, "SEGV"),
        (Signal::USR2, "USR2"),
        (Signal::PIPE, "PIPE"),
        (Signal::ALARM, "ALRM"),
        (Signal::TERM, "TERM"),
        (Signal::XCPU, "XCPU"),
        (Signal::XFSZ, "XFSZ"),
        (Signal::SYS, "SYS"),
    ];
    names
        .into_iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or_else(|| signal.to_string(), |(_, name)| name.to_owned())
}
