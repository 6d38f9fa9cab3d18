//! A host: login, shell, tools, and which names of the environment its server takes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::Host;
use doppio_hosts::HostError;
use doppio_hosts::Output;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_hosts::probe;
use doppio_secrets::Carrier;
use doppio_secrets::Delivery;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::doctor::Finding;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::secret::lookup;
use crate::cli::terminal::Terminal;
use crate::config::Dirs;

/// Names that secrets travel under most.
const NAMES: [&str; 3] = ["DOPPIO_SECRET_1", "HF_TOKEN", "WANDB_API_KEY"];

/// A host whose login files hang is a finding.
const DEADLINE: Duration = Duration::from_secs(30);

/// Scripts that are tried until the server's answers are known.
const LEARNING: usize = 10;

/// Metadata as `NAME=VALUE` lines behind a mark, so that noise of login files is told from them.
const SCRIPT: &str = r#"
echo doppio-doctor-begins
echo "user=$(id -un)"
echo "shell=$SHELL"
echo "system=$(uname -sr)"
echo "tmux=$(tmux -V 2>/dev/null)"
echo "setsid=$(command -v setsid)"
for folder in "$XDG_RUNTIME_DIR" /dev/shm; do
  if [ -n "$folder" ] && [ -w "$folder" ] && [ "$(stat -f -c %T "$folder" 2>/dev/null)" = tmpfs ]; then
    echo "tmpfs=$folder"
    break
  fi
done
for file in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/libexec/sftp-server; do
  [ -x "$file" ] && echo "sftp=$file" && break
done
:
"#;

/// What the script may find there: what it means if it does not, and how to fix it.
const TOOLS: [(&str, &str, &str); 4] = [
    ("tmux", "tmux is not installed; `tmux_*` steps need it", "apt-get install -y tmux"),
    (
        "setsid",
        "setsid is not installed; cancelling is most reliable with it",
        "apt-get install -y util-linux",
    ),
    (
        "tmpfs",
        "there is no writable folder in memory",
        "mount one at /dev/shm: `mount -t tmpfs -o mode=1777 tmpfs /dev/shm`",
    ),
    (
        "sftp",
        "sftp-server is not in any of its usual places",
        "apt-get install -y openssh-sftp-server, or write `Subsystem sftp internal-sftp` in its sshd_config",
    ),
];

pub(super) async fn examine(id: &HostId, context: &Context) -> Result<Vec<Finding>, CliError> {
    let options = || -> Result<PoolOptions, CliError> {
        let ladder = lookup::usual_ladder(context)?;
        let names = NAMES.iter().filter_map(|name| name.parse().ok());
        Ok(PoolOptions {
            hosts: load::hosts(context)?,
            secrets: Arc::new(SecretSession::new(ladder, Mask::new(MaskStyle::Stars))),
            prompt: Arc::new(Terminal::new(context)),
            home: context.home.clone(),
            state: Dirs::new(&context.env, &context.home).state().to_owned(),
            agent: context.env.path("SSH_AUTH_SOCK"),
            sandbox: false,
            env_names: names.collect::<BTreeSet<EnvName>>(),
        })
    };
    let mut findings = Vec::new();
    match probe(id, &options()?).await {
        Err(error) => return Ok(vec![refused(error)]),
        Ok(None) => {}
        Ok(Some(reached)) => {
            findings.push(Finding::ok(
                "login",
                format!("`{}` at {} by {}", reached.user, reached.place, reached.login),
            ));
            findings.push(Finding::ok("host-key", reached.host_key));
            findings.push(Finding::ok("server", reached.banner));
        }
    }
    let pool = Pool::new(options()?);
    match pool.host(id).await {
        Err(error) => findings.push(refused(error)),
        Ok(host) => match tokio::time::timeout(DEADLINE, facts(&host)).await {
            Ok(Ok((said, deliveries))) => findings.extend(judge(&said, &deliveries)),
            Ok(Err(error)) => findings.push(refused(error)),
            Err(_) => findings.push(Finding::error(
                "shell",
                format!("a script does not end within {} s", DEADLINE.as_secs()),
                "look for a command that blocks in the host's login files (`~/.bashrc`)",
            )),
        },
    }
    pool.close().await;
    Ok(findings)
}

