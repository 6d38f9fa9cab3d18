//! Renewal: of a lease, and of our own token.

use std::time::Duration;

use tokio::time::Instant;

use doppio_secrets::source::SourceError;

use crate::vault::client::Reply;

/// With less time left than this nothing is renewed.
const LAST: Duration = Duration::from_secs(1);

/// Renews what is good for this long, for as long as `renew` has something to renew. The server
/// may give less time than before, as it does when a longest time draws near; and while it fails
/// it may be back before the end.
pub(super) async fn keep(
    mut good_for: Duration,
    mut renew: impl AsyncFnMut() -> Option<Result<Duration, SourceError>>,
) {
    while good_for >= LAST {
        let from = Instant::now();
        tokio::time::sleep(good_for / 3 * 2).await;
        good_for = match renew().await {
            None => return,
            Some(Ok(good_for)) => good_for,
            Some(Err(_)) => good_for.saturating_sub(from.elapsed()),
        };
    }
}

/// For how long what was renewed is good now; `within` is where the answer says so.
pub(super) fn good_for(reply: &Reply, within: &[&str]) -> Result<Duration, SourceError> {
    let seconds = reply.number(&[within, &["lease_duration"]].concat());
    match seconds.filter(|_| reply.status == 200) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(SourceError::unreachable("it was not renewed", "see the server's log")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When it is renewed, in seconds, if the server answers like this.
    async fn times(good_for: u64, answers: &[Option<u64>]) -> Vec<u64> {
        let (start, mut answers, mut times) = (Instant::now(), answers.iter(), Vec::new());
        keep(Duration::from_secs(good_for), async || {
            times.push(start.elapsed().as_secs());
            let down = || SourceError::unreachable("down", "wait");
            answers.next().map(|seconds| seconds.map(Duration::from_secs).ok_or_else(down))
        })
        .await;
        times
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_made_good_before_the_end() {
        assert_eq!(times(90, &[None, None, Some(90)]).await, [60, 80, 86, 146]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_may_give_less_time_and_none() {
        assert_eq!(times(90, &[Some(30), Some(9), Some(0)]).await, [60, 80, 86]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_end_nothing_is_renewed() {
        assert_eq!(times(9, &[None; 9]).await, [6, 8, 8]);
    }
}
