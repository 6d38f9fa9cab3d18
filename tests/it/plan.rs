//! `doppio plan` through the real binary.

use doppio_test_support::Doppio;

const RECIPE: &str = r#"
[recipe]
name = "sweep"

[variables]
epochs = 3
debug = false
data = "/data/${set}"
set = "my set"
bearer = "Bearer ${secret:api/token}"

[defaults]
workdir = "/work"
env = { MODE = "fast", WANDB_API_KEY = "${secret:wandb/api_key}" }
retry = { max_attempts = 2, backoff_multiplier = 2.0, max_delay_secs = 60, jitter = true }

[[step]]
id = "prepare"
name = "Prepare the data"
timeout_secs = 90
run_commands = { commands = "ls ${data|q} ${HOME} ${epochs} $$${epochs}", capture_output = "files" }

[[step]]
id = "train"
depends_on = ["prepare"]
when = "epochs > 2 and not debug and steps.prepare.status == 'success'"
hosts = ["gpu-1", "gpu-2"]
matrix = { lr = [1e-3, 0.1] }
ssh_command = { command = "curl -H '${bearer}' --lr ${matrix.lr} \"${host}\" ${step.prepare.output} ${files}", env = { MODE = "slow" } }

[[step]]
id = "first"
sleep = { duration_secs = 1 }

[[step]]
id = "second"
continue_on_failure = true
sleep = { duration_secs = 1 }

[[step]]
id = "both"
depends_on = ["train"]
when = "${debug}"
group = { steps = ["first", "second"] }

[[step]]
id = "stop"
depends_on = ["both"]
run_if = "always"
local_command = { command = "echo ${run.id} ${recipe.name} ${target} ${env.LANG}" }
"#;

fn world() -> Doppio {
    let world = Doppio::new().env("DOPPIO_KEYRING", "off").env("WANDB_API_KEY", "not-to-be-seen");
    world.hosts(
        "[hosts.box]\nhostname = \"10.0.0.7\"\nuser = \"ada\"\nport = 2222\n\
         [hosts.gpu-1]\nhostname = \"10.0.0.8\"\nuser = \"ada\"\ncarrier = \"preamble\"\n\
         [hosts.gpu-2]\nhostname = \"10.0.0.9\"\nuser = \"ada\"\ncarrier = \"channel\"\n",
    );
    world.file("sweep.toml", RECIPE);
    world
}

