//! Offers that others take, prices, and a vendor that refuses or fails.

use serde_json::json;

use doppio_test_support::Doppio;

use crate::rented::world::RETURN;
use crate::rented::world::World;
use crate::rented::world::expect_all;
use crate::rented::world::hire;
use crate::rented::world::work;
use crate::support::rented::Rented;

/// The whole recipe, its hiring step with other fields.
fn whole(fields: &str) -> String {
    let create =
        format!("vast_create = {{ image = \"pytorch/pytorch\", ready_timeout_secs = 60, {fields} }}");
    format!("\n[[step]]\nid = \"hire\"\n{create}\n") + &work("nvidia-smi -L") + RETURN
}

#[test]
fn an_offer_that_is_taken_is_followed_by_the_next_and_by_the_next_wish() {
    let world = World::new();
    let taken = |offers: &[u32], how: &str| {
        let fault = |offer| json!({ "on": format!("PUT /api/v0/asks/{offer}/"), "do": how });
        world.control(&json!({ "faults": offers.iter().map(fault).collect::<Vec<_>>() }).to_string());
    };
    taken(&[7001], "taken");
    let ran = world.run(&whole("gpu = \"RTX_4090\"")).expect(0);
    expect_all(&ran.stderr, &["hired `vast-31000001`: offer 7002, 2 × RTX 4090"]);
    taken(&[7001, 7002], "no-such-ask");
    let wishes =
        "offers = [{ gpu = \"RTX_5090\" }, { gpu = \"RTX_4090\" }, { gpu = \"H100_SXM\", gpus = 1 }]";
    let ran = world.run(&whole(wishes)).expect(0);
    expect_all(&ran.stderr, &["looking for RTX_5090", "looking for RTX_4090", "offer 7006, 1 × H100 SXM"]);
    taken(&[7001, 7002], "taken");
    let ran = world.run(&whole("gpu = \"RTX_4090\"")).expect(3);
    expect_all(
        &ran.stderr,
        &["vast.ai has no offer of this kind", "2 offers were taken by others", "`doppio vast search`"],
    );
    world.expect_nothing_left();
}

#[test]
fn nothing_dearer_or_smaller_than_asked_for_is_hired() {
    let world = World::new();
    let ran = world.run(&whole("gpu = \"H100_SXM\", max_price = 1.0")).expect(3);
    expect_all(&ran.stderr, &["has no offer of this kind", "H100_SXM, at most $1.000 an hour"]);
    let ran = world.run(&whole("offer = \"7006\", max_price = 1.0")).expect(3);
    expect_all(&ran.stderr, &["every offer costs more than $1.000 an hour", "`max_price`"]);
    assert_eq!((world.hired(), world.requests("PUT /api/v0/asks/")), (0, 0));
    let target = "\n[target]\nmin_gpus = 2\ngpu_type = \"RTX_4090\"\nmax_price = 0.9\n";
    let ran = world.run(&(target.to_owned() + &whole("disk_gb = 16"))).expect(0);
    expect_all(&ran.stderr, &["offer 7002, 2 × RTX 4090", "GPU 1: NVIDIA GeForce RTX 4090"]);
    world.expect_nothing_left();
}

#[test]
fn a_machine_whose_order_had_no_answer_is_found_and_used() {
    let world = World::new();
    for (times, how) in [r#""do": "html-502""#, r#""do": "not-json""#, r#""cut": true"#].iter().enumerate() {
        world.control(&format!(
            r#"{{"faults": [{{"on": "PUT /api/v0/asks/", "after": true, "times": 1, {how}}}]}}"#
        ));
        world.run(&(hire("") + &work("true") + RETURN)).expect(0);
        assert_eq!(world.hired(), times + 1, "one each");
    }
    world.expect_nothing_left();
}

#[test]
fn what_a_refused_order_leaves_is_destroyed_or_told_of() {
    let world = World::new();
    let ran = world.run(&whole("gpu = \"H100_SXM\", gpus = 1, bid = 0.01")).expect(3);
    expect_all(&ran.stderr, &["the bid is too low", "the machine that it left was destroyed"]);
    assert_eq!(world.hired(), 1);
    world.vast.expect_nothing_rented();
    world.control(r#"{"faults": [{"on": "DELETE ", "do": "not-json"}]}"#);
    let steps = whole("gpu = \"H100_SXM\", gpus = 1, bid = 0.01").replace(RETURN, "");
    let ran = world.run(&steps).expect(3);
    let id = world.machine();
    let by_hand = format!("`doppio vast destroy {id}`");
    expect_all(
        &ran.stderr,
        &[&format!("creating failed, and left `{id}`"), &by_hand, "costs an unknown sum"],
    );
    world.control("{}");
    world.doppio.run(["vast", "orphans", "--destroy", "--yes"]).expect(0);
    world.expect_nothing_left();
}

#[test]
fn an_attempt_that_follows_does_not_pay_twice() {
    let world = World::new();
    // The answer is lost, and the look for the machine fails, too: only the next attempt sees it.
    world.control(
        r#"{"faults": [{"on": "PUT /api/v0/asks/", "after": true, "do": "html-502", "times": 1},
                       {"on": "GET /api/v1/instances/", "do": "not-json", "skip": 1, "times": 1}]}"#,
    );
    let steps = hire("").replacen("\nvast", "\nretry = { max_attempts = 2, delay_secs = 0 }\nvast", 1);
    let ran = world.run(&(steps + &work("true") + RETURN)).expect(0);
    expect_all(
        &ran.stderr,
        &["whether a machine was created is not known", "an earlier attempt left, was destroyed"],
    );
    assert_eq!(world.hired(), 2);
    world.expect_nothing_left();
}

