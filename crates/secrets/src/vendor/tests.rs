use std::path::Path;

use proptest::strategy::Strategy;
use proptest::strategy::ValueTree;

use doppio_text::name::EnvName;
use doppio_text::name::SecretName;

use super::*;
use crate::Environment;
use crate::Mask;
use crate::SecretValue;
use crate::looks_like_value;
use crate::naming::name_of;
use crate::scan::Scanner;
use crate::source::variables;

/// A home with these files, and an environment.
fn look(provider: &str, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let home = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let env: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let found = read(&provider.parse().unwrap(), &env, home.path()).unwrap();
    let shown = home.path().display().to_string();
    let parts = found.into_iter().flat_map(|credential| credential.parts);
    parts
        .map(|part| {
            let value = String::from_utf8(part.value.unwrap().plain().to_vec()).unwrap();
            (part.key.name.to_owned(), value, part.place.replace(&shown, "~"))
        })
        .collect()
}

#[test]
fn the_table_is_sound() {
    let vendors: Vec<&Vendor> = rows::all().collect();
    let all = |of: fn(&'static Vendor) -> Vec<&'static str>| -> Vec<&'static str> {
        vendors.iter().flat_map(|vendor| of(vendor)).collect()
    };
    let is_unique = |mut names: Vec<&str>| {
        names.sort_unstable();
        assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    };
    is_unique(all(|vendor| vendor.aliases.iter().copied().chain([vendor.name]).collect()));
    is_unique(all(|vendor| vendor.keys().chain(vendor.others).map(|key| key.name).collect()));
    // Each variable is one vendor's, so only two credentials of one can clash.
    is_unique(all(|vendor| {
        let file = |key: &'static Key| match key.sent {
            Sent::File(form) => Some(form.variable),
            Sent::As(_) => None,
        };
        let sent = vendor.keys().flat_map(|key| key.sent_as().iter().copied().chain(file(key)));
        sent.chain(vendor.companions.iter().copied()).collect()
    }));
    is_unique(all(|vendor| vendor.keys().flat_map(Key::variables_of).collect()));
    for vendor in vendors {
        assert_eq!(vendor.is_provider(), !vendor.summary.is_empty() && !vendor.sets.is_empty());
        assert_eq!(vendor.is_provider(), !vendor.alternative.is_empty(), "{}", vendor.name);
        for key in vendor.keys().chain(vendor.others) {
            let name: SecretName = key.name.parse().unwrap();
            assert_eq!(key.name.split_once('/').unwrap().0, vendor.name, "{name}");
            for variable in key.read.iter().chain(key.also).chain(key.sent_as()) {
                assert!(variable.parse::<EnvName>().is_ok(), "{variable}");
            }
            assert_eq!(key.is_well_known(), !key.get.is_empty(), "{name}");
            if key.is_well_known() {
                assert!(
                    variables(&name).iter().zip(key.read).all(|(found, read)| found == read),
                    "the ladder looks for {name} there"
                );
                assert!(
                    key.variables_of().all(|variable| name_of(variable, None).as_ref() == Some(&name)),
                    "{name}"
                );
            }
            key.matches(&SecretValue::new(Vec::new()));
            if let Some(ping) = &key.ping {
                assert!(ping.base.starts_with("https://") && ping.path.starts_with('/'), "{name}");
            }
        }
    }
}

