//! What AWS refuses and what stands in its way, each in its own words; never a value in them.

use std::fs;
use std::net::TcpListener;

use crate::aws::reveal;
use crate::support::aws::Keys;
use crate::support::aws::Moto;
use crate::support::aws::Parrot;

/// What `secret get` says of this reference; it must fail.
#[track_caller]
fn told(keys: &Keys, reference: &str) -> String {
    keys.doppio().run(["secret", "get", reference, "--reveal", "--force"]).expect(3).stderr
}

#[test]
fn signatures_and_rights_are_checked_by_the_server() {
    // Making the user, the key, the policy and the secrets is free; from then on each call counts.
    let moto = Moto::start(Some(7));
    let root = moto.keys("AKIDROOT");
    let made = root.boto(
        "iam, sm = client('iam'), client('secretsmanager')\n\
         iam.create_user(UserName='reader')\n\
         key = iam.create_access_key(UserName='reader')['AccessKey']\n\
         rule = {'Effect': 'Allow', 'Action': 'secretsmanager:GetSecretValue', 'Resource': '*'}\n\
         iam.put_user_policy(UserName='reader', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [rule]}))\n\
         for n in range(4): sm.create_secret(Name=f'rights/s{n}', SecretString=f'right value {n}')\n\
         print(key['AccessKeyId'], key['SecretAccessKey'])",
    );
    let (id, secret) = made.split_once(' ').unwrap();
    let good = Keys { id: id.to_owned(), secret: secret.to_owned(), ..root };

    // The right key with no more than the right to read: batch, list and describe are refused,
    // and each secret is asked for by itself.
    let doppio = good.doppio();
    assert_eq!(reveal(&doppio, "aws:rights/s1"), "right value 1");
    let variables: Vec<String> = (0..4).map(|n| format!("V{n} = \"${{secret:aws:rights/s{n}}}\"")).collect();
    doppio.file(
        "recipe.toml",
        format!(
            "[recipe]\nname = \"test\"\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"test \\\"$V3\\\" = 'right value 3'\", env = {{ {} }} }}\n",
            variables.join(", ")
        ),
    );
    doppio.run(["run", "recipe.toml"]).expect(0);

    let denied = doppio
        .run_with_stdin(["secret", "set", "rights/new", "--from-stdin", "--in", "aws"], "hunter2 hunter2")
        .expect(3)
        .stderr;
    assert!(
        denied.contains("user/reader is not authorized to perform: secretsmanager:PutSecretValue"),
        "{denied}"
    );
    assert!(denied.contains("hint: allow `secretsmanager:PutSecretValue` on `rights/new`"), "{denied}");
    assert!(!denied.contains("hunter2"), "{denied}");
    let denied = told(&good, "ssm:/rights/a");
    assert!(denied.contains("not authorized to perform: ssm:GetParameter"), "{denied}");

    let wrong = Keys { secret: format!("{}A", &secret[1..]), ..good.clone() };
    let words = told(&wrong, "aws:rights/s1");
    assert!(words.contains("the secret access key does not belong to the access key"), "{words}");
    assert!(words.contains("hint: check AWS_SECRET_ACCESS_KEY"), "{words}");
    let unknown = Keys { id: "AKIAZZZZZZZZZZZZZZZZ".to_owned(), ..good };
    let words = told(&unknown, "aws:rights/s1");
    assert!(words.contains("AWS does not know the access key"), "{words}");
}