#[test]
fn each_refusal_has_its_error_and_its_hint() {
    const SEARCH: &str = "POST /api/v0/bundles/";
    const ORDER: &str = "PUT /api/v0/asks/";
    let world = World::new();
    for (on, fault, parts) in [
        (
            ORDER,
            r#""do": "no-credit""#,
            &["lacks credit", "https://cloud.vast.ai/billing/", "`doppio vast cost`"][..],
        ),
        (
            ORDER,
            r#""do": "no-billing""#,
            &["vast.ai refuses to create a machine (400): You must have a billing"],
        ),
        (
            SEARCH,
            r#""do": "quota""#,
            &["the daily searches at vast.ai are used up until 2", "UTC", "`doppio vast list`"],
        ),
        (
            SEARCH,
            r#""status": 429, "body": {"detail": "too frequent endpoint threshold=0.2"}"#,
            &["too many requests (429), and asks to wait 1 s", "hint: try again in 1 s"],
        ),
        (SEARCH, r#""do": "plain-429""#, &["too many requests (429)", "try again in a minute"]),
        (SEARCH, r#""do": "500""#, &["(500): Internal Server Error"]),
        (SEARCH, r#""do": "html""#, &["is not the API of vast.ai (status 200)", "`VAST_URL`"]),
        (
            ORDER,
            r#""do": "html""#,
            &[
                "whether a machine was created is not known",
                "is not the API of vast.ai (status 200)",
                "`doppio vast list`",
            ],
        ),
        (
            "",
            r#""do": "bad-key""#,
            &["does not accept the key `vast/api_key`", "`doppio secret set vast/api_key`"],
        ),
    ] {
        world.control(&format!(r#"{{"faults": [{{"on": "{on}", {fault}}}]}}"#));
        let ran = world.run(&whole("gpu = \"RTX_4090\"")).expect(3);
        expect_all(&ran.stderr, parts);
        expect_all(&ran.stderr, &["no machine was hired: there is nothing to destroy"]);
    }
    let hangs = hire("").replacen("\nvast", "\ntimeout_secs = 1\nvast", 1) + &work("true") + RETURN;
    world.control(r#"{"faults": [{"on": "POST /api/v0/bundles/", "wait": 100}]}"#);
    let ran = world.run(&hangs).expect(1);
    expect_all(&ran.stderr, &["step `hire` failed: timed out"]);
    assert_eq!(world.hired(), 0);
    world.expect_nothing_left();
}

#[test]
fn a_vendor_that_is_busy_for_a_moment_is_waited_for() {
    let world = World::new();
    world.control(
        r#"{"faults": [{"on": "POST /api/v0/bundles/", "do": "retry-after", "times": 1},
                       {"on": "GET /api/v0/instances/", "do": "500", "times": 6},
                       {"on": "PUT /api/v0/asks/", "do": "plain-429", "times": 2},
                       {"on": "POST /api/v0/instances/", "do": "503", "times": 2},
                       {"on": "DELETE ", "do": "html-502", "times": 6}]}"#,
    );
    world.run(&(hire("") + &work("true") + RETURN)).expect(0);
    assert_eq!(world.hired(), 1);
    world.expect_nothing_left();
}

#[test]
fn a_session_that_has_expired_is_followed_by_the_key_of_the_account() {
    let vast = Rented::vast();
    let doppio = Doppio::new();
    doppio.private("home/.config/vastai/vast_tfa_key", vast.second_key());
    doppio.private("home/.config/vastai/vast_api_key", vast.key());
    let world = World::of(vast, doppio);
    world.control(r#"{"faults": [{"on": "", "key": "second_key", "do": "session-expired"}]}"#);
    world.run(&(hire("") + &work("true") + RETURN)).expect(0);
    assert_eq!(world.hired(), 1);
    world.expect_nothing_left();
}

#[test]
fn without_a_key_nothing_is_hired() {
    let world = World::new();
    std::fs::remove_file(world.doppio.home().join(".ssh/id_ed25519")).unwrap();
    std::fs::remove_file(world.doppio.home().join(".ssh/id_ed25519.pub")).unwrap();
    let ran = world.run(&(hire("") + &work("true") + RETURN)).expect(1);
    expect_all(
        &ran.stderr,
        &["there is no SSH key that a machine of vast.ai could let in", "ssh-keygen -t ed25519"],
    );
    assert_eq!(world.hired(), 0);
}
