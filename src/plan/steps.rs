//! Nodes → planned steps: the texts of each resolved, its host, deadline and condition settled.

use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;

use toml::de::DeString;

use doppio_secrets::Wanted;
use doppio_secrets::provider::Sent;
use doppio_text::Diagnostic;
use doppio_text::ENOUGH;
use doppio_text::Source;
use doppio_text::Span;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::plan::Inputs;
use crate::plan::PlannedStep;
use crate::plan::Retry;
use crate::plan::RunIf;
use crate::plan::When;
use crate::plan::ancestry::reached;
use crate::plan::expand::Role;
use crate::plan::fields::Fact;
use crate::plan::fields::Question;
use crate::plan::fields::Resolver;
use crate::plan::fields::Travel;
use crate::plan::graph::Graph;
use crate::plan::names::Variables;
use crate::recipe::Operation;
use crate::recipe::Recipe;
use crate::recipe::again;
use crate::step::Place;
use crate::step::Step;

/// The longest time that a timer can hold.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// Plans the steps one by one.
pub(super) struct Steps<'a> {
    recipe: &'a Recipe<'a>,
    graph: &'a Graph,
    inputs: &'a Inputs<'a>,
    resolver: Resolver<'a>,
    operations: Vec<Option<Operation<'a>>>,
    /// Which nodes set a variable.
    setters: HashMap<String, Vec<usize>>,
    /// Places of steps that name no host, while the run has none.
    hostless: Vec<Span>,
}

/// What steps read of each other and of the command line.
pub(super) struct Reads {
    /// For a node, the nodes whose results it uses.
    pub steps: HashMap<usize, Vec<usize>>,
    /// Variables that texts refer to.
    pub variables: HashSet<String>,
}

impl<'a> Steps<'a> {
    /// Nothing is planned yet.
    pub(super) fn new(
        recipe: &'a Recipe<'a>,
        graph: &'a Graph,
        variables: &'a Variables,
        inputs: &'a Inputs<'a>,
        operations: Vec<Option<Operation<'a>>>,
    ) -> Self {
        let resolver = Resolver {
            variables,
            inputs,
            ids: &graph.ids,
            nodes: &graph.nodes,
            recipe_name: &recipe.name,
            unread: &recipe.unread,
            faults: Vec::new(),
            questions: Vec::new(),
            targetless: Vec::new(),
            used: HashSet::new(),
            added: 0,
        };
        Self { recipe, graph, inputs, resolver, operations, setters: HashMap::new(), hostless: Vec::new() }
    }

    /// A planned step for each node whose operation could be read.
    pub(super) fn plan(&mut self, source: &Source) -> Vec<Option<PlannedStep>> {
        (0..self.graph.nodes.len()).map(|node| self.step(node, source)).collect()
    }

    fn step(&mut self, index: usize, source: &Source) -> Option<PlannedStep> {
        let node = &self.graph.nodes[index];
        let recipe_step = &self.recipe.steps[node.step];
        let Some(read) = self.operations[node.step].as_ref() else {
            // What could be read of the step is checked all the same.
            self.when(index);
            return None;
        };
        let kind = read.kind.name;
        let takes_env = (read.kind.keys)().contains(&"env");
        let (read_fields, read_span);
        let mut operation = if node.role == Role::One {
            (read_fields, read_span) = (read.field_spans.clone(), read.span.clone());
            again(read, source)
        } else {
            // Those for which it is read again come before the one that takes it.
            let taken = self.operations[node.step].take()?;
            (read_fields, read_span) = (taken.field_spans, taken.span);
            taken.step
        };
        let runs_nothing = node.role == Role::Join || operation.group().is_some();
        let mut travel = Travel::default();
        let mut host = None;
        if !runs_nothing {
            for (name, field) in operation.fields() {
                self.resolver.field(index, &name, field, &mut travel);
            }
            for name in operation.sets() {
                self.setters.entry(name.to_owned()).or_default().push(index);
            }
            host = self.host(index, operation.as_ref());
        }
        if node.role != Role::Join {
            for fault in faults_of(operation.as_ref(), kind, &read_fields, &read_span) {
                self.resolver.fault(fault);
            }
        }
        let credentials =
            if runs_nothing { Vec::new() } else { self.credentials(node.step, kind, takes_env) };
        travel.env_names.extend(variables(&credentials));
        let defaults = &self.recipe.defaults;
        let own_timeout = operation.timeout().filter(|timeout| !timeout.is_zero());
        let timeout = recipe_step.timeout.or(own_timeout).or(defaults.timeout);
        let retry = recipe_step.retry.or(defaults.retry);
        Some(PlannedStep {
            id: node.id.clone(),
            name: recipe_step.name.clone(),
            kind,
            needs: node.needs.clone(),
            members: node.members.clone(),
            when: self.when_of(index, node.role),
            run_if: self.run_if(node.step),
            retry: retry.filter(|_| !runs_nothing).unwrap_or(Retry::ONCE),
            timeout: timeout.filter(|_| !runs_nothing).map(|timeout| timeout.min(LONGEST)),
            continue_on_failure: recipe_step.continue_on_failure,
            idempotent: recipe_step.idempotent,
            host,
            secrets: travel.secrets,
            credentials,
            env_names: travel.env_names,
            operation,
            reads: Vec::new(),
        })
    }

