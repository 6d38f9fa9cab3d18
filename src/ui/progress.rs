//! The tree of what runs, for a terminal. The only file that knows indicatif.
//!
//! Steps that are over are printed above and stay; below them is one row for each step that runs,
//! members under the step they belong to, and a line that counts.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use std::time::Instant;

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressState;
use indicatif::ProgressStyle;
use jiff::Timestamp;

use doppio_text::Printed;
use doppio_text::name::StepId;
use doppio_text::shown;

use crate::event::Event;
use crate::event::RentedMachine;
use crate::event::RunState;
use crate::event::StepOutline;
use crate::event::StepState;
use crate::event::StepStatus;
use crate::event::What;
use crate::ui::Paint;
use crate::ui::View;
use crate::ui::table;
use crate::ui::words;

/// Rows at most; what runs beyond them is counted.
const ROWS: usize = 12;

/// Lines of a failed step that are printed.
const LAST_LINES: usize = 10;

/// Columns for the time that a step took.
const TIME: usize = 7;

/// Columns for the time that a step has taken so far.
const CLOCK: usize = 6;

/// How often spinners turn.
const TURN: Duration = Duration::from_millis(100);

/// Shows a run as a tree that moves.
pub struct Progress {
    paint: Paint,
    /// Columns of the terminal.
    columns: usize,
    all: MultiProgress,
    footer: ProgressBar,
    /// Where each step stands when shown, and how deep.
    ranks: HashMap<StepId, (usize, usize)>,
    /// The rows that are shown, by rank.
    rows: Vec<Row>,
    running: HashMap<StepId, Running>,
    /// When the run began.
    began: Option<Instant>,
    /// How many steps are where, as the footer has it.
    counts: String,
    /// What it hired, which costs more while nothing happens.
    machines: Vec<RentedMachine>,
    turned: Instant,
}

struct Row {
    rank: usize,
    id: StepId,
    label: String,
    bar: ProgressBar,
}

#[derive(Default)]
struct Running {
    stdout: Printed,
    stderr: Printed,
    last: VecDeque<String>,
    /// What its row says now.
    message: String,
}

impl Running {
    /// The last line that was printed, the end of one that is still open included.
    fn last_line(mut self) -> Option<String> {
        let open = [self.stdout.finish(), self.stderr.finish()];
        let open = open.into_iter().flatten().find(|line| !line.trim().is_empty());
        open.or_else(|| self.last.pop_back())
    }
}

