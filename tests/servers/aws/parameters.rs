//! Parameter Store.

use crate::aws::reveal;
use crate::support::aws::Moto;

#[test]
fn what_doppio_writes_the_aws_cli_reads_and_the_other_way_round() {
    let keys = Moto::shared().keys("AKIDPARAMETER");
    let doppio = keys.doppio();
    for value in ["first parameter", "second parameter"] {
        let told = doppio
            .run_with_stdin(
                ["secret", "set", "parameter/one", "--from-stdin", "--in", "ssm", "--note", "n"],
                value,
            )
            .expect(0);
        assert!(told.stderr.contains("in AWS Parameter Store in eu-west-1"), "{}", told.stderr);
    }
    let read = keys.cli(&[
        "ssm",
        "get-parameter",
        "--name",
        "/parameter/one",
        "--with-decryption",
        "--query",
        "Parameter.[Type,Value,Version]",
        "--output",
        "text",
    ]);
    assert_eq!(read, "SecureString\tsecond parameter\t2");
    assert_eq!(reveal(&doppio, "ssm:/parameter/one"), "second parameter");
    assert_eq!(reveal(&doppio, "ssm:parameter/one"), "second parameter");
    assert_eq!(reveal(&doppio, "ssm:/parameter/one@1"), "first parameter");
    keys.cli(&[
        "ssm",
        "label-parameter-version",
        "--name",
        "/parameter/one",
        "--parameter-version",
        "1",
        "--labels",
        "good",
    ]);
    assert_eq!(reveal(&doppio, "ssm:/parameter/one@good"), "first parameter");
    let history =
        doppio.run(["secret", "history", "parameter/one", "--in", "ssm", "--json"]).expect(0).stdout;
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history[0]["version"], "2");
    assert_eq!(history[0]["current"], true);
    assert_eq!(history[1]["labels"][0], "good");
    let list = doppio.run(["secret", "list", "--in", "ssm"]).expect(0).stdout;
    assert!(list.contains("parameter/one") && !list.contains("second parameter"), "{list}");

    keys.cli(&[
        "ssm",
        "put-parameter",
        "--name",
        "/parameter/two",
        "--type",
        "SecureString",
        "--value",
        r#"{"a":"from the cli"}"#,
    ]);
    assert_eq!(reveal(&doppio, "ssm:/parameter/two#a"), "from the cli");
    doppio.run(["secret", "rm", "parameter/one", "--in", "ssm"]).expect(0);
    doppio.run(["secret", "get", "ssm:/parameter/one"]).expect(3);
}

#[test]
fn what_cannot_be_kept_is_refused_before_it_is_sent() {
    let keys = Moto::shared().keys("AKIDUNFIT");
    let doppio = keys.doppio();
    for value in [vec![0xff, 0xfe, 0xfd, 0xfc], "0123456789abcdef".repeat(300).into_bytes()] {
        let (told, calls) = keys.during(|| {
            doppio.run_with_stdin(["secret", "set", "unfit", "--from-stdin", "--in", "ssm"], &value)
        });
        let told = told.expect(2).stderr;
        assert!(told.contains("Parameter Store (standard tier) accepts "), "{told}");
        assert!(!calls.iter().any(|call| call == "PutParameter"), "{calls:?}");
    }
}

#[test]
fn fifty_parameters_cost_five_calls_each_way() {
    let keys = Moto::shared().keys("AKIDFIFTYSSM");
    let doppio = keys.doppio();
    keys.boto(
        "c = client('ssm')\n\
         for n in range(50): c.put_parameter(Name=f'/fifty/p{n}', Value=f'parameter value {n:02}', Type='SecureString')",
    );
    let variables: Vec<String> = (0..50).map(|n| format!("V{n} = \"${{secret:ssm:/fifty/p{n}}}\"")).collect();
    let recipe = format!(
        "[recipe]\nname = \"test\"\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"test \\\"$V49\\\" = 'parameter value 49'; echo $V0\", env = {{ {} }} }}\n",
        variables.join(", ")
    );
    doppio.file("recipe.toml", recipe);
    let (ran, calls) = keys.during(|| doppio.run(["run", "recipe.toml"]));
    assert!(ran.expect(0).stderr.contains("use | ***"));
    assert_eq!(calls, vec!["GetParameters"; 10]);
}