/// Random-looking values of a kind of token.
fn samples(body: &str) -> Vec<String> {
    let strategy = proptest::string::string_regex(body).unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..8).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn all_that_read_a_row_agree_on_its_tokens() {
    let (scanner, _) = Scanner::new(&[], true);
    let found = |text: &str| -> Vec<String> {
        scanner.search(text.as_bytes()).iter().map(|hit| scanner.name(hit.what).to_owned()).collect()
    };
    for (token, key) in tokens() {
        let values: Vec<(String, String)> = match token.shape {
            Shape::Prefixed { prefixes, body } => {
                let values = prefixes
                    .iter()
                    .flat_map(|prefix| samples(body).into_iter().map(move |body| format!("{prefix}{body}")));
                values.map(|value| (value.clone(), value)).collect()
            }
            Shape::Bare { body } => {
                let key = key.unwrap();
                let pairs = samples(body).into_iter().flat_map(|value| {
                    key.variables_of().map(move |name| (format!("{name}={value}"), value.clone()))
                });
                pairs.collect()
            }
            Shape::Behind { .. } | Shape::Block { .. } => continue,
        };
        let is_prefixed = !token.prefixes().is_empty();
        let (all, mut sure) = (values.len(), 0);
        for (text, value) in values {
            let ids = found(&text);
            assert!(ids.is_empty() || ids == [token.id], "{text}: {ids:?}");
            sure += ids.len();
            let secret = SecretValue::new(value.clone().into_bytes());
            assert_eq!(is_token(&value), is_prefixed, "{value}");
            assert!(looks_like_value(&value) || !is_prefixed, "{value}");
            assert_eq!(Mask::weakness(&secret), None, "{value}");
            if let Some(key) = key {
                assert!(key.matches(&secret), "{}: {value}", key.name);
                let is_named = is_prefixed && key.is_well_known();
                assert_eq!(recognise(&secret).map(|key| key.name), is_named.then_some(key.name), "{value}");
            }
        }
        // What is not random by chance is taken for an example.
        assert!(sure * 4 >= all * 3, "{}: {sure} of {all}", token.id);
    }
}

#[test]
fn aliases_and_slips_are_known() {
    for (alias, name) in
        [("hf", "huggingface"), ("kubernetes", "kubeconfig"), ("langchain", "langsmith"), ("twine", "pypi")]
    {
        assert_eq!(find(alias).unwrap().name, name);
    }
    assert_eq!(find("hugingface").unwrap_err().hint(), "did you mean `huggingface`?");
    assert!(find("nobody-at-all").unwrap_err().hint().starts_with("the providers are `anthropic`"));
}

#[test]
fn the_environment_stands_before_files() {
    let files = [(".cache/huggingface/token", "hf_file\n")];
    assert_eq!(
        look("huggingface", &[("HF_TOKEN", " hf_env ")], &files),
        [("huggingface/token".to_owned(), "hf_env".to_owned(), "variable `HF_TOKEN`".to_owned())]
    );
    assert_eq!(look("huggingface", &[("HF_TOKEN", "  ")], &files)[0].2, "`~/.cache/huggingface/token`");
    assert!(look("huggingface", &[], &[(".cache/huggingface/token", "\n")]).is_empty());
}

#[test]
fn rented_machines_have_their_files() {
    assert_eq!(look("vast", &[], &[(".vast_api_key", "old\n")])[0].1, "old");
    let both = [(".vast_api_key", "old"), (".config/vastai/vast_api_key", "new")];
    assert_eq!(look("vast", &[], &both)[0].1, "new");
    // That of a login with a second factor is asked first, and the others when it has expired.
    let all = [(".vast_api_key", "old"), (".config/vastai/vast_tfa_key", "short-lived")];
    assert_eq!(look("vast", &[], &all)[0].1, "short-lived");
    assert_eq!(look("runpod", &[], &[(".runpod/config.toml", "apiKey = \"a\"")])[0].1, "a");
    assert_eq!(look("runpod", &[], &[(".runpod/config.toml", "[default]\napi_key = \"b\"")])[0].1, "b");
    let lambda = [(".lambda_cloud/lambda_keys", "ssh_key = x\napi_key = secret_1\n")];
    assert_eq!(look("lambda", &[], &lambda)[0].1, "secret_1");
}

#[test]
fn kubeconfig_is_one_context_without_files() {
    let config = "current-context: b\ncontexts:\n- {name: a, context: {cluster: ca, user: ua}}\n\
                  - {name: b, context: {cluster: cb, user: ub, namespace: n}}\n\
                  clusters:\n- {name: cb, cluster: {server: https://k.example, certificate-authority: ca.pem}}\n\
                  users:\n- {name: ua, user: {token: other-token}}\n- {name: ub, user: {tokenFile: t}}\n";
    let files = [(".kube/config", config), (".kube/ca.pem", "PEM"), (".kube/t", "the-token\n")];
    let found = look("kubeconfig", &[], &files);
    let value: serde_json::Value = serde_json::from_str(&found[0].1).unwrap();
    assert_eq!(value["users"][0]["user"]["token"], "the-token");
    assert_eq!(value["clusters"][0]["cluster"]["certificate-authority-data"], "UEVN");
    assert!(!found[0].1.contains("other-token") && !found[0].1.contains("ca.pem"));
}

