//! Rows of clouds, and of what runs in them.

use crate::vendor::accounts::Accounts;
use crate::vendor::aws;
use crate::vendor::azure;
use crate::vendor::docker;
use crate::vendor::exposure::Exposure;
use crate::vendor::gcp;
use crate::vendor::gpu_clouds;
use crate::vendor::key::Key;
use crate::vendor::key::Sent;
use crate::vendor::kubeconfig;
use crate::vendor::row::Search;
use crate::vendor::row::Vendor;
use crate::vendor::token::Token;

/// The rows, in the order in which `suggest` lists them.
pub(in crate::vendor) static ROWS: &[Vendor] = &[
    // The client: variable, key of a login with a second factor, file below the XDG directory, file of old.
    Vendor {
        name: "vast",
        aliases: &["vastai"],
        summary: "Vast.ai API key",
        exposure: Exposure::NeverRemote,
        alternative: "let steps on this machine talk to vast.ai: `host_id = \"local\"`",
        sets: &[&[Key {
            summary: "Vast.ai API key; it rents and destroys instances",
            get: "https://cloud.vast.ai/manage-keys/",
            looks: "64 hexadecimal digits",
            tokens: &[
                Token::bare("vast-api-key", "[0-9a-f]{64}"),
                Token::behind("vast-api-key", &["set api-key "], "([0-9a-f]{64})"),
            ],
            also: &["VAST_KEY", "VAST_AI_API_KEY", "VASTAI_API_KEY"],
            ..Key::variables("vast/api_key", &["VAST_API_KEY"])
        }]],
        search: Search::Then(gpu_clouds::vast),
        ..Vendor::NONE
    },
    // `runpodctl`: variable, then a file with two schemas.
    Vendor {
        name: "runpod",
        summary: "RunPod API key",
        exposure: Exposure::NeverRemote,
        alternative: "let steps on this machine talk to RunPod: `host_id = \"local\"`",
        sets: &[&[Key {
            summary: "RunPod API key; it rents and destroys pods",
            get: "https://console.runpod.io/user/settings",
            looks: "`rpa_…`",
            tokens: &[
                Token::prefixed("runpod-api-key", &["rpa_"], "[A-Z0-9]{40}[A-Za-z0-9]{6}"),
                Token::bare("runpod-api-key", "[A-Z0-9]{40}"),
            ],
            also: &["RUNPOD_KEY", "RUNPOD_TOKEN", "RUNPOD_API_TOKEN", "RUNPOD_AI_API_KEY"],
            ..Key::variables("runpod/api_key", &["RUNPOD_API_KEY"])
        }]],
        search: Search::Then(gpu_clouds::runpod),
        ..Vendor::NONE
    },
    // There is no official file; many have the one of `SkyPilot`.
    Vendor {
        name: "lambda",
        aliases: &["lambda-cloud"],
        summary: "Lambda Cloud API key",
        exposure: Exposure::NeverRemote,
        alternative: "let steps on this machine talk to Lambda: `host_id = \"local\"`",
        sets: &[&[Key {
            summary: "Lambda Cloud API key; it rents and destroys instances",
            get: "https://cloud.lambda.ai/api-keys",
            tokens: &[
                Token::prefixed(
                    "lambda-api-key",
                    &["secret_"],
                    r"[A-Za-z0-9-]{1,64}_[0-9a-f]{32}\.[A-Za-z0-9]{32}",
                ),
                Token::bare("lambda-api-key", "[A-Za-z0-9_.-]{32,160}"),
            ],
            also: &[
                "LAMBDA_CLOUD_API_KEY",
                "LAMBDA_CLOUD_API_TOKEN",
                "LAMBDA_API_TOKEN",
                "LAMBDA_LABS_API_KEY",
                "LAMBDALABS_API_KEY",
            ],
            ..Key::variables("lambda/api_key", &["LAMBDA_API_KEY"])
        }]],
        search: Search::Then(gpu_clouds::lambda),
        ..Vendor::NONE
    },
    Vendor {
        name: "aws",
        summary: "AWS credentials",
        exposure: Exposure::Scoped,
        alternative: "use short-lived keys of a narrow role: `aws sts assume-role`, then import them with \
                  `doppio secret set aws/access_key_id` and its like",
        sets: &[&[
            Key {
                summary: "AWS access key id",
                get: "https://console.aws.amazon.com/iam (security credentials)",
                looks: "`AKIA` or `ASIA` and 16 capitals and digits",
                tokens: &[Token::prefixed("aws-access-key-id", &["AKIA", "ASIA"], "[A-Z2-7]{16}")],
                also: &["AWS_ACCESS_KEY"],
                ..Key::variables("aws/access_key_id", &["AWS_ACCESS_KEY_ID"])
            },
            Key {
                summary: "AWS secret access key",
                get: "https://console.aws.amazon.com/iam (security credentials)",
                looks: "40 characters of base64",
                tokens: &[
                    Token::bare("aws-secret-access-key", "[A-Za-z0-9/+]{40}"),
                    Token::behind(
                        "aws-secret-access-key",
                        &["SecretAccessKey", "secretAccessKey"],
                        "{=}([A-Za-z0-9/+]{40})",
                    ),
                ],
                also: &["AWS_SECRET_KEY"],
                ..Key::variables("aws/secret_access_key", &["AWS_SECRET_ACCESS_KEY"])
            },
            Key {
                sent: Sent::As(&["AWS_SESSION_TOKEN"]),
                needed: false,
                summary: "AWS session token",
                get: "run `aws sts get-session-token`",
                revoke: "https://console.aws.amazon.com/iam (revoke the role's active sessions)",
                looks: "a long base64 text",
                or: "[A-Za-z0-9/+=]{100,}",
                ..Key::variables("aws/session_token", &["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"])
            },
        ]],
        // Of service bearer tokens and of ids in a context.
        tokens: &[Token::prefixed("aws-access-key-id", &["ABIA", "ACCA"], "[A-Z2-7]{16}")],
        companions: &["AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"],
        accounts: Some(Accounts {
            chosen_by: &["AWS_DEFAULT_PROFILE", "AWS_PROFILE"],
            usual: "default",
            ..Accounts::of("profile", aws::profiles)
        }),
        tell: Some(aws::tell),
        file: Some(aws::file),
        search: Search::Own(aws::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "azure",
        summary: "Azure service principal",
        exposure: Exposure::Scoped,
        alternative: "create a service principal for the task (`az ad sp create-for-rbac --scopes …`), or pass \
                  a token of one resource (`az account get-access-token --resource …`)",
        sets: &[&[
            Key::variables("azure/tenant_id", &["AZURE_TENANT_ID"]),
            Key::variables("azure/client_id", &["AZURE_CLIENT_ID"]),
            Key::variables("azure/client_secret", &["AZURE_CLIENT_SECRET"]),
        ]],
        tokens: &[Token::behind("azure-storage-key", &["AccountKey="], "([A-Za-z0-9+/]{86}==)")],
        companions: &["AZURE_SUBSCRIPTION_ID", "AZURE_AUTHORITY_HOST"],
        search: Search::Then(azure::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "gcp",
        aliases: &["google", "gcloud"],
        summary: "Google application default credentials",
        exposure: Exposure::Scoped,
        alternative: "impersonate a narrow service account: \
                  `gcloud auth application-default login --impersonate-service-account=…`",
        sets: &[&[Key {
            also: &[
                "GCP_SERVICE_ACCOUNT",
                "GCP_SERVICE_ACCOUNT_JSON",
                "GCP_SERVICE_ACCOUNT_KEY",
                "GCP_SA_KEY",
                "GCP_KEY_JSON",
                "GCP_CREDENTIALS_JSON",
                "GOOGLE_CREDENTIALS",
                "GOOGLE_CREDENTIALS_JSON",
                "GOOGLE_APPLICATION_CREDENTIALS_JSON",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_JSON",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
            ],
            ..Key::file("gcp/credentials", &gcp::FILE)
        }]],
        tokens: &[
            Token::behind(
                "gcp-service-account-key",
                &["\"private_key_id\""],
                r#"\s*:\s*"([0-9a-f]{40})"\s*,\s*"private_key"\s*:\s*"-----BEGIN"#,
            ),
            Token::prefixed("google-api-key", &["AIza"], "[A-Za-z0-9_-]{35}"),
            Token::prefixed("google-client-secret", &["GOCSPX-"], "[A-Za-z0-9_-]{28}"),
        ],
        companions: &["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT", "CLOUDSDK_CORE_PROJECT"],
        tell: Some(gcp::tell),
        file: Some(gcp::file),
        search: Search::Own(gcp::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "docker",
        summary: "login to one container registry",
        exposure: Exposure::Scoped,
        alternative: "create a token that can only pull: https://app.docker.com/settings/personal-access-tokens",
        sets: &[&[Key::file("docker/config", &docker::FILE)]],
        tokens: &[Token::prefixed("docker-token", &["dckr_pat_"], "[A-Za-z0-9_-]{27}")],
        accounts: Some(Accounts::of("registry", docker::registries)),
        tell: Some(docker::tell),
        file: Some(docker::file),
        search: Search::Own(docker::look),
        ..Vendor::NONE
    },
    Vendor {
        name: "kubeconfig",
        aliases: &["kubernetes", "k8s"],
        summary: "the current context of a kubeconfig",
        exposure: Exposure::Personal,
        alternative: "create a service account for the task (`kubectl create token NAME`) and a kubeconfig with it",
        sets: &[&[Key::file("kubeconfig/config", &kubeconfig::FILE)]],
        accounts: Some(Accounts::of("context", kubeconfig::contexts)),
        tell: Some(kubeconfig::tell),
        file: Some(kubeconfig::file),
        search: Search::Own(kubeconfig::look),
        ..Vendor::NONE
    },
];
