//! Follows a process to its end: output through the mask, in pieces that are cheap; stops.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

use doppio_hosts::ByHand;
use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::Output;
use doppio_hosts::Process;
use doppio_hosts::ProcessGroup;
use doppio_secrets::Delivery;
use doppio_secrets::Mask;
use doppio_secrets::MaskStream;
use doppio_secrets::Masked;
use doppio_secrets::Registered;
use doppio_text::shell::typed;

use crate::event::End;
use crate::event::StepProcess;
use crate::event::Stream;
use crate::step::Cut;
use crate::step::Ended;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::Value;
use crate::step::patience::Patience;
use crate::step::patience::described;
use crate::step::stopped;
use crate::step::unended;
use crate::step::unended::GRACE;

/// How long a stopped process's last output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What goes as files, in words.
const SECRETS: &str = "the files of its secrets";
const LARGE_VALUES: &str = "the files of its large values";
/// How long the end of a process is waited for that ended before it could be stopped.
const LAST_END: Duration = Duration::from_secs(10);

/// How long a host has to say whether files are gone.
const SWEEP: Duration = Duration::from_secs(15);

/// Bytes that are reported at once at most: enough to make much output cheap.
const BATCH: usize = 64 << 10;

/// How long an open line (a prompt, a dot of progress) waits for more.
const OPEN_LINE: Duration = Duration::from_millis(50);

/// What of a process's output the user sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::step) enum Show {
    /// Both streams.
    Everything,
    /// Standard error.
    Errors,
    /// Neither.
    Nothing,
}

impl StepContext {
    /// Starts a script and follows it to its end.
    pub(in crate::step) async fn follow(
        &mut self,
        host: &Host,
        exec: Exec,
        show: Show,
    ) -> Result<Ended, StepError> {
        self.keep_here(host, &exec)?;
        let files = if exec.env.iter().any(|var| var.file.is_some()) { SECRETS } else { LARGE_VALUES };
        let mut process = Box::pin(self.unless_stopped(host.exec(exec))).await??;
        let group = process.group().clone();
        self.unended.add(&group);
        if show != Show::Nothing {
            self.report(Report::Launched(self.step_process(&group))).await;
        }
        self.delivered(host, process.deliveries()).await;
        let mut masked = MaskedOutput::new(self.secrets.mask(), show);
        let drained = self.drain(&mut process, &mut masked, Some(self.stop.clone())).await;
        let known = match drained {
            Ok(Exit::Lost(cause)) => Ok(self.look_after(&group, cause).await),
            Ok(exit) => self.ended(&group, exit),
            Err(stop) => self.wind_down(&mut process, &mut masked, stop).await,
        };
        self.last_report(&mut masked).await;
        self.sweep(host, &process, files).await;
        let end = known?;
        Ok(masked.ended(self.secrets.mask(), end))
    }

    /// Records and reports how secrets travelled to a host: what a process gets, it gets here.
    async fn delivered(&self, host: &Host, deliveries: &[Delivery<String>]) {
        if !deliveries.is_empty() {
            let told = self.secrets.delivered(self.step.as_str(), host.id().as_str(), deliveries).await;
            self.report(Report::Delivered(told)).await;
        }
    }

