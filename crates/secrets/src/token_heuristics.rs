//! Texts that look like a token where only a name belongs.

/// The beginnings of tokens that say whose they are.
const PREFIXES: [&str; 14] = [
    "hf_",
    "api_org_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "sk-",
    "lsv2_",
    "pcsk_",
    "KGAT_",
    "AKIA",
    "ASIA",
];

/// Letters and digits without a break, from which on a text behind such a beginning is a token:
/// the longest plain words are shorter.
const LONG_RUN: usize = 16;

/// The same for a text without such a beginning.
const RANDOM_RUN: usize = 20;

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
    PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && longest_run(text) >= LONG_RUN
}

/// Whether a text looks random: a long run with digits in it, a UUID, or capitals, small letters
/// and digits all mixed up.
fn is_random(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_long = longest_run(text) >= RANDOM_RUN && digits >= 2;
    let is_uuid = text.len() == 36
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let is_mixed = text.len() >= LONG_RUN && changes(text) * 10 >= text.len() * 3;
    is_long || is_uuid || is_mixed
}

fn longest_run(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max().unwrap_or(0)
}

/// How often a capital, a small letter or a digit follows one of another kind.
fn changes(text: &str) -> usize {
    let kind = |b: u8| match b {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    let bytes = text.as_bytes();
    bytes.windows(2).map(|pair| (kind(pair[0]), kind(pair[1]))).filter(|(a, b)| a * b > 0 && a != b).count()
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
