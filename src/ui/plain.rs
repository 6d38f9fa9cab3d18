//! Lines for people where no terminal is watching: one prefix a step.

use std::collections::HashMap;
use std::io;
use std::io::Write;
use std::time::Duration;
use std::time::Instant;

use doppio_text::Printed;
use doppio_text::name::StepId;
use doppio_text::shown;

use crate::event::Event;
use crate::event::RunState;
use crate::event::StepStatus;
use crate::event::Stream;
use crate::event::What;
use crate::ui::View;
use crate::ui::table;
use crate::ui::words;

/// How often a line that never ends, as a progress bar draws it, is shown as far as it is.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// How much of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What asks for attention: notices, and that the run is being cancelled.
    Notices,
    /// Where each step is, and what it prints.
    #[default]
    Steps,
    /// Also what waits for a slot, which processes run, and how each secret travelled.
    Everything,
}

/// Writes what happens as lines, each with the step it belongs to.
pub struct Plain<W> {
    to: W,
    detail: Detail,
    width: usize,
    open: HashMap<(StepId, bool), Open>,
    now_and_then: Duration,
}

/// What a step prints on one of its outputs.
struct Open {
    printed: Printed,
    /// The last that was shown of the line that is open.
    shown: String,
    /// When something was last shown.
    since: Instant,
}

impl Default for Open {
    fn default() -> Self {
        Self { printed: Printed::default(), shown: String::new(), since: Instant::now() }
    }
}

impl<W: Write + Send> Plain<W> {
    /// Writes to `to`, which should be buffered.
    pub fn new(to: W) -> Self {
        Self { to, detail: Detail::default(), width: 0, open: HashMap::new(), now_and_then: NOW_AND_THEN }
    }

    /// Shows more, or less.
    #[must_use]
    pub fn showing(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    fn line(&mut self, step: &StepId, mark: &str, text: &str) -> io::Result<()> {
        let prefix = table::left(&shown(step.as_str()), self.width);
        self.write(&format!("{prefix} {mark} {text}"))
    }

    /// The one way out: a line, fit to be shown.
    fn write(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.to, "{}", shown(line))
    }

    fn output(&mut self, step: &StepId, stream: Stream, text: &str) -> io::Result<()> {
        let to = &mut self.to;
        let prefix = table::left(&shown(step.as_str()), self.width);
        let mut written = Ok(());
        let open = self.open.entry((step.clone(), stream == Stream::Stderr)).or_default();
        let (since, shown) = (&mut open.since, &mut open.shown);
        open.printed.push(text, |line| {
            *since = Instant::now();
            shown.clear();
            if written.is_ok() {
                written = writeln!(to, "{prefix} | {line}");
            }
        });
        written
    }

    /// Shows lines that do not end, now and then, as far as they are.
    fn show_open(&mut self) -> io::Result<()> {
        for ((step, _), open) in &mut self.open {
            if open.since.elapsed() < self.now_and_then {
                continue;
            }
            let line = open.printed.open();
            if !line.trim().is_empty() && line != open.shown {
                let prefix = table::left(&shown(step.as_str()), self.width);
                writeln!(self.to, "{prefix} ~ {line}")?;
                open.shown = line.into_owned();
                open.since = Instant::now();
            }
        }
        Ok(())
    }

    /// Writes the lines that a step left open.
    fn close(&mut self, step: &StepId) -> io::Result<()> {
        for is_stderr in [false, true] {
            if let Some(line) =
                self.open.remove(&(step.clone(), is_stderr)).and_then(|mut open| open.printed.finish())
            {
                self.line(step, "|", &line)?;
            }
        }
        Ok(())
    }

    fn finished(&mut self, step: &StepId, state: &RunState, clock: &str) -> io::Result<()> {
        self.close(step)?;
        let Some(of) = state.step(step) else { return Ok(()) };
        let time = words::duration(of.duration.unwrap_or_default());
        let how = of.end.as_ref().map(words::end).unwrap_or_default();
        match of.status {
            StepStatus::Success => {
                let flaky = words::flaky(of).map(|words| format!(" ({words})")).unwrap_or_default();
                self.line(step, "✓", &format!("done in {time}, at {clock}{flaky}"))
            }
            StepStatus::Cancelled if of.attempts == 0 => self.line(step, "⊘", "cancelled"),
            _ => {
                let text = format!("{} after {time}{}, at {clock}: {how}", of.status, words::on_host(of));
                self.line(step, "✗", &text)?;
                // Of a failure that counts, the end of the run has the rest.
                let rest = if of.forgiven { words::detail_lines(of) } else { Vec::new() };
                rest.iter().try_for_each(|line| self.line(step, "|", line))
            }
        }
    }
}

