//! Which step comes next: a synchronous type without time, hosts or events.
//!
//! [`ReadySet::pop`] hands out turns until nothing can happen before a step ends;
//! [`ReadySet::finish`] says that one has ended, and how. Every step gets exactly one turn that
//! decides its fate, and its dependents get theirs only after that.

use std::collections::VecDeque;

use crate::plan::PlannedStep;
use crate::plan::RunIf;

/// How a step ended, as far as those that depend on it care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It did what it was to do.
    Success,
    Failed,
    /// It failed, and was allowed to.
    Forgiven,
    /// Its own condition skipped it.
    Passed,
    /// It did not run because this step failed.
    Blocked(usize),
    Cancelled,
}

/// What is to be done with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// What it depends on has done what it must: look at its `when`, then start it (a leaf) or
    /// call [`ReadySet::open`] (one that stands for others), or [`ReadySet::finish`] it.
    Ready(usize),
    /// It does not run; this is its end.
    Skip(usize, Why),
    /// It is cancelled before it began; this is its end.
    Cancel(usize),
    /// All that it stands for has ended; this is its end.
    Join(usize, Fate, Option<usize>),
}

/// Why a step does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Failed(usize),
    /// It runs on failure only, and nothing failed.
    NothingFailed,
    /// The step that stands for it was skipped by its own wish.
    GroupPassed(usize),
}

#[derive(Debug)]
struct Node {
    needs: Vec<usize>,
    members: Vec<usize>,
    /// The step that stands for this one.
    group: Option<usize>,
    dependents: Vec<usize>,
    run_if: RunIf,
    forgiving: bool,
    /// Whether a cancel leaves it alone.
    always: bool,
    /// What it waits for: needs that are not over, and its group's opening.
    waits: usize,
    /// What it stands for and is not clear.
    members_left: usize,
    stage: Stage,
    fate: Option<Fate>,
    /// Whether those who wait for it have been told, or will be.
    is_clear: bool,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits for others.
    Waits,
    /// It is ready, or over: nothing decides it again.
    Decided,
    /// It stands for others, and they may begin.
    Open,
    /// It is over without having opened, and so are those it stands for.
    Closed,
}

/// The steps of a plan on their way to their ends.
#[derive(Debug)]
pub(super) struct ReadySet {
    nodes: Vec<Node>,
    turns: VecDeque<Turn>,
    /// Steps that are clear and whose dependents have not been told.
    news: VecDeque<usize>,
    left: usize,
    cancelled: bool,
}

impl ReadySet {
    pub(super) fn new(steps: &[PlannedStep]) -> Self {
        let mut nodes: Vec<Node> = steps.iter().map(Node::new).collect();
        for index in 0..nodes.len() {
            for need in nodes[index].needs.clone() {
                nodes[need].dependents.push(index);
            }
            for member in nodes[index].members.clone() {
                nodes[member].group = Some(index);
                nodes[member].waits += 1;
            }
        }
        // Groups stand after their members, so this meets a group before what it stands for.
        for index in (0..nodes.len()).rev() {
            if nodes[index].always {
                for member in nodes[index].members.clone() {
                    nodes[member].always = true;
                }
            }
        }
        let left = nodes.len();
        let mut set = Self { nodes, turns: VecDeque::new(), news: VecDeque::new(), left, cancelled: false };
        for index in 0..left {
            set.decide(index);
        }
        set
    }

    /// The next turn; none until a step that runs is finished.
    pub(super) fn pop(&mut self) -> Option<Turn> {
        self.spread();
        let turn = self.turns.pop_front()?;
        match turn {
            Turn::Ready(index) if self.cancelled && !self.nodes[index].always => {
                self.end(index, Fate::Cancelled);
                Some(Turn::Cancel(index))
            }
            turn => Some(turn),
        }
    }

    /// A step that was ready is over.
    pub(super) fn finish(&mut self, index: usize, fate: Fate) {
        let fate = if fate == Fate::Failed && self.nodes[index].forgiving { Fate::Forgiven } else { fate };
        self.end(index, fate);
    }

    /// A step that stands for others begins, and so may they.
    pub(super) fn open(&mut self, index: usize) {
        self.nodes[index].stage = Stage::Open;
        for member in self.nodes[index].members.clone() {
            self.advance(member);
        }
        self.join(index);
    }

