//! A user with a key at vast.ai, who runs recipes that hire machines.

use std::fs;
use std::process::Child;

use serde_json::Value;

use doppio_test_support::Doppio;
use doppio_test_support::Ran;
use doppio_test_support::wait_until;

use crate::support::rented::Rented;
use crate::support::rented::text;

/// A vendor, and a user's machine whose SSH key no rented machine knows yet.
pub(super) struct World {
    pub(super) vast: Rented,
    pub(super) doppio: Doppio,
}

/// The step that hires the cheapest 4090, with more of its fields.
pub(super) fn hire(more: &str) -> String {
    format!(
        r#"
[[step]]
id = "hire"
vast_create = {{ gpu = "RTX_4090", image = "pytorch/pytorch", ready_timeout_secs = 60{more} }}
"#
    )
}

/// A step on the machine.
pub(super) fn work(command: &str) -> String {
    format!(
        r#"
[[step]]
id = "work"
depends_on = ["hire"]
ssh_command = {{ host_id = "${{target}}", command = "{command}" }}
"#
    )
}

/// The step that returns it, whatever happens.
pub(super) const RETURN: &str = r#"
[[step]]
id = "return"
depends_on = ["work"]
run_if = "always"
vast_destroy = {}
"#;

impl World {
    pub(super) fn new() -> Self {
        let vast = Rented::vast();
        let doppio = Doppio::new().env("VAST_API_KEY", vast.key());
        Self::of(vast, doppio)
    }

    /// The same, for a user who has the key elsewhere.
    pub(super) fn of(vast: Rented, doppio: Doppio) -> Self {
        let doppio = doppio.env("VAST_URL", vast.url()).env("DOPPIO_KEYRING", "off");
        let key = fs::read(vast.identity()).unwrap();
        doppio.private("home/.ssh/id_ed25519", key);
        doppio.private("home/.ssh/id_ed25519.pub", vast.public_key());
        let world = Self { vast, doppio };
        world.control("{}");
        world
    }

    /// What goes wrong from now on, as [`Rented::control`]; machines come up quickly unless it says how.
    pub(super) fn control(&self, json: &str) {
        let mut control: Value = serde_json::from_str(json).unwrap();
        if control["machine"]["phases"].is_null() {
            control["machine"]["phases"] = serde_json::json!([["loading", 0.05]]);
        }
        self.vast.control(&control.to_string());
    }

    /// Runs a recipe `test` of these steps to its end.
    pub(super) fn run(&self, steps: &str) -> Ran {
        self.doppio.recipe(steps);
        self.doppio.run(["run", "recipe.toml"])
    }

    /// Starts it.
    pub(super) fn start(&self, steps: &str) -> Child {
        self.doppio.recipe(steps);
        self.doppio.start(["run", "recipe.toml"])
    }

    /// The events of all runs, one a line.
    pub(super) fn journal(&self) -> Vec<Value> {
        let runs = fs::read_dir(self.doppio.doppio_home().join("runs")).into_iter().flatten();
        let paths = runs.flatten().map(|run| run.path().join("journal.jsonl"));
        let texts: Vec<String> = paths.filter_map(|path| fs::read_to_string(path).ok()).collect();
        texts
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits until an event is so.
    pub(super) fn wait_for_event(&self, is_so: impl Fn(&Value) -> bool) {
        wait_until(
            || self.journal().iter().any(&is_so),
            || format!("no such event in {:#?}", self.journal()),
        );
    }

    /// The id of the only machine there is, as `vast-1`.
    pub(super) fn machine(&self) -> String {
        let state = self.vast.state();
        let machines = state["machines"].as_array().unwrap();
        assert_eq!(machines.len(), 1, "{state:#}");
        format!("vast-{}", text(&machines[0]["id"]))
    }

    /// How many machines there have been.
    pub(super) fn hired(&self) -> usize {
        let state = self.vast.state();
        ["machines", "ended"].iter().filter_map(|name| state[name].as_array()).map(Vec::len).sum()
    }

    /// The requests so far that begin so, as `PUT /api/v0/asks/`.
    pub(super) fn requests(&self, begin: &str) -> usize {
        let state = self.vast.state();
        let line = |request: &Value| format!("{} {}", text(&request["method"]), text(&request["path"]));
        state["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|request| line(request).starts_with(begin))
            .count()
    }

    /// Nothing is rented and nothing is left, and all that was asked is as the API prescribes.
    #[track_caller]
    pub(super) fn expect_nothing_left(&self) {
        self.vast.expect_no_faults();
        self.vast.expect_nothing_rented();
    }
}

/// Waits for the end of a Doppio, which comes by itself.
pub(super) fn ended(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().unwrap())
}

/// Fails the test unless a text has all of these.
#[track_caller]
pub(super) fn expect_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}
