//! `credentials`: what a step gets of the providers it names, and where that may go.

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::Trust;
use doppio_secrets::SecretValue;
use doppio_secrets::Wanted;
use doppio_secrets::vendor::Exposure;
use doppio_text::name::EnvName;

use crate::step::StepContext;
use crate::step::StepError;

/// Where a step runs, as far as credentials are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// This machine: nothing leaves it.
    Here,
    /// A host.
    Host(Trust),
}

/// Why a credential may not go somewhere, if it may not. With the user's consent all may, but for
/// those that never leave this machine.
pub fn refusal(exposure: Exposure, to: Destination, has_consent: bool) -> Option<&'static str> {
    let Destination::Host(trust) = to else { return None };
    match (exposure, trust) {
        (Exposure::NeverRemote, _) => Some("it rents and destroys machines, and never leaves this one"),
        _ if has_consent => None,
        (Exposure::DataPlane, _) | (_, Trust::Owned) | (Exposure::Scoped, Trust::Shared) => None,
        (Exposure::Scoped, Trust::Rented) => Some("it acts in your account, and somebody else owns the host"),
        (Exposure::Personal, Trust::Shared) => {
            Some("it can do whatever you can, and others use the host too")
        }
        (Exposure::Personal, Trust::Rented) => {
            Some("it can do whatever you can, and somebody else owns the host")
        }
    }
}

/// What to do instead, in words.
pub fn way_out(wanted: &Wanted, exposure: Exposure, host: &str) -> String {
    let alternative = wanted.provider.alternative;
    if exposure == Exposure::NeverRemote {
        return alternative.to_owned();
    }
    let name = wanted.provider.name;
    // Whoever has named one already needs no advice to do that.
    let alternative = match wanted.which {
        Some(_) if alternative.contains(&format!("`{name}:")) => String::new(),
        _ => format!("{alternative}; "),
    };
    let level = if exposure == Exposure::Scoped { "shared" } else { "owned" };
    format!(
        "{alternative}if `{host}` may have it, write `trust = \"{level}\"` in its entry of hosts.toml, \
         or use `--consent {name}` for this run"
    )
}

impl StepContext {
    /// The variables of all credentials that the step and the host name, those of the step first.
    pub(in crate::step) async fn credentials(&self, host: &Host) -> Result<Vec<EnvVar>, StepError> {
        let to = destination(host);
        let mut env: Vec<(&Wanted, EnvVar)> = Vec::new();
        let mut done: Vec<&Wanted> = Vec::new();
        for wanted in self.credentials.iter().chain(host.credentials()) {
            if done.contains(&wanted) {
                continue;
            }
            done.push(wanted);
            let handed = self.unless_stopped(self.secrets.fetch_credential(&self.hold, wanted)).await??;
            if let Some(why) = refusal(handed.exposure, to, self.secrets.has_consent(wanted)) {
                return Err(too_far(wanted, handed.exposure, host, why));
            }
            let mut own = Vec::new();
            let settings = handed.settings.into_iter().map(|(name, text)| (name, text, None));
            let files =
                handed.files.into_iter().map(|(form, text)| (form.variable.to_owned(), text, Some(form)));
            for (name, text, file) in settings.chain(files) {
                let value = SecretValue::new(text.into_bytes());
                let name = name.parse::<EnvName>().map_err(|_| {
                    let why = format!("the credential of `{wanted}` needs `{name}`, which is not a variable");
                    StepError::failed(why)
                })?;
                own.push(EnvVar { file, ..EnvVar::new(name, value) });
            }
            own.extend(handed.secrets.into_iter().map(|secret| EnvVar {
                secrets: vec![secret.name.to_owned()],
                file: secret.file,
                ..EnvVar::new(secret.variable, secret.value)
            }));
            let twice = |variable: &EnvVar| env.iter().find(|(_, known)| known.name == variable.name);
            if let Some((other, variable)) = own.iter().find_map(twice) {
                return Err(StepError::hinted(
                    format!("`{other}` and `{wanted}` both set `{}`", variable.name),
                    "a step can have only one of them: name the other in a separate step",
                ));
            }
            env.extend(own.into_iter().map(|variable| (wanted, variable)));
        }
        Ok(env.into_iter().map(|(_, variable)| variable).collect())
    }

    /// Refuses to send to a host what must never leave this machine, be it in a variable or in the
    /// output of a program.
    pub(in crate::step) fn keep_here(&self, host: &Host, exec: &Exec) -> Result<(), StepError> {
        let exposure = Exposure::NeverRemote;
        let Some(why) = refusal(exposure, destination(host), false) else { return Ok(()) };
        let mut values = exec
            .env
            .iter()
            .map(|variable| &variable.value)
            .chain(exec.stdin.iter().map(|stdin| &stdin.bytes));
        match values.find_map(|value| self.secrets.stays(value)) {
            Some(provider) => Err(too_far(&Wanted { provider, which: None }, exposure, host, why)),
            None => Ok(()),
        }
    }
}

fn destination(host: &Host) -> Destination {
    if host.is_local() { Destination::Here } else { Destination::Host(host.trust()) }
}

fn too_far(wanted: &Wanted, exposure: Exposure, host: &Host, why: &str) -> StepError {
    StepError::hinted(
        format!("the credential of `{wanted}` may not go to `{}`: {why}", host.id()),
        way_out(wanted, exposure, host.id().as_str()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_goes_as_far_as_its_class_and_the_trust_allow() {
        use Exposure::DataPlane;
        use Exposure::NeverRemote;
        use Exposure::Personal;
        use Exposure::Scoped;
        let may = |exposure, trust, consent| refusal(exposure, Destination::Host(trust), consent).is_none();
        for trust in [Trust::Rented, Trust::Shared, Trust::Owned] {
            assert!(may(DataPlane, trust, false));
            assert!(!may(NeverRemote, trust, true), "not even with consent");
            assert!(may(Personal, trust, true) && may(Scoped, trust, true));
        }
        assert!(!may(Scoped, Trust::Rented, false) && may(Scoped, Trust::Shared, false));
        assert!(!may(Personal, Trust::Shared, false) && may(Personal, Trust::Owned, false));
        assert!(refusal(NeverRemote, Destination::Here, false).is_none());
    }
}
