//! Times for people, and the times that people write.

use jiff::Timestamp;

use doppio_secrets::source::Metadata;

const DAY: i64 = 24 * 60 * 60;

/// How long ago, in one number and one unit.
pub(in crate::cli) fn age(since: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.as_second() - since.as_second()))
}

/// The expiry, seen from now.
pub(super) fn expiry(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second() - now.as_second();
    if seconds <= 0 {
        format!("expired {} ago", span(-seconds))
    } else {
        format!("expires in {}", span(seconds))
    }
}

fn span(seconds: i64) -> String {
    let (count, unit) = match seconds.max(0) {
        s @ ..60 => (s, "second"),
        s @ 60..3600 => (s / 60, "minute"),
        s if s < 2 * DAY => (s / 3600, "hour"),
        s => (s / DAY, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Where something is, how old, how long it is good: what may be told of a value.
pub(super) fn describe(metadata: &Metadata, now: Timestamp) -> String {
    let mut words = vec![metadata.place.clone()];
    words.extend(metadata.version.as_ref().map(|version| format!("version {version}")));
    words.extend(metadata.created.map(|time| format!("set {}", age(time, now))));
    words.extend(metadata.expires.map(|time| expiry(time, now)));
    if metadata.unproven {
        words.push("not asked yet".to_owned());
    }
    words.join(", ")
}

/// `90d`, `12h`, `8w`, `1y`, a date as `2027-01-31` (its end, UTC), or a time as RFC 3339 has it.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(seconds) = length(text) {
        return Timestamp::from_second(now.as_second().checked_add(seconds)?).ok();
    }
    let whole_day = format!("{text}T23:59:59Z");
    text.parse().ok().or_else(|| whole_day.parse().ok())
}

/// The time that was `90d`, `12h`, `8w` or `1y` ago.
pub(in crate::cli) fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(now.as_second().checked_sub(length(text)?)?).ok()
}

/// A length of time in seconds.
fn length(text: &str) -> Option<i64> {
    let units = [("h", 3600), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];
    units.into_iter().find_map(|(unit, seconds)| {
        let count = text.strip_suffix(unit)?.parse::<u32>().ok()?;
        i64::from(count).checked_mul(seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(age(at("2026-11-22T11:59:59Z"), now), "1 second ago");
        assert_eq!(age(at("2026-11-21T11:00:00Z"), now), "25 hours ago");
        assert_eq!(age(at("2026-11-01T12:00:00Z"), now), "21 days ago");
        assert_eq!(age(at("2027-11-01T12:00:00Z"), now), "0 seconds ago");
        assert_eq!(expiry(at("2026-11-25T12:00:00Z"), now), "expires in 3 days");
        assert_eq!(expiry(at("2026-11-22T11:00:00Z"), now), "expired 1 hour ago");
    }

    #[test]
    fn expiries_are_read() {
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(parse("90d", now), Some(at("2027-02-20T12:00:00Z")));
        assert_eq!(parse("12h", now), Some(at("2026-11-23T00:00:00Z")));
        assert_eq!(parse("2027-01-31", now), Some(at("2027-01-31T23:59:59Z")));
        assert_eq!(parse("2027-01-31T08:00:00+02:00", now), Some(at("2027-01-31T06:00:00Z")));
        for text in ["", "d", "soon", "-1d", "4294967295y", "2027-13-01"] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
