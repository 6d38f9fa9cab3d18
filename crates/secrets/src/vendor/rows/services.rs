//! Rows of services: models, data, experiments, code.

use crate::vendor::accounts::Accounts;
use crate::vendor::anthropic;
use crate::vendor::exposure::Exposure;
use crate::vendor::github;
use crate::vendor::huggingface;
use crate::vendor::kaggle;
use crate::vendor::key::Key;
use crate::vendor::key::Login;
use crate::vendor::key::Ping;
use crate::vendor::key::Sent;
use crate::vendor::langsmith;
use crate::vendor::pinecone;
use crate::vendor::row::Search;
use crate::vendor::row::Vendor;
use crate::vendor::token::Token;
use crate::vendor::wandb;

/// The rows, in the order in which `suggest` lists them.
pub(in crate::vendor) static ROWS: &[Vendor] = &[
    Vendor {
        name: "huggingface",
        aliases: &["hf", "hugging-face"],
        summary: "Hugging Face access token",
        exposure: Exposure::DataPlane,
        alternative: "create a fine-grained token that can only read: https://huggingface.co/settings/tokens",
        sets: &[&[Key {
            sent: Sent::As(&["HF_TOKEN"]),
            summary: "Hugging Face access token",
            get: "https://huggingface.co/settings/tokens",
            looks: "`hf_` and 34 letters",
            tokens: &[
                Token::prefixed("huggingface-token", &["hf_"], "[A-Za-z0-9]{34}"),
                Token::prefixed("huggingface-organisation-token", &["api_org_"], "[A-Za-z0-9]{34}"),
            ],
            or: "hf_oauth_.+|eyJ.+",
            ping: Some(Ping {
                vendor: "Hugging Face",
                elsewhere: "HF_ENDPOINT",
                host: "huggingface.co",
                base: "https://huggingface.co",
                path: "/api/whoami-v2",
                login: Login::Bearer,
            }),
            also: &[
                "HF_API_TOKEN",
                "HF_API_KEY",
                "HF_ACCESS_TOKEN",
                "HF_AUTH_TOKEN",
                "HF_HUB_TOKEN",
                "HUGGINGFACE_API_KEY",
                "HUGGINGFACE_API_TOKEN",
                "HUGGINGFACE_ACCESS_TOKEN",
                "HUGGINGFACE_HUB_TOKEN",
                "HUGGINGFACEHUB_API_TOKEN",
                "HUGGING_FACE_TOKEN",
                "HUGGING_FACE_API_KEY",
                "HUGGING_FACE_API_TOKEN",
            ],
            ..Key::variables("huggingface/token", &["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
        }]],
        forge: Some(("huggingface.co", "hf")),
        companions: &["HF_ENDPOINT"],
        search: Search::Own(huggingface::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "wandb",
        aliases: &["weights-and-biases"],
        summary: "Weights & Biases API key",
        exposure: Exposure::DataPlane,
        alternative: "create a service account of the team: https://wandb.ai/settings",
        sets: &[&[Key {
            summary: "Weights & Biases API key",
            get: "https://wandb.ai/authorize",
            revoke: "https://wandb.ai/settings (API keys)",
            looks: "40 or more letters and digits",
            tokens: &[
                Token::prefixed("wandb-api-key", &["wandb_v1_"], "[A-Za-z0-9_]{60,}"),
                Token::bare("wandb-api-key", "[0-9a-f]{40}"),
                Token::behind("wandb-api-key", &["wandb login"], r" (?:--?[a-z-]+(?: |=))*([0-9a-f]{40})"),
                Token::behind("wandb-api-key", &["wandb.login("], r#"\s*key\s*=\s*["']([0-9a-f]{40})"#),
                Token::behind(
                    "wandb-api-key",
                    &["api.wandb.ai"],
                    r"\s+login\s+\S{1,64}\s+password\s+([0-9a-f]{40})",
                ),
            ],
            or: r"([A-Za-z0-9-]+-)?[A-Za-z0-9_]{40,}|eyJ.+",
            ping: Some(Ping {
                vendor: "Weights & Biases",
                elsewhere: "WANDB_BASE_URL",
                host: "api.wandb.ai",
                base: wandb::HOME,
                path: "/graphql",
                login: Login::Viewer,
            }),
            also: &["WANDB_KEY", "WANDB_TOKEN", "WANDB_API_TOKEN", "WANDB_APIKEY"],
            ..Key::variables("wandb/api_key", &["WANDB_API_KEY"])
        }]],
        companions: &["WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_PROJECT"],
        defaults: Some(wandb::defaults),
        search: Search::Own(wandb::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "github",
        aliases: &["gh"],
        summary: "GitHub token",
        exposure: Exposure::Personal,
        alternative: "create a fine-grained token for one repository and store it: `doppio secret set \
                  github/token`; or use a deploy key",
        sets: &[
            &[Key {
                sent: Sent::As(&["GH_TOKEN"]),
                summary: "GitHub personal access token",
                get: "https://github.com/settings/tokens",
                looks: "`ghp_` and 36 letters and digits, or `github_pat_…`",
                tokens: &[
                    Token::prefixed(
                        "github-token",
                        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
                        "[A-Za-z0-9]{36,251}",
                    ),
                    Token::prefixed("github-token", &["github_pat_"], "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
                ],
                or: "github_pat_[A-Za-z0-9_]{22,}|[0-9a-f]{40}",
                ping: Some(Ping {
                    vendor: "GitHub",
                    elsewhere: "GH_HOST",
                    host: github::HOST,
                    base: "https://api.github.com",
                    path: "/user",
                    login: Login::Bearer,
                }),
                also: &[
                    "GH_PAT",
                    "GITHUB_PAT",
                    "GITHUB_ACCESS_TOKEN",
                    "GITHUB_API_TOKEN",
                    "GITHUB_PERSONAL_ACCESS_TOKEN",
                ],
                ..Key::variables("github/token", &["GH_TOKEN", "GITHUB_TOKEN"])
            }],
            &[Key {
                sent: Sent::As(&["GH_ENTERPRISE_TOKEN"]),
                ..Key::variables(
                    "github/enterprise_token",
                    &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
                )
            }],
        ],
        forge: Some((github::HOST, "x-access-token")),
        accounts: Some(Accounts::of("host", github::hosts)),
        tell: Some(github::tell),
        search: Search::Own(github::look),
        ..Vendor::NONE
    },
    // The SDK reads `OPENAI_API_KEY` and no file.
    Vendor {
        name: "openai",
        summary: "OpenAI API key",
        exposure: Exposure::DataPlane,
        alternative: "create a key of a project with a budget: https://platform.openai.com/api-keys",
        sets: &[&[Key {
            summary: "OpenAI API key",
            get: "https://platform.openai.com/api-keys",
            looks: "`sk-…`",
            tokens: &[
                Token::prefixed(
                    "openai-api-key",
                    &["sk-proj-", "sk-svcacct-", "sk-admin-"],
                    "[A-Za-z0-9_-]{40,}",
                ),
                Token::prefixed("openai-api-key", &["sk-"], "[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
            ],
            or: "sk-[A-Za-z0-9_-]{20,}",
            ping: Some(Ping {
                vendor: "OpenAI",
                elsewhere: "OPENAI_BASE_URL",
                host: "api.openai.com",
                base: "https://api.openai.com",
                path: "/v1/models",
                login: Login::Bearer,
            }),
            also: &["OPENAI_KEY", "OPENAI_TOKEN", "OPENAI_APIKEY", "OPENAI_API_TOKEN", "OPENAI_SECRET_KEY"],
            ..Key::variables("openai/api_key", &["OPENAI_API_KEY"])
        }]],
        companions: &["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"],
        search: Search::Environment,
        ..Vendor::NONE
    },
    Vendor {
        name: "anthropic",
        aliases: &["claude"],
        summary: "Anthropic API key",
        exposure: Exposure::DataPlane,
        alternative: "create a key of a workspace with a limit: https://platform.claude.com/settings/keys",
        sets: &[
            &[Key {
                summary: "Anthropic API key",
                get: "https://platform.claude.com/settings/keys",
                looks: "`sk-ant-api03-…`",
                tokens: &[Token::prefixed(
                    "anthropic-api-key",
                    &["sk-ant-"],
                    "[a-z]+[0-9]{2}-[A-Za-z0-9_-]{80,}",
                )],
                or: "sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{20,}",
                ping: Some(Ping {
                    vendor: "Anthropic",
                    elsewhere: "ANTHROPIC_BASE_URL",
                    host: "api.anthropic.com",
                    base: "https://api.anthropic.com",
                    path: "/v1/models",
                    login: Login::XApiKey,
                }),
                also: &["ANTHROPIC_KEY", "ANTHROPIC_TOKEN", "CLAUDE_API_KEY"],
                ..Key::variables("anthropic/api_key", &["ANTHROPIC_API_KEY"])
            }],
            &[Key::variables("anthropic/auth_token", &["ANTHROPIC_AUTH_TOKEN"])],
        ],
        companions: &["ANTHROPIC_BASE_URL"],
        search: Search::Then(anthropic::look),
        ..Vendor::NONE
    },
    // The client reads `CO_API_KEY`; integrations read `COHERE_API_KEY`.
    Vendor {
        name: "cohere",
        summary: "Cohere API key",
        exposure: Exposure::DataPlane,
        alternative: "create a trial key: https://dashboard.cohere.com/api-keys",
        sets: &[&[Key {
            summary: "Cohere API key",
            get: "https://dashboard.cohere.com/api-keys",
            looks: "40 letters and digits",
            tokens: &[Token::bare("cohere-api-key", "[A-Za-z0-9]{40}")],
            also: &["COHERE_KEY", "COHERE_TOKEN"],
            ..Key::variables("cohere/api_key", &["CO_API_KEY", "COHERE_API_KEY"])
        }]],
        companions: &["CO_API_URL"],
        search: Search::Environment,
        ..Vendor::NONE
    },
    Vendor {
        name: "langsmith",
        aliases: &["langchain"],
        summary: "LangSmith API key",
        exposure: Exposure::DataPlane,
        alternative: "create a service key of one workspace: https://smith.langchain.com/settings",
        sets: &[&[Key {
            summary: "LangSmith API key",
            get: "https://smith.langchain.com/settings",
            looks: "`lsv2_pt_…` or `lsv2_sk_…`",
            tokens: &[Token::prefixed(
                "langsmith-api-key",
                &["lsv2_pt_", "lsv2_sk_"],
                "[0-9a-f]{32}_[0-9a-f]{10}",
            )],
            also: &["LANGCHAIN_TOKEN", "LANGSMITH_TOKEN"],
            ..Key::variables("langsmith/api_key", &["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"])
        }]],
        companions: &[
            "LANGSMITH_ENDPOINT",
            "LANGSMITH_WORKSPACE_ID",
            "LANGSMITH_PROJECT",
            "LANGSMITH_TRACING",
        ],
        search: Search::Own(langsmith::look),
        ..Vendor::NONE
    },
    // The SDK reads `PINECONE_API_KEY`; the vendor's command line keeps one in a file.
    Vendor {
        name: "pinecone",
        summary: "Pinecone API key",
        exposure: Exposure::DataPlane,
        alternative: "create a key of one project: https://app.pinecone.io",
        sets: &[&[Key {
            summary: "Pinecone API key",
            get: "https://app.pinecone.io (API keys)",
            looks: "`pcsk_…`",
            tokens: &[
                Token::prefixed("pinecone-api-key", &["pcsk_"], "[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}"),
                Token::bare("pinecone-api-key", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
            ],
            also: &["PINECONE_KEY"],
            ..Key::variables("pinecone/api_key", &["PINECONE_API_KEY"])
        }]],
        companions: &["PINECONE_CONTROLLER_HOST"],
        search: Search::Then(pinecone::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "kaggle",
        summary: "Kaggle API token, or user name and key",
        exposure: Exposure::DataPlane,
        alternative: "create a separate token: https://www.kaggle.com/settings",
        sets: &[
            &[Key {
                summary: "Kaggle API token",
                get: "https://www.kaggle.com/settings",
                looks: "`KGAT_` and 32 hexadecimal digits",
                tokens: &[Token::prefixed("kaggle-api-token", &["KGAT_"], "[0-9a-f]{32}")],
                also: &["KAGGLE_TOKEN"],
                ..Key::variables("kaggle/api_token", &["KAGGLE_API_TOKEN"])
            }],
            &[
                Key {
                    is_public: true,
                    summary: "Kaggle user name",
                    get: "https://www.kaggle.com/settings (kaggle.json)",
                    also: &["KAGGLE_USER"],
                    ..Key::variables("kaggle/username", &["KAGGLE_USERNAME"])
                },
                Key {
                    summary: "Kaggle API key (legacy)",
                    get: "https://www.kaggle.com/settings (kaggle.json)",
                    looks: "32 hexadecimal digits",
                    tokens: &[
                        Token::bare("kaggle-key", "[0-9a-f]{32}"),
                        Token::behind(
                            "kaggle-key",
                            &["\"username\""],
                            r#"\s*:\s*"[^"\s]{1,64}"\s*,\s*"key"\s*:\s*"([0-9a-f]{32})""#,
                        ),
                    ],
                    also: &["KAGGLE_API_KEY"],
                    ..Key::variables("kaggle/key", &["KAGGLE_KEY"])
                },
            ],
        ],
        file: Some(kaggle::file),
        search: Search::Own(kaggle::look),
        ..Vendor::NONE
    },
];
