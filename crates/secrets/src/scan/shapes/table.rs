//! The shapes, one row each.

/// How one kind of token looks.
#[derive(Debug)]
pub struct Shape {
    /// What it is, for people and in the allow-list: words with hyphens.
    pub id: &'static str,
    /// What is searched for first: where the token begins, or its name before it.
    pub(super) literals: &'static [&'static str],
    /// From the literal on; group 1 is the token. `{=}` stands for a sign of assignment.
    pub(super) expression: &'static str,
    /// How many bytes all tokens of the kind begin with alike.
    pub(super) alike: usize,
    /// Whether no letter, digit, `_` or `-` may follow.
    pub(super) ends_word: bool,
    /// Whether the literal is a name before the token, which may be part of a longer one.
    pub(super) is_named: bool,
}

impl Shape {
    /// The part of a token that is random.
    pub(super) fn body<'a>(&self, token: &'a [u8]) -> &'a [u8] {
        token.get(self.alike..).unwrap_or(token)
    }
}

/// A token that is recognised by itself.
const fn token(
    id: &'static str,
    literals: &'static [&'static str],
    expression: &'static str,
    alike: usize,
) -> Shape {
    Shape { id, literals, expression, alike, ends_word: true, is_named: false }
}

/// A token that is recognised by its name only.
const fn named(id: &'static str, literals: &'static [&'static str], expression: &'static str) -> Shape {
    Shape { id, literals, expression, alike: 0, ends_word: true, is_named: true }
}

/// A text that continues after the match.
const fn open(
    id: &'static str,
    literals: &'static [&'static str],
    expression: &'static str,
    alike: usize,
) -> Shape {
    Shape { id, literals, expression, alike, ends_word: false, is_named: false }
}

