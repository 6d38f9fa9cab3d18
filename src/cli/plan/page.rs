//! The page that `doppio plan` shows.

use std::fmt::Write;

use serde::Serialize;

use doppio_text::exact_lines;

use crate::cli::output::styled;
use crate::plan::outline::Shown;
use crate::plan::outline::ShownStep;
use crate::ui::table::Column;
use crate::ui::table::Table;

/// Spaces before what is below a heading.
const INDENT: usize = 3;

/// A plan, and what is known of the world that it needs.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    /// The plan.
    #[serde(flatten)]
    pub plan: Shown,
    /// Its secrets.
    pub secrets: Vec<Secret>,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// What would stop a run before its first step: how many of which kind.
    pub stops: Vec<String>,
}

impl Page {
    /// A page of these.
    pub(super) fn new(plan: Shown, secrets: Vec<Secret>, hosts: Vec<Host>) -> Self {
        let lacking = secrets.iter().filter(|secret| secret.trouble.is_some()).count();
        let lost = hosts.iter().filter(|host| host.trouble.is_some()).count();
        let stops = [(lost, "host"), (lacking, "secret")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
            .collect();
        Self { plan, secrets, hosts, stops }
    }
}

/// A secret that the plan needs.
#[derive(Debug, Serialize)]
pub(super) struct Secret {
    /// As the recipe refers to it.
    #[serde(rename = "secret")]
    pub name: String,
    /// Where it would come from.
    pub from: Option<String>,
    /// Why it is not available.
    pub trouble: Option<String>,
    /// Whether every source that was asked does not have it; else one could not be asked.
    pub is_missing: bool,
    /// What to do about that.
    pub hint: Option<String>,
}

/// A host that the plan needs.
#[derive(Debug, Serialize)]
pub(super) struct Host {
    /// As the recipe calls it.
    #[serde(rename = "host")]
    pub name: String,
    /// Where that leads.
    pub place: Option<String>,
    /// Only a step of the run makes it known: it is not looked up before.
    pub is_known_later: bool,
    /// Which way secrets travel to it.
    pub carrier: Option<&'static str>,
    /// Why it can't be found.
    pub trouble: Option<String>,
    /// What to do about that.
    pub hint: Option<String>,
}

/// The page for people.
pub(super) fn drawn(page: &Page) -> String {
    let plan = &page.plan;
    let mut text = plan.recipe.clone();
    let count = plan.steps.iter().filter(|step| step.members.is_empty()).count();
    write!(text, ": {count} step{}", if count == 1 { "" } else { "s" }).ok();
    if plan.steps.len() > count {
        write!(text, " and {} that expand to several", plan.steps.len() - count).ok();
    }
    if let Some(target) = &plan.target {
        write!(text, ", target {target}").ok();
    }
    text.push('\n');
    if !plan.asks.is_empty() {
        writeln!(text, "the target must offer {}", plan.asks.join(", ")).ok();
    }
    for (number, step) in plan.steps.iter().enumerate() {
        draw_step(&mut text, number + 1, step);
    }
    if !page.secrets.is_empty() {
        text.push_str("\nsecrets\n");
        let mut table = Table::new([Column::Name]).indented(INDENT);
        for secret in &page.secrets {
            let found = secret.from.as_ref().map(|from| format!("from {from}"));
            let head = if secret.is_missing { "MISSING" } else { "FAILED" };
            let trouble = secret.trouble.as_ref().map(|trouble| format!("{head}: {trouble}"));
            add_found(&mut table, &secret.name, found.or(trouble), secret.hint.as_ref());
        }
        text += &table.draw();
    }
    if !page.hosts.is_empty() {
        text.push_str("\nhosts\n");
        let mut table = Table::new([Column::Name]).indented(INDENT);
        for host in &page.hosts {
            let found = host.place.as_ref().map(|place| match host.carrier {
                Some(carrier) if !page.secrets.is_empty() => format!("{place}; secrets by {carrier}"),
                _ => place.clone(),
            });
            let trouble = host.trouble.as_ref().map(|trouble| format!("FAILED: {trouble}"));
            add_found(&mut table, &host.name, found.or(trouble), host.hint.as_ref());
        }
        text += &table.draw();
    }
    if !page.stops.is_empty() {
        writeln!(text, "\na run would stop before its first step: {}", page.stops.join(", ")).ok();
    }
    text
}

/// A line of it in colour.
pub(super) fn painted(line: &str) -> String {
    let rest = line.trim_start();
    let indent = &line[..line.len() - rest.len()];
    if indent.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit()) {
        let end = rest.find("  ").unwrap_or(rest.len());
        return styled("1", &rest[..end]) + &rest[end..];
    }
    if indent.is_empty() && (rest == "secrets" || rest == "hosts") {
        return styled("1", rest);
    }
    if rest.starts_with("a run would stop") {
        return styled("1;31", line);
    }
    if let Some(text) = rest.strip_prefix('│') {
        return format!("{indent}{}{text}", styled("2", "│"));
    }
    if let Some(hint) = rest.strip_prefix("hint: ") {
        return format!("{indent}{}: {hint}", styled("1;36", "hint"));
    }
    for word in ["MISSING", "FAILED"] {
        if let Some((before, after)) = line.split_once(&format!(" {word}: ")) {
            return format!("{before} {}: {after}", styled("1;31", word));
        }
    }
    line.to_owned()
}

fn draw_step(text: &mut String, number: usize, step: &ShownStep) {
    write!(text, "\n{number}. {}", step.id).ok();
    if let Some(name) = &step.name {
        write!(text, " ({name})").ok();
    }
    write!(text, "  {}", step.kind).ok();
    if let Some(host) = step.host.as_ref().filter(|_| step.members.is_empty()) {
        write!(text, " on {host}").ok();
    }
    text.push('\n');
    let mut facts: Vec<String> = Vec::new();
    if !step.members.is_empty() {
        facts.push(format!("stands for {}", list(&step.members)));
    }
    if !step.needs.is_empty() {
        facts.push(format!("after {}", list(&step.needs)));
    }
    facts.extend(step.when.iter().map(|when| format!("when {when}")));
    if step.run_if != "success" {
        facts.push(format!("run if {}", step.run_if));
    }
    facts.extend(step.timeout_secs.map(|seconds| format!("timeout {seconds} s")));
    facts.extend(step.retry.clone());
    if step.continue_on_failure {
        facts.push("may fail".to_owned());
    }
    for fact in facts {
        writeln!(text, "   {fact}").ok();
    }
    // Nothing that is shown of a step looks like the plan itself.
    for line in step.does.iter().flat_map(|line| line.split('\n')) {
        writeln!(text, "   │ {}", exact_lines(line)).ok();
    }
    if !step.credentials.is_empty() {
        writeln!(text, "   credentials of {}", step.credentials.join(", ")).ok();
    }
    if !step.env_names.is_empty() {
        writeln!(text, "   carries {}", step.env_names.join(", ")).ok();
    }
}

/// What was looked up, and what to do if it was not found.
fn add_found(table: &mut Table<1>, name: &str, said: Option<String>, hint: Option<&String>) {
    table.row([name], &said.unwrap_or_default());
    for (number, line) in hint.iter().flat_map(|hint| hint.lines()).enumerate() {
        let head = if number == 0 { "hint: " } else { "      " };
        table.below(&format!("{head}{line}"));
    }
}

/// Ids, and a count where there are many.
fn list(ids: &[String]) -> String {
    const MOST: usize = 8;
    let shown = ids.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > MOST { format!("{shown} and {} more", ids.len() - MOST) } else { shown }
}
