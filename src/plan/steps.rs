//! Nodes → planned steps: the texts of each resolved, its host, deadline and condition settled.

use std::collections::HashMap;
use std::collections::HashSet;

use doppio_secrets::Wanted;
use doppio_secrets::vendor::Sent;
use doppio_text::Diagnostic;
use doppio_text::ENOUGH;
use doppio_text::Span;
use doppio_text::name::EnvName;
use doppio_text::name::HostId;

use crate::plan::PlannedStep;
use crate::plan::Retry;
use crate::plan::RunIf;
use crate::plan::When;
use crate::plan::ancestry::reached;
use crate::plan::fields::Fact;
use crate::plan::fields::Planning;
use crate::plan::fields::Question;
use crate::plan::fields::Resolver;
use crate::plan::fields::Travel;
use crate::plan::fields::invalid;
use crate::plan::node::Node;
use crate::plan::node::Role;
use crate::plan::ports::ports;
use crate::plan::shell_text::Texts;
use crate::recipe::Operation;
use crate::step::LONGEST;
use crate::step::Planned;
use crate::step::Site;

/// Plans the steps one by one.
pub(super) struct Steps<'a> {
    resolver: Resolver<'a>,
    /// Which nodes set a variable.
    setters: HashMap<String, Vec<usize>>,
    /// Which nodes make or start the machine that is the run's target from then on.
    makers: Vec<usize>,
}

/// What steps read of each other and of the command line.
pub(super) struct Reads {
    /// For a node, the nodes whose results it uses.
    pub steps: HashMap<usize, Vec<usize>>,
    /// Variables that texts refer to.
    pub variables: HashSet<String>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(resolver: Resolver<'a>) -> Self {
        Self { resolver, setters: HashMap::new(), makers: Vec::new() }
    }

    /// A planned step for each node whose operation could be read.
    pub(super) fn plan(&mut self) -> Vec<Option<PlannedStep>> {
        (0..self.resolver.graph.nodes.len()).map(|node| self.step(node)).collect()
    }

    fn step(&mut self, index: usize) -> Option<PlannedStep> {
        let node = &self.resolver.graph.nodes[index];
        let recipe = self.resolver.recipe;
        let recipe_step = &recipe.steps[node.step];
        let Some(read) = &recipe_step.operation else {
            // What could be read of the step is checked all the same.
            self.when(index);
            return None;
        };
        let kind = read.kind.name();
        let takes_env = read.kind.spec.keys().any(|key| key == "env");
        let runs_nothing = node.role == Role::Join || read.parsed.members().is_some();
        let mut travel = Travel::default();
        let operation = (node.role != Role::Join).then(|| {
            let resolver = &mut self.resolver;
            read.parsed.plan(&mut Planning { resolver, node: index, kind, travel: &mut travel })
        });
        let mut host = None;
        let mut own_timeout = None;
        if let Some(operation) = operation.as_deref() {
            for (field, message) in operation.faults() {
                self.resolver.fault(invalid(kind, field, span_of(read, field), &message));
            }
            if !runs_nothing {
                if operation.makes_target() {
                    self.makers.push(index);
                }
                host = self.host(index, operation.site());
                own_timeout = operation.timeout().filter(|timeout| !timeout.is_zero());
            }
        }
        if !runs_nothing {
            for name in read.parsed.sets() {
                self.setters.entry(name.to_owned()).or_default().push(index);
            }
        }
        let credentials =
            if runs_nothing { Vec::new() } else { self.credentials(node.step, kind, takes_env) };
        if let Some(operation) = operation.as_deref() {
            for (wanted, span) in &credentials {
                if let Some(fault) = refused_file(operation, wanted, span) {
                    self.resolver.fault(fault);
                }
            }
        }
        travel.env_names.extend(variables(&credentials));
        if let Some(operation) = operation.as_deref() {
            let sent = travel.env_names.iter().cloned().chain(files(&credentials)).collect::<Vec<_>>();
            self.warn_of_texts(operation, host.as_ref(), &travel, &sent);
        }
        let defaults = &self.resolver.recipe.defaults;
        let timeout = recipe_step.timeout.or(own_timeout).or(defaults.timeout);
        let retry = recipe_step.retry.or(defaults.retry);
        Some(PlannedStep {
            id: node.id.clone(),
            name: recipe_step.name.clone(),
            kind: kind.to_owned(),
            needs: node.needs.clone(),
            members: node.members.clone(),
            when: self.when_of(index, node.role),
            run_if: self.run_if(node.step),
            retry: retry.filter(|_| !runs_nothing).unwrap_or(Retry::ONCE),
            timeout: timeout.filter(|_| !runs_nothing).map(|timeout| timeout.min(LONGEST)),
            continue_on_failure: recipe_step.continue_on_failure,
            idempotent: recipe_step.idempotent,
            forward: self.forward(index, operation.as_deref(), runs_nothing),
            host,
            secrets: travel.secrets,
            credentials,
            env_names: travel.env_names,
            operation,
            reads: Vec::new(),
        })
    }

