//! `doppio secret export`. What the readers of others make of each format is in `tests/servers`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use doppio_test_support::Doppio;
use doppio_test_support::Repository;
/// What readers like to stumble over.
const HARD: &str = "p$HOME `x` \"q\" #\\n {é}\ttab\nsecond line ";

fn machine() -> Doppio {
    let doppio = Doppio::with_vault();
    doppio.store("huggingface/token", "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    doppio.store("env/HARD", HARD);
    doppio
}

fn export(doppio: &Doppio, format: &str, more: &[&str]) -> String {
    let mut arguments = vec!["secret", "export", "--format", format];
    arguments.extend(more);
    doppio.run(arguments).expect(0).stdout
}

#[test]
fn values_are_written_on_demand_only() {
    let doppio = machine();
    let out = doppio.folder().join("project/out");
    for format in ["dotenv", "shell", "json", "k8s", "github"] {
        let ran = doppio.run(["secret", "export", "--format", format, "env/HARD"]).expect(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("--reveal"), "{}", ran.stderr);
        let ran = doppio.run(["secret", "export", "--format", format, "env/HARD", "--reveal"]).expect(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("--force"), "{}", ran.stderr);
    }
    let to_file = ["secret", "export", "--format", "shell", "env/HARD", "--reveal", "--out", "out"];
    let ran = doppio.run(to_file).expect(0);
    insta::assert_snapshot!(ran.stderr, @"wrote 1 secret to `out`");
    assert!(ran.stdout.is_empty());
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = doppio.run(to_file).expect(2);
    insta::assert_snapshot!(ran.stderr, @"
    error: `out` already exists

    hint: remove it, or name another: `rm out`
    ");
    doppio.run(["secret", "export", "--format", "shell", "team/gone", "--reveal", "--force"]).expect(3);
    doppio.run(["secret", "export", "--format", "shell"]).expect(2);
    doppio
        .run([
            "secret",
            "export",
            "--format",
            "json",
            "env/HARD",
            "HARD=huggingface/token",
            "--reveal",
            "--force",
        ])
        .expect(2);
    let token = format!("T=hf_{}", "hunter2".repeat(5));
    let ran = doppio.run(["secret", "export", "--format", "amlt", &token]).expect(2);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn a_runner_of_github_gets_masks_first_and_then_variables() {
    let doppio = machine();
    let before = doppio.file("github_env", "OTHER=1\n");
    let doppio = doppio.env("GITHUB_ENV", &before).env("GITHUB_ACTIONS", "true");
    let text = export(&doppio, "github", &["env/HARD", "huggingface/token", "--reveal"]);
    insta::assert_snapshot!(text.replace('\t', "<TAB>"), @r#"
    ::add-mask::p$HOME `x` "q" #\n {é}<TAB>tab
    ::add-mask::second line 
    ::add-mask::hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    "#);
    let written = fs::read_to_string(&before).unwrap();
    let delimiter = written.lines().nth(1).unwrap().strip_prefix("HARD<<").unwrap();
    assert!(delimiter.starts_with("ghadelimiter_") && delimiter.len() == 45, "{delimiter}");
    assert_eq!(
        written,
        format!(
            "OTHER=1\nHARD<<{delimiter}\n{HARD}\n{delimiter}\nHF_TOKEN<<{delimiter}\nhf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n{delimiter}\n"
        )
    );
}

#[test]
fn bindings_are_followed_before_a_reference_is_written() {
    let doppio = Doppio::new();
    doppio.file(
        "doppio.toml",
        "[secrets]\n\"team/db\" = \"aws:prod/app#url\"\n\"team/own\" = \"keyring:a/b\"\n\
         [profile.test.secrets]\n\"team/db\" = \"aws:test/app#url\"\n",
    );
    let written = |more: &[&str]| export(&doppio, "external-secret", more);
    let text = written(&["team/db"]);
    assert!(text.contains("key: \"prod/app\"\n        property: \"url\"\n"), "{text}");
    assert!(text.contains("secretKey: \"TEAM_DB\""), "{text}");
    let text = written(&["team/db", "--secret", "team/db=aws:other/app#/db/0/url"]);
    assert!(text.contains("key: \"other/app\"\n        property: \"db.0.url\"\n"), "{text}");
    assert!(written(&["team/db", "--profile", "test"]).contains("key: \"test/app\""));
    assert!(export(&doppio, "compose", &["team/db"]).contains("TEAM_DB=aws:prod/app#url"));
    for (reference, words) in [
        ("team/own", "a cluster can't read from this machine"),
        ("team/db#x", "can't be written as one reference"),
        ("aws:app#/a*/b", "external-secrets.io"),
    ] {
        let ran = doppio.run(["secret", "export", "--format", "external-secret", reference]).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn a_file_for_github_is_new_and_the_runners_is_added_to() {
    let doppio = machine();
    let work = doppio.folder().join("project");
    let to_file = [
        "secret",
        "export",
        "--format",
        "github",
        "huggingface/token",
        "--reveal",
        "--force",
        "--out",
        "out",
    ];
    let ran = doppio.run(to_file).expect(0);
    assert!(ran.stderr.contains("wrote 1 secret to `out`"), "{}", ran.stderr);
    assert_eq!(fs::metadata(work.join("out")).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = doppio.run(to_file).expect(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("`out` already exists"), "{}", ran.stderr);
    fs::remove_file(work.join("out")).unwrap();
    std::os::unix::fs::symlink("elsewhere", work.join("out")).unwrap();
    doppio.run(to_file).expect(2);
    assert!(!work.join("elsewhere").exists());
    // Whoever wrote before did not end the line.
    let runners = doppio.file("github_env", "OTHER=1");
    let doppio = doppio.env("GITHUB_ENV", &runners);
    doppio.run(&to_file[..7]).expect(0);
    let written = fs::read_to_string(&runners).unwrap();
    assert!(written.starts_with("OTHER=1\nHF_TOKEN<<ghadelimiter_"), "{written}");
}

#[test]
fn without_masks_a_runner_gets_no_variables() {
    let doppio = machine();
    let runners = doppio.file("github_env", "OTHER=1\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command =
        doppio.command(["secret", "export", "--format", "github", "huggingface/token", "--reveal"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_ENV", &runners).stdout(writer);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("the runner did not accept the masks"), "{stderr}");
    assert_eq!(fs::read_to_string(runners).unwrap(), "OTHER=1\n");
}

#[test]
fn a_file_of_values_that_git_would_take_is_told() {
    let doppio = machine();
    let repository = Repository::init(&doppio.folder().join("project"));
    repository.write(".gitignore", "ignored.*\n");
    for (file, is_told) in [("seen.json", true), ("ignored.json", false)] {
        let arguments =
            ["secret", "export", "--format", "json", "huggingface/token", "--reveal", "--out", file];
        let ran = doppio.run(arguments).expect(0);
        assert_eq!(ran.stderr.contains("would add the values"), is_told, "{}", ran.stderr);
    }
}

// case G7
#[test]
fn docker_gets_lines_without_quotes() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "p$ss w0rd#1");
    doppio.store("team/pem", "two\nlines\n");
    let export = |reference: &str| {
        doppio.run(["secret", "export", "--format", "docker", reference, "--reveal", "--force"])
    };
    assert_eq!(export("team/key").expect(0).stdout, "TEAM_KEY=p$ss w0rd#1\n");
    let ran = export("team/pem").expect(2);
    assert!(ran.stderr.contains("reads one line a variable"), "{}", ran.stderr);
}
