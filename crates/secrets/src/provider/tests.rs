use std::path::Path;

use doppio_text::name::SecretName;

use super::*;
use crate::Environment;
use crate::well_known;

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
    let mut names: Vec<&str> =
        PROVIDERS.iter().flat_map(|known| known.aliases.iter().copied().chain([known.name])).collect();
    for provider in PROVIDERS {
        assert!(!provider.summary.is_empty() && !provider.alternative.is_empty(), "{}", provider.name);
        for key in provider.keys() {
            let name: SecretName = key.name.parse().unwrap();
            assert_eq!(of_secret(&name).unwrap().0.name, provider.name, "{name} belongs to one provider");
            assert!(
                provider.name.starts_with(name.as_str().split('/').next().unwrap()),
                "{name} is named after `{}`",
                provider.name
            );
            // Who reads the name on the ladder finds what the vendor's own tool finds.
            if let (Some(known), [first, ..]) = (well_known::find(&name), key.read) {
                assert!(known.variables.contains(first) || key.name == "aws/session_token", "{name}");
            }
            if let Sent::As(variables) = key.sent {
                assert!(variables.iter().all(|name| name.parse::<doppio_text::name::EnvName>().is_ok()));
            }
        }
    }
    let mut variables: Vec<(&str, &str)> = Vec::new();
    for provider in PROVIDERS {
        let sent = provider.keys().flat_map(|key| match key.sent {
            Sent::As(variables) => variables.to_vec(),
            Sent::File(form) => vec![form.variable],
        });
        variables.extend(sent.chain(provider.companions.iter().copied()).map(|name| (name, provider.name)));
    }
    variables.sort_unstable();
    let shared = variables.windows(2).find(|pair| pair[0].0 == pair[1].0);
    assert_eq!(shared, None, "each variable is one provider's, so only two of one can clash");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands for one provider");
    assert!(PROVIDERS.windows(2).all(|pair| pair[0].name < pair[1].name), "in the order of the alphabet");
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
