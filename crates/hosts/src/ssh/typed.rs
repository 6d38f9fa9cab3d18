//! The `ssh` command that a person types to run something on a host as Doppio would.

use std::fs;
use std::path::Path;

use doppio_text::shell::quote;

use crate::AgentChoice;
use crate::HostSpec;
use crate::ssh::host_key::OWN_FILE;
use crate::ssh::sandbox;

/// The whole line, quoted for a shell of this machine. `state` has the host keys that Doppio learnt.
pub(crate) fn over_ssh(spec: &HostSpec, state: &Path, command: &str) -> String {
    // What runs in the sandbox runs on this machine, and the sandbox ends with its run.
    if spec.name == sandbox::NAME {
        return command.to_owned();
    }
    if spec.rented.is_some() {
        return line(&["doppio", "exec", "--host", &spec.name, "--", command].map(str::to_owned));
    }
    if let Some(config_host) = &spec.config_host {
        let user = format!("{}@{}", spec.user, config_host.name);
        return line(&["ssh".to_owned(), "-p".to_owned(), spec.port.to_string(), user, command.to_owned()]);
    }
    let mut words = client(spec, state);
    words.push(format!("{}@{}", spec.user, spec.hostname));
    words.push(command.to_owned());
    line(&words)
}

/// `ssh` with the options that reach the host.
fn client(spec: &HostSpec, state: &Path) -> Vec<String> {
    let mut words = vec!["ssh".to_owned(), "-p".to_owned(), spec.port.to_string()];
    if spec.identities_named {
        for file in &spec.identity_files {
            words.extend(["-i".to_owned(), file.display().to_string()]);
        }
    }
    let mut option = |name: &str, value: &str| words.extend(["-o".to_owned(), format!("{name}={value}")]);
    for file in &spec.certificate_files {
        option("CertificateFile", &file.display().to_string());
    }
    if spec.identities_only {
        option("IdentitiesOnly", "yes");
    }
    match &spec.agent {
        AgentChoice::Default => {}
        AgentChoice::Socket(path) => option("IdentityAgent", &path.display().to_string()),
        AgentChoice::None => option("IdentityAgent", "none"),
    }
    let learnt = state.join(OWN_FILE);
    if is_kept(&learnt, &spec.identity) {
        option("HostKeyAlias", &spec.identity);
        option("UserKnownHostsFile", &format!("\"{}\"", learnt.display()));
    }
    if let Some(proxy) = &spec.proxy_command {
        option("ProxyCommand", proxy);
    } else if let Some((jump, before)) = spec.jump.split_last() {
        let mut through = jump.clone();
        through.jump = before.to_vec();
        // The outer client replaces what stands for a host and a port, in the inner command too.
        let inner = client(&through, state).into_iter().map(|word| word.replace('%', "%%"));
        let mut way: Vec<String> = inner.collect();
        way.extend(["-W".to_owned(), "[%h]:%p".to_owned(), format!("{}@{}", jump.user, jump.hostname)]);
        option("ProxyCommand", &line(&way));
    }
    words
}

/// Whether a host's key is in the list that Doppio keeps; else the user's own lists have it.
fn is_kept(learnt: &Path, identity: &str) -> bool {
    let lines = fs::read_to_string(learnt).unwrap_or_default();
    lines.lines().any(|line| line.split(' ').next() == Some(identity))
}

fn line(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_reaches_the_host_through_its_jumps() {
        let mut spec = HostSpec::new("gpu", "root", "10.0.0.7", 37487);
        spec.identity = "gpu".to_owned();
        spec.identity_files = vec!["/home/a b/key".into()];
        spec.identities_named = true;
        let state = tempfile::tempdir().unwrap();
        let typed = |spec: &HostSpec| over_ssh(spec, state.path(), "kill -TERM -4242");
        assert_eq!(typed(&spec), "ssh -p 37487 -i '/home/a b/key' root@10.0.0.7 'kill -TERM -4242'");
        spec.identities_named = false;
        let learnt = state.path().join(OWN_FILE);
        fs::write(&learnt, "other ssh-ed25519 AAAA\ngpu ssh-ed25519 AAAA\n").unwrap();
        assert_eq!(
            typed(&spec),
            format!(
                "ssh -p 37487 -o HostKeyAlias=gpu -o 'UserKnownHostsFile=\"{}\"' root@10.0.0.7 'kill -TERM -4242'",
                learnt.display()
            )
        );
        spec.identity = "new".to_owned();
        spec.jump = vec![HostSpec::new("bastion", "me", "example.org", 22)];
        assert_eq!(
            typed(&spec),
            "ssh -p 37487 -o 'ProxyCommand=ssh -p 22 -W '\\''[%h]:%p'\\'' me@example.org' root@10.0.0.7 \
             'kill -TERM -4242'"
        );
        // Each client replaces what stands for a host, in the commands within its own, too.
        spec.jump.insert(0, HostSpec::new("first", "me", "192.0.2.1", 22));
        let line = typed(&spec);
        assert!(line.contains("[%%h]:%%p") && line.contains("[%h]:%p"), "{line}");
    }
}
