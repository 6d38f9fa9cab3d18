//! `doppio completions`.

use clap_complete::Shell;

use crate::cli::error::CliError;
use crate::cli::output;

#[derive(Debug, clap::Args)]
#[command(after_help = "In bash, zsh and fish, hosts, runs, steps and secrets are completed, too.\n\n\
                  Example: doppio completions bash > ~/.local/share/bash-completion/completions/doppio")]
pub(super) struct Args {
    /// The shell to complete in
    shell: Shell,
}

/// Prints them for the whole command line, as clap knows it.
pub(super) fn run(args: &Args, command: clap::Command) -> Result<(), CliError> {
    output::data(&script(args.shell, command))
}

/// The script for a shell.
pub(super) fn script(shell: Shell, mut command: clap::Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "doppio", &mut script);
    script.extend_from_slice(names(shell).as_bytes());
    script
}

/// What asks `doppio complete` for names where clap knows of none.
fn names(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        _ => "",
    }
}

const BASH: &str = r#"
_doppio_kind() {
    case $1 in
        --host) echo hosts; return ;;
        --only|--from|--skip|--step) echo steps; return ;;
    esac
    case $2 in
        ssh|attach|code|forward) [[ $1 == "$2" ]] && echo hosts; return ;;
    esac
    case "$2 $3" in
        "host forget"|"host show"|"host rm"|"host test"|"host trust"|"host probe") echo hosts ;;
        "runs show"|"runs logs"|"runs rm") echo runs ;;
        "secret get"|"secret set"|"secret rm"|"secret mv"|"secret why"|"secret rotate"|"secret history"|"secret rollback") echo secrets ;;
    esac
}

_doppio_or_names() {
    local cur=${COMP_WORDS[COMP_CWORD]} kind
    if [[ $cur != -* ]]; then
        kind=$(_doppio_kind "${COMP_WORDS[COMP_CWORD-1]}" "${COMP_WORDS[1]}" "${COMP_WORDS[2]}")
    fi
    if [[ -n $kind && $COMP_CWORD -gt 1 ]]; then
        # Names may come from a recipe of others: nothing in them is expanded, neither here nor on Enter.
        local name
        COMPREPLY=()
        while IFS= read -r name; do
            [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
        done < <("${COMP_WORDS[0]}" complete "$kind" -- "${COMP_WORDS[@]:1}" 2>/dev/null)
    else
        _doppio "$@"
    fi
}

complete -F _doppio_or_names -o bashdefault -o default doppio
"#;

const ZSH: &str = r#"
_doppio_or_names() {
    local kind
    case $words[CURRENT-1] in
        --host) kind=hosts ;;
        --only|--from|--skip|--step) kind=steps ;;
        ssh|attach|code|forward) [[ $CURRENT -eq 3 ]] && kind=hosts ;;
        *)
            case "$words[2] $words[3]" in
                "host forget"|"host show"|"host rm"|"host test"|"host trust"|"host probe") kind=hosts ;;
                "runs show"|"runs logs"|"runs rm") kind=runs ;;
                "secret get"|"secret set"|"secret rm"|"secret mv"|"secret why"|"secret rotate"|"secret history"|"secret rollback") kind=secrets ;;
            esac ;;
    esac
    if [[ -n $kind && $CURRENT -gt 2 && $words[CURRENT] != -* ]]; then
        compadd -- ${(f)"$($words[1] complete $kind -- ${words[2,-1]} 2>/dev/null)"}
    else
        _doppio "$@"
    fi
}

compdef _doppio_or_names doppio
"#;

const FISH: &str = r"
function __doppio_names
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete $argv[1] -- $words[2..-1] 2>/dev/null
end

complete -c doppio -l host -x -a '(__doppio_names hosts)'
complete -c doppio -n '__fish_seen_subcommand_from run plan' -l only -x -a '(__doppio_names steps)'
complete -c doppio -n '__fish_seen_subcommand_from run plan' -l from -x -a '(__doppio_names steps)'
complete -c doppio -n '__fish_seen_subcommand_from run plan' -l skip -x -a '(__doppio_names steps)'
complete -c doppio -n '__fish_seen_subcommand_from logs' -l step -x -a '(__doppio_names steps)'
complete -c doppio -n '__fish_seen_subcommand_from ssh attach code forward; and __fish_is_nth_token 2' -f -a '(__doppio_names hosts)'
complete -c doppio -n '__fish_seen_subcommand_from host; and __fish_seen_subcommand_from forget show rm test trust probe' -f -a '(__doppio_names hosts)'
complete -c doppio -n '__fish_seen_subcommand_from runs; and __fish_seen_subcommand_from show logs rm' -f -a '(__doppio_names runs)'
complete -c doppio -n '__fish_seen_subcommand_from secret; and __fish_seen_subcommand_from get set rm mv why rotate history rollback' -f -a '(__doppio_names secrets)'
";