    /// From now on only `always` steps become ready; all others that are not in the caller's
    /// hands are cancelled.
    pub(super) fn cancel(&mut self) {
        self.cancelled = true;
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            let never_opens = node.group.is_some_and(|group| {
                let group = &self.nodes[group];
                !group.always && group.stage != Stage::Open
            });
            if node.stage == Stage::Waits && (!node.always || never_opens) {
                self.turns.push_back(Turn::Cancel(index));
                self.end(index, Fate::Cancelled);
            }
        }
    }

    /// Whether every step is over.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Whether a cancel leaves the step alone.
    pub(super) fn is_always(&self, index: usize) -> bool {
        self.nodes[index].always
    }

    /// Whether a step failed whose failure counts.
    pub(super) fn has_failed(&self) -> bool {
        let mut failed = (0..self.nodes.len()).filter(|index| self.nodes[*index].fate == Some(Fate::Failed));
        failed.any(|index| !self.is_forgiven(index))
    }

    /// Whether the step itself forgives its failure, or a step that it belongs to does.
    pub(super) fn is_forgiven(&self, index: usize) -> bool {
        let mut around = std::iter::successors(Some(index), |index| self.nodes[*index].group);
        around.any(|index| self.nodes[index].forgiving)
    }

    fn end(&mut self, index: usize, fate: Fate) {
        let node = &mut self.nodes[index];
        debug_assert!(node.fate.is_none(), "a step ends once");
        if node.stage == Stage::Waits {
            node.stage = Stage::Decided;
        }
        node.fate = Some(fate);
        self.left -= 1;
        self.clear(index);
    }

    /// Something that a step waited for has come.
    fn advance(&mut self, index: usize) {
        self.nodes[index].waits -= 1;
        if self.nodes[index].fate.is_some() {
            self.clear(index);
        } else {
            self.decide(index);
        }
    }

    /// Clears a step that is over, once nothing before it runs any more: what it depends on, and
    /// what those depend on that it stands for.
    fn clear(&mut self, index: usize) {
        let node = &self.nodes[index];
        if node.waits > 0 || node.is_clear {
            return;
        }
        if node.stage == Stage::Decided {
            self.nodes[index].stage = Stage::Closed;
            for member in self.nodes[index].members.clone() {
                self.end_with_group(member, index);
                self.advance(member);
            }
        }
        if self.nodes[index].members_left == 0 && !self.nodes[index].is_clear {
            self.nodes[index].is_clear = true;
            self.news.push_back(index);
        }
    }

    /// Tells those who wait for steps that are clear.
    fn spread(&mut self) {
        while let Some(index) = self.news.pop_front() {
            for dependent in self.nodes[index].dependents.clone() {
                self.advance(dependent);
            }
            if let Some(group) = self.nodes[index].group {
                self.nodes[group].members_left -= 1;
                if self.nodes[group].fate.is_some() {
                    self.clear(group);
                } else {
                    self.join(group);
                }
            }
        }
    }

    /// Decides about a step that waits for nothing any more.
    fn decide(&mut self, index: usize) {
        let node = &self.nodes[index];
        if node.waits > 0 || node.stage != Stage::Waits {
            return;
        }
        if self.cancelled && !node.always {
            self.turns.push_back(Turn::Cancel(index));
            self.end(index, Fate::Cancelled);
            return;
        }
        match self.verdict(node) {
            None => {
                self.nodes[index].stage = Stage::Decided;
                self.turns.push_back(Turn::Ready(index));
            }
            Some((why, fate)) => {
                self.turns.push_back(Turn::Skip(index, why));
                self.end(index, fate);
            }
        }
    }

    /// Why a step whose needs are over can't run.
    fn verdict(&self, node: &Node) -> Option<(Why, Fate)> {
        let culprit = node.needs.iter().find_map(|need| match self.nodes[*need].fate {
            Some(Fate::Failed) => Some(*need),
            Some(Fate::Blocked(root)) => Some(root),
            _ => None,
        });
        match node.run_if {
            RunIf::Always => None,
            RunIf::Success => culprit.map(|root| (Why::Failed(root), Fate::Blocked(root))),
            RunIf::Failure => {
                let forgiven = node.needs.iter().any(|need| self.nodes[*need].fate == Some(Fate::Forgiven));
                (culprit.is_none() && !forgiven).then_some((Why::NothingFailed, Fate::Passed))
            }
        }
    }

    /// A step whose group ended without having begun.
    fn end_with_group(&mut self, member: usize, group: usize) {
        if self.nodes[member].stage != Stage::Waits {
            return;
        }
        let (turn, fate) = match self.nodes[group].fate {
            Some(Fate::Blocked(root)) => (Turn::Skip(member, Why::Failed(root)), Fate::Blocked(root)),
            Some(Fate::Cancelled) => (Turn::Cancel(member), Fate::Cancelled),
            // Its own `when` could not be evaluated.
            Some(Fate::Failed) => (Turn::Skip(member, Why::Failed(group)), Fate::Blocked(group)),
            _ => (Turn::Skip(member, Why::GroupPassed(group)), Fate::Passed),
        };
        self.end(member, fate);
        self.turns.push_back(turn);
    }

    /// Ends a step that stands for others when they have all ended.
    fn join(&mut self, index: usize) {
        let node = &self.nodes[index];
        if node.stage != Stage::Open || node.members_left > 0 || node.fate.is_some() {
            return;
        }
        let member_with = |wanted: fn(Fate) -> bool| {
            node.members.iter().copied().find(|member| self.nodes[*member].fate.is_some_and(wanted))
        };
        let failed = member_with(|fate| fate == Fate::Failed)
            .or_else(|| member_with(|fate| matches!(fate, Fate::Blocked(_))));
        let cancelled = member_with(|fate| fate == Fate::Cancelled);
        let fate = match (failed, cancelled) {
            (Some(_), _) if node.forgiving => Fate::Forgiven,
            (Some(_), _) => Fate::Failed,
            (None, Some(_)) => Fate::Cancelled,
            (None, None) => Fate::Success,
        };
        self.end(index, fate);
        self.turns.push_back(Turn::Join(index, fate, failed.or(cancelled)));
    }
}

impl Node {
    fn new(step: &PlannedStep) -> Self {
        let mut needs = step.needs.clone();
        needs.sort_unstable();
        needs.dedup();
        Self {
            waits: needs.len(),
            needs,
            members_left: step.members.len(),
            members: step.members.clone(),
            group: None,
            dependents: Vec::new(),
            run_if: step.run_if,
            forgiving: step.continue_on_failure,
            always: step.run_if == RunIf::Always,
            stage: Stage::Waits,
            fate: None,
            is_clear: false,
        }
    }
}
