//! A machine that a run hired or started, and what it costs.

use jiff::Timestamp;

use doppio_secrets::Masked;

/// A machine that a run hired or started.
#[derive(Debug, Clone, PartialEq)]
pub struct RentedMachine {
    /// The machine, as in `vast-12345`.
    pub id: Masked,
    /// Since when it costs money.
    pub since: Timestamp,
    /// What an hour costs, in US dollars, if that is known.
    pub per_hour: Option<f64>,
    /// When it was stopped or destroyed, and what an hour costs since then.
    pub returned: Option<(Timestamp, f64)>,
}

impl RentedMachine {
    pub(super) fn new(since: Timestamp, id: &Masked, per_hour: Option<f64>) -> Self {
        Self { id: id.clone(), since, per_hour, returned: None }
    }

    /// What it has cost until `now`, in US dollars, as far as that is known; its vendor rounds, and
    /// counts traffic besides.
    pub fn cost(&self, now: Timestamp) -> f64 {
        let (until, later) = self.returned.unwrap_or((now, 0.0));
        let hours = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64().max(0.0) / 3600.0;
        self.per_hour.unwrap_or(0.0) * hours(self.since, until) + later * hours(until, now)
    }

    /// What an hour of it costs as it stands, in US dollars; none where nobody knows.
    pub fn costs_per_hour(&self) -> Option<f64> {
        self.returned.map(|(_, per_hour)| per_hour).or(self.per_hour)
    }
}

#[cfg(test)]
mod tests {
    use doppio_secrets::Mask;

    use super::*;

    #[test]
    fn hours_are_counted_until_it_is_returned_and_its_disk_after_that() {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let mut machine = RentedMachine::new(at(1), &Mask::default().text("vast-1"), Some(0.5));
        assert_eq!((machine.cost(at(3)), machine.costs_per_hour()), (1.0, Some(0.5)));
        machine.returned = Some((at(3), 0.25));
        assert_eq!((machine.cost(at(5)), machine.costs_per_hour()), (1.5, Some(0.25)));
        // A clock that was set back makes nothing cheaper.
        assert_eq!((machine.cost(at(2)), true), (1.0, true));
    }
}
