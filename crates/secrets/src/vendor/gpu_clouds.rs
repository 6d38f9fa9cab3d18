//! GPU clouds: whoever has such a key can rent and destroy machines.

use crate::SecretValue;
use crate::format::Format;
use crate::vendor::Exposure;
use crate::vendor::Key;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::row::Looked;
use crate::vendor::row::Search;
use crate::vendor::token::Token;

/// The SDK: variable, file below the XDG directory, file of old in the home.
pub(super) static VAST: Vendor = Vendor {
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
        ..Key::variables("vast/api_key", &["VAST_API_KEY"])
    }]],
    search: Search::Then(vast),
    ..Vendor::NONE
};

/// `runpodctl`: variable, then a file with two schemas.
pub(super) static RUNPOD: Vendor = Vendor {
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
        ..Key::variables("runpod/api_key", &["RUNPOD_API_KEY"])
    }]],
    search: Search::Then(runpod),
    ..Vendor::NONE
};

/// There is no official file; many have the one of `SkyPilot`.
pub(super) static LAMBDA: Vendor = Vendor {
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
        ..Key::variables("lambda/api_key", &["LAMBDA_API_KEY"])
    }]],
    search: Search::Then(lambda),
    ..Vendor::NONE
};

fn vast(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let of_xdg = local.xdg("XDG_CONFIG_HOME", ".config").join("vastai/vast_api_key");
    for path in [of_xdg, local.home(".vast_api_key")] {
        if let Some(file) = Local::read(path)?
            && let Some(key) = file.token()
        {
            return Ok(Some(file.found(vendor, key, file.place())));
        }
    }
    Ok(None)
}

fn runpod(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".runpod/config.toml"))? else { return Ok(None) };
    for (member, place) in
        [("/apiKey", "apiKey"), ("/apikey", "apiKey"), ("/default/api_key", "default.api_key")]
    {
        if let Some(key) = file.member(Format::Toml, member, "TOML")? {
            return Ok(Some(file.found(vendor, key, format!("`{place}` in {}", file.place()))));
        }
    }
    Ok(None)
}

fn lambda(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(local.home(".lambda_cloud/lambda_keys"))? else { return Ok(None) };
    let key = file.text()?.lines().find_map(|line| {
        let (name, value) = line.trim().split_once(" = ")?;
        (name.trim() == "api_key" && !value.trim().is_empty()).then(|| value.trim())
    });
    let key = key.map(|key| SecretValue::new(key.as_bytes().to_vec()));
    Ok(key.map(|key| file.found(vendor, key, file.place())))
}
