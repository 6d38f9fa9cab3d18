//! Faults of the grammar: the document, its tables, the keys that all steps share.

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

        error: the string does not end on its line
         --> r.toml:6:10
          |
        6 | x = "open
          |          ^
          |
          = help: end it with `"`; a text of several lines stands between `"""`

        error: `a` is not a value of TOML: a text needs quotes
         --> r.toml:8:6
          |
        8 | id = a
          |      ^
          |
        help: write this instead
          |
        8 - id = a
        8 + id = "a"
          |

        error: r.toml has 3 errors
        "#);
}

#[test]
fn the_head_and_the_tables() {
    insta::assert_snapshot!(faults(
        "name = \"outside\"\n[recipe]\nname = \" \"\nauthor = \"me\"\n[target]\ntype = \"vats\"\nmin_gpus = -1\n\
         [variables]\nlist = [1]\n[default]\n[[steps]]\nid = \"a\"\n",
    ), @r#"
        error: `name` is outside of `[recipe]`
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

        error: `type` can't be `vats`
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

        error: unknown key `steps` in the recipe
          --> r.toml:11:3
           |
        11 | [[steps]]
           |   ^^^^^
           |
        help: here it is called `step`
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
        help: write one of `success`, `failure`, `always`
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