    /// The providers of a step, or those of all steps where it names none itself.
    fn credentials(&mut self, step: usize, kind: &str, takes_env: bool) -> Vec<(Wanted, Span)> {
        let recipe = self.recipe;
        let Some(own) = &recipe.steps[step].credentials else {
            return if takes_env { recipe.defaults.credentials.clone() } else { Vec::new() };
        };
        if let (Some((_, span)), false) = (own.first(), takes_env) {
            self.resolver.fault(
                Diagnostic::error(
                    "plan::no-effect",
                    format!("`{kind}` runs no command that could use `credentials`"),
                    span.clone(),
                )
                .help("name them at the step whose command needs them"),
            );
        }
        own.clone()
    }

    /// A step's conditions, as far as they are asked at the step itself.
    fn when_of(&mut self, index: usize, role: Role) -> Option<When> {
        // The many have each its own.
        if role == Role::Join {
            return None;
        }
        let asked = self.resolver.questions.len();
        let when = self.when(index);
        // Asked again at each member: a group's condition may not look at its own members.
        if !self.graph.nodes[index].members.is_empty() {
            self.resolver.questions.truncate(asked);
        }
        when
    }

    /// A step's own condition, and those of the groups around it.
    fn when(&mut self, index: usize) -> Option<When> {
        let step = self.graph.nodes[index].step;
        let around: Vec<usize> = std::iter::once(step).chain(self.graph.groups.around(step)).collect();
        let mut whole: Option<When> = None;
        for step in around {
            let Some(template) = &self.recipe.steps[step].when else { continue };
            let Some(when) = When::check(&mut self.resolver, index, template) else { continue };
            whole = Some(match whole {
                Some(inner) => inner.and(&when),
                None => when,
            });
        }
        whole
    }

    /// A step's own `run_if`, or that of the nearest group which has one.
    fn run_if(&self, step: usize) -> RunIf {
        std::iter::once(step)
            .chain(self.graph.groups.around(step))
            .map(|step| self.recipe.steps[step].run_if)
            .find(|run_if| *run_if != RunIf::Success)
            .unwrap_or_default()
    }

    fn host(&mut self, index: usize, operation: &dyn Step) -> Option<HostId> {
        let node = &self.graph.nodes[index];
        let own = || node.host.clone().or_else(|| self.inputs.target.cloned());
        match operation.place() {
            Place::Nowhere => own(),
            Place::Local => Some("local".parse().expect("it is a host")),
            Place::Host(None) => {
                let host = own();
                if host.is_none() {
                    self.hostless.push(self.recipe.steps[node.step].id_span.clone());
                }
                host
            }
            Place::Host(Some(text)) => {
                let Some(fixed) = text.fixed() else {
                    // `${host}` itself; anything else is known when the step starts.
                    return own().filter(|_| text.to_string() == "${host}");
                };
                match fixed.parse::<HostId>() {
                    Ok(host) => {
                        self.warn_of_hosts(index, &host);
                        Some(host)
                    }
                    Err(error) => {
                        let fault =
                            Diagnostic::error("plan::invalid-host", error.to_string(), text.0.span.clone());
                        self.resolver.fault(fault);
                        None
                    }
                }
            }
        }
    }

    fn warn_of_hosts(&mut self, index: usize, named: &HostId) {
        let node = &self.graph.nodes[index];
        if node.host.as_ref().is_none_or(|host| host == named) {
            return;
        }
        let step = &self.recipe.steps[node.step];
        self.resolver.fault(
            Diagnostic::warning(
                "plan::no-effect",
                format!(
                    "each of the `hosts` of step `{}` runs on `{named}`, which its `host_id` names",
                    step.id
                ),
                step.id_span.clone(),
            )
            .help("leave `host_id` out, or write `host_id = \"${host}\"`"),
        );
    }