    /// The ports that a step wants open.
    fn forward(&mut self, index: usize, operation: Option<&dyn Planned>, runs_nothing: bool) -> Vec<String> {
        let nodes = &self.resolver.graph.nodes;
        let node = &nodes[index];
        let wanted = &self.resolver.recipe.steps[node.step].forward;
        if wanted.is_empty() || node.role == Role::Join {
            return Vec::new();
        }
        let has_host = !runs_nothing && matches!(operation.map(|does| does.site()), Some(Site::Host(_)));
        // Those that one step expands to stand together.
        let is_like = |other: &Node| other.step == node.step && other.role == Role::One;
        let is_many = nodes.get(index + 1).is_some_and(is_like)
            || index.checked_sub(1).is_some_and(|at| is_like(&nodes[at]));
        let (ports, fault) = ports(wanted, has_host, is_many);
        if let Some(fault) = fault {
            self.resolver.fault(fault);
        }
        ports
    }

    /// Warns of what shell texts may not have been meant to do.
    fn warn_of_texts(
        &mut self,
        operation: &dyn Planned,
        host: Option<&HostId>,
        travel: &Travel,
        sent: &[EnvName],
    ) {
        if !operation.is_posix() {
            return;
        }
        let is_here = host.is_some_and(|host| matches!(host.as_str(), "local" | "__local__"));
        let inherited = is_here.then_some(self.resolver.inputs.env);
        let texts = Texts { unset: &travel.unset, sent, inherited };
        if operation.knows_environment() {
            self.resolver.warn_of_unset(&texts);
        }
        if operation.pipes_hide_failures() {
            self.resolver.warn_of_pipes(&travel.pipes);
        }
    }

