//! Which way each variable travels: as an environment request of the channel, or in the payload.
//!
//! Only secrets have a choice to make; an ordinary value is always in the payload, which costs no
//! round trip.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::ChannelMsg;
use tokio::time::timeout;

use doppio_text::name::EnvName;

use crate::CarrierChoice;
use crate::EnvVar;
use crate::HostError;
use crate::ssh::pooled::Pooled;

/// Requests on one channel; sshd takes 128 variables of a session.
const BATCH: usize = 100;

/// How long a server may take to answer all of them.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// What a server said of each name.
pub(in crate::ssh) type Answers = HashMap<EnvName, bool>;

/// Asks a server which names it takes, with empty values on a channel where nothing is ever run.
/// A name without an answer is not in the result.
pub(in crate::ssh) async fn learn(pooled: &Arc<Pooled>, names: &BTreeSet<EnvName>) -> Answers {
    let mut answers = Answers::new();
    let names: Vec<&EnvName> = names.iter().collect();
    for batch in names.chunks(BATCH) {
        // Nothing is known about a server that is slow to answer.
        match timeout(ANSWER_LIMIT, ask(pooled, batch)).await {
            Ok(Some(heard)) => answers.extend(batch.iter().map(|&name| name.clone()).zip(heard)),
            Ok(None) | Err(_) => break,
        }
    }
    answers
}

async fn ask(pooled: &Arc<Pooled>, names: &[&EnvName]) -> Option<Vec<bool>> {
    let _extra = pooled.extra();
    let (mut reader, writer) = pooled.connection.handle.channel_open_session().await.ok()?.split();
    // It is closed also when this future is dropped at its deadline.
    let writer = Arc::new(writer);
    let _close = Close(Arc::clone(&writer));
    for name in names {
        writer.set_env(true, name.as_str(), "").await.ok()?;
    }
    let mut heard = Vec::with_capacity(names.len());
    while heard.len() < names.len() {
        match reader.wait().await? {
            ChannelMsg::Success => heard.push(true),
            ChannelMsg::Failure => heard.push(false),
            ChannelMsg::Close => return None,
            _ => {}
        }
    }
    Some(heard)
}

struct Close(Arc<russh::ChannelWriteHalf<russh::client::Msg>>);

impl Drop for Close {
    fn drop(&mut self) {
        let writer = Arc::clone(&self.0);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { writer.close().await });
        }
    }
}

/// The variables, by the way they travel.
#[derive(Debug, Default)]
pub(in crate::ssh) struct Ways<'a> {
    /// Asked for on the channel.
    pub channel: Vec<&'a EnvVar>,
    /// In the payload.
    pub payload: Vec<&'a EnvVar>,
}

/// Divides the variables of a script.
///
/// # Errors
///
/// When secrets must go by the channel, and it is known that the server, or the request, does not
/// take one of them.
pub(in crate::ssh) fn divide<'a>(
    host: &str,
    choice: CarrierChoice,
    exports: &[&'a EnvVar],
    files: &[&EnvVar],
    answers: &Answers,
) -> Result<Ways<'a>, HostError> {
    let mut ways = Ways::default();
    let is_secret = |var: &EnvVar| !var.secrets.is_empty();
    let takes = |var: &EnvVar| answers.get(&var.name).copied();
    match choice {
        CarrierChoice::Preamble => ways.payload.extend(exports),
        CarrierChoice::Auto => {
            for &var in exports {
                let by_channel = is_secret(var) && takes(var) == Some(true) && is_text(var);
                if by_channel && ways.channel.len() < BATCH { &mut ways.channel } else { &mut ways.payload }
                    .push(var);
            }
        }
        CarrierChoice::Channel => {
            let refused = exports.iter().filter(|var| is_secret(var) && takes(var) == Some(false));
            let refused: Vec<&EnvName> = refused.map(|var| &var.name).collect();
            if !refused.is_empty() {
                return Err(refusal(host, &refused));
            }
            if let Some(var) = files.iter().find(|var| is_secret(var)) {
                let why = if var.file.is_some() { "it goes as a file" } else { "it is larger than 100 kB" };
                return Err(unfit(host, var, why));
            }
            for &var in exports {
                if is_secret(var) && !is_text(var) {
                    return Err(unfit(host, var, "it is not UTF-8 text"));
                }
                if is_secret(var) { &mut ways.channel } else { &mut ways.payload }.push(var);
            }
            if ways.channel.len() > BATCH {
                let var = ways.channel[BATCH];
                return Err(unfit(host, var, "the server accepts no more variables"));
            }
        }
    }
    Ok(ways)
}

