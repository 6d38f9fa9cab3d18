//! Declarations of fields, tried on a step type that is made up.

use std::collections::HashSet;

use serde_json::json;

use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::name::EnvName;

use super::*;
use crate::step::field::Env;
use crate::step::field::Seconds;
use crate::step::field::Variable;
use crate::step::field::choice;
use crate::step::field::fields;

fields! {
    /// Waves.
    struct Wave {
        host_id: Option<HostText>,
        /// How often.
        times: u16,
        /// With which hand.
        hand: Hand = Hand::Right,
        /// What is called out.
        greeting: Option<SecretText>,
        /// Where the answer goes.
        answer: Option<Variable>,
        /// The pause between two.
        pause_secs: Option<Seconds>,
        env: Env,
    }
}

choice! {
    /// A hand.
    enum Hand {
        /// The left one.
        Left = "left",
        /// The right one.
        Right = "right",
    }
}

impl Operation for Wave {
    const NAME: &'static str = "wave";
    const EXAMPLE: &'static str = "wave = { times = 3 }";

    async fn run(&self, _: &mut StepContext) -> Result<Outcome, StepError> {
        Ok(Outcome::success())
    }
}

static WAVE: StepKind = StepKind::of::<Wave>();

/// A plan that takes texts as they are.
#[derive(Default)]
struct AsWritten(Vec<Diagnostic>);

fn as_written(text: &Template) -> Text {
    text.parts.iter().cloned().collect()
}

impl Planner for AsWritten {
    fn plain(&mut self, _: &str, text: &Template) -> PlainText {
        PlainText(as_written(text))
    }

    fn looked_at(&mut self, field: &str, text: &Template) -> PlainText {
        self.plain(field, text)
    }

    fn secret(&mut self, _: &str, text: &Template) -> SecretText {
        SecretText(as_written(text))
    }

    fn variable(&mut self, _: &EnvName, text: &Template) -> SecretText {
        SecretText(as_written(text))
    }

    fn shell(&mut self, _: &str, text: &Template) -> ShellText {
        ShellText { shown: as_written(text), script: Script::default() }
    }

    fn asked(&self) -> Asked {
        Asked::default()
    }

    fn invalid(&mut self, field: &str, span: Span, message: &str) {
        self.0.push(Diagnostic::error("plan::invalid-field", format!("`{field}`: {message}"), span));
    }

    fn fault(&mut self, fault: Diagnostic) {
        self.0.push(fault);
    }
}

/// Reads the one operation of a text, or all that is wrong with it: texts and messages.
fn read(kind: &StepKind, text: &str) -> Result<Box<dyn Parsed>, Vec<(String, String)>> {
    let source = Source::new("r.toml", text);
    let mut reader = Reader::new(&source);
    let table = reader.document();
    let parsed = kind.read(&mut reader, table.values().next().expect("it has a key"));
    assert_eq!(parsed.is_some(), reader.faults.is_empty(), "{text}: {:?}", reader.faults);
    let told = |fault: Diagnostic| (text[fault.primary.span].to_owned(), fault.message);
    parsed.ok_or_else(|| reader.into_faults().into_iter().map(told).collect())
}

#[test]
fn a_declaration_is_all_that_a_step_type_needs() {
    let text = "wave = { times = 0x10, greeting = \"hi ${secret:a/b}\", answer = \"it\", host_id = \"h\", env = { A = \"b\" } }";
    let parsed = read(&WAVE, text).expect("it is right");
    assert_eq!(parsed.sets(), ["it"]);
    let mut plan = AsWritten::default();
    let planned = parsed.plan(&mut plan);
    assert_eq!(plan.0, []);
    assert_eq!(planned.kind(), "wave");
    assert!(matches!(planned.site(), Site::Host(Some(host)) if host.0.fixed() == Some("h")));
    assert_eq!(planned.show(), ["greeting hi ‹secret:a/b›", "env A=b"]);
    let saved = json!({
        "host_id": [{ "text": "h" }],
        "times": 16,
        "hand": "right",
        "greeting": [{ "text": "hi " }, { "reference": { "secret": "a/b" } }],
        "answer": "it",
        "pause_secs": null,
        "env": { "A": [{ "text": "b" }] },
    });
    assert_eq!(planned.save().unwrap(), saved);
    assert_eq!(serde_json::to_value(&*planned).unwrap(), json!({ "wave": saved }));
    assert!(WAVE.load(saved).unwrap() == planned.clone());
    assert!(serde_json::from_value::<Box<dyn Planned>>(json!({ "wave": {} })).is_err(), "it is in no list");
}

#[test]
fn all_that_is_wrong_is_told_with_its_location() {
    let faults = read(
        &WAVE,
        "wave = { tims = 3, hand = \"rihgt\", greeting = 5, pause_secs = -1, env = { 1A = \"b\", B = true } }",
    );
    let expected = [
        ("tims", "unknown key `tims` in `wave`"),
        ("\"rihgt\"", "`hand` can't be `rihgt`"),
        ("5", "`greeting` must be a string"),
        ("-1", "`pause_secs` must be a number, 0 or more"),
        ("1A", "`1A` is not a variable name: use letters, digits and `_`, not starting with a digit"),
        ("true", "`B` must be a string"),
    ];
    let expected = expected.map(|(text, message)| (text.to_owned(), message.to_owned()));
    assert_eq!(faults.unwrap_err(), expected);
    let faults = read(&WAVE, "wave = { times = 70000, hand = 5 }").unwrap_err();
    assert_eq!(faults[0].1, "`times` must be a whole number from 0 to 65535");
    assert_eq!(faults[1].1, "`hand` must be one of `left`, `right`");
    assert_eq!(read(&WAVE, "wave = {}").unwrap_err()[0].1, "`wave` needs `times`");
    assert_eq!(read(&WAVE, "wave = 3").unwrap_err()[0].1, "`wave` must be a table");
}

#[test]
fn every_kind_is_whole() {
    let mut names = HashSet::new();
    for kind in KINDS {
        let Spec { name, example, own, common, .. } = kind.spec;
        assert!(names.insert(name) && NOT_YET.iter().all(|(other, _)| *other != name), "{name} stands twice");
        let doc = kind.spec.doc();
        assert!(!doc.is_empty() && !doc.contains('\n'), "{name}: {doc}");
        assert!(example.starts_with(name), "{name}: {example}");
        assert!(!own.is_empty(), "{name} has no keys");
        for field in own.iter().chain(common) {
            assert!(!field.doc().is_empty(), "{name}: `{}` says nothing of itself", field.name);
        }
        if let Err(faults) = read(kind, example) {
            panic!("{name}: {faults:?}");
        }
    }
}