/// All of them.
pub(super) static SHAPES: &[Shape] = &[
    token("huggingface-token", &["hf_"], "(hf_[A-Za-z0-9]{34})", 3),
    token("huggingface-organisation-token", &["api_org_"], "(api_org_[A-Za-z0-9]{34})", 8),
    token("wandb-api-key", &["wandb_v1_"], "(wandb_v1_[A-Za-z0-9_]{60,})", 9),
    named("wandb-api-key", &["WANDB_API_KEY", "wandb_api_key"], "(?i:WANDB_API_KEY){=}([0-9a-f]{40})"),
    named("wandb-api-key", &["wandb login"], r"wandb login (?:--?[a-z-]+(?: |=))*([0-9a-f]{40})"),
    named("wandb-api-key", &["wandb.login("], r#"wandb\.login\(\s*key\s*=\s*["']([0-9a-f]{40})"#),
    named(
        "wandb-api-key",
        &["api.wandb.ai"],
        r"api\.wandb\.ai\s+login\s+\S{1,64}\s+password\s+([0-9a-f]{40})",
    ),
    token("langsmith-api-key", &["lsv2_"], "(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})", 8),
    token("pinecone-api-key", &["pcsk_"], "(pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63})", 5),
    named(
        "pinecone-api-key",
        &["PINECONE_API_KEY", "pinecone_api_key"],
        "(?i:PINECONE_API_KEY){=}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    ),
    token("kaggle-api-token", &["KGAT_"], "(KGAT_[0-9a-f]{32})", 5),
    named("kaggle-key", &["KAGGLE_KEY", "kaggle_key"], "(?i:KAGGLE_KEY){=}([0-9a-f]{32})"),
    named(
        "kaggle-key",
        &["\"username\""],
        r#""username"\s*:\s*"[^"\s]{1,64}"\s*,\s*"key"\s*:\s*"([0-9a-f]{32})""#,
    ),
    named("vast-api-key", &["VAST_API_KEY", "vast_api_key"], "(?i:VAST_API_KEY){=}([0-9a-f]{64})"),
    named("vast-api-key", &["set api-key "], r"set api-key ([0-9a-f]{64})"),
    token("runpod-api-key", &["rpa_"], "(rpa_[A-Z0-9]{40}[A-Za-z0-9]{6})", 4),
    named("runpod-api-key", &["RUNPOD_API_KEY", "runpod_api_key"], "(?i:RUNPOD_API_KEY){=}([A-Z0-9]{40})"),
    token("lambda-api-key", &["secret_"], r"(secret_[A-Za-z0-9-]{1,64}_[0-9a-f]{32}\.[A-Za-z0-9]{32})", 7),
    named(
        "lambda-api-key",
        &["LAMBDA_API_KEY", "lambda_api_key"],
        r"(?i:LAMBDA_API_KEY){=}([A-Za-z0-9_.-]{32,160})",
    ),
    named(
        "cohere-api-key",
        &["CO_API_KEY", "COHERE_API_KEY", "cohere_api_key"],
        "(?i:CO(?:HERE)?_API_KEY){=}([A-Za-z0-9]{40})",
    ),
    token(
        "openai-api-key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        "(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,})",
        8,
    ),
    token("openai-api-key", &["sk-"], "(sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})", 3),
    token("anthropic-api-key", &["sk-ant-"], "(sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{80,})", 13),
    token("openrouter-api-key", &["sk-or-v1-"], "(sk-or-v1-[0-9a-f]{64})", 9),
    token("groq-api-key", &["gsk_"], "(gsk_[A-Za-z0-9]{52})", 4),
    token("replicate-api-token", &["r8_"], "(r8_[A-Za-z0-9]{37})", 3),
    token("xai-api-key", &["xai-"], "(xai-[A-Za-z0-9]{80})", 4),
    token("nvidia-api-key", &["nvapi-"], "(nvapi-[A-Za-z0-9_-]{64})", 6),
    token("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "(gh[pousr]_[A-Za-z0-9]{36,251})", 4),
    token("github-token", &["github_pat_"], "(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})", 11),
    token("gitlab-token", &["glpat-"], "(glpat-[A-Za-z0-9_-]{20,})", 6),
    token("aws-access-key-id", &["AKIA", "ASIA", "ABIA", "ACCA"], "(A[KSBC]IA[A-Z2-7]{16})", 4),
    named(
        "aws-secret-access-key",
        &["AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "SecretAccessKey", "secretAccessKey"],
        "(?:(?i:AWS_SECRET_ACCESS_KEY)|[Ss]ecretAccessKey){=}([A-Za-z0-9/+]{40})",
    ),
    named(
        "gcp-service-account-key",
        &["\"private_key_id\""],
        r#""private_key_id"\s*:\s*"([0-9a-f]{40})"\s*,\s*"private_key"\s*:\s*"-----BEGIN"#,
    ),
    token("google-api-key", &["AIza"], "(AIza[A-Za-z0-9_-]{35})", 4),
    token("google-client-secret", &["GOCSPX-"], "(GOCSPX-[A-Za-z0-9_-]{28})", 7),
    named("azure-storage-key", &["AccountKey="], "AccountKey=([A-Za-z0-9+/]{86}==)"),
    open(
        "private-key",
        &["-----BEGIN "],
        r"(-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[nr]|[A-Za-z-]+: [^\n]*\n)*(?:[A-Za-z0-9+/=]|\s|\\+[nr]|[\x22'+]){100,})",
        40,
    ),
    token("age-identity", &["AGE-SECRET-KEY-1"], "(AGE-SECRET-KEY-1[0-9A-Z]{58})", 16),
    token(
        "slack-token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-"],
        "(xox[abeprs]-[0-9]{8,}-[A-Za-z0-9-]{20,})",
        5,
    ),
    open(
        "slack-webhook",
        &["hooks.slack.com/services/T"],
        "(hooks.slack.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24})",
        25,
    ),
    token("npm-token", &["npm_"], "(npm_[A-Za-z0-9]{36})", 4),
    token("pypi-token", &["pypi-AgEIcHlwaS5vcmc"], "(pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,})", 20),
    token("stripe-key", &["sk_live_", "rk_live_"], "([sr]k_live_[A-Za-z0-9]{24,})", 8),
    token("docker-token", &["dckr_pat_"], "(dckr_pat_[A-Za-z0-9_-]{27})", 9),
    token("databricks-token", &["dapi"], "(dapi[0-9a-f]{32})", 4),
    token("vault-token", &["hvs."], r"(hvs\.[A-Za-z0-9_-]{24,})", 4),
    token("digitalocean-token", &["dop_v1_"], "(dop_v1_[0-9a-f]{64})", 7),
];
