//! Any text gets an answer: the corpus of the fuzz target, mutations of it, and made-up graphs.

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use doppio::plan::Inputs;
use doppio::plan::Plan;
use doppio::ui::report;
use doppio_secrets::Environment;
use doppio_text::Diagnostic;
use doppio_text::Severity;
use doppio_text::Source;

/// What becomes of a text, with its faults drawn both ways.
fn build(text: &str) -> Result<Plan, Vec<Diagnostic>> {
    let source = Source::new("recipe.toml", text);
    let env = Environment::default();
    let inputs =
        Inputs { vars: &[], env: &env, target: None, tagged: &|_| Vec::new(), host_env: &[], is_check: true };
    let built = doppio::plan::build(doppio::recipe::parse(&source), &inputs);
    match built {
        Ok((plan, warnings)) => {
            assert!(warnings.iter().all(|fault| fault.severity == Severity::Warning));
            report::draw(&source, &warnings);
            doppio::plan::outline::show(&plan);
            let saved = serde_json::to_value(&plan).expect("a plan can be saved");
            assert_eq!(serde_json::from_value::<Plan>(saved).expect("and read back"), plan);
            Ok(plan)
        }
        Err(faults) => {
            assert!(faults.iter().any(|fault| fault.severity == Severity::Error), "no plan and no error");
            report::draw(&source, &faults);
            report::json(&source, &faults);
            Err(faults)
        }
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/recipe");
    let files = fs::read_dir(folder).expect("the corpus");
    let texts: Vec<_> = files.map(|file| fs::read(file.expect("an entry").path()).expect("a file")).collect();
    assert!(texts.len() >= 5, "the corpus is here");
    texts
}

#[test]
fn the_corpus_gets_an_answer() {
    let planned = corpus().iter().filter(|text| build(&String::from_utf8_lossy(text)).is_ok()).count();
    assert!(planned >= 3, "some of it are recipes, {planned} only");
}

/// Recipes of steps that depend on each other as told.
fn graph(count: usize, edges: &[(usize, usize)]) -> String {
    let mut text = "[recipe]\nname = \"graph\"\n".to_owned();
    for step in 0..count {
        let needs: Vec<String> =
            edges.iter().filter(|(to, _)| *to == step).map(|(_, from)| format!("\"s{from}\"")).collect();
        writeln!(
            text,
            "[[step]]\nid = \"s{step}\"\ndepends_on = [{}]\nsleep = {{ duration_secs = 1 }}",
            needs.join(", ")
        )
        .unwrap();
    }
    text
}

/// Whether there is a way from a step back to itself.
fn has_cycle(count: usize, edges: &[(usize, usize)]) -> bool {
    let mut reach = vec![vec![false; count]; count];
    for (to, from) in edges {
        reach[*to][*from] = true;
    }
    for middle in 0..count {
        for a in 0..count {
            for b in 0..count {
                reach[a][b] |= reach[a][middle] && reach[middle][b];
            }
        }
    }
    (0..count).any(|step| reach[step][step])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        build(&String::from_utf8_lossy(&bytes)).ok();
    }

    #[test]
    fn random_words_of_recipes_get_an_answer(
        words in prop::collection::vec(prop::sample::select(vec![
            "[recipe]\n", "name = ", "\"x\"", "\n", "[[step]]\n", "id = ", "\"a\"", "depends_on = ", "[", "]",
            "{", "}", "ssh_command = ", "command = ", "\"${", "secret:a/b", "}\"", "${x}", "'''", "\"\"\"", "=",
            ",", "when = ", "a and ", "not ", "group = ", "steps = ", "hosts = ", "matrix = ", "[variables]\n",
            "[defaults]\n", "env = ", "sleep = ", "duration_secs = ", "1", "-1", "# x\n", ".", "\\", "$${", "é",
        ]), 0..60),
    ) {
        build(&words.concat()).ok();
    }

    #[test]
    fn mutated_recipes_get_an_answer(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..8, prop::collection::vec(any::<u8>(), 0..4)), 1..6),
    ) {
        let corpus = corpus();
        let mut text = corpus[which.index(corpus.len())].clone();
        for (at, length, bytes) in cuts {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, bytes);
        }
        build(&String::from_utf8_lossy(&text)).ok();
    }

    #[test]
    fn a_graph_is_planned_in_order_or_its_cycle_is_named(
        count in 1usize..12,
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..24),
    ) {
        let edges: Vec<_> = edges.into_iter().map(|(to, from)| (to % count, from % count)).collect();
        match build(&graph(count, &edges)) {
            Ok(plan) => {
                prop_assert!(!has_cycle(count, &edges));
                prop_assert_eq!(plan.steps().len(), count);
                let mut done = HashSet::new();
                for (number, step) in plan.steps().iter().enumerate() {
                    prop_assert!(step.needs.iter().all(|need| done.contains(need)));
                    done.insert(number);
                }
            }
            Err(faults) => {
                prop_assert!(has_cycle(count, &edges));
                prop_assert!(faults.iter().all(|fault| fault.code == "plan::cycle"), "{:?}", faults);
            }
        }
    }
}
