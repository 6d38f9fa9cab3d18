//! A machine that a run hired or started, and what it costs.

use jiff::Timestamp;

use doppio_secrets::Delivery;
use doppio_secrets::Masked;

/// A machine that a run hired or started.
#[derive(Debug, Clone, PartialEq)]
pub struct RentedMachine {
    /// The machine, as in `vast-12345`.
    pub id: Masked,
    /// Since when it costs what it costs now.
    since: Timestamp,
    /// What an hour costs since then, in US dollars, if that is known.
    per_hour: Option<f64>,
    /// What it had cost by then.
    spent: f64,
    /// The secrets that steps on it were given, each once.
    pub secrets: Vec<Masked>,
}

impl RentedMachine {
    pub(super) fn new(since: Timestamp, id: &Masked, per_hour: Option<f64>) -> Self {
        Self { id: id.clone(), since, per_hour, spent: 0.0, secrets: Vec::new() }
    }

    /// An hour costs something else from now on: it was started, stopped or destroyed.
    pub(super) fn costs(&mut self, now: Timestamp, per_hour: Option<f64>) {
        self.spent = self.cost(now);
        (self.since, self.per_hour) = (now, per_hour);
    }

    /// A step on it was given these.
    pub(super) fn saw(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries.iter().filter(|delivery| !delivery.is_default) {
            if !self.secrets.contains(&delivery.secret) {
                self.secrets.push(delivery.secret.clone());
            }
        }
    }

    /// What it has cost until `now`, in US dollars, as far as that is known; its vendor rounds, and
    /// counts traffic besides.
    pub fn cost(&self, now: Timestamp) -> f64 {
        let hours = now.duration_since(self.since).as_secs_f64().max(0.0) / 3600.0;
        self.spent + self.per_hour.unwrap_or(0.0) * hours
    }

    /// What an hour of it costs as it stands, in US dollars; none where nobody knows.
    pub fn costs_per_hour(&self) -> Option<f64> {
        self.per_hour
    }

    /// Whether it was destroyed.
    pub fn is_gone(&self) -> bool {
        self.per_hour.is_some_and(|per_hour| per_hour <= 0.0)
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
        machine.costs(at(3), Some(0.25));
        assert_eq!((machine.cost(at(5)), machine.costs_per_hour()), (1.5, Some(0.25)));
        // A clock that was set back makes nothing cheaper.
        assert_eq!((machine.cost(at(2)), machine.is_gone()), (1.0, false));
        // Started again, destroyed, and destroyed once more.
        machine.costs(at(5), Some(0.5));
        machine.costs(at(6), Some(0.0));
        machine.costs(at(9), Some(0.0));
        assert_eq!((machine.cost(at(10)), machine.costs_per_hour()), (2.0, Some(0.0)));
        assert!(machine.is_gone());
    }
}