impl Progress {
    /// Draws on stderr, `columns` wide.
    pub fn new(paint: Paint, columns: usize) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let footer = all.add(ProgressBar::new_spinner().with_style(style("{msg}")));
        Self {
            paint,
            columns,
            all,
            footer,
            ranks: HashMap::new(),
            rows: Vec::new(),
            running: HashMap::new(),
            began: None,
            counts: String::new(),
            machines: Vec::new(),
            turned: Instant::now(),
        }
    }

    /// Columns for the names of steps: enough to tell them apart, and never most of the terminal.
    fn name_width(&self) -> usize {
        (self.columns / 3).clamp(8, 32)
    }

    fn print(&self, line: &str) -> io::Result<()> {
        self.all.println(line)
    }

    /// A name, as wide as all of them.
    fn label(&self, name: &str) -> String {
        table::left(&table::cut(name, self.name_width()), self.name_width())
    }

    /// A mark, the name, and the rest, in columns.
    fn row(&self, mark: &str, step: &StepState, rest: &str) -> String {
        format!("{mark} {}  {rest}", self.label(name(&step.outline)))
    }

    fn add_row(&mut self, step: &StepState) {
        if self.rows.len() >= ROWS {
            return;
        }
        let id = &step.outline.id;
        let (rank, depth) = self.ranks.get(id).copied().unwrap_or_default();
        let at = self.rows.partition_point(|row| row.rank < rank);
        let bar = self.all.insert(at, ProgressBar::new_spinner());
        let indent = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
        // Below its step, an instance differs from its siblings only in its brackets.
        let whole = name(&step.outline);
        let label = match whole.find('[').filter(|_| depth > 0) {
            Some(bracket) => &whole[bracket..],
            None => whole,
        };
        let label = self.label(&format!("{indent}{label}"));
        let paint = self.paint;
        bar.set_style(style("{prefix} {time} {wide_msg}").with_key(
            "time",
            move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                let clock = words::clock(state.elapsed());
                // Nothing can be done about a terminal that accepts no text.
                write!(to, "{}", paint.dim(&table::right(&clock, CLOCK))).ok();
            },
        ));
        bar.set_prefix(format!("{} {label}", self.spinner(bar.elapsed())));
        self.rows.insert(at, Row { rank, id: id.clone(), label, bar });
    }

    fn remove_row(&mut self, id: &StepId) {
        if let Some(at) = self.rows.iter().position(|row| row.id == *id) {
            let Row { bar, .. } = self.rows.remove(at);
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn spinner(&self, elapsed: Duration) -> String {
        const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        let turn = usize::try_from(elapsed.as_millis() / TURN.as_millis()).unwrap_or_default();
        self.paint.cyan(FRAMES[turn % FRAMES.len()])
    }

    fn say(&mut self, id: &StepId, message: &str) {
        if let Some(running) = self.running.get_mut(id) {
            message.clone_into(&mut running.message);
        }
    }

    fn output(&mut self, id: &StepId, is_stderr: bool, text: &str) {
        let Some(running) = self.running.get_mut(id) else { return };
        let Running { stdout, stderr, last, message } = running;
        let lines = if is_stderr { stderr } else { stdout };
        lines.push(text, |line| {
            if !line.trim().is_empty() {
                line.clone_into(message);
                if last.len() == LAST_LINES {
                    last.pop_front();
                }
                last.push_back(line.to_owned());
            }
        });
        let open = lines.open();
        if !open.trim().is_empty() {
            *message = open.into_owned();
        }
    }

    fn finished(&mut self, id: &StepId, state: &RunState) -> io::Result<()> {
        let running = self.running.remove(id);
        self.remove_row(id);
        let Some(step) = state.step(id) else { return Ok(()) };
        let time = words::duration(step.duration.unwrap_or_default());
        if step.status == StepStatus::Success {
            // A step's last line is usually its result.
            let said = running.and_then(Running::last_line).unwrap_or_default();
            let room = self.columns.saturating_sub(self.name_width() + 2 + 2 + TIME + 2);
            let time = table::right(&time, TIME);
            let rest = match words::flaky(step) {
                Some(flaky) => format!("{}  {}", self.paint.dim(&time), self.paint.yellow(&flaky)),
                None => self.paint.dim(format!("{time}  {}", table::cut(&said, room)).trim_end()),
            };
            return self.print(&self.row(&self.paint.green("✓"), step, &rest));
        }
        let time = self.paint.dim(&table::right(&time, TIME));
        if step.status == StepStatus::Cancelled && step.attempts == 0 {
            return self.print(&self.row(&self.paint.yellow("⊘"), step, "cancelled"));
        }
        let how = step.end.as_ref().map(words::end).unwrap_or_default();
        let how = format!("{how}{}", words::on_host(step));
        self.print(&self.row(&self.paint.red("✗"), step, &format!("{time}  {}", self.paint.red(&how))))?;
        if step.status != StepStatus::Cancelled {
            let mut last = running.map(|mut running| {
                running.last.extend(running.stdout.finish());
                running.last.extend(running.stderr.finish());
                running.last
            });
            for line in last.iter_mut().flatten() {
                self.print(&format!("  {} {line}", self.paint.dim("│")))?;
            }
        }
        // Of a failure that counts, the end of the run has the rest.
        let rest = if step.forgiven { words::detail_lines(step) } else { Vec::new() };
        rest.iter().try_for_each(|line| self.print(&format!("  {}", shown(line))))
    }

    /// The counts, and what goes on while nothing happens: the time since the run began, and the money.
    fn draw_footer(&self) {
        let clock =
            self.began.map(|began| format!(", {}", words::clock(began.elapsed()))).unwrap_or_default();
        let money = so_far(&self.machines, Timestamp::now());
        self.footer.set_message(self.paint.dim(&format!("{}{clock}{money}", self.counts)));
    }

    fn count(&self, state: &RunState) -> String {
        let number =
            |wanted: fn(StepStatus) -> bool| state.leaves().filter(|step| wanted(step.status)).count();
        let total = state.leaves().count();
        let mut text = format!("{}/{total} done", number(StepStatus::is_over));
        let failed = number(|status| matches!(status, StepStatus::Failed | StepStatus::Lost));
        let others = [
            (number(|status| status == StepStatus::Running), "running"),
            (number(|status| status == StepStatus::Waiting), "waiting"),
            (number(|status| status == StepStatus::Retrying), "between attempts"),
            (failed, "failed"),
        ];
        for (number, word) in others.into_iter().filter(|(number, _)| *number > 0) {
            write!(text, ", {number} {word}").expect("a string takes what is written to it");
        }
        let shown = self.rows.len();
        let hidden = self.running.len().saturating_sub(shown);
        if hidden > 0 {
            write!(text, " ({hidden} not shown)").expect("a string takes what is written to it");
        }
        text
    }

    fn rank(&mut self, steps: &[StepOutline]) {
        let members: HashSet<&StepId> = steps.iter().flat_map(|step| &step.members).collect();
        let by_id: HashMap<&StepId, &StepOutline> = steps.iter().map(|step| (&step.id, step)).collect();
        let mut stack: Vec<(&StepOutline, usize)> =
            steps.iter().rev().filter(|step| !members.contains(&step.id)).map(|step| (step, 0)).collect();
        while let Some((step, depth)) = stack.pop() {
            self.ranks.insert(step.id.clone(), (self.ranks.len(), depth));
            stack.extend(step.members.iter().rev().filter_map(|id| Some((*by_id.get(id)?, depth + 1))));
        }
    }
}

impl View for Progress {
    fn show(&mut self, event: &Event, state: &RunState) -> io::Result<()> {
        match &event.what {
            What::RunStarted { run, recipe, steps } => {
                self.rank(steps);
                self.began = Some(Instant::now());
                self.print(&self.paint.dim(&format!("run {run} of {}", shown(recipe.as_str()))))?;
            }
            What::StepStarted { step, .. } => {
                self.running.insert(step.clone(), Running::default());
                if let Some(step) = state.step(step) {
                    self.add_row(step);
                }
            }
            What::StepOutput { step, stream, text } => {
                self.output(step, *stream == crate::event::Stream::Stderr, text.as_str());
                return Ok(());
            }
            What::StepProgress { step, message } => self.say(step, &shown(message.as_str())),
            What::StepRetrying { step: id, attempt, end, delay } => {
                self.running.remove(id);
                self.remove_row(id);
                if let Some(step) = state.step(id) {
                    let how = words::end(end);
                    let wait = words::duration(*delay);
                    let rest = format!("attempt {attempt}: {how}; trying again in {wait}");
                    self.print(&self.row(&self.paint.yellow("↻"), step, &rest))?;
                }
            }
            What::StepFinished { step, .. } => self.finished(step, state)?,
            What::StepSkipped { step, reason, .. } => {
                if let Some(step) = state.step(step) {
                    let reason = self.paint.dim(&shown(reason.as_str()));
                    self.print(&self.row(&self.paint.yellow("⊘"), step, &reason))?;
                }
            }
            What::RunCancelling { reason, forced } => {
                let what = if *forced {
                    "not waiting for anything; `always` steps do not run"
                } else {
                    "stopping what runs; press Ctrl-C again to end at once"
                };
                let text = format!("{}: {what}", shown(reason.as_str()));
                self.print(&self.paint.yellow(&text))?;
            }
            What::Notice { text, .. } => {
                self.print(&format!("{} {}", self.paint.yellow("!"), shown(text.as_str())))?;
            }
            What::MachineRented { machine, per_hour, .. } => {
                self.machines.clone_from(&state.machines);
                self.print(&shown(&words::rented(machine.as_str(), *per_hour)))?;
            }
            What::MachineReturned { machine, per_hour, .. } => {
                self.machines.clone_from(&state.machines);
                self.print(&shown(&words::returned(machine.as_str(), *per_hour)))?;
            }
            What::RunFinished { .. } => {
                self.footer.finish_and_clear();
                return self.all.clear();
            }
            What::StepWaiting { .. }
            | What::StepLaunched { .. }
            | What::SecretsDelivered { .. }
            | What::Unknown => {}
        }
        self.counts = self.count(state);
        self.draw_footer();
        Ok(())
    }

    fn left_out(&mut self, _: usize, _: &Event) -> io::Result<()> {
        // Only last lines are shown; those that were left out would not have been.
        Ok(())
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|line| self.print(&shown(line)))
    }

    fn hide(&mut self) -> io::Result<()> {
        self.all.clear()
    }

    fn rest(&mut self) -> io::Result<()> {
        if self.turned.elapsed() < TURN {
            return Ok(());
        }
        self.turned = Instant::now();
        for Row { id, label, bar, .. } in &self.rows {
            bar.set_prefix(format!("{} {label}", self.spinner(bar.elapsed())));
            if let Some(running) = self.running.get(id) {
                bar.set_message(running.message.clone());
            }
            bar.tick();
        }
        self.draw_footer();
        Ok(())
    }
}

/// `, $0.12 so far`, of a run that hired something.
fn so_far(machines: &[RentedMachine], now: Timestamp) -> String {
    let cost: f64 = machines.iter().map(|machine| machine.cost(now)).sum();
    if machines.is_empty() { String::new() } else { format!(", ${cost:.2} so far") }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are fixed and right")
}

fn name(step: &StepOutline) -> &str {
    step.name.as_ref().map_or_else(|| step.id.as_str(), |name| name.as_str())
}
