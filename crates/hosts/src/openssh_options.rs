//! What an entry of `hosts.toml` without an address adds to the user's own `ssh_config`.

use std::path::Path;

use crate::AgentChoice;
use crate::HostError;
use crate::HostSpec;
use crate::hosts_file::Entry;

/// The options and their values; they come before those of the configuration.
///
/// # Errors
///
/// When the entry has a `jump`, whose hosts the configuration does not know.
pub(crate) fn added(entry: &Entry, spec: &HostSpec) -> Result<Vec<(&'static str, String)>, HostError> {
    if !entry.jump.is_empty() {
        return Err(HostError::new(format!(
            "`{}` can't have a `jump` without a `hostname` where its transport is `openssh`",
            entry.name
        ))
        .hint(format!("write `ProxyJump {}` into ssh_config in its place", entry.jump.join(","))));
    }
    let path = |path: &Path| path.display().to_string().replace('%', "%%");
    let mut options = vec![("User", spec.user.clone()), ("Port", spec.port.to_string())];
    if !entry.identity_files.is_empty() {
        options.extend(spec.identity_files.iter().map(|file| ("IdentityFile", path(file))));
    }
    if !entry.certificate_files.is_empty() {
        options.extend(spec.certificate_files.iter().map(|file| ("CertificateFile", path(file))));
    }
    if let Some(only) = entry.identities_only {
        options.push(("IdentitiesOnly", if only { "yes" } else { "no" }.to_owned()));
    }
    match &spec.agent {
        _ if entry.identity_agent.is_none() => {}
        AgentChoice::Default => options.push(("IdentityAgent", "SSH_AUTH_SOCK".to_owned())),
        AgentChoice::Socket(socket) => options.push(("IdentityAgent", path(socket))),
        AgentChoice::None => options.push(("IdentityAgent", "none".to_owned())),
    }
    if let Some(command) = spec.proxy_command.as_ref().filter(|_| entry.proxy_command.is_some()) {
        options.push(("ProxyCommand", command.replace('%', "%%")));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_entry_says_and_nothing_else_is_added() {
        let mut spec = HostSpec::new("gpu", "me", "gpu", 2222);
        spec.identity_files = vec!["/k/50%".into()];
        let mut entry = Entry { name: "gpu".to_owned(), ..Entry::default() };
        let user_and_port = [("User", "me".to_owned()), ("Port", "2222".to_owned())];
        assert_eq!(added(&entry, &spec).unwrap(), user_and_port);
        entry.identity_files = vec!["/k/50%".to_owned()];
        entry.identities_only = Some(true);
        let more = [("IdentityFile", "/k/50%%".to_owned()), ("IdentitiesOnly", "yes".to_owned())];
        assert_eq!(added(&entry, &spec).unwrap(), [&user_and_port[..], &more].concat());
        entry.jump = vec!["bastion".to_owned()];
        let hint = added(&entry, &spec).unwrap_err().hint.unwrap();
        assert_eq!(hint, "write `ProxyJump bastion` into ssh_config in its place");
    }
}
