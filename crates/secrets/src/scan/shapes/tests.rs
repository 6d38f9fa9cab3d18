use std::sync::LazyLock;

use super::*;

/// Random-looking text that no tool takes for a token, as it is made here.
fn random(len: usize, letters: &[u8], seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(letters[usize::try_from(state % letters.len() as u64).unwrap()])
        })
        .collect()
}

const HEX: &[u8] = b"0123456789abcdef";
const CAPS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Made once: in a build without optimisation that takes its time.
static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::new);

fn ids(text: &str) -> Vec<&'static str> {
    SHAPES.search(text.as_bytes()).iter().map(|token| token.id).collect()
}

/// Tokens as people have them in files. Each kind by itself is a test of the vendors' rows.
fn samples(seed: u64) -> Vec<(&'static str, String)> {
    let hex = |len| random(len, HEX, seed);
    let caps = |len| random(len, CAPS, seed);
    let mixed = |len| random(len, MIXED, seed);
    vec![
        ("huggingface-token", format!("token = \"hf_{}\"", mixed(34))),
        ("wandb-api-key", format!("export WANDB_API_KEY={}", hex(40))),
        ("wandb-api-key", format!("os.environ[\"WANDB_API_KEY\"] = \"{}\"", hex(40))),
        ("wandb-api-key", format!("RUN wandb login --relogin {}", hex(40))),
        ("wandb-api-key", format!("wandb.login(key='{}')", hex(40))),
        ("wandb-api-key", format!("machine api.wandb.ai\n  login user\n  password {}\n", hex(40))),
        ("wandb-api-key", format!("key: wandb_v1_{}", mixed(77))),
        ("langsmith-api-key", format!("LANGSMITH_API_KEY=lsv2_pt_{}_{}", hex(32), hex(10))),
        ("kaggle-key", format!("{{\"username\":\"ada\",\"key\":\"{}\"}}", hex(32))),
        ("kaggle-key", format!("KAGGLE_KEY: {}", hex(32))),
        ("vast-api-key", format!("VAST_API_KEY='{}'", hex(64))),
        ("vast-api-key", format!("vastai set api-key {}", hex(64))),
        ("cohere-api-key", format!("{{\"cohere_api_key\": \"{}\"}}", mixed(40))),
        ("github-token", format!("https://x:ghp_{}@github.com", mixed(36))),
        ("aws-access-key-id", format!("aws_access_key_id = AKIA{}", caps(16))),
        ("aws-secret-access-key", format!("aws_secret_access_key = {}", mixed(40))),
        ("aws-secret-access-key", format!("\"SecretAccessKey\": \"{}\"", mixed(40))),
        ("private-key", format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n", mixed(200))),
        ("private-key", format!("\"-----BEGIN RSA PRIVATE KEY-----\\n{}\\n{}", mixed(64), mixed(64))),
        ("npm-token", format!("//npm.example.org/:_authToken=npm_{}", mixed(36))),
    ]
}

#[test]
fn every_kind_is_found_in_its_usual_places() {
    for seed in 1..40 {
        for (id, text) in samples(seed) {
            assert_eq!(ids(&text), [id], "{text}");
            assert_eq!(ids(&format!("a line\n{text}\nanother")), [id], "{text}");
        }
    }
}

#[test]
fn what_only_looks_alike_is_none() {
    let hex40 = random(40, HEX, 3);
    for text in [
        format!("wandb @ git+https://github.com/wandb/wandb@{hex40}"),
        format!("commit {hex40}"),
        format!("task-{}", random(48, MIXED, 4)),
        format!("hf_{}", random(40, MIXED, 5)),
        format!("my_hf_{}", random(34, MIXED, 5)),
        "hf_model_name_that_goes_on_and_on_for_long".to_owned(),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567".to_owned(),
        "WANDB_API_KEY=${{ secrets.WANDB_API_KEY }}".to_owned(),
        format!("sha256:{}", random(64, HEX, 6)),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
        format!("-----BEGIN PUBLIC KEY-----\n{}", random(200, MIXED, 7)),
        format!("aws_secret_access_key = {}", random(64, HEX, 8)),
    ] {
        assert!(ids(&text).is_empty(), "{text}: {:?}", ids(&text));
    }
}

#[test]
fn the_token_alone_is_the_place() {
    let text = format!("x WANDB_API_KEY=\"{}\" y", random(40, HEX, 9));
    let token = Shapes::new().search(text.as_bytes()).remove(0);
    assert_eq!(token.place, 17..57);
}
