//! Well-known secrets: what they are, where to get one, what they look like.

use regex::bytes::Regex;

use doppio_text::closest;
use doppio_text::name::SecretName;

use crate::SecretValue;

/// One of them.
#[derive(Debug)]
pub struct WellKnown {
    /// The name to store it under.
    pub name: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// Where to get one: a page, or what to do.
    pub get: &'static str,
    /// The variables that hold it by custom, the first one first.
    pub variables: &'static [&'static str],
    /// What it looks like: a regular expression over the whole value; empty if anything goes.
    shape: &'static str,
    /// The same in words.
    pub looks: &'static str,
}

/// The table, in the order in which it is listed.
pub static WELL_KNOWN: &[WellKnown] = &[
    WellKnown {
        name: "huggingface/token",
        summary: "Hugging Face access token",
        get: "https://huggingface.co/settings/tokens",
        variables: &["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
        shape: r"(hf_|api_org_)[A-Za-z0-9]{34}|hf_oauth_.+|eyJ.+",
        looks: "`hf_` and 34 letters",
    },
    WellKnown {
        name: "wandb/api_key",
        summary: "Weights & Biases API key",
        get: "https://wandb.ai/authorize",
        variables: &["WANDB_API_KEY"],
        shape: r"([A-Za-z0-9-]+-)?[A-Za-z0-9_]{40,}|eyJ.+",
        looks: "40 or more letters and digits",
    },
    WellKnown {
        name: "github/token",
        summary: "GitHub personal access token",
        get: "https://github.com/settings/tokens",
        variables: &["GH_TOKEN", "GITHUB_TOKEN"],
        shape: r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|[0-9a-f]{40}",
        looks: "`ghp_` and 36 letters and digits, or `github_pat_…`",
    },
    WellKnown {
        name: "openai/api_key",
        summary: "OpenAI API key",
        get: "https://platform.openai.com/api-keys",
        variables: &["OPENAI_API_KEY"],
        shape: r"sk-[A-Za-z0-9_-]{20,}",
        looks: "`sk-…`",
    },
    WellKnown {
        name: "anthropic/api_key",
        summary: "Anthropic API key",
        get: "https://platform.claude.com/settings/keys",
        variables: &["ANTHROPIC_API_KEY"],
        shape: r"sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{20,}",
        looks: "`sk-ant-api03-…`",
    },
    WellKnown {
        name: "cohere/api_key",
        summary: "Cohere API key",
        get: "https://dashboard.cohere.com/api-keys",
        variables: &["CO_API_KEY", "COHERE_API_KEY"],
        shape: r"[A-Za-z0-9]{40}",
        looks: "40 letters and digits",
    },
    WellKnown {
        name: "langsmith/api_key",
        summary: "LangSmith API key",
        get: "https://smith.langchain.com/settings",
        variables: &["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"],
        shape: r"lsv2_(pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        looks: "`lsv2_pt_…` or `lsv2_sk_…`",
    },
    WellKnown {
        name: "pinecone/api_key",
        summary: "Pinecone API key",
        get: "https://app.pinecone.io (API keys)",
        variables: &["PINECONE_API_KEY"],
        shape: r"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        looks: "`pcsk_…`",
    },
    WellKnown {
        name: "kaggle/api_token",
        summary: "Kaggle API token",
        get: "https://www.kaggle.com/settings",
        variables: &["KAGGLE_API_TOKEN"],
        shape: r"KGAT_[0-9a-f]{32}",
        looks: "`KGAT_` and 32 hexadecimal digits",
    },
    WellKnown {
        name: "kaggle/username",
        summary: "Kaggle user name",
        get: "https://www.kaggle.com/settings (kaggle.json)",
        variables: &["KAGGLE_USERNAME"],
        shape: "",
        looks: "",
    },
    WellKnown {
        name: "kaggle/key",
        summary: "Kaggle API key (legacy)",
        get: "https://www.kaggle.com/settings (kaggle.json)",
        variables: &["KAGGLE_KEY"],
        shape: r"[0-9a-f]{32}",
        looks: "32 hexadecimal digits",
    },
    WellKnown {
        name: "vast/api_key",
        summary: "Vast.ai API key; it rents and destroys instances",
        get: "https://cloud.vast.ai/manage-keys/",
        variables: &["VAST_API_KEY"],
        shape: r"[0-9a-f]{64}",
        looks: "64 hexadecimal digits",
    },
    WellKnown {
        name: "runpod/api_key",
        summary: "RunPod API key; it rents and destroys pods",
        get: "https://console.runpod.io/user/settings",
        variables: &["RUNPOD_API_KEY"],
        shape: r"rpa_[A-Z0-9]{40}[A-Za-z0-9]{6}|[A-Z0-9]{40}",
        looks: "`rpa_…`",
    },
    WellKnown {
        name: "lambda/api_key",
        summary: "Lambda Cloud API key; it rents and destroys instances",
        get: "https://cloud.lambda.ai/api-keys",
        variables: &["LAMBDA_API_KEY"],
        shape: "",
        looks: "",
    },
    WellKnown {
        name: "aws/access_key_id",
        summary: "AWS access key id",
        get: "https://console.aws.amazon.com/iam (security credentials)",
        variables: &["AWS_ACCESS_KEY_ID"],
        shape: r"(AKIA|ASIA)[A-Z2-7]{16}",
        looks: "`AKIA` or `ASIA` and 16 capitals and digits",
    },
    WellKnown {
        name: "aws/secret_access_key",
        summary: "AWS secret access key",
        get: "https://console.aws.amazon.com/iam (security credentials)",
        variables: &["AWS_SECRET_ACCESS_KEY"],
        shape: r"[A-Za-z0-9/+=]{40}",
        looks: "40 characters of base64",
    },
    WellKnown {
        name: "aws/session_token",
        summary: "AWS session token",
        get: "run `aws sts get-session-token`",
        variables: &["AWS_SESSION_TOKEN"],
        shape: r"[A-Za-z0-9/+=]{100,}",
        looks: "a long base64 text",
    },
    WellKnown {
        name: "ssh/passphrase",
        summary: "passphrase of your SSH keys",
        get: "the one you gave to `ssh-keygen`",
        variables: &[],
        shape: "",
        looks: "",
    },
    WellKnown {
        name: "ssh/password",
        summary: "password for hosts that take no key",
        get: "the host's owner",
        variables: &[],
        shape: "",
        looks: "",
    },
];

/// What stands in templates where a value should be.
const PLACEHOLDER: &str = r"(?xi-u)^\s*(
    ['\x22]?<[^<>]*>['\x22]? | \$\{[a-z_][a-z0-9_]*\} | \$(?-i:[A-Z_][A-Z0-9_]*) | \{\{.*\}\} |
    \[[a-z\ _-]*\] | (\S*[_-])?x{4,} | \*{3,} | \.{3,} |
    (\S*[_-]|.{0,24}\ )?your[\ _-]([a-z]+[\ _-]){0,4}
        (token|key|secret|password|passphrase|value|credentials?|id|name|here)([\ _-]here)? |
    (please[\ _-]?)?change[\ _-]?(me|this|it) | replace[\ _-]?(me|this|with.*) |
    insert[\ _-].*here | .*[\ _-](goes|token|key|secret|password)[\ _-]here | todo | fixme | tbd | none | null |
    undefined | example | placeholder | dummy | secret | password | token | api[\ _-]?key | hf_\.\.\.
    )\s*$";

