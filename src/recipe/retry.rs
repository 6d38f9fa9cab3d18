//! `retry`, of a step and of `[defaults]`.

use std::time::Duration;

use doppio_text::Diagnostic;
use doppio_text::TomlValue;

use crate::recipe::Retry;
use crate::step::Reader;

const KEYS: [&str; 5] = ["max_attempts", "delay_secs", "backoff_multiplier", "max_delay_secs", "jitter"];

/// Reads the table; what it leaves out has the first Doppio's defaults.
pub(super) fn read(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Option<Retry> {
    let mut retry = Retry {
        max_attempts: 3,
        delay: Duration::from_secs(5),
        backoff: 1.0,
        max_delay: None,
        jitter: false,
    };
    for (key, value) in reader.table("`retry`", value)? {
        match key.get_ref().as_ref() {
            "max_attempts" => retry.max_attempts = attempts(reader, value).unwrap_or(retry.max_attempts),
            "delay_secs" => retry.delay = reader.seconds("`delay_secs`", value).unwrap_or(retry.delay),
            "backoff_multiplier" => {
                retry.backoff = reader.number("`backoff_multiplier`", value).unwrap_or(retry.backoff);
            }
            "max_delay_secs" => retry.max_delay = reader.seconds("`max_delay_secs`", value),
            "jitter" => retry.jitter = reader.boolean("`jitter`", value).unwrap_or(retry.jitter),
            other => reader.unknown_key(other, key.span(), "`retry`", KEYS),
        }
    }
    Some(retry)
}

fn attempts(reader: &mut Reader<'_>, value: &TomlValue<'_>) -> Option<u32> {
    let attempts = reader.whole("`max_attempts`", value)?;
    if attempts == 0 {
        reader.fault(
            Diagnostic::warning(
                "recipe::no-attempts",
                "`max_attempts` counts the first attempt too; 0 is taken as 1",
                value.span(),
            )
            .help("write 1, or leave `retry` out")
            .edit(value.span(), "1"),
        );
    }
    Some(u32::try_from(attempts).unwrap_or(u32::MAX).max(1))
}
