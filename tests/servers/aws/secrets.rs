//! Secrets Manager: values, versions, batches, and how many calls they cost.

use data_encoding::BASE64;

use crate::aws::reveal;
use crate::support::aws::Moto;

/// A recipe of one local step with these variables.
fn recipe(variables: &[(String, String)], command: &str) -> String {
    let variables: Vec<String> =
        variables.iter().map(|(name, reference)| format!("{name} = \"${{secret:{reference}}}\"")).collect();
    format!(
        "[recipe]\nname = \"test\"\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"{command}\", env = {{ {} }} }}\n",
        variables.join(", ")
    )
}

#[test]
fn what_doppio_writes_the_aws_cli_reads_and_the_other_way_round() {
    let keys = Moto::shared().keys("AKIDROUND");
    let doppio = keys.doppio();
    let set = |value: &[u8]| {
        doppio.run_with_stdin(
            ["secret", "set", "round/one", "--from-stdin", "--in", "aws", "--note", "a note"],
            value,
        )
    };
    let told = set("first wörd".as_bytes()).expect(0);
    assert!(
        told.stderr.contains("stored `round/one` in AWS Secrets Manager in eu-west-1"),
        "{}",
        told.stderr
    );
    let text = ["secretsmanager", "get-secret-value", "--secret-id", "round/one", "--query"];
    assert_eq!(keys.cli(&[&text[..], &["SecretString", "--output", "text"]].concat()), "first wörd");
    assert_eq!(
        keys.cli(&[
            "secretsmanager",
            "describe-secret",
            "--secret-id",
            "round/one",
            "--query",
            "Description"
        ]),
        "\"a note\""
    );
    set(&[0xff, 0xfe, 1, 2, 3, 0x80]).expect(0);
    let binary = keys.cli(&[&text[..], &["SecretBinary", "--output", "text"]].concat());
    assert_eq!(BASE64.decode(binary.as_bytes()).unwrap(), [0xff, 0xfe, 1, 2, 3, 0x80]);

    keys.cli(&["secretsmanager", "create-secret", "--name", "round/two", "--secret-string", "from the cli"]);
    assert_eq!(reveal(&doppio, "aws:round/two"), "from the cli");
    let arn = keys.cli(&[
        "secretsmanager",
        "describe-secret",
        "--secret-id",
        "round/two",
        "--query",
        "ARN",
        "--output",
        "text",
    ]);
    assert_eq!(reveal(&doppio, &format!("aws:{arn}")), "from the cli");
    let shown = doppio.run(["secret", "get", "aws:round/two"]).expect(0);
    assert!(!shown.stdout.contains("from the cli") && !shown.stderr.contains("from the cli"));
}

#[test]
fn versions_are_stages_and_identifiers() {
    let keys = Moto::shared().keys("AKIDVERSIONS");
    let doppio = keys.doppio();
    for value in ["value number one", "value number two"] {
        doppio
            .run_with_stdin(["secret", "set", "versions/a", "--from-stdin", "--in", "aws"], value)
            .expect(0);
    }
    assert_eq!(reveal(&doppio, "aws:versions/a"), "value number two");
    assert_eq!(reveal(&doppio, "aws:versions/a@latest"), "value number two");
    assert_eq!(reveal(&doppio, "aws:versions/a@AWSPREVIOUS"), "value number one");
    let history = doppio.run(["secret", "history", "versions/a", "--in", "aws", "--json"]).expect(0);
    let history: serde_json::Value = serde_json::from_str(&history.stdout).unwrap();
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert_eq!(history[0]["current"], true);
    assert_eq!(history[1]["labels"][0], "AWSPREVIOUS");
    let id = history[1]["version"].as_str().unwrap();
    assert_eq!(reveal(&doppio, &format!("aws:versions/a@{id}")), "value number one");
    let gone = doppio.run(["secret", "get", "aws:versions/a@NOSUCHSTAGE"]).expect(3);
    assert!(gone.stderr.contains("not found") || gone.stderr.contains("not set"), "{}", gone.stderr);
    // A default stands in for what is missing.
    assert_eq!(reveal(&doppio, "aws:versions/none?standing in"), "standing in");
}

