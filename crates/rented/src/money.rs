//! Sums of money.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::ops::Mul;

use serde::Serialize;

/// US dollars, the currency of all vendors.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
pub struct Dollars(pub f64);

impl fmt::Display for Dollars {
    /// `$0.412`: with a third digit below ten dollars, since hours of small machines cost cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0.0 { "-" } else { "" };
        let sum = self.0.abs();
        let digits = if sum < 10.0 { 3 } else { 2 };
        write!(f, "{sign}${sum:.digits$}")
    }
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Mul<f64> for Dollars {
    type Output = Self;

    fn mul(self, times: f64) -> Self {
        Self(self.0 * times)
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0.0), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sums_have_a_third_digit() {
        let shown = |sum| Dollars(sum).to_string();
        assert_eq!([shown(0.4117), shown(12.5), shown(-3.0)], ["$0.412", "$12.50", "-$3.000"]);
    }
}
