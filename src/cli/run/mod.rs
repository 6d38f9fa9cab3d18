//! `doppio run`: a recipe's steps, for real.

pub(in crate::cli) mod end;
pub(in crate::cli) mod play;
mod signals;
pub(in crate::cli) mod talk;
mod target;
mod view;

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::watch;

use play::Order;
use play::World;
use play::perform;
use talk::NoEcho;
use talk::Talk;

use doppio_secrets::MaskStyle;
use doppio_secrets::Prompt;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::load;
use crate::cli::load::RecipeArgs;
use crate::cli::output::OutputArgs;
use crate::cli::plan;
use crate::cli::run::view::DetailArgs;
use crate::cli::secret::lookup;
use crate::cli::terminal::Terminal;
use crate::engine::Cancel;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  doppio run train.toml --host gpu-box\n  \
                        doppio run train.toml --host gpu-box --var epochs=3 --only setup\n  \
                        doppio run train.toml --sandbox\n  \
                        doppio run train.toml --host gpu-box --output json | jq .event\n\n\
                        Exit codes: 0 done, 1 a step failed, 2 the recipe or the command line is wrong, 3 something \
                        outside prevents it (a secret, a host, a login, the disk), 70 a bug in Doppio, 130 interrupted")]
pub(super) struct Args {
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Maximum number of steps that run at the same time
    #[arg(long, value_name = "N", default_value = "32")]
    jobs: NonZeroUsize,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    detail: DetailArgs,
    /// Show a secret's name where its value was masked, instead of `***`
    #[arg(long)]
    mask_names: bool,
}

/// Runs a recipe.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let hosts = load::hosts(context)?;
    if args.dry_run {
        return plan::dry_run(&args.recipe, args.output, context);
    }
    let loaded = load::load(&args.recipe, context, &hosts)?;
    let detail = args.detail.detail();
    let screen = view::screen(args.output.format(), detail, context);
    let is_tree = view::is_tree(args.output.format(), detail, context);
    let prompt: Arc<dyn Prompt> =
        Arc::new(Talk::new(Terminal::new(context), is_tree.then(|| screen.voice())));
    let ladder =
        lookup::ladder_asking(context, args.recipe.folder(), &args.recipe.lookup, Arc::clone(&prompt))?;
    let world = World {
        source: loaded.source,
        plan: loaded.plan,
        literals: loaded.literals,
        hosts,
        ladder,
        prompt,
        screen,
        echo: Arc::new(NoEcho::new(is_tree)),
        cancel: watch::Sender::new(Cancel::No),
    };
    let order = Order {
        consent: &args.recipe.consent,
        folder: args.recipe.folder(),
        sandbox: args.recipe.sandbox,
        jobs: args.jobs.get(),
        style: if args.mask_names { MaskStyle::Names } else { MaskStyle::Stars },
        is_data: args.output.is_json(),
    };
    perform(&order, context, world, end::say)
}
