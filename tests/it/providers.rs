//! Which credential may go where, and what is said before a run.

use std::fs;

use doppio_test_support::Doppio;

const RENTED: &str = "[hosts.box]\nhostname = \"192.0.2.1\"\n[hosts.mine]\nhostname = \"192.0.2.2\"\ntrust = \"owned\"\n\
                      [hosts.ours]\nhostname = \"192.0.2.3\"\ntrust = \"shared\"\n";

fn world() -> Doppio {
    let world = Doppio::new()
        .env("DOPPIO_KEYRING", "off")
        .env("VAST_API_KEY", "0123456789abcdef0123456789abcdef")
        .env("HF_TOKEN", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH")
        .env("AWS_ACCESS_KEY_ID", "ASIAABCDEFGHIJKLMNOP")
        .env("AWS_SECRET_ACCESS_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCD")
        .env("AWS_SESSION_TOKEN", "token-token-token-token-token")
        .env("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z");
    world.hosts(RENTED);
    world
}

fn recipe(world: &Doppio, credentials: &str, more: &str) {
    let text = format!(
        "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = {credentials}\n{more}ssh_command = {{ command = \"true\" }}\n"
    );
    world.file("r.toml", text);
}

#[test]
fn a_key_that_rents_machines_never_leaves_this_one() {
    let world = world();
    recipe(&world, "[\"huggingface\", \"vast\"]", "");
    for arguments in
        [&["plan", "r.toml", "--host", "mine"][..], &["run", "r.toml", "--host", "mine", "--consent", "vast"]]
    {
        let ran = world.run(arguments).expect(2);
        assert!(ran.stderr.contains("the credential of `vast` may not go to `mine`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("r.toml:5:31"), "{}", ran.stderr);
        assert!(ran.stderr.contains("host_id = \"local\""), "{}", ran.stderr);
        assert!(!ran.stderr.contains("0123456789abcdef"), "{}", ran.stderr);
    }
}

#[test]
fn trust_and_consent_decide_over_the_rest() {
    let world = world();
    recipe(&world, "[\"aws\"]", "");
    world.run(["plan", "r.toml", "--host", "ours"]).expect(0);
    world.run(["plan", "r.toml", "--host", "mine"]).expect(0);
    let ran = world.run(["plan", "r.toml", "--host", "box"]).expect(2);
    assert!(
        ran.stderr.contains("--consent aws") && ran.stderr.contains("trust = \"shared\""),
        "{}",
        ran.stderr
    );
    let ran = world.run(["plan", "r.toml", "--host", "box", "--consent", "aws"]).expect(0);
    assert!(ran.stdout.contains("credentials of aws") && ran.stdout.contains("scoped"), "{}", ran.stdout);
    let ran = world.run(["plan", "r.toml", "--host", "box", "--consent", "awss"]).expect(2);
    assert!(ran.stderr.contains("did you mean `aws`?"), "{}", ran.stderr);
    recipe(&world, "[\"huggingface\"]", "");
    world.run(["plan", "r.toml", "--host", "box"]).expect(0);
}

// case K6
#[test]
fn the_advice_for_a_key_on_a_rented_host_works() {
    let world = world();
    fs::create_dir_all(world.home().join(".ssh")).unwrap();
    for key in [".ssh/id_ed25519", "deploy"] {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        fs::write(world.home().join(key), text).unwrap();
    }
    recipe(&world, "[\"ssh\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "box"]).expect(2);
    let advice = "create a deploy key of one repository (`ssh-keygen -t ed25519 -f deploy`), name it as \
                  `ssh:PATH`, and allow it with `--consent ssh`";
    assert!(ran.stderr.contains(advice), "{}", ran.stderr);
    recipe(&world, "[\"ssh:~/deploy\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "box"]).expect(2);
    assert!(!ran.stderr.contains("create a deploy key"), "it is named already: {}", ran.stderr);
    assert!(ran.stderr.contains("use `--consent ssh`"), "{}", ran.stderr);
    world.run(["plan", "r.toml", "--host", "box", "--consent", "ssh"]).expect(0);
}

// case K5
#[test]
fn a_session_that_would_outlive_a_file_is_refused_before_the_run() {
    let world = world();
    let step = |operation: &str, more: &str| {
        let text = format!("[recipe]\nname = \"r\"\n{more}[[step]]\nid = \"s\"\n{operation}\n");
        world.file("r.toml", text);
    };
    let session = "tmux_new = { host_id = \"mine\", session_name = \"t\", command = \"true\" }";
    let lines = "run_commands = { host_id = \"mine\", tmux_mode = \"new\", commands = \"true\" }";
    for operation in [session, lines] {
        for (credential, refused) in [
            ("gcp", true),
            ("docker", true),
            ("kubeconfig", true),
            ("ssh", true),
            ("netrc", true),
            ("hf", false),
        ] {
            step(&format!("credentials = [\"{credential}\"]\n{operation}"), "");
            let ran = world.run(["check", "r.toml"]).expect(if refused { 2 } else { 0 });
            assert_eq!(ran.stderr.contains("is a file, which a tmux session would outlive"), refused);
            assert_eq!(ran.stderr.contains("use `ssh_command`, which removes the file"), refused);
        }
        step(operation, "[defaults]\ncredentials = [\"gcp\"]\n");
        let ran = world.run(["check", "r.toml"]).expect(2);
        assert!(ran.stderr.contains("the credential of `gcp` is a file"), "{}", ran.stderr);
        // What the host has for all its steps, hosts.toml says: the plan knows it.
        world.hosts(&RENTED.replace("trust = \"owned\"", "trust = \"owned\"\ncredentials = [\"gcp\"]"));
        step(operation, "");
        let ran = world.run(["plan", "r.toml"]).expect(2);
        assert!(ran.stderr.contains("the credential of `gcp` is a file"), "{}", ran.stderr);
        world.hosts(RENTED);
    }
}

/// A world with a vault and these secrets in it.
fn stored(secrets: &[(&str, &str)]) -> Doppio {
    let world = Doppio::with_vault();
    world.hosts(RENTED);
    for (name, value) in secrets {
        world.store(name, value);
    }
    world
}

const PERSON: &str =
    r#"{"type":"authorized_user","client_id":"c","client_secret":"s-s-s-s","refresh_token":"1//r-r-r-r"}"#;

#[test]
fn a_stored_credential_goes_as_far_as_its_value_says() {
    let world = stored(&[
        ("gcp/credentials", PERSON),
        ("github/token", "github_pat_11ABCDEFG0123456789abcdefghijklmnop"),
        ("aws/access_key_id", "AKIAABCDEFGHIJKLMNOP"),
        ("aws/secret_access_key", "abcdefghijklmnopqrstuvwxyz0123456789ABCD"),
        ("git/username", "somebody"),
        ("git/password", "hunter2-hunter2"),
    ]);
    let plan = |credential: &str, host: &str, code: i32| {
        recipe(&world, &format!("[\"{credential}\"]"), "");
        world.run(["plan", "r.toml", "--host", host]).expect(code)
    };
    for credential in ["gcp", "aws"] {
        let ran = plan(credential, "ours", 2);
        assert!(
            ran.stderr.contains("it can do whatever you can, and others use the host too"),
            "{}",
            ran.stderr
        );
        plan(credential, "mine", 0);
    }
    assert!(plan("github", "box", 0).stdout.contains("data-plane"));
    // Whose login it is nobody knows: it would be offered to every host.
    let ran = plan("git", "mine", 3);
    assert!(ran.stdout.contains("it does not say which host it is for"), "{}", ran.stdout);
    world.run(["run", "r.toml", "--host", "mine"]).expect(3);
}

#[test]
fn whoever_impersonates_by_a_persons_login_is_that_person() {
    let source = |kind: &str| {
        format!(
            r#"{{"type":"impersonated_service_account","service_account_impersonation_url":"https://i.example",
               "source_credentials":{{"type":"{kind}","refresh_token":"1//r-r-r-r"}}}}"#
        )
    };
    for (kind, code) in [("authorized_user", 2), ("service_account", 0)] {
        let world = stored(&[("gcp/credentials", &source(kind))]);
        recipe(&world, "[\"gcp\"]", "");
        world.run(["plan", "r.toml", "--host", "ours"]).expect(code);
    }
}

#[test]
fn an_aws_key_without_an_end_stays_one_beside_a_token() {
    let world = world().env("AWS_ACCESS_KEY_ID", "AKIAABCDEFGHIJKLMNOP");
    recipe(&world, "[\"aws\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "ours"]).expect(2);
    assert!(ran.stderr.contains("it can do whatever you can"), "{}", ran.stderr);
}

#[test]
fn what_is_imported_stays_usable_from_where_it_came() {
    let world = stored(&[]);
    fs::write(world.home().join(".git-credentials"), "https://somebody:hunter2-hunter2@git.example\n")
        .unwrap();
    recipe(&world, "[\"git\"]", "");
    let plan = || world.run(["plan", "r.toml", "--host", "mine"]).expect(0).stdout;
    assert!(plan().contains("`git.example` in"), "{}", plan());
    world.run(["secret", "import", "--provider", "git", "--yes"]).expect(0);
    assert!(plan().contains("`git.example` in"), "{}", plan());
    // What never leaves this machine is refused before anybody stores it.
    recipe(&world, "[\"vast\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "mine"]).expect(2);
    assert!(ran.stderr.contains("the credential of `vast` may not go to `mine`"), "{}", ran.stderr);
}

#[test]
fn the_token_of_one_server_is_not_stored_as_that_of_another() {
    let world = stored(&[]);
    let home = world.home();
    fs::write(home.join(".npmrc"), "//npm.example/:_authToken=npm_theTokenOfThatRegistry\n").unwrap();
    let pypirc = "[pypi]\npassword = pypi-theUsualToken\n[priv]\nrepository = https://p.example\npassword = theTokenOfThatIndex\n";
    fs::write(home.join(".pypirc"), pypirc).unwrap();
    fs::create_dir_all(home.join(".config/gh")).unwrap();
    fs::write(home.join(".config/gh/hosts.yml"), "ghe.example:\n  oauth_token: theTokenOfTheOtherServer\n")
        .unwrap();
    let import = |arguments: &[&str], code: i32| {
        let command = ["secret", "import", "--yes", "--provider"].iter().chain(arguments);
        world.run(command).expect(code)
    };
    for (wanted, server, name) in [
        ("npm:npm.example", "npm.example", "npm/token"),
        ("pypi:priv", "priv", "pypi/token"),
        ("github:ghe.example", "ghe.example", "github/enterprise_token"),
    ] {
        let ran = import(&[wanted], 3);
        assert!(ran.stdout.contains(&format!("it is for `{server}`")), "{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("`credentials = [\"{wanted}\"]`")), "{}", ran.stdout);
        import(&[wanted, "--map", &format!("{name}=my/{server}")], 0);
        world.run(["secret", "get", name]).expect(3);
    }
    import(&["pypi"], 0);
    assert_eq!(world.reveal("pypi/token"), "pypi-theUsualToken");
}

#[test]
fn two_credentials_for_the_same_variables_are_an_error() {
    let world = world();
    let keys = "[a]\naws_access_key_id = ASIAAAAAAAAAAAAAAAAA\naws_secret_access_key = theKeyOfA-theKeyOfA\n\
                [b]\naws_access_key_id = ASIABBBBBBBBBBBBBBBB\naws_secret_access_key = theKeyOfB-theKeyOfB\n\
                aws_session_token = theTokenOfB-theTokenOfB\n";
    fs::create_dir_all(world.home().join(".aws")).unwrap();
    fs::write(world.home().join(".aws/credentials"), keys).unwrap();
    recipe(&world, "[\"aws:b\", \"huggingface\", \"aws:a\"]", "");
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("`aws:b` and `aws:a` set the same variables"), "{}", ran.stderr);
    assert!(ran.stderr.contains("r.toml:5:40"), "{}", ran.stderr);
    // A host has some for all its steps.
    recipe(&world, "[\"aws:b\"]", "");
    let owned = "hostname = \"192.0.2.2\"\ntrust = \"owned\"\n";
    world.hosts(&format!("[hosts.mine]\n{owned}credentials = [\"aws:a\"]\n"));
    for command in ["plan", "run"] {
        let ran = world.run([command, "r.toml", "--host", "mine"]).expect(2);
        assert!(ran.stderr.contains("`aws:b` and `aws:a`, which host `mine` has"), "{}", ran.stderr);
        assert!(ran.stderr.contains("r.toml:5:16"), "{}", ran.stderr);
    }
    world.hosts(&format!("[hosts.mine]\n{owned}credentials = [\"aws:a\", \"aws\"]\n"));
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("`aws:a` and `aws` set the same variables"), "{}", ran.stderr);
    // Which variables a token of GitHub is for only its host tells.
    world.hosts("");
    fs::create_dir_all(world.home().join(".config/gh")).unwrap();
    let hosts = "a.example:\n  oauth_token: theTokenOfA\nb.example:\n  oauth_token: theTokenOfB\n";
    fs::write(world.home().join(".config/gh/hosts.yml"), hosts).unwrap();
    let text = "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"github:a.example\", \"github:b.example\"]\n\
                local_command = { command = \"true\" }\n";
    world.file("r.toml", text);
    let ran = world.run(["run", "r.toml"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("`github:a.example` and `github:b.example` both set `GH_HOST`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn one_of_several_that_is_not_there_is_told_with_those_that_are() {
    let world = Doppio::new().env("DOPPIO_KEYRING", "off");
    world.hosts(RENTED);
    let home = world.home();
    for (path, text) in [
        (".aws/credentials", "[prod]\naws_access_key_id = i\naws_secret_access_key = s\n"),
        (".aws/config", "[default]\nregion = x\n[profile dev]\nrole_arn = r\n"),
        (".docker/config.json", r#"{"auths":{"r.example":{"auth":"eDp5eXl5"}}}"#),
        (".netrc", "machine a.example password pppp\nmachine b.example password pppp\n"),
        (".git-credentials", "https://me:pppp@git.example\n"),
        (".config/gh/hosts.yml", "ghe.example:\n  oauth_token: tttt\n"),
        (".kube/config", "contexts:\n- {name: c1, context: {}}\n- {name: c2, context: {}}\n"),
        (".npmrc", "//npm.example/:_authToken=tttt\n"),
        (".pypirc", "[distutils]\nindex-servers = priv\n[priv]\npassword = pppp\n"),
    ] {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for (wanted, what, there) in [
        ("aws:nope", "profile `nope`", "there are `default`, `dev`, `prod`"),
        ("docker:nope", "registry `nope`", "there is `r.example`"),
        ("netrc:nope", "machine `nope`", "there are `a.example`, `b.example`"),
        ("git:nope", "host `nope`", "there is `git.example`"),
        ("github:nope", "host `nope`", "there is `ghe.example`"),
        ("kubeconfig:nope", "context `nope`", "there are `c1`, `c2`"),
        ("npm:nope", "registry `nope`", "there is `npm.example`"),
        ("pypi:nope", "index `nope`", "there is `priv`"),
        ("ssh:/nope", "key file `/nope`", "there is none"),
    ] {
        recipe(&world, &format!("[\"{wanted}\"]"), "");
        let name = wanted.split(':').next().unwrap();
        let said = [
            world.run(["run", "r.toml", "--host", "mine"]).expect(3).stderr,
            world.run(["secret", "import", "--provider", wanted, "--yes"]).expect(3).stderr,
        ];
        for said in said {
            assert!(said.contains(&format!("`{name}` has no {what} on this machine")), "{said}");
            assert!(said.contains(there), "{said}");
        }
    }
    recipe(&world, "[\"aws:default\"]", "");
    let ran = world.run(["run", "r.toml", "--host", "mine"]).expect(3);
    assert!(ran.stderr.contains("profile `default` of `aws` has no credential"), "{}", ran.stderr);
}

#[test]
fn of_a_provider_that_has_one_no_other_can_be_named() {
    let world = world();
    recipe(&world, "[\"wandb:x\"]", "");
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(
        ran.stderr.contains("`wandb` has only one credential on a machine; none is called `x`"),
        "{}",
        ran.stderr
    );
    let ran = world.run(["secret", "import", "--provider", "hf:x"]).expect(2);
    assert!(ran.stderr.contains("write `huggingface`"), "{}", ran.stderr);
    world.hosts("[hosts.mine]\nhostname = \"192.0.2.2\"\ncredentials = [\"wandb:x\"]\n");
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("hosts.toml") && ran.stderr.contains("write `wandb`"), "{}", ran.stderr);
}

#[test]
fn discovery_is_no_way_around() {
    let world = stored(&[]);
    let settings = world.doppio_home().join("config.toml");
    fs::write(&settings, "discover = true\n[vault]\nwork_factor = 10\n").unwrap();
    fs::create_dir_all(world.home().join(".config/gcloud")).unwrap();
    fs::write(world.home().join(".config/gcloud/application_default_credentials.json"), PERSON).unwrap();
    fs::create_dir_all(world.home().join(".ssh")).unwrap();
    let locked =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    fs::write(world.home().join(".ssh/id_rsa"), locked).unwrap();
    recipe(&world, "[\"gcp\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "ours"]).expect(2);
    assert!(ran.stderr.contains("it can do whatever you can"), "{}", ran.stderr);
    recipe(&world, "[\"ssh\"]", "");
    let ran = world.run(["run", "r.toml", "--host", "mine"]).expect(3);
    assert!(ran.stderr.contains("it has a passphrase"), "{}", ran.stderr);
    let ran = world.run(["secret", "get", "ssh/key", "--reveal", "--force"]).expect(3);
    assert!(ran.stderr.contains("stays here: it has a passphrase"), "{}", ran.stderr);
}

#[test]
fn a_plain_reference_is_no_way_around() {
    let world = world();
    let plan = |reference: &str, host: &str, code: i32| {
        let text = format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n\
             ssh_command = {{ command = \"true\", env = {{ K = \"${{secret:{reference}}}\" }} }}\n"
        );
        world.file("r.toml", text);
        world.run(["plan", "r.toml", "--host", host]).expect(code)
    };
    world.file("doppio.toml", "[secrets]\n\"my/key\" = \"env:VAST_API_KEY\"\n");
    let spelled = ["env/VAST_API_KEY", "vast/api-key", "vast-api-key", "VAST/API_KEY", "vast.api_key"];
    for reference in ["vast/api_key", "env:VAST_API_KEY", "my/key"].into_iter().chain(spelled) {
        let ran = plan(reference, "mine", 2);
        assert!(ran.stderr.contains(&format!("`{reference}` may not go to `mine`")), "{}", ran.stderr);
        assert!(ran.stderr.contains("r.toml:5:"), "{}", ran.stderr);
    }
    let ran = plan("aws/access_key_id", "box", 0);
    assert!(ran.stderr.contains("warning: `aws/access_key_id` goes to `box`"), "{}", ran.stderr);
    for (reference, host) in [("aws/access_key_id", "mine"), ("huggingface/token", "box")] {
        assert_eq!(plan(reference, host, 0).stderr, "");
    }
    let text = "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\n\
                local_command = { command = \"true\", env = { K = \"${secret:vast/api_key}\" } }\n";
    world.file("r.toml", text);
    world.run(["run", "r.toml"]).expect(0);
}

#[test]
fn what_a_plan_cannot_see_is_refused_when_it_is_handed_over() {
    let world = world();
    world.file("doppio.toml", "[secrets]\n\"my/key\" = \"env:VAST_API_KEY\"\n");
    let refused = |steps: &str| {
        world.file("r.toml", format!("[recipe]\nname = \"r\"\n{steps}"));
        world.run(["plan", "r.toml", "--host", "sandbox"]).expect(0);
        let ran = world.run(["run", "r.toml", "--host", "sandbox"]);
        assert_ne!(ran.code, 0, "{}", ran.stdout);
        let why = "the credential of `vast` may not go to `sandbox`: it rents and destroys machines";
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(ran.stderr.contains("host_id = \"local\""), "{}", ran.stderr);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("it-ran"), "{}", ran.stdout);
    };
    let set = |reference: &str| {
        format!("[[step]]\nid = \"v\"\nset_var = {{ name = \"k\", value = \"${{secret:{reference}}}\" }}\n")
    };
    let uses = "[[step]]\nid = \"s\"\ndepends_on = [\"v\"]\n\
                ssh_command = { command = \"echo it-ran\", env = { K = \"a ${k}\" } }\n";
    for reference in ["vast/api_key", "my/key", "env/VAST_API_KEY"] {
        refused(&format!("{}{uses}", set(reference)));
    }
    // A host that is found out while the run goes on.
    refused(
        "[[step]]\nid = \"w\"\nlocal_command = { command = \"printf sandbox\", capture_output = \"where\" }\n\
         [[step]]\nid = \"s\"\ndepends_on = [\"w\"]\n\
         ssh_command = { host_id = \"${where}\", command = \"echo it-ran\", env = { K = \"${secret:vast/api_key}\" } }\n",
    );
    // What a program of this machine made of it, and what goes in by stdin.
    refused(
        "[[step]]\nid = \"v\"\ncredentials = [\"vast\"]\n\
         local_command = { command = \"printf %s $VAST_API_KEY | base64 -w0\", capture_output = \"k\" }\n\
         [[step]]\nid = \"s\"\ndepends_on = [\"v\"]\n\
         ssh_command = { command = \"echo it-ran\", stdin = \"${k}\" }\n",
    );
    let here = format!("{}{}", set("vast/api_key"), uses.replace("ssh_command", "local_command"));
    world.file("r.toml", format!("[recipe]\nname = \"r\"\n{here}"));
    world.run(["run", "r.toml"]).expect(0);
}

#[test]
fn what_will_not_last_is_a_warning() {
    let world = world().env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    recipe(&world, "[\"aws\"]", "timeout_secs = 3600\n");
    let ran = world.run(["plan", "r.toml", "--host", "mine"]).expect(0);
    assert!(ran.stderr.contains("warning: the credential of `aws` has expired"), "{}", ran.stderr);
}

#[test]
fn what_is_not_there_or_not_known_is_told_with_a_place() {
    let world = world();
    recipe(&world, "[\"wandb\"]", "");
    let ran = world.run(["run", "r.toml", "--host", "mine"]).expect(3);
    assert!(ran.stderr.contains("`wandb/api_key` is not set"), "{}", ran.stderr);
    recipe(&world, "[\"hugingface\"]", "");
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("no provider is called `hugingface`"), "{}", ran.stderr);
    let text = "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"aws\"]\nsleep = { duration_secs = 1 }\n";
    world.file("r.toml", text);
    let ran = world.run(["check", "r.toml"]).expect(2);
    assert!(ran.stderr.contains("`sleep` runs no command that could use `credentials`"), "{}", ran.stderr);
}

#[test]
fn status_counts_credentials() {
    let world = world();
    recipe(&world, "[\"huggingface\", \"wandb\"]", "");
    let ran = world.run(["secret", "status"]).expect(3);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("ok       credentials of huggingface  variable `HF_TOKEN`"), "{lines:?}");
    assert!(lines[1].starts_with("missing  credentials of wandb        store it with"), "{lines:?}");
    recipe(&world, "[\"aws\"]", "");
    let ran = world.run(["secret", "status", "r.toml", "--json"]).expect(0);
    let rows: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&rows[0]["credentials"], &rows[0]["exposure"]), (&"aws".into(), &"scoped".into()));
    assert_eq!(rows[0]["expires"], "2099-01-01T00:00:00Z");
}

#[test]
fn a_host_that_nobody_has_written_down_is_rented() {
    let world = world();
    recipe(&world, "[\"aws\"]", "");
    let ran = world.run(["plan", "r.toml", "--host", "me@x.example"]).expect(2);
    assert!(ran.stderr.contains("somebody else owns the host"), "{}", ran.stderr);
    fs::create_dir_all(world.home().join(".ssh")).unwrap();
    fs::write(world.home().join(".ssh/config"), "Host *\n  Port 2222\nHost known\n  HostName x.example\n")
        .unwrap();
    world.run(["plan", "r.toml", "--host", "me@x.example"]).expect(2);
    // Where there is no OpenSSH to ask, the host is unknown, and not taken for somebody else's.
    let ran = world.run(["plan", "r.toml", "--host", "known"]);
    assert!(!ran.stderr.contains("somebody else owns the host"), "{}", ran.stderr);
    assert!(ran.stdout.contains("credentials of aws  from variable"), "{}", ran.stdout);
}

#[test]
fn discover_tells_places_and_never_values() {
    let world = world();
    let token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    fs::create_dir_all(world.home().join(".config/gh")).unwrap();
    let hosts = format!("github.com:\n    user: me\n    oauth_token: {token}\n");
    fs::write(world.home().join(".config/gh/hosts.yml"), hosts).unwrap();
    fs::create_dir_all(world.home().join(".kaggle")).unwrap();
    fs::write(world.home().join(".kaggle/kaggle.json"), "{broken").unwrap();
    let ran = world.run(["secret", "discover", "--json"]).expect(0);
    let rows: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let row = |name: &str| rows.as_array().unwrap().iter().find(|row| row["provider"] == name).cloned();
    let github = row("github").expect("a row");
    assert_eq!(github["exposure"], "personal");
    assert!(github["place"].as_str().unwrap().ends_with("hosts.yml`"));
    assert_eq!(github["secrets"][0]["name"], "github/token");
    assert_eq!(row("vast").unwrap()["exposure"], "never-remote");
    assert_eq!(row("aws").unwrap()["expires"], "2099-01-01T00:00:00Z");
    assert!(row("kaggle").unwrap()["trouble"].as_str().unwrap().contains("it is not JSON"));
    assert!(row("wandb").is_none());
    assert!(github["secrets"][0]["not_asked"].is_null());
    fs::write(world.doppio_home().join("vault.age"), "damaged").unwrap();
    let ran = world.run(["secret", "discover"]).expect(0);
    assert!(ran.stdout.contains("github/token; file could not be asked for one"), "{}", ran.stdout);
    fs::remove_file(world.doppio_home().join("vault.age")).unwrap();
    let plain = world.run(["secret", "discover"]).expect(0);
    for said in [ran.stdout, ran.stderr, plain.stdout, plain.stderr] {
        for value in [token, "hf_abcdefghij", "abcdefghijklmnopqrstuvwxyz0123456789", "0123456789abcdef0123"]
        {
            assert!(!said.contains(value), "{said}");
        }
    }
}

// case J13
#[test]
fn git_logs_in_with_the_token_of_the_host() {
    let token = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";
    let world = Doppio::new().env("DOPPIO_KEYRING", "off").env("HF_TOKEN", token);
    world.file("expected", format!("protocol=https\nhost=huggingface.co\nusername=hf\npassword={token}\n"));
    let fill = |host: &str| {
        format!(
            "[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"git:{host}\"]\n\
             local_command = {{ command = \"printf 'protocol=https\\\\nhost={host}\\\\n\\\\n' | git credential fill > filled; test \\\"$(cat filled)\\\" = \\\"$(cat expected)\\\"\" }}\n"
        )
    };
    world.file("r.toml", fill("huggingface.co"));
    world.run(["run", "r.toml"]).expect(0);
    world.file("r.toml", fill("git.example"));
    world.run(["run", "r.toml"]).expect(3);
}

// case J13
#[test]
fn a_key_goes_with_the_host_keys_of_the_usual_forges() {
    let world = Doppio::new().env("DOPPIO_KEYRING", "off");
    fs::create_dir_all(world.home().join(".ssh")).unwrap();
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIEm9\n-----END EC PRIVATE KEY-----\n";
    fs::write(world.home().join(".ssh/id_ecdsa"), key).unwrap();
    let command = "for host in github.com gitlab.com bitbucket.org hf.co; do grep -q \"^$host ssh-ed25519 AAAA\" \"$DOPPIO_KNOWN_HOSTS\" || exit 4; done; \
                   case $GIT_SSH_COMMAND in *'GlobalKnownHostsFile=$DOPPIO_KNOWN_HOSTS '*) ;; *) exit 5;; esac";
    world.file(
        "r.toml",
        format!("[recipe]\nname = \"r\"\n[[step]]\nid = \"s\"\ncredentials = [\"ssh\"]\nlocal_command = {{ command = {command:?} }}\n"),
    );
    world.run(["run", "r.toml"]).expect(0);
}
