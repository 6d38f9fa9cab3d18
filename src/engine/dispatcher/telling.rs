//! Events: made, applied to the state and recorded in one place.

use crate::engine::dispatcher::Dispatcher;
use crate::event::Event;
use crate::event::SCHEMA;
use crate::event::SinkError;
use crate::event::What;

impl Dispatcher<'_> {
    /// Makes an event of it, applies it, and hands it to the sink.
    pub(super) fn tell(&mut self, what: What) {
        self.unsettled |= !matches!(what, What::StepOutput { .. } | What::StepProgress { .. });
        let event = self.event(what);
        let kept = self.sink.record(&event);
        self.not_kept(kept);
    }

    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            let kept = self.sink.settle();
            self.not_kept(kept);
        }
    }

    /// A sink that fails in the middle of a run does not end it: the steps that stop what costs
    /// money are still to come.
    fn not_kept(&mut self, kept: Result<(), SinkError>) {
        let Err(error) = kept else { return };
        let text = format!("{error}: {}; this run can't be inspected or resumed later", error.source);
        let what = What::Notice { step: None, text: self.mask().text(&text) };
        let event = self.event(what);
        // It reported that once; the other sinks must still get the event.
        drop(self.sink.record(&event));
    }

    pub(super) fn event(&mut self, what: What) -> Event {
        let event = Event { schema: SCHEMA, seq: self.seq, time: jiff::Timestamp::now(), what };
        self.seq += 1;
        if let Err(error) = self.state.apply(&event) {
            unreachable!("the dispatcher is in step with its own state: {error}");
        }
        event
    }
}