async fn facts(host: &Host) -> Result<(String, Vec<Delivery<String>>), HostError> {
    let (said, mut deliveries) = play(host, SCRIPT).await?;
    // The server's answers are learnt beside other work: the first script may not have had them.
    for _ in 0..LEARNING {
        if deliveries.iter().any(|delivery| delivery.carrier == Carrier::ChannelEnv) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        deliveries = play(host, ":").await?.1;
    }
    Ok((said, deliveries))
}

async fn play(host: &Host, script: &str) -> Result<(String, Vec<Delivery<String>>), HostError> {
    let mut exec = Exec::new(script);
    exec.env = NAMES
        .iter()
        .filter_map(|name| name.parse().ok())
        .map(|name| EnvVar {
            secrets: vec!["doctor".to_owned()],
            ..EnvVar::new(name, SecretValue::new(b"doctor".to_vec()))
        })
        .collect();
    let mut process = host.exec(exec).await?;
    let deliveries = process.deliveries().to_vec();
    let mut said = Vec::new();
    while let Some(output) = process.next().await {
        if let Output::Stdout(bytes) = output {
            said.extend(bytes);
        }
    }
    Ok((String::from_utf8_lossy(&said).into_owned(), deliveries))
}

fn refused(error: HostError) -> Finding {
    let message = [vec![error.message], error.causes].concat().join("; ");
    let fix = error.hint.unwrap_or_else(|| "`ssh -v HOST` shows what OpenSSH does".to_owned());
    Finding::error("login", message, fix)
}

fn judge(said: &str, deliveries: &[Delivery<String>]) -> Vec<Finding> {
    let Some((noise, lines)) = said.split_once("doppio-doctor-begins\n") else {
        return vec![Finding::error(
            "shell",
            "scripts do not run correctly there",
            "try `ssh HOST true`: a forced command or a login file may be in the way",
        )];
    };
    let facts: BTreeMap<&str, &str> = lines.lines().filter_map(|line| line.split_once('=')).collect();
    let fact = |name: &str| facts.get(name).copied().filter(|value| !value.is_empty());
    let mut findings = vec![if noise.is_empty() {
        Finding::ok(
            "shell",
            format!("{} on {}", fact("shell").unwrap_or("sh"), fact("system").unwrap_or("an unknown system")),
        )
    } else {
        Finding::warning(
            "shell",
            "the host's login files print text into the output of every command",
            "move what prints in its `~/.bashrc` below `[[ $- == *i* ]] || return`",
        )
    }];
    findings.extend(TOOLS.map(|(id, trouble, fix)| match fact(id) {
        Some(found) => Finding::ok(id, found),
        None => Finding::warning(id, trouble, fix),
    }));
    findings.push(accepted(deliveries));
    findings
}

fn accepted(deliveries: &[Delivery<String>]) -> Finding {
    let refused = deliveries.iter().filter(|delivery| delivery.carrier == Carrier::Preamble);
    let refused: Vec<&str> = refused.map(Delivery::form).collect();
    if refused.is_empty() {
        return Finding::ok("accept-env", "secrets travel in the channel's own environment");
    }
    Finding::ok(
        "accept-env",
        format!(
            "secrets travel in the preamble; `AcceptEnv DOPPIO_* HF_TOKEN WANDB_API_KEY` in its \
             sshd_config would accept {} as the channel's environment",
            refused.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(said: &str) -> Vec<(&'static str, bool)> {
        let is_ok = |finding: Finding| (finding.id, finding.mend.is_none());
        judge(said, &[]).into_iter().map(is_ok).collect()
    }

    #[test]
    fn what_is_missing_is_told_with_its_mend() {
        let bare = "doppio-doctor-begins\nuser=root\nshell=/bin/sh\nsystem=Linux 6\ntmux=\nsetsid=\n";
        assert_eq!(
            ids(bare),
            [
                ("shell", true),
                ("tmux", false),
                ("setsid", false),
                ("tmpfs", false),
                ("sftp", false),
                ("accept-env", true)
            ]
        );
        assert_eq!(ids("Welcome!\ndoppio-doctor-begins\n")[0], ("shell", false));
        assert_eq!(ids("no shell for you\n"), [("shell", false)]);
    }
}
