//! `doppio ps`: what Doppio has started on hosts and goes on, or has ended, without it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use doppio_hosts::HostError;
use doppio_hosts::Pool;
use doppio_text::name::HostId;

use crate::cli::asked::ask_exec;
use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::error::all;
use crate::cli::named_hosts::named;
use crate::cli::output;
use crate::cli::output::OutputArgs;
use crate::cli::pool;
use crate::cli::secret::time::age;
use crate::step::list_jobs;
use crate::ui::table::Colour;
use crate::ui::table::Column;
use crate::ui::table::Table;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The sessions of `tmux_new` steps, with the run and the step that started each. What has ended \
                        is listed for a week.\n\n\
                        Examples:\n  doppio ps --host gpu-box\n  doppio ps --host @gpus --json"
)]
pub(super) struct Args {
    /// Where to look: a host, `@TAG`, or several with commas between them
    #[arg(long, value_name = "HOST", required = true)]
    host: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// A job on a host.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Job {
    host: String,
    #[serde(rename = "job")]
    name: String,
    run: String,
    step: String,
    recipe: String,
    /// The tmux session, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// When it was started, by the host's clock.
    started: String,
    /// `running`, `ended`, `restarted`, `elsewhere` or `unknown`.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    /// When it ended, by the host's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// The command's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// Memory of GPUs that it uses, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu_mib: Option<u64>,
    /// The session of its process.
    #[serde(skip)]
    sid: Option<u32>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let options = pool::options(context)?;
    let (hosts, _) = named(&args.host, &options.hosts)?;
    let found = block_on(context, async {
        let pool = Pool::new(options);
        let found = join_all(hosts.iter().map(|host| Box::pin(jobs(host, &pool)))).await;
        pool.close().await;
        found
    })?;
    let (mut jobs, mut troubles): (Vec<Job>, Vec<CliError>) = (Vec::new(), Vec::new());
    for answer in found {
        match answer {
            Ok(of_host) => jobs.extend(of_host),
            Err(error) => troubles.push(error.into()),
        }
    }
    if args.output.is_json() {
        output::json(&jobs)?;
    } else if jobs.is_empty() && troubles.is_empty() {
        output::line("Doppio has started nothing there that goes on without it");
    } else if !jobs.is_empty() {
        output::coloured_table(&table(&jobs, Timestamp::now()))?;
    }
    all(troubles.into_iter().map(Err))
}

async fn jobs(id: &HostId, pool: &Pool) -> Result<Vec<Job>, HostError> {
    let host = pool.host(id).await?;
    Ok(read(id.as_str(), &ask_exec(&host, list_jobs()).await?.stdout))
}

/// Reads what the script prints.
fn read(host: &str, text: &str) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut gpus: BTreeMap<u32, u64> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        if key == "job" {
            jobs.push(Job { host: host.to_owned(), name: value.to_owned(), ..Job::default() });
            continue;
        }
        if key == "gpu" {
            let (session, memory) = value.split_once(' ').unwrap_or_default();
            if let (Ok(session), Ok(memory)) = (session.parse(), memory.trim().parse::<u64>()) {
                let used = gpus.entry(session).or_default();
                *used = used.saturating_add(memory);
            }
            continue;
        }
        let Some(job) = jobs.last_mut().filter(|_| !value.is_empty()) else { continue };
        match key {
            "run" => value.clone_into(&mut job.run),
            "step" => value.clone_into(&mut job.step),
            "recipe" => value.clone_into(&mut job.recipe),
            "at" => value.clone_into(&mut job.started),
            "state" => value.clone_into(&mut job.state),
            "end" => {
                let mut words = value.split_whitespace();
                job.exit_code = words.next().and_then(|code| code.parse().ok());
                job.signal = words.next().map(str::to_owned);
            }
            "ended" => job.ended = Some(value.to_owned()),
            "session" => job.session = Some(value.to_owned()),
            "pid" => job.pid = value.parse().ok(),
            "sid" => job.sid = value.parse().ok(),
            _ => {}
        }
    }
    for job in &mut jobs {
        job.gpu_mib = job.sid.and_then(|sid| gpus.get(&sid).copied());
    }
    // What was started last stands first.
    jobs.sort_by(|a, b| b.started.cmp(&a.started));
    jobs
}

fn table(jobs: &[Job], now: Timestamp) -> Table<7> {
    let columns = [
        Column::Whole,
        Column::Whole,
        Column::Whole,
        Column::Whole,
        Column::Whole,
        Column::Right,
        Column::Name,
    ];
    let mut table = Table::new(columns);
    table.row(["HOST", "SESSION", "STATE", "STARTED", "RUN", "GPU", "STEP"], "RECIPE");
    for column in 0..7 {
        table.paint(column, Colour::Dim);
    }
    for job in jobs {
        let ago = |time: &str| time.parse().map_or_else(|_| time.to_owned(), |time| age(time, now));
        let gpu = job.gpu_mib.map(|memory| format!("{memory} MiB")).unwrap_or_default();
        let session = job.session.as_deref().unwrap_or("–");
        let ended = job.ended.as_deref().map_or_else(String::new, |time| format!(", {}", ago(time)));
        let state = state(job) + &ended;
        let started = ago(&job.started);
        table.row([&job.host, session, &state, &started, &job.run, &gpu, &job.step], &job.recipe);
        table.paint(
            2,
            match (job.state.as_str(), job.exit_code) {
                ("running" | "elsewhere", _) => Colour::Between,
                ("ended", Some(0)) => Colour::Good,
                _ => Colour::Bad,
            },
        );
    }
    table
}

/// How it is with a job, in words.
fn state(job: &Job) -> String {
    match (job.state.as_str(), &job.signal, job.exit_code) {
        ("ended", Some(signal), _) => format!("killed by SIG{signal}"),
        ("ended", None, Some(code)) => format!("exit code {code}"),
        ("restarted", ..) => "lost: the host was restarted".to_owned(),
        ("elsewhere", ..) => "on another machine".to_owned(),
        ("unknown", ..) => "lost".to_owned(),
        (state, ..) => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read_with_their_end_and_their_gpus() {
        let text = "job=r1-a-1-00\nrun=r1\nstep=a\nrecipe=train\nat=2026-11-29T10:00:00Z\nstate=running\nend=\npid=41\nsid=40\nsession=train it\n\
                    job=r1-b-1-01\nrun=r1\nstep=b\nrecipe=train\nat=2026-11-29T11:00:00Z\nstate=ended\nend=143 TERM\nended=2026-11-29T11:30:00Z\n\
                    gpu=40 1000\ngpu=40 500\ngpu=7 9\ngpu=x y\n";
        let jobs = read("gpu", text);
        assert_eq!(jobs.iter().map(|job| job.step.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!((jobs[0].exit_code, jobs[0].signal.as_deref()), (Some(143), Some("TERM")));
        assert_eq!((jobs[1].gpu_mib, jobs[1].pid, jobs[1].exit_code), (Some(1500), Some(41), None));
        let drawn = table(&jobs, "2026-11-29T12:00:00Z".parse().unwrap()).draw();
        insta::assert_snapshot!(drawn, @"
        HOST  SESSION   STATE                              STARTED      RUN       GPU  STEP  RECIPE
        gpu   –         killed by SIGTERM, 30 minutes ago  1 hour ago   r1             b     train
        gpu   train it  running                            2 hours ago  r1   1500 MiB  a     train
        ");
    }
}
