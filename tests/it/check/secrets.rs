//! What `check` says of secrets: where none is looked up, where a value stands that is none, and where one
//! stands in clear text.

use std::process::Command;

use doppio_test_support::Doppio;

use crate::check::faults;
use crate::check::fine;
use crate::check::steps;

/// A step with this operation.
fn step(operation: &str) -> String {
    steps(&format!("[[step]]\nid = \"a\"\n{operation}\n"))
}

// case L6
#[test]
fn a_condition_looks_at_variables_that_exist_and_are_no_secrets() {
    let recipe =
        "[recipe]\nname = \"r\"\n[variables]\nlr = \"1\"\ntok = \"${secret:a/b}\"\nmixed = \"${env.HOME}\"\n";
    let assert =
        |condition: &str| format!("{recipe}[[step]]\nid = \"a\"\nassert = {{ condition = {condition} }}\n");
    let said = faults(&assert("{ var_equals = { name = \"lrr\", value = \"\" } }"));
    assert!(
        said.contains("variable `lrr` is not defined") && said.contains("did you mean `${lr}`"),
        "{said}"
    );
    for kind in [
        "{ var_equals = { name = \"tok\", value = \"\" } }",
        "{ var_matches = { name = \"tok\", pattern = \"x\" } }",
    ] {
        let said = faults(&assert(kind));
        assert!(said.contains("secret `a/b` is not allowed in `name`"), "{said}");
        let said = faults(&assert(&format!("{{ not = {kind} }}")));
        assert!(said.contains("secret `a/b` is not allowed in `name`"), "{said}");
    }
    fine(&assert("{ var_equals = { name = \"lr\", value = \"1\" } }"));
    // It may be set meanwhile.
    let set = "[[step]]\nid = \"b\"\nset_var = { name = \"late\", value = \"x\" }\n";
    fine(&(assert("{ not = { var_equals = { name = \"late\", value = \"y\" } } }") + set));
    let doppio = Doppio::new();
    doppio.file("r.toml", assert("{ var_matches = { name = \"mixed\", pattern = \"^/\" } }"));
    doppio.run(["run", "r.toml"]).expect(0);
}

// case L7
#[test]
fn a_secret_is_looked_up_or_refused_wherever_it_stands() {
    let sleep = "sleep = { duration_secs = 1 }";
    let command = |rest: &str| step(&format!("local_command = {{ command = \"true\", {rest} }}"));
    for recipe in [
        steps(&format!("[[step]]\nid = \"a\"\nmatrix = {{ k = [\"x\", \"${{secret:env:T}}\"] }}\n{sleep}\n")),
        steps(&format!("[[step]]\nid = \"a\"\nname = \"of ${{secret:env:T}}\"\n{sleep}\n")),
        steps(&format!("[[step]]\nid = \"a\"\nhosts = [\"${{secret:env:T}}\"]\n{sleep}\n")),
        step(sleep).replace("name = \"r\"", "name = \"r ${secret:env:T}\""),
        step(sleep).replace("name = \"r\"", "name = \"r\"\ndescription = \"$<secret:env:T>\""),
        step(sleep).replace("name = \"r\"", "name = \"r\"\nversion = \"${secret:env:T}\""),
        step(sleep) + "[target]\ngpu_type = \"${secret:env:T}\"\n",
        command("shell = \"${secret:env:T}\""),
        command("capture_output = \"${secret:env:T}\""),
        command("outputs = { a = \"(${secret:env:T})\" }"),
        command("workdir = \"${secret:env:T}\""),
        step("set_var = { name = \"${secret:env:T}\", value = \"x\" }"),
        step("assert = { condition = { var_equals = { name = \"${secret:env:T}\", value = \"\" } } }"),
        step("assert = { condition = \"never\", message = \"${secret:env:T}\" }"),
        step(sleep).replace("[[step]]", "[[step]]\nwhen = \"${secret:env:T}\""),
    ] {
        let said = faults(&recipe);
        let is_refused = said.contains("no secret is looked up in") || said.contains("is not allowed in");
        assert!(is_refused && said.contains("secret:env:T"), "{recipe}\n{said}");
        assert!(said.contains("-->"), "it has its place: {said}");
    }
    fine(&steps(&format!("[[step]]\nid = \"a\"\nname = \"write $${{secret:NAME}}\"\n{sleep}\n")));
    let doppio = Doppio::new();
    doppio.file(
        "r.toml",
        format!("{}[variables]\nv = \"1\"\n", step("local_command = { command = \"echo ${v}\" }")),
    );
    let said = doppio.run(["plan", "r.toml", "--var", "v=${secret:env:T}"]).expect(2).stderr;
    assert!(said.contains("no secret is looked up in `--var`"), "{said}");
    doppio.file("vars.toml", "v = \"${secret:env:T}\"\n");
    let said = doppio.run(["plan", "r.toml", "--var-file", "vars.toml"]).expect(2).stderr;
    assert!(said.contains("no secret is looked up in variable `v`"), "{said}");
}

