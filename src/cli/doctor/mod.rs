//! `doppio doctor`: what is wrong here or on a host, each with its fix.

mod finding;
mod local;
mod remote;

use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::doctor::finding::Finding;
use crate::cli::doctor::finding::Severity;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio doctor\n  doppio doctor --host gpu-box\n  \
                        doppio doctor --output json | jq '.findings[] | select(.severity != \"ok\")'")]
pub(super) struct Args {
    /// Examine this host too
    #[arg(long, value_name = "HOST")]
    host: Option<HostId>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let findings = super::block_on(context, async {
        let mut findings = local::examine(context).await;
        if let Some(host) = &args.host {
            findings.extend(Box::pin(remote::examine(host, context)).await?);
        }
        Ok::<_, CliError>(findings)
    })??;
    report(&findings, args.output)
}

/// The same for a host alone.
pub(super) fn of_host(host: &HostId, format: OutputArgs, context: &Context) -> Result<(), CliError> {
    report(&super::block_on(context, Box::pin(remote::examine(host, context)))??, format)
}

fn report(findings: &[Finding], format: OutputArgs) -> Result<(), CliError> {
    if format.is_json() {
        output::json(&serde_json::json!({ "findings": findings }))?;
    } else {
        output::coloured_table(&table(findings))?;
    }
    let has_error = findings.iter().any(|finding| finding.severity == Severity::Error);
    if has_error { Err(CliError::silent(Kind::World)) } else { Ok(()) }
}

fn table(findings: &[Finding]) -> Table<2> {
    let mut table = Table::new([Column::Whole, Column::Whole]);
    for finding in findings {
        let (word, colour) = match finding.severity {
            Severity::Ok => ("ok", Colour::Good),
            Severity::Warning => ("warning", Colour::Between),
            Severity::Error => ("error", Colour::Bad),
        };
        table.row([word, finding.id], &finding.message);
        table.paint(0, colour);
        if let Some(fix) = &finding.fix {
            table.below(&format!("fix: {fix}"));
        }
    }
    table
}
