//! Faults of names: steps, variables, secrets, hosts.

use crate::check::faults;
use crate::check::steps;

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

        error: step `train` depends on `trian`, but no step has that id
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
           |      --- already a member of this
        ...
        14 | group = { steps = ["a"] }
           |                    ^^^

        error: groups around step `i` contain each other, or are nested more than 32 deep
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
#[expect(clippy::too_many_lines, reason = "the snapshot is long")]
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

        error: `envv.` is not a kind of reference
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

        error: `secrets:` is not a kind of reference
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
        error: secret `hf/token` is not allowed in `when`
         --> r.toml:7:9
          |
        7 | when = "token == 'x'"
          |         ^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, and in `env` and `stdin` of a step that runs one

        error: secret `x/y` is not allowed in `host_id`
         --> r.toml:8:28
          |
        8 | ssh_command = { host_id = "${secret:x/y}", workdir = "/${token}", command = '''
          |                            ^^^^^^^^^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, and in `env` and `stdin` of a step that runs one

        error: secret `hf/token` is not allowed in `workdir`
         --> r.toml:8:56
          |
        8 | ssh_command = { host_id = "${secret:x/y}", workdir = "/${token}", command = '''
          |                                                        ^^^^^^^^ would be visible to others here
          |
          = help: a secret can stand in shell text such as `command`, and in `env` and `stdin` of a step that runs one

        error: a value is not allowed in a here-document whose delimiter is quoted
          --> r.toml:10:1
           |
        10 | ${secret:hf/token}
           | ^^^^^^^^^^^^^^^^^^
           |
           = help: remove the quotes from the delimiter, or pass the value with `env` and read it by that name

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

        error: `when` is not an expression: unexpected end of input, expected expression
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
        error: no host has the tag `nobody`
         --> r.toml:6:9
          |
        6 | hosts = "@nobody"
          |         ^^^^^^^^^
          |
          = help: give hosts `tags = ["nobody"]` in hosts.toml

        error: `b[x]` occurs twice
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

        error: step `d` expands to several steps and has no output of its own
          --> r.toml:23:48
           |
        23 | ssh_command = { host_id = "z", command = "echo ${step.d.output}" }
           |                                                ^^^^^^^^^^^^^^^^
           |
           = help: name one of them, as in `step.d[x].output`

        error: r.toml has 4 errors and 1 warning
        "#);
}
