//! The tokens of `ssh_config` (its man page, TOKENS and ENVIRONMENT VARIABLES) that `ssh -G` leaves as
//! they are in the options that name files and commands.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha1::Digest;
use sha1::Sha1;

use doppio_process::Limits;
use doppio_process::Program;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::HostError;
use crate::HostSpec;
use crate::ssh_config::account::account;

const LIMITS: Limits = Limits { longest: 64 << 10, deadline: Duration::from_secs(10) };

/// What the tokens of one host stand for.
pub(crate) struct Tokens<'a> {
    spec: &'a HostSpec,
    /// The host as it was asked for.
    original: &'a str,
    home: &'a Path,
    user: String,
}

impl<'a> Tokens<'a> {
    /// Those of a host that was asked for as `original`.
    pub(crate) async fn of(spec: &'a HostSpec, original: &'a str, home: &'a Path) -> Self {
        let user = account().await.map(|account| account.user.clone()).unwrap_or_default();
        Self { spec, original, home, user }
    }

    /// The path that an option names: `~`, `~USER`, tokens and `${NAME}`.
    ///
    /// # Errors
    ///
    /// What can't be replaced, and the option that has it.
    pub(crate) async fn path(&self, option: &str, text: &str) -> Result<PathBuf, HostError> {
        let wrong = |why: String| {
            HostError::new(format!("`{option} {text}` of `{}` can't be used", self.spec.name)).cause(why)
        };
        let (mut path, rest) = match text.strip_prefix('~') {
            None => (String::new(), text),
            Some(rest) => {
                let (user, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let home = if user.is_empty() { Some(text_of(self.home)) } else { home_of(user).await };
                (home.ok_or_else(|| wrong(format!("there is no user `{user}`")))?, below)
            }
        };
        let mut rest = rest;
        while let Some(at) = rest.find(['%', '$']) {
            path.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("${") {
                let (name, after) =
                    after.split_once('}').ok_or_else(|| wrong("`${` is not closed".to_owned()))?;
                path.push_str(
                    &variable(name)
                        .await
                        .ok_or_else(|| wrong(format!("the variable `{name}` is not set")))?,
                );
                rest = after;
            } else if rest.starts_with('$') {
                path.push('$');
                rest = &rest[1..];
            } else {
                let token = rest.chars().nth(1);
                let value = token.and_then(|token| self.value(token));
                path.push_str(&value.ok_or_else(|| wrong(unknown(token)))?);
                rest = &rest[1 + token.map_or(0, char::len_utf8)..];
            }
        }
        Ok(PathBuf::from(path + rest))
    }

    /// The command that an option names, which a shell will read: only what can't be taken for more than
    /// a word may go in.
    ///
    /// # Errors
    ///
    /// A token that a command may not have, or whose value is more than a word.
    pub(crate) fn command(&self, option: &str, text: &str) -> Result<String, HostError> {
        let wrong = |why: String| {
            HostError::new(format!("`{option} {text}` of `{}` can't be used", self.spec.name)).cause(why)
        };
        let mut command = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            command.push_str(before);
            let token = after.chars().next();
            // %k is ours: it was here before.
            let value = token.filter(|token| "%hnprk".contains(*token)).and_then(|token| self.value(token));
            let value = value.ok_or_else(|| wrong(unknown(token)))?;
            // As in OpenSSH, which leaves no host or user with a sign of a shell near a command.
            if value != "%" && value.parse::<HostId>().is_err() {
                return Err(wrong(format!("`%{}` is `{value}`", token.unwrap_or('%')))
                    .hint("use letters, digits and `.`, `_`, `-`, `:` in names of hosts and users"));
            }
            command.push_str(&value);
            rest = token.map_or("", |token| &after[token.len_utf8()..]);
        }
        Ok(command + rest)
    }

    fn value(&self, token: char) -> Option<String> {
        let spec = self.spec;
        Some(match token {
            '%' => "%".to_owned(),
            'd' => text_of(self.home),
            'h' => spec.hostname.clone(),
            'i' => rustix::process::getuid().as_raw().to_string(),
            'k' if spec.is_alias => spec.identity.clone(),
            'k' | 'n' => self.original.to_owned(),
            'l' => machine(),
            'L' => machine().split('.').next().unwrap_or_default().to_owned(),
            'p' => spec.port.to_string(),
            'r' => spec.user.clone(),
            'u' => self.user.clone(),
            'C' => {
                let all = format!("{}{}{}{}", machine(), spec.hostname, spec.port, spec.user);
                HEXLOWER.encode(&Sha1::digest(all))
            }
            _ => return None,
        })
    }
}

