//! Reads a journal, whatever state it was left in.

use std::fs;
use std::io;
use std::path::Path;

use crate::event::Event;
use crate::event::RunState;
use crate::journal::lock;

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// What a journal says.
#[derive(Debug, Clone)]
pub struct Record {
    /// What its events add up to. Of a run whose Doppio is gone, running steps are lost.
    pub state: RunState,
    /// Whether its Doppio lives.
    pub is_live: bool,
    /// Lines that could not be used. The last line of a run that was killed is none of them.
    pub faults: Vec<BadLine>,
}

impl Record {
    /// Whether the journal has no end: Doppio was killed, or the power failed.
    pub fn is_abandoned(&self) -> bool {
        !self.is_live && self.state.status.is_none()
    }
}

/// Reads the journal of the run in `folder`. Whether its Doppio lives is asked first: what it writes in between is read
/// too, but a run is never called dead for not having written its end yet.
pub(super) fn read(folder: &Path) -> io::Result<Record> {
    let is_live = lock::is_held(folder)?;
    let bytes = fs::read(folder.join("journal.jsonl"))?;
    let (mut state, faults) = fold(&bytes);
    if !is_live && state.status.is_none() {
        state.abandon();
    }
    Ok(Record { state, is_live, faults })
}

/// What the lines add up to.
fn fold(bytes: &[u8]) -> (RunState, Vec<BadLine>) {
    let mut state = RunState::default();
    let mut faults = Vec::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let taken = serde_json::from_slice::<Event>(line)
            .map_err(|error| error.to_string())
            .and_then(|event| state.apply(&event).map_err(|error| error.to_string()));
        if let Err(why) = taken
            && line.ends_with(b"\n")
        {
            faults.push(BadLine { line: index + 1, why });
        }
    }
    (state, faults)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = concat!(
        r#"{"schema":1,"seq":0,"time":"2026-01-01T00:00:00Z","event":"run_started","run":"r-1","recipe":"x","steps":[{"id":"a","kind":"sleep","needs":[]},{"id":"b","kind":"sleep","needs":["a"]}]}"#,
        "\n",
        r#"{"schema":1,"seq":1,"time":"2026-01-01T00:00:00Z","event":"step_waiting","step":"a"}"#,
        "\n",
        r#"{"schema":1,"seq":2,"time":"2026-01-01T00:00:00Z","event":"step_started","step":"a","attempt":1}"#,
        "\n",
        r#"{"schema":1,"seq":5,"time":"2026-01-01T00:00:01Z","event":"step_finished","step":"a","status":"success","end":{"how":"exit","code":0},"duration":10}"#,
        "\n",
        r#"{"schema":1,"seq":6,"time":"2026-01-01T00:00:01Z","event":"step_skipped","step":"b","reason":"`when` is false"}"#,
        "\n",
        r#"{"schema":1,"seq":7,"time":"2026-01-01T00:00:01Z","event":"run_finished","status":"success","duration":11}"#,
        "\n",
    );

    #[test]
    fn a_journal_cut_at_any_byte_tells_what_came_before() {
        let mut last = 0;
        for end in 0..=SAMPLE.len() {
            let (state, faults) = fold(&SAMPLE.as_bytes()[..end]);
            assert_eq!(faults, [], "cut at {end}");
            let whole = SAMPLE[..end].matches('\n').count();
            // A line without its newline is whole if it reads as an event.
            let over = state.steps.iter().filter(|step| step.status.is_over()).count();
            assert!(over >= last, "cut at {end}: nothing is unsaid by more text");
            last = over;
            assert!(state.run.is_some() || whole == 0);
            assert!(state.status.is_none() || whole >= 5);
        }
        assert_eq!(last, 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..1000_usize) {
            let mut text = SAMPLE.as_bytes().to_vec();
            let at = at.min(text.len());
            text.splice(at..at, bytes);
            let (state, _) = fold(&text);
            prop_assert!(state.steps.len() <= 2);
        }
    }
}
