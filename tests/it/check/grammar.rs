//! Faults of the grammar.

use crate::check::faults;
use crate::check::steps;

#[test]
fn syntax_and_what_stands_in_whole_tables() {
    insta::assert_snapshot!(faults(
        "[recipe]\nname = \"r\"\n[target]\ntypo = \"vast\"\n[variables]\nx = \"open\n[[step]]\nid = a\nsleep = { duration_secs = 1 }\n",
    ), @r#"
        error: unknown key `typo` in `[target]`
         --> r.toml:4:1
          |
        4 | typo = "vast"
          | ^^^^
          |
        help: a key with a similar name exists
          |
        4 - typo = "vast"
        4 + type = "vast"
          |

        error: not TOML: invalid basic string
         --> r.toml:6:10
          |
        6 | x = "open
          |          ^ expected `"`

        error: not TOML: string values must be quoted
         --> r.toml:8:6
          |
        8 | id = a
          |      ^ expected literal string

        error: r.toml has 3 errors
        "#);
}

#[test]
fn the_head_and_the_tables() {
    insta::assert_snapshot!(faults(
        "name = \"outside\"\n[recipe]\nname = \" \"\nauthor = \"me\"\n[target]\ntype = \"vats\"\nmin_gpus = -1\n\
         [variables]\nlist = [1]\n[default]\n[[steps]]\nid = \"a\"\n",
    ), @r#"
        error: `name` stands outside of `[recipe]`
         --> r.toml:1:1
          |
        1 | name = "outside"
          | ^^^^
          |
          = help: put `[recipe]` on a line before it

        error: `name` is blank
         --> r.toml:3:8
          |
        3 | name = " "
          |        ^^^

        error: unknown key `author` in `[recipe]`
         --> r.toml:4:1
          |
        4 | author = "me"
          | ^^^^^^
          |
          = help: known keys: `name`, `version`, `description`

        error: `vats` is not a type of target
         --> r.toml:6:8
          |
        6 | type = "vats"
          |        ^^^^^^
          |
        help: write one of `any`, `local`, `vast`, `colab`, `custom`
          |
        6 - type = "vats"
        6 + type = "vast"
          |

        error: `min_gpus` must be a whole number, 0 or more
         --> r.toml:7:12
          |
        7 | min_gpus = -1
          |            ^^ found `-1`

        error: variable `list` must be a string, a number, or `true` or `false`
         --> r.toml:9:8
          |
        9 | list = [1]
          |        ^^^ found a list

        error: unknown key `default` in the recipe
          --> r.toml:10:2
           |
        10 | [default]
           |  ^^^^^^^
           |
        help: a key with a similar name exists
           |
        10 | [defaults]
           |         +

        error: the steps of a recipe are called `step`
          --> r.toml:11:3
           |
        11 | [[steps]]
           |   ^^^^^
           |
        help: write `[[step]]`
           |
        11 - [[steps]]
        11 + [[step]]
           |

        error: r.toml has 8 errors
        "#);
}

#[test]
fn no_head_at_all() {
    insta::assert_snapshot!(faults("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"), @r#"
        error: the recipe has no `[recipe]` table
         --> r.toml:1:1
          |
        1 | [[step]]
          | ^
          |
          = help: begin it with `[recipe]` and `name = "…"`

        error: r.toml has 1 error
        "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "the snapshot is long")]
fn the_keys_that_all_steps_share() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a b\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"c\"\ndepend_on = [\"d\"]\nrun_if = \"alway\"\ntimeout_secs = \"5\"\nwhen = true\n\
         retry = { max_attempts = 2, delay = 5 }\ncontinue_on_failure = \"yes\"\ndurable = true\n\
         credentials = [\"awss\"]\nhosts = \"gpu\"\nmatrix = { lr = 3 }\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"d\"\ndepends_on = \"c\"\nsleep = { duration_secs = 1 }\n",
    )), @r#"
        error: `a b` is not a step id: use letters, digits, `_` and `-`
         --> r.toml:5:6
          |
        5 | id = "a b"
          |      ^^^^^
          |
        help: write this instead
          |
        5 - id = "a b"
        5 + id = "a_b"
          |

        error: the step has no `id`
         --> r.toml:7:1
          |
        7 | [[step]]
          | ^^^^^^^^
          |
          = help: add `id = "…"`: letters, digits, `_` and `-`

        error: unknown key `depend_on` in a step
          --> r.toml:11:1
           |
        11 | depend_on = ["d"]
           | ^^^^^^^^^
           |
        help: a key with a similar name exists
           |
        11 | depends_on = ["d"]
           |       +

        error: `run_if` can't be `alway`
          --> r.toml:12:10
           |
        12 | run_if = "alway"
           |          ^^^^^^^
           |
        help: write `success`, `failure` or `always`
           |
        12 | run_if = "always"
           |                +

        error: `timeout_secs` must be a whole number, 0 or more
          --> r.toml:13:16
           |
        13 | timeout_secs = "5"
           |                ^^^ found a string

        error: `when` must be an expression in a string
          --> r.toml:14:8
           |
        14 | when = true
           |        ^^^^ found `true`
           |
        help: write this instead
           |
        14 - when = true
        14 + when = "true"
           |

        error: unknown key `delay` in `retry`
          --> r.toml:15:29
           |
        15 | retry = { max_attempts = 2, delay = 5 }
           |                             ^^^^^
           |
           = help: known keys: `max_attempts`, `delay_secs`, `backoff_multiplier`, `max_delay_secs`, `jitter`

        error: `continue_on_failure` must be `true` or `false`
          --> r.toml:16:23
           |
        16 | continue_on_failure = "yes"
           |                       ^^^^^ found a string

        error: `durable` is not built yet
          --> r.toml:17:11
           |
        17 | durable = true
           |           ^^^^
           |
           = help: start it with `tmux_new` and follow it with `tmux_wait`: tmux survives a dropped connection

        error: no provider is called `awss`
          --> r.toml:18:16
           |
        18 | credentials = ["awss"]
           |                ^^^^^^
           |
        help: a provider with a similar name exists
           |
        18 - credentials = ["awss"]
        18 + credentials = ["aws"]
           |

        error: `hosts` must be a list of hosts, or a group as in `"@gpu"`
          --> r.toml:19:9
           |
        19 | hosts = "gpu"
           |         ^^^^^
           |
        help: write this instead
           |
        19 - hosts = "gpu"
        19 + hosts = ["gpu"]
           |

        error: `lr` of `matrix` must be a list of values
          --> r.toml:20:17
           |
        20 | matrix = { lr = 3 }
           |                 ^ found `3`

        error: `depends_on` must be a list of strings
          --> r.toml:24:14
           |
        24 | depends_on = "c"
           |              ^^^ found a string
           |
        help: put it in brackets
           |
        24 - depends_on = "c"
        24 + depends_on = ["c"]
           |

        error: r.toml has 13 errors
        "#);
}

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
          = help: add one of `ssh_command`, `run_commands`, `local_command`, `tmux_new`, `tmux_wait`, `tmux_send`, `tmux_capture`, `tmux_kill`, `sleep`, `wait_condition`, `assert`, `set_var`, `group`

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
           = help: step types: `ssh_command`, `run_commands`, `local_command`, `tmux_new`, `tmux_wait`, `tmux_send`, `tmux_capture`, `tmux_kill`, `sleep`, `wait_condition`, `assert`, `set_var`, `group`

        error: step type `hf_download` is not built yet
          --> r.toml:18:1
           |
        18 | hf_download = { repo_id = "x", destination = "y" }
           | ^^^^^^^^^^^
           |
           = help: this version has no steps of that type; `ssh_command` can run the tool itself

        error: `sleep` must be a table
          --> r.toml:21:9
           |
        21 | sleep = 5
           |         ^ found `5`
           |
           = help: a whole one: sleep = { duration_secs = 5 }

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
          |                           ^ found integer `5`

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
          |                                                                                 ^ found integer `1`

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

        error: unknown key `file_exist` in `wait_condition`
          --> r.toml:14:34
           |
        14 | wait_condition = { condition = { file_exist = { path = "x" } } }
           |                                  ^^^^^^^^^^
           |
        help: write one of `file_exists`, `file_contains`, `command_succeeds`, `output_matches`, `var_equals`, `var_matches`, `host_online`, `port_open`, `tmux_alive`, `tmux_exited`, `gpu_available`, `gdrive_mounted`, `not`, `and`, `or`, `always`, `never`
           |
        14 | wait_condition = { condition = { file_exists = { path = "x" } } }
           |                                            +

        error: `outputs` of `run_commands`: `x` is not a regular expression: regex parse error: error: unclosed group
          --> r.toml:17:62
           |
        17 | run_commands = { host_id = "h", commands = "true", outputs = { x = "(" } }
           |                                                              ^^^^^^^^^^^

        error: r.toml has 7 errors
        "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot of every wrong form")]
