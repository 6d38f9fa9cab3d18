//! Runs a recipe, with all its hosts in the sandbox, and follows what happens.
//!
//! ```sh
//! cargo run --example run_recipe recipes/quickstart.toml
//! ```

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use tokio::sync::watch;

use doppio::engine;
use doppio::engine::Cancel;
use doppio::event::Event;
use doppio::event::Sink;
use doppio::event::SinkError;
use doppio::event::What;
use doppio::plan;
use doppio::recipe;
use doppio::rentals::Rentals;
use doppio_hosts::FirstContact;
use doppio_hosts::HostsFile;
use doppio_hosts::Pool;
use doppio_hosts::PoolOptions;
use doppio_hosts::Prompt;
use doppio_secrets::Environment;
use doppio_secrets::Ladder;
use doppio_secrets::Mask;
use doppio_secrets::MaskStyle;
use doppio_secrets::SecretSession;
use doppio_secrets::SecretValue;
use doppio_text::Source;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of a recipe")?;
    #[expect(clippy::disallowed_methods, reason = "a program decides itself what the library may see")]
    let environment: Environment = std::env::vars_os().collect();
    let home = environment.path("HOME").ok_or("there is no home directory")?;

    // Text → recipe → plan. Whoever holds a plan holds a graph without circles, every name resolved.
    let source = Source::new(&path, std::fs::read_to_string(&path)?);
    let inputs = plan::Inputs {
        vars: &[],
        env: &environment,
        target: Some(&"sandbox".parse()?),
        tagged: &|_| Vec::new(),
        host_env: &[],
        is_check: false,
    };
    let (plan, _) = plan::build(recipe::parse(&source), &inputs).map_err(|faults| {
        let place = |at: usize| source.line_column(at).0;
        let lines = faults
            .iter()
            .map(|fault| format!("{path}:{}: {}", place(fault.primary.span.start), fault.message));
        lines.collect::<Vec<_>>().join("\n")
    })?;

    // What the plan may use.
    let secrets =
        SecretSession::new(Ladder::of_environment(environment.clone()), Mask::new(MaskStyle::Names));
    let secrets = Arc::new(secrets);
    let state = std::env::temp_dir().join(format!("doppio-example-{}", std::process::id()));
    let rentals = Rentals::new(Arc::clone(&secrets), environment, home.clone());
    let pool = Pool::new(PoolOptions {
        hosts: HostsFile::default(),
        secrets: Arc::clone(&secrets),
        prompt: Arc::new(Nobody),
        home,
        state: state.clone(),
        agent: None,
        first_contact: FirstContact::Accept,
        sandbox: true,
        env_names: plan.steps().iter().flat_map(|step| step.env_names.iter().cloned()).collect(),
        rented: None,
    });

    // Plan → events.
    let (_cancel, cancelled) = watch::channel(Cancel::No);
    let pool = Arc::new(pool);
    let options = engine::Options {
        run: "example".parse()?,
        jobs: 4,
        pool: Arc::clone(&pool),
        rentals: Arc::new(rentals),
        secrets,
        cancel: cancelled,
    };
    let end = engine::run(plan, options, &mut Follow).await?;
    pool.close().await;
    if state.exists() {
        std::fs::remove_dir_all(&state)?;
    }
    writeln!(std::io::stdout(), "the run's end: {:?}", end.status)?;
    Ok(())
}

/// Prints what it is told. A sink of one's own may send it to a web page instead.
struct Follow;

impl Sink for Follow {
    fn record(&mut self, event: &Event) -> Result<(), SinkError> {
        let line = match &event.what {
            What::StepStarted { step, attempt, .. } => format!("{step}: attempt {attempt}"),
            What::StepOutput { step, text, .. } => format!("{step}: {}", text.as_str().trim_end()),
            What::StepFinished { step, status, duration, .. } => format!("{step}: {status}, {duration:.1?}"),
            What::StepSkipped { step, reason, .. } => format!("{step}: skipped, {}", reason.as_str()),
            What::Notice { text, .. } => text.as_str().to_owned(),
            _ => return Ok(()),
        };
        writeln!(std::io::stdout(), "{line}")
            .map_err(|source| SinkError { message: "stdout is closed".to_owned(), source })
    }
}

/// Nobody is there to be asked.
struct Nobody;

impl Prompt for Nobody {
    fn secret(&self, _: &str) -> Option<SecretValue> {
        None
    }

    fn notice(&self, _: &str) {}
}
