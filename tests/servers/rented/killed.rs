//! Doppio is killed at any moment of a run: what it hired is found, ended or taken over.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use doppio_test_support::wait_until;

use crate::rented::world::RETURN;
use crate::rented::world::World;
use crate::rented::world::ended;
use crate::rented::world::expect_all;
use crate::rented::world::hire;
use crate::rented::world::work;
use crate::support::rented::text;

/// How long the vendor takes to do what it is asked for, in milliseconds: who is killed right after a request
/// does not live to see it done.
const LATENCY: u64 = 60;

/// When it is killed: after so many requests, and so many milliseconds.
#[derive(Debug, Clone, Copy)]
struct Moment {
    requests: usize,
    later: u64,
}

fn all(world: &World) -> usize {
    world.requests("")
}

/// The machines that exist, as ids.
fn rented(world: &World) -> BTreeSet<String> {
    let state = world.vast.state();
    let machines = state["machines"].as_array().unwrap();
    machines.iter().map(|machine| format!("vast-{}", text(&machine["id"]))).collect()
}

/// The machines that `doppio vast orphans` finds.
fn orphans(world: &World) -> BTreeSet<String> {
    let ran = world.doppio.run(["vast", "orphans", "--json"]).expect(0);
    let found: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    found.iter().map(|orphan| text(&orphan["machine"]["id"])).collect()
}

/// Runs the recipe, and kills it at a moment. Whether it was alive until then.
fn kill_at(world: &World, steps: &str, moment: Moment) -> bool {
    let before = all(world);
    let mut child = world.start(steps);
    wait_until(
        || child.try_wait().unwrap().is_some() || all(world) >= before + moment.requests,
        || format!("{moment:?} did not come"),
    );
    // Any moment is as good as another, so that it need not be met.
    thread::sleep(Duration::from_millis(moment.later));
    let is_over = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait_with_output().unwrap();
    // What was asked for last is done all the same.
    thread::sleep(Duration::from_millis(2 * LATENCY));
    !is_over
}

#[test]
fn whenever_doppio_is_killed_its_machine_is_found_and_ended() {
    let moments: Vec<Moment> = (1..=10)
        .flat_map(|requests| [0, LATENCY / 2, LATENCY + 20].map(|later| Moment { requests, later }))
        .collect();
    let killed = thread::scope(|scope| {
        let killed: Vec<_> = (0..4)
            .map(|part| {
                scope.spawn({
                    let moments = &moments;
                    move || {
                        let world = World::new();
                        world.vast.control(&format!(
                            r#"{{"latency": {}}}"#,
                            Duration::from_millis(LATENCY).as_secs_f64()
                        ));
                        let steps = hire("") + &work("sleep 0.1") + RETURN;
                        let mut killed = 0;
                        for moment in moments.iter().skip(part).step_by(4) {
                            killed += usize::from(kill_at(&world, &steps, *moment));
                            let left = rented(&world);
                            assert_eq!(orphans(&world), left, "{moment:?}");
                            if let Some(id) = left.first() {
                                let ran = world.run(&steps).expect(3);
                                expect_all(
                                    &ran.stderr,
                                    &[
                                        &format!("`{id}`, which run `"),
                                        "hired for this step, is still there",
                                        &format!("`doppio vast destroy {id}`"),
                                    ],
                                );
                                assert_eq!(rented(&world), left, "{moment:?}");
                            }
                            world.doppio.run(["vast", "orphans", "--destroy", "--yes"]).expect(0);
                            world.expect_nothing_left();
                        }
                        killed
                    }
                })
            })
            .collect();
        killed.into_iter().map(|part| part.join().unwrap()).sum::<usize>()
    });
    assert!(killed >= 20, "{killed} were killed before their end");
}

#[test]
fn what_a_run_that_was_killed_has_left_is_used_again() {
    let world = World::new();
    world.vast.control("{}");
    let steps = hire(", if_exists = \"reuse\"") + &work("echo it $((40 + 2))") + RETURN;
    // Before its key is attached, while it gets ready, and when it is stopped.
    for (requests, stop) in [(3, false), (6, false), (6, true)] {
        let killed = kill_at(&world, &steps, Moment { requests, later: 0 });
        assert!(killed, "before its end");
        let id = world.machine();
        if stop {
            world.doppio.run(["vast", "stop", &id]).expect(0);
        }
        let hired = world.hired();
        let ran = ended(world.start(&steps)).expect(0);
        expect_all(
            &ran.stderr,
            &[&format!("`{id}`, which an earlier run hired, is used again"), "it 42", "and is gone"],
        );
        assert_eq!(world.hired(), hired, "nothing else was hired");
        world.expect_nothing_left();
    }
}
