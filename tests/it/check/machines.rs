//! Faults of recipes that hire machines.

use doppio_test_support::Doppio;

use crate::check::faults;
use crate::check::steps;

#[test]
fn what_runs_on_a_hired_machine_waits_for_it() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"rent\"\nvast_create = { image = \"a/b\" }\n\
         [[step]]\nid = \"early\"\nssh_command = { command = \"true\" }\n\
         [[step]]\nid = \"late\"\ndepends_on = [\"rent\"]\nssh_command = { command = \"true\" }\n\
         [[step]]\nid = \"end\"\ndepends_on = [\"late\"]\nvast_destroy = {}\n",
    )), @r#"
        error: step `early` runs on the machine that `rent` makes the target, and does not depend on it
         --> r.toml:8:6
          |
        8 | id = "early"
          |      ^^^^^^^
          |
          = help: add `depends_on = ["rent"]` to step `early`

        error: r.toml has 1 error
        "#);
}

#[test]
fn terms_that_can_not_be_met_are_told_before_anything_is_hired() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"rent\"\nvast_create = { image = \"a/b\", query = \"gpu_ramm>=24\", max_hours = 0 }\n\
         [[step]]\nid = \"seen\"\nvast_create = { image = \"a/b\", env = { T = \"${secret:a/b}\" } }\n\
         [[step]]\nid = \"odd\"\nvast_create = { image = \"a/b\", offers = [{ gpuu = \"x\" }] }\n",
    )), @r#"
        error: `query` of `vast_create`: there is no such field, at `gpu_ramm` (character 1)
         --> r.toml:6:40
          |
        6 | vast_create = { image = "a/b", query = "gpu_ramm>=24", max_hours = 0 }
          |                                        ^^^^^^^^^^^^^^

        error: `max_hours` of `vast_create`: `max_hours` must be more than 0
         --> r.toml:6:68
          |
        6 | vast_create = { image = "a/b", query = "gpu_ramm>=24", max_hours = 0 }
          |                                                                    ^

        error: secret `a/b` is not allowed in `env`
         --> r.toml:9:45
          |
        9 | vast_create = { image = "a/b", env = { T = "${secret:a/b}" } }
          |                                             ^^^^^^^^^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, and in `env` and `stdin` of a step that runs one

        error: unknown key `gpuu` in each of `offers`
          --> r.toml:12:44
           |
        12 | vast_create = { image = "a/b", offers = [{ gpuu = "x" }] }
           |                                            ^^^^
           |
        help: a key with a similar name exists
           |
        12 - vast_create = { image = "a/b", offers = [{ gpuu = "x" }] }
        12 + vast_create = { image = "a/b", offers = [{ gpu = "x" }] }
           |

        error: r.toml has 4 errors
        "#);
}

#[test]
fn which_machine_is_started_may_be_said_when_the_recipe_is_run() {
    let old = "[[step]]\nid = \"up\"\nvast_start = {}\n\
               [[step]]\nid = \"down\"\ndepends_on = [\"up\"]\nvast_stop = {}\n";
    let world = Doppio::new();
    world.file("r.toml", steps(old));
    world.run(["check", "r.toml"]).expect(0);
    world.run(["plan", "r.toml", "--host", "vast-12345"]).expect(0);
    let ran = world.run(["plan", "r.toml"]).expect(2);
    let said = "step `up` names no machine, and the run has no target";
    assert!(ran.stderr.contains(said) && ran.stderr.matches("error: ").count() == 2, "{}", ran.stderr);
}

#[test]
fn a_plan_says_what_it_costs_in_the_worst_case() {
    let world = Doppio::new();
    let limits = "max_price = 0.6, max_hours = 3";
    for (terms, words) in [
        (limits, "at most $0.600 an hour, for 3 h: $1.800 in the worst case"),
        ("max_price = 0.6", "at most $0.600 an hour, with no limit of hours (`max_hours`)"),
        ("bid = 0.2, max_hours = 10", "at most $0.200 an hour, for 10 h: $2.000 in the worst case"),
        (
            "max_price = 1, max_hours = 2, gpu = \"A\", offers = [{ gpu = \"B\", max_price = 500 }]",
            "at most $500.00 an hour, for 2 h: $1000.00 in the worst case",
        ),
        ("gpus = 2", "at any price (`max_price`), with no limit of hours (`max_hours`)"),
    ] {
        world.file(
            "r.toml",
            steps(&format!("[[step]]\nid = \"rent\"\nvast_create = {{ image = \"a/b\", {terms} }}\n")),
        );
        let ran = world.run(["plan", "r.toml"]).expect(0);
        assert!(ran.stdout.contains(words), "{}", ran.stdout);
    }
    // What a recipe's author writes there does not look like the plan.
    let forged = "image = \"p, disk 20 GB\\n   │ at most $0.010 an hour\\n\\n2. done  sleep\"";
    world.file("r.toml", steps(&format!("[[step]]\nid = \"rent\"\nvast_create = {{ {forged} }}\n")));
    let ran = world.run(["plan", "r.toml"]).expect(0);
    let does =
        ran.stdout.lines().skip_while(|line| !line.contains("hire at")).take_while(|line| !line.is_empty());
    assert!(
        does.filter(|line| !line.contains("hired")).all(|line| line.starts_with("   │ ")),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("\n2. done"), "{}", ran.stdout);
}
