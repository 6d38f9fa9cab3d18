//! git's own store of credentials: `git help credential-store`.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::SecretValue;
use crate::address::decoded;
use crate::vendor::Credential;
use crate::vendor::Local;
use crate::vendor::Part;
use crate::vendor::Vendor;
use crate::vendor::local::File;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;

/// What git runs to be told of them: it prints variables, so that no value is in the configuration.
const HELPER: &str = r#"!f() { [ "$1" = get ] && printf 'username=%s\npassword=%s\n' "$DOPPIO_GIT_USERNAME" "$DOPPIO_GIT_PASSWORD"; }; f"#;

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    for path in stores(local) {
        let Some(file) = Local::read(path)? else { continue };
        let found = file
            .text()?
            .lines()
            .filter_map(parse)
            .find(|login| local.asked().is_none_or(|asked| asked == login.host));
        let Some(login) = found else { continue };
        let place = format!("`{}` in {}", login.host, file.place());
        let values = [&login.user, &login.password].map(|text| Some(SecretValue::new(text.to_vec())));
        let Some(found) = Credential::of_values(vendor, values, &place) else { continue };
        let mut found = found.warning(file.warning);
        found.settings.extend(settings(&login.scheme, &login.host));
        return Ok(Some(found));
    }
    Ok(None)
}

/// What makes git ask for the login to this host, and for no other.
fn settings(scheme: &str, host: &str) -> [(String, String); 4] {
    [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("credential.{scheme}://{host}.helper")),
        ("GIT_CONFIG_VALUE_0", HELPER.to_owned()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// A login that is a token of the host's vendor; of `token` none where only its provenance is asked for.
pub(crate) fn of_token(
    vendor: &'static Vendor,
    host: &str,
    user: &str,
    token: Option<SecretValue>,
    place: &str,
) -> Credential {
    let [name, password] = vendor.sets[0] else { return Credential::new(vendor) };
    let value = SecretValue::new(user.as_bytes().to_vec());
    let mut found = Credential::of(vendor, name, value, place.to_owned());
    found.parts.push(Part { key: password, value: token, place: place.to_owned() });
    found.settings.extend(settings("https", host));
    found
}

/// Where git keeps logins, in its order.
fn stores(local: &Local<'_>) -> [PathBuf; 2] {
    [local.home(".git-credentials"), local.xdg("XDG_CONFIG_HOME", ".config").join("git/credentials")]
}

/// The hosts that it has logins for.
pub(super) fn hosts(local: &Local<'_>) -> Vec<String> {
    let files = stores(local).into_iter().filter_map(|path| Local::read(path).ok()?);
    let hosts = |file: File| -> Vec<String> {
        file.text().unwrap_or_default().lines().filter_map(parse).map(|login| login.host).collect()
    };
    files.flat_map(hosts).collect()
}

/// A login without a host would be offered to every host.
pub(super) fn tell(credential: Credential, _: &Local<'_>) -> Credential {
    if credential.settings.is_empty() {
        return credential.staying("it does not say which host it is for: keep it in git's own store");
    }
    credential
}

struct Entry {
    scheme: String,
    host: String,
    user: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

/// `https://user:pass@host`, percent-encoded.
fn parse(line: &str) -> Option<Entry> {
    let (scheme, rest) = line.trim().split_once("://")?;
    let (login, host) = rest.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let host = host.split('/').next().filter(|host| !host.is_empty())?;
    Some(Entry {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        user: decoded(user),
        password: decoded(password),
    })
}

/// A `.git-credentials`.
pub(super) fn file(_: &'static Vendor, _: &str, text: &SecretValue) -> Option<ToolFile> {
    let text = std::str::from_utf8(text.plain()).ok()?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    let first = lines.peek().and_then(|line| parse(line))?;
    lines
        .all(|line| parse(line).is_some())
        .then(|| ToolFile::instead("a store of git's credentials", &format!("git:{}", first.host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_store_are_read_as_git_does() {
        let login = parse("https://me%40x:p%3aq%2F@git.example:8443/").unwrap();
        assert_eq!((login.scheme.as_str(), login.host.as_str()), ("https", "git.example:8443"));
        assert_eq!((login.user.as_slice(), login.password.as_slice()), (&b"me@x"[..], &b"p:q/"[..]));
        assert!(parse("# nothing").is_none());
    }
}
