//! Follows a process to its end: output through the mask, in pieces that are cheap; stops.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use doppio_hosts::ByHand;
use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Host;
use doppio_hosts::Output;
use doppio_hosts::Process;
use doppio_hosts::ProcessGroup;
use doppio_secrets::Delivery;
use doppio_secrets::Masked;
use doppio_text::shell::typed;

use crate::event::End;
use crate::event::StepProcess;
use crate::event::Stream;
use crate::step::Ended;
use crate::step::Report;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::Stop;
use crate::step::masked_output::MaskedOutput;
use crate::step::masked_output::Show;
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

impl StepContext {
    /// Starts a script and follows it to its end.
    pub(in crate::step) async fn follow(
        &mut self,
        host: &Host,
        exec: Exec,
        show: Show,
    ) -> Result<Ended, StepError> {
        let mut masked = MaskedOutput::new(self.secrets.mask(), show);
        let end = self.follow_into(host, exec, show, &mut masked).await?;
        Ok(masked.ended(self.secrets.mask(), end))
    }

    /// The same for a script whose standard output is a secret: only standard error is shown. Whatever
    /// becomes of it, `registered` gets what it printed.
    pub(in crate::step) async fn follow_secret<T>(
        &mut self,
        host: &Host,
        exec: Exec,
        registered: impl FnOnce(&Self, Ended) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        let mut masked = MaskedOutput::new(self.secrets.mask(), Show::Errors);
        match self.follow_into(host, exec, Show::Errors, &mut masked).await {
            Ok(end) => registered(self, masked.ended(self.secrets.mask(), end)),
            Err(error) => {
                let ended = masked.ended(self.secrets.mask(), End::Cancelled);
                // What it may still print in another attempt, or has printed elsewhere, begins like this.
                drop(registered(self, ended));
                Err(error)
            }
        }
    }

    async fn follow_into(
        &mut self,
        host: &Host,
        exec: Exec,
        show: Show,
        masked: &mut MaskedOutput,
    ) -> Result<End, StepError> {
        self.keep_here(host, &exec)?;
        let files = if exec.env.iter().any(|var| var.file.is_some()) { SECRETS } else { LARGE_VALUES };
        let mut process = Box::pin(self.unless_stopped(host.exec(exec))).await??;
        let group = process.group().clone();
        self.unended.add(&group);
        if show != Show::Nothing {
            self.report(Report::Launched(self.step_process(&group))).await;
        }
        self.delivered(host, process.deliveries()).await;
        let drained = self.drain(&mut process, masked, Some(self.stop.clone())).await;
        let known = match drained {
            Ok(Exit::Lost(cause)) => Ok(self.look_after(&group, cause).await),
            Ok(exit) => self.ended(&group, exit),
            Err(stop) => self.wind_down(&mut process, masked, stop).await,
        };
        self.last_report(masked).await;
        self.sweep(host, &process, files).await;
        known
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
            let before = masked.taken();
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
            if masked.taken() > before {
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
