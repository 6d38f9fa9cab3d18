//! `--host H`, `--host @TAG`, `--host A,B`: the hosts that a command is for.

use std::collections::HashSet;

use doppio_hosts::HostsFile;
use doppio_text::name::HostId;
use doppio_text::name::InvalidName;

use crate::cli::error::CliError;

/// The hosts, each once, and whether one was named as such.
pub(super) fn named(texts: &[String], hosts: &HostsFile) -> Result<(Vec<HostId>, bool), CliError> {
    let mut all: Vec<HostId> = Vec::new();
    let mut is_one = texts.len() == 1;
    for text in texts {
        // A vendor's command may have commas of its own.
        let parts: Vec<&str> =
            if text.starts_with("ssh ") { vec![text] } else { text.split(',').map(str::trim).collect() };
        is_one &= parts.len() == 1;
        for part in parts {
            let Some(tag) = part.strip_prefix('@') else {
                let host = part.parse();
                all.push(host.map_err(|error: InvalidName| CliError::usage(format!("`--host`: {error}")))?);
                continue;
            };
            is_one = false;
            let tagged = hosts.tagged(tag);
            if tagged.is_empty() {
                return Err(CliError::usage(format!("no host has the tag `{tag}`"))
                    .hint(format!("give hosts `tags = [\"{tag}\"]` in {}", hosts.path())));
            }
            all.extend(tagged.iter().filter_map(|name| name.parse().ok()));
        }
    }
    let mut seen = HashSet::new();
    all.retain(|host| seen.insert(host.clone()));
    Ok((all, is_one))
}

#[cfg(test)]
mod tests {
    use doppio_text::Source;

    use super::*;

    #[test]
    fn hosts_are_named_one_by_one_or_by_their_tag() {
        let text = "[hosts.a]\nhostname = \"192.0.2.1\"\ntags = [\"gpus\"]\n[hosts.b]\nhostname = \"192.0.2.2\"\ntags = [\"gpus\"]\n";
        let hosts = HostsFile::parse(&Source::new("hosts.toml", text)).unwrap();
        let named = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let (found, is_one) = named(&texts, &hosts).unwrap();
            (found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), is_one)
        };
        assert_eq!(named(&["a"]), ("a".to_owned(), true));
        assert_eq!(named(&["b,@gpus"]), ("b a".to_owned(), false));
        assert_eq!(named(&["a", "root@192.0.2.9:22"]), ("a root@192.0.2.9:22".to_owned(), false));
        assert_eq!(named(&["ssh -p 22022 root@192.0.2.9"]).0, "root@192.0.2.9:22022");
    }
}