/// No template has a longer one. In bytes.
const LONGEST_PLACEHOLDER: usize = 128;

/// The entry of this name.
pub fn find(name: &SecretName) -> Option<&'static WellKnown> {
    WELL_KNOWN.iter().find(|known| known.name == name.as_str())
}

/// The name that was probably meant by an unknown one: both the service and its key are near.
pub fn near(name: &SecretName) -> Option<&'static str> {
    let (service, key) = name.as_str().split_once('/')?;
    let is_near = |a: &str, b: &'static str| a == b || closest(a, [b]).is_some();
    let names = WELL_KNOWN.iter().map(|known| known.name).filter(|known| *known != name.as_str());
    names.into_iter().find(|known| {
        known.split_once('/').is_some_and(|(of, its)| is_near(service, of) && is_near(key, its))
    })
}

impl WellKnown {
    /// What one of it is called, as in "an AWS access key id".
    pub fn one(&self) -> String {
        let what = self.summary.split(';').next().unwrap_or_default();
        let article = if what.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {what}")
    }

    /// Where to revoke one: nearly always where one is created.
    pub fn revoke(&self) -> &'static str {
        match self.name {
            "wandb/api_key" => "https://wandb.ai/settings (API keys)",
            "aws/session_token" => "https://console.aws.amazon.com/iam (revoke the role's active sessions)",
            _ => self.get,
        }
    }

    /// Whether the value looks as it should.
    pub fn matches(&self, value: &SecretValue) -> bool {
        self.shape.is_empty() || whole(self.shape).is_match(value.plain())
    }
}

