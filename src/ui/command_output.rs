//! What one command prints on one host or several, as `exec` shows it.

use std::collections::HashMap;
use std::io;
use std::io::Write;

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

/// In which form output is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// As it is, for a program or a file.
    Text,
    /// Line by line, fit to be shown: a terminal obeys what is written to it.
    Lines,
    /// The same, each line with its host before it.
    OfHosts,
}

/// Shows a command's two outputs where they belong, and how it ended.
pub struct CommandOutput<O, E> {
    stdout: (O, Passing),
    stderr: (E, Passing),
    /// Of the longest host.
    width: usize,
    open: HashMap<(StepId, bool), Printed>,
}

impl<O: Write + Send, E: Write + Send> CommandOutput<O, E> {
    /// Writes to both, which should be buffered.
    pub fn new(stdout: (O, Passing), stderr: (E, Passing)) -> Self {
        Self { stdout, stderr, width: 0, open: HashMap::new() }
    }

    fn output(&mut self, step: &StepId, stream: Stream, text: &str) -> io::Result<()> {
        let is_stderr = stream == Stream::Stderr;
        let (to, passing): (&mut dyn Write, _) = match stream {
            Stream::Stdout => (&mut self.stdout.0, self.stdout.1),
            Stream::Stderr => (&mut self.stderr.0, self.stderr.1),
        };
        if passing == Passing::Text {
            return to.write_all(text.as_bytes());
        }
        let prefix = prefix(step, passing, self.width);
        let mut written = Ok(());
        let open = self.open.entry((step.clone(), is_stderr)).or_default();
        open.push(text, |line| {
            if written.is_ok() {
                written = writeln!(to, "{prefix}{line}");
            }
        });
        written
    }

    /// Writes the lines that were left open.
    fn close(&mut self, step: &StepId) -> io::Result<()> {
        for is_stderr in [false, true] {
            let Some(mut open) = self.open.remove(&(step.clone(), is_stderr)) else { continue };
            let Some(line) = open.finish() else { continue };
            let (to, passing): (&mut dyn Write, _) = if is_stderr {
                (&mut self.stderr.0, self.stderr.1)
            } else {
                (&mut self.stdout.0, self.stdout.1)
            };
            writeln!(to, "{}{line}", prefix(step, passing, self.width))?;
        }
        Ok(())
    }

    /// A line of ours on stderr, behind all that was printed so far.
    fn line(&mut self, step: Option<&StepId>, mark: &str, text: &str) -> io::Result<()> {
        self.stdout.0.flush()?;
        match step.filter(|_| self.stderr.1 == Passing::OfHosts) {
            Some(step) => {
                let host = table::left(&shown(host(step)), self.width);
                writeln!(self.stderr.0, "{host} {mark} {}", shown(text))
            }
            None => writeln!(self.stderr.0, "{}", shown(text)),
        }
    }

    fn finished(&mut self, step: &StepId, state: &RunState) -> io::Result<()> {
        self.close(step)?;
        let Some(of) = state.step(step) else { return Ok(()) };
        if !of.outline.members.is_empty() || self.stderr.1 != Passing::OfHosts {
            return Ok(());
        }
        let time = words::duration(of.duration.unwrap_or_default());
        let how = of.end.as_ref().map(words::end).unwrap_or_default();
        match of.status {
            StepStatus::Success => self.line(Some(step), "✓", &format!("done in {time}")),
            StepStatus::Cancelled => self.line(Some(step), "⊘", "cancelled"),
            status => self.line(Some(step), "✗", &format!("{status} after {time}: {how}")),
        }
    }
}

/// The host of a step that stands for one: what its id has in brackets.
fn host(step: &StepId) -> &str {
    let id = step.as_str();
    id.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']')).unwrap_or(id)
}

fn prefix(step: &StepId, passing: Passing, width: usize) -> String {
    match passing {
        Passing::OfHosts => format!("{} | ", table::left(&shown(host(step)), width)),
        Passing::Text | Passing::Lines => String::new(),
    }
}

impl<O: Write + Send, E: Write + Send> View for CommandOutput<O, E> {
    fn show(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        match &event.what {
            What::RunStarted { steps, .. } => {
                let leaves = steps.iter().filter(|step| step.members.is_empty());
                self.width = table::widest(leaves.map(|step| host(&step.id)));
                Ok(())
            }
            What::StepOutput { step, stream, text } => self.output(step, *stream, text.as_str()),
            What::StepFinished { step, .. } => self.finished(step, state),
            What::StepSkipped { step, reason, .. } => {
                let is_join = state.step(step).is_some_and(|of| !of.outline.members.is_empty());
                if is_join {
                    Ok(())
                } else {
                    self.line(Some(step), "⊘", &format!("skipped: {}", reason.as_str()))
                }
            }
            What::RunCancelling { reason, .. } => {
                self.line(None, "!", &format!("{}: stopping what runs", reason.as_str()))
            }
            What::Notice { step, text } => self.line(step.as_ref(), "!", text.as_str()),
            _ => Ok(()),
        }
    }

    fn left_out(&mut self, bytes: usize, _: &Event) -> io::Result<()> {
        self.line(
            None,
            "!",
            &format!("{bytes} bytes of output were dropped: nobody read them; the log has them"),
        )
    }

    fn rest(&mut self) -> io::Result<()> {
        self.stdout.0.flush()?;
        self.stderr.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_of(passing: Passing, step: &str) -> (String, String) {
        let mut view = CommandOutput::new((Vec::new(), passing), (Vec::new(), passing));
        let step: StepId = step.parse().unwrap();
        view.width = 5;
        for (stream, text) in
            [(Stream::Stdout, "a\u{1b}[2J\nb"), (Stream::Stderr, "oh\n"), (Stream::Stdout, "c\r\nd")]
        {
            view.output(&step, stream, text).unwrap();
        }
        view.close(&step).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(view.stdout.0), text(view.stderr.0))
    }

    #[test]
    fn a_program_gets_it_as_it_is_and_a_terminal_lines() {
        let as_it_is = ("a\u{1b}[2J\nbc\r\nd".to_owned(), "oh\n".to_owned());
        assert_eq!(shown_of(Passing::Text, "exec"), as_it_is);
        assert_eq!(shown_of(Passing::Lines, "exec").0, "a\nbc\nd\n");
        let of_hosts = ("gpu-a | a\ngpu-a | bc\ngpu-a | d\n".to_owned(), "gpu-a | oh\n".to_owned());
        assert_eq!(shown_of(Passing::OfHosts, "exec[gpu-a]"), of_hosts);
    }
}
