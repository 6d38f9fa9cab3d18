//! Which failures are worth another attempt, and after how long: what Amazon's SDKs call the standard
//! mode of retries.

use std::time::Duration;

use aws_config::retry::RetryConfig;

use crate::aws::refusal::Failure;

/// Codes of one who is asked too often, as Amazon's SDKs know them.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// Codes of what may go well the next time.
const TRANSIENT: &[&str] = &["RequestTimeout", "RequestTimeoutException"];

/// Statuses of a server that may do better the next time.
const STATUSES: &[u16] = &[500, 502, 503, 504];

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Attempt {
    pub failure: Failure,
    /// What the server asks for: the header `x-amz-retry-after`, in milliseconds.
    pub wait: Option<Duration>,
}

impl Attempt {
    fn is_worth_another(&self) -> bool {
        match &self.failure {
            Failure::Connection(_) | Failure::Late => true,
            failure if failure.is(THROTTLED) || failure.is(TRANSIENT) => true,
            Failure::Refused(status, _) | Failure::Status(status) => STATUSES.contains(status),
            Failure::Unsent(_) | Failure::Nonsense => false,
        }
    }

    /// How long to wait before the next attempt; none where there is to be none. `made` attempts
    /// were made, and `share` is a random part of the longest wait.
    pub(super) fn wait(&self, config: &RetryConfig, made: u32, share: f64) -> Option<Duration> {
        if made >= config.max_attempts() || !self.is_worth_another() {
            return None;
        }
        let longest = config.max_backoff();
        let grown = config.initial_backoff().saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
        Some(self.wait.map_or_else(|| grown.min(longest).mul_f64(share), |wait| wait.min(longest)))
    }
}

/// A random number from 0 to 1, so that those who failed together do not come back together.
pub(super) fn share() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(failure: Failure) -> Attempt {
        Attempt { failure, wait: None }
    }

    fn refused(code: &str, status: u16) -> Attempt {
        failed(Failure::of_response(status, Some(code), b""))
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let config = RetryConfig::standard();
        let is_tried = |attempt: Attempt| attempt.wait(&config, 1, 1.0).is_some();
        assert!(is_tried(refused("ThrottlingException", 400)));
        assert!(is_tried(refused("InternalServiceError", 500)));
        assert!(is_tried(failed(Failure::Status(503))));
        assert!(is_tried(failed(Failure::Late)));
        assert!(is_tried(failed(Failure::Connection(String::new()))));
        assert!(!is_tried(refused("AccessDeniedException", 400)));
        assert!(!is_tried(refused("ExpiredTokenException", 400)));
        assert!(!is_tried(failed(Failure::Nonsense)));
    }

    #[test]
    fn waits_grow_up_to_a_limit_and_the_server_may_set_them() {
        let config = RetryConfig::standard().with_max_attempts(9);
        let attempt = refused("SlowDown", 503);
        let seconds = |made| attempt.wait(&config, made, 1.0).map(|wait| wait.as_secs_f64());
        assert_eq!([1, 2, 3, 7].map(seconds), [1.0, 2.0, 4.0, 20.0].map(Some));
        assert_eq!(seconds(9), None);
        assert_eq!(attempt.wait(&config, 2, 0.5), Some(Duration::from_secs(1)));
        let told = Attempt { wait: Some(Duration::from_millis(1500)), ..refused("SlowDown", 503) };
        assert_eq!(told.wait(&config, 1, 0.5), Some(Duration::from_millis(1500)));
        let told = Attempt { wait: Some(Duration::from_hours(1)), ..refused("SlowDown", 503) };
        assert_eq!(told.wait(&config, 1, 0.5), Some(Duration::from_secs(20)));
        assert_eq!(RetryConfig::standard().max_attempts(), 3);
        assert!((0.0..=1.0).contains(&share()));
    }
}
