//! Jumps from host to host: each is known, and they lead somewhere.

use doppio_text::Diagnostic;
use doppio_text::Span;
use doppio_text::closest;

/// A jump as it was written: which entry has it, what it says, where.
pub(super) struct Jump {
    pub entry: usize,
    pub name: String,
    pub span: Span,
}

/// What is wrong with the jumps of the entries with these names.
pub(super) fn check(names: &[String], jumps: &[Jump]) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for jump in jumps {
        if let Some(to) = names.iter().position(|name| *name == jump.name) {
            edges[jump.entry].push(to);
        } else if !jump.name.contains('@') && !jump.name.starts_with("ssh://") {
            let fault = Diagnostic::error(
                "hosts::unknown-jump",
                format!(
                    "`{}` jumps through `{}`, which is not a host of this file",
                    names[jump.entry], jump.name
                ),
                jump.span.clone(),
            );
            let near = closest(&jump.name, names.iter().map(String::as_str));
            faults.push(match near {
                Some(near) => fault
                    .help(format!("a similar host exists: `{near}`"))
                    .edit(jump.span.clone(), format!("\"{near}\"")),
                None => fault.help("add it as `[hosts.NAME]`, or write `USER@ADDRESS:PORT`"),
            });
        }
    }
    for start in 0..names.len() {
        let Some(path) = cycle_through(start, &edges) else { continue };
        // Each cycle is reported once, at its first host in the file.
        if path.iter().any(|&other| other < start) {
            continue;
        }
        let way: Vec<&str> = path.iter().chain([&start]).map(|&at| names[at].as_str()).collect();
        let next = path.get(1).unwrap_or(&start);
        let jump = jumps.iter().find(|jump| jump.entry == start && jump.name == names[*next]);
        faults.push(Diagnostic::error(
            "hosts::jump-cycle",
            format!("hosts jump through each other: {}", way.join(" -> ")),
            jump.map_or(0..0, |jump| jump.span.clone()),
        ));
    }
    faults
}

/// The way from a node back to itself, without the node at its end.
fn cycle_through(start: usize, edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut came_from: Vec<Option<usize>> = vec![None; edges.len()];
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for &next in &edges[at] {
            if next == start {
                let mut path = vec![at];
                while let Some(before) = came_from[*path.last().expect("the path begins with one")] {
                    path.push(before);
                }
                path.reverse();
                return Some(path);
            }
            if came_from[next].is_none() {
                came_from[next] = Some(at);
                open.push(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::hosts_file::tests::faults;

    #[test]
    fn jumps_are_known_and_lead_somewhere() {
        let text = "[hosts.a]\njump = [\"bastoin\"]\n[hosts.bastion]\njump = \"root@b:2222\"\n";
        assert_eq!(
            faults(text),
            [
                "2:9 `a` jumps through `bastoin`, which is not a host of this file (a similar host exists: `bastion`)"
            ]
        );
        let text = "[hosts.a]\njump = \"b\"\n[hosts.b]\njump = [\"c\"]\n[hosts.c]\njump = \"a\"\n[hosts.d]\njump = \"d\"\n";
        assert_eq!(
            faults(text),
            [
                "2:8 hosts jump through each other: a -> b -> c -> a",
                "8:8 hosts jump through each other: d -> d",
            ]
        );
    }
}
