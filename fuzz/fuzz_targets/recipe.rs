//! Any text as a recipe: parsed, planned, its faults drawn. The tests replay the corpus.

#![no_main]

use libfuzzer_sys::fuzz_target;

use doppio::plan::Inputs;
use doppio_secrets::Environment;
use doppio_text::Source;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::new("recipe.toml", String::from_utf8_lossy(bytes));
    let env = Environment::default();
    let inputs = Inputs { vars: &[], env: &env, target: None, tagged: &|_| Vec::new(), host_env: &[], is_check: true };
    match doppio::plan::build(doppio::recipe::parse(&source), &inputs) {
        Ok((plan, warnings)) => {
            doppio::plan::outline::show(&plan);
            doppio::ui::report::draw(&source, &warnings);
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            doppio::ui::report::draw(&source, &faults);
            doppio::ui::report::json(&source, &faults);
        }
    }
});