#[test]
fn what_is_removed_can_be_brought_back_until_a_day_that_is_told() {
    let keys = Moto::shared().keys("AKIDREMOVE");
    let doppio = keys.doppio();
    keys.cli(&[
        "secretsmanager",
        "create-secret",
        "--name",
        "remove/a",
        "--secret-string",
        "hunter2 hunter2",
    ]);
    let told = doppio.run(["secret", "rm", "remove/a", "--in", "aws"]).expect(0).stderr;
    let back = "`aws secretsmanager restore-secret --secret-id remove/a` restores it";
    assert!(told.contains("note: AWS keeps it until 2") && told.contains(back), "{told}");
    // It is not simply missing: nothing stands in for it.
    for command in [["secret", "get", "aws:remove/a?other"], ["secret", "get", "aws:remove/a"]] {
        let told = doppio.run(command).expect(3).stderr;
        assert!(told.contains("`remove/a` is marked for deletion"), "{told}");
        assert!(told.contains("restore-secret --secret-id remove/a"), "{told}");
    }
    keys.cli(&["secretsmanager", "restore-secret", "--secret-id", "remove/a"]);
    assert_eq!(reveal(&doppio, "aws:remove/a"), "hunter2 hunter2");
}

#[test]
fn one_secret_with_many_keys_costs_one_call_for_its_value() {
    let keys = Moto::shared().keys("AKIDKEYS");
    let doppio = keys.doppio();
    let members: Vec<(String, String)> =
        (0..20).map(|number| (format!("KEY_{number}"), format!("member value {number:02}"))).collect();
    let json = serde_json::to_string(&members.iter().cloned().collect::<std::collections::BTreeMap<_, _>>())
        .unwrap();
    keys.cli(&["secretsmanager", "create-secret", "--name", "keys/app", "--secret-string", &json]);
    assert_eq!(reveal(&doppio, "aws:keys/app#KEY_7"), "member value 07");
    let variables: Vec<(String, String)> =
        members.iter().map(|(name, _)| (name.clone(), format!("aws:keys/app#{name}"))).collect();
    doppio.file("recipe.toml", recipe(&variables, "test \\\"$KEY_19\\\" = 'member value 19'; echo $KEY_3"));
    let (ran, calls) = keys.during(|| doppio.run(["run", "recipe.toml"]));
    let ran = ran.expect(0);
    assert!(ran.stderr.contains("use | ***"), "{}", ran.stderr);
    assert_eq!(calls, ["GetSecretValue"]);
}

#[test]
fn fifty_secrets_cost_three_calls_for_their_values() {
    let keys = Moto::shared().keys("AKIDFIFTY");
    let doppio = keys.doppio();
    keys.boto(
        "c = client('secretsmanager')\n\
         for n in range(50): c.create_secret(Name=f'fifty/s{n}', SecretString=f'fifty value {n:02}')",
    );
    let variables: Vec<(String, String)> =
        (0..50).map(|number| (format!("V{number}"), format!("aws:fifty/s{number}"))).collect();
    doppio.file("recipe.toml", recipe(&variables, "test \\\"$V49\\\" = 'fifty value 49'; echo $V0 $V31"));
    let (ran, calls) = keys.during(|| doppio.run(["run", "recipe.toml"]));
    let ran = ran.expect(0);
    assert!(ran.stderr.contains("use | *** ***"), "{}", ran.stderr);
    let count = |action: &str| calls.iter().filter(|call| *call == action).count();
    assert_eq!(count("BatchGetSecretValue"), 3, "{calls:?}");
    assert_eq!(calls.len() - count("ListSecrets"), 3, "{calls:?}");
    assert!(count("ListSecrets") <= 5, "{calls:?}");

    // One that is missing spoils nothing for the others, and is named.
    let mut variables = variables;
    variables[7].1 = "aws:fifty/gone".to_owned();
    doppio.file("recipe.toml", recipe(&variables, "true"));
    let told = doppio.run(["run", "recipe.toml"]).expect(3).stderr;
    assert!(told.contains("aws:fifty/gone") && !told.contains("aws:fifty/s8"), "{told}");
}

#[test]
fn a_list_shows_names_and_no_values() {
    let keys = Moto::shared().keys("AKIDLIST");
    let doppio = keys.doppio();
    keys.boto("client('secretsmanager').create_secret(Name='list/a', SecretString='hunter2 hunter2', Description='of the list')");
    let told = doppio.run(["secret", "list", "--in", "aws"]).expect(0);
    assert!(told.stdout.contains("list/a"), "{}", told.stdout);
    assert!(!told.stdout.contains("hunter2"), "{}", told.stdout);
}