fn unknown(token: Option<char>) -> String {
    match token {
        Some(token) => format!("the token `%{token}` is not known here"),
        None => "`%` stands at its end; write `%%`".to_owned(),
    }
}

/// The name of this machine.
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}

/// A user's home, as the shell knows it.
async fn home_of(user: &str) -> Option<String> {
    let is_plain = user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let home = if is_plain { said(format!("printf %s ~{user}")).await } else { None };
    home.filter(|home| home.starts_with('/'))
}

/// A variable of the environment that this process was started with.
async fn variable(name: &str) -> Option<String> {
    let name: EnvName = name.parse().ok()?;
    said(format!("printf %s \"${{{name}?}}\"")).await
}

async fn said(script: String) -> Option<String> {
    let heard = Program::shell(script).hear(None, LIMITS).await.ok()?;
    heard.status.success().then(|| String::from_utf8(heard.stdout.to_vec()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> HostSpec {
        HostSpec::new("gpu", "root", "10.0.0.7", 2222)
    }

    async fn path(text: &str) -> Result<String, String> {
        let spec = spec();
        let tokens = Tokens::of(&spec, "gpu-box", Path::new("/home/ada")).await;
        let path = tokens.path("IdentityFile", text).await;
        path.map(|path| text_of(&path)).map_err(|error| format!("{error}: {}", error.causes.join("; ")))
    }

    // case E1
    #[tokio::test]
    async fn all_tokens_of_a_path_are_replaced() {
        assert_eq!(path("~/.ssh/my key").await.unwrap(), "/home/ada/.ssh/my key");
        assert_eq!(
            path("%d/%h-%p-%r-%n-%k-%%").await.unwrap(),
            "/home/ada/10.0.0.7-2222-root-gpu-box-gpu-box-%"
        );
        assert_eq!(path("~root/$x").await.unwrap(), format!("{}/$x", home_of("root").await.unwrap()));
        let user = account().await.unwrap().user.clone();
        assert_eq!(
            path("/k/%u-%i").await.unwrap(),
            format!("/k/{user}-{}", rustix::process::getuid().as_raw())
        );
        let l = machine();
        assert_eq!(path("/%l").await.unwrap(), format!("/{l}"));
        assert_eq!(
            path("/%C").await.unwrap(),
            format!("/{}", HEXLOWER.encode(&Sha1::digest(format!("{l}10.0.0.72222root"))))
        );
        let set = variable("PATH").await.unwrap();
        assert_eq!(path("/${PATH}").await.unwrap(), format!("/{set}"));
    }

    // case E1
    #[tokio::test]
    async fn what_cannot_be_replaced_is_named_with_its_option() {
        for (text, why) in [
            ("%x", "the token `%x` is not known here"),
            ("a%", "`%` stands at its end; write `%%`"),
            ("${NEVER_SET_HERE}/k", "the variable `NEVER_SET_HERE` is not set"),
            ("${a b}/k", "the variable `a b` is not set"),
            ("${HOME", "`${` is not closed"),
            ("~no-such-user/k", "there is no user `no-such-user`"),
        ] {
            assert_eq!(
                path(text).await.unwrap_err(),
                format!("`IdentityFile {text}` of `gpu` can't be used: {why}")
            );
        }
    }

    // case A7
    #[tokio::test]
    async fn a_command_takes_words_only() {
        let command = async |spec: &HostSpec, text: &str| {
            let tokens = Tokens::of(spec, "gpu-box", Path::new("/home/ada")).await;
            tokens.command("ProxyCommand", text).map_err(|error| error.causes.join("; "))
        };
        assert_eq!(command(&spec(), "nc %h %p %% %r@%n").await.unwrap(), "nc 10.0.0.7 2222 % root@gpu-box");
        let odd = HostSpec::new("gpu", "$(id)", "10.0.0.7", 22);
        assert_eq!(command(&odd, "nc %r").await.unwrap_err(), "`%r` is `$(id)`");
        assert_eq!(command(&odd, "nc %d").await.unwrap_err(), "the token `%d` is not known here");
    }
}