#[test]
fn a_plan_shows_all_that_would_be_done_and_no_value() {
    let ran = world().run(["plan", "sweep.toml", "--host", "box"]).expect(3);
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains("not-to-be-seen"));
    insta::assert_snapshot!(ran.stdout, @r#"
        sweep: 8 steps and 2 that expand to several, target box

        1. prepare (Prepare the data)  run_commands on box
           timeout 90 s
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ ls '/data/my set' ${HOME} 3 $${epochs}
           │ workdir /work
           │ env MODE=fast
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries MODE, WANDB_API_KEY

        2. train[gpu-1,lr=1e-3]  ssh_command on gpu-1
           after prepare
           when epochs > 2 and not debug and steps.prepare.status == 'success'
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ curl -H 'Bearer ‹secret:api/token›' --lr 1e-3 "gpu-1" ${step.prepare.output} ${files}
           │ workdir /work
           │ env MODE=slow
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries DOPPIO_SECRET_1, DOPPIO_VALUE_1, DOPPIO_VALUE_2, DOPPIO_VALUE_3, MODE, WANDB_API_KEY

        3. train[gpu-1,lr=0.1]  ssh_command on gpu-1
           after prepare
           when epochs > 2 and not debug and steps.prepare.status == 'success'
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ curl -H 'Bearer ‹secret:api/token›' --lr 0.1 "gpu-1" ${step.prepare.output} ${files}
           │ workdir /work
           │ env MODE=slow
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries DOPPIO_SECRET_1, DOPPIO_VALUE_1, DOPPIO_VALUE_2, DOPPIO_VALUE_3, MODE, WANDB_API_KEY

        4. train[gpu-2,lr=1e-3]  ssh_command on gpu-2
           after prepare
           when epochs > 2 and not debug and steps.prepare.status == 'success'
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ curl -H 'Bearer ‹secret:api/token›' --lr 1e-3 "gpu-2" ${step.prepare.output} ${files}
           │ workdir /work
           │ env MODE=slow
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries DOPPIO_SECRET_1, DOPPIO_VALUE_1, DOPPIO_VALUE_2, DOPPIO_VALUE_3, MODE, WANDB_API_KEY

        5. train[gpu-2,lr=0.1]  ssh_command on gpu-2
           after prepare
           when epochs > 2 and not debug and steps.prepare.status == 'success'
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ curl -H 'Bearer ‹secret:api/token›' --lr 0.1 "gpu-2" ${step.prepare.output} ${files}
           │ workdir /work
           │ env MODE=slow
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries DOPPIO_SECRET_1, DOPPIO_VALUE_1, DOPPIO_VALUE_2, DOPPIO_VALUE_3, MODE, WANDB_API_KEY

        6. train  ssh_command
           stands for train[gpu-1,lr=1e-3], train[gpu-1,lr=0.1], train[gpu-2,lr=1e-3], train[gpu-2,lr=0.1]
           after prepare

        7. first  sleep
           after train
           when false
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ sleep 1 s

        8. second  sleep
           after train, first
           when false
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           may fail
           │ sleep 1 s

        9. both  group
           stands for first, second
           after train
           when false

        10. stop  local_command on local
           after both
           run if always
           2 attempts, 5 s apart, each wait 2 times the last, at most 60 s, with random jitter
           │ echo ${run.id} sweep box C.UTF-8
           │ workdir /work
           │ env MODE=fast
           │ env WANDB_API_KEY=‹secret:wandb/api_key›
           carries DOPPIO_VALUE_1, DOPPIO_VALUE_2, DOPPIO_VALUE_3, DOPPIO_VALUE_4, MODE, WANDB_API_KEY

        secrets
           api/token      MISSING: secret `api/token` is not set
                          hint: run `doppio secret set api/token`
           wandb/api_key  from variable `WANDB_API_KEY`

        hosts
           box    ada@10.0.0.7:2222; secrets by preamble
           gpu-1  ada@10.0.0.8:22; secrets by preamble
           gpu-2  ada@10.0.0.9:22; secrets by channel
           local  this machine; secrets by environment of the process

        a run would stop before its first step: 1 secret
        "#);
}

#[test]
fn a_dry_run_is_the_plan() {
    let world = world();
    let plan = world.run(["plan", "sweep.toml", "--host", "box"]).expect(3);
    let dry = world.run(["run", "sweep.toml", "--host", "box", "--dry-run"]).expect(3);
    assert_eq!(plan.stdout, dry.stdout);
    assert!(!world.doppio_home().join("runs").exists(), "a dry run keeps no journal");
}

#[test]
fn json_is_one_object() {
    let ran = world().run(["plan", "sweep.toml", "--host", "box", "--output", "json"]).expect(3);
    let page: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(page["schema"], 1);
    assert_eq!(page["steps"][0]["timeout_secs"], 90);
    assert_eq!(page["steps"][1]["id"], "train[gpu-1,lr=1e-3]");
    assert_eq!(page["secrets"][0]["secret"], "api/token");
    assert_eq!(page["secrets"][1]["from"], "variable `WANDB_API_KEY`");
    assert_eq!(page["hosts"][1]["carrier"], "preamble");
}

