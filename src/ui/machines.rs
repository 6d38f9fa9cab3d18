//! What the machines of a run have cost, and what is left to do about them.

use jiff::Timestamp;

use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::event::RentedMachine;
use crate::event::RunState;
use crate::ui::words;

/// What the run's machines have cost until `now`: those that still cost something with the command that ends
/// it, those that are gone with the secrets that they saw.
pub fn machines(state: &RunState, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for machine in &state.machines {
        let (id, cost) = (machine.id.as_str(), words::dollars(machine.cost(now)));
        if machine.is_gone() {
            lines.push(format!("`{id}` has cost {cost}, and is gone"));
            lines.extend(seen(machine));
        } else {
            lines.push(format!("`{id}` has cost {cost} so far, and costs {}", until(machine)));
        }
    }
    lines
}

/// The machines that cost money as the run has left them, and the command that ends it.
pub fn machines_left(state: &RunState) -> Vec<String> {
    let left = state.machines.iter().filter(|machine| !machine.is_gone());
    // It may have been destroyed by hand since then.
    left.map(|machine| format!("`{}` may still cost {}", machine.id.as_str(), until(machine))).collect()
}

/// `$0.361 an hour until it is destroyed: ‹command›`.
fn until(machine: &RentedMachine) -> String {
    let id = machine.id.as_str();
    let still = machine.costs_per_hour().map_or_else(|| "an unknown sum".to_owned(), words::dollars);
    let vendor = id.split('-').next().unwrap_or_default();
    format!("{still} an hour until it is destroyed: {}", typed(["doppio", vendor, "destroy", id]))
}

/// What was handed to a machine that somebody else has now.
fn seen(machine: &RentedMachine) -> Option<String> {
    let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
    for secret in &machine.secrets {
        match secret.as_str().parse::<SecretName>() {
            Ok(name) => here.push(typed(["doppio", "secret", "rotate", name.as_str()])),
            // What another store holds is replaced there.
            Err(_) => elsewhere.push(format!("`{}` where it is kept", secret.as_str())),
        }
    }
    here.append(&mut elsewhere);
    let count = words::count(here.len(), "secret", "secrets");
    let id = machine.id.as_str();
    (!here.is_empty())
        .then(|| format!("`{id}` saw {count}; if it is not to be trusted with them: {}", here.join(", ")))
}

#[cfg(test)]
mod tests {
    use doppio_secrets::Carrier;
    use doppio_secrets::Delivery;
    use doppio_secrets::Mask;
    use doppio_secrets::Masked;

    use crate::event::Event;
    use crate::event::SCHEMA;
    use crate::event::StepOutline;
    use crate::event::What;

    use super::*;

    fn text(text: &str) -> Masked {
        Mask::default().text(text)
    }

    fn delivery(secret: &str, is_default: bool) -> Delivery {
        serde_json::from_value(serde_json::json!({
            "secret": secret, "variable": "TOKEN", "carrier": Carrier::Preamble, "is_default": is_default,
        }))
        .unwrap()
    }

    /// A run that hires a machine at 1:00 for $0.5 an hour, gives it secrets, and stops or destroys it at 3:00.
    fn state(returned: Option<f64>) -> RunState {
        let step = "hire".parse().unwrap();
        let outline = StepOutline {
            id: "hire".parse().unwrap(),
            name: None,
            kind: "vast_create".to_owned(),
            attempts: 1,
            needs: Vec::new(),
            members: Vec::new(),
        };
        let machine = text("vast-1");
        let deliveries =
            vec![delivery("hf/token", false), delivery("env:KEY", false), delivery("wandb/api_key", true)];
        let mut all = vec![
            (1, What::RunStarted { run: "r-1".parse().unwrap(), recipe: text("r"), steps: vec![outline] }),
            (1, What::StepWaiting { step: "hire".parse().unwrap() }),
            (1, What::StepStarted { step: "hire".parse().unwrap(), attempt: 1, host: Some(machine.clone()) }),
            (
                1,
                What::MachineRented {
                    step: "hire".parse().unwrap(),
                    machine: machine.clone(),
                    per_hour: Some(0.5),
                },
            ),
            (2, What::SecretsDelivered { step: "hire".parse().unwrap(), deliveries: deliveries.clone() }),
            (2, What::SecretsDelivered { step: "hire".parse().unwrap(), deliveries }),
        ];
        all.extend(returned.map(|per_hour| (3, What::MachineReturned { step, machine, per_hour })));
        let mut state = RunState::default();
        for (seq, (hour, what)) in all.into_iter().enumerate() {
            let time = Timestamp::from_second(hour * 3600).unwrap();
            state.apply(&Event { schema: SCHEMA, seq: seq as u64, time, what }).unwrap();
        }
        state
    }

    fn shown(returned: Option<f64>) -> String {
        machines(&state(returned), Timestamp::from_second(5 * 3600).unwrap()).join("\n")
    }

    #[test]
    fn what_is_left_is_said_with_the_command_that_ends_it() {
        insta::assert_snapshot!(shown(None), @"`vast-1` has cost $2.000 so far, and costs $0.500 an hour until it is destroyed: `doppio vast destroy vast-1`");
        insta::assert_snapshot!(shown(Some(0.01)), @"`vast-1` has cost $1.020 so far, and costs $0.010 an hour until it is destroyed: `doppio vast destroy vast-1`");
        assert_eq!(
            machines_left(&state(None)),
            ["`vast-1` may still cost $0.500 an hour until it is destroyed: `doppio vast destroy vast-1`"]
        );
    }

    #[test]
    fn a_machine_that_is_gone_has_seen_secrets() {
        insta::assert_snapshot!(shown(Some(0.0)), @"
        `vast-1` has cost $1.000, and is gone
        `vast-1` saw 2 secrets; if it is not to be trusted with them: `doppio secret rotate hf/token`, `env:KEY` where it is kept
        ");
        assert_eq!(machines_left(&state(Some(0.0))), [""; 0]);
    }
}
