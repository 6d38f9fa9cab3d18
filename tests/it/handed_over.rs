//! What a step gets of secrets: every way out is recorded, what is made of a secret is one, and what is
//! not set stays unset.

use std::fs;

use doppio_test_support::Doppio;

const VALUE: &str = "correct-horse-battery-staple";

fn world() -> Doppio {
    Doppio::new().env("DOPPIO_KEYRING", "off").env("TEAM_TOKEN", VALUE)
}

// case L1
#[test]
fn an_output_cut_out_of_a_secret_output_is_masked() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "login"
local_command = { command = "echo user=me token=fresh-made-token-77", secret_output = true, outputs = { t = "token=(\\S+)" } }
[[step]]
id = "use"
depends_on = ["login"]
local_command = { command = "echo it is ${step.login.outputs.t}; printf %s $T | wc -c", env = { T = "${step.login.outputs.t}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("use   | it is ***\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("use   | 19\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("fresh-made-token"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`step.login.outputs.t` went as T to step `use`"), "{}", ran.stderr);
    assert!(!doppio.run(["runs", "logs"]).expect(0).stdout.contains("fresh-made"));
}

#[test]
fn what_a_stopped_step_has_printed_is_a_secret_all_the_same() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "login"
timeout_secs = 1
local_command = { command = "echo fresh-made-token-88; sleep 60", secret_output = true }
[[step]]
id = "after"
depends_on = ["login"]
run_if = "always"
local_command = { command = "echo fresh-made-token-$((80 + 8))" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(ran.stderr.contains("after | ***\n"), "{}", ran.stderr);
}

