//! The source at the other end, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use crate::source::Answer;
use crate::source::Logins;
use crate::source::Source;
use crate::source::SourceError;

/// The source itself, and how long it may take.
#[derive(Debug)]
pub(in crate::source::remote) struct Far {
    pub(in crate::source::remote) source: Arc<dyn Source>,
    pub(in crate::source::remote) deadline: Duration,
    pub(in crate::source::remote) batch: usize,
    pub(in crate::source::remote) logins: Logins,
}

impl Far {
    pub(in crate::source::remote) async fn within<T>(
        &self,
        answer: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let answer = tokio::time::timeout(self.deadline, answer).await.unwrap_or_else(|_| Err(self.late()));
        answer.map_err(|error| self.logins.hidden(error))
    }

    pub(in crate::source::remote) fn late(&self) -> SourceError {
        let (place, scheme) = (self.source.place(), self.source.kind().scheme);
        SourceError::unreachable(
            format!("{place} did not answer within {} s", self.deadline.as_secs_f64()),
            format!("try again, or write a longer `timeout_secs` to `[sources.{scheme}]` in config.toml"),
        )
    }
}
