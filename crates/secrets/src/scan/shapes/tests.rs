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
    SHAPES.search(text.as_bytes(), false).iter().map(|token| token.id).collect()
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
    let token = Shapes::new().search(text.as_bytes(), false).remove(0);
    assert_eq!(token.place, 17..57);
}

// case G2
#[test]
fn passwords_are_found_where_they_stand_as_such() {
    let login = data_encoding::BASE64.encode(b"ada:k2Jd81xQ");
    for (id, text) in [
        ("password-in-url", "DATABASE_URL=postgresql://app:k2Jd81xQ@db.corp:5432/app".to_owned()),
        ("password-in-url", "git clone https://ada:hunter22x@git.corp/x.git".to_owned()),
        ("password-in-url", "redis://:k2Jd81xQ@cache:6379/0".to_owned()),
        ("password-setting", "REGISTRY_PASSWORD=k2Jd81xQ".to_owned()),
        ("password-setting", "export DB_PASSWORD='k2Jd81xQ'".to_owned()),
        ("password-setting", "  POSTGRES_PASSWORD: k2Jd81xQ".to_owned()),
        ("password-setting", "{\"username\": \"ada\", \"password\": \"k2Jd81xQ\"}".to_owned()),
        ("registry-login", format!("{{\"auths\": {{\"r.corp\": {{\"auth\": \"{login}\"}}}}}}")),
        ("netrc-password", format!("machine wandb.corp\n  login user\n  password {}\n", random(40, HEX, 4))),
    ] {
        assert_eq!(ids(&text), [id], "{text}");
    }
    for text in [
        "postgresql://user:password@host/db",
        "postgresql://postgres:postgres@localhost/db",
        "https://${USER}:${PASSWORD}@host",
        "https://user:<token>@host",
        "see https://host:8443/a@b and http://[::1]:80/",
        "DB_PASSWORD=$DB_PASSWORD",
        "DB_PASSWORD=${DB_PASSWORD:-none}",
        "DB_PASSWORD = os.environ[\"DB_PASSWORD\"]",
        "PASSWORD_RESET_TIMEOUT_DAYS=3",
        "PASSWORD_HASHERS: argon2",
        "POSTGRES_PASSWORD=postgres",
        "password = getpass.getpass()",
        "\"password\": \"your_password_1\"",
        "\"auth\": \"\"",
        "\"auth\": \"oauth2authorization\"",
        "machine learning user guide password policy2",
    ] {
        assert!(ids(text).is_empty(), "{text}: {:?}", ids(text));
    }
}

// case G3
#[test]
fn in_binary_files_anything_may_stand_beside_a_token() {
    let token = format!("hf_{}", random(34, MIXED, 12));
    for text in [format!("\0\x0bk{token}prod"), format!("\x0a%{token}\x12\x03"), format!("7{token}7\0")] {
        let found = SHAPES.search(text.as_bytes(), true);
        assert_eq!(found.iter().map(|token| token.id).collect::<Vec<_>>(), ["huggingface-token"], "{text:?}");
        assert_eq!(&text[found[0].place.clone()], token);
    }
    assert!(ids(&format!("k{token}")).is_empty());
}
