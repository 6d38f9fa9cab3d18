//! Rows of vendors of which only the looks of their tokens are known.

use crate::vendor::row::Vendor;
use crate::vendor::token::Token;

const fn vendor(name: &'static str, tokens: &'static [Token]) -> Vendor {
    Vendor { name, tokens, ..Vendor::NONE }
}

/// The rows.
pub(in crate::vendor) static ROWS: &[Vendor] = &[
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