// case L1
#[test]
fn a_part_of_a_known_secret_is_masked_and_what_stands_beside_it_is_not() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "print"
local_command = { command = "echo loss=0.5 token=$T end", env = { T = "${secret:team/token}" }, outputs = { half = "token=(.{13})", loss = "loss=(\\S+)" } }
[[step]]
id = "use"
depends_on = ["print"]
local_command = { command = "echo half ${step.print.outputs.half}, loss ${step.print.outputs.loss}" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("use   | half ***, loss 0.5\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("correct-horse"), "{}", ran.stderr);
}

// case L1
#[test]
fn an_output_too_short_to_be_masked_is_refused() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "login"
local_command = { command = "echo pin=42 token=fresh-made-token-77", secret_output = true, outputs = { pin = "pin=(\\S+)" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(
        ran.stderr.contains("output `pin` is part of a secret and is too short to be masked"),
        "{}",
        ran.stderr
    );
}

// case J1
#[test]
fn what_goes_to_stdin_is_recorded_like_a_variable() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "feed"
local_command = { command = "wc -c", stdin = "${secret:team/token}" }
[[step]]
id = "set"
set_var = { name = "copy", value = "<${secret:team/token}>" }
[[step]]
id = "again"
depends_on = ["set"]
local_command = { command = "wc -c", stdin = "${copy}" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    let went = "secret `team/token` went as standard input to steps `again`, `feed` (stdin)";
    assert!(ran.stderr.contains(went), "{}", ran.stderr);
    let audit = doppio.run(["secret", "audit", "--host", "local"]).expect(0).stdout;
    assert_eq!(audit.matches("team/token").count(), 2, "{audit}");
    assert!(audit.contains("stdin"), "{audit}");
    let incident = doppio.run(["secret", "incident", "team/token"]);
    assert!(incident.stdout.contains("feed"), "{}{}", incident.stdout, incident.stderr);
    let shown = doppio.run(["runs", "show"]).expect(0);
    assert!(shown.stdout.contains("went as standard input (stdin)"), "{}{}", shown.stdout, shown.stderr);
}

// case J9
#[test]
fn a_secret_goes_as_a_file_that_is_gone_afterwards() {
    let doppio = world();
    doppio.recipe(
        r#"
[[step]]
id = "use"
local_command = { command = "stat -c %a \"$CONFIG\" \"${CONFIG%/*}\"; wc -c < \"$CONFIG\"; cat \"$CONFIG\"; echo \"$CONFIG\" > where", files = { CONFIG = "${secret:team/token}" } }
"#,
    );
    let planned = doppio.run(["plan", "recipe.toml"]).expect(0).stdout;
    assert!(planned.contains("file $CONFIG=‹secret:team/token›"), "{planned}");
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    for said in [
        "use | 600\nuse | 700\n",
        "use | 28\n",
        "use | ***\n",
        "secret `team/token` went as CONFIG to step `use` (private file)",
        "`use`: the files of its secrets are gone from `local`",
    ] {
        assert!(ran.stderr.contains(said), "{said}\n{}", ran.stderr);
    }
    let path = fs::read_to_string(doppio.folder().join("project/where")).unwrap();
    assert!(path.trim().ends_with("/secret") && !fs::exists(path.trim()).unwrap(), "{path}");
}

// case J15
#[test]
fn a_secret_that_is_not_set_can_leave_its_variable_unset() {
    let doppio = world();
    let command = "echo a=${A-unset} b=${B-unset} c=${C-unset} ${secret:team/none??}.";
    doppio.recipe(&format!(
        "\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"{command}\", env = {{ A = \"${{secret:team/none??}}\", \
         B = \"${{secret:team/none?}}\", C = \"${{secret:team/token??}}\" }} }}\n"
    ));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("use | a=unset b= c=*** .\n"), "{}", ran.stderr);
    let exec = doppio.run([
        "secret",
        "exec",
        "A=team/none??",
        "B=team/none?",
        "--",
        "sh",
        "-c",
        "echo a=${A-unset} b=${B-unset}",
    ]);
    assert_eq!(exec.expect(0).stdout, "a=unset b=\n");
    let why = doppio.run(["secret", "why", "team/none??"]).expect(0).stdout;
    assert!(why.contains("a variable that is set to it is left unset"), "{why}");
}

// case G6
#[test]
fn a_short_member_that_is_no_secret_by_its_key_is_a_plain_value() {
    let doppio =
        world().env("DB_PROD", r#"{"username": "sa", "note": "", "password": "hunter2-x9", "pin_key": ""}"#);
    doppio.recipe(
        r#"
[[step]]
id = "use"
local_command = { command = "echo \"user $U, note <$N>, default <$P>\"", env = { U = "${secret:db/prod#username}", N = "${secret:db/prod#note?none}", P = "${secret:db/prod#pin_key?none}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("use | user sa, note <>, default <none>\n"), "{}", ran.stderr);
}

// case B10
#[test]
fn a_well_known_token_is_trimmed_and_why_says_so() {
    let token = format!("hf_{}", "aB3dE5gH7j".repeat(4));
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("HF_TOKEN", format!("{token}\n"));
    let doppio = doppio.env("OTHER_TEXT", "kept as it is\n");
    doppio.recipe(
        r#"
[[step]]
id = "use"
local_command = { command = "printf %s \"$T\" | wc -c; printf %s \"$E\" | wc -c; printf %s \"$O\" | wc -c", env = { T = "${secret:huggingface/token}", E = "${secret:env:HF_TOKEN}", O = "${secret:other/text}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("use | 43\nuse | 43\nuse | 14\n"), "{}", ran.stderr);
    let why = doppio.run(["secret", "why", "huggingface/token"]).expect(0).stdout;
    assert!(why.contains("warning: the white space around it is left out"), "{why}");
}

// case B13
#[test]
fn what_is_at_hand_is_masked_before_anybody_fetches_it() {
    let doppio = Doppio::with_vault().env("TEAM_TOKEN", VALUE);
    doppio.store("team/stored", "another-made-up-value-9");
    doppio.recipe(&format!(
        r#"
[[step]]
id = "early"
local_command = {{ command = "echo {VALUE}; echo another-made-up-value-9" }}
[[step]]
id = "late"
depends_on = ["early"]
local_command = {{ command = "true", env = {{ T = "${{secret:team/token}}", S = "${{secret:team/stored}}" }} }}
"#
    ));
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("early | ***\nearly | ***\n"), "{}", ran.stderr);
    let logs = doppio.run(["runs", "logs"]).expect(0);
    assert!(!logs.stdout.contains(VALUE) && !logs.stdout.contains("another-made"), "{}", logs.stdout);
}

// case L15
#[test]
fn a_command_that_can_not_start_does_not_show_the_value_in_its_name() {
    let ran = world().run(["secret", "exec", "T=env:TEAM_TOKEN", "--", &format!("./{VALUE}")]).expect(127);
    assert!(ran.stderr.contains("cannot start `./***`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(VALUE), "{}", ran.stderr);
}
