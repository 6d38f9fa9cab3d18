//! Changing hosts.toml: the rest of it stays as the user wrote it.

use doppio_hosts::HostsFile;
use doppio_text::Source;
use doppio_text::closest;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::OrWorld;
use crate::cli::load;
use crate::cli::replaced_file::replace;
use crate::config::Dirs;

/// Puts what `change` makes of the file in its place, if that is well-formed; gives the file's path.
pub(super) fn hosts_toml(
    context: &Context,
    host: &str,
    change: impl FnOnce(&str) -> Option<String>,
) -> Result<String, CliError> {
    let hosts = load::hosts(context)?;
    let path = Dirs::new(&context.env, &context.home).hosts_toml();
    let shown = path.display().to_string();
    let unknown = || {
        let error = CliError::usage(format!("{shown} has no host `{host}`"));
        let names = hosts.names();
        match closest(host, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`doppio host list` shows those that it has"),
        }
    };
    if !hosts.names().iter().any(|name| name == host) {
        return Err(unknown());
    }
    let source = load::read(&path)?;
    let text = change(source.text()).ok_or_else(unknown)?;
    if let Err(faults) = HostsFile::parse(&Source::new(shown.clone(), text.clone())) {
        let said = faults.into_iter().map(|fault| fault.message);
        return Err(said.fold(CliError::usage(format!("{shown} stays as it is")), CliError::cause));
    }
    replace(&path, &text).or_world(format!("cannot write {shown}"))?;
    Ok(shown)
}