#[test]
fn docker_is_one_registry() {
    let config =
        r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6cHc="},"other.example":{"auth":"eA=="}}}"#;
    let found = look("docker", &[], &[(".docker/config.json", config)]);
    assert_eq!(found[0].1, r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6cHc="}}}"#);
}

#[test]
fn docker_is_one_registry_of_the_variable_too() {
    let both = r#"{"auths":{"a.example":{"auth":"YTphYWFh"},"b.example":{"auth":"YjpiYmJi"}}}"#;
    let file = r#"{"auths":{"c.example":{"auth":"YzpjY2Nj"}}}"#;
    let variables = [("DOCKER_AUTH_CONFIG", both)];
    let found = look("docker:b.example", &variables, &[(".docker/config.json", file)]);
    assert_eq!(found[0].1, r#"{"auths":{"b.example":{"auth":"YjpiYmJi"}}}"#);
    assert_eq!(found[0].2, "`b.example` in variable `DOCKER_AUTH_CONFIG`");
    let found = look("docker:c.example", &variables, &[(".docker/config.json", file)]);
    assert_eq!(found[0].2, "`c.example` in `~/.docker/config.json`");
    let env: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let error = read(&"docker".parse().unwrap(), &env, Path::new("/nonexistent")).unwrap_err();
    assert!(error.cause.contains("it has 2 registries: name one, as in `docker:a.example`"), "{error:?}");
}

#[test]
fn a_broken_file_is_told_without_what_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".kaggle")).unwrap();
    std::fs::write(home.path().join(".kaggle/kaggle.json"), "{\"key\": \"hunter22").unwrap();
    let error = read(&"kaggle".parse().unwrap(), &Environment::default(), home.path()).unwrap_err();
    assert!(
        error.cause.ends_with("it is not JSON") && !format!("{error:?}").contains("hunter22"),
        "{error:?}"
    );
}

// case G4
#[test]
fn the_settings_of_wandb_say_which_server_it_is() {
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let (public, own) = ("a".repeat(40), "b".repeat(40));
    write(
        ".netrc",
        &format!(
            "machine api.wandb.ai\n  login user\n  password {public}\nmachine wandb.corp\n  login user\n  password {own}\n"
        ),
    );
    let look = |variables: &[(&str, &str)]| {
        let env: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let found = read(&"wandb".parse().unwrap(), &env, home.path()).unwrap().unwrap();
        let value = String::from_utf8(found.parts[0].value.as_ref().unwrap().plain().to_vec()).unwrap();
        (value, found.settings)
    };
    assert_eq!(look(&[]), (public.clone(), vec![]));
    write(".config/wandb/settings", "[default]\nentity = team\nbase_url = https://wandb.corp/\n");
    let setting = vec![("WANDB_BASE_URL".to_owned(), "https://wandb.corp".to_owned())];
    assert_eq!(look(&[]), (own, setting.clone()));
    // A key that is given by the variable goes to that server, too.
    let key = "c".repeat(40);
    assert_eq!(look(&[("WANDB_API_KEY", &key)]), (key, setting));
    let other = vec![("WANDB_BASE_URL".to_owned(), "https://api.wandb.ai".to_owned())];
    assert_eq!(look(&[("WANDB_BASE_URL", "https://api.wandb.ai")]), (public, other));
}