// case J4
#[test]
fn a_rotation_uses_the_stages_of_aws_and_can_be_repeated() {
    let keys = Moto::shared().keys("AKIDROTATE");
    let doppio = keys.doppio();
    let change = |command: &str, value: &str| {
        doppio.run_with_stdin(["secret", command, "turn/key", "--from-stdin", "--in", "aws"], value).expect(0)
    };
    change("set", "hunter2 one");
    for (old, new) in [("hunter2 one", "hunter2 two"), ("hunter2 two", "hunter2 three")] {
        change("rotate", new);
        assert_eq!(reveal(&doppio, "aws:turn/key"), new);
        for word in ["previous", "AWSPREVIOUS"] {
            assert_eq!(reveal(&doppio, &format!("aws:turn/key@{word}")), old);
        }
        doppio.run(["secret", "get", "aws:turn/key@pending"]).expect(3);
    }
    assert_eq!(reveal(&doppio, "aws:turn/key@current"), "hunter2 three");
    // The stand-in keeps the stage of a moved version when another one is put: one without moves.
    let set = ["secret", "set", "back/key", "--from-stdin", "--in", "aws"];
    for value in ["hunter2 one", "hunter2 two"] {
        doppio.run_with_stdin(set, value).expect(0);
    }
    doppio.run(["secret", "rollback", "back/key@previous", "--in", "aws"]).expect(0);
    assert_eq!(reveal(&doppio, "aws:back/key"), "hunter2 one");
    // No second secret was made, and none is marked for deletion.
    let listed = doppio.run(["secret", "list", "--in", "aws"]).expect(0).stdout;
    assert!(listed.contains("turn/key") && !listed.contains("pending"), "{listed}");
}

// case J4
#[test]
fn a_pending_version_of_aws_is_gone_on_with_or_dropped() {
    let keys = Moto::shared().keys("AKIDPENDING");
    let doppio = keys.doppio();
    let set = ["secret", "set", "wait/key", "--from-stdin", "--in", "aws"];
    doppio.run_with_stdin(set, "hunter2 one").expect(0);
    let put = "client('secretsmanager').put_secret_value(SecretId='wait/key', SecretString='hunter2 two', VersionStages=['AWSPENDING'])";
    keys.boto(put);
    assert_eq!(reveal(&doppio, "aws:wait/key@pending"), "hunter2 two");
    let rotate = |option: &str| doppio.run(["secret", "rotate", "wait/key", option, "--in", "aws"]);
    rotate("--abort").expect(0);
    assert_eq!(reveal(&doppio, "aws:wait/key"), "hunter2 one");
    let ran = rotate("--continue").expect(2);
    assert!(ran.stderr.contains("no value is pending"), "{}", ran.stderr);
    keys.boto(put);
    rotate("--continue").expect(0);
    assert_eq!(reveal(&doppio, "aws:wait/key"), "hunter2 two");
    assert_eq!(reveal(&doppio, "aws:wait/key@previous"), "hunter2 one");
}

// case J7
#[test]
fn a_document_of_aws_is_written_and_handed_over_as_a_unit() {
    let keys = Moto::shared().keys("AKIDDOCUMENT");
    let doppio = keys.doppio();
    doppio.file("app.env", "DB_USER_KEY=hunter2-user\nDB_PASSWORD=hunter2-old\n");
    let into = ["secret", "import", "app.env", "--into", "doc/app", "--in", "aws", "--yes"];
    let (ran, calls) = keys.during(|| doppio.run(into));
    ran.expect(0);
    assert_eq!(calls.iter().filter(|call| *call == "CreateSecret").count(), 1, "{calls:?}");
    let set = ["secret", "set", "doc/app#DB_PASSWORD", "--from-stdin", "--in", "aws"];
    doppio.run_with_stdin(set, "hunter2 new").expect(0);
    let query = [
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        "doc/app",
        "--query",
        "SecretString",
        "--output",
        "text",
    ];
    let whole: serde_json::Value = serde_json::from_str(&keys.cli(&query)).unwrap();
    assert_eq!(whole, serde_json::json!({ "DB_USER_KEY": "hunter2-user", "DB_PASSWORD": "hunter2 new" }));
    let script = "test \"$DB_USER_KEY $DB_PASSWORD\" = 'hunter2-user hunter2 new'";
    doppio.run(["secret", "exec", "--all-of", "aws:doc/app", "--", "sh", "-c", script]).expect(0);
}
