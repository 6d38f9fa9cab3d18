//! Vendors whose keys are in the environment, or in one plain file.

use crate::format::Format;
use crate::vendor::Exposure;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::key::Login;
use crate::vendor::key::Ping;
use crate::vendor::row::Looked;
use crate::vendor::row::Search;
use crate::vendor::token::Token;

/// The SDK reads `OPENAI_API_KEY` and no file.
pub(super) static OPENAI: Vendor = Vendor {
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
        ..Key::variables("openai/api_key", &["OPENAI_API_KEY"])
    }]],
    companions: &["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"],
    search: Search::Environment,
    ..Vendor::NONE
};

/// The client reads `CO_API_KEY`; integrations read `COHERE_API_KEY`.
pub(super) static COHERE: Vendor = Vendor {
    name: "cohere",
    summary: "Cohere API key",
    exposure: Exposure::DataPlane,
    alternative: "create a trial key: https://dashboard.cohere.com/api-keys",
    sets: &[&[Key {
        summary: "Cohere API key",
        get: "https://dashboard.cohere.com/api-keys",
        looks: "40 letters and digits",
        tokens: &[Token::bare("cohere-api-key", "[A-Za-z0-9]{40}")],
        ..Key::variables("cohere/api_key", &["CO_API_KEY", "COHERE_API_KEY"])
    }]],
    companions: &["CO_API_URL"],
    search: Search::Environment,
    ..Vendor::NONE
};

/// The SDK reads `PINECONE_API_KEY`; the vendor's command line keeps one in a file.
pub(super) static PINECONE: Vendor = Vendor {
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
        ..Key::variables("pinecone/api_key", &["PINECONE_API_KEY"])
    }]],
    companions: &["PINECONE_CONTROLLER_HOST"],
    search: Search::Then(pinecone),
    ..Vendor::NONE
};

/// uv publishes with a token of its own variable and keeps none in a file.
pub(super) static UV: Vendor = Vendor {
    name: "uv",
    summary: "token that uv publishes with",
    exposure: Exposure::Scoped,
    alternative: "create a token of one project in the settings of your account",
    sets: &[&[Key::variables("uv/publish_token", &["UV_PUBLISH_TOKEN"])]],
    companions: &["UV_PUBLISH_URL"],
    search: Search::Environment,
    ..Vendor::NONE
};

fn pinecone(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".config/pinecone/secrets.yaml"))? else { return Ok(None) };
    let found = file.member(Format::Yaml, "/api_key", "the YAML that `pc` writes")?;
    Ok(found.map(|key| file.found(vendor, key, format!("`api_key` in {}", file.place()))))
}
