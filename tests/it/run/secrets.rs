//! Secrets of a run: missing ones are named first, present ones are masked.

use doppio_test_support::Doppio;

#[test]
fn all_missing_secrets_are_named_before_anything_runs() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    doppio.recipe(
        r#"
[[step]]
id = "first"
local_command = { command = "touch ran" }
[[step]]
id = "second"
depends_on = ["first"]
local_command = { command = "true", env = { A = "${secret:team/one}", B = "${secret:team/two}" } }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"
    error: 2 secrets are not available; nothing has run
      cause: secret `team/one` is not set
      cause: secret `team/two` is not set

    hint: run `doppio secret set team/one`
    hint: run `doppio secret set team/two`
    ");
    assert!(!doppio.folder().join("project/ran").exists());
    assert!(!doppio.doppio_home().join("runs").exists());
}

#[test]
fn a_secret_is_masked_everywhere_and_its_way_is_told() {
    let doppio = Doppio::new().env("TEAM_TOKEN", "correct-horse-battery");
    doppio.recipe(
        r#"
[[step]]
id = "leak"
local_command = { command = "echo got $TOKEN; echo again $TOKEN; echo ${secret:team/token}", env = { TOKEN = "${secret:team/token}" }, capture_output = "seen" }
[[step]]
id = "use"
depends_on = ["leak"]
local_command = { command = "printf %s ${seen} | wc -c; printf '%s' ${step.leak.output} | tail -c 8" }
"#,
    );
    let ran = doppio.run(["run", "recipe.toml"]).expect(0);
    assert!(ran.stderr.contains("leak | got ***\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("3 outputs of `team/token` were masked in step `leak`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("secret `team/token` went as TOKEN to step `leak`"), "{}", ran.stderr);
    // A captured output with a secret in it is secret, and arrives whole.
    let whole = "got correct-horse-battery\nagain correct-horse-battery\ncorrect-horse-battery".len();
    assert!(ran.stderr.contains(&format!("use  | {whole}\n")), "{}", ran.stderr);
    let named = doppio.run(["run", "recipe.toml", "--mask-names"]).expect(0);
    assert!(named.stderr.contains("leak | got ‹team/token›\n"), "{}", named.stderr);
    let mut folders = vec![doppio.doppio_home()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!bytes.contains("correct-horse"), "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files >= 8, "the journals and logs of two runs were looked at");
}

#[test]
fn what_a_program_prints_is_a_steps_own() {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off");
    let count = doppio.folder().join("count");
    let script = format!("echo run >> {0}; echo correct-horse-$(grep -c run {0})", count.display());
    let config = format!("[sources.command.token]\nrun = [\"sh\", \"-c\", \"{script}\"]\n");
    std::fs::write(doppio.doppio_home().join("config.toml"), config).unwrap();
    doppio.recipe(
        r#"
[[step]]
id = "first"
retry = { max_attempts = 2 }
local_command = { command = "echo $A >> seen; test $(grep -c . seen) = 2", env = { A = "${secret:command:token}" } }
[[step]]
id = "second"
depends_on = ["first"]
local_command = { command = "echo $A >> seen", env = { A = "${secret:command:token}" } }
"#,
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
    let seen = std::fs::read_to_string(doppio.folder().join("project/seen")).unwrap();
    assert_eq!(seen, "correct-horse-1\ncorrect-horse-1\ncorrect-horse-2\n");
}
