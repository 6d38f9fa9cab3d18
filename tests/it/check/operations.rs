//! Faults of what a step does.

use doppio_test_support::Doppio;

use crate::check::faults;
use crate::check::steps;

#[test]
fn what_a_step_does() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"none\"\n\
         [[step]]\nid = \"two\"\nsleep = { duration_secs = 1 }\nset_var = { name = \"x\", value = \"y\" }\n\
         [[step]]\nid = \"typo\"\nssh_comand = { command = \"true\" }\n\
         [[step]]\nid = \"far\"\nquux = { command = \"true\" }\n\
         [[step]]\nid = \"later\"\nhf_download = { repo_id = \"x\", destination = \"y\" }\n\
         [[step]]\nid = \"twice\"\nsleep = 5\n\
         [[step]]\nid = \"twice\"\nsleep = { duration_secs = 1 }\n",
    )), @r#"
        error: the step does nothing
         --> r.toml:5:6
          |
        5 | id = "none"
          |      ^^^^^^ no step type
          |
          = help: add one of `ssh_command`, `run_commands`, `local_command`, `tmux_new`, `tmux_wait`, `tmux_send`, `tmux_capture`, `tmux_kill`, `machine_create`, `machine_start`, `machine_stop`, `machine_destroy`, `vast_create`, `vast_start`, `vast_stop`, `vast_destroy`, `sleep`, `wait_condition`, `assert`, `set_var`, `group`

        error: a step does one thing, and this has both `sleep` and `set_var`
         --> r.toml:9:1
          |
        8 | sleep = { duration_secs = 1 }
          | ----- the first
        9 | set_var = { name = "x", value = "y" }
          | ^^^^^^^
          |
          = help: make two steps of them

        error: no step type is called `ssh_comand`
          --> r.toml:12:1
           |
        12 | ssh_comand = { command = "true" }
           | ^^^^^^^^^^
           |
        help: a step type with a similar name exists
           |
        12 | ssh_command = { command = "true" }
           |        +

        error: no step type is called `quux`
          --> r.toml:15:1
           |
        15 | quux = { command = "true" }
           | ^^^^
           |
           = help: step types: `ssh_command`, `run_commands`, `local_command`, `tmux_new`, `tmux_wait`, `tmux_send`, `tmux_capture`, `tmux_kill`, `machine_create`, `machine_start`, `machine_stop`, `machine_destroy`, `vast_create`, `vast_start`, `vast_stop`, `vast_destroy`, `sleep`, `wait_condition`, `assert`, `set_var`, `group`

        error: step type `hf_download` is not built yet
          --> r.toml:18:1
           |
        18 | hf_download = { repo_id = "x", destination = "y" }
           | ^^^^^^^^^^^
           |
           = help: until it is, load it there: `ssh_command = { command = "hf download REPO", env = { HF_TOKEN = "${secret:huggingface/token}" } }`

        error: `sleep` must be a table
          --> r.toml:21:9
           |
        21 | sleep = 5
           |         ^ found `5`
           |
           = help: a complete example: sleep = { duration_secs = 5 }

        error: two steps are called `twice`
          --> r.toml:23:6
           |
        20 | id = "twice"
           |      ------- first here
        ...
        23 | id = "twice"
           |      ^^^^^^^ again here

        error: r.toml has 7 errors
        "#);
}

#[test]
fn all_that_is_wrong_with_one_operation() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a\"\nssh_command = { host_id = 5, comand = \"echo\", timeout_secs = \"abc\", \
         env = { A = 1, B = \"ok\" } }\n\
         [[step]]\nid = \"b\"\n[step.tmux_new]\nsession_name = \"s\"\nif_exists = \"reus\"\n\
         [[step]]\nid = \"c\"\nwait_condition = { condition = { file_exist = { path = \"x\" } } }\n\
         [[step]]\nid = \"d\"\nrun_commands = { host_id = \"h\", commands = \"true\", outputs = { x = \"(\" } }\n",
    )), @r#"
        error: `host_id` must be a string
         --> r.toml:6:27
          |
        6 | ssh_command = { host_id = 5, comand = "echo", timeout_secs = "abc", env = { A = 1, B = "ok" } }
          |                           ^ found `5`

        error: unknown key `comand` in `ssh_command`
         --> r.toml:6:30
          |
        6 | ssh_command = { host_id = 5, comand = "echo", timeout_secs = "abc", env = { A = 1, B = "ok" } }
          |                              ^^^^^^
          |
        help: a key with a similar name exists
          |
        6 | ssh_command = { host_id = 5, command = "echo", timeout_secs = "abc", env = { A = 1, B = "ok" } }
          |                                 +

        error: `timeout_secs` must be a whole number, 0 or more
         --> r.toml:6:62
          |
        6 | ssh_command = { host_id = 5, comand = "echo", timeout_secs = "abc", env = { A = 1, B = "ok" } }
          |                                                              ^^^^^ found a string

        error: `A` must be a string
         --> r.toml:6:81
          |
        6 | ssh_command = { host_id = 5, comand = "echo", timeout_secs = "abc", env = { A = 1, B = "ok" } }
          |                                                                                 ^ found `1`

        error: `if_exists` can't be `reus`
          --> r.toml:11:13
           |
        11 | if_exists = "reus"
           |             ^^^^^^
           |
        help: write one of `error`, `reuse`, `replace`
           |
        11 | if_exists = "reuse"
           |                  +

        error: no condition is called `file_exist`
          --> r.toml:14:34
           |
        14 | wait_condition = { condition = { file_exist = { path = "x" } } }
           |                                  ^^^^^^^^^^
           |
        help: a condition with a similar name exists
           |
        14 | wait_condition = { condition = { file_exists = { path = "x" } } }
           |                                            +

        error: `outputs` of `run_commands`: `x` is not a regular expression: regex parse error: error: unclosed group
          --> r.toml:17:68
           |
        17 | run_commands = { host_id = "h", commands = "true", outputs = { x = "(" } }
           |                                                                    ^^^

        error: r.toml has 7 errors
        "#);
}

