//! A host: login, shell, tools, and which names of the environment its server takes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use doppio_hosts::EnvVar;
use doppio_hosts::Exec;
use doppio_hosts::Exit;
use doppio_hosts::Hardware;
use doppio_hosts::Host;
use doppio_hosts::HostError;
use doppio_hosts::Output;
use doppio_hosts::PRIVATE_FOLDER;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_hosts::Trust;
use doppio_hosts::fresh_name;
use doppio_hosts::probe;
use doppio_secrets::Carrier;
use doppio_secrets::Delivery;
use doppio_secrets::SecretValue;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::doctor::Finding;
use crate::cli::error::CliError;
use crate::cli::hardware;
use crate::cli::pool;

/// Names that secrets travel under most.
const NAMES: [&str; 3] = ["DOPPIO_SECRET_1", "HF_TOKEN", "WANDB_API_KEY"];

/// A host whose login files hang is a finding.
const DEADLINE: Duration = Duration::from_mins(1);

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
folder=$(doppio_folder "$name" true 2>/dev/null) && rm -rf "${folder#* }"
case $folder in memory*) folder=${folder#memory }; echo "tmpfs=${folder%/*}";; esac
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
        "no memory file system there is fit for files: values over 100 kB and credentials that are files lie \
         on its disk while a step runs",
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
        let names = NAMES.iter().filter_map(|name| name.parse().ok());
        Ok(PoolOptions { env_names: names.collect::<BTreeSet<EnvName>>(), ..pool::options(context)? })
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
            Ok(Ok((said, deliveries))) => {
                findings.extend(judge(&said, &deliveries, host.trust()));
                findings.extend(machine(doppio_hosts::hardware(&host).await));
            }
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
    // Files go where this finds a folder for them.
    let script = format!("{PRIVATE_FOLDER}name={}{SCRIPT}", fresh_name()?);
    let (said, mut deliveries) = play(host, &script).await?;
    // The server's answers are learnt beside other work: the first script may not have had them.
    for _ in 0..LEARNING {
        let is_known = deliveries.iter().any(|delivery| delivery.carrier == Carrier::ChannelEnv);
        if is_known || host.trust() == Trust::Rented {
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
        match output {
            Output::Stdout(bytes) => said.extend(bytes),
            Output::Exit(Exit::NotStarted(error)) => return Err(error),
            Output::Stderr(_) | Output::Exit(_) => {}
        }
    }
    Ok((String::from_utf8_lossy(&said).into_owned(), deliveries))
}

fn refused(error: HostError) -> Finding {
    let message = [vec![error.message], error.causes].concat().join("; ");
    let fix = error.hint.unwrap_or_else(|| "`ssh -v HOST` shows what OpenSSH does".to_owned());
    Finding::error("login", message, fix)
}

fn judge(said: &str, deliveries: &[Delivery<String>], trust: Trust) -> Vec<Finding> {
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
    findings.push(accepted(deliveries, trust));
    findings
}

/// Less free disk than this is soon full, in KiB.
const LITTLE_DISK: u64 = 5 << 20;

/// GPUs, driver, disk and memory: what `[target]` of a recipe is compared with.
fn machine(found: Result<Hardware, HostError>) -> Vec<Finding> {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let message = [vec![error.message], error.causes].concat().join("; ");
            let fix = error.hint.unwrap_or_else(|| "look at it with `ssh HOST nvidia-smi`".to_owned());
            return vec![Finding::warning("gpus", message, fix)];
        }
    };
    let mut findings = vec![match (found.gpus.first(), &found.gpu_trouble) {
        (Some(first), _) => {
            Finding::ok("gpus", format!("{}; driver {}", found.gpus_in_words(), first.driver))
        }
        (None, Some(why)) if why.contains("not installed") => {
            Finding::ok("gpus", format!("none seen: {why}"))
        }
        (None, why) => Finding::warning(
            "gpus",
            format!("none seen: {}", why.as_deref().unwrap_or("nvidia-smi lists none")),
            "`nvidia-smi` there says why; a reboot or a matching driver helps most",
        ),
    }];
    findings.extend(found.free_disk.map(|free| {
        let message = format!("{} free in the home", hardware::size(free));
        if free < LITTLE_DISK {
            Finding::warning(
                "disk",
                message,
                "make room: `du -xh --max-depth=1 ~ | sort -h` shows where it went",
            )
        } else {
            Finding::ok("disk", message)
        }
    }));
    findings.extend(found.memory.map(|memory| Finding::ok("ram", hardware::size(memory))));
    findings
}

/// How secrets travel, and what that means.
fn accepted(deliveries: &[Delivery<String>], trust: Trust) -> Finding {
    if trust == Trust::Rented {
        return Finding::ok(
            "accept-env",
            "secrets travel in the preamble, as on every rented host: what the channel's environment carries, \
             whoever runs its sshd can log",
        );
    }
    if deliveries.iter().any(|delivery| delivery.carrier == Carrier::LocalEnv) {
        return Finding::ok("accept-env", "secrets travel in the environment of the process");
    }
    let refused = deliveries.iter().filter(|delivery| delivery.carrier == Carrier::Preamble);
    let refused: Vec<&str> = refused.map(Delivery::form).collect();
    if refused.is_empty() {
        return Finding::ok(
            "accept-env",
            "secrets travel in the channel's own environment; its sshd logs them at `LogLevel DEBUG2` and above, \
             and what its login files leave in the background inherits them: `carrier = \"preamble\"` in \
             hosts.toml avoids both",
        );
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
        let is_ok = |finding: Finding| (finding.id, finding.fix.is_none());
        judge(said, &[], Trust::Owned).into_iter().map(is_ok).collect()
    }

    #[test]
    fn what_is_missing_is_told_with_its_fix() {
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
