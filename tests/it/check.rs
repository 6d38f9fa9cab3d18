//! `doppio check` through the real binary: what each fault looks like, all at once, and that no
//! text brings it down.

use std::fmt::Write;
use std::time::Duration;
use std::time::Instant;

use crate::support::doppio::Doppio;

/// What `check` says of a recipe that has faults.
#[track_caller]
fn faults(recipe: &str) -> String {
    let world = Doppio::new();
    world.file("r.toml", recipe);
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

/// A recipe with these steps.
fn steps(steps: &str) -> String {
    format!("[recipe]\nname = \"r\"\n\n{steps}")
}

/// What `check` says of a recipe that has none.
#[track_caller]
fn fine(recipe: &str) {
    let world = Doppio::new();
    world.file("r.toml", recipe);
    let ran = world.run(["check", "--deny", "warnings", "r.toml"]).expect(0);
    assert!(ran.stderr.ends_with("no faults\n"), "{}", ran.stderr);
}

#[test]
fn a_fine_recipe_is_said_to_be_fine() {
    let world = Doppio::new();
    world.file("a.toml", steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "a.toml"]).expect(0);
    assert_eq!(ran.stderr, "a.toml: 1 step, no faults\n");
}

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
fn the_keys_that_all_steps_share() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a b\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"c\"\ndepend_on = [\"d\"]\nrun_if = \"alway\"\ntimeout_secs = \"5\"\nwhen = true\n\
         retry = { max_attempts = 2, delay = 5 }\ncontinue_on_failure = \"yes\"\ndurable = true\n\
         credentials = [\"aws\"]\nhosts = \"gpu\"\nmatrix = { lr = 3 }\nsleep = { duration_secs = 1 }\n\
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

        error: `credentials` is not built yet
          --> r.toml:18:15
           |
        18 | credentials = ["aws"]
           |               ^^^^^^^
           |
           = help: hand the secret over by name: `env = { HF_TOKEN = "${secret:huggingface/token}" }`

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

        error: `condition`: wanted exactly 1 element, found 0 elements
          --> r.toml:14:32
           |
        14 | wait_condition = { condition = { file_exist = { path = "x" } } }
           |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error: `file_exist` can't be `file_exist`
          --> r.toml:14:34
           |
        14 | wait_condition = { condition = { file_exist = { path = "x" } } }
           |                                  ^^^^^^^^^^
           |
        help: write one of `file_exists`, `file_contains`, `command_succeeds`, `output_matches`, `var_equals`, `var_matches`, `host_online`, `port_open`, `tmux_alive`, `tmux_exited`, `gpu_available`, `gdrive_mounted`, `not`, `and`, `or`, `always`, `never`
           |
        14 - wait_condition = { condition = { file_exist = { path = "x" } } }
        14 + wait_condition = { condition = { "file_exists" = { path = "x" } } }
           |

        error: `outputs` of `run_commands`: `x` is not a regular expression: regex parse error: error: unclosed group
          --> r.toml:17:62
           |
        17 | run_commands = { host_id = "h", commands = "true", outputs = { x = "(" } }
           |                                                              ^^^^^^^^^^^

        error: r.toml has 8 errors
        "#);
}

#[test]
fn the_graph() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"train\"\ndepends_on = [\"eval\", \"trian\"]\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"eval\"\ndepends_on = [\"report\"]\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"report\"\ndepends_on = [\"train\"]\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"self\"\ndepends_on = [\"self\"]\nsleep = { duration_secs = 1 }\n",
    )), @r#"
        error: steps depend on each other: train -> eval -> report -> train
          --> r.toml:6:15
           |
         6 | depends_on = ["eval", "trian"]
           |               ^^^^^^
        ...
        10 | depends_on = ["report"]
           |               --------
        ...
        14 | depends_on = ["train"]
           |               -------
           |
           = help: take one of these out of `depends_on`

        error: step `train` depends on `trian`, which no step is called
         --> r.toml:6:23
          |
        6 | depends_on = ["eval", "trian"]
          |                       ^^^^^^^ not a step of this recipe

        error: step `self` depends on itself
          --> r.toml:18:15
           |
        18 | depends_on = ["self"]
           |               ^^^^^^

        error: r.toml has 3 errors
        "#);
}

