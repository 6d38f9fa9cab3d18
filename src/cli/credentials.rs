//! Credentials of a plan, seen before it runs: whether they are there, whether they may go where
//! the steps run, and whether they last.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use doppio_hosts as host;
use doppio_hosts::HostsFile;
use doppio_secrets::CredentialMetadata;
use doppio_secrets::Location;
use doppio_secrets::Providers;
use doppio_secrets::SecretError;
use doppio_secrets::SecretRef;
use doppio_secrets::SecretSession;
use doppio_secrets::Wanted;
use doppio_secrets::vendor;
use doppio_secrets::vendor::Exposure;
use doppio_secrets::vendor::Vendor;
use doppio_text::Diagnostic;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::name::HostId;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::plan::Plan;
use crate::plan::PlannedStep;
use crate::plan::refused_file;
use crate::rentals::ByName;
use crate::step::Site;
use crate::step::credentials::Destination;
use crate::step::credentials::refusal;
use crate::step::credentials::way_out;

/// What `--consent` allows.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ConsentArgs {
    /// Let this provider's credential go to hosts that are not your own
    #[arg(long = "consent", value_name = "PROVIDER")]
    consent: Vec<String>,
}

/// Where plans are seen to run.
pub(super) struct World<'a> {
    /// The user's hosts.
    pub hosts: &'a HostsFile,
    /// The user's home.
    pub home: &'a Path,
    /// Every host is the sandbox.
    pub sandbox: bool,
    /// The recipe, for the locations of faults.
    pub recipe: &'a Source,
}

/// Where each secret of a plan would come from.
pub(super) type Survey = Vec<(SecretRef, Result<Location, SecretError>)>;

/// What was found of one credential.
pub(super) type Located = (String, Result<CredentialMetadata, SecretError>);

/// What was seen of a plan's credentials.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Each credential, and where it is or why it is not available.
    pub located: Vec<Located>,
    /// Those that may not go where a step runs, and those that will not last.
    pub faults: Vec<Diagnostic>,
}

/// The providers of this machine, for a vault.
pub(super) fn providers(args: &ConsentArgs, context: &Context) -> Result<Providers, CliError> {
    let mut consented = BTreeSet::new();
    for name in &args.consent {
        let known = vendor::find(name)
            .map_err(|unknown| CliError::usage(format!("`--consent`: {unknown}")).hint(unknown.hint()))?;
        consented.insert(known.name.to_owned());
    }
    Ok(Providers::new(context.env.clone(), context.home.clone(), consented))
}

/// Looks at every credential that the steps of a plan, or their hosts, name, and at the secrets of
/// providers that steps refer to.
pub(super) async fn look(plan: &Plan, vault: &SecretSession, world: &World<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut routes: Vec<(HostId, Option<Destination>)> = Vec::new();
    for step in plan.steps().iter().filter(|step| step.members.is_empty()) {
        let wanted = wanted(step, world.hosts);
        let named: Vec<_> =
            step.secrets.iter().filter_map(|secret| Some((secret, vault.provider_of(secret)?))).collect();
        if wanted.is_empty() && named.is_empty() {
            continue;
        }
        let to = match (&step.host, step.site()) {
            // What a variable gets goes nowhere yet: where it then goes is seen at the step that uses it.
            (_, Site::Local | Site::Nowhere) => Some(Destination::Here),
            (Some(host), _) => destination(host, world, &mut routes).await,
            (None, _) => None,
        };
        for (secret, provider) in named {
            // Steps of a matrix are many, and the fault is one.
            let fault = named_too_far(step, secret, provider, to, vault, world.recipe);
            seen.faults.extend(fault.filter(|fault| !seen.faults.contains(fault)));
        }
        for (wanted, span) in wanted {
            let fault = clash(step, &wanted, world.hosts);
            seen.faults.extend(fault.filter(|fault| !seen.faults.contains(fault)));
            // That of what the recipe names is found when it is planned.
            let operation =
                step.operation.as_deref().filter(|_| !step.credentials.iter().any(|(own, _)| *own == wanted));
            let fault = operation.and_then(|operation| refused_file(operation, &wanted, &span));
            seen.faults.extend(fault.filter(|fault| !seen.faults.contains(fault)));
            let name = wanted.to_string();
            let known = seen.located.iter().position(|(known, _)| *known == name);
            let at = if let Some(at) = known {
                at
            } else {
                seen.located.push((name, vault.locate_credential(&wanted).await));
                seen.located.len() - 1
            };
            let Ok(metadata) = &seen.located[at].1 else {
                // What never leaves this machine need not be stored first to be refused.
                if wanted.provider.exposure == Exposure::NeverRemote {
                    seen.faults.extend(too_far(step, &wanted, Exposure::NeverRemote, to, false, &span));
                }
                continue;
            };
            seen.faults.extend(too_far(
                step,
                &wanted,
                metadata.exposure,
                to,
                vault.has_consent(&wanted),
                &span,
            ));
            if let Some(end) = metadata.expires {
                let what = format!("the credential of `{wanted}`");
                let fault = too_short(step, &what, end, Timestamp::now(), &span);
                let help = "log in again with the provider's own tool before the run";
                seen.faults.extend(fault.map(|fault| fault.help(help)));
            }
        }
    }
    seen
}

