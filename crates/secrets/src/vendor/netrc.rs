//! netrc: one machine's login, never the whole file.

use crate::SecretValue;
use crate::vendor::Credential;
use crate::vendor::FileForm;
use crate::vendor::Local;
use crate::vendor::Vendor;
use crate::vendor::netrc_text;
use crate::vendor::row::Looked;
use crate::vendor::tool_file::ToolFile;
use crate::vendor::tool_file::ToolSecret;
use crate::vendor::wandb::netrc_path;

pub(super) static FILE: FileForm = FileForm::path("NETRC", "netrc");

pub(super) fn look(vendor: &'static Vendor, local: &Local<'_>) -> Looked {
    let Some(file) = Local::read(netrc_path(local))? else { return Ok(None) };
    let logins = netrc_text::parse(file.text()?)
        .map_err(|fault| file.broken(&format!("line {} is not netrc syntax", fault.0)))?;
    let named: Vec<&netrc_text::Entry> = logins.iter().filter(|login| !login.machine.is_empty()).collect();
    let login = match (local.asked(), named.as_slice()) {
        (Some(machine), _) => named.iter().rev().copied().find(|login| login.machine == machine),
        (None, [only]) => Some(*only),
        (None, []) => None,
        (None, [first, ..]) => {
            let why = format!("it has {} machines: name one, as in `netrc:{}`", named.len(), first.machine);
            return Ok(Some(Credential::refused(vendor, file.place(), &why)));
        }
    };
    let Some(login) = login else { return Ok(None) };
    let place = format!("machine `{}` in {}", login.machine, file.place());
    Ok(Some(file.found(vendor, written_again(login), place)))
}

/// A login as every reader of netrc reads it.
fn written_again(login: &netrc_text::Entry) -> SecretValue {
    let mut text = format!("machine {}\n", login.machine);
    // Readers refuse a word that nothing follows.
    for (word, value) in [("login", login.login.as_str()), ("password", login.password.as_str())] {
        if !value.is_empty() {
            text.extend([word, " ", &quoted(value), "\n"]);
        }
    }
    SecretValue::new(text.into_bytes())
}

/// The machines of the file.
pub(super) fn machines(local: &Local<'_>) -> Vec<String> {
    let file = Local::read(netrc_path(local)).ok().flatten();
    let logins = file.and_then(|file| netrc_text::parse(file.text().ok()?).ok()).unwrap_or_default();
    logins.into_iter().map(|login| login.machine).filter(|machine| !machine.is_empty()).collect()
}

pub(super) fn tell(mut credential: Credential, _: &Local<'_>) -> Credential {
    let logins = |value: &SecretValue| netrc_text::parse(std::str::from_utf8(value.plain()).ok()?).ok();
    let logins: Vec<netrc_text::Entry> = credential.values().filter_map(logins).flatten().collect();
    let passwords = logins.iter().map(|login| login.password.as_bytes()).filter(|bytes| !bytes.is_empty());
    credential.inner.extend(passwords.map(|bytes| SecretValue::new(bytes.to_vec())));
    credential
}

/// A word that every reader of netrc takes for the same.
fn quoted(word: &str) -> String {
    if word.contains([' ', '\t', '"', '\\', '#']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word.to_owned()
    }
}

/// A netrc: the password of a vendor's machine is its token; the only machine of another is a login.
pub(super) fn file(vendor: &'static Vendor, name: &str, text: &SecretValue) -> Option<ToolFile> {
    let written = std::str::from_utf8(text.plain()).ok()?;
    let begins = written.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    if !name.ends_with("netrc") && !begins.starts_with("machine ") {
        return None;
    }
    let logins = netrc_text::parse(written).ok()?;
    let logins: Vec<_> = logins.iter().filter(|login| !login.password.trim().is_empty()).collect();
    if logins.is_empty() {
        return None;
    }
    let is_alone = logins.len() == 1 && !logins[0].machine.is_empty();
    let secrets = logins.iter().map(|login| ToolSecret {
        key: if login.machine.is_empty() { "default".to_owned() } else { login.machine.clone() },
        name: is_alone.then(|| vendor.sets[0][0].name.to_owned()),
        value: written_again(login),
        password: Some(SecretValue::new(login.password.trim().as_bytes().to_vec())),
    });
    Some(ToolFile::with_more("a netrc", secrets.collect()))
}
