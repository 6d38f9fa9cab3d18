//! Follows a process to its end: output through the mask, in pieces that are cheap; stops.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::Output;
use doppio_hosts::Process;
use doppio_secrets::Mask;
use doppio_secrets::MaskStream;
use doppio_secrets::Masked;
use doppio_secrets::SecretValue;

use crate::event::End;
use crate::event::Stream;
use crate::step::Ended;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::Value;
use crate::step::patience::Patience;
use crate::step::patience::described;
use crate::step::stopped;

/// How long a process has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(10);

/// How long a stopped process's last output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

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
        let has_files = exec.env.iter().any(|var| var.file.is_some());
        let mut process = Box::pin(self.unless_stopped(host.exec(exec))).await??;
        self.delivered(host, process.deliveries()).await;
        let mut masked = MaskedOutput::new(self.secrets.mask(), show);
        let drained = self.drain(&mut process, &mut masked, Some(self.stop.clone())).await;
        if drained.is_err() {
            self.wind_down(host, &mut process, &mut masked).await;
        }
        self.last_report(&mut masked).await;
        if has_files {
            self.sweep(host, &process).await;
        }
        let end = match drained.map_err(StepError::Stopped)? {
            Exit::Code(code) => End::Exit { code },
            Exit::Signal(name) => End::Signal { name },
            Exit::Lost(cause) => End::Lost { cause: self.secrets.mask().text(&cause) },
        };
        Ok(masked.ended(self.secrets.mask(), end))
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

    /// Ends the process group and reads what it still says.
    async fn wind_down(&self, host: &Host, process: &mut Process, masked: &mut MaskedOutput) {
        let id = host.id();
        match process.stop(GRACE).await {
            Ok(stopped) if stopped.survivors.is_empty() => {}
            Ok(stopped) => {
                let step = &self.step;
                let left = stopped.survivors.join(", ");
                self.notice(&format!(
                    "`{step}` was told to stop, but on `{id}` these still run: {left} (pid, name)"
                ))
                .await;
            }
            Err(error) => {
                let step = &self.step;
                let causes = error.causes.join(": ");
                let colon = if causes.is_empty() { "" } else { ": " };
                self.notice(&format!(
                    "`{step}` could not be stopped and may still be running on `{id}`: {error}{colon}{causes}"
                ))
                .await;
            }
        }
        drop(tokio::time::timeout(LAST_WORDS, self.drain(process, masked, None)).await);
    }

    /// Checks that the files of its credentials are gone, and reports it.
    async fn sweep(&self, host: &Host, process: &Process) {
        let (step, id) = (&self.step, host.id());
        let told = match tokio::time::timeout(SWEEP, process.sweep()).await {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(swept))) if swept.left.is_empty() => {
                format!("`{step}`: the files of its credentials are gone from `{id}`")
            }
            Ok(Ok(Some(swept))) => format!(
                "`{step}`: files of its credentials are left on `{id}`; remove them: `rm -rf {}`",
                swept.left.join(" ")
            ),
            Ok(Err(error)) => {
                let hint = error.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!(
                    "`{step}`: whether the files of its credentials are gone from `{id}` is not known: {error}{hint}"
                )
            }
            Err(_) => {
                format!("`{step}`: `{id}` did not say in time whether the files of its credentials are gone")
            }
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
        Ended { end, stdout: self.stdout.value(mask), stderr: self.stderr.value(mask) }
    }
}

impl MaskedStream {
    /// What was kept; secret if the mask found something in it, or in what came before it.
    fn value(self, mask: &Mask) -> Value {
        let bytes = self.kept.into_bytes();
        if !self.mask.hits().is_empty() || mask.finds(&bytes) {
            return Value::Secret(SecretValue::new(bytes));
        }
        Value::Plain(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }
}

/// The last [`Ended::KEPT`] bytes of a stream.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        // Cutting only at twice the size makes the copying cheap.
        if self.0.len() > 2 * Ended::KEPT {
            self.0.drain(..self.0.len() - Ended::KEPT);
        }
    }

    /// The bytes, without the last newline.
    fn into_bytes(mut self) -> Vec<u8> {
        if self.0.len() > Ended::KEPT {
            self.0.drain(..self.0.len() - Ended::KEPT);
        }
        if self.0.last() == Some(&b'\n') {
            self.0.pop();
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_what_was_pushed() {
        let mut tail = Tail::default();
        for n in 0..700_000_u32 {
            tail.push(&n.to_be_bytes());
        }
        tail.push(b"\n");
        let bytes = tail.into_bytes();
        assert_eq!(bytes.len(), Ended::KEPT - 1);
        assert_eq!(bytes[bytes.len() - 4..], 699_999_u32.to_be_bytes());
        assert_eq!(bytes[bytes.len() - 8..bytes.len() - 4], 699_998_u32.to_be_bytes());
    }

    #[test]
    fn only_one_newline_is_cut() {
        let mut tail = Tail::default();
        tail.push(b"a\n\n");
        assert_eq!(tail.into_bytes(), b"a\n");
    }
}