#[test]
fn operations_with_a_condition_of_a_wrong_form() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a\"\nassert = \"x\"\n\
         [[step]]\nid = \"b\"\n[step.wait_condition]\ntimeout_secs = \"5\"\n[step.wait_condition.condition]\nkind = \"or\"\nof = [\n]\n",
    )), @r#"
        error: `assert` must be a table
         --> r.toml:6:10
          |
        6 | assert = "x"
          |          ^^^ found a string
          |
          = help: a complete example: assert = { condition = { file_exists = { path = "/workspace/model" } }, message = "no model" }

        error: `timeout_secs` must be a whole number, 0 or more
          --> r.toml:10:16
           |
        10 | timeout_secs = "5"
           |                ^^^ found a string

        error: a condition's key is its kind; it has no `kind`
          --> r.toml:11:1
           |
        11 | [step.wait_condition.condition]
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: write it as in `condition = { or = [{ port_open = { port = 8080 } }, { port_open = { port = 8081 } }] }`

        error: r.toml has 3 errors
        "#);
}

#[test]
fn what_a_step_printed_is_not_typed_into_a_shell() {
    let recipe = |keys: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"a\"\nlocal_command = {{ command = \"true\", capture_output = \"c\" }}\n\
             [[step]]\nid = \"b\"\ndepends_on = [\"a\"]\ntmux_send = {{ host_id = \"gpu\", session_name = \"s\", keys = \"{keys}\" }}\n"
        )
    };
    for (keys, code) in
        [("echo ${step.a.output}", 2), ("echo ${c}", 2), ("echo ${c|q}", 0), ("echo $HOME", 0)]
    {
        let doppio = Doppio::new();
        doppio.file("r.toml", recipe(keys));
        let said = doppio.run(["check", "r.toml"]).expect(code).stderr;
        assert_eq!(said.contains("is typed into a shell"), code == 2, "{keys}: {said}");
    }
}

#[test]
fn ports_belong_to_steps_with_a_host() {
    let doppio = Doppio::new();
    let check = |more: &str| {
        doppio.recipe(&format!("[[step]]\nid = \"a\"\n{more}\n"));
        let ran = doppio.run(["check", "recipe.toml"]);
        (ran.code, ran.stderr)
    };
    let ssh = "ssh_command = { host_id = \"gpu\", command = \"true\" }";
    assert_eq!(check(&format!("forward = [6006, \"8888:db:80\", \"0:localhost:1\"]\n{ssh}")).0, 0);
    for (text, said) in [
        (format!("forward = \"6006:\"\n{ssh}"), "`6006:` is not a forwarded port"),
        (format!("forward = 70000\n{ssh}"), "`70000` is not a forwarded port"),
        (
            "forward = 6006\nsleep = { duration_secs = 1 }".to_owned(),
            "the step has no host whose ports could be open",
        ),
        (
            "hosts = [\"gpu-a\", \"gpu-b\"]\nforward = 6006\nssh_command = { command = \"true\" }".to_owned(),
            "only one of the steps can have this port",
        ),
    ] {
        let (code, stderr) = check(&text);
        assert!(code == 2 && stderr.contains(said), "{text}: {stderr}");
    }
    doppio.recipe(&format!("[[step]]\nid = \"a\"\nforward = 6006\n{ssh}\n"));
    doppio.hosts("[hosts.gpu]\nhostname = \"192.0.2.7\"\nuser = \"root\"\n");
    let plan = doppio.run(["plan", "recipe.toml"]).expect(0).stdout;
    assert!(plan.contains("forward 6006:localhost:6006"), "{plan}");
}