#[test]
fn groups() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"g\"\ntimeout_secs = 5\ngroup = { steps = [\"a\", \"aa\", \"g\"] }\n\
         [[step]]\nid = \"h\"\nhosts = [\"x\"]\ngroup = { steps = [\"a\"] }\n\
         [[step]]\nid = \"i\"\ngroup = { steps = [\"j\"] }\n\
         [[step]]\nid = \"j\"\ngroup = { steps = [\"i\"] }\n",
    )), @r#"
        warning: `timeout_secs` of group `g` has no effect
         --> r.toml:8:6
          |
        8 | id = "g"
          |      ^^^
          |
          = help: give it to the members

        error: no step is called `aa`
          --> r.toml:10:25
           |
        10 | group = { steps = ["a", "aa", "g"] }
           |                         ^^^^ not a step of this recipe
           |
        help: a step with a similar name exists
           |
        10 - group = { steps = ["a", "aa", "g"] }
        10 + group = { steps = ["a", "a", "g"] }
           |

        error: group `g` has itself as a member
          --> r.toml:10:31
           |
        10 | group = { steps = ["a", "aa", "g"] }
           |                               ^^^

        error: group `h` can't have `hosts` or `matrix`
          --> r.toml:12:6
           |
        12 | id = "h"
           |      ^^^
           |
           = help: give them to its members

        error: step `a` is a member twice, and runs once
          --> r.toml:14:20
           |
         8 | id = "g"
           |      --- a member of this already
        ...
        14 | group = { steps = ["a"] }
           |                    ^^^

        error: groups around step `i` stand in each other, or more than 32 deep
          --> r.toml:16:6
           |
        16 | id = "i"
           |      ^^^

        error: steps depend on each other: i -> j -> i
          --> r.toml:16:6
           |
        16 | id = "i"
           |      ^^^
        ...
        19 | id = "j"
           |      ---
           |
           = help: take one of these out of `depends_on`

        error: r.toml has 6 errors and 1 warning
        "#);
}