    /// Answers what steps ask of each other, and hands over all faults.
    pub(super) fn finish(mut self, faults: &mut Vec<Diagnostic>) -> Reads {
        faults.append(&mut self.resolver.faults);
        self.no_target(faults);
        let questions = std::mem::take(&mut self.resolver.questions);
        if let Some(order) = &self.graph.order {
            self.check_reach(order, &questions, faults);
        }
        let mut steps: HashMap<usize, Vec<usize>> = HashMap::new();
        for question in questions {
            let of = match &question.fact {
                Fact::Result(of) => Some(*of),
                Fact::Variable(name) => match self.setters.get(name).map(Vec::as_slice) {
                    Some([only]) => Some(*only),
                    _ => None,
                },
            };
            steps.entry(question.node).or_default().extend(of);
        }
        Reads { steps, variables: self.resolver.used }
    }

    fn check_reach(&self, order: &[usize], questions: &[Question], faults: &mut Vec<Diagnostic>) {
        let mut sources: HashMap<Fact, Vec<usize>> =
            self.setters.iter().map(|(name, nodes)| (Fact::Variable(name.clone()), nodes.clone())).collect();
        for question in questions {
            if let Fact::Result(of) = question.fact {
                sources.entry(Fact::Result(of)).or_insert_with(|| vec![of]);
            }
        }
        let asked: Vec<(usize, Fact)> =
            questions.iter().map(|question| (question.node, question.fact.clone())).collect();
        let answers = reached(order, &self.graph.before(), &sources, &asked);
        let missing = questions.iter().zip(answers).filter(|(_, is_reached)| !is_reached);
        for (question, _) in missing.take(ENOUGH) {
            faults.push(self.unreached(question));
        }
    }

    fn unreached(&self, question: &Question) -> Diagnostic {
        let id = &self.graph.nodes[question.node].id;
        let (message, of) = match &question.fact {
            Fact::Result(of) if *of == question.node => {
                let message = format!("step `{id}` can't use its own result");
                return Diagnostic::error("plan::not-before", message, question.span.clone());
            }
            Fact::Result(of) => {
                let of = &self.graph.nodes[*of].id;
                (format!("step `{id}` uses a result of `{of}` and does not depend on it"), of)
            }
            Fact::Variable(name) => {
                let setters = self.setters.get(name).map_or(&[][..], Vec::as_slice);
                let Some(of) = setters.iter().find(|node| **node != question.node) else {
                    let message = format!("step `{id}` uses variable `{name}`, which it sets itself");
                    return Diagnostic::error("plan::not-before", message, question.span.clone())
                        .help(format!("give `{name}` a first value under `[variables]`"));
                };
                let of = &self.graph.nodes[*of].id;
                (
                    format!(
                        "step `{id}` uses variable `{name}`, and does not depend on `{of}`, which sets it"
                    ),
                    of,
                )
            }
        };
        Diagnostic::error("plan::not-before", message, question.span.clone())
            .help(format!("add `depends_on = [\"{of}\"]` to step `{id}`"))
    }

    fn no_target(&self, faults: &mut Vec<Diagnostic>) {
        let mut places: Vec<&Span> = self.resolver.targetless.iter().chain(&self.hostless).collect();
        places.sort_unstable_by_key(|span| span.start);
        let Some(first) = places.first().filter(|_| !self.inputs.is_check) else { return };
        let message = match places.len() {
            1 => "this needs a host, and the run has no target".to_owned(),
            count => format!("this and {} more need a host, and the run has no target", count - 1),
        };
        faults.push(
            Diagnostic::error("plan::no-target", message, (*first).clone())
                .help("name the target with `--host HOST`, or give the steps a `host_id`"),
        );
    }
}

/// The variables that credentials travel under as values.
fn variables(credentials: &[(Wanted, Span)]) -> Vec<EnvName> {
    let keys = credentials.iter().flat_map(|(wanted, _)| wanted.provider.keys());
    keys.filter_map(|key| match key.sent {
        Sent::As(variables) => Some(variables),
        Sent::File(_) => None,
    })
    .flatten()
    .filter_map(|variable| variable.parse().ok())
    .collect()
}

/// What is wrong with the values of an operation, at the locations of its fields.
fn faults_of(
    operation: &dyn Step,
    kind: &str,
    fields: &[(DeString<'_>, Span)],
    whole: &Span,
) -> Vec<Diagnostic> {
    let place = |field: &str| {
        let known = fields.iter().find(|(name, _)| name == field);
        known.map_or_else(|| whole.clone(), |(_, span)| span.clone())
    };
    let fault = |(field, message): (&str, String)| {
        // A regular expression's fault has a drawing between its first and its last line.
        let mut lines = message.lines().map(str::trim);
        let message = match (lines.next(), lines.next_back()) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            (Some(first), None) => first.to_owned(),
            (None, _) => "is not valid".to_owned(),
        };
        Diagnostic::error("plan::invalid-field", format!("`{field}` of `{kind}`: {message}"), place(field))
    };
    operation.faults().into_iter().map(fault).collect()
}
