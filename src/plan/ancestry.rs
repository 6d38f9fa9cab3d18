//! Whether a step has ended by the time another starts: whether it is among its ancestors.
//!
//! Asked for many pairs at once, so that a recipe of 100,000 steps that refer to each other does
//! not take a search each: facts flow down the graph, a machine word of them at a time.

use std::collections::HashMap;
use std::hash::Hash;

/// Facts that flow together.
const WORDS: usize = 8;

/// Answers, for each question (node, fact), whether the fact's source is an ancestor of the node.
///
/// `order` holds every node after its predecessors; `before` are needs and members;
/// `sources` are the nodes where a fact begins.
pub(super) fn reached<F: Hash + Eq + Clone>(
    order: &[usize],
    before: &[Vec<usize>],
    sources: &HashMap<F, Vec<usize>>,
    questions: &[(usize, F)],
) -> Vec<bool> {
    let mut answers = vec![false; questions.len()];
    let mut by_fact: HashMap<&F, Vec<usize>> = HashMap::new();
    for (index, (_, fact)) in questions.iter().enumerate() {
        by_fact.entry(fact).or_default().push(index);
    }
    let by_fact: Vec<(&F, Vec<usize>)> = by_fact.into_iter().collect();
    for batch in by_fact.chunks(WORDS * 64) {
        let mut begins: HashMap<usize, [u64; WORDS]> = HashMap::new();
        for (bit, (fact, _)) in batch.iter().enumerate() {
            for node in sources.get(*fact).into_iter().flatten() {
                begins.entry(*node).or_default()[bit / 64] |= 1 << (bit % 64);
            }
        }
        let arrived = flow(order, before, &begins);
        for (bit, (_, asked)) in batch.iter().enumerate() {
            for question in asked {
                let node = questions[*question].0;
                answers[*question] = arrived[node][bit / 64] >> (bit % 64) & 1 == 1;
            }
        }
    }
    answers
}

/// For each node the facts that begin in its ancestors.
fn flow(order: &[usize], before: &[Vec<usize>], begins: &HashMap<usize, [u64; WORDS]>) -> Vec<[u64; WORDS]> {
    let mut arrived = vec![[0; WORDS]; order.len()];
    let mut leaving = vec![[0; WORDS]; order.len()];
    for node in order {
        let mut facts = [0; WORDS];
        for predecessor in &before[*node] {
            for (word, more) in facts.iter_mut().zip(leaving[*predecessor]) {
                *word |= more;
            }
        }
        arrived[*node] = facts;
        if let Some(own) = begins.get(node) {
            for (word, more) in facts.iter_mut().zip(own) {
                *word |= more;
            }
        }
        leaving[*node] = facts;
    }
    arrived
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ancestors_are_reached() {
        // 0 → 1 → 2, 3 alone
        let before = [vec![], vec![0], vec![1], vec![]];
        let sources: HashMap<usize, Vec<usize>> = (0..4).map(|node| (node, vec![node])).collect();
        let questions = [(2, 0), (2, 1), (2, 2), (2, 3), (0, 2), (1, 0)];
        let answers = reached(&[0, 1, 2, 3], &before, &sources, &questions);
        assert_eq!(answers, [true, true, false, false, false, true]);
    }

    #[test]
    fn more_facts_than_flow_at_once() {
        let count = WORDS * 64 * 2 + 7;
        let order: Vec<usize> = (0..count).collect();
        let before: Vec<Vec<usize>> =
            order.iter().map(|node| node.checked_sub(1).into_iter().collect()).collect();
        let sources: HashMap<usize, Vec<usize>> = order.iter().map(|node| (*node, vec![*node])).collect();
        let questions: Vec<_> = order.iter().map(|fact| (count - 1, *fact)).collect();
        let answers = reached(&order, &before, &sources, &questions);
        assert!(answers[..count - 1].iter().all(|answer| *answer));
        assert!(!answers[count - 1]);
    }
}
