//! Faults of conditions' forms.

use crate::check::faults;
use crate::check::steps;

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
        error: a condition's key is its kind; it has no `type`
         --> r.toml:6:24
          |
        6 | assert = { condition = { type = "file_exists", path = "/x" } }
          |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write `condition = { file_exists = { path = "/x" } }`

        error: a condition's key is its kind; it has no `type`
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
           |                        ^^^^^^^^^^^^^ found only its name
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

        error: the keys of condition `file_exists` belong in its table
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

        error: unknown key `hostid` in `file_exists`
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

        error: condition `always` takes no value
          --> r.toml:45:35
           |
        45 | assert = { condition = { always = true } }
           |                                   ^^^^ found `true`
           |
           = help: write it as in `condition = "always"`

        error: r.toml has 14 errors
        "#);
}
