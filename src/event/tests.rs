//! Every event reads back as it was written, and the state takes legal events only.

use std::time::Duration;

use proptest::prelude::*;

use doppio_secrets::Delivery;
use doppio_secrets::Masked;
use doppio_text::name::StepId;

use super::*;

fn masked(text: &str) -> Masked {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap()
}

fn id(text: &str) -> StepId {
    text.parse().unwrap()
}

fn event(seq: u64, what: What) -> Event {
    Event { schema: SCHEMA, seq, time: jiff::Timestamp::UNIX_EPOCH, what }
}

fn outline(text: &str) -> StepOutline {
    StepOutline {
        id: id(text),
        name: None,
        kind: "local_command".to_owned(),
        attempts: 1,
        needs: Vec::new(),
        members: Vec::new(),
    }
}

fn ends() -> Vec<End> {
    vec![
        End::Exit { code: -1 },
        End::Signal { name: "KILL".to_owned() },
        End::Timeout,
        End::Cancelled,
        End::Lost { cause: masked("connection reset"), gone: false },
        End::Lost { cause: masked("channel closed"), gone: true },
        End::Error {
            message: masked("m"),
            causes: vec![masked("c")],
            hint: Some(masked("h")),
            world: true,
            bug: true,
        },
        End::Error { message: masked("m"), causes: Vec::new(), hint: None, world: false, bug: false },
    ]
}

/// One of each, with every optional member both there and not.
fn every_kind() -> Vec<What> {
    let step = id("train[lr=1e-3]");
    let second = Duration::from_millis(1234);
    let mut all = vec![
        What::RunStarted {
            run: "r-1".parse().unwrap(),
            recipe: masked("a \"b\"\n"),
            steps: vec![
                outline("a"),
                StepOutline {
                    name: Some(masked("B")),
                    attempts: 3,
                    needs: vec![id("a")],
                    members: vec![id("a")],
                    ..outline("b")
                },
            ],
        },
        What::StepWaiting { step: step.clone() },
        What::StepStarted { step: step.clone(), attempt: 1, host: None },
        What::StepStarted { step: step.clone(), attempt: 2, host: Some(masked("gpu-a")) },
        What::StepLaunched {
            step: step.clone(),
            process: StepProcess { pid: 4242, look: masked("ps"), end: masked("kill") },
        },
        What::StepOutput { step: step.clone(), stream: Stream::Stdout, text: masked("é\u{1b}[1m\0\n") },
        What::StepOutput { step: step.clone(), stream: Stream::Stderr, text: masked("") },
        What::StepProgress { step: step.clone(), message: masked("50 %") },
        What::SecretsDelivered {
            step: step.clone(),
            deliveries: vec![Delivery {
                is_default: false,
                variable: Some("HF_TOKEN".parse().unwrap()),
                secret: masked("huggingface/token"),
                carrier: serde_json::from_value("preamble".into()).unwrap(),
            }],
        },
        What::StepSkipped { step: step.clone(), reason: masked("`when` is false"), blocked: false },
        What::StepSkipped { step: step.clone(), reason: masked("step `a` failed"), blocked: true },
        What::RunCancelling { reason: masked("interrupted"), forced: false },
        What::Notice { step: None, text: masked("n") },
        What::Notice { step: Some(step.clone()), text: masked("n") },
        What::RunFinished { status: RunStatus::Cancelled, duration: second },
        What::Unknown,
    ];
    for end in ends() {
        all.push(What::StepRetrying { step: step.clone(), attempt: 3, end: end.clone(), delay: second });
        all.push(What::StepFinished {
            step: step.clone(),
            status: StepStatus::Failed,
            end,
            duration: second,
            forgiven: true,
            masked: vec![(masked("huggingface/token"), u64::MAX)],
        });
    }
    all
}

#[test]
fn every_event_reads_back_as_it_was_written() {
    for (seq, what) in every_kind().into_iter().enumerate() {
        let written = event(seq as u64, what);
        let line = serde_json::to_string(&written).unwrap();
        assert!(!line.contains('\n'), "one line: {line}");
        let read: Event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(read, written, "{line}");
    }
}

