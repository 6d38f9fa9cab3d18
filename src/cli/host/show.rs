//! `doppio host show`: what all that is known of a host adds up to, and where each of it is from.

use std::path::Path;

use serde::Serialize;

use doppio_hosts::AgentChoice;
use doppio_hosts::CarrierChoice;
use doppio_hosts::HostSpec;
use doppio_hosts::HostsFile;
use doppio_hosts::NamedBy;
use doppio_hosts::Transport;
use doppio_hosts::known_host_keys;
use doppio_hosts::resolve;
use doppio_text::name::HostId;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::pool;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is connected to: `doppio host test` does that.\n\n\
                        Examples:\n  doppio host show gpu-box\n  doppio host show gpu-box --json | jq .port")]
pub(in crate::cli) struct Args {
    /// The host, as recipes call it
    host: HostId,
    #[command(flatten)]
    output: OutputArgs,
}

/// One thing that is known of a host.
#[derive(Debug, Serialize)]
struct Known {
    key: &'static str,
    value: String,
    /// Where it is from.
    from: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let options = pool::options(context)?;
    let Some(spec) = block_on(context, resolve(&args.host, &options))?? else {
        let what = if args.host.as_str() == "sandbox" {
            "a server inside Doppio, which lives only while a run does"
        } else {
            "this machine, without SSH"
        };
        return if args.output.is_json() {
            output::json(&serde_json::json!({ "host": args.host.as_str(), "is": what }))
        } else {
            output::text(&format!("{} is {what}\n", args.host))
        };
    };
    let mut known = facts(&args.host, &spec, &options.hosts);
    for key in known_host_keys(&spec, &options)? {
        known.push(Known { key: "host_key", value: key.fingerprint, from: key.from });
    }
    if args.output.is_json() {
        return output::json(&as_json(&args.host, &known));
    }
    let mut table = Table::new([Column::Whole, Column::Whole]);
    for Known { key, value, from } in &known {
        table.row([key, value], from);
        table.paint(0, Colour::Dim);
    }
    output::coloured_table(&table)
}

/// A key that may stand for several values is a list.
fn as_json(host: &HostId, known: &[Known]) -> serde_json::Value {
    const LISTS: [&str; 6] = ["identity_file", "certificate_file", "jump", "tags", "credentials", "host_key"];
    let mut all = serde_json::Map::new();
    let mut from = serde_json::Map::new();
    all.insert("host".to_owned(), host.as_str().into());
    for known in known {
        from.insert(known.key.to_owned(), known.from.clone().into());
        if !LISTS.contains(&known.key) {
            let number = known.value.parse::<u64>().ok().filter(|_| known.key == "port");
            let value = number.map_or_else(|| known.value.clone().into(), serde_json::Value::from);
            all.insert(known.key.to_owned(), value);
        } else if let serde_json::Value::Array(values) =
            all.entry(known.key).or_insert_with(|| serde_json::Value::Array(Vec::new()))
        {
            values.push(known.value.clone().into());
        }
    }
    all.insert("from".to_owned(), from.into());
    all.into()
}

fn facts(id: &HostId, spec: &HostSpec, hosts: &HostsFile) -> Vec<Known> {
    let own = hosts.keys_of(id.as_str());
    let has_config = spec.named_by == NamedBy::SshConfig
        || (spec.named_by == NamedBy::HostsFile && !own.contains(&"hostname"));
    let from = |key: &'static str, of_config: bool| {
        if own.contains(&key) {
            hosts.path().to_owned()
        } else if has_config && of_config {
            "ssh_config".to_owned()
        } else if spec.named_by == NamedBy::Nobody && matches!(key, "hostname" | "port" | "user") {
            "its name, or the default".to_owned()
        } else {
            "the default".to_owned()
        }
    };
    let mut known = Vec::new();
    let mut add = |key: &'static str, value: String, of_config: bool| {
        known.push(Known { key, value, from: from(key, of_config) });
    };
    add("hostname", spec.hostname.clone(), true);
    add("port", spec.port.to_string(), true);
    add("user", spec.user.clone(), true);
    let is_named = spec.identities_named;
    for file in spec.identity_files.iter().filter(|file| is_named || file.exists()) {
        let missing = if file.exists() { "" } else { " (missing)" };
        add("identity_file", format!("{}{missing}", shown(file)), true);
    }
    for file in &spec.certificate_files {
        add("certificate_file", shown(file), true);
    }
    if spec.identities_only {
        add("identities_only", "true".to_owned(), true);
    }
    match &spec.agent {
        AgentChoice::Default => {}
        AgentChoice::Socket(socket) => add("identity_agent", shown(socket), true),
        AgentChoice::None => add("identity_agent", "none".to_owned(), true),
    }
    for jump in &spec.jump {
        add("jump", format!("{} ({}@{})", jump.name, jump.user, jump.address()), true);
    }
    if let Some(command) = &spec.proxy_command {
        add("proxy_command", command.clone(), true);
    }
    if spec.transport != Transport::default() {
        add("transport", format!("{} (your own `ssh`)", spec.transport.word()), false);
    }
    let is_of_config = spec.named_by == NamedBy::SshConfig;
    add("trust", spec.trust.word().to_owned(), is_of_config);
    let carrier = match spec.carrier() {
        CarrierChoice::Auto => "channel where the server takes the name, else preamble",
        CarrierChoice::Channel => "channel",
        CarrierChoice::Preamble => "preamble",
    };
    add("carrier", carrier.to_owned(), false);
    if let Some(workdir) = &spec.workdir {
        add("workdir", workdir.clone(), false);
    }
    if !spec.env.is_empty() {
        let names: Vec<&str> = spec.env.keys().map(String::as_str).collect();
        add("env", names.join(", "), true);
    }
    for wanted in &spec.credentials {
        add("credentials", wanted.to_string(), false);
    }
    for tag in hosts.tags_of(id.as_str()) {
        add("tags", tag.clone(), false);
    }
    known
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