#[test]
fn names_in_texts() {
    insta::assert_snapshot!(faults(
        "[recipe]\nname = \"r\"\n[variables]\ndir = \"/x\"\na = \"${b}\"\nb = \"${a}\"\nc = \"${dri}\"\n\
         [[step]]\nid = \"one\"\nrun_commands = { host_id = \"h\", commands = \"echo\", capture_output = \"out\" }\n\
         [[step]]\nid = \"two\"\nrun_commands = { host_id = \"${dri}\", commands = '''\nrm -rf ${dri}/x ${HOME} ${X:-1}\n\
         echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}\n''' }\n",
    ), @r#"
        error: variables refer to each other: a -> b -> a
         --> r.toml:6:6
          |
        6 | b = "${a}"
          |      ^^^^

        error: variable `dri` is not defined
         --> r.toml:7:6
          |
        4 | dir = "/x"
          | --- a similar name
        ...
        7 | c = "${dri}"
          |      ^^^^^^
          |
          = help: did you mean `${dir}`?

        error: variable `dri` is not defined
          --> r.toml:13:29
           |
         4 | dir = "/x"
           | --- a similar name
        ...
        13 | run_commands = { host_id = "${dri}", commands = '''
           |                             ^^^^^^
           |
           = help: did you mean `${dir}`?

        error: variable `dri` is not defined
          --> r.toml:14:8
           |
         4 | dir = "/x"
           | --- a similar name
        ...
        14 | rm -rf ${dri}/x ${HOME} ${X:-1}
           |        ^^^^^^
           |
           = help: did you mean `${dir}`?

        error: step `two` uses a result of `one` and does not depend on it
          --> r.toml:15:6
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |      ^^^^^^^^^^^^^^^^^^
           |
           = help: add `depends_on = ["one"]` to step `two`

        error: no step is called `nope`
          --> r.toml:15:25
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                         ^^^^^^^^^^^^^^^^^^^

        error: a step has no `outptu`
          --> r.toml:15:45
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                                             ^^^^^^^^^^^^^^^^^^
           |
        help: did you mean `${step.one.output}`?
           |
        15 - echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
        15 + echo ${step.one.output} ${step.nope.output} ${step.one.output} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |

        error: step `two` uses variable `out`, and does not depend on `one`, which sets it
          --> r.toml:15:64
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                                                                ^^^^^^
           |
           = help: add `depends_on = ["one"]` to step `two`

        error: the step's matrix has no `lr`
          --> r.toml:15:71
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                                                                       ^^^^^^^^^^^^
           |
           = help: give the step `matrix = { … }`

        error: `envv.` is no kind of reference
          --> r.toml:15:84
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                                                                                    ^^^^^^^^^
           |
        help: did you mean `${env.X}`?
           |
        15 - echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
        15 + echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${env.X} ${secrets:x}
           |

        error: `secrets:` is no kind of reference
          --> r.toml:15:94
           |
        15 | echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
           |                                                                                              ^^^^^^^^^^^^
           |
        help: did you mean `${secret:x}`?
           |
        15 - echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secrets:x}
        15 + echo ${step.one.output} ${step.nope.output} ${step.one.outptu} ${out} ${matrix.lr} ${envv.X} ${secret:x}
           |

        error: r.toml has 11 errors
        "#);
}

#[test]
fn secrets_where_they_may_not_stand() {
    insta::assert_snapshot!(faults(
        "[recipe]\nname = \"r\"\n[variables]\ntoken = \"${secret:hf/token}\"\n\
         [[step]]\nid = \"a\"\nwhen = \"token == 'x'\"\nssh_command = { host_id = \"${secret:x/y}\", \
         workdir = \"/${token}\", command = '''\ncat <<'EOF'\n${secret:hf/token}\nEOF\necho ${secret:a b}\n''' }\n",
    ), @r#"
        error: secret `hf/token` can't stand in `when`
         --> r.toml:7:9
          |
        7 | when = "token == 'x'"
          |         ^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, in `env`, and in `stdin`

        error: secret `x/y` can't stand in `host_id`
         --> r.toml:8:28
          |
        8 | ssh_command = { host_id = "${secret:x/y}", workdir = "/${token}", command = '''
          |                            ^^^^^^^^^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, in `env`, and in `stdin`

        error: secret `hf/token` can't stand in `workdir`
         --> r.toml:8:56
          |
        8 | ssh_command = { host_id = "${secret:x/y}", workdir = "/${token}", command = '''
          |                                                        ^^^^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, in `env`, and in `stdin`

        error: a value can't stand in a here-document whose delimiter is quoted
          --> r.toml:10:1
           |
        10 | ${secret:hf/token}
           | ^^^^^^^^^^^^^^^^^^
           |
           = help: take the quotes off the delimiter, or hand the value over with `env` and read it by that name

        error: `a b` is not a secret name: use letters, digits, `_`, `-`, `.` and `/`, as in `huggingface/token`
          --> r.toml:12:6
           |
        12 | echo ${secret:a b}
           |      ^^^^^^^^^^^^^
           |
           = help: write `${secret:NAME}`, as in `${secret:huggingface/token}`

        error: r.toml has 5 errors
        "#);
}

#[test]
fn conditions() {
    insta::assert_snapshot!(faults(
        "[recipe]\nname = \"r\"\n[variables]\nmode = \"full\"\n\
         [[step]]\nid = \"a\"\nwhen = \"mode = 'full'\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"b\"\nwhen = \"moed == 'full'\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"c\"\nwhen = \"${mode} == 'full'\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"d\"\nwhen = \"steps.a.stats == 'x'\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"e\"\nwhen = \"steps.a.status == 'success'\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"f\"\nwhen = \"mode ==\"\nsleep = { duration_secs = 1 }\n\
         [[step]]\nid = \"g\"\nwhen = \" \"\nsleep = { duration_secs = 1 }\n",
    ), @r#"
        error: `=` has no meaning in an expression
         --> r.toml:7:14
          |
        7 | when = "mode = 'full'"
          |              ^
          |
          = help: compare with `==`

        error: variable `moed` is not defined
          --> r.toml:11:9
           |
         4 | mode = "full"
           | ---- a similar name
        ...
        11 | when = "moed == 'full'"
           |         ^^^^
           |
           = help: did you mean `${mode}`?

        error: `when` is either one `${…}` or an expression
          --> r.toml:15:8
           |
        15 | when = "${mode} == 'full'"
           |        ^^^^^^^^^^^^^^^^^^^
           |
           = help: write names without `${…}`, as in `mode == "full" and not dry`

        error: a step has no `stats`
          --> r.toml:19:9
           |
        19 | when = "steps.a.stats == 'x'"
           |         ^^^^^^^^^^^^^
           |
           = help: write `steps.ID.status`, `.exit_code`, `.output`, `.stderr` or `.outputs.NAME`

        error: step `e` uses a result of `a` and does not depend on it
          --> r.toml:23:9
           |
        23 | when = "steps.a.status == 'success'"
           |         ^^^^^^^^^^^^^^
           |
           = help: add `depends_on = ["a"]` to step `e`

        error: `when` is no expression: unexpected end of input, expected expression
          --> r.toml:27:9
           |
        27 | when = "mode =="
           |         ^^^^^^^

        error: `when` is blank
          --> r.toml:31:9
           |
        31 | when = " "
           |         ^
           |
           = help: leave it out, or write an expression

        error: r.toml has 7 errors
        "#);
}

#[test]
fn places() {
    insta::assert_snapshot!(faults(&steps(
        "[[step]]\nid = \"a\"\nhosts = \"@nobody\"\nssh_command = { command = \"true\" }\n\
         [[step]]\nid = \"b\"\nhosts = [\"x\", \"x\"]\nssh_command = { command = \"true\" }\n\
         [[step]]\nid = \"c\"\nhosts = [\"-o\"]\nssh_command = { command = \"true\" }\n\
         [[step]]\nid = \"d\"\nhosts = [\"x\", \"y\"]\nssh_command = { host_id = \"z\", command = \"true\" }\n\
         [[step]]\nid = \"e\"\ndepends_on = [\"d\"]\nssh_command = { host_id = \"z\", command = \"echo ${step.d.output}\" }\n",
    )), @r#"
        error: no host bears the tag `nobody`
         --> r.toml:6:9
          |
        6 | hosts = "@nobody"
          |         ^^^^^^^^^
          |
          = help: give hosts `tags = ["nobody"]` in hosts.toml

        error: `b[x]` is there twice
         --> r.toml:9:6
          |
        9 | id = "b"
          |      ^^^
          |
          = help: name each host and each value of `matrix` once

        error: `-o` is not a host: use a name of hosts.toml, `local`, `sandbox`, `user@host:port`, or a name of ssh_config
          --> r.toml:14:10
           |
        14 | hosts = ["-o"]
           |          ^^^^

        warning: each of the `hosts` of step `d` runs on `z`, which its `host_id` names
          --> r.toml:17:6
           |
        17 | id = "d"
           |      ^^^
           |
           = help: leave `host_id` out, or write `host_id = "${host}"`

        error: step `d` stands for several and has no output of its own
          --> r.toml:23:48
           |
        23 | ssh_command = { host_id = "z", command = "echo ${step.d.output}" }
           |                                                ^^^^^^^^^^^^^^^^
           |
           = help: name one of them, as in `step.d[x].output`

        error: r.toml has 4 errors and 1 warning
        "#);
}

#[test]
fn warnings_are_denied_when_asked() {
    let world = Doppio::new();
    let step = "[[step]]\nid = \"a\"\ntimeout_secs = 0\nretry = { max_attempts = 0 }\nsleep = { duration_secs = 1 }\n";
    world.file("r.toml", steps(step));
    insta::assert_snapshot!(world.run(["check", "r.toml"]).expect(0).stderr, @r#"
        warning: `timeout_secs` is 0, which means no deadline
         --> r.toml:6:16
          |
        6 | timeout_secs = 0
          |                ^
          |
          = help: leave it out, or give a number of seconds

        warning: `max_attempts` counts the first attempt too; 0 is taken as 1
         --> r.toml:7:26
          |
        7 | retry = { max_attempts = 0 }
          |                          ^
          |
        help: write 1, or leave `retry` out
          |
        7 - retry = { max_attempts = 0 }
        7 + retry = { max_attempts = 1 }
          |

        warning: r.toml has 2 warnings
        "#);
    assert!(
        world.run(["check", "--deny", "warnings", "r.toml"]).expect(2).stderr.contains("r.toml has 2 errors")
    );
}

#[test]
fn json_has_one_fault_a_line() {
    let world = Doppio::new();
    world.file("r.toml", steps("[[step]]\nid = \"a\"\nslep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "--output", "json", "r.toml"]).expect(2);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.stdout, @r#"
        {"schema":1,"file":"r.toml","line":6,"column":1,"severity":"error","code":"recipe::unknown-operation","message":"no step type is called `slep`","primary":{"span":{"start":39,"end":43},"text":""},"others":[],"help":"a step type with a similar name exists","edit":{"span":{"start":39,"end":43},"replacement":"sleep"}}
        "#);
}

#[test]
fn several_recipes_are_all_checked() {
    let world = Doppio::new();
    world.file("bad.toml", steps("[[step]]\nid = \"a\"\n"));
    world.file("fine.toml", steps("[[step]]\nid = \"a\"\nsleep = { duration_secs = 1 }\n"));
    let ran = world.run(["check", "bad.toml", "fine.toml"]).expect(2);
    assert!(ran.stderr.contains("bad.toml has 1 error\n"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("fine.toml: 1 step, no faults\n"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_not_there_or_no_text() {
    let world = Doppio::new();
    insta::assert_snapshot!(world.run(["check", "nope.toml"]).expect(2).stderr, @r#"
        error: cannot read `nope.toml`
          cause: No such file or directory (os error 2)
        "#);
    world.file("bytes.toml", b"[recipe]\nname = \"\xff\"\n");
    insta::assert_snapshot!(world.run(["check", "bytes.toml"]).expect(2).stderr, @r#"
        error: not UTF-8
         --> bytes.toml:2:9
          |
        2 | name = "�"
          |         ^

        error: bytes.toml has 1 error
        "#);
}

#[test]
fn what_the_first_doppio_read_is_read() {
    fine(
        "\u{feff}[recipe]\nname = \"old\"\nversion = \"1\"\ndescription = \"d\"\n\
          [target]\ntype = \"custom\"\nmin_gpus = 1\nmin_memory_gb = 16\ngpu_type = \"RTX\"\n\
          [variables]\nflag = \"true\"\nhost = \"h\"\n\
          [[step]]\nid = \"a\"\nname = \"A\"\nwhen = \"${flag}\"\nretry = {}\ntimeout_secs = 5\n\
          continue_on_failure = true\nrun_commands = { host_id = \"${host}\", commands = \"\"\"\necho ${HOME}\n\"\"\", \
          tmux_mode = \"none\", env = { A = \"b\" }, capture_output = \"x\", }\n\
          [[step]]\nid = \"b\"\ndepends_on = [\"a\"]\n[step.wait_condition]\ntimeout_secs = 3\n\
          [step.wait_condition.condition]\nand = [\"always\", { not = \"never\" }, { var_equals = { name = \"x\", value = \"\" } }]\n\
          [[step]]\nid = \"c\"\ngroup.mode = \"parallel\"\ngroup.steps = [\"d\"]\n\
          [[step]]\nid = \"d\"\nssh_command = { host_id = \"${target}\", command = \"true\" }\n",
    );
}

/// Runs `check` on a text and gives its code; it must answer, in time.
fn answers(name: &str, text: &[u8]) -> i32 {
    let world = Doppio::new();
    world.file("r.toml", text);
    let begin = Instant::now();
    let ran = world.run(["check", "r.toml"]);
    assert!(matches!(ran.code, 0 | 2), "{name}: {} {}", ran.code, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{name}: {}", ran.stderr);
    assert!(begin.elapsed() < Duration::from_secs(180), "{name} took {:?}", begin.elapsed());
    ran.code
}

#[test]
fn a_hundred_thousand_steps() {
    let mut recipe = steps("");
    for step in 0..100_000 {
        write!(recipe, "[[step]]\nid = \"s{step}\"\nlocal_command = {{ command = \"echo {step}\" }}\n")
            .unwrap();
        if let Some(before) = usize::checked_sub(step, 1) {
            writeln!(recipe, "depends_on = [\"s{before}\"]").unwrap();
        }
    }
    assert_eq!(answers("a chain", recipe.as_bytes()), 0);
    recipe.push_str("[[step]]\nid = \"last\"\nsleep = {}\n");
    assert_eq!(answers("a chain with a fault", recipe.as_bytes()), 2);
}

#[test]
fn ten_megabytes_in_one_text() {
    let command = "echo ${secret:a/b} 'x' \\\n".repeat(10_000_000 / 26);
    let recipe = steps(&format!("[[step]]\nid = \"a\"\nlocal_command = {{ command = '''{command}''' }}\n"));
    assert!(matches!(answers("a long command", recipe.as_bytes()), 0 | 2));
}

#[test]
fn deep_nesting_and_long_chains() {
    for (name, text) in [
        ("brackets", format!("x = {}", "[".repeat(100_000))),
        ("braces", format!("x = {}", "{a=".repeat(100_000))),
        ("heads", "[".repeat(100_000)),
        ("dots", format!("a{} = 1", ".a".repeat(100_000))),
        ("table", format!("[a{}]", ".a".repeat(100_000))),
        (
            "not",
            steps(&format!(
                "[[step]]\nid = \"a\"\nwhen = \"{}true\"\nsleep = {{}}\n",
                "not ".repeat(100_000)
            )),
        ),
        (
            "parentheses",
            steps(&format!("[[step]]\nid = \"a\"\nwhen = \"{}\"\nsleep = {{}}\n", "(".repeat(900))),
        ),
        (
            "nots",
            steps(&format!("[[step]]\nid = \"a\"\nwhen = \"{}true\"\nsleep = {{}}\n", "not ".repeat(200))),
        ),
    ] {
        assert_eq!(answers(name, text.as_bytes()), 2, "{name}");
    }
}

#[test]
fn variables_that_grow_without_end() {
    let mut recipe = "[recipe]\nname = \"r\"\n[variables]\nv0 = \"ha\"\n".to_owned();
    for n in 1..200 {
        writeln!(recipe, "v{n} = \"${{v{0}}}${{v{0}}}\"", n - 1).unwrap();
    }
    assert_eq!(answers("doubling", recipe.as_bytes()), 2);
    let mut recipe = "[recipe]\nname = \"r\"\n[variables]\nv0 = \"ha\"\n".to_owned();
    for n in 1..50_000 {
        writeln!(recipe, "v{n} = \"${{v{}}}\"", n - 1).unwrap();
    }
    assert_eq!(answers("a chain", recipe.as_bytes()), 0);
}
