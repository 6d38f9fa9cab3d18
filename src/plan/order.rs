//! An order in which steps could run one by one, or the cycles that forbid it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashSet;
use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// Names of a cycle beyond these are counted.
const MOST_NAMES: usize = 20;

/// Every node after those before it, otherwise by number; or one cycle of each knot, as nodes in
/// the order in which each depends on the next.
pub(super) fn order(before: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut after = vec![Vec::new(); before.len()];
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    for (node, predecessors) in before.iter().enumerate() {
        for predecessor in predecessors {
            after[*predecessor].push(node);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..before.len()).filter(|node| missing[*node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for next in &after[node] {
            missing[*next] -= 1;
            if missing[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    if order.len() == before.len() { Ok(order) } else { Err(cycles(before, &missing)) }
}

fn cycles(before: &[Vec<usize>], missing: &[usize]) -> Vec<Vec<usize>> {
    let edges = before
        .iter()
        .enumerate()
        .flat_map(|(node, predecessors)| predecessors.iter().map(move |predecessor| (node, *predecessor)))
        .filter(|(node, predecessor)| missing[*node] > 0 && missing[*predecessor] > 0)
        .map(|(node, predecessor)| (index(node), index(predecessor)));
    let graph: DiGraph<(), (), u32> = DiGraph::from_edges(edges);
    // Not `tarjan_scc`: it recurses, and a recipe may have very long chains.
    let mut cycles: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .map(|knot| shortest(before, &knot.iter().map(|node| node.index()).collect()))
        .collect();
    cycles.sort_unstable();
    cycles
}

fn index(node: usize) -> u32 {
    u32::try_from(node).expect("a recipe has fewer steps than bytes, and far fewer than 2³²")
}

/// The shortest cycle through the first node of a knot.
fn shortest(before: &[Vec<usize>], knot: &HashSet<usize>) -> Vec<usize> {
    let start = *knot.iter().min().expect("a knot has nodes");
    let mut came_from = std::collections::HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in before[node].iter().filter(|next| knot.contains(next)) {
            if *next == start {
                let mut path = vec![node];
                while let Some(previous) = path.last().and_then(|last| came_from.get(last)) {
                    path.push(*previous);
                }
                path.reverse();
                return path;
            }
            if !came_from.contains_key(next) {
                came_from.insert(*next, node);
                queue.push_back(*next);
            }
        }
    }
    vec![start]
}

/// `a -> b -> a`; the middle of a very long one is left out.
pub(super) fn arrows(names: &[&str]) -> String {
    if names.len() <= MOST_NAMES {
        return names.join(" -> ");
    }
    let (head, tail) = (&names[..MOST_NAMES - 2], &names[names.len() - 1..]);
    let left_out = names.len() - head.len() - tail.len();
    format!("{} -> … ({left_out} more) … -> {}", head.join(" -> "), tail.join(" -> "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cycle_is_named_whole() {
        assert_eq!(order(&[vec![2], vec![0], vec![1], vec![]]), Err(vec![vec![0, 2, 1]]));
        assert_eq!(order(&[vec![1], vec![0], vec![3], vec![2]]), Err(vec![vec![0, 1], vec![2, 3]]));
    }

    #[test]
    fn a_very_long_chain_and_a_very_long_cycle_are_no_trouble() {
        let count = 100_000;
        let mut before: Vec<Vec<usize>> =
            (0..count).map(|n: usize| n.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(order(&before).map(|order| order.len()), Ok(count));
        before[0] = vec![count - 1];
        let cycles = order(&before).expect_err("it is a cycle");
        assert_eq!(cycles.len(), 1);
        assert_eq!(cycles[0].len(), count);
    }

    #[test]
    fn long_cycles_are_cut_in_the_middle() {
        let names = vec!["a"; 100];
        assert!(arrows(&names).ends_with("-> … (81 more) … -> a"));
    }

    proptest! {
        #[test]
        fn any_graph_is_ordered_or_has_a_cycle(
            edges in prop::collection::vec((0usize..30, 0usize..30), 0..60),
        ) {
            let mut before = vec![Vec::new(); 30];
            for (from, to) in edges {
                if from != to && !before[from].contains(&to) {
                    before[from].push(to);
                }
            }
            match order(&before) {
                Ok(order) => {
                    let mut done = HashSet::new();
                    for node in &order {
                        prop_assert!(before[*node].iter().all(|needed| done.contains(needed)));
                        done.insert(*node);
                    }
                    prop_assert_eq!(order.len(), before.len());
                }
                Err(cycles) => {
                    prop_assert!(!cycles.is_empty());
                    for cycle in cycles {
                        prop_assert!(cycle.len() > 1);
                        for (at, node) in cycle.iter().enumerate() {
                            let next = cycle[(at + 1) % cycle.len()];
                            prop_assert!(before[*node].contains(&next));
                        }
                    }
                }
            }
        }

        #[test]
        fn a_graph_without_cycles_is_always_ordered(
            edges in prop::collection::vec((0usize..50, 0usize..50), 0..200),
        ) {
            let mut before = vec![Vec::new(); 50];
            for (a, b) in edges {
                let (low, high) = (a.min(b), a.max(b));
                if low != high && !before[high].contains(&low) {
                    before[high].push(low);
                }
            }
            prop_assert!(order(&before).is_ok());
        }
    }
}
