//! Commands in messages are made by `shell::typed`, which quotes their words: no text has one with a value
//! put in by hand.

/// Programs whose commands messages show.
const PROGRAMS: [&str; 24] = [
    "doppio",
    "ssh",
    "ssh-add",
    "ssh-copy-id",
    "ssh-keygen",
    "chmod",
    "chown",
    "rm",
    "ls",
    "kill",
    "tmux",
    "git",
    "vastai",
    "getent",
    "mkdir",
    "pass",
    "op",
    "bw",
    "vault",
    "aws",
    "gcloud",
    "sudo",
    "sed",
    "cat",
];

/// Values in which a shell reads nothing: names of secrets, runs, scopes of git, our own folders and
/// commands.
const PLAIN: [&str; 5] = ["{name}", "{run}", "{scope}", "{folder}", "{command}"];

/// The lines where a text has such a command, counted from 1, and the value.
pub(super) fn by_hand(text: &str) -> Vec<(usize, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    // A path with its `~` left to the shell is quoted by a function of its own.
    let is_let_be = |line: &str| line.trim_start().starts_with("//") || line.contains("_path(");
    let lines = code.lines().enumerate().filter(|(_, line)| !is_let_be(line));
    lines.flat_map(|(index, line)| values(line).map(move |value| (index + 1, value))).collect()
}

fn values(line: &str) -> impl Iterator<Item = String> {
    let is_command = |span: &&str| {
        // `vault = "x"` is a line of a file.
        span.split_once(' ')
            .is_some_and(|(program, rest)| PROGRAMS.contains(&program) && !rest.starts_with('='))
    };
    line.split('`').skip(1).filter(is_command).flat_map(|span| {
        let span = span.replace("{{", "").replace("}}", "");
        let values = span.match_indices('{').map(|(at, _)| span[at..].split_inclusive('}').next());
        let values = values.map(|value| value.unwrap_or_default().to_owned());
        values.filter(|value| !PLAIN.contains(&value.as_str())).collect::<Vec<_>>()
    })
}

// case A7
#[test]
fn a_command_by_hand_is_found() {
    let found = |line: &str| by_hand(line).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(found("format!(\"run `chmod 600 {shown}`\")"), ["{shown}"]);
    assert_eq!(found("\"`x` and `ssh {host} kill {}`\""), ["{host}", "{}"]);
    assert_eq!(found("\"`doppio secret set {name}`, `{path}` and `docker {x}`\""), Vec::<String>::new());
    assert_eq!(found("#[cfg(test)]\n\"`rm {path}`\""), Vec::<String>::new());
}
