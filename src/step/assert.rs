//! `assert`: fails the run unless a condition holds.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::step::Condition;
use crate::step::FieldMut;
use crate::step::Outcome;
use crate::step::Place;
use crate::step::PlainText;
use crate::step::Step;
use crate::step::StepContext;
use crate::step::StepError;
use crate::step::StepKind;
use crate::step::keys::keys;
use crate::step::typed;

pub(super) static KIND: StepKind = StepKind {
    name: "assert",
    summary: "Fails unless a condition holds",
    example: "assert = { condition = { file_exists = { path = \"/workspace/model\" } }, message = \"no model\" }",
    keys: keys::<Assert>,
    parse: typed::<Assert>,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assert {
    /// What must hold.
    condition: Condition,
    /// The host of conditions that name none.
    host_id: Option<PlainText>,
    /// What to say if it does not.
    #[serde(default)]
    message: Option<PlainText>,
}

impl Step for Assert {
    fn fields(&mut self) -> Vec<(String, FieldMut<'_>)> {
        let mut fields = self.condition.fields();
        fields.extend(self.host_id.iter_mut().map(|text| ("host_id".to_owned(), FieldMut::Plain(text))));
        fields.extend(self.message.as_mut().map(|text| ("message".to_owned(), FieldMut::Plain(text))));
        fields
    }

    fn place(&self) -> Place<'_> {
        self.condition.place(self.host_id.as_ref())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.condition.faults().into_iter().map(|fault| ("condition", fault)).collect()
    }

    fn show(&self) -> Vec<String> {
        vec![format!("assert {}", self.condition)]
    }

    fn run<'a>(&'a self, cx: &'a mut StepContext) -> BoxFuture<'a, Result<Outcome, StepError>> {
        async move {
            if self.condition.holds(cx, self.host_id.as_ref()).await? {
                return Ok(Outcome::success());
            }
            let message = match &self.message {
                Some(text) => cx.text(text)?,
                None => format!("assertion failed: {}", self.condition),
            };
            Err(StepError::Failed { message, hint: None })
        }
        .boxed()
    }
}
