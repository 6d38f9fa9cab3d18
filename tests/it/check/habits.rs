//! What people write who come from other tools, from older recipes, or by a slip: one answer each, with
//! what to write here.

use doppio_test_support::Doppio;

use crate::check::faults;
use crate::check::fine;
use crate::check::steps;

/// A step with these lines, which lead to one error: what it says, and its help.
#[track_caller]
fn answer(lines: &str) -> String {
    only(&steps(&format!("[[step]]\nid = \"a\"\n{lines}\n")))
}

/// The one error of a recipe, its help and its edit in one line.
#[track_caller]
fn only(recipe: &str) -> String {
    let said = faults(recipe);
    assert!(said.trim_end().ends_with("has 1 error"), "{said}");
    let error = said.lines().next().unwrap_or_default();
    let help = said.lines().find_map(|line| line.trim().trim_start_matches("= ").strip_prefix("help: "));
    let added = said.lines().filter_map(|line| line.split_once(" + ").map(|(_, added)| added.trim()));
    let added: Vec<&str> = added.collect();
    format!("{error}; {}; {}", help.unwrap_or_default(), added.join(" "))
}

// case F5
#[test]
fn a_recipe_without_steps_is_an_error() {
    let said = only("[recipe]\nname = \"r\"\n");
    assert!(said.starts_with("error: the recipe has no step; add one: `[[step]]`"), "{said}");
    only("step = []\n[recipe]\nname = \"r\"\n");
}