// case G10
#[test]
fn a_profile_that_is_not_there_is_told_with_its_variable_and_the_others() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".aws")).unwrap();
    let keys = "aws_access_key_id = AKIAABCDEFGHIJKLMNOP\naws_secret_access_key = abcd\n";
    std::fs::write(home.path().join(".aws/credentials"), format!("[dev]\n{keys}[prod]\n{keys}")).unwrap();
    let fault = |variables: &[(&str, &str)]| {
        let env: Environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let fault = read(&"aws".parse().unwrap(), &env, home.path()).unwrap_err();
        (fault.cause, fault.hint)
    };
    let hint = "there are `dev`, `prod`; name one as in `aws:dev`".to_owned();
    let cause = "`aws` has no profile `gone` on this machine, which `AWS_PROFILE` names".to_owned();
    assert_eq!(fault(&[("AWS_PROFILE", "gone")]), (cause, hint.clone()));
    assert_eq!(fault(&[]), ("`aws` has no profile `default` on this machine".to_owned(), hint));
}

// case G5
#[test]
fn what_only_this_machine_can_use_is_not_imported() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".kube")).unwrap();
    let config = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n\
                  clusters:\n- name: k\n  cluster: {server: https://k.example}\nusers:\n- name: u\n  user:\n    exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}\n";
    std::fs::write(home.path().join(".kube/config"), config).unwrap();
    let fault = read(&"kubeconfig".parse().unwrap(), &Environment::default(), home.path()).unwrap_err();
    assert!(fault.cause.contains("come from a program on this machine"), "{}", fault.cause);
}

// case G8
#[test]
fn files_of_vendors_are_recognised_wherever_they_are() {
    let told = |name: &str, text: &str| {
        let file = tool_file(name, &SecretValue::new(text.as_bytes().to_vec()))?;
        let secret = |secret: ToolSecret| {
            let value = String::from_utf8(secret.value.plain().to_vec()).unwrap();
            format!("{}={}", secret.name.unwrap_or(secret.key), value.replace('\n', "|"))
        };
        let found: Vec<String> = file.secrets.into_iter().map(secret).collect();
        Some(file.instead.unwrap_or_else(|| found.join(" ")))
    };
    let key = "d".repeat(32);
    let kaggle = format!("{{\"username\":\"ada\",\"key\":\"{key}\"}}");
    assert_eq!(told("downloaded", &kaggle).unwrap(), format!("kaggle/username=ada kaggle/key={key}"));
    let gcp = r#"{"type": "service_account", "private_key": "x"}"#;
    assert_eq!(told("key.json", gcp).unwrap(), format!("gcp/credentials={gcp}"));
    let wandb = "e".repeat(40);
    let netrc =
        format!("machine api.wandb.ai login user password {wandb}\nmachine x.corp login me password pw\n");
    assert_eq!(told(".netrc", &netrc).unwrap(), format!("wandb/api_key={wandb} x.corp=pw"));
    let one = "machine x.corp login me password pw\n";
    assert_eq!(told("netrc", one).unwrap(), "netrc/machine=machine x.corp|login me|password pw|");
    let keys = "aws_access_key_id = AKIAX\naws_secret_access_key = s\n";
    let aws = format!("[default]\n{keys}region = x\n[prod]\n{keys}");
    assert_eq!(
        told("credentials", &aws).unwrap(),
        "aws/access_key_id=AKIAX aws/secret_access_key=s aws/prod/access_key_id=AKIAX aws/prod/secret_access_key=s"
    );
    let made = r#"{"AccessKey": {"AccessKeyId": "AKIAX", "SecretAccessKey": "s", "Status": "Active"}}"#;
    assert_eq!(told("x.json", made).unwrap(), "aws/access_key_id=AKIAX aws/secret_access_key=s");
    let kube = "apiVersion: v1\nkind: Config\nclusters: []\n";
    assert_eq!(told("config", kube).unwrap(), "doppio secret import --provider kubeconfig");
    let docker = r#"{"auths": {"r": {"auth": "eDp5"}}}"#;
    assert_eq!(told("config.json", docker).unwrap(), "doppio secret import --provider docker");
    let token = format!("hf_{}\n", "kQzVbXmWnRtYpLsDfGhJcKxZaQwErTyUiO");
    assert_eq!(told("token", &token).unwrap(), format!("huggingface/token={}", token.trim()));
    for (name, text) in
        [(".env", "A=b\n"), ("a.json", r#"{"username": "a", "key": "b", "more": 1}"#), ("x", "machine\n")]
    {
        assert_eq!(told(name, text), None, "{name}");
    }
}