/// Ids of the steps of a plan, in order.
fn ids(world: &Doppio, arguments: &[&str]) -> Vec<String> {
    let all = ["plan", "sweep.toml", "--host", "box", "--output", "json"].iter().chain(arguments);
    let page: serde_json::Value = serde_json::from_str(&world.run(all).stdout).expect("a page");
    page["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| step["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_part_of_a_plan() {
    let world = world();
    assert_eq!(ids(&world, &["--only", "prepare"]), ["prepare"]);
    assert_eq!(ids(&world, &["--from", "both"]), ["first", "second", "both", "stop"]);
    assert_eq!(ids(&world, &["--from", "both", "--skip", "first"]), ["second", "both", "stop"]);
    assert_eq!(ids(&world, &["--from", "both", "--skip", "both"]), ["stop"]);
    let plan = |arguments: &[&str]| {
        world.run(["plan", "sweep.toml", "--host", "box"].iter().chain(arguments)).expect(2).stderr
    };
    insta::assert_snapshot!(plan(&["--only", "prepaer"]), @r#"
        error: the recipe has no step `prepaer`

        hint: did you mean `prepare`?
        "#);
    insta::assert_snapshot!(plan(&["--only", "train"]), @r#"
        error: step `train[gpu-1,lr=1e-3]` uses a result of step `prepare`, which is left out

        hint: include it as well: `--only prepare --only train`
        "#);
    insta::assert_snapshot!(plan(&["--only", "stop", "--skip", "stop"]), @r#"
        error: no step is left to run

        hint: leave out fewer steps: `--skip` names those that do not run
        "#);
}

#[test]
fn variables_from_the_command_line() {
    let world = world();
    world.file("vars.toml", "epochs = 5\nset = \"a\"\n");
    let plan =
        |arguments: &[&str]| world.run(["plan", "sweep.toml", "--host", "box"].iter().chain(arguments));
    let ran = plan(&["--var-file", "vars.toml", "--var", "set=it's"]).expect(3);
    assert!(ran.stdout.contains(r"ls '/data/it'\''s' ${HOME} 5 "), "{}", ran.stdout);
    insta::assert_snapshot!(plan(&["--var", "epoch=1"]).expect(2).stderr, @r#"
        error: the recipe has no variable `epoch`

        hint: did you mean `--var epochs=…`?
        "#);
    insta::assert_snapshot!(plan(&["--var", "q=1"]).expect(2).stderr, @"
        error: the recipe has no variable `q`

        hint: its variables are `epochs`, `debug`, `data`, `set`
        ");
    insta::assert_snapshot!(plan(&["--var", "q=1", "--var", "q2=1", "--var", "set=a"]).expect(2).stderr, @"
        error: the recipe has no variable `q`

        hint: its variables are `epochs`, `debug`, `data`, `set`
        ");
    insta::assert_snapshot!(plan(&["--var", "epochs"]).expect(2).stderr, @r#"
        error: `--var epochs` has no value

        hint: write `--var NAME=VALUE`
        "#);
    world.file("bad.toml", "epochs = [5]\n");
    insta::assert_snapshot!(plan(&["--var-file", "bad.toml"]).expect(2).stderr, @r#"
        error: variable `epochs` must be a string, a number, or `true` or `false`
         --> bad.toml:1:10
          |
        1 | epochs = [5]
          |          ^^^ found a list

        error: bad.toml has 1 error
        "#);
}

#[test]
fn a_variable_that_was_given_under_a_wrong_name() {
    let world = Doppio::new();
    world.file(
        "r.toml",
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nlocal_command = { command = \"echo ${epochs} ${p}\" }\n",
    );
    insta::assert_snapshot!(world.run(["plan", "r.toml", "--var", "epoch=1", "--var", "q=1"]).expect(2).stderr, @r#"
        error: variable `epochs` is not defined
         --> r.toml:5:35
          |
        5 | local_command = { command = "echo ${epochs} ${p}" }
          |                                   ^^^^^^^^^
          |
          = help: the command line gives `epoch`: did you mean `--var epochs=…`, or here `${epoch}`?

        error: variable `p` is not defined
         --> r.toml:5:45
          |
        5 | local_command = { command = "echo ${epochs} ${p}" }
          |                                             ^^^^
          |
          = help: define it under `[variables]`, or with `--var p=…`; `$${` is a literal `${`

        error: r.toml has 2 errors
        "#);
}

#[test]
fn a_run_needs_what_a_check_can_do_without() {
    let world = Doppio::new();
    world.file(
        "r.toml",
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nssh_command = { command = \"echo ${env.NOPE}\" }\n\
         [[step]]\nid = \"b\"\nssh_command = { command = \"echo ${target}\" }\n",
    );
    world.run(["check", "r.toml"]).expect(0);
    insta::assert_snapshot!(world.run(["plan", "r.toml"]).expect(2).stderr, @r#"
        error: this and 2 more need a host, and the run has no target
         --> r.toml:4:6
          |
        4 | id = "a"
          |      ^^^
          |
          = help: name the target with `--host HOST`, or give the steps a `host_id`

        error: environment variable `NOPE` is not set
         --> r.toml:5:33
          |
        5 | ssh_command = { command = "echo ${env.NOPE}" }
          |                                 ^^^^^^^^^^^
          |
          = help: set it where Doppio is started: `export NOPE=…`

        error: r.toml has 2 errors
        "#);
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let world = Doppio::new().env("DOPPIO_KEYRING", "off");
    world.file(
        "r.toml",
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nssh_command = { host_id = \"vast-12345\", \
         command = \"echo \\u001b[31m ${secret:team/key} ${secret:team/proxy?none}\" }\n",
    );
    let ran = world.run(["plan", "r.toml"]).expect(3);
    assert!(!ran.stdout.contains('\u{1b}'), "what a terminal obeys is not printed");
    insta::assert_snapshot!(ran.stdout, @r#"
        r: 1 step

        1. a  ssh_command on vast-12345
           │ echo \u{1b}[31m ‹secret:team/key› ‹secret:team/proxy?none›
           carries DOPPIO_SECRET_1, DOPPIO_SECRET_2

        secrets
           team/key         MISSING: secret `team/key` is not set
                            hint: run `doppio secret set team/key`
           team/proxy?none  from the default in the recipe

        hosts
           vast-12345  the address that vast.ai has for `vast-12345`; secrets by preamble

        a run would stop before its first step: 1 secret
        "#);
}

#[test]
fn a_secret_is_bound_to_a_reference_and_only_one_that_the_recipe_names() {
    let world = world().env("OTHER", "correct-horse");
    let plan = |bound: &str| world.run(["plan", "sweep.toml", "--host", "box", "--secret", bound]);
    let ran = plan("api/token=env:OTHER").expect(0);
    assert!(ran.stdout.contains("api/token      from variable `OTHER`"), "{}", ran.stdout);
    plan("ssh/password=env:OTHER").expect(3);
    insta::assert_snapshot!(plan("api/tokn=env:OTHER").expect(2).stderr, @"
        error: `--secret api/tokn=…`: the recipe has no secret `api/tokn`

        hint: did you mean `--secret api/token=…`?
        ");
    insta::assert_snapshot!(plan("database=env:OTHER").expect(2).stderr, @"
        error: `--secret database=…`: the recipe has no secret `database`

        hint: the recipe's secrets are `api/token`, `wandb/api_key`
        ");
    let token = format!("hf_{}", "Ab3".repeat(11));
    for value in [
        format!("api/token={token}"),
        format!("api/token=env:{token}"),
        format!("{token}=env:OTHER"),
        "api/token=0123456789abcdef0123456789abcdef01234567".to_owned(),
    ] {
        for command in ["plan", "run"] {
            let ran = world.run([command, "sweep.toml", "--host", "box", "--secret", &value]).expect(2);
            assert_eq!(ran.stdout, "");
            insta::allow_duplicates! {
                insta::assert_snapshot!(ran.stderr, @"
                    error: `--secret` takes a name and a reference, never a value

                    hint: write `--secret huggingface/token=env:HF_TOKEN`, or `…=file:PATH` for one in the age vault
                    hint: the value is in your shell's history now: if it is real, replace it where it was issued
                    ");
            }
        }
    }
    assert!(!world.doppio_home().join("runs").exists(), "nothing has run");
}

#[test]
fn a_secret_that_will_not_last_is_told() {
    let doppio = Doppio::with_vault().env("DOPPIO_KEYRING", "off");
    let set = |name: &str, expires: &str| {
        let set = ["secret", "set", name, "--from-stdin", "--expires", expires];
        doppio.run_with_stdin(set, "hunter2 one").expect(0);
    };
    set("team/short", "1h");
    set("team/long", "90d");
    doppio.file(
        "r.toml",
        "[recipe]\nname = 'r'\n[[step]]\nid = 'a'\ntimeout_secs = 10800\n\
         local_command = { command = 'true', env = { A = '${secret:team/short}', B = '${secret:team/long}' } }\n",
    );
    for arguments in [&["plan", "r.toml"][..], &["run", "r.toml"]] {
        let ran = doppio.run(arguments).expect(0);
        assert!(
            ran.stderr.contains("warning: `team/short` expires in ")
                && ran.stderr.contains(" minutes, and step `a` may take 180"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("doppio secret rotate team/short"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("team/long` lasts"), "{}", ran.stderr);
    }
}