// case F6
#[test]
fn keys_of_other_tools_are_answered_with_ours() {
    let ok = "sleep = { duration_secs = 1 }";
    for (lines, expected) in [
        (
            "needs = [\"b\"]",
            "here it is called `depends_on`, and is a list: `[\"a\", \"b\"]`; depends_on = [\"b\"]",
        ),
        ("if = \"true\"", "here it is called `when`; when = \"true\""),
        ("timeout = 5", "here it is called `timeout_secs`"),
        ("continue-on-error = true", "here it is called `continue_on_failure`"),
        ("retries = 3", "write `retry = { max_attempts = 3, delay_secs = 5 }`"),
        ("cwd = \"/x\"", "it belongs into the operation: `ssh_command = { workdir = …, … }`"),
        ("workdir = \"/x\"", "it belongs into the operation: `ssh_command = { workdir = …, … }`"),
        ("env = { A = \"b\" }", "it belongs into the operation: `ssh_command = { env = …, … }`"),
        ("host = \"gpu\"", "name the host in the operation"),
        ("runs-on = \"gpu\"", "name the host in the operation"),
        ("strategy = { matrix = 1 }", "write `matrix = {"),
        ("operation = { ssh_command = { command = \"x\" } }", "the step's type is its key now"),
    ] {
        let said = answer(&format!("{lines}\n{ok}"));
        assert!(said.contains(expected), "{lines}: {said}");
    }
    let said = answer("run = \"make\"");
    assert!(said.contains("write `ssh_command = { command = \"…\" }`, or `local_command"), "{said}");
    for (lines, expected) in [
        ("ssh_command = { cmd = \"make\" }", "here it is called `command`"),
        ("ssh_command = { command = \"make\", cwd = \"/x\" }", "here it is called `workdir`"),
        ("ssh_command = { command = \"make\", timeout = 5 }", "here it is called `timeout_secs`"),
        ("ssh_command = { command = \"make\", host = \"gpu\" }", "here it is called `host_id`"),
        ("ssh_command = { command = \"make\", retry = 5 }", "it is a key of the step"),
        ("run_commands = { command = \"make\" }", "here it is called `commands`"),
    ] {
        let said = answer(lines);
        assert!(said.contains(expected), "{lines}: {said}");
    }
    for (text, expected) in [
        ("[recipe]\nname = \"r\"\n[[steps]]\nid = \"a\"\nrun = \"x\"\n", "here it is called `step`"),
        ("[recipe]\nname = \"r\"\n[jobs.a]\nneeds = \"b\"\n", "a recipe is one list of steps"),
        (
            "[recipe]\nname = \"r\"\n[vars]\na = 1\n[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n",
            "here it is called `variables`",
        ),
    ] {
        let said = only(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

// case F6
#[test]
fn expressions_of_actions_are_answered_with_ours() {
    for (theirs, ours) in [
        ("${{ secrets.HF_TOKEN }}", "${secret:HF_TOKEN}"),
        ("${{secrets.HF_TOKEN}}", "${secret:HF_TOKEN}"),
        ("${{ env.HOME }}", "${env.HOME}"),
        ("${{ matrix.lr }}", "${matrix.lr}"),
        ("${{ steps.a.outputs.loss }}", "${step.a.outputs.loss}"),
        ("${{ inputs.lr }}", "${lr}"),
    ] {
        for lines in [
            format!("ssh_command = {{ command = \"echo {theirs}\" }}"),
            format!("ssh_command = {{ command = \"true\", env = {{ A = \"{theirs}\" }} }}"),
        ] {
            let said = answer(&lines);
            assert!(said.contains("is an expression of GitHub Actions; here it is written"), "{said}");
            assert!(said.contains(ours), "{theirs}: {said}");
        }
    }
    let said = answer("ssh_command = { command = \"echo ${{ github.sha }}\" }");
    assert!(said.contains("`${{ github.sha }}` is an expression of GitHub Actions"), "{said}");
}

// case F6
#[test]
fn a_slip_of_the_syntax_is_reported_once_and_in_plain_words() {
    let said = answer("name = train\nsleep = { duration_secs = 1 }");
    assert!(said.contains("`train` is not a value of TOML: a text needs quotes"), "{said}");
    assert!(said.contains("name = \"train\""), "{said}");
    let second = "[[step]]\nid = \"b\"\nlocal_command = { command = \"\"\"\nmake\n\"\"\" }\n";
    let unclosed =
        format!("[[step]]\nid = \"a\"\nlocal_command = {{ command = \"\"\"\nmake }}\n{second}{second}");
    let said = only(&steps(&unclosed));
    assert!(said.contains("the text that begins here is never closed by `\"\"\"`"), "{said}");
    let list =
        "[[step]]\nid = \"a\"\ndepends_on = [\"b\"\nsleep = { duration_secs = 1 }\n[[step]]\nid = \"b\"\n";
    assert!(only(&steps(list)).contains("this `[` is never closed"));
    for (lines, expected) in [
        ("local_command = { command = \"echo hi }", "the quotes of this line do not pair up"),
        ("depends_on = [\"b]\nsleep = { duration_secs = 1 }", "the quotes of this line do not pair up"),
        ("local_command = { command = 'it's' }", "the quotes of this line do not pair up"),
        ("depends_on = [\"b\"],\nsleep = { duration_secs = 1 }", "a line of TOML ends without a sign"),
        ("name = \"hello\";\nsleep = { duration_secs = 1 }", "a line of TOML ends without a sign"),
    ] {
        let said = answer(lines);
        assert!(said.contains(expected), "{lines}: {said}");
    }
    let yaml = "name: train\non: push\njobs:\n  train:\n    runs-on: gpu\n    steps:\n      - run: make\n";
    assert!(only(yaml).contains("not TOML: this looks like YAML"));
}

// case F7
#[test]
fn the_home_of_the_host_is_a_tilde() {
    let said = answer("ssh_command = { command = \"ls\", workdir = \"${HOME}/x\" }");
    assert!(said.contains("write `~/…` for a path below the home on the host"), "{said}");
    assert!(!said.contains("env.HOME"), "{said}");
    fine(&steps("[[step]]\nid = \"a\"\nssh_command = { command = \"ls\", workdir = \"~/x\" }\n"));
}

/// The warnings of a step, in one line each: what they say, and the marked text.
fn warnings(lines: &str) -> Vec<String> {
    let world = Doppio::new().env("OWN_NAME", "x");
    world.file("r.toml", steps(&format!("[[step]]\nid = \"a\"\n{lines}\n")));
    let ran = world.run(["check", "--json", "r.toml"]).expect(0);
    let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    ran.stdout.lines().map(|line| read(line)["message"].as_str().expect("text").to_owned()).collect()
}

// case F8
#[test]
fn a_name_that_nothing_sets_is_a_warning() {
    for text in ["rm -rf ${WORKDIR}/x", "rm -rf $WORKDIR/x", "rm -rf \\\"$WORKDIR\\\"/x"] {
        let said = warnings(&format!("ssh_command = {{ command = \"{text}\" }}"));
        assert_eq!(said, ["nothing sets `WORKDIR`: where the host does not, it is empty"], "{text}");
    }
    let condition = "assert = { condition = { command_succeeds = { command = \"test -e $WORKDIR/x\" } } }";
    assert_eq!(warnings(condition).len(), 1);
    for fine in [
        "ssh_command = { command = \"ls $HOME $PATH $USER ${CUDA_VISIBLE_DEVICES} $SLURM_JOB_ID\" }",
        "ssh_command = { command = \"ls $WORKDIR\", env = { WORKDIR = \"/x\" } }",
        "ssh_command = { command = \"WORKDIR=/x; ls $WORKDIR\" }",
        "ssh_command = { command = \"ls ${WORKDIR:-/x} ${WORKDIR:?}\" }",
        "ssh_command = { command = \". ./env.sh; ls $WORKDIR\" }",
        "ssh_command = { command = \"echo '$WORKDIR'\" }",
        "local_command = { command = \"echo $OWN_NAME\" }",
        "ssh_command = { command = \"print('$WORKDIR')\", shell = \"python3\" }",
        "credentials = [\"huggingface\"]\nssh_command = { command = \"echo ${#HF_TOKEN} $HF_TOKEN\" }",
        // What is set before the text begins is not known.
        "ssh_command = { command = \"ls $WORKDIR\", source = [\"~/env.sh\"] }",
        "ssh_command = { command = \"ls $WORKDIR\", login_shell = true }",
        "run_commands = { commands = \"ls $WORKDIR | tee log\", tmux_mode = \"existing\", session_name = \"s\" }",
        "ssh_command = { command = \"ls $MAPFILE $TMUX_PANE $SUDO_USER; [ -n \\\"$WORKDIR\\\" ] && ls $WORKDIR\" }",
    ] {
        assert_eq!(warnings(fine), [""; 0], "{fine}");
    }
    assert_eq!(warnings("ssh_command = { command = \"ls $WORKDIR $WORKDIR\" }").len(), 1);
    let world = Doppio::new();
    world.hosts("[hosts.gpu]\nhostname = \"10.0.0.7\"\nenv = { WORKDIR = \"/x\" }\n");
    world.file("r.toml", steps("[[step]]\nid = \"a\"\nssh_command = { command = \"ls $WORKDIR\" }\n"));
    world.run(["check", "--deny", "warnings", "r.toml"]).expect(0);
}

// case F1
#[test]
fn a_pipe_that_hides_a_failure_is_a_warning() {
    let said = warnings("ssh_command = { command = \"python train.py | tee log\" }");
    assert_eq!(said, ["a failure before `| tee` is not noticed: the pipe ends as `tee` does"]);
    for fine in [
        "ssh_command = { command = \"python train.py | tee log\", pipefail = true }",
        "ssh_command = { command = \"set -o pipefail; python train.py | tee log\" }",
        "ssh_command = { command = \"python train.py | sort\" }",
        "ssh_command = { command = \"echo a | tee log\" }",
        "assert = { condition = { command_succeeds = { command = \"nvidia-smi | grep A100\" } } }",
    ] {
        assert_eq!(warnings(fine), [""; 0], "{fine}");
    }
    let world = Doppio::new();
    let text = "[recipe]\nname = \"r\"\n[defaults]\npipefail = true\n[[step]]\nid = \"a\"\n\
                ssh_command = { command = \"python train.py | tee log\" }\n";
    world.file("r.toml", text);
    world.run(["check", "--deny", "warnings", "r.toml"]).expect(0);
}

// case F1
#[test]
fn keys_of_a_posix_shell_are_refused_elsewhere() {
    for (keys, expected) in [
        (
            "command = \"x\", shell = \"python3\", pipefail = true",
            "`pipefail` of `ssh_command`: has no meaning in `python3`",
        ),
        (
            "command = \"x\", shell = \"python3\", pipefail = true",
            "where `[defaults]` sets it, write `pipefail = false` beside `shell`",
        ),
        ("command = \"x\", shell = \"python3\", source = [\"a\"]", "is for shells, and `python3` is none"),
        (
            "command = \"print('${secret:a/b}')\", shell = \"python3\"",
            "can hold references to secrets and results only for a POSIX shell",
        ),
        ("command = \"x\", shell = \"perl\"", "`perl` takes it by `-e`"),
    ] {
        let said = answer(&format!("ssh_command = {{ {keys} }}"));
        assert!(said.contains(expected), "{keys}: {said}");
    }
    let python = |rest: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[defaults]\npipefail = true\n[[step]]\nid = \"a\"\n\
             local_command = {{ command = \"x\", shell = \"python3\"{rest} }}\n"
        )
    };
    assert!(only(&python("")).contains("`pipefail` of `local_command`: has no meaning in `python3`"));
    fine(&python(", pipefail = false"));
    let said = answer(
        "run_commands = { commands = \"x\", tmux_mode = \"existing\", session_name = \"s\", pipefail = true }",
    );
    assert!(said.contains("has no effect on lines typed into an existing session"), "{said}");
}

// case F6
#[test]
fn a_time_in_another_unit_is_not_renamed() {
    for lines in [
        "timeout-minutes = 5\nssh_command = { command = \"x\" }",
        "ssh_command = { command = \"x\", timeout_minutes = 5 }",
    ] {
        let said = answer(lines);
        assert!(
            said.contains("write `timeout_secs`, in seconds") && !said.contains("timeout_secs = 5"),
            "{said}"
        );
    }
}

// case F9
#[test]
fn windows_newlines_do_not_reach_the_shell() {
    let world = Doppio::new();
    let recipe = "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nlocal_command = { command = \"\"\"\n\
                  for x in 1 2; do\n  echo \"<$x>\"\ndone\n\"\"\" }\n";
    world.file("r.toml", recipe.replace('\n', "\r\n"));
    let ran = world.run(["run", "r.toml"]).expect(0);
    assert!(ran.stderr.contains("| <1>\n") && ran.stderr.contains("| <2>\n"), "{}", ran.stderr);
    world.file("bad.toml", recipe.replace("id =", "idd =").replace('\n', "\r\n"));
    let ran = world.run(["check", "bad.toml"]).expect(2);
    assert!(ran.stderr.contains("bad.toml:4:1"), "{}", ran.stderr);
}

// case H8
#[test]
fn old_recipes_are_told_what_became_of_their_keys() {
    let said = answer("ssh_command = { host_id = \"\", command = \"x\" }");
    assert!(said.contains("`host_id` is empty; leave it out: the step then runs on the target"), "{said}");
    let said = only("[skill]\nname = \"r\"\n[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n");
    assert!(
        said.contains("unknown key `skill` in the recipe; here it is called `recipe`; [recipe]"),
        "{said}"
    );
    let said = answer("operation = { ssh_command = { command = \"x\" } }");
    assert!(said.contains("write `ssh_command = { … }` in the step itself"), "{said}");
    let said = answer("ssh_command = { ... }");
    assert!(said.contains("`...` stands for something that was left out"), "{said}");
}

// case K14
#[test]
fn what_is_not_built_yet_has_a_way_that_works() {
    for (step, way) in [
        (
            "rsync_upload = { local_path = \"a\", remote_path = \"b\" }",
            "copy from here: `local_command = { command = \"rsync",
        ),
        ("notify = { title = \"a\", message = \"b\" }", "call your own tool: `local_command = {"),
        ("http_request = { url = \"a\" }", "call curl: `local_command = {"),
        ("vast_copy = {}", "call its own tool: `local_command = {"),
    ] {
        let said = answer(step);
        assert!(said.contains(way) && !said.contains("can run the tool itself"), "{said}");
    }
}
