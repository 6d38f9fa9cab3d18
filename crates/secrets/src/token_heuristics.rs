//! Texts that look like a token where only a name belongs.

use crate::randomness::is_random;
use crate::randomness::longest_run;
use crate::vendor;

/// Letters and digits without a break, from which on a text that begins like a token is one.
const LONG_RUN: usize = 16;

/// The same where capitals and digits are not mixed, as in `secret_ProductionDatabase`: words run
/// together are shorter.
const LONG_PLAIN_RUN: usize = 24;

/// Whether what was given as a reference holds what looks like a value: a text with the beginning
/// of a known kind of token anywhere, or a name or default that looks random.
pub fn looks_like_value(reference: &str) -> bool {
    let is_name = !reference.contains(':');
    let (place, default) = reference.split_once('?').unwrap_or((reference, ""));
    place.split([':', '/', '#', '@']).chain([default]).any(is_token)
        || is_random(default)
        || (is_name && place.split(['#', '@']).any(is_random))
}

fn is_token(text: &str) -> bool {
    let is_begun = || vendor::prefixes().any(|prefix| text.starts_with(prefix));
    let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    let is_long = longest_run(text) >= if is_mixed { LONG_RUN } else { LONG_PLAIN_RUN };
    (is_long && is_begun()) || vendor::is_token(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_references() {
        let run = "a".repeat(34);
        for text in [
            format!("hf_{run}"),
            format!("env:hf_{run}"),
            format!("team/token?hf_{run}"),
            format!("ghp_{run}"),
            format!("sk-ant-api03-{run}"),
            format!("sk-proj-{run}"),
            "AKIAABCDEFGHIJKLMNOP".to_owned(),
            "0123456789abcdef0123456789abcdef01234567".to_owned(),
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301".to_owned(),
            "wJ4lrXUtn-FEM7_K7mDeNG.bPxRf9CY".to_owned(),
        ] {
            assert!(looks_like_value(&text), "{text}");
        }
        for text in [
            "huggingface/token",
            "hf_token_of_the_organisation",
            "hf_token2",
            "secret_databasepassword",
            "vault:kv/secret_ProductionDatabase#password",
            "aws:secret_productiondatabase1",
            "npm_PublishTokenForRelease",
            "env:HF_TOKEN_2026",
            "Team/HuggingFace-Token-2026",
            "keyring:api/token#key@3?none",
            "vault:ml/prod/app#DATABASE_URL@AWSPREVIOUS",
            "op:Shared/bv7pzmqjjt3pcnq4yrxfdnd2by/password",
            "aws:prod-db-credentials-a1B2c3",
            "my-very-long-name-of-a-secret-that-i-have-in-2026",
            "team/proxy?http://10.0.0.7:3128",
        ] {
            assert!(!looks_like_value(text), "{text}");
        }
    }
}