// case K3
#[test]
fn our_own_references_are_not_left_to_the_shell() {
    for reference in
        ["${step.${b}.output}", "${env.${b}}", "${step.x[lr=${b}].output}", "${matrix.${b}}", "${run.$x}"]
    {
        let recipe = step(&format!("local_command = {{ command = \"echo {reference}\" }}"));
        let said = faults(&recipe.replace("[[step]]", "[variables]\nb = \"x\"\n[[step]]"));
        assert!(said.contains("error"), "{reference}: {said}");
    }
}

// case K3
#[test]
fn a_member_of_a_matrix_is_found_by_the_values_of_ones_own() {
    let recipe = steps(
        r#"
[[step]]
id = "train"
matrix = { lr = ["0.1", "0.2"] }
local_command = { command = "echo m=${matrix.lr}9", outputs = { m = "m=(\\S+)" } }
[[step]]
id = "eval"
depends_on = ["train"]
matrix = { lr = ["0.1", "0.2"] }
local_command = { command = "echo got ${step.train[lr=${matrix.lr}].outputs.m}" }
"#,
    );
    fine(&recipe);
    let doppio = Doppio::new();
    doppio.file("r.toml", &recipe);
    let ran = doppio.run(["run", "r.toml"]).expect(0);
    for lr in ["0.1", "0.2"] {
        assert!(ran.stderr.contains(&format!("eval[lr={lr}]  | got {lr}9\n")), "{}", ran.stderr);
    }
    let said = faults(&recipe.replace("[lr=${matrix.lr}]", "[lr=${matrix.rl}]"));
    assert!(said.contains("the step's matrix has no `rl`"), "{said}");
    let said = faults(&recipe.replace("${step.train[lr=", "${step.train[rl="));
    assert!(said.contains("no step is called `train[rl=0.1]`"), "{said}");
}

// case B9
#[test]
fn references_of_other_tools_and_ciphertext_are_no_values() {
    let form = |value: &str| {
        step(&format!("local_command = {{ command = \"true\", env = {{ HF_TOKEN = '{value}' }} }}"))
    };
    for (value, hint) in [
        ("op://Shared/hf/token", "${secret:op:VAULT/ITEM/FIELD}"),
        ("$${{secrets.HF_TOKEN}}", "${secret:NAME}"),
        ("<secret:a/b>", "${secret:NAME}"),
        ("encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt", "dotenvx get"),
        ("ENC[AES256_GCM,data:ZQ==,iv:AA==,tag:AA==,type:str]", "sops decrypt"),
        ("!vault |", "ansible-vault decrypt"),
    ] {
        let said = faults(&form(value));
        assert!(said.contains("the value of `HF_TOKEN` is") && said.contains(hint), "{said}");
        let in_variable = step("local_command = { command = \"true\", env = { HF_TOKEN = \"${v}\" } }");
        let said = faults(&in_variable.replace("[[step]]", &format!("[variables]\nv = '{value}'\n[[step]]")));
        assert!(said.contains("the value of `HF_TOKEN` is"), "{said}");
    }
    for (text, ours) in [
        ("export T=$${{ secrets.HF_TOKEN }}", "write `${secret:NAME}`"),
        ("export T=${{ secrets.HF_TOKEN }}", "export T=${secret:HF_TOKEN}"),
    ] {
        let said = faults(&step(&format!("local_command = {{ command = \"{text}\" }}")));
        assert!(said.contains(ours), "{said}");
    }
}

// case B9
#[test]
fn no_source_gives_them_out_as_a_value() {
    let reference = "op://Shared/hf/token";
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("HF_TOKEN", reference);
    doppio.private("project/.env", format!("WANDB_API_KEY={reference}\n"));
    doppio.file("doppio.toml", "dotenv = true\n");
    for name in ["huggingface/token", "wandb/api_key", "env:HF_TOKEN"] {
        let recipe = step(&format!(
            "local_command = {{ command = \"true\", env = {{ T = \"${{secret:{name}}}\" }} }}"
        ));
        doppio.file("r.toml", recipe);
        let said = doppio.run(["run", "r.toml"]).expect(3).stderr;
        assert!(said.contains("is a reference of 1Password") && said.contains("${secret:op:VAULT"), "{said}");
    }
    let doppio = Doppio::with_vault();
    doppio.private(
        "project/x.env",
        "A_TOKEN='op://Shared/hf/token'\nB_TOKEN=encrypted:BDqDBibm4wsYqMpCjTQ6BsDHmM\n",
    );
    let said = doppio.run(["secret", "import", "x.env", "--in", "file", "--yes"]);
    let said = said.stdout + &said.stderr;
    for words in ["is a reference of 1Password", "${secret:op:VAULT/ITEM/FIELD}", "dotenvx get NAME"] {
        assert!(said.contains(words), "{said}");
    }
    let said = doppio.run_with_stdin(["secret", "set", "a/b", "--from-stdin"], reference).expect(2).stderr;
    assert!(said.contains("is a reference of 1Password"), "{said}");
}

