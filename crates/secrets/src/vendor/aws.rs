//! AWS: `botocore/credentials.py`.

use std::path::PathBuf;

use jiff::Timestamp;

use doppio_text::shell::typed;

use crate::SecretValue;
use crate::format;
use crate::format::Ini;
use crate::format::IniSection;
use crate::vendor::Credential;
use crate::vendor::Exposure;
use crate::vendor::Local;
use crate::vendor::ProviderError;
use crate::vendor::Vendor;
use crate::vendor::local::File;
use crate::vendor::row::Looked;
use crate::vendor::tool;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;

/// What a profile has that only the vendor's own program can follow.
const FOLLOWED: [&str; 6] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "login_session",
    "sso_account_id",
];

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let config = parsed(local, "AWS_CONFIG_FILE", ".aws/config")?;
    let profile = profile(local);
    let own = config.as_ref().and_then(|(_, ini)| ini.section(&section_of(profile)));
    credential(vendor, local, profile, config.as_ref().map(|(file, _)| file), own)
}

/// The profiles of both files.
pub(super) fn profiles(local: &Local<'_>) -> Vec<String> {
    let of = |name, usual| parsed(local, name, usual).ok().flatten().map(|(_, ini)| ini);
    let config = of("AWS_CONFIG_FILE", ".aws/config").unwrap_or_default();
    let stored = of("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials").unwrap_or_default();
    let of_config = config.sections().filter_map(|section| match section.name.as_str() {
        "default" => Some("default"),
        name => name.strip_prefix("profile "),
    });
    of_config.chain(stored.sections().map(|section| section.name.as_str())).map(str::to_owned).collect()
}

/// The profile that counts.
fn profile<'a>(local: &Local<'a>) -> &'a str {
    let asked = local.asked().or_else(|| local.name("AWS_DEFAULT_PROFILE"));
    asked.or_else(|| local.name("AWS_PROFILE")).unwrap_or("default")
}

/// What a profile's section of the config file is called.
fn section_of(profile: &str) -> String {
    match profile {
        "default" => "default".to_owned(),
        _ => format!("profile {profile}"),
    }
}

/// The region goes along. Keys without expiry can do whatever the user can.
pub(super) fn tell(mut credential: Credential, local: &Local<'_>) -> Credential {
    let region = local.text("AWS_REGION").or_else(|| local.text("AWS_DEFAULT_REGION")).map(str::to_owned);
    let region = region.or_else(|| {
        let (_, config) = parsed(local, "AWS_CONFIG_FILE", ".aws/config").ok()??;
        config.section(&section_of(profile(local)))?.get("region").map(str::to_owned)
    });
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        credential.settings.extend(region.clone().map(|region| (name.to_owned(), region)));
    }
    // Which keys a program gives is not known before it is run.
    let is_whole = credential.parts.iter().all(|part| part.value.is_some());
    // A token beside keys without an end makes them no shorter.
    if is_whole && (credential.parts.len() == 2 || credential.values().next().is_some_and(is_lasting)) {
        return credential.exposed(Exposure::Personal);
    }
    credential
}

