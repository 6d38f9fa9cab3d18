//! What people type who come from other tools, and commands that are not built yet: what to use.

use std::ffi::OsString;

use clap::error::ErrorKind;

/// What was typed, word by word, and what to use.
const TIPS: [(&[&str], &str); 34] = [
    (
        &["init", "new"],
        "write a recipe by hand: docs/recipe.md begins with one, and `doppio check FILE` says what it lacks",
    ),
    (&["graph", "dag"], "`doppio plan RECIPE` lists the steps in order, each with those it waits for"),
    (&["shell", "connect"], "`doppio ssh HOST` opens a session"),
    (&["tunnel", "port-forward", "expose"], "`doppio forward HOST PORT` opens a port of a host here"),
    (&["logs", "log", "tail"], "`doppio runs logs` prints what the steps of the newest run printed"),
    (&["ls", "list", "history"], "`doppio runs list`, `doppio host list` or `doppio secret list`"),
    (&["show", "status", "info"], "`doppio runs show` shows the newest run"),
    (&["watch", "follow"], "`doppio runs show` shows how the newest run stands"),
    (
        &["config", "settings"],
        "settings stand in config.toml and in a project's doppio.toml; `doppio doctor` says what is wrong with them",
    ),
    (
        &["sh"],
        "`doppio exec --host HOST -- COMMAND` runs a command on a host, `doppio secret exec` one here with secrets",
    ),
    (
        &["cp", "copy", "sync", "upload", "download", "rsync"],
        "copy in a recipe: `local_command = { command = \"rsync -a data/ HOST:data/\" }`",
    ),
    (&["resume", "retry", "rerun", "continue"], "run the rest again: `doppio run RECIPE --from STEP`"),
    (
        &["cancel", "stop", "kill", "abort"],
        "press Ctrl-C where the run was started: it ends what runs on the hosts, too",
    ),
    (
        &["validate", "lint", "verify", "fmt"],
        "`doppio check RECIPE` reports everything that is wrong with it",
    ),
    (&["start", "up", "apply", "launch", "exec-recipe", "play"], "`doppio run RECIPE` runs it"),
    (&["dry-run", "preview", "diff", "explain"], "`doppio plan RECIPE` shows what a run would do"),
    (&["login", "auth", "set"], "`doppio secret set NAME` stores a secret"),
    (&["get"], "`doppio secret get NAME --reveal` prints a secret"),
    (&["scan", "leaktest"], "`doppio secret scan` searches for secrets that lie open"),
    (
        &["trust", "forget"],
        "`doppio host trust HOST owned` says how far it is trusted, `doppio host forget HOST` forgets its key",
    ),
    (
        &["test", "ping", "probe"],
        "`doppio host test HOST` connects and logs in, `doppio host probe HOST` examines it",
    ),
    (&["ui", "web", "serve"], "the page is not built yet; `doppio runs show --json` is for programs"),
    (&["man", "manual"], "`doppio help COMMAND` prints the manual of a command"),
    (&["schema"], "docs/recipe.md has the tables of all keys"),
    (
        &["env", "vars"],
        "`doppio secret export` prints secrets as environment; variables of a recipe are set by `--var NAME=VALUE`",
    ),
    (&["vault"], "`doppio secret set NAME --in file` makes the encrypted file for secrets"),
    (&["update", "upgrade", "self-update"], "install the new version over the old one, as you installed it"),
    (
        &["runs watch", "runs follow", "runs tail"],
        "`doppio runs show` shows how it stands, and the folder with its logs: `tail -f FOLDER/steps/*.log`",
    ),
    (
        &["runs cancel", "runs stop", "runs kill"],
        "press Ctrl-C where the run was started: it ends what runs on the hosts, too",
    ),
    (&["runs resume", "runs retry"], "run the rest again: `doppio run RECIPE --from STEP`"),
    (&["host remove", "host delete", "host del"], "`doppio host rm HOST` removes it from hosts.toml"),
    (
        &["host edit", "host rename", "host set"],
        "hosts stand in hosts.toml, a table `[hosts.NAME]` each: edit that file; `doppio doctor` says where it is",
    ),
    (
        &["host ping", "host check"],
        "`doppio host test HOST` connects and logs in, `doppio host probe HOST` examines it",
    ),
    (&["secret add", "secret create", "secret put", "secret write"], "`doppio secret set NAME` stores one"),
];

/// What to say below clap's own error, if the words typed are among those.
pub(super) fn tip(error: &clap::Error, arguments: &[OsString]) -> Option<&'static str> {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let first = words.next()?;
    let second = words.next().unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let both = format!("{first} {second}");
            let is_meant = |typed: &&str| *typed == first || *typed == both;
            TIPS.iter().find(|(typed, _)| typed.iter().any(is_meant)).map(|(_, tip)| *tip)
        }
        ErrorKind::UnknownArgument if first == "runs" && second == "logs" => {
            let follows = |word: &OsString| word == "-f" || word == "--follow";
            arguments.iter().any(follows).then_some(
                "`doppio runs show` prints the run's folder: `tail -f FOLDER/steps/*.log` follows its logs",
            )
        }
        _ => None,
    }
}
