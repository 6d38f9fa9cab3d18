//! Machines in words: what is shown in several tables.

use jiff::Timestamp;

use doppio_rented::Dollars;
use doppio_rented::Machine;
use doppio_rented::MachineState;

use crate::ui::table::Colour;

/// Hours of a day.
const HOURS: i64 = 24;

/// `4 x RTX 4090`.
pub(super) fn gpus(count: Option<u32>, name: Option<&str>) -> String {
    match (count, name) {
        (Some(1), Some(name)) => name.to_owned(),
        (Some(count), Some(name)) => format!("{count} x {name}"),
        (Some(count), None) => format!("{count} GPUs"),
        (None, name) => name.unwrap_or("–").to_owned(),
    }
}

/// A sum, or a dash.
pub(super) fn sum(dollars: Option<Dollars>) -> String {
    dollars.map_or_else(|| "–".to_owned(), |dollars| dollars.to_string())
}

/// A number without digits behind the point, and its unit; a dash if there is none.
pub(super) fn whole(number: Option<f64>, unit: &str) -> String {
    number.map_or_else(|| "–".to_owned(), |number| format!("{number:.0}{unit}"))
}

/// A length of time, in days and hours or in hours and minutes.
pub(super) fn span(seconds: i64) -> String {
    if seconds < 0 {
        return "over".to_owned();
    }
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match hours {
        0 => format!("{minutes} m"),
        hours if hours < 2 * HOURS => format!("{hours} h {minutes:02} m"),
        hours => format!("{} d {} h", hours / HOURS, hours % HOURS),
    }
}

/// What is left of a machine's contract.
pub(super) fn left(machine: &Machine, now: Timestamp) -> String {
    machine.ends.map_or_else(|| "–".to_owned(), |ends| span(ends.as_second() - now.as_second()))
}

/// The colour of a state.
pub(super) fn colour(state: &MachineState) -> Colour {
    match state {
        MachineState::Running => Colour::Good,
        MachineState::Exited | MachineState::Gone | MachineState::Unknown(_) => Colour::Bad,
        MachineState::Stopped => Colour::Dim,
        _ => Colour::Between,
    }
}

/// `1 machine`, `3 machines`.
pub(super) fn machines(count: usize) -> String {
    if count == 1 { "1 machine".to_owned() } else { format!("{count} machines") }
}

/// What the machines cost as they stand: while they run by the hour, while they are stopped by the day.
pub(super) fn costs<'a>(machines: impl Iterator<Item = &'a Machine> + Clone) -> String {
    let stopped = machines.clone().filter(|machine| !machine.state.is_billed_by_the_hour());
    let hour: Dollars =
        machines.filter(|machine| machine.state.is_billed_by_the_hour()).map(Machine::costs_per_hour).sum();
    let day: Dollars = stopped.filter_map(|machine| machine.stopped_per_day).sum();
    match (hour.0 > 0.0, day.0 > 0.0) {
        (_, false) => format!("{hour} an hour"),
        (false, true) => format!("{day} a day for disks of machines that don't run"),
        (true, true) => format!("{hour} an hour, and {day} a day for disks of machines that don't run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_gpus_are_short() {
        assert_eq!([span(-1), span(90), span(7300), span(49 * 3600)], ["over", "1 m", "2 h 01 m", "2 d 1 h"]);
        assert_eq!(gpus(Some(4), Some("RTX 4090")), "4 x RTX 4090");
        assert_eq!(gpus(None, None), "–");
    }
}
