//! What each step type does, on the embedded host.

use doppio_test_support::Doppio;
use doppio_test_support::Ran;

fn run(steps: &str) -> Ran {
    let doppio = Doppio::new().env("API_TOKEN", "tok-4f9a'b \"c$d");
    let recipe = format!("[recipe]\nname = \"steps\"\n[defaults]\nhost_id = \"sandbox\"\n{steps}");
    doppio.file("r.toml", recipe);
    doppio.run(["run", "r.toml"])
}

#[test]
fn lines_run_up_to_the_first_that_fails() {
    let ran = run(
        "[[step]]\nid = \"a\"\nrun_commands = { commands = \"\"\"\necho one\nfalse\necho two\n\"\"\" }\n",
    )
    .expect(1);
    assert!(ran.stderr.contains("one") && !ran.stderr.contains("two"), "{}", ran.stderr);
}

#[test]
fn captures_and_outputs_reach_later_steps_as_values() {
    let ran = run(r#"
[[step]]
id = "make"
ssh_command = { command = "echo 'loss=0.25; touch pwned'; echo \"it's $(id -un)\" >&2", capture_output = "line", outputs = { loss = "loss=([0-9.]+)" } }
[[step]]
id = "use"
depends_on = ["make"]
ssh_command = { command = """
test "${line}" = 'loss=0.25; touch pwned'
echo "loss ${step.make.outputs.loss} code ${step.make.exit_code} ${step.make.status}"
echo ${step.make.stderr}
test ! -e pwned
""" }
"#)
    .expect(0);
    assert!(ran.stderr.contains("loss 0.25 code 0 success"), "{}", ran.stderr);
    assert!(ran.stderr.contains("it's "), "{}", ran.stderr);
}

#[test]
fn an_output_that_is_not_there_fails_the_step() {
    let ran =
        run("[[step]]\nid = \"a\"\nssh_command = { command = \"echo x\", outputs = { n = \"n=(.)\" } }\n")
            .expect(1);
    assert!(ran.stderr.contains("output `n` was not found"), "{}", ran.stderr);
}

#[test]
fn a_secret_goes_to_stdin_env_and_text_and_stays_secret_when_captured() {
    let ran = run(r#"
[[step]]
id = "make"
ssh_command = { env = { TOKEN = "${secret:env:API_TOKEN}" }, stdin = "${secret:env:API_TOKEN}", capture_output = "token", command = """
test "$(cat)" = "$TOKEN"
test ${secret:env:API_TOKEN} = "$TOKEN"
printf '%s\\n' "$TOKEN"
""" }
[[step]]
id = "use"
depends_on = ["make"]
ssh_command = { env = { AGAIN = "${token}" }, command = "test \"$AGAIN\" = ${secret:env:API_TOKEN} && test ${token} = \"$AGAIN\"" }
[[step]]
id = "plain"
depends_on = ["use"]
ssh_command = { command = "true", workdir = "${token}" }
"#)
    .expect(1);
    assert!(!ran.stderr.contains("tok-4f9a"), "{}", ran.stderr);
    assert!(ran.stderr.contains("***"), "{}", ran.stderr);
    assert!(ran.stderr.contains("secret"), "the last step says why: {}", ran.stderr);
}

#[test]
fn a_made_secret_is_masked_from_then_on() {
    let ran = run(r#"
[[step]]
id = "make"
ssh_command = { command = "echo made-$((6 * 7))-secret-value", capture_output = "made", secret_output = true }
[[step]]
id = "print"
depends_on = ["make"]
ssh_command = { command = "echo got ${made}" }
"#)
    .expect(0);
    assert!(ran.stderr.contains("got ***"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("made-42"), "{}", ran.stderr);
}

#[test]
fn this_machine_is_a_host_too() {
    let ran = run(r#"
[[step]]
id = "a"
local_command = { command = "pwd; echo $X ${step.b.output}", env = { X = "from env" } }
depends_on = ["b"]
[[step]]
id = "b"
ssh_command = { host_id = "local", command = "echo local too" }
"#)
    .expect(0);
    assert!(ran.stderr.contains("from env local too"), "{}", ran.stderr);
}

#[test]
fn variables_groups_and_conditions_work_together() {
    let ran = run(r#"
[variables]
name = "first"
[[step]]
id = "set"
set_var = { name = "name", value = "second ${run.id}" }
[[step]]
id = "check"
depends_on = ["set"]
assert = { condition = { and = [{ var_matches = { name = "name", pattern = "^second " } }, { not = "never" }, { file_exists = { path = "~" } }, { command_succeeds = { command = "true" } }] }, message = "no" }
[[step]]
id = "both"
depends_on = ["check"]
group = { mode = "sequential", steps = ["one", "two"] }
[[step]]
id = "one"
ssh_command = { command = "echo 1 >> ~/order" }
[[step]]
id = "two"
ssh_command = { command = "echo 2 >> ~/order" }
[[step]]
id = "wait"
depends_on = ["both"]
wait_condition = { condition = { file_contains = { path = "~/order", pattern = "2" } }, timeout_secs = 5 }
[[step]]
id = "show"
depends_on = ["wait"]
ssh_command = { command = "tr '\\n' , < ~/order" }
"#)
    .expect(0);
    assert!(ran.stderr.contains("1,2,"), "{}", ran.stderr);
}

#[test]
fn a_condition_that_never_comes_says_which() {
    let ran = run(r#"
[[step]]
id = "wait"
wait_condition = { condition = { file_exists = { path = "/nowhere/at/all" } }, timeout_secs = 1, poll_interval_secs = 0 }
"#)
    .expect(1);
    assert!(
        ran.stderr.contains("the condition does not hold after 1 s: file `/nowhere/at/all` exists"),
        "{}",
        ran.stderr
    );
}
