//! The words for times and ends.

use std::time::Duration;

use doppio_text::shown;

use crate::event::End;
use crate::event::StepState;
use crate::event::StepStatus;

/// A duration in few characters: `0.42 s`, `12.3 s`, `3 m 05 s`, `2 h 01 m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", duration.as_secs_f64()),
        10..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The same without fractions, for a clock that ticks: `0s`, `3m05s`, `2h01m`.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How an attempt ended, in a few words.
pub fn end(end: &End) -> String {
    let words = match end {
        End::Exit { code } => match code {
            126 => "exit code 126 (not executable)".to_owned(),
            127 => "exit code 127 (command not found)".to_owned(),
            130 => "exit code 130 (interrupted)".to_owned(),
            137 => "exit code 137 (killed, often out of memory)".to_owned(),
            139 => "exit code 139 (segmentation fault)".to_owned(),
            143 => "exit code 143 (terminated)".to_owned(),
            code => format!("exit code {code}"),
        },
        End::Signal { name } if name == "KILL" => "killed by SIGKILL (often out of memory)".to_owned(),
        End::Signal { name } => format!("killed by SIG{name}"),
        End::Timeout => "timed out".to_owned(),
        End::Cancelled => "cancelled".to_owned(),
        End::Lost { cause, .. } => format!("its end is not known: {}", cause.as_str()),
        End::Error { message, .. } => message.as_str().to_owned(),
    };
    shown(&words).into_owned()
}

/// US dollars, with a third digit below ten: hours of small machines cost cents.
pub fn dollars(sum: f64) -> String {
    let digits = if sum.abs() < 10.0 { 3 } else { 2 };
    format!("${sum:.digits$}")
}

/// A machine that costs money from now on.
pub(super) fn rented(machine: &str, per_hour: Option<f64>) -> String {
    let price = per_hour.map_or_else(|| "an unknown price".to_owned(), dollars);
    format!("`{machine}` costs {price} an hour from now on")
}

/// A machine that was given back.
pub(super) fn returned(machine: &str, per_hour: f64) -> String {
    if per_hour > 0.0 {
        format!("`{machine}` is stopped; its disk costs {} a day", dollars(per_hour * 24.0))
    } else {
        format!("`{machine}` costs nothing any more")
    }
}

/// `FLAKY 2/3`: it passed at its second of three attempts. None for one that passed at its first.
pub fn flaky(step: &StepState) -> Option<String> {
    let most = step.outline.attempts.max(step.attempts);
    let is_flaky = step.status == StepStatus::Success && step.attempts > 1;
    is_flaky.then(|| format!("FLAKY {}/{most}", step.attempts))
}

/// ` on HOST`, or nothing for a step without a host and for this machine.
pub(super) fn on_host(step: &StepState) -> String {
    match &step.host {
        Some(host) if host.as_str() != "local" => format!(" on `{}`", shown(host.as_str())),
        _ => String::new(),
    }
}

/// What there is to know of a failed step besides its end's words.
pub(super) struct Details {
    /// From what Doppio was doing down to what the system said.
    pub causes: Vec<String>,
    /// What to do; several lines where there is more than one thing.
    pub hint: Option<String>,
}

/// The causes below the words of a step's end, and what to do about it.
pub(super) fn details(step: &StepState) -> Details {
    if let Some(process) = step.adrift() {
        let pid = process.pid;
        return Details {
            causes: vec![format!("process {pid}{} may still be running", on_host(step))],
            hint: Some(format!(
                "look whether it is: {}\nend it: {}",
                process.look.as_str(),
                process.end.as_str()
            )),
        };
    }
    if let (Some(End::Timeout), Some(progress)) = (&step.end, &step.progress) {
        let hint = "give it longer with `timeout_secs`".to_owned();
        return Details { causes: vec![format!("it was {}", progress.as_str())], hint: Some(hint) };
    }
    let (causes, hint) = step.end.as_ref().map(End::details).unwrap_or_default();
    Details { causes: causes.into_iter().map(str::to_owned).collect(), hint: hint.map(str::to_owned) }
}

/// The same, line by line.
pub fn detail_lines(step: &StepState) -> Vec<String> {
    let Details { causes, hint: what } = details(step);
    let causes = causes.into_iter().map(|cause| format!("cause: {cause}"));
    causes.chain(what.iter().flat_map(|what| hint(what))).collect()
}

/// A hint line by line: it may show several lines of a file to write.
pub(super) fn hint(hint: &str) -> impl Iterator<Item = String> {
    let lines = hint.lines().filter(|line| !line.trim().is_empty());
    lines.enumerate().map(|(at, line)| format!("{}{line}", if at == 0 { "hint: " } else { "      " }))
}

/// `1 step`, `2 steps`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let all = [0, 420, 9_999, 59_900, 185_000, 7_260_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(all, ["0.00 s", "0.42 s", "10.00 s", "59.9 s", "3 m 05 s", "2 h 01 m"]);
        let all = [0, 420, 59_900, 185_000, 7_260_000].map(|ms| clock(Duration::from_millis(ms)));
        assert_eq!(all, ["0s", "0s", "59s", "3m05s", "2h01m"]);
    }
}