#[test]
fn an_event_looks_as_documented() {
    let what = What::StepFinished {
        step: id("a"),
        status: StepStatus::Failed,
        end: End::Exit { code: 2 },
        duration: Duration::from_millis(1500),
        forgiven: false,
        masked: Vec::new(),
    };
    insta::assert_snapshot!(serde_json::to_string(&event(7, what)).unwrap(), @r#"{"schema":1,"seq":7,"time":"1970-01-01T00:00:00Z","event":"step_finished","step":"a","status":"failed","end":{"how":"exit","code":2},"duration":1500}"#);
}

#[test]
fn what_a_newer_version_wrote_is_unknown() {
    let line =
        r#"{"schema":9,"seq":3,"time":"2026-01-01T00:00:00Z","event":"step_beamed","step":"a","to":[1]}"#;
    let read: Event = serde_json::from_str(line).unwrap();
    assert_eq!(read.what, What::Unknown);
    assert_eq!((read.schema, read.seq), (9, 3));
}

fn started() -> RunState {
    let mut state = RunState::default();
    let steps = vec![outline("a"), outline("b")];
    state
        .apply(&event(0, What::RunStarted { run: "r".parse().unwrap(), recipe: masked("r"), steps }))
        .unwrap();
    state
}

fn finished(step: &str, status: StepStatus) -> What {
    What::StepFinished {
        step: id(step),
        status,
        end: End::Exit { code: 0 },
        duration: Duration::ZERO,
        forgiven: false,
        masked: Vec::new(),
    }
}

#[test]
fn a_run_in_order_adds_up() {
    let mut state = started();
    let story = vec![
        What::StepWaiting { step: id("a") },
        What::StepStarted { step: id("a"), attempt: 1, host: Some(masked("h")) },
        What::StepRetrying { step: id("a"), attempt: 1, end: End::Timeout, delay: Duration::ZERO },
        What::StepWaiting { step: id("a") },
        What::StepStarted { step: id("a"), attempt: 2, host: Some(masked("h")) },
        finished("a", StepStatus::Success),
        What::StepSkipped { step: id("b"), reason: masked("`when` is false"), blocked: false },
        What::RunFinished { status: RunStatus::Success, duration: Duration::ZERO },
    ];
    for (seq, what) in story.into_iter().enumerate() {
        state.apply(&event(seq as u64 + 1, what)).unwrap();
    }
    assert_eq!(state.step(&id("a")).unwrap().attempts, 2);
    assert_eq!(state.step(&id("b")).unwrap().status, StepStatus::Skipped);
    assert_eq!(state.status, Some(RunStatus::Success));
}

#[test]
fn illegal_events_say_why() {
    let mut state = started();
    let refused = |state: &mut RunState, what| state.apply(&event(9, what)).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&mut state, finished("a", StepStatus::Success)), @"event 9 can't follow what came before: step `a` is pending");
    insta::assert_snapshot!(refused(&mut state, What::StepWaiting { step: id("c") }), @"event 9 can't follow what came before: the run has no step `c`");
    insta::assert_snapshot!(refused(&mut state, What::RunFinished { status: RunStatus::Success, duration: Duration::ZERO }), @"event 9 can't follow what came before: step `a` is pending");
    state.apply(&event(10, What::StepWaiting { step: id("a") })).unwrap();
    let late = state.apply(&event(10, What::Unknown)).unwrap_err();
    insta::assert_snapshot!(late, @"event 10 can't follow what came before: its number is not higher than the one before");
}

fn any_event() -> impl Strategy<Value = What> {
    let step = prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(id);
    let status = prop_oneof![
        Just(StepStatus::Success),
        Just(StepStatus::Failed),
        Just(StepStatus::Cancelled),
        Just(StepStatus::Lost),
        Just(StepStatus::Running),
    ];
    (0..9, step, 1..4_u32, status).prop_map(|(kind, step, attempt, status)| match kind {
        0 | 1 => What::StepWaiting { step },
        2 | 3 => What::StepStarted { step, attempt, host: None },
        4 => What::StepRetrying { step, attempt, end: End::Timeout, delay: Duration::ZERO },
        5 => What::StepSkipped { step, reason: masked(""), blocked: false },
        6 => What::RunFinished { status: RunStatus::Failed, duration: Duration::ZERO },
        7 => What::StepOutput { step, stream: Stream::Stdout, text: masked("x") },
        _ => finished(step.as_str(), status),
    })
}

proptest! {
    #[test]
    fn steps_end_once_and_refused_events_leave_no_trace(whats in proptest::collection::vec(any_event(), 0..60)) {
        let mut state = started();
        for (seq, what) in whats.into_iter().enumerate() {
            let before = format!("{:?}", state.steps);
            let over: Vec<bool> = state.steps.iter().map(|step| step.status.is_over()).collect();
            let statuses: Vec<_> = state.steps.iter().map(|step| step.status).collect();
            let run_was_over = state.status.is_some();
            let taken = state.apply(&event(seq as u64 + 1, what)).is_ok();
            if !taken {
                prop_assert_eq!(&before, &format!("{:?}", state.steps));
            }
            prop_assert!(!(taken && run_was_over));
            for (index, step) in state.steps.iter().enumerate() {
                if over[index] {
                    prop_assert_eq!(step.status, statuses[index]);
                }
            }
            if state.status.is_some() {
                prop_assert!(state.steps.iter().all(|step| step.status.is_over()));
            }
        }
    }
}
