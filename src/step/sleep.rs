//! `sleep`: waits.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::typed;

pub(super) static KIND: StepKind = StepKind {
    name: "sleep",
    summary: "Waits for a number of seconds",
    example: "sleep = { duration_secs = 5 }",
    keys: keys::<Sleep>,
    parse: typed::<Sleep>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sleep {
    /// Seconds; a fraction is fine.
    duration_secs: f64,
}

impl Step for Sleep {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        Vec::new()
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        match Duration::try_from_secs_f64(self.duration_secs) {
            Ok(_) => Vec::new(),
            Err(_) => vec![("duration_secs", "must be a number of seconds that is not negative".to_owned())],
        }
    }

    fn show(&self) -> Vec<String> {
        vec![format!("sleep {} s", self.duration_secs)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            cx.sleep(Duration::try_from_secs_f64(self.duration_secs).unwrap_or_default()).await?;
            Ok(Outcome::success())
        }
        .boxed()
    }
}