/// Whether an environment request can carry the value.
fn is_text(var: &EnvVar) -> bool {
    #[expect(clippy::disallowed_methods, reason = "only whether it is text is looked at")]
    var.value.reveal(|bytes| std::str::from_utf8(bytes).is_ok())
}

fn unfit(host: &str, var: &EnvVar, cause: &str) -> HostError {
    HostError::new(format!("`{}` can't be sent as the channel's environment to `{host}`", var.name))
        .cause(cause)
        .hint(format!("set `carrier = \"auto\"` for `{host}` in hosts.toml, so that it goes in the preamble"))
}

/// The server does not take names that must go by the channel.
pub(in crate::ssh) fn refusal(host: &str, names: &[&EnvName]) -> HostError {
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut patterns: Vec<&str> = names
        .iter()
        .map(|name| if name.as_str().starts_with("DOPPIO_") { "DOPPIO_*" } else { name.as_str() })
        .collect();
    patterns.sort_unstable();
    patterns.dedup();
    HostError::new(format!("`{host}` does not accept {list} as the channel's environment"))
        .cause("`carrier = \"channel\"` allows no other way, so nothing was run")
        .hint(format!(
            "add `AcceptEnv {}` to the host's /etc/ssh/sshd_config and reload sshd, or set `carrier = \"auto\"`",
            patterns.join(" ")
        ))
}

#[cfg(test)]
mod tests {
    use doppio_secrets::SecretValue;

    use super::*;

    fn var(name: &str, value: &[u8], is_secret: bool) -> EnvVar {
        EnvVar {
            secrets: is_secret.then(|| "a/b".to_owned()).into_iter().collect(),
            ..EnvVar::new(name.parse().unwrap(), SecretValue::new(value.to_vec()))
        }
    }

    fn answers(names: &[(&str, bool)]) -> Answers {
        names.iter().map(|&(name, takes)| (name.parse().unwrap(), takes)).collect()
    }

    fn names(vars: &[&EnvVar]) -> Vec<String> {
        vars.iter().map(|var| var.name.to_string()).collect()
    }

    #[test]
    fn auto_uses_the_channel_for_secrets_that_the_server_takes() {
        let vars =
            [var("A", b"1", true), var("B", b"2", true), var("C", b"3", false), var("D", b"\xff", true)];
        let vars: Vec<&EnvVar> = vars.iter().collect();
        let known = answers(&[("A", true), ("B", false), ("C", true), ("D", true)]);
        let ways = divide("h", CarrierChoice::Auto, &vars, &[], &known).unwrap();
        assert_eq!(
            (names(&ways.channel), names(&ways.payload)),
            (vec!["A".into()], vec!["B".into(), "C".into(), "D".into()])
        );
        let ways = divide("h", CarrierChoice::Auto, &vars, &[], &Answers::new()).unwrap();
        assert!(ways.channel.is_empty(), "nothing is known yet");
        let ways = divide("h", CarrierChoice::Preamble, &vars, &[], &known).unwrap();
        assert!(ways.channel.is_empty());
    }

    #[test]
    fn channel_fails_closed_and_says_what_would_help() {
        let vars = [
            var("HF_TOKEN", b"1", true),
            var("DOPPIO_SECRET_1", b"2", true),
            var("DOPPIO_SECRET_2", b"3", true),
        ];
        let vars: Vec<&EnvVar> = vars.iter().collect();
        let known = answers(&[("HF_TOKEN", false), ("DOPPIO_SECRET_1", false), ("DOPPIO_SECRET_2", false)]);
        let error = divide("gpu", CarrierChoice::Channel, &vars, &[], &known).unwrap_err();
        assert!(error.hint.unwrap().contains("`AcceptEnv DOPPIO_* HF_TOKEN`"));
        let ways = divide("gpu", CarrierChoice::Channel, &vars, &[], &Answers::new()).unwrap();
        assert_eq!(ways.channel.len(), 3, "what is not known is asked, and the answer awaited");
    }

    #[test]
    fn channel_refuses_what_no_request_can_carry() {
        let binary = var("A", b"\xff", true);
        assert!(divide("h", CarrierChoice::Channel, &[&binary], &[], &Answers::new()).is_err());
        let plain = var("A", b"\xff", false);
        assert!(divide("h", CarrierChoice::Channel, &[&plain], &[], &Answers::new()).is_ok());
        assert!(divide("h", CarrierChoice::Channel, &[], &[&plain], &Answers::new()).is_ok());
        let large = var("A", b"x", true);
        assert!(divide("h", CarrierChoice::Channel, &[], &[&large], &Answers::new()).is_err());
    }
}