    /// Follows what goes on without us: `script` gives the script that prints what comes behind so
    /// many bytes, and whatever ends that but itself, as a broken connection, is no end: it is started
    /// again where the output stopped, for as long as the step may last.
    pub(in crate::step) async fn follow_on(
        &mut self,
        host: &Host,
        is_end: fn(i32) -> bool,
        script: impl Fn(u64) -> Exec,
    ) -> Result<Ended, StepError> {
        let mut masked = MaskedOutput::new(self.secrets.mask(), Show::Everything);
        let mut patience = Patience::default();
        let end = loop {
            let before = masked.stdout.taken;
            let cause = match self.unless_stopped(host.exec(script(before))).await {
                Err(stopped) => break Err(stopped),
                Ok(Err(error)) => described(&error),
                // When it is told to stop, the script is left: it ends when nobody reads it.
                Ok(Ok(mut process)) => {
                    match self.drain(&mut process, &mut masked, Some(self.stop.clone())).await {
                        Err(stop) => break Err(StepError::Stopped(stop)),
                        Ok(Exit::Code(code)) if is_end(code) => break Ok(End::Exit { code }),
                        Ok(Exit::Code(code)) => format!("what read its output ended with {code}"),
                        Ok(Exit::Signal(_)) => "what read its output there was ended".to_owned(),
                        Ok(Exit::Lost(cause)) => cause,
                        Ok(Exit::NotStarted(error)) => described(&error),
                    }
                }
            };
            if masked.stdout.taken > before {
                patience = Patience::default();
            }
            if let Err(stopped) = patience.wait(self, host, &cause).await {
                break Err(stopped);
            }
        };
        self.last_report(&mut masked).await;
        Ok(masked.ended(self.secrets.mask(), end?))
    }

    /// Runs a script that removes what a step may have left, also when the step was told to stop;
    /// `else_` says what to do where it could not run.
    pub(in crate::step) async fn clean_up(&self, host: &Host, exec: Exec, else_: &str) {
        let work = async {
            let mut process = host.exec(exec).await.map_err(|error| described(&error))?;
            let mut masked = MaskedOutput::new(self.secrets.mask(), Show::Nothing);
            match self.drain(&mut process, &mut masked, None).await {
                Ok(Exit::Code(0)) => Ok(()),
                other => Err(format!("the script that removes it ended with {other:?}")),
            }
        };
        let cause = match tokio::time::timeout(SWEEP, Box::pin(work)).await {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => cause,
            Err(_) => "it did not answer in time".to_owned(),
        };
        self.notice(&format!("`{}` on `{}`: {else_} ({cause})", self.step, host.id())).await;
    }