fn conditions_of_a_wrong_form() {
    let conditions = [
        "{ type = \"file_exists\", path = \"/x\" }",
        "{ type = \"cpu_available\" }",
        "\"file_exists\"",
        "\"alwyas\"",
        "\"epochs > 1\"",
        "{ file_exists = \"/x\" }",
        "{ file_exists = { path = \"/x\" }, host_id = \"h\" }",
        "{ file_exists = { path = \"/x\" }, port_open = { port = 1 } }",
        "{ file_exists = { path = \"/x\", hostid = \"h\" } }",
        "{}",
        "true",
        "{ and = { file_exists = { path = \"/x\" } } }",
        "{ not = [ \"always\" ] }",
        "{ always = true }",
    ];
    let assert = |(number, condition)| {
        format!("[[step]]\nid = \"s{number}\"\nassert = {{ condition = {condition} }}\n")
    };
    let asserts: String = conditions.into_iter().enumerate().map(assert).collect();
    insta::assert_snapshot!(faults(&steps(&asserts)), @r#"
        error: a condition has its kind as its key, and no `type`
         --> r.toml:6:24
          |
        6 | assert = { condition = { type = "file_exists", path = "/x" } }
          |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write `condition = { file_exists = { path = "/x" } }`

        error: a condition has its kind as its key, and no `type`
         --> r.toml:9:24
          |
        9 | assert = { condition = { type = "cpu_available" } }
          |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`; the kinds are `file_exists`, `file_contains`, `command_succeeds`, `output_matches`, `var_equals`, `var_matches`, `host_online`, `port_open`, `tmux_alive`, `tmux_exited`, `gpu_available`, `gdrive_mounted`, `not`, `and`, `or`, `always`, `never`

        error: condition `file_exists` must be a table
          --> r.toml:12:24
           |
        12 | assert = { condition = "file_exists" }
           |                        ^^^^^^^^^^^^^ found its name alone
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: `condition` must be a table whose one key is the kind of condition
          --> r.toml:15:24
           |
        15 | assert = { condition = "alwyas" }
           |                        ^^^^^^^^ found a string
           |
        help: a condition with a similar name exists
           |
        15 - assert = { condition = "alwyas" }
        15 + assert = { condition = "always" }
           |

        error: `condition` must be a table whose one key is the kind of condition
          --> r.toml:18:24
           |
        18 | assert = { condition = "epochs > 1" }
           |                        ^^^^^^^^^^^^ found a string
           |
           = help: write it as in `condition = { var_equals = { name = "answer", value = "yes" } }`; an expression can stand in the step's `when`

        error: condition `file_exists` must be a table
          --> r.toml:21:40
           |
        21 | assert = { condition = { file_exists = "/x" } }
           |                                        ^^^^ found a string
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: what belongs to condition `file_exists` must stand in its table
          --> r.toml:24:24
           |
        24 | assert = { condition = { file_exists = { path = "/x" }, host_id = "h" } }
           |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found `file_exists`, `host_id`
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: a condition has one key, its kind
          --> r.toml:27:24
           |
        27 | assert = { condition = { file_exists = { path = "/x" }, port_open = { port = 1 } } }
           |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found `file_exists`, `port_open`
           |
           = help: write it as in `condition = { and = [{ port_open = { port = 8080 } }, { file_exists = { path = "/workspace/model" } }] }`

        error: unknown key `hostid`
          --> r.toml:30:55
           |
        30 | assert = { condition = { file_exists = { path = "/x", hostid = "h" } } }
           |                                                       ^^^^^^
           |
        help: a key with a similar name exists
           |
        30 | assert = { condition = { file_exists = { path = "/x", host_id = "h" } } }
           |                                                           +

        error: `condition` must be a table whose one key is the kind of condition
          --> r.toml:33:24
           |
        33 | assert = { condition = {} }
           |                        ^^ found an empty table
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: `condition` must be a table whose one key is the kind of condition
          --> r.toml:36:24
           |
        36 | assert = { condition = true }
           |                        ^^^^ found `true`
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: `and` must be a list of conditions
          --> r.toml:39:32
           |
        39 | assert = { condition = { and = { file_exists = { path = "/x" } } } }
           |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found a table
           |
           = help: write it as in `condition = { and = [{ port_open = { port = 8080 } }, { file_exists = { path = "/workspace/model" } }] }`

        error: `not` must be a table whose one key is the kind of condition
          --> r.toml:42:32
           |
        42 | assert = { condition = { not = [ "always" ] } }
           |                                ^^^^^^^^^^^^ found a list
           |
           = help: write it as in `condition = { file_exists = { path = "/workspace/model" } }`

        error: condition `always` takes nothing
          --> r.toml:45:35
           |
        45 | assert = { condition = { always = true } }
           |                                   ^^^^ found `true`
           |
           = help: write it as in `condition = "always"`

        error: r.toml has 14 errors
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
          = help: a whole one: assert = { condition = { file_exists = { path = "/workspace/model" } }, message = "no model" }

        error: `timeout_secs` must be a whole number, 0 or more
          --> r.toml:10:16
           |
        10 | timeout_secs = "5"
           |                ^^^ found a string

        error: a condition has its kind as its key, and no `kind`
          --> r.toml:11:1
           |
        11 | [step.wait_condition.condition]
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: write it as in `condition = { or = [{ port_open = { port = 8080 } }, { port_open = { port = 8081 } }] }`

        error: r.toml has 3 errors
        "#);
}
