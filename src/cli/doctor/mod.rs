//! `doppio doctor`: what is wrong here or on a host, each with its fix.

mod finding;
mod local;
mod remote;

use std::fmt::Write as _;
use std::process::ExitCode;

use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::doctor::finding::Finding;
use crate::cli::doctor::finding::Severity;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio doctor\n  doppio doctor --host gpu-box\n  \
                        doppio doctor --output json | jq '.findings[] | select(.severity != \"ok\")'")]
pub(super) struct Args {
    /// Examine this host too
    #[arg(long, value_name = "HOST")]
    host: Option<HostId>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Form::Plain)]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// One line a finding
    Plain,
    /// One JSON object
    Json,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode, CliError> {
    let findings = super::block_on(context, async {
        let mut findings = local::examine(context).await;
        if let Some(host) = &args.host {
            findings.extend(remote::examine(host, context).await?);
        }
        Ok::<_, CliError>(findings)
    })??;
    match args.output {
        Form::Plain => output::text(&plain(&findings))?,
        Form::Json => output::data(&format!("{}\n", serde_json::json!({ "findings": findings })))?,
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(CliError::silent(Kind::World));
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        writeln!(text, "{word:<8} {:<14} {}", finding.id, finding.message).expect("a string takes it");
        if let Some(mend) = &finding.mend {
            writeln!(text, "{:<24}fix: {mend}", "").expect("a string takes it");
        }
    }
    text
}
