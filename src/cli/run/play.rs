//! A plan is played: its secrets and hosts are looked at, its steps run, and all that happens goes to
//! the journal and to a screen.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use doppio_hosts::HostsFile;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_hosts::RentedMachines;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::Prompt;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_text::Severity;
use doppio_text::Source;
use doppio_text::name::RunId;
use doppio_text::name::SecretName;

use crate::cli::context::Context;
use crate::cli::credentials;
use crate::cli::credentials::ConsentArgs;
use crate::cli::credentials::Seen;
use crate::cli::credentials::Survey;
use crate::cli::error::CliError;
use crate::cli::error::Kind;
use crate::cli::error::OrWorld;
use crate::cli::error::all;
use crate::cli::literals::Literals;
use crate::cli::output;
use crate::cli::routes;
use crate::cli::run::end::Ended;
use crate::cli::run::signals;
use crate::cli::run::signals::Signals;
use crate::cli::run::talk::NoEcho;
use crate::cli::run::target;
use crate::cli::run::view;
use crate::cli::secret::lookup;
use crate::config::Dirs;
use crate::config::Settings;
use crate::engine;
use crate::engine::Cancel;
use crate::engine::Options;
use crate::event::Fanout;
use crate::event::SinkError;
use crate::journal::LogLimit;
use crate::journal::Store;
use crate::plan::Plan;
use crate::plan::outline::show;
use crate::rentals::Rentals;
use crate::ui::Screen;

/// How a plan is to be played.
pub(in crate::cli) struct Order<'a> {
    /// The providers whose credentials may go further than they would.
    pub consent: &'a ConsentArgs,
    /// The folder whose settings count.
    pub folder: &'a Path,
    /// Every host is the sandbox.
    pub sandbox: bool,
    /// Steps at the same time at most.
    pub jobs: usize,
    /// What stands for a value that was masked.
    pub style: MaskStyle,
    /// Whether what is shown is data that a program reads: then all of it has to arrive.
    pub is_data: bool,
}

/// What a run needs, read and checked.
pub(in crate::cli) struct World {
    /// The recipe's text, for the locations of faults.
    pub source: Source,
    /// What will be done.
    pub plan: Plan,
    /// Tokens that stand in its text.
    pub literals: Literals,
    /// The user's hosts.
    pub hosts: HostsFile,
    /// Where secrets come from.
    pub ladder: Ladder,
    /// Who is asked.
    pub prompt: Arc<dyn Prompt>,
    /// Who sees what happens.
    pub screen: Screen,
    /// The terminal's echo, which a tree turns off.
    pub echo: Arc<NoEcho>,
    /// What the user wants of it; signals say so, too.
    pub cancel: watch::Sender<Cancel>,
}

/// Plays a plan on threads of its own, and says how that went.
pub(in crate::cli) fn perform(
    order: &Order<'_>,
    context: &Context,
    world: World,
    say: impl FnOnce(&Ended) -> Result<(), CliError>,
) -> Result<(), CliError> {
    // The dispatcher has this thread for itself; two more keep the connections alive while it
    // writes.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, NonZeroUsize::get).clamp(2, 16))
        .enable_all()
        .build()
        .or_world("cannot start the runtime")?;
    let done = runtime.block_on(async {
        // From here on an interrupt is an answer, not an accident.
        let signals = signals::listen(&world.cancel, world.screen.voice(), Arc::clone(&world.echo))?;
        let done = Box::pin(steps(order, context, world, &signals)).await;
        // Whatever the outcome, also after a second interrupt: leases must not outlive the run.
        context.opened.close().await;
        signals.only_words_are_left();
        say(&done?)
    });
    // Threads that wait for a keychain or a resolver must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    done
}

