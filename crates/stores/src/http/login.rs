//! What goes out in headers that log in.

use doppio_secrets::SecretValue;
use doppio_secrets::source::Logins;

/// The headers that log in, each with what messages call what is in it. `x-amz-security-token` and its
/// like are Amazon's.
const HEADERS: [(&str, &str); 7] = [
    ("authorization", "login"),
    ("x-vault-token", "vault token"),
    ("x-amz-security-token", "AWS session token"),
    ("x-amz-sso_bearer_token", "AWS sign-on token"),
    ("x-aws-ec2-metadata-token", "AWS instance token"),
    ("metadata-token", "metadata token"),
    ("proxy-authorization", "proxy login"),
];

/// Has the errors of this source, and the run, hide what these headers log in with.
pub(crate) fn learn<'a>(logins: &Logins, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    for (name, value) in headers {
        let Some((_, called)) = HEADERS.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)) else {
            continue;
        };
        // A signature is good for this one request, and a new one would be learnt with each.
        if value.starts_with(b"AWS4-") {
            continue;
        }
        // `Bearer TOKEN`, `Basic USER:PASSWORD` in base64.
        let token = value.iter().position(|byte| *byte == b' ').map_or(value, |space| &value[space + 1..]);
        logins.learn(called, &SecretValue::new(token.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use doppio_secrets::Mask;

    use super::*;

    // case L2
    #[test]
    fn what_logs_in_is_learnt_without_the_word_before_it() {
        let (logins, mask) = (Logins::default(), Mask::default());
        logins.teach(&mask);
        let headers: [(&str, &[u8]); 4] = [
            ("Authorization", b"Bearer ya29.made-up-for-tests"),
            ("X-Vault-Token", b"hvs.made-up-for-tests"),
            ("authorization", b"AWS4-HMAC-SHA256 Credential=AKIDTESTS/x, Signature=0123456789abcdef"),
            ("accept", b"application/json-made-up"),
        ];
        learn(&logins, headers);
        let masked = |text: &str| mask.text(text).as_str().to_owned();
        assert_eq!(masked("a ya29.made-up-for-tests b"), "a *** b");
        assert_eq!(masked("a hvs.made-up-for-tests b"), "a *** b");
        for text in ["Bearer", "0123456789abcdef", "application/json-made-up"] {
            assert_eq!(masked(text), text);
        }
    }
}
