//! Rows of vendors of which only the looks of their tokens are known.

use crate::vendor::row::Vendor;
use crate::vendor::token::Nature;
use crate::vendor::token::Token;

const fn vendor(name: &'static str, tokens: &'static [Token]) -> Vendor {
    Vendor { name, tokens, ..Vendor::NONE }
}

/// The rows.
pub(in crate::vendor) static ROWS: &[Vendor] = &[
    // Logins of any service, where they stand as such.
    vendor(
        "login",
        &[
            Token::behind(
                "password-in-url",
                &["://"],
                r"[A-Za-z0-9._~%+-]{0,64}:([^\s/:@\x22'`<>{}$\\]{6,128})@(?:[A-Za-z0-9]|\[)",
            )
            .of(Nature::Password),
            Token::behind(
                "password-setting",
                &["PASSWORD", "PASSWD"],
                r#"[A-Z0-9_]{0,24}["']?[ \t]{0,8}[:=][ \t]{0,8}["']?([^\s"'`,;(){}<>\[\]$|&\\]{8,128})"#,
            )
            .of(Nature::Password),
            Token::behind(
                "password-setting",
                &["password\"", "passwd\"", "password'", "passwd'"],
                r#"[ \t]{0,8}[:=][ \t]{0,8}["']([^\s"'`,;(){}<>\[\]$|&\\]{8,128})["']"#,
            )
            .of(Nature::Password),
            Token::behind(
                "netrc-password",
                &["machine "],
                r"(?:[A-Za-z0-9-]{1,63}\.[A-Za-z0-9.:-]{1,190}|localhost)\s+(?:login|user)\s+\S{1,128}\s+password\s+([^\s\x22'`<>{}$]{6,256})",
            )
            .of(Nature::Password),
            Token::behind(
                "registry-login",
                &["\"auth\"", "_auth"],
                r#"[ \t]{0,8}[:=]\s{0,8}"?([A-Za-z0-9+/]{12,512}={0,2})"#,
            )
            .of(Nature::Login),
        ],
    ),
    vendor("age", &[Token::prefixed("age-identity", &["AGE-SECRET-KEY-1"], "[0-9A-Z]{58}")]),
    vendor("databricks", &[Token::prefixed("databricks-token", &["dapi"], "[0-9a-f]{32}")]),
    vendor("digitalocean", &[Token::prefixed("digitalocean-token", &["dop_v1_"], "[0-9a-f]{64}")]),
    vendor("gitlab", &[Token::prefixed("gitlab-token", &["glpat-"], "[A-Za-z0-9_-]{20,}")]),
    vendor("groq", &[Token::prefixed("groq-api-key", &["gsk_"], "[A-Za-z0-9]{52}")]),
    vendor("nvidia", &[Token::prefixed("nvidia-api-key", &["nvapi-"], "[A-Za-z0-9_-]{64}")]),
    vendor("openrouter", &[Token::prefixed("openrouter-api-key", &["sk-or-v1-"], "[0-9a-f]{64}")]),
    vendor("replicate", &[Token::prefixed("replicate-api-token", &["r8_"], "[A-Za-z0-9]{37}")]),
    vendor(
        "slack",
        &[
            Token::prefixed(
                "slack-token",
                &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-"],
                "[0-9]{8,}-[A-Za-z0-9-]{20,}",
            ),
            Token::block(
                "slack-webhook",
                "hooks.slack.com/services/T",
                "[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24}",
            ),
        ],
    ),
    vendor("stripe", &[Token::prefixed("stripe-key", &["sk_live_", "rk_live_"], "[A-Za-z0-9]{24,}")]),
    vendor("vault", &[Token::prefixed("vault-token", &["hvs."], "[A-Za-z0-9_-]{24,}")]),
    vendor("xai", &[Token::prefixed("xai-api-key", &["xai-"], "[A-Za-z0-9]{80}")]),
];