/// Whether the value is only a placeholder, as in `your_token_here`.
pub fn is_placeholder(value: &SecretValue) -> bool {
    value.plain().len() <= LONGEST_PLACEHOLDER
        && Regex::new(PLACEHOLDER).is_ok_and(|pattern| pattern.is_match(value.plain()))
}

/// The first entry whose shape the value has, among those that begin in a way of their own.
pub fn recognise(value: &SecretValue) -> Option<&'static WellKnown> {
    const TELLING: &[&str] = &[
        "huggingface/token",
        "github/token",
        "anthropic/api_key",
        "openai/api_key",
        "langsmith/api_key",
        "pinecone/api_key",
        "kaggle/api_token",
        "aws/access_key_id",
    ];
    let telling = TELLING.iter().filter_map(|name| WELL_KNOWN.iter().find(|known| known.name == *name));
    telling.into_iter().find(|known| known.matches(value) && has_prefix(value))
}

/// Whether the value begins like a token that says whose it is.
fn has_prefix(value: &SecretValue) -> bool {
    whole(r"(hf_|api_org_|gh[pousr]_|github_pat_|sk-|lsv2_|pcsk_|KGAT_|AKIA|ASIA).*").is_match(value.plain())
}

fn whole(pattern: &str) -> Regex {
    Regex::new(&format!("(?s-u)^(?:{pattern})$")).expect("the patterns are tested")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec())
    }

    #[test]
    fn the_table_is_sound() {
        let mut names: Vec<&str> = WELL_KNOWN.iter().map(|known| known.name).collect();
        for known in WELL_KNOWN {
            assert!(known.name.parse::<SecretName>().is_ok(), "{}", known.name);
            whole(known.shape);
            assert_eq!(known.shape.is_empty(), known.looks.is_empty(), "{}", known.name);
            for variable in known.variables {
                assert!(variable.parse::<doppio_text::name::EnvName>().is_ok(), "{variable}");
            }
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WELL_KNOWN.len());
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "your_token_here",
            "<token>",
            "hf_xxxxxxxxxxxx",
            "changeme",
            "CHANGE_ME",
            "${HF_TOKEN}",
            "$HF_TOKEN",
            "REPLACE_WITH_YOUR_KEY",
            "sk-your-key",
            "insert token here",
            "***",
            "put your key",
            "TODO",
            "[your token]",
            "[YOUR_API_KEY]",
            "your-token-goes-here",
            "sk-your-openai-api-key",
            "YOUR_HF_TOKEN",
            "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxx",
            "{{ token }}",
        ] {
            assert!(is_placeholder(&value(text)), "{text}");
        }
        for text in [
            "hunter2",
            "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
            "correct horse battery staple",
            "p$ss{w}ord\n",
            "[\"hunter-x0\",\"hunter-x1\"]",
            "[5, 6]",
            "abc-your-xyz-99",
            "not your keys not your coins",
            "$uperhunter2",
            "<a>hunter2</a>",
        ] {
            assert!(!is_placeholder(&value(text)), "{text}");
        }
        assert!(!is_placeholder(&value(&"x".repeat(65_000))));
    }

    #[test]
    fn shapes_know_their_tokens() {
        let token = value(&format!("hf_{}", "a".repeat(34)));
        let known = find(&"huggingface/token".parse().unwrap()).unwrap();
        assert!(known.matches(&token));
        assert!(!known.matches(&value("hf_short")));
        assert_eq!(recognise(&token).unwrap().name, "huggingface/token");
        assert_eq!(
            recognise(&value(&format!("sk-ant-api03-{}", "b".repeat(95)))).unwrap().name,
            "anthropic/api_key"
        );
        assert!(recognise(&value("correct horse battery staple")).is_none());
        assert!(recognise(&value(&"0".repeat(40))).is_none());
    }
}