/// What a step names, and what its host does, with a location in the recipe.
fn wanted(step: &PlannedStep, hosts: &HostsFile) -> Vec<(Wanted, Span)> {
    let mut all = step.credentials.clone();
    if let (Some(host), Site::Host(_)) = (&step.host, step.site()) {
        for of_host in hosts.credentials(host.as_str()) {
            if all.iter().all(|(own, _)| own != of_host) {
                all.push((of_host.clone(), 0..0));
            }
        }
    }
    all
}

/// What a step names and what its host does may set the same variables.
fn clash(step: &PlannedStep, of_host: &Wanted, hosts: &HostsFile) -> Option<Diagnostic> {
    let host = step.host.as_ref().filter(|host| hosts.credentials(host.as_str()).contains(of_host))?;
    let (own, span) = step.credentials.iter().find(|(own, _)| own.clashes_with(of_host))?;
    let message =
        format!("`{own}` and `{of_host}`, which host `{host}` has for all its steps, set the same variables");
    let fault = Diagnostic::error("plan::credentials-clash", message, span.clone());
    Some(fault.help(format!("name it either here or in the entry of `{host}` in hosts.toml")))
}

async fn destination(
    host: &HostId,
    world: &World<'_>,
    routes: &mut Vec<(HostId, Option<Destination>)>,
) -> Option<Destination> {
    if let Some((_, known)) = routes.iter().find(|(known, _)| known == host) {
        return *known;
    }
    // A host that can't be found has its own error; the step would look again.
    let route = if world.sandbox {
        Some(host::sandbox_route())
    } else {
        host::route(world.hosts, world.home, Some(&ByName), host).await.ok()
    };
    let to = route.map(|route| route.trust.map_or(Destination::Here, Destination::Host));
    routes.push((host.clone(), to));
    to
}

fn too_far(
    step: &PlannedStep,
    wanted: &Wanted,
    exposure: Exposure,
    to: Option<Destination>,
    has_consent: bool,
    span: &Span,
) -> Option<Diagnostic> {
    let why = refusal(exposure, to?, has_consent)?;
    let host = step.host.as_ref().map_or("the host", HostId::as_str);
    let message = format!("the credential of `{wanted}` may not go to `{host}`: {why}");
    let fault = Diagnostic::error("plan::exposure", message, span.clone());
    Some(fault.label(exposure.as_str()).help(way_out(wanted, exposure, host)))
}

/// Where a step refers to a secret: the first location after its id, else the first of all.
fn location_of(step: &PlannedStep, reference: &str, text: &str) -> Span {
    let id = step.id.as_str().split('[').next().unwrap_or_default();
    let from = [format!("\"{id}\""), format!("'{id}'")].iter().find_map(|id| text.find(id)).unwrap_or(0);
    let found = text[from..].find(reference).map(|at| from + at).or_else(|| text.find(reference));
    found.map_or(0..0, |at| at..at + reference.len())
}

