//! This machine: directories, settings, stores, agent, OpenSSH.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use doppio_process::Broken;
use doppio_process::Limits;
use doppio_process::Program;
use doppio_secrets::source::SourceError;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::doctor::Finding;
use crate::cli::load;
use crate::cli::memory;
use crate::cli::secret::lookup;
use crate::config::Dirs;

/// A program that hangs is a finding, not the end of the examination.
const LIMITS: Limits = Limits { longest: 1 << 20, deadline: Duration::from_secs(10) };

/// What to do where there is no keychain.
const NO_KEYCHAIN: &str = "install one, `apt install gnome-keyring`, and log in again; or keep secrets in the age \
                           vault: `doppio secret set NAME --in file`";

/// What to do without a keychain.
const VAULT: &str = "keep secrets in the age vault: `doppio secret set NAME --in file`";

pub(super) async fn examine(context: &Context) -> Vec<Finding> {
    let dirs = Dirs::new(&context.env, &context.home);
    let mut findings =
        vec![private("state", dirs.state(), 0o700), private("vault", &dirs.vault(), 0o600), hosts(context)];
    findings.push(keychain(context).await);
    findings.push(memory());
    findings.push(agent(context));
    findings.extend(openssh(context).await);
    findings
}

/// Whether only the user can read it.
fn private(id: &'static str, path: &Path, wanted: u32) -> Finding {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::ok(id, format!("{shown} does not exist yet"))
        }
        Err(error) => Finding::error(
            id,
            format!("{shown}: {error}"),
            format!("look at {}", typed(["ls", "-ld", &shown.to_string()])),
        ),
        Ok(facts) if facts.mode() & 0o077 != 0 => Finding::warning(
            id,
            format!("others can read {shown} (mode {:04o})", facts.mode() & 0o7777),
            typed(["chmod", &format!("{wanted:o}"), &shown.to_string()]),
        ),
        Ok(_) => Finding::ok(id, format!("{shown} is private")),
    }
}

fn hosts(context: &Context) -> Finding {
    let path = Dirs::new(&context.env, &context.home).hosts_toml();
    match load::hosts(context) {
        Ok(hosts) => match hosts.names().len() {
            0 => Finding::ok("hosts", format!("{} has no hosts", path.display())),
            1 => Finding::ok("hosts", format!("{} has 1 host", path.display())),
            count => Finding::ok("hosts", format!("{} has {count} hosts", path.display())),
        },
        Err(error) => {
            let first = error.faults.iter().flat_map(|(_, faults)| faults).next();
            let why = first.map(|fault| fault.message.clone()).or(error.message).unwrap_or_default();
            let usual = || "fix the file; `doppio host list` shows all its faults".to_owned();
            let fix = error.hints.into_iter().next().unwrap_or_else(usual);
            Finding::error("hosts", format!("{}: {why}", path.display()), fix)
        }
    }
}

async fn keychain(context: &Context) -> Finding {
    let ladder = match lookup::usual_ladder(context) {
        Ok(ladder) => ladder,
        Err(error) => {
            let why = error.message.unwrap_or_else(|| "the settings have faults".to_owned());
            return Finding::error("settings", why, "`doppio secret status` shows where");
        }
    };
    let Ok(keychain) = ladder.source("keyring") else {
        return Finding::ok("keychain", "this build has no keychain");
    };
    // A locked one lists nothing and refuses nothing: only what is written and read back proves it.
    match keychain.check().await {
        Ok(()) => Finding::ok("keychain", "the keychain keeps what is written to it"),
        Err(SourceError::Absent { cause }) if context.env.text("DOPPIO_KEYRING") == Some("off") => {
            Finding::ok("keychain", cause)
        }
        Err(SourceError::Absent { cause }) => Finding::warning("keychain", cause, NO_KEYCHAIN),
        Err(error) => {
            let hint = error.hint().unwrap_or(VAULT).to_owned();
            Finding::warning("keychain", error.to_string(), hint)
        }
    }
}

/// What keeps values in this process.
fn memory() -> Finding {
    let held = memory::held();
    let measures = [
        (held.no_cores, "no core dump contains them"),
        (held.not_dumpable, "other programs of yours can't attach"),
        (held.locked, "they stay out of swap"),
    ];
    let words = |wanted: bool| {
        let words = measures.iter().filter(|(holds, _)| *holds == wanted).map(|(_, words)| *words);
        words.collect::<Vec<_>>().join(", ")
    };
    let lacking = words(false);
    if lacking.is_empty() {
        return Finding::ok("memory", format!("values in memory: {}", words(true)));
    }
    let message = format!("values in memory: {}; not guaranteed here: {lacking}", words(true));
    if held.locked {
        return Finding::ok("memory", message);
    }
    Finding::warning("memory", message, "allow some locked memory: `ulimit -l 8192`, or encrypt the swap")
}

fn agent(context: &Context) -> Finding {
    match context.env.path("SSH_AUTH_SOCK") {
        None => Finding::ok("agent", "no ssh-agent is set (`SSH_AUTH_SOCK`); key files are used"),
        Some(socket) => match UnixStream::connect(&socket) {
            Ok(_) => Finding::ok("agent", format!("an ssh-agent answers at {}", socket.display())),
            Err(error) => Finding::warning(
                "agent",
                format!("nothing answers at {}: {error}", socket.display()),
                "start one with `eval \"$(ssh-agent)\"`, or unset `SSH_AUTH_SOCK`",
            ),
        },
    }
}

async fn openssh(context: &Context) -> Vec<Finding> {
    let client = match said_by(Program::new("ssh").arg("-V")).await {
        Ok((true, said)) => Finding::ok("ssh-client", said),
        Ok((false, why)) | Err(why) => {
            return vec![Finding::warning(
                "ssh-client",
                format!("no OpenSSH client: {why}"),
                "install it, so that ssh_config is read: `apt-get install openssh-client`",
            )];
        }
    };
    let file = context.home.join(".ssh/config");
    if !file.is_file() {
        return vec![client, Finding::ok("ssh-config", "there is no ~/.ssh/config")];
    }
    let asked = said_by(Program::new("ssh").args(["-G", "-F"]).arg(&file).arg("doppio-doctor")).await;
    let config = match asked {
        Ok((true, _)) => Finding::ok("ssh-config", format!("{} is read", file.display())),
        Ok((false, why)) | Err(why) => {
            Finding::error("ssh-config", why, "fix the line; `ssh -G doppio-doctor` shows it again")
        }
    };
    vec![client, config]
}

/// Whether a program succeeds, and the last line it writes to stderr.
async fn said_by(program: Program) -> Result<(bool, String), String> {
    let heard = program.hear(None, LIMITS).await.map_err(|error| match error {
        Broken::Late(_) => "it did not answer".to_owned(),
        error => error.to_string(),
    })?;
    let said = String::from_utf8_lossy(&heard.stderr);
    Ok((heard.status.success(), said.lines().last().unwrap_or_default().to_owned()))
}
