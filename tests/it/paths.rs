//! Variables that should hold a path or a name and hold a secret: messages say which variable, and nothing
//! of its value.

use doppio_test_support::Doppio;

/// What people put where a path belongs, made up.
fn values() -> [String; 4] {
    [
        r#"{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvmadeup\n"}"#
            .to_owned(),
        "machine example.org\nlogin me\npassword MIIEvmadeup".to_owned(),
        format!("hf_{}MIIEvmadeup", "aB3dE5gH7j".repeat(4)),
        format!("{{\"auths\": {{\"r\": {{\"auth\": \"MIIEvmadeup{}\"}}}}}}", "x".repeat(5000)),
    ]
}

const VARIABLES: [&str; 22] = [
    "GOOGLE_APPLICATION_CREDENTIALS",
    "NETRC",
    "KUBECONFIG",
    "HF_TOKEN_PATH",
    "HF_HOME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_PROFILE",
    "DOCKER_CONFIG",
    "GH_CONFIG_DIR",
    "GH_HOST",
    "KAGGLE_CONFIG_DIR",
    "NPM_CONFIG_USERCONFIG",
    "AZURE_CONFIG_DIR",
    "CLOUDSDK_CONFIG",
    "WANDB_IDENTITY_TOKEN_FILE",
    "LANGSMITH_CONFIG_FILE",
    "VAULT_CACERT",
    "DOPPIO_VAULT_IDENTITY",
    "DOPPIO_PASSPHRASE_FILE",
    "PASSWORD_STORE_DIR",
];

/// Those of them that a source of a recipe's secrets looks at.
const PLANNED: [&str; 3] = ["GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG", "VAULT_CACERT"];

/// A world in which these variables have the value.
fn world(variables: &[&str], value: &str) -> Doppio {
    let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("VAULT_ADDR", "http://127.0.0.1:1");
    let doppio = variables.iter().fold(doppio, |doppio, variable| doppio.env(variable, value));
    doppio.recipe(
        "\n[[step]]\nid = \"a\"\ncredentials = [\"gcp\", \"huggingface\", \"aws\", \"docker\", \"netrc\", \
         \"kubernetes\", \"github\"]\nlocal_command = { command = \"true\" }\n\
         [[step]]\nid = \"b\"\nlocal_command = { command = \"true\", env = { A = \"${secret:a/b}\", \
         G = \"${secret:gcp:x}\", K = \"${secret:kubernetes:x#y}\", S = \"${secret:aws:x}\", \
         V = \"${secret:vault:x/y#z}\" } }\n",
    );
    doppio
}

#[track_caller]
fn says_nothing_of_it(doppio: &Doppio, arguments: &[&str], variable: &str) {
    let ran = doppio.run(arguments);
    let said = ran.stdout + &ran.stderr;
    assert!(!said.contains("MIIEvmadeup") && !said.contains("aB3dE5"), "{variable} {arguments:?}\n{said}");
}

// case B1
#[test]
fn a_value_where_a_path_belongs_is_not_quoted() {
    for value in values() {
        for variable in VARIABLES {
            let doppio = world(&[variable], &value);
            says_nothing_of_it(&doppio, &["secret", "discover"], variable);
            if PLANNED.contains(&variable) {
                says_nothing_of_it(&doppio, &["plan", "recipe.toml"], variable);
            }
        }
        let doppio = world(&VARIABLES, &value);
        for arguments in [
            &["secret", "discover", "--json"][..],
            &["secret", "why", "a/b"],
            &["secret", "import", "--provider", "gcp", "--yes"],
            &["secret", "sources"],
            &["run", "recipe.toml"],
        ] {
            says_nothing_of_it(&doppio, arguments, "all");
        }
    }
}

// case B1
#[test]
fn a_path_is_quoted_and_a_value_is_told_by_its_variable() {
    let said = |value: &str| {
        let doppio = Doppio::new().env("DOPPIO_KEYRING", "off").env("GOOGLE_APPLICATION_CREDENTIALS", value);
        let ran = doppio.run(["secret", "discover"]);
        ran.stdout + &ran.stderr
    };
    let path = said("/no/such/key.json");
    assert!(path.contains("names `/no/such/key.json`, which does not exist"), "{path}");
    let value = said(&values()[0]);
    assert!(value.contains("the value of GOOGLE_APPLICATION_CREDENTIALS is not a path"), "{value}");
}