fn credential(
    vendor: &'static Vendor,
    local: &Local<'_>,
    profile: &str,
    config: Option<&File>,
    own: Option<&IniSection>,
) -> Looked {
    if local.asked().is_none()
        && let Some(found) = of_environment(vendor, local)?
    {
        return Ok(Some(found));
    }
    let shared = parsed(local, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")?;
    let stored = shared.as_ref().and_then(|(file, ini)| Some((file, ini.section(profile)?)));
    let has = |name: &str| {
        own.is_some_and(|own| own.has(name)) || stored.is_some_and(|(_, stored)| stored.has(name))
    };
    let is_named = local.asked().is_some() || local.name("AWS_PROFILE").is_some();
    let by_web = !is_named
        && local.text("AWS_WEB_IDENTITY_TOKEN_FILE").is_some()
        && local.text("AWS_ROLE_ARN").is_some();
    if by_web || FOLLOWED.iter().any(|name| has(name)) {
        return exported(vendor, local, profile);
    }
    if let Some((file, section)) = stored
        && let Some(found) = of_section(vendor, file, section)?
    {
        return Ok(Some(found));
    }
    if has("credential_process") {
        return exported(vendor, local, profile);
    }
    match (config, own) {
        (Some(file), Some(own)) => of_section(vendor, file, own),
        _ => Ok(None),
    }
}

fn of_environment(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    if local.token("AWS_ACCESS_KEY_ID").is_none() {
        return Ok(None);
    }
    let Some(found) = local.set(vendor, vendor.sets[0]) else {
        return Err(ProviderError {
            cause: "`AWS_ACCESS_KEY_ID` is set, and `AWS_SECRET_ACCESS_KEY` is not".to_owned(),
            hint: "set both, or neither".to_owned(),
        });
    };
    let end = local.text("AWS_CREDENTIAL_EXPIRATION").and_then(|text| text.parse().ok());
    Ok(Some(found.ending(end)))
}

fn of_section(vendor: &'static Vendor, file: &File, section: &IniSection) -> Looked {
    let value = |name: &str| section.get(name).map(|text| SecretValue::new(text.as_bytes().to_vec()));
    let Some(id) = value("aws_access_key_id") else { return Ok(None) };
    let Some(secret) = value("aws_secret_access_key") else {
        return Err(file.broken(&format!("`[{}]` has a key id, but no key", section.name)));
    };
    let token = value("aws_security_token").or_else(|| value("aws_session_token"));
    let place = format!("`[{}]` in {}", section.name, file.place());
    let found = Credential::of_values(vendor, [Some(id), Some(secret), token], &place);
    // Tools that write short-lived keys note their end here.
    let end = section.get("expiration").or_else(|| section.get("aws_expiration"));
    let end = end.or_else(|| section.get("x_security_token_expires")).and_then(|text| text.parse().ok());
    Ok(found.map(|found| found.ending(end).warning(file.warning.clone())))
}

/// What the vendor's own program makes of a profile: single sign-on, roles, processes.
fn exported(vendor: &'static Vendor, local: &Local<'_>, profile: &str) -> Looked {
    let argv = ["aws", "configure", "export-credentials", "--format", "process", "--profile", profile];
    let place = format!("`{}`", argv.join(" "));
    if !local.may_run() {
        return Ok(Some(Credential::unproven(vendor, vendor.sets[0], &place)));
    }
    if !tool::is_there(local, "aws") {
        return Err(ProviderError {
            cause: format!("profile `{profile}` of AWS needs the `aws` command, which is not installed"),
            hint: "install the AWS CLI, or put short-lived keys into the environment".to_owned(),
        });
    }
    let Some(printed) = tool::ask(local, &argv, b"")? else {
        return Err(ProviderError {
            cause: format!("`aws` could not get credentials for profile `{profile}`"),
            hint: format!(
                "log in with {}, then try again",
                typed(["aws", "sso", "login", "--profile", profile])
            ),
        });
    };
    let member = |name: &str| format::select(&printed, name).ok().flatten();
    let values = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(member);
    let end =
        member("Expiration").and_then(|end| std::str::from_utf8(end.plain()).ok()?.parse::<Timestamp>().ok());
    Ok(Credential::of_values(vendor, values, &place).map(|found| found.ending(end)))
}

fn parsed(local: &Local<'_>, name: &str, usual: &str) -> Result<Option<(File, Ini)>, ProviderError> {
    let path: PathBuf = local.path(name).unwrap_or_else(|| local.home(usual));
    let Some(file) = Local::read(path)? else { return Ok(None) };
    let ini = file.ini()?;
    Ok(Some((file, ini)))
}

/// Whether this is the id of a key that has no end and no session token.
pub(crate) fn is_lasting(id: &SecretValue) -> bool {
    id.plain().starts_with(b"AKIA")
}

/// A credentials file of profiles, or what the console and `aws sts` hand out. The keys of the default or
/// only profile get the usual names, those of others go below the profile's.
pub(super) fn file(vendor: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let names = vendor.sets[0].iter().map(|key| key.name);
    for above in ["AccessKey", "Credentials", ""] {
        let member = |name: &str| {
            let path: Vec<&str> = [above, name].into_iter().filter(|key| !key.is_empty()).collect();
            format::json_member(text.plain(), &path)
        };
        let members = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
        if members[..2].iter().all(|name| member(name).is_some()) {
            let found = members.into_iter().zip(names);
            let secrets = found.filter_map(|(key, name)| Some(ToolSecret::new(key, name, member(key)?)));
            return Some(ToolFile::of("keys that AWS has handed out", secrets.collect()));
        }
    }
    let ini = File { path: PathBuf::new(), value: text.clone(), warning: None }.ini().ok()?;
    let profiles: Vec<_> =
        ini.sections().filter(|section| section.get("aws_secret_access_key").is_some()).collect();
    if profiles.is_empty() {
        return None;
    }
    let mut secrets = Vec::new();
    for section in &profiles {
        let is_usual = section.name == "default" || profiles.len() == 1;
        let members = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
        for (member, name) in members.into_iter().zip(names.clone()) {
            let Some(value) = section.get(member) else { continue };
            let last = name.strip_prefix("aws/").unwrap_or(name);
            let name = if is_usual { name.to_owned() } else { format!("aws/{}/{last}", section.name) };
            let key = format!("{}/{member}", section.name);
            secrets.push(ToolSecret::new(&key, &name, SecretValue::new(value.as_bytes().to_vec())));
        }
    }
    Some(ToolFile::with_more("a file of AWS profiles", secrets))
}