#[test]
fn each_refusal_has_its_own_words() {
    let cases = [
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "have expired",
            "aws sso login",
        ),
        (
            "AccessDeniedException",
            "Access to KMS is not allowed",
            "AWS refused: Access to KMS",
            "allow `kms:Decrypt`",
        ),
        ("DecryptionFailure", "x", "the key that encrypts `a/b` can't be used", "kms:Decrypt"),
        ("UnrecognizedClientException", "x", "AWS does not know the access key", "AWS_ACCESS_KEY_ID"),
    ];
    for (code, message, cause, hint) in cases {
        let parrot = Parrot::start(400, &format!(r#"{{"__type":"{code}","message":"{message}"}}"#));
        let words = told(&parrot.keys(), "aws:a/b");
        assert!(words.contains(cause) && words.contains(hint), "{code}: {words}");
        assert_eq!(parrot.asked(), 1, "{code}");
    }
}

#[test]
fn throttling_is_tried_again_and_then_told() {
    let parrot = Parrot::start(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    let words = told(&parrot.keys(), "aws:a/b");
    assert!(words.contains("AWS accepts no more calls for now (ThrottlingException)"), "{words}");
    assert_eq!(parrot.asked(), 3);

    let parrot = Parrot::start(503, "");
    let words = told(&parrot.keys(), "ssm:/a/b");
    assert!(words.contains("AWS failed (HTTP status 503)"), "{words}");
    assert_eq!(parrot.asked(), 3);

    let doppio = parrot.keys().doppio().env("AWS_MAX_ATTEMPTS", "1");
    doppio.run(["secret", "get", "ssm:/a/b"]).expect(3);
    assert_eq!(parrot.asked(), 4);
}

/// The credentials of a role are good with their session token only.
#[test]
fn a_session_token_is_part_of_the_signature() {
    // Making the role, its policy, the secret and the session is free.
    let moto = Moto::start(Some(4));
    let root = moto.keys("AKIDROLE");
    let made = root.boto(
        "iam, sm, sts = client('iam'), client('secretsmanager'), client('sts')\n\
         role = iam.create_role(RoleName='reader', AssumeRolePolicyDocument='{}')['Role']\n\
         rule = {'Effect': 'Allow', 'Action': 'secretsmanager:GetSecretValue', 'Resource': '*'}\n\
         iam.put_role_policy(RoleName='reader', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [rule]}))\n\
         sm.create_secret(Name='role/a', SecretString='value for a role')\n\
         keys = sts.assume_role(RoleArn=role['Arn'], RoleSessionName='session')['Credentials']\n\
         print(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken'])",
    );
    let [id, secret, token] = made.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let keys = Keys { id: id.to_owned(), secret: secret.to_owned(), ..root };
    let doppio = keys.doppio().env("AWS_SESSION_TOKEN", token);
    assert_eq!(reveal(&doppio, "aws:role/a"), "value for a role");
    let told = doppio.run(["secret", "get", "ssm:/role/a"]).expect(3).stderr;
    assert!(told.contains("not authorized to perform: ssm:GetParameter"), "{told}");
}

#[test]
fn an_endpoint_that_is_down_slow_or_something_else_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = Keys { url: format!("http://{free}"), ..Moto::shared().keys("AKIDDOWN") };
    let words = told(&down, "aws:a/b");
    assert!(words.contains("AWS can't be reached") && words.contains("Connection refused"), "{words}");

    let silent = Parrot::silent();
    let doppio = silent.keys().doppio();
    fs::write(doppio.doppio_home().join("config.toml"), "[sources.ssm]\ntimeout_secs = 1\n").unwrap();
    let words = doppio.run(["secret", "get", "ssm:/a/b"]).expect(3).stderr;
    assert!(words.contains("did not answer within 1 s") && words.contains("timeout_secs"), "{words}");

    for (status, body, cause) in [
        (200, "<html>hunter2</html>", "can't be understood"),
        (200, r#"{"SecretString": 5, "Name": ["hunter2"]}"#, "can't be understood"),
        (404, "<html>hunter2</html>", "what answered is not AWS (HTTP status 404)"),
        (503, "hunter2", "AWS failed (HTTP status 503)"),
    ] {
        let words = told(&Parrot::start(status, body).keys(), "aws:a/b");
        assert!(words.contains(cause), "{status} {body}: {words}");
        assert!(!words.contains("hunter2"), "{words}");
    }
    // An answer without a value does not count.
    let words = told(&Parrot::start(200, "{}").keys(), "aws:a/b");
    assert!(words.contains("a/b"), "{words}");
}

#[test]
fn what_was_to_be_written_is_in_no_error() {
    let parrot = Parrot::start(
        400,
        r#"{"__type":"ValidationException","message":"Value 'hunter2 hunter2' at 'secretString' failed"}"#,
    );
    for scheme in ["aws", "ssm"] {
        let words = parrot
            .keys()
            .doppio()
            .run_with_stdin(["secret", "set", "a/b", "--from-stdin", "--in", scheme], "hunter2 hunter2")
            .expect(2)
            .stderr;
        assert!(words.contains("ValidationException") && !words.contains("hunter2"), "{words}");
    }
}

/// Amazon names no version without a stage, neither in `DescribeSecret` nor in a list, and a list
/// lags: what is not named is asked for by itself. One answer holds what all these calls say.
#[test]
fn what_is_not_listed_is_asked_for_by_itself() {
    let (old, new) = ("a1b2c3d4-5678-90ab-cdef-0123456789ab", "b1b2c3d4-5678-90ab-cdef-0123456789ab");
    let entries: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| format!(r#"{{"Name": "{name}", "SecretVersionsToStages": {{"{new}": ["AWSCURRENT"]}}}}"#))
        .collect();
    let parrot = Parrot::start(
        200,
        &format!(
            r#"{{"Name": "a", "VersionIdsToStages": {{"{new}": ["AWSCURRENT"]}}, "SecretList": [{}],
                "VersionId": "{old}", "SecretString": "hunter2 old"}}"#,
            entries.join(",")
        ),
    );
    let doppio = parrot.keys().doppio();
    let shown = doppio.run(["secret", "get", &format!("aws:a@{old}?none")]).expect(0);
    assert!(shown.stdout.contains("AWS secret `a`") && !shown.stdout.contains("default"), "{}", shown.stdout);
    assert_eq!(parrot.asked(), 2);
    // Three and more are looked for in a list.
    let env: Vec<String> = [("A", "a"), ("B", "b"), ("C", "c")]
        .iter()
        .map(|(variable, name)| format!("{variable} = \"${{secret:aws:{name}@AWSPREVIOUS?none}}\""))
        .collect();
    doppio.file(
        "recipe.toml",
        format!(
            "[recipe]\nname = \"test\"\n[[step]]\nid = \"use\"\nlocal_command = {{ command = \"test \\\"$A$B$C\\\" = 'hunter2 oldhunter2 oldhunter2 old'\", env = {{ {} }} }}\n",
            env.join(", ")
        ),
    );
    doppio.run(["run", "recipe.toml"]).expect(0);
}