impl<W: Write + Send> View for Plain<W> {
    fn show(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        let asks_for_attention = matches!(event.what, What::RunCancelling { .. } | What::Notice { .. });
        if self.detail == Detail::Notices && !asks_for_attention {
            return Ok(());
        }
        let clock = event.time.strftime("%H:%M:%SZ").to_string();
        match &event.what {
            What::RunStarted { run, recipe, steps } => {
                self.width = table::prefix(steps.iter().map(|step| &step.id));
                let leaves = steps.iter().filter(|step| step.members.is_empty()).count();
                let steps = words::count(leaves, "step", "steps");
                self.write(&format!("run `{run}` of `{}`: {steps}", recipe.as_str()))
            }
            What::StepStarted { step, attempt, .. } => {
                let host = state.step(step).map(words::on_host).unwrap_or_default();
                let attempt = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                self.line(step, ">", &format!("started{host}{attempt} at {clock}"))
            }
            What::StepOutput { step, stream, text } => self.output(step, *stream, text.as_str()),
            What::StepProgress { step, message } => self.line(step, "~", message.as_str()),
            What::StepRetrying { step, end, delay, .. } => {
                self.close(step)?;
                let text = format!("{}; trying again in {}", words::end(end), words::duration(*delay));
                self.line(step, "↻", &text)
            }
            What::StepFinished { step, .. } => self.finished(step, state, &clock),
            What::StepSkipped { step, reason, .. } => {
                self.line(step, "⊘", &format!("skipped: {}", reason.as_str()))
            }
            What::RunCancelling { reason, forced } => {
                let what = if *forced {
                    "not waiting for anything; `always` steps do not run"
                } else {
                    "stopping what runs; `always` steps still run"
                };
                self.write(&format!("{}: {what}", reason.as_str()))
            }
            What::MachineRented { step, machine, per_hour } => {
                self.line(step, "$", &words::rented(machine.as_str(), *per_hour))
            }
            What::MachineReturned { step, machine, per_hour } => {
                self.line(step, "$", &words::returned(machine.as_str(), *per_hour))
            }
            What::Notice { step: Some(step), text } => self.line(step, "!", text.as_str()),
            What::Notice { step: None, text } => self.write(&format!("! {}", text.as_str())),
            What::StepWaiting { step } if self.detail == Detail::Everything => {
                self.line(step, "~", "waits for nothing but a slot")
            }
            What::StepLaunched { step, process } if self.detail == Detail::Everything => {
                self.line(step, "~", &format!("runs as process {}", process.pid))
            }
            What::SecretsDelivered { step, deliveries } if self.detail == Detail::Everything => {
                deliveries.iter().try_for_each(|delivery| {
                    let what = if delivery.is_default { "the default of secret" } else { "secret" };
                    let (secret, form) = (delivery.secret.as_str(), delivery.form());
                    self.line(step, "~", &format!("{what} `{secret}` went as `{form}`: {}", delivery.carrier))
                })
            }
            What::StepWaiting { .. }
            | What::StepLaunched { .. }
            | What::SecretsDelivered { .. }
            | What::RunFinished { .. }
            | What::Unknown => Ok(()),
        }
    }

    fn left_out(&mut self, bytes: usize, _: &Event) -> io::Result<()> {
        writeln!(self.to, "! {bytes} bytes of output were dropped: nobody read them; the log has them")
    }

    fn rest(&mut self) -> io::Result<()> {
        self.show_open()?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // case K10
    #[test]
    fn a_line_that_never_ends_is_shown_now_and_then() {
        let mut view = Plain { now_and_then: Duration::ZERO, ..Plain::new(Vec::new()) };
        let step: StepId = "train".parse().unwrap();
        let mut seen = String::new();
        for text in [" 10%|#", "\r 20%|##", "", "\r 30%|###"] {
            view.output(&step, Stream::Stderr, text).unwrap();
            view.rest().unwrap();
            seen = String::from_utf8(view.to.clone()).unwrap();
        }
        assert_eq!(seen, "train ~  10%|#\ntrain ~  20%|##\ntrain ~  30%|###\n");
        view.now_and_then = NOW_AND_THEN;
        view.output(&step, Stream::Stderr, "\r 40%|####").unwrap();
        view.rest().unwrap();
        assert_eq!(view.to.len(), seen.len(), "not each time");
    }
}
