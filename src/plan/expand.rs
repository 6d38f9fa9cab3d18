//! Steps that exist more than once: `hosts` and `matrix`.

use doppio_text::Diagnostic;
use doppio_text::name::HostId;
use doppio_text::shown;

use crate::plan::Inputs;
use crate::plan::fields::fixed_text;
use crate::plan::node::Node;
use crate::plan::node::Role;
use crate::plan::variables::Variables;
use crate::recipe::Hosts;
use crate::recipe::RecipeStep;

/// The number of steps that one step may expand to.
const MOST: usize = 10_000;

/// One of the steps that a step expands to: what stands in its brackets, its host, its values.
type Instance = (String, Option<HostId>, Vec<(String, String)>);

/// The nodes of one step: itself, or one per instance and then their join.
pub(super) fn expand(
    index: usize,
    step: &RecipeStep,
    variables: &Variables,
    inputs: &Inputs<'_>,
    first: usize,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let node = |id, host, matrix: &[(String, String)], role| Node {
        step: index,
        id,
        host,
        matrix: matrix.into(),
        role,
        needs: Vec::new(),
        members: Vec::new(),
    };
    if step.hosts.is_none() && step.matrix.is_empty() {
        return vec![node(step.id.clone(), None, &[], Role::Whole)];
    }
    let instances = instances(step, variables, inputs, faults);
    let mut nodes = Vec::with_capacity(instances.len() + 1);
    let mut seen = std::collections::HashSet::new();
    for (label, host, matrix) in instances {
        let label = shown(&label).into_owned();
        if !seen.insert(label.clone()) {
            let message = format!("`{}[{label}]` occurs twice", step.id);
            let fault = Diagnostic::error("plan::duplicate-place", message, step.id_span.clone());
            faults.push(fault.help("name each host and each value of `matrix` once"));
            continue;
        }
        let id =
            format!("{}[{label}]", step.id).parse().expect("an id with a label without control characters");
        nodes.push(node(id, host, &matrix, Role::One));
    }
    let mut join = node(step.id.clone(), None, &[], Role::Join);
    join.members = (first..first + nodes.len()).collect();
    nodes.push(join);
    nodes
}

fn instances(
    step: &RecipeStep,
    variables: &Variables,
    inputs: &Inputs<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Instance> {
    let mut instances: Vec<Instance> = match &step.hosts {
        None => vec![(String::new(), None, Vec::new())],
        Some(hosts) => host_ids(hosts, variables, inputs, faults)
            .into_iter()
            .map(|host| (host.to_string(), Some(host), Vec::new()))
            .collect(),
    };
    let count =
        step.matrix.iter().map(|axis| axis.values.len()).try_fold(instances.len(), usize::checked_mul);
    if count.is_none_or(|count| count > MOST) {
        let message = format!("step `{}` expands to more than {MOST} steps", step.id);
        faults.push(Diagnostic::error("plan::too-many", message, step.id_span.clone()));
        return Vec::new();
    }
    for axis in &step.matrix {
        instances = instances
            .into_iter()
            .flat_map(|(label, host, matrix)| {
                axis.values.iter().map(move |value| {
                    let comma = if label.is_empty() { "" } else { "," };
                    let mut matrix = matrix.clone();
                    matrix.push((axis.name.clone(), value.clone()));
                    (format!("{label}{comma}{}={value}", axis.name), host.clone(), matrix)
                })
            })
            .collect();
    }
    instances
}

fn host_ids(
    hosts: &Hosts,
    variables: &Variables,
    inputs: &Inputs<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<HostId> {
    let names: Vec<_> = match hosts {
        Hosts::List(templates) => {
            let mut text = |template| fixed_text(template, "`hosts`", variables, inputs, faults);
            templates.iter().filter_map(|name| Some((text(name)?, name.span.clone()))).collect()
        }
        Hosts::Tagged { tag, span } => {
            (inputs.tagged)(tag).into_iter().map(|name| (name, span.clone())).collect()
        }
    };
    if let Hosts::Tagged { tag, span } = hosts
        && names.is_empty()
    {
        let message = format!("no host has the tag `{tag}`");
        let fault = Diagnostic::error("plan::empty-group", message, span.clone());
        faults.push(fault.help(format!("give hosts `tags = [\"{tag}\"]` in hosts.toml")));
    }
    names
        .into_iter()
        .filter_map(|(name, span)| match name.parse::<HostId>() {
            Ok(host) => Some(host),
            Err(error) => {
                faults.push(Diagnostic::error("plan::invalid-host", error.to_string(), span));
                None
            }
        })
        .collect()
}