/// Runs the steps; how that went.
async fn steps(
    order: &Order<'_>,
    context: &Context,
    world: World,
    signals: &Signals,
) -> Result<Ended, CliError> {
    let World { source, plan, literals, hosts, ladder, prompt, mut screen, echo: _echo, cancel } = world;
    let wish = cancel.subscribe();
    let auditor = lookup::auditor(context, Arc::clone(&prompt))?;
    let providers = credentials::providers(order.consent, context)?;
    let vault = SecretSession::new(ladder, Mask::new(order.style))
        .audited(Arc::clone(&auditor))
        .with_providers(providers);
    let vault = Arc::new(vault);
    literals.teach(vault.mask());
    let rentals = Rentals::new(Arc::clone(&vault), context.env.clone(), context.home.clone());
    let runs = Store::new(Dirs::new(&context.env, &context.home).runs());
    let is_live = move |run: &RunId| runs.read(run).is_ok_and(|record| record.is_live);
    let rentals = Arc::new(rentals.in_sandbox(order.sandbox).with_runs(is_live));
    let secrets: BTreeSet<&SecretRef> = plan.steps().iter().flat_map(|step| &step.secrets).collect();
    let survey = unless(&wish, vault.survey(secrets)).await?;
    let mut expiring = credentials::expiring(&plan, &survey, &source);
    expiring.extend(credentials::outlived(&plan, &survey, &source));
    let routes = routes::routes(&plan, &hosts, &context.home, order.sandbox);
    let routes = unless(&wish, routes).await?;
    all([check_secrets(survey), routes::check(routes)])?;
    unless(&wish, vault.learn_at_hand(&nameable(&plan))).await?;
    check_ids(&plan, vault.mask())?;
    let world =
        credentials::World { hosts: &hosts, home: &context.home, sandbox: order.sandbox, recipe: &source };
    let mut seen = unless(&wish, credentials::look(&plan, &vault, &world)).await?;
    seen.faults.extend(expiring);
    check_credentials(seen, source)?;

    let dirs = Dirs::new(&context.env, &context.home);
    let pool = Arc::new(Pool::new(PoolOptions {
        hosts,
        secrets: Arc::clone(&vault),
        prompt,
        home: context.home.clone(),
        state: dirs.state().to_owned(),
        agent: context.env.path("SSH_AUTH_SOCK"),
        first_contact: context.first_contact(),
        sandbox: order.sandbox,
        env_names: plan.steps().iter().flat_map(|step| step.env_names.iter().cloned()).collect(),
        rented: Some(Arc::clone(&rentals) as Arc<dyn RentedMachines>),
    }));
    if !order.sandbox
        && let Err(error) = Box::pin(unless(&wish, target::check(&plan, &pool))).await?
    {
        pool.close().await;
        return Err(error);
    }
    let shown = serde_json::to_string_pretty(&show(&plan)).or_world("cannot write the plan")?;
    let shown = vault.mask().text(&shown);
    let settings = Settings::load(order.folder, &dirs.config_toml(), &context.home, None)?;
    let store = Store::new(dirs.runs()).keeping(LogLimit::of_mebibytes(settings.log_mib));
    let (run, mut journal) = store.create(shown.as_str().as_bytes()).map_err(|error| not_kept(&error))?;
    auditor.begin(run.clone());

    let mut sink = Fanout(vec![&mut journal, &mut screen]);
    let options = Options {
        run: run.clone(),
        jobs: order.jobs,
        pool: Arc::clone(&pool),
        rentals: Arc::clone(&rentals),
        secrets: Arc::clone(&vault),
        cancel: wish.clone(),
    };
    let state = engine::run(plan, options, &mut sink).await;
    signals.run_is_over();
    let told = *wish.borrow();
    let shown = screen.finish(view::last_words(order.is_data, told));
    for (holder, place, end) in vault.leave() {
        let until = end.map_or_else(String::new, |end| format!(" at {end:.0}"));
        output::line(&format!(
            "{holder} may still need what was {place}: it was not revoked, and ends by itself{until}"
        ));
    }
    if told != Cancel::Force {
        pool.close().await;
    }
    let state = state.map_err(|error| not_kept(&error))?;
    let unkept = journal.finish().err();
    // What people read goes to stderr, and there is nobody to tell when that fails.
    let shown = if order.is_data { shown } else { Ok(()) };
    Ok(Ended { state, folder: store.folder(&run), missing: journal.missing().to_vec(), unkept, shown })
}

/// Refuses ids with a secret in them: they become names of files, and stand before each line.
fn check_ids(plan: &Plan, mask: &Mask) -> Result<(), CliError> {
    let shows = |id: &str| mask.text(id).as_str() != id;
    match plan.steps().iter().find(|step| shows(step.id.as_str())) {
        None => Ok(()),
        Some(step) => Err(CliError::usage(format!("the id `{}` of a step holds a secret", mask.text(step.id.as_str())))
            .hint("keep the value out of `id` and `matrix`: give its name there, and `env = { TOKEN = \"${secret:NAME}\" }`")),
    }
}

/// The secrets that a plan can name: those of its texts, and those of its credentials.
fn nameable(plan: &Plan) -> BTreeSet<SecretRef> {
    let of_texts = plan.steps().iter().flat_map(|step| step.secrets.iter().cloned());
    let wanted = plan.steps().iter().flat_map(|step| &step.credentials);
    let keys = wanted.flat_map(|(wanted, _)| wanted.provider.keys());
    of_texts.chain(keys.filter_map(|key| key.name.parse::<SecretName>().ok()).map(SecretRef::from)).collect()
}

/// What `work` returns, unless a stop is requested first.
async fn unless<T>(wish: &watch::Receiver<Cancel>, work: impl Future<Output = T>) -> Result<T, CliError> {
    let mut wish = wish.clone();
    tokio::select! {
        done = work => Ok(done),
        _ = wish.wait_for(|wish| *wish != Cancel::No) => {
            Err(CliError::new(Kind::Interrupted, "interrupted; nothing has run"))
        }
    }
}

/// Asks for every secret of the plan where it is, without reading it: a run that lacks one does not
/// start.
fn check_secrets(survey: Survey) -> Result<(), CliError> {
    let mut troubles: Vec<CliError> = Vec::new();
    for (_, answer) in survey {
        match answer {
            Ok(location) => {
                output::warnings(&location.metadata.warnings);
            }
            Err(error) => troubles.push(error.into()),
        }
    }
    match troubles.len() {
        0 => Ok(()),
        1 => Err(troubles.remove(0)),
        count => {
            let head = CliError::world(format!("{count} secrets are not available; nothing has run"));
            all([head].into_iter().chain(troubles).map(Err))
        }
    }
}

/// Refuses a run whose credentials are not there or may not go where its steps run.
fn check_credentials(seen: Seen, source: Source) -> Result<(), CliError> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        seen.faults.into_iter().partition(|fault| fault.severity == Severity::Error);
    if !warnings.is_empty() {
        output::faults(&source, &warnings);
    }
    if !errors.is_empty() {
        return Err(CliError::faults(source, errors));
    }
    for (_, answer) in seen.located {
        output::warnings(answer?.warnings);
    }
    Ok(())
}

fn not_kept(error: &SinkError) -> CliError {
    CliError::world(format!("{error}; nothing has run")).cause(error.source.to_string())
}
