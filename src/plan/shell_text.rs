//! What a shell text says of itself that its author may not have meant: warnings.

use std::collections::HashSet;

use doppio_secrets::Environment;
use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::name::EnvName;

use crate::plan::fields::Resolver;
use crate::plan::variables::Named;

/// Variables that a host, its shell or its usual tools set, or that tools look for.
const USUAL: [&str; 60] = [
    "CC",
    "CFLAGS",
    "COLUMNS",
    "COPROC",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "DEBIAN_FRONTEND",
    "DISPLAY",
    "EDITOR",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTFILE",
    "HOME",
    "HOSTNAME",
    "HOSTTYPE",
    "IFS",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LDFLAGS",
    "LIBRARY_PATH",
    "LINENO",
    "LINES",
    "LOGNAME",
    "MACHTYPE",
    "MAIL",
    "MAKEFLAGS",
    "MANPATH",
    "MAPFILE",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "OSTYPE",
    "PAGER",
    "PATH",
    "PIPESTATUS",
    "PKG_CONFIG_PATH",
    "PPID",
    "PS1",
    "PS4",
    "PWD",
    "PYTHONPATH",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "TZ",
    "UID",
    "USER",
    "VIRTUAL_ENV",
    "VISUAL",
];

/// Beginnings of names of the same kinds.
const FAMILIES: [&str; 28] = [
    "BASH",
    "CONDA_",
    "CUDA",
    "DBUS_",
    "DOPPIO_",
    "JUPYTER_",
    "KUBERNETES_",
    "LC_",
    "LSB_",
    "MPI_",
    "NCCL_",
    "NV",
    "OMPI_",
    "OMP_",
    "PBS_",
    "PMI",
    "PYTHON",
    "PYTORCH_",
    "ROCR_",
    "RUNPOD_",
    "SGE_",
    "SLURM_",
    "SSH_",
    "SUDO_",
    "TMUX",
    "TORCH_",
    "VAST_",
    "XDG_",
];

/// What is known of a step whose texts are looked at.
pub(super) struct Texts<'a> {
    /// Names that the texts use and do not set.
    pub unset: &'a [(String, Span)],
    /// Names that the step sends.
    pub sent: &'a [EnvName],
    /// The environment that the step's process has from its parent, if that is known.
    pub inherited: Option<&'a Environment>,
}

impl Resolver<'_> {
    /// Warns of names that nobody sets: a shell puts nothing in their place.
    pub(super) fn warn_of_unset(&mut self, texts: &Texts<'_>) {
        let mut seen = HashSet::new();
        for (name, span) in texts.unset.iter().filter(|(name, _)| seen.insert(name)) {
            let is_known = USUAL.contains(&name.as_str())
                || FAMILIES.iter().any(|family| name.starts_with(family))
                || texts.sent.iter().any(|sent| sent.as_str() == name)
                || self.inputs.host_env.contains(name)
                || texts.inherited.is_some_and(|env| env.get(name).is_some());
            if is_known {
                continue;
            }
            let is_braced = span.len() > name.len() + 1;
            let help = match self.variables.look_up(name) {
                Named::Undefined => format!(
                    "set it in the step's `env`, or write `${{{name}:?}}`, which stops the step where it is empty"
                ),
                // What stands in braces is the recipe's.
                _ if is_braced => continue,
                _ => format!("the recipe has a variable of this name: write `${{{name}}}`"),
            };
            let message = format!("nothing sets `{name}`: where the host does not, it is empty");
            self.fault(Diagnostic::warning("plan::unset-name", message, span.clone()).help(help));
        }
    }

    /// Warns of pipes whose failure nobody would notice.
    pub(super) fn warn_of_pipes(&mut self, pipes: &[(String, Span)]) {
        for (last, span) in pipes {
            let message =
                format!("a failure before `| {last}` is not noticed: the pipe ends as `{last}` does");
            let fault = Diagnostic::warning("plan::hidden-failure", message, span.clone());
            self.fault(fault.help(if last == "head" {
                "add `pipefail = true` to the operation or to `[defaults]`, and write `sed -n 1,5p` in place of \
                 `head -5`: `head` ends what writes to it, which `pipefail` makes a failure"
            } else {
                "add `pipefail = true` to the operation or to `[defaults]`"
            }));
        }
    }
}
