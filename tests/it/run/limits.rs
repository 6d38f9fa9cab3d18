//! How much a run may hold: each text, all values together, the whole plan.

use std::fmt::Write;

use doppio_test_support::Doppio;

// case L12
#[test]
fn a_variable_that_grows_in_each_step_is_an_error_in_time() {
    let doppio = Doppio::new();
    let mut recipe = String::from("[variables]\nx = \"0123456789abcdef\"\n");
    for step in 0..9 {
        let needs = if step == 0 { String::new() } else { format!("depends_on = [\"s{}\"]\n", step - 1) };
        write!(
            recipe,
            "[[step]]\nid = \"s{step}\"\n{needs}set_var = {{ name = \"x\", value = \"{}\" }}\n",
            "${x}".repeat(8)
        )
        .unwrap();
    }
    doppio.recipe(&recipe);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    assert!(ran.stderr.contains("a text is over 16 MiB with its references resolved"), "{}", ran.stderr);
    assert!(ran.stderr.contains("s5 ✓") && ran.stderr.contains("s6 ✗"), "{}", ran.stderr);
}

// case L12
#[test]
fn all_variables_together_have_a_limit() {
    let doppio = Doppio::new();
    let mut recipe = String::from("[variables]\n");
    writeln!(recipe, "x = \"{}\"", "0123456789abcdef".repeat(1 << 16)).unwrap();
    for step in 0..18 {
        let needs = if step == 0 { String::new() } else { format!("depends_on = [\"s{}\"]\n", step - 1) };
        let text = if step == 0 { "${x}".repeat(16) } else { "${v0}".to_owned() };
        write!(
            recipe,
            "[[step]]\nid = \"s{step}\"\n{needs}set_var = {{ name = \"v{step}\", value = \"{text}\" }}\n"
        )
        .unwrap();
    }
    doppio.recipe(&recipe);
    let ran = doppio.run(["run", "recipe.toml"]).expect(1);
    let message = "the variables and results of this run would be over 256 MiB together";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
}

// case L12
#[test]
fn all_steps_together_have_a_limit() {
    let doppio = Doppio::new();
    let values = |count| (0..count).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
    let mut recipe = String::new();
    for step in 0..60 {
        write!(
            recipe,
            "[[step]]\nid = \"s{step}\"\nmatrix = {{ a = [{}], b = [{}] }}\nsleep = {{ duration_secs = 1 }}\n",
            values(99),
            values(100)
        )
        .unwrap();
    }
    doppio.recipe(&recipe);
    for command in ["check", "plan"] {
        let ran = doppio.run([command, "recipe.toml"]).expect(2);
        let message = "the steps up to `s10` expand to more than 100000 steps";
        assert_eq!(ran.stderr.matches(message).count(), 1, "{}", ran.stderr);
    }
}

// case L10
#[test]
fn many_variables_are_checked_one_by_one() {
    let doppio = Doppio::new();
    let mut recipe = String::from(
        "[[step]]\nid = \"a\"\n[step.local_command]\ncommand = \"true\"\n[step.local_command.env]\n",
    );
    for index in 0..100_000 {
        writeln!(recipe, "NAME_{index} = \"value {index}\"").unwrap();
    }
    doppio.recipe(&recipe);
    doppio.run(["check", "recipe.toml"]).expect(0);
}

// case L10
#[test]
fn a_step_may_have_many_secrets() {
    let mut doppio = Doppio::new();
    let mut recipe = String::from(
        "[[step]]\nid = \"a\"\n[step.local_command]\ncommand = \"echo $NAME_999\"\n[step.local_command.env]\n",
    );
    for index in 0..1000 {
        let name = format!("NAME_{index}");
        writeln!(recipe, "{name} = \"${{secret:env:{name}}}\"").unwrap();
        doppio = doppio.env(name, format!("value-{index}-of-many"));
    }
    doppio.recipe(&recipe);
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("a | ***\n"), "{}", ran.stderr);
}