    /// Reads output until the process is over, or `told` says stop.
    async fn drain(
        &self,
        process: &mut Process,
        masked: &mut MaskedOutput,
        told: Option<watch::Receiver<Stop>>,
    ) -> Result<Exit, Stop> {
        let stop = async {
            match told.clone() {
                Some(told) => stopped(told).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(stop);
        loop {
            if let Some(stop) = told.as_ref().map(|told| *told.borrow()).filter(|stop| *stop != Stop::No) {
                return Err(stop);
            }
            // Output that has already arrived is taken in one go; only then is there time to
            // report.
            let output = if let Some(output) = process.next().now_or_never() {
                output
            } else {
                tokio::select! {
                    output = process.next() => output,
                    stop = &mut stop => return Err(stop),
                    () = masked.ripe() => {
                        self.tell(masked.flush()).await;
                        continue;
                    }
                }
            };
            let full = match output {
                Some(Output::Stdout(bytes)) => masked.take(Stream::Stdout, &bytes),
                Some(Output::Stderr(bytes)) => masked.take(Stream::Stderr, &bytes),
                Some(Output::Exit(exit)) => return Ok(exit),
                None => return Ok(Exit::Lost("its output ended without an exit status".to_owned())),
            };
            self.tell(full).await;
        }
    }

    /// A process as the journal keeps it.
    fn step_process(&self, group: &ProcessGroup) -> StepProcess {
        let ByHand { pid, look, end } = group.by_hand();
        let mask = self.secrets.mask();
        StepProcess { pid, look: mask.text(&look), end: mask.text(&end) }
    }

    /// The end of a process that is known.
    fn ended(&self, group: &ProcessGroup, exit: Exit) -> Result<End, StepError> {
        self.unended.remove(group);
        Ok(match exit {
            Exit::Code(code) => End::Exit { code },
            // A server may call it anything.
            Exit::Signal(name) => End::Signal { name: self.secrets.mask().text(&name).as_str().to_owned() },
            Exit::Lost(cause) => End::Lost { cause: self.secrets.mask().text(&cause), gone: true },
            Exit::NotStarted(error) => return Err(error.into()),
        })
    }

    /// Ends the process group and reads what it still says. It is stopped only if it is seen to be
    /// gone, and an end of its own that was on its way takes precedence.
    async fn wind_down(
        &self,
        process: &mut Process,
        masked: &mut MaskedOutput,
        stop: Stop,
    ) -> Result<End, StepError> {
        let group = process.group().clone();
        let stopped = process.stop(GRACE).await;
        let wait = if stopped.as_ref().is_ok_and(|stopped| stopped.was_over) { LAST_END } else { LAST_WORDS };
        let last = tokio::time::timeout(wait, self.drain(process, masked, None)).await;
        match stopped {
            Ok(stopped) if stopped.was_over => {
                let own = last.ok().and_then(Result::ok).filter(|exit| !matches!(exit, Exit::Lost(_)));
                let why = "it ended by itself before it was stopped, and its exit status did not come";
                self.ended(&group, own.unwrap_or_else(|| Exit::Lost(why.to_owned())))
            }
            Ok(stopped) if stopped.is_gone() => {
                self.unended.remove(&group);
                Err(StepError::Stopped(stop))
            }
            other => Err(StepError::Unended { cause: unended::cause(&group, &other) }),
        }
    }

    /// What is known of a process whose end was not heard of. Where its machine is at hand, what is
    /// left of it is ended: nobody will ever hear of it again.
    async fn look_after(&self, group: &ProcessGroup, lost: String) -> End {
        let (cause, gone) = if group.is_at_hand() {
            match group.stop(GRACE).await {
                Ok(stopped) if stopped.is_gone() => {
                    self.unended.remove(group);
                    let what = if stopped.was_over {
                        "nothing of it runs any more"
                    } else {
                        "what was left of it has been ended"
                    };
                    (format!("{lost}; {what}"), true)
                }
                other => (format!("{lost}; {}", unended::cause(group, &other)), false),
            }
        } else {
            (lost, false)
        };
        End::Lost { cause: self.secrets.mask().text(&cause), gone }
    }

    /// Checks that its files are gone, and reports it.
    async fn sweep(&self, host: &Host, process: &Process, files: &str) {
        let (step, id) = (&self.step, host.id());
        let told = match tokio::time::timeout(SWEEP, process.sweep()).await {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(swept))) if !swept.left.is_empty() => {
                let remove =
                    typed(["rm", "-rf", "--"].into_iter().chain(swept.left.iter().map(String::as_str)));
                format!("`{step}`: {files} are left on `{id}`; remove them: {remove}")
            }
            // That those of a large value go by themselves is nothing to report.
            Ok(Ok(Some(swept))) if files == LARGE_VALUES && !swept.was_there => return,
            Ok(Ok(Some(_))) => format!("`{step}`: {files} are gone from `{id}`"),
            Ok(Err(error)) => {
                let hint = error.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("`{step}`: whether {files} are gone from `{id}` is not known: {error}{hint}")
            }
            Err(_) => format!("`{step}`: `{id}` did not say in time whether {files} are gone"),
        };
        self.notice(&told).await;
    }

    async fn last_report(&self, masked: &mut MaskedOutput) {
        self.tell(masked.finish()).await;
        let hits = masked.hits();
        if !hits.is_empty() {
            self.report(Report::Masked(hits)).await;
        }
    }

    async fn tell(&self, said: Vec<(Stream, Masked)>) {
        for (stream, text) in said {
            if !text.as_str().is_empty() {
                self.report(Report::Output(stream, text)).await;
            }
        }
    }
}

/// Both outputs of one process on their way.
struct MaskedOutput {
    stdout: MaskedStream,
    stderr: MaskedStream,
    /// The stream that the batch belongs to.
    open: Stream,
    /// Bytes of that stream that are not reported yet.
    batch: Vec<u8>,
    /// When the batch's first byte came.
    since: Instant,
}

struct MaskedStream {
    mask: MaskStream,
    shown: bool,
    /// Bytes that have come.
    taken: u64,
    kept: Tail,
}

