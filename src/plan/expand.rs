//! Steps that exist more than once: `hosts` and `matrix`.

use doppio_text::Diagnostic;
use doppio_text::name::HostId;
use doppio_text::shown;

use crate::plan::Inputs;
use crate::plan::fields::fixed_text;
use crate::plan::names::Variables;
use crate::plan::node::Node;
use crate::plan::node::Role;
use crate::recipe::Hosts;
use crate::recipe::RecipeStep;

/// The number of steps that one step may expand to.
const MOST: usize = 10_000;

/// A place of a step among its like.
type Place = (String, Option<HostId>, Vec<(String, String)>);

/// The nodes of one step: itself, or one per place and then their join.
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
    let places = places(step, variables, inputs, faults);
    let mut nodes = Vec::with_capacity(places.len() + 1);
    let mut seen = std::collections::HashSet::new();
    for (place, host, matrix) in places {
        let place = shown(&place).into_owned();
        if !seen.insert(place.clone()) {
            let message = format!("`{}[{place}]` occurs twice", step.id);
            faults.push(
                Diagnostic::error("plan::duplicate-place", message, step.id_span.clone())
                    .help("name each host and each value of `matrix` once"),
            );
            continue;
        }
        let id =
            format!("{}[{place}]", step.id).parse().expect("an id with a place without control characters");
        nodes.push(node(id, host, &matrix, Role::One));
    }
    let mut join = node(step.id.clone(), None, &[], Role::Join);
    join.members = (first..first + nodes.len()).collect();
    nodes.push(join);
    nodes
}

fn places(
    step: &RecipeStep,
    variables: &Variables,
    inputs: &Inputs<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Place> {
    let mut places: Vec<Place> = match &step.hosts {
        None => vec![(String::new(), None, Vec::new())],
        Some(hosts) => host_ids(hosts, variables, inputs, faults)
            .into_iter()
            .map(|host| (host.to_string(), Some(host), Vec::new()))
            .collect(),
    };
    let count = step.matrix.iter().map(|axis| axis.values.len()).try_fold(places.len(), usize::checked_mul);
    if count.is_none_or(|count| count > MOST) {
        let message = format!("step `{}` expands to more than {MOST} steps", step.id);
        faults.push(Diagnostic::error("plan::too-many", message, step.id_span.clone()));
        return Vec::new();
    }
    for axis in &step.matrix {
        places = places
            .into_iter()
            .flat_map(|(place, host, matrix)| {
                axis.values.iter().map(move |value| {
                    let comma = if place.is_empty() { "" } else { "," };
                    let mut matrix = matrix.clone();
                    matrix.push((axis.name.clone(), value.clone()));
                    (format!("{place}{comma}{}={value}", axis.name), host.clone(), matrix)
                })
            })
            .collect();
    }
    places
}

fn host_ids(
    hosts: &Hosts,
    variables: &Variables,
    inputs: &Inputs<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<HostId> {
    let (names, tag_span) = match hosts {
        Hosts::List(templates) => {
            let names = templates
                .iter()
                .filter_map(|template| {
                    let text = fixed_text(template, "`hosts`", variables, inputs, faults)?;
                    Some((text, template.span.clone()))
                })
                .collect();
            (names, None)
        }
        Hosts::Tagged { tag, span } => {
            let names: Vec<_> = (inputs.tagged)(tag).into_iter().map(|name| (name, span.clone())).collect();
            (names, Some((tag, span)))
        }
    };
    if let Some((tag, span)) = tag_span
        && names.is_empty()
    {
        faults.push(
            Diagnostic::error("plan::empty-group", format!("no host has the tag `{tag}`"), span.clone())
                .help(format!("give hosts `tags = [\"{tag}\"]` in hosts.toml")),
        );
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