/// A token of Hugging Face, made up.
fn token() -> String {
    format!("hf_{}", "aB3dE5gH7j".repeat(3) + "kLmN")
}

// case B8
#[test]
fn a_well_known_variable_is_a_secret() {
    let token = token();
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("HF_TOKEN", &token);
    doppio.file(
        "r.toml",
        step("local_command = { command = \"export T=${env.HF_TOKEN}; echo $T ${env.HOME}\" }"),
    );
    let said = doppio.run(["check", "r.toml"]).expect(0).stderr;
    assert!(said.contains("warning: `HF_TOKEN` holds a secret, huggingface/token"), "{said}");
    assert!(said.contains("write `${secret:huggingface/token}`"), "{said}");
    let planned = doppio.run(["plan", "r.toml"]).expect(0);
    assert!(planned.stdout.contains("‹secret:env:HF_TOKEN›"), "{}", planned.stdout);
    let ran = doppio.run(["run", "r.toml"]).expect(0);
    assert!(ran.stderr.contains("a | *** /"), "{}", ran.stderr);
    for text in [planned.stdout, planned.stderr, ran.stdout, ran.stderr] {
        assert!(!text.contains(&token), "{text}");
    }
    let said = faults(&step("assert = { condition = \"never\", message = \"${env.HF_TOKEN}\" }"));
    assert!(said.contains("is not allowed in `message`"), "{said}");
}

// case B8
#[test]
fn a_token_on_the_command_line_is_not_repeated() {
    let token = token();
    let doppio = Doppio::new();
    doppio.file(
        "r.toml",
        steps("[variables]\nh = \"box\"\n[[step]]\nid = \"a\"\nssh_command = { host_id = \"${h}\", command = \"ls\" }\n"),
    );
    let values = [token.clone(), format!("h={token} /"), format!("{token}=x"), format!("x={token}")];
    for value in values {
        let ran = doppio.run(["plan", "r.toml", "--var", &value]).expect(2);
        assert!(ran.stderr.contains("error: ") && !ran.stderr.contains(&token), "{}", ran.stderr);
    }
    let ran = doppio.run(["plan", "r.toml", "--var", &format!("h={token} /")]).expect(2);
    assert!(ran.stderr.contains("*** /"), "what is wrong with it is said: {}", ran.stderr);
    let ran = doppio.run(["plan", "r.toml", "--host", &format!("{token} /")]).expect(2);
    assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
}

// case B8
#[test]
fn a_literal_token_is_warned_of_and_shown_nowhere() {
    let token = token();
    for recipe in [
        step(&format!("local_command = {{ command = \"echo $T\", env = {{ T = \"{token}\" }} }}")),
        step(&format!("local_command = {{ command = \"echo {token}\" }}")),
        step("local_command = { command = \"echo ${t}\" }") + &format!("[variables]\nt = \"{token}\"\n"),
    ] {
        let doppio = Doppio::new();
        doppio.file("r.toml", &recipe);
        let said = doppio.run(["check", "r.toml"]).expect(0).stderr;
        assert!(said.contains("warning: a token stands in the recipe as it is"), "{said}");
        let all = [
            doppio.run(["check", "r.toml"]),
            doppio.run(["check", "r.toml", "--output", "json"]),
            doppio.run(["plan", "r.toml"]),
            doppio.run(["plan", "r.toml", "--output", "json"]),
            doppio.run(["run", "r.toml"]),
            doppio.run(["run", "r.toml", "--output", "json"]),
        ];
        assert!(all[4].stderr.contains("a | ***\n"), "{}", all[4].stderr);
        for ran in all {
            assert!(
                !ran.stdout.contains(&token) && !ran.stderr.contains(&token),
                "{}{}",
                ran.stdout,
                ran.stderr
            );
        }
        let home = doppio.doppio_home();
        let found = Command::new("grep").args(["-rl", &token]).arg(&home).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    }
}
