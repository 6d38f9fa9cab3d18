//! `doppio secret import`, `copy` and `init` through the real binary.

mod forms;

use std::fs;
use std::process::Command;

use doppio_test_support::Doppio;

const DOTENV: &str = "\u{feff}# keys\r\nexport HF_TOKEN=hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nDATABASE_URL='p$HOME\\n${X} \"q\"'\r\nPORT=80\r\nWANDB_API_KEY=your_token_here\r\n";

fn names(doppio: &Doppio) -> Vec<String> {
    let listed = doppio.run(["secret", "list", "--json"]).expect(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    listed.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dotenv_is_shown_first_and_stored_byte_for_byte() {
    let doppio = Doppio::with_vault();
    doppio.file(".env", DOTENV);
    let ran = doppio.run(["secret", "import", ".env", "--dry-run"]).expect(0);
    let table = ran.stdout.clone();
    insta::assert_snapshot!(ran.stdout, @"
    new      huggingface/token  HF_TOKEN (line 2)
    new      env/DATABASE_URL   DATABASE_URL (line 3)
    refused  env/PORT           PORT (line 4): the value is too short to be masked: use a value of at least 4 bytes
    refused  wandb/api_key      WANDB_API_KEY (line 5): the value is only a placeholder
    ");
    insta::assert_snapshot!(ran.stderr, @"
    note: `.env` begins with a byte order mark, which was left out
    2 secrets would be written to the age vault; nothing was done
    ");
    assert!(!doppio.doppio_home().join("vault.age").exists());
    let ran = doppio.run(["secret", "import", ".env"]).expect(2);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);

    let ran = doppio.run(["secret", "import", ".env", "--yes"]).expect(3);
    assert_eq!(ran.stdout, table);
    assert!(
        ran.stderr.contains("2 secrets could not be written: see the lines with `refused`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("wrote 2 secrets to the age vault, and verified each"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`.env` still has values that were not imported"), "{}", ran.stderr);
    assert_eq!(doppio.reveal("env/DATABASE_URL"), "p$HOME\\n${X} \"q\"");
    assert_eq!(names(&doppio), ["env/DATABASE_URL", "huggingface/token"]);
    // The file has values that are nowhere else.
    let ran = doppio.run(["secret", "import", ".env", "--yes", "--remove-source"]).expect(3);
    assert!(ran.stdout.contains("same     huggingface/token"), "{}", ran.stdout);
    assert!(doppio.folder().join("project/.env").exists());
}

#[test]
fn what_differs_is_replaced_only_on_demand() {
    let doppio = Doppio::with_vault();
    doppio.store("app/KEY", "hunter2 one");
    doppio.store("app/SAME_KEY", "hunter2 same");
    doppio.file("prod.env", "KEY=\"hunter2 two\"\nSAME_KEY='hunter2 same'\nMORE_KEY=hunter2-more\n");
    let arguments = ["secret", "import", "prod.env", "--prefix", "app", "--yes"];
    let ran = doppio.run(arguments).expect(3);
    insta::assert_snapshot!(ran.stdout, @"
    differs  app/KEY       KEY (line 1)
    same     app/SAME_KEY  SAME_KEY (line 2)
    new      app/MORE_KEY  MORE_KEY (line 3)
    ");
    insta::assert_snapshot!(ran.stderr, @"
    wrote 1 secret to the age vault, and verified each
    error: 1 secret in the age vault differs and was left alone

    hint: repeat the command with `--override` to replace what is there
    ");
    assert_eq!(doppio.reveal("app/KEY"), "hunter2 one");
    let ran = doppio.run(arguments.into_iter().chain(["--override", "--remove-source"])).expect(0);
    insta::assert_snapshot!(ran.stdout, @"
    replace  app/KEY       KEY (line 1)
    same     app/SAME_KEY  SAME_KEY (line 2)
    same     app/MORE_KEY  MORE_KEY (line 3)
    ");
    assert_eq!([doppio.reveal("app/KEY"), doppio.reveal("app/KEY@1")], ["hunter2 two", "hunter2 one"]);
    assert!(!doppio.folder().join("project/prod.env").exists());
    assert!(!(ran.stdout + &ran.stderr).contains("hunter2"));
}

#[test]
fn json_yaml_and_toml_are_read_whole() {
    let doppio = Doppio::with_vault();
    doppio.file(
        "a.json",
        "{\"OPENAI_API_KEY\": \"sk-hunter2hunter2hunter2\", \"db\": {\"url\": \"x\\ny\\nz\"}, \"l\": [1]}",
    );
    doppio.file("a.yaml", "pin: 0001234\nteam:\n  key: |\n    hunter2\n    hunter2\n");
    doppio.file("secrets", "[team.web]\nhook = \"hunter2\\thunter2\"\n");
    let ran = doppio.run(["secret", "import", "a.json", "--yes"]).expect(3);
    insta::assert_snapshot!(ran.stdout, @"
    new      openai/api_key  OPENAI_API_KEY (line 1)
    new      db/url          db/url (line 1)
    refused  env/l           l (line 1): the value is a list, which has no name for each of its members
    ");
    doppio.run(["secret", "import", "a.yaml", "--yes", "--map", "pin=team/pin"]).expect(0);
    doppio.run(["secret", "import", "secrets", "--yes"]).expect(0);
    assert_eq!(names(&doppio), ["db/url", "openai/api_key", "team/key", "team/pin", "team/web/hook"]);
    assert_eq!(doppio.reveal("db/url"), "x\ny\nz");
    assert_eq!(doppio.reveal("team/pin"), "0001234");
    assert_eq!(doppio.reveal("team/key"), "hunter2\nhunter2\n");
    assert_eq!(doppio.reveal("team/web/hook"), "hunter2\thunter2");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    let doppio = Doppio::with_vault();
    for (file, text, words) in [
        (".env", "A=hunter2\nB='hunter2\n", "`.env`, line 2: the value has no closing `'`"),
        (".env", "A=hunter2\nA=hunter3\n", "`.env`, line 2: `A` has another value in line 1"),
        (".env", "A=-----BEGIN hunter2\nhunter2hunter2\n", "`.env`, line 2: expected `NAME=value`"),
        (".env", "A=\"x\r\nhunter2\"\r\n", "line 1: the value contains a carriage return"),
        (".env", "HF_TOKEN=hunter2\nHUGGING_FACE_HUB_TOKEN=hunter3\n", "both become `huggingface/token`"),
        (".env", "# nothing\n", "there is no value in `.env`"),
        ("a.json", "{\"a\": \"hunter2\",}", "`a.json`, line 1: it is not JSON"),
        ("a.yaml", "a: hunter2\nb: [hunter2\n", "it is not YAML"),
        ("a.toml", "a = 'b'\nb = hunter2\n", "`a.toml`, line 2: it is not TOML"),
    ] {
        doppio.file(file, text);
        let ran = doppio.run(["secret", "import", file, "--yes"]).expect(2);
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        assert!(!ran.stderr.contains("hunter"), "{}", ran.stderr);
    }
    doppio.run(["secret", "import", "gone.env"]).expect(3);
    doppio.run(["secret", "import"]).expect(2);
    doppio.file(".env", "A=hunter2\n");
    doppio.run(["secret", "import", ".env", "--map", "B=x/y"]).expect(2);
    doppio.run(["secret", "import", ".env", "--prefix", "a b"]).expect(2);
    assert!(!doppio.doppio_home().join("vault.age").exists());
}

#[test]
fn another_source_is_imported_and_emptied() {
    let doppio = Doppio::with_vault();
    doppio.store("team/key", "hunter2 one");
    let ran = doppio.run(["secret", "import", "--from", "file", "--yes"]).expect(2);
    assert!(ran.stderr.contains("both sources are `file`"), "{}", ran.stderr);
    let ran = doppio.run(["secret", "import", "--from", "env", "--yes"]).expect(2);
    assert!(ran.stderr.contains("cannot list the environment"), "{}", ran.stderr);
    // One that can't list can still be asked for one secret.
    let doppio = doppio.env("DEPLOY_KEY", "hunter2 deploy");
    doppio.run(["secret", "import", "--from", "env", "DEPLOY_KEY", "--yes"]).expect(0);
    assert_eq!(doppio.reveal("env/DEPLOY_KEY"), "hunter2 deploy");
}

#[test]
fn what_a_provider_keeps_on_this_machine() {
    let doppio = Doppio::with_vault().env("HF_TOKEN", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH");
    let aws = doppio.home().join(".aws");
    fs::create_dir_all(&aws).unwrap();
    let keys = "[prod]\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\naws_secret_access_key = \
                abcdefghijklmnopqrstuvwxyz0123456789ABCD\n";
    fs::write(aws.join("credentials"), keys).unwrap();
    let import = ["secret", "import", "--provider", "huggingface", "--provider", "aws:prod"];
    let ran = doppio.run(import.into_iter().chain(["--dry-run"])).expect(0);
    insta::assert_snapshot!(doppio.settled(&ran.stdout), @"
    new  huggingface/token      variable `HF_TOKEN`
    new  aws/access_key_id      `[prod]` in `WORLD/home/.aws/credentials`
    new  aws/secret_access_key  `[prod]` in `WORLD/home/.aws/credentials`
    ");
    let ran = doppio.run(import.into_iter().chain(["--yes", "--map", "aws/access_key_id=prod/id"])).expect(0);
    insta::assert_snapshot!(doppio.settled(&ran.stderr), @r#"
    note: stored under these names, it is what `credentials = ["aws"]` gives; other names: `--map NAME=OTHER`
    note: created the age vault `WORLD/home/doppio/vault.age`, locked with a passphrase
    wrote 3 secrets to the age vault, and verified each
    note: variable `HF_TOKEN` still has `huggingface/token`
    note: `[prod]` in `WORLD/home/.aws/credentials` still has `prod/id`
    note: `[prod]` in `WORLD/home/.aws/credentials` still has `aws/secret_access_key`
    "#);
    assert_eq!(doppio.reveal("file:prod/id"), "AKIAABCDEFGHIJKLMNOP");
    assert_eq!(doppio.reveal("file:huggingface/token"), "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH");
    for (arguments, words) in [
        (&["--provider", "wandb"][..], "`wandb` keeps no credential on this machine"),
        (&["--provider", "hugingface"], "did you mean `huggingface`?"),
        (&["--provider", "wandb", "--from", "file"], "cannot be used with"),
    ] {
        let ran = doppio.run(["secret", "import"].iter().chain(arguments));
        assert!(ran.code != 0 && ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn init_adds_what_is_missing_and_changes_nothing() {
    let doppio = Doppio::new();
    let work = doppio.folder().join("project");
    let ran = doppio.run(["secret", "init", "--dry-run"]).expect(0);
    assert!(ran.stdout.contains("[secrets]") && ran.stdout.contains("**/hf_token*"), "{}", ran.stdout);
    assert!(!work.join("doppio.toml").exists() && !work.join(".gitignore").exists());
    doppio.file(".gitignore", "/target\n.env");
    let ran = doppio.run(["secret", "init"]).expect(0);
    insta::assert_snapshot!(doppio.settled(&ran.stderr), @"
    wrote doppio.toml
    added 11 rules to `WORLD/project/.gitignore`
    ");
    let rules = fs::read_to_string(work.join(".gitignore")).unwrap();
    insta::assert_snapshot!(rules, @"
    /target
    .env

    # What holds secrets stays out of git.
    .env.*
    !.env.example
    *.secret
    .hf_secrets
    *_secrets.sh
    secrets_*.py
    _local_secrets.py
    **/hf_token*
    **/wandb_key*
    **/.netrc
    **/kaggle.json
    ");
    // What was written are settings that can be read.
    doppio.run(["secret", "why", "team/gone"]).expect(3);
    doppio.file("doppio.toml", "# mine\n");
    let ran = doppio.run(["secret", "init"]).expect(0);
    insta::assert_snapshot!(doppio.settled(&ran.stderr), @"
    doppio.toml already exists: it was left as it is
    `WORLD/project/.gitignore` already has all rules
    ");
    assert_eq!(fs::read_to_string(work.join("doppio.toml")).unwrap(), "# mine\n");
    assert_eq!(fs::read_to_string(work.join(".gitignore")).unwrap(), rules);
}

#[test]
fn init_writes_the_rules_where_the_work_tree_begins() {
    let doppio = Doppio::new();
    let work = doppio.folder().join("project");
    assert!(Command::new("git").args(["init", "-q"]).current_dir(&work).status().unwrap().success());
    fs::create_dir_all(work.join("recipes")).unwrap();
    let mut command = doppio.command(["secret", "init"]);
    assert!(command.current_dir(work.join("recipes")).status().unwrap().success());
    assert!(work.join("recipes/doppio.toml").exists() && work.join(".gitignore").exists());
    for (file, is_ignored) in [
        ("a/.env", true),
        (".env.prod", true),
        (".env.example", false),
        ("x/hf_token.txt", true),
        ("a.rs", false),
    ] {
        let ignored =
            Command::new("git").args(["check-ignore", "-q", file]).current_dir(&work).status().unwrap();
        assert_eq!(ignored.success(), is_ignored, "{file}");
    }
}

#[test]
fn an_import_that_leaves_something_out_is_no_success() {
    let doppio = Doppio::with_vault();
    doppio.file("b.json", "{\"KEY\": \"half \\ud800 of a pair\"}");
    let ran = doppio.run(["secret", "import", "b.json", "--yes"]).expect(3);
    assert!(ran.stdout.contains("half of a surrogate pair"), "{}", ran.stdout);
}

#[test]
fn one_that_cannot_go_is_in_nobodys_way() {
    let doppio = Doppio::with_vault();
    doppio.file("a.json", "{\"a b\": \"hunter2 one\", \"c d\": \"hunter2 two\", \"GOOD\": \"hunter2 good\"}");
    let ran = doppio.run(["secret", "import", "a.json", "--yes"]).expect(3);
    assert_eq!(ran.stdout.matches("refused  -").count(), 2, "{}", ran.stdout);
    assert_eq!(doppio.reveal("env/GOOD"), "hunter2 good");
    doppio.file(".env", format!("HF_TOKEN=\nHUGGING_FACE_HUB_TOKEN=hf_{}\n", "a".repeat(34)));
    let ran = doppio.run(["secret", "import", ".env", "--yes"]).expect(0);
    assert!(ran.stdout.contains("HF_TOKEN (line 1): the value is empty"), "{}", ran.stdout);
    assert_eq!(doppio.reveal("huggingface/token").len(), 37);
}

#[test]
fn a_value_where_a_name_belongs_is_not_repeated() {
    let doppio = Doppio::with_vault();
    let alone = format!("hf_{}", "abcdefghijklmnopq".repeat(2));
    doppio.file(".env", format!("A=b\n{alone}=\n"));
    let ran = doppio.run(["secret", "import", ".env"]).expect(2);
    assert!(
        ran.stderr.contains("line 2: the text before the `=` is not a variable's name"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(&alone), "{}", ran.stderr);
}

#[test]
fn what_a_variable_hides_is_told() {
    let doppio = Doppio::with_vault().env("HF_TOKEN", "hunter2 another");
    doppio.file(".env", format!("HF_TOKEN=hf_{}\nOTHER_KEY=hunter2-other\n", "a".repeat(34)));
    let ran = doppio.run(["secret", "import", ".env", "--yes"]).expect(0);
    let told =
        "warning: variable `HF_TOKEN` takes precedence over `huggingface/token` and will be used instead";
    assert!(ran.stderr.contains(told) && !ran.stderr.contains("variable `OTHER_KEY`"), "{}", ran.stderr);
}