    /// The providers of a step, or those of all steps where it names none itself.
    fn credentials(&mut self, step: usize, kind: &str, takes_env: bool) -> Vec<(Wanted, Span)> {
        let recipe = self.resolver.recipe;
        let Some(own) = &recipe.steps[step].credentials else {
            return if takes_env { recipe.defaults.credentials.clone() } else { Vec::new() };
        };
        if let (Some((_, span)), false) = (own.first(), takes_env) {
            let message = format!("`{kind}` runs no command that could use `credentials`");
            let fault = Diagnostic::error("plan::no-effect", message, span.clone());
            self.resolver.fault(fault.help("name them at the step whose command needs them"));
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
        if !self.resolver.graph.nodes[index].members.is_empty() {
            self.resolver.questions.truncate(asked);
        }
        when
    }

    /// A step's own condition, and those of the groups around it.
    fn when(&mut self, index: usize) -> Option<When> {
        let step = self.resolver.graph.nodes[index].step;
        let around: Vec<usize> =
            std::iter::once(step).chain(self.resolver.graph.groups.around(step)).collect();
        let mut whole: Option<When> = None;
        for step in around {
            let Some(template) = &self.resolver.recipe.steps[step].when else { continue };
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
            .chain(self.resolver.graph.groups.around(step))
            .map(|step| self.resolver.recipe.steps[step].run_if)
            .find(|run_if| *run_if != RunIf::Success)
            .unwrap_or_default()
    }

    fn host(&mut self, index: usize, site: Site<'_>) -> Option<HostId> {
        let node = &self.resolver.graph.nodes[index];
        let own = || node.host.clone().or_else(|| self.resolver.inputs.target.cloned());
        match site {
            Site::Nowhere => own(),
            Site::Local => Some("local".parse().expect("it is a host")),
            Site::Host(None) => {
                let host = own();
                if host.is_none() {
                    let span = self.resolver.recipe.steps[node.step].id_span.clone();
                    self.resolver.questions.push(Question { node: index, fact: Fact::Target, span });
                }
                host
            }
            Site::Host(Some(text)) => {
                let Some(fixed) = text.0.fixed() else {
                    // `${host}` itself; anything else is known when the step starts.
                    return own().filter(|_| text.0.to_string() == "${host}");
                };
                // What is no host has been told with the field.
                let host = fixed.parse::<HostId>().ok()?;
                self.warn_of_hosts(index, &host);
                Some(host)
            }
        }
    }

    fn warn_of_hosts(&mut self, index: usize, named: &HostId) {
        let node = &self.resolver.graph.nodes[index];
        if node.host.as_ref().is_none_or(|host| host == named) {
            return;
        }
        let step = &self.resolver.recipe.steps[node.step];
        let id = &step.id;
        let message =
            format!("each of the `hosts` of step `{id}` runs on `{named}`, which its `host_id` names");
        let fault = Diagnostic::warning("plan::no-effect", message, step.id_span.clone());
        self.resolver.fault(fault.help("leave `host_id` out, or write `host_id = \"${host}\"`"));
    }

    /// Answers what steps ask of each other, and hands over all faults.
    pub(super) fn finish(mut self, faults: &mut Vec<Diagnostic>) -> Reads {
        faults.append(&mut self.resolver.faults);
        let mut questions = std::mem::take(&mut self.resolver.questions);
        if self.makers.is_empty() {
            let is_of_target = |question: &Question| question.fact == Fact::Target;
            let (targetless, others): (Vec<_>, Vec<_>) = questions.into_iter().partition(is_of_target);
            questions = others;
            self.no_target(&targetless, faults);
        }
        if let Some(order) = &self.resolver.graph.order {
            self.check_reach(order, &questions, faults);
        }
        let mut steps: HashMap<usize, Vec<usize>> = HashMap::new();
        for question in questions {
            let of = match &question.fact {
                Fact::Target => None,
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
        sources.insert(Fact::Target, self.makers.clone());
        for question in questions {
            if let Fact::Result(of) = question.fact {
                sources.entry(Fact::Result(of)).or_insert_with(|| vec![of]);
            }
        }
        let asked: Vec<(usize, Fact)> =
            questions.iter().map(|question| (question.node, question.fact.clone())).collect();
        let answers = reached(order, &self.resolver.graph.before(), &sources, &asked);
        // Which machine is to be started may be said when the recipe is run.
        let is_first = |question: &Question| {
            question.fact == Fact::Target && self.makers.iter().all(|node| *node == question.node)
        };
        let missing = questions.iter().zip(answers).filter(|(_, is_reached)| !is_reached);
        let missing = missing.filter(|(question, _)| !(self.resolver.inputs.is_check && is_first(question)));
        for (question, _) in missing.take(ENOUGH) {
            faults.push(self.unreached(question));
        }
    }

    fn unreached(&self, question: &Question) -> Diagnostic {
        let id = &self.resolver.graph.nodes[question.node].id;
        let (message, of) = match &question.fact {
            Fact::Result(of) if *of == question.node => {
                let message = format!("step `{id}` can't use its own result");
                return Diagnostic::error("plan::not-before", message, question.span.clone());
            }
            Fact::Result(of) => {
                let of = &self.resolver.graph.nodes[*of].id;
                (format!("step `{id}` uses a result of `{of}` and does not depend on it"), of)
            }
            Fact::Target => {
                let Some(of) = self.makers.iter().find(|node| **node != question.node) else {
                    let message = format!("step `{id}` names no machine, and the run has no target");
                    return Diagnostic::error("plan::no-target", message, question.span.clone())
                        .help("name the machine with `host_id`, or the target with `--host HOST`");
                };
                let of = &self.resolver.graph.nodes[*of].id;
                (
                    format!(
                        "step `{id}` runs on the machine that `{of}` makes the target, and does not depend on it"
                    ),
                    of,
                )
            }
            Fact::Variable(name) => {
                let setters = self.setters.get(name).map_or(&[][..], Vec::as_slice);
                let Some(of) = setters.iter().find(|node| **node != question.node) else {
                    let message = format!("step `{id}` uses variable `{name}`, which it sets itself");
                    return Diagnostic::error("plan::not-before", message, question.span.clone())
                        .help(format!("give `{name}` a first value under `[variables]`"));
                };
                let of = &self.resolver.graph.nodes[*of].id;
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

    fn no_target(&self, targetless: &[Question], faults: &mut Vec<Diagnostic>) {
        let mut spans: Vec<&Span> = targetless.iter().map(|question| &question.span).collect();
        spans.sort_unstable_by_key(|span| span.start);
        let Some(first) = spans.first().filter(|_| !self.resolver.inputs.is_check) else { return };
        let message = match spans.len() {
            1 => "this needs a host, and the run has no target".to_owned(),
            count => format!("this and {} more need a host, and the run has no target", count - 1),
        };
        faults.push(
            Diagnostic::error("plan::no-target", message, (*first).clone())
                .help("name the target with `--host HOST`, or give the steps a `host_id`"),
        );
    }
}

/// A credential that is a file, at a step that can't have one.
pub(crate) fn refused_file(operation: &dyn Planned, wanted: &Wanted, span: &Span) -> Option<Diagnostic> {
    let (why, instead) = operation.refuses_files().filter(|_| wanted.provider.is_file())?;
    let message = format!("the credential of `{wanted}` is a file, {why}");
    Some(Diagnostic::error("plan::credential-file", message, span.clone()).help(instead))
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

/// The variables that name files of credentials.
fn files(credentials: &[(Wanted, Span)]) -> impl Iterator<Item = EnvName> {
    let keys = credentials.iter().flat_map(|(wanted, _)| wanted.provider.keys());
    keys.filter_map(|key| match key.sent {
        Sent::As(_) => None,
        Sent::File(form) => form.variable.parse().ok(),
    })
}

/// The location of a field; that of the operation where the recipe does not give the field.
fn span_of(operation: &Operation, field: &str) -> Span {
    let known = operation.field_spans.iter().find(|(name, _)| *name == field);
    known.map_or_else(|| operation.span.clone(), |(_, span)| span.clone())
}