/// A secret that a step refers to by name. How far the value itself may go is not known: only what
/// never leaves this machine is an error.
fn named_too_far(
    step: &PlannedStep,
    secret: &SecretRef,
    provider: &'static Vendor,
    to: Option<Destination>,
    vault: &SecretSession,
    recipe: &Source,
) -> Option<Diagnostic> {
    let wanted = Wanted { provider, which: None };
    let why = refusal(provider.exposure, to?, vault.has_consent(&wanted))?;
    let host = step.host.as_ref().map_or("the host", HostId::as_str);
    let span = location_of(step, &format!("${{secret:{secret}}}"), recipe.text());
    let fault = if provider.exposure == Exposure::NeverRemote {
        let message = format!("`{secret}` may not go to `{host}`: {why}");
        Diagnostic::error("plan::exposure", message, span)
    } else {
        let message = format!("`{secret}` goes to `{host}`, and unless its rights are narrow, {why}");
        Diagnostic::warning("plan::exposure", message, span)
    };
    Some(fault.label(provider.exposure.as_str()).help(way_out(&wanted, provider.exposure, host)))
}

/// The secrets of a plan that will not last as long as a step that refers to them.
pub(super) fn expiring(plan: &Plan, survey: &Survey, recipe: &Source) -> Vec<Diagnostic> {
    let now = Timestamp::now();
    let mut faults: Vec<Diagnostic> = Vec::new();
    let ends =
        survey.iter().filter_map(|(secret, answer)| Some((secret, answer.as_ref().ok()?.metadata.expires?)));
    for (secret, end) in ends {
        for step in
            plan.steps().iter().filter(|step| step.members.is_empty() && step.secrets.contains(secret))
        {
            let span = location_of(step, &format!("${{secret:{secret}}}"), recipe.text());
            let fault =
                too_short(step, &format!("`{secret}`"), end, now, &span).map(|fault| match secret.name() {
                    Some(name) => fault.help(format!("renew it: `doppio secret rotate {name}`")),
                    None => fault.help("renew it where it was issued"),
                });
            // Steps of a matrix are many, and the fault is one.
            faults.extend(fault.filter(|fault| !faults.contains(fault)));
        }
    }
    faults
}

/// The secrets of a plan that are made for it, and go to a session that may need them longer.
pub(super) fn outlived(plan: &Plan, survey: &Survey, recipe: &Source) -> Vec<Diagnostic> {
    let made =
        survey.iter().filter(|(_, answer)| answer.as_ref().is_ok_and(|location| location.metadata.is_made));
    let mut faults: Vec<Diagnostic> = Vec::new();
    for (secret, _) in made {
        let steps = plan.steps().iter().filter(|step| step.secrets.contains(secret));
        for step in
            steps.filter(|step| step.operation.as_ref().is_some_and(|operation| operation.is_outlived()))
        {
            let span = location_of(step, &format!("${{secret:{secret}}}"), recipe.text());
            let message = format!(
                "`{secret}` is made for this run, and step `{}` gives it to a session that may need it longer",
                step.id
            );
            let fault = Diagnostic::warning("plan::lease", message, span).help(
                "nobody renews it when the run is over: follow the session to its end with `tmux_wait`, or have \
                 its command get the secret itself",
            );
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    faults
}

/// What has expired, or will before the step must have ended.
fn too_short(
    step: &PlannedStep,
    what: &str,
    end: Timestamp,
    now: Timestamp,
    span: &Span,
) -> Option<Diagnostic> {
    let left = end.as_second() - now.as_second();
    let message = if left <= 0 {
        format!("{what} has expired")
    } else {
        let timeout = i64::try_from(step.timeout?.as_secs()).ok()?;
        if left >= timeout {
            return None;
        }
        let id = &step.id;
        format!("{what} expires in {} minutes, and step `{id}` may take {}", left / 60, timeout / 60)
    };
    Some(Diagnostic::warning("plan::expires", message, span.clone()))
}