impl MaskedOutput {
    fn new(mask: &Mask, show: Show) -> Self {
        let masked = |shown| MaskedStream { mask: mask.stream(), shown, taken: 0, kept: Tail::default() };
        Self {
            stdout: masked(show == Show::Everything),
            stderr: masked(show != Show::Nothing),
            open: Stream::Stdout,
            batch: Vec::new(),
            since: Instant::now(),
        }
    }

    fn stream_of(&mut self, stream: Stream) -> &mut MaskedStream {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Takes what came; gives back what is ripe to be reported.
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> Vec<(Stream, Masked)> {
        let masked = self.stream_of(stream);
        masked.taken += bytes.len() as u64;
        masked.kept.push(bytes);
        let mut said = if stream == self.open { Vec::new() } else { self.flush() };
        self.open = stream;
        if self.batch.is_empty() {
            self.since = Instant::now();
        }
        self.batch.extend_from_slice(bytes);
        if self.batch.len() >= BATCH {
            said.extend(self.flush());
        }
        said
    }

    /// Waits until the batch is to be reported even if nothing else comes.
    async fn ripe(&self) {
        match self.batch.last() {
            None => std::future::pending().await,
            Some(b'\n') => {}
            Some(_) => tokio::time::sleep_until(self.since + OPEN_LINE).await,
        }
    }

    fn flush(&mut self) -> Vec<(Stream, Masked)> {
        if self.batch.is_empty() {
            return Vec::new();
        }
        let bytes = std::mem::take(&mut self.batch);
        let stream = self.open;
        // Hidden output passes the mask too: that is how its value is known to be secret.
        let masked = self.stream_of(stream);
        let text = masked.mask.push(&bytes);
        if masked.shown { vec![(stream, text)] } else { Vec::new() }
    }

    fn finish(&mut self) -> Vec<(Stream, Masked)> {
        let mut said = self.flush();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let masked = self.stream_of(stream);
            let text = masked.mask.finish();
            if masked.shown {
                said.push((stream, text));
            }
        }
        said
    }

    /// How often each secret was masked in what was shown, stream by stream.
    fn hits(&self) -> Vec<(String, u64)> {
        let shown = [&self.stdout, &self.stderr].into_iter().filter(|masked| masked.shown);
        shown.flat_map(|masked| masked.mask.hits()).collect()
    }

    fn ended(self, mask: &Mask, end: End) -> Ended {
        let cut = Cut { stdout: self.stdout.kept.is_cut, stderr: self.stderr.kept.is_cut };
        Ended { end, stdout: self.stdout.value(mask), stderr: self.stderr.value(mask), cut }
    }
}

impl MaskedStream {
    /// What was kept; secret if the mask found something in it, or in what came before it.
    fn value(self, mask: &Mask) -> Value {
        match Registered::of_output(mask, &self.mask, self.kept.into_bytes()) {
            Ok(secret) => Value::Secret(secret),
            Err(bytes) => Value::Plain(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        }
    }
}

/// The last [`Ended::KEPT`] bytes of a stream.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    /// Whether there were more.
    is_cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let beyond = self.bytes.len().saturating_sub(Ended::KEPT);
        self.bytes.drain(..beyond);
        self.is_cut |= beyond > 0;
    }

    /// The bytes, without the last newline.
    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::from(self.bytes);
        bytes.pop_if(|last| *last == b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_what_was_pushed() {
        let mut tail = Tail::default();
        let numbers = u32::try_from(Ended::KEPT / 4).unwrap();
        for n in 0..numbers {
            tail.push(&n.to_be_bytes());
        }
        assert!(!tail.is_cut);
        tail.push(b"\n");
        assert!(tail.is_cut);
        let bytes = tail.into_bytes();
        assert_eq!(bytes.len(), Ended::KEPT - 1);
        assert_eq!(bytes[bytes.len() - 4..], (numbers - 1).to_be_bytes());
        assert_eq!(bytes[bytes.len() - 8..bytes.len() - 4], (numbers - 2).to_be_bytes());
    }

    #[test]
    fn only_one_newline_is_cut() {
        let mut tail = Tail::default();
        tail.push(b"a\n\n");
        assert_eq!(tail.into_bytes(), b"a\n");
    }
}
