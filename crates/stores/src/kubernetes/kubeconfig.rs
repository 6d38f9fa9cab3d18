//! Kubeconfigs: <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>.
//!
//! What is wrong with one is told without its own words: it holds tokens, and the parser quotes it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::MAIN_SEPARATOR;
use std::path::Path;
use std::path::PathBuf;

use data_encoding::BASE64_MIME;
use serde::Deserialize;
use zeroize::Zeroizing;

use doppio_secrets::source::SourceError;

/// The extension of a cluster that is meant for its users' login programs.
const FOR_PROGRAMS: &str = "client.authentication.k8s.io/exec";

/// A text that is not shown.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub(super) struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// One or more files, merged.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Kubeconfig {
    clusters: Option<Vec<Named<Cluster>>>,
    users: Option<Vec<Named<User>>>,
    contexts: Option<Vec<Named<Context>>>,
    current_context: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named<T> {
    name: String,
    #[serde(alias = "cluster", alias = "user", alias = "context")]
    it: Option<T>,
}

#[derive(Debug, Deserialize)]
struct Context {
    cluster: String,
    user: Option<String>,
    namespace: Option<String>,
}

/// A cluster, and how it is spoken to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    pub server: Option<String>,
    pub tls_server_name: Option<String>,
    pub insecure_skip_tls_verify: Option<bool>,
    pub certificate_authority: Option<PathBuf>,
    pub certificate_authority_data: Option<Hidden>,
    pub proxy_url: Option<String>,
    pub extensions: Option<Vec<Extension>>,
}

/// What others have written of a cluster.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Extension {
    name: String,
    #[serde(rename = "extension")]
    value: serde_json::Value,
}

/// A user, and how it proves to be that.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct User {
    pub client_certificate: Option<PathBuf>,
    pub client_certificate_data: Option<Hidden>,
    pub client_key: Option<PathBuf>,
    pub client_key_data: Option<Hidden>,
    pub token: Option<Hidden>,
    #[serde(rename = "tokenFile")]
    pub token_file: Option<PathBuf>,
    pub username: Option<String>,
    pub password: Option<Hidden>,
    pub auth_provider: Option<Provider>,
    pub exec: Option<Exec>,
    #[serde(rename = "as")]
    pub acts_as: Option<String>,
    pub as_uid: Option<String>,
    pub as_groups: Option<Vec<String>>,
    pub as_user_extra: Option<BTreeMap<String, Vec<String>>>,
}

/// A login that kubectl has built in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Provider {
    pub name: String,
    #[serde(default)]
    pub config: BTreeMap<String, Hidden>,
}

/// A login program.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Exec {
    pub api_version: Option<String>,
    pub command: Option<String>,
    pub args: Option<Vec<String>>,
    pub env: Option<Vec<Variable>>,
    pub provide_cluster_info: bool,
}

/// A variable of its environment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Variable {
    pub name: String,
    pub value: Hidden,
}

/// What a context says.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    pub cluster: Cluster,
    pub user: User,
    pub namespace: Option<String>,
    /// The kubeconfig, for messages.
    pub origin: String,
}

impl Cluster {
    /// What a login program is told of it.
    pub(super) fn for_programs(&self) -> Result<serde_json::Value, SourceError> {
        let authority = self.authority()?.map(|pem| data_encoding::BASE64.encode(&pem));
        let extension = self.extensions.iter().flatten().find(|extension| extension.name == FOR_PROGRAMS);
        let told = [
            ("server", self.server.clone().map(Into::into)),
            ("tls-server-name", self.tls_server_name.clone().map(Into::into)),
            ("insecure-skip-tls-verify", self.insecure_skip_tls_verify.map(Into::into)),
            ("certificate-authority-data", authority.map(Into::into)),
            ("proxy-url", self.proxy_url.clone().map(Into::into)),
            ("config", extension.map(|extension| extension.value.clone())),
        ];
        Ok(told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// The certificates of its authority, as PEM.
    pub(super) fn authority(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        content(self.certificate_authority_data.as_ref(), self.certificate_authority.as_deref())
            .map_err(|cause| unusable(format!("the certificate authority of the kubeconfig {cause}")))
    }
}

impl User {
    /// Its certificate and its key, as PEM.
    pub(super) fn identity(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        let broken = |cause| unusable(format!("the client certificate or its key in the kubeconfig {cause}"));
        let certificate = content(self.client_certificate_data.as_ref(), self.client_certificate.as_deref());
        let key = content(self.client_key_data.as_ref(), self.client_key.as_deref());
        match (certificate.map_err(broken)?, key.map_err(broken)?) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Zeroizing::new([&key[..], b"\n", &certificate].concat())))
            }
            _ => Err(broken("is there without the other".to_owned())),
        }
    }
}

/// What is written in the kubeconfig, else what is in the file that it names.
fn content(data: Option<&Hidden>, path: Option<&Path>) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    if let Some(data) = data.map(Hidden::as_str).filter(|data| !data.is_empty()) {
        let bytes = BASE64_MIME.decode(data.as_bytes()).map_err(|_| "is not base64".to_owned())?;
        return Ok(Some(Zeroizing::new(bytes)));
    }
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
    let bytes =
        fs::read(path).map_err(|error| format!("can't be read from `{}`: {error}", path.display()))?;
    Ok(Some(Zeroizing::new(bytes)))
}

/// Reads a file. Paths in it start from its folder.
pub(super) fn read(path: &Path) -> Result<Kubeconfig, SourceError> {
    let shown = shown(path);
    let text = fs::read(path).map(Zeroizing::new).and_then(|bytes| decoded(&bytes));
    let text = text.map_err(|error| unusable(format!("cannot read {shown}: {error}")))?;
    let all: Vec<Kubeconfig> = serde_saphyr::from_multiple(&text).map_err(|error| {
        unusable(match error.location() {
            Some(at) => format!("{shown} is not a kubeconfig: line {}, column {}", at.line(), at.column()),
            None => format!("{shown} is not a kubeconfig"),
        })
    })?;
    let mut merged = all.into_iter().fold(Kubeconfig::default(), Kubeconfig::merge);
    let folder = path.parent().unwrap_or(Path::new(""));
    let settle = |path: &mut Option<PathBuf>| {
        if let Some(path) = path.as_mut().filter(|path| !path.as_os_str().is_empty()) {
            *path = folder.join(&path);
        }
    };
    for cluster in merged.clusters.iter_mut().flatten().filter_map(|named| named.it.as_mut()) {
        settle(&mut cluster.certificate_authority);
    }
    for user in merged.users.iter_mut().flatten().filter_map(|named| named.it.as_mut()) {
        settle(&mut user.client_certificate);
        settle(&mut user.client_key);
        settle(&mut user.token_file);
        // Like kubectl: a name without a separator is looked for in `PATH`.
        let command = user.exec.as_mut().and_then(|exec| exec.command.as_mut());
        if let Some(command) = command.filter(|command| command.contains(MAIN_SEPARATOR)) {
            *command = folder.join(&command).to_string_lossy().into_owned();
        }
    }
    Ok(merged)
}

/// Text is UTF-8, or UTF-16 with its mark, as PowerShell writes it.
fn decoded(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
    let wide = |to: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].as_chunks::<2>().0.iter().map(|pair| to(*pair)).collect();
        String::from_utf16(&Zeroizing::new(units)).ok()
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        plain => {
            std::str::from_utf8(plain.strip_prefix(b"\xef\xbb\xbf").unwrap_or(plain)).ok().map(str::to_owned)
        }
    };
    text.map(Zeroizing::new).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not text"))
}

impl Kubeconfig {
    /// As kubectl does: of what several files have, the first one's stands, whole.
    pub(super) fn merge(self, next: Self) -> Self {
        Self {
            clusters: Some(joined(self.clusters, next.clusters)),
            users: Some(joined(self.users, next.users)),
            contexts: Some(joined(self.contexts, next.contexts)),
            current_context: self.current_context.filter(|name| !name.is_empty()).or(next.current_context),
        }
    }

    /// What this context says, or the current one. `origin` is the kubeconfig as messages name it.
    pub(super) fn choose(self, context: Option<&str>, origin: String) -> Result<Chosen, SourceError> {
        let current = self.current_context.filter(|name| !name.is_empty());
        let Some(name) = context.map(str::to_owned).or(current) else {
            return Err(unusable(format!("{origin} names no current context")));
        };
        let context = find(self.contexts, &name)
            .ok_or_else(|| unusable(format!("{origin} has no context `{name}`")))?;
        let cluster = find(self.clusters, &context.cluster)
            .ok_or_else(|| unusable(format!("{origin} has no cluster `{}`", context.cluster)))?;
        // Like kubectl: a user that is not there is nobody.
        let user = context.user.and_then(|user| find(self.users, &user)).unwrap_or_default();
        Ok(Chosen { cluster, user, namespace: context.namespace.filter(|name| !name.is_empty()), origin })
    }
}

fn joined<T>(first: Option<Vec<Named<T>>>, next: Option<Vec<Named<T>>>) -> Vec<Named<T>> {
    let mut all = first.unwrap_or_default();
    for named in next.into_iter().flatten() {
        if all.iter().all(|known| known.name != named.name) {
            all.push(named);
        }
    }
    all
}

fn find<T>(all: Option<Vec<Named<T>>>, name: &str) -> Option<T> {
    all.into_iter().flatten().find(|named| named.name == name)?.it
}

/// What is wrong with a kubeconfig.
pub(super) fn unusable(cause: String) -> SourceError {
    SourceError::unreachable(
        cause,
        "see `kubectl config get-contexts`; `[sources.kubernetes]` takes `kubeconfig` and `context`",
    )
}

/// A file as messages name it.
pub(super) fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Kubeconfig {
        let all: Vec<Kubeconfig> = serde_saphyr::from_multiple(text).unwrap();
        all.into_iter().fold(Kubeconfig::default(), Kubeconfig::merge)
    }

    const FIRST: &str = "clusters: [{name: c, cluster: {server: 'https://one', certificate-authority-data: YQ==}}]\n\
                         users: [{name: u, user: {token: first}}]\ncurrent-context: ''\n";
    const SECOND: &str = "clusters: null\n\
                          users: [{name: u, user: {token: second, username: x}}, {name: v, user: {as: root, as-groups: [a, b]}}]\n\
                          contexts: [{name: x, context: {cluster: c, user: u, namespace: team}}, {name: y, context: {cluster: c, user: v}}, {name: z, context: {cluster: gone}}]\n\
                          current-context: x\n";

    #[test]
    fn the_first_file_to_say_something_stands() {
        let both = || parse(FIRST).merge(parse(SECOND));
        let chosen = both().choose(None, String::new()).unwrap();
        assert_eq!(chosen.cluster.server.as_deref(), Some("https://one"));
        assert_eq!(chosen.namespace.as_deref(), Some("team"));
        assert_eq!(chosen.user.token.unwrap().as_str(), "first");
        assert_eq!(chosen.user.username, None);
        let chosen = both().choose(Some("y"), String::new()).unwrap();
        assert_eq!(chosen.user.acts_as.as_deref(), Some("root"));
        assert_eq!(chosen.user.as_groups.unwrap(), ["a", "b"]);
        // One file with several documents is the same as several files.
        let one = parse(&format!("{FIRST}---\n{SECOND}"));
        assert_eq!(one.choose(None, String::new()).unwrap().user.token.unwrap().as_str(), "first");
        let error = |context| both().choose(Some(context), "`f`".to_owned()).unwrap_err().to_string();
        assert_eq!(error("gone"), "`f` has no context `gone`");
        assert_eq!(error("z"), "`f` has no cluster `gone`");
        assert!(parse(FIRST).choose(None, String::new()).is_err());
    }

    #[test]
    fn paths_start_from_the_file_and_a_bare_command_from_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = "clusters: [{name: c, cluster: {certificate-authority: ca.crt}}]\n\
                    users: [{name: u, user: {tokenFile: /t, client-key: k, exec: {command: ./login}}}, {name: v, user: {exec: {command: aws}}}]\n\
                    contexts: [{name: u, context: {cluster: c, user: u}}, {name: v, context: {cluster: c, user: v}}]\n";
        let wide: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &[b"\xef\xbb\xbf", text.as_bytes()].concat(), &wide] {
            fs::write(&file, bytes).unwrap();
            let chosen = read(&file).unwrap().choose(Some("u"), String::new()).unwrap();
            let at = |name: &str| Some(folder.path().join(name));
            assert_eq!(chosen.cluster.certificate_authority, at("ca.crt"));
            assert_eq!(chosen.user.client_key, at("k"));
            assert_eq!(chosen.user.token_file, Some("/t".into()));
            assert_eq!(chosen.user.exec.unwrap().command.map(PathBuf::from), at("./login"));
            let chosen = read(&file).unwrap().choose(Some("v"), String::new()).unwrap();
            assert_eq!(chosen.user.exec.unwrap().command.as_deref(), Some("aws"));
        }
    }

    #[test]
    fn a_login_program_is_told_of_the_cluster() {
        let text = "clusters: [{name: c, cluster: {server: 'https://one', certificate-authority-data: YQ==, \
                    extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]}}]\n\
                    contexts: [{name: x, context: {cluster: c}}]\n";
        let cluster = parse(text).choose(Some("x"), String::new()).unwrap().cluster;
        let told = serde_json::json!({
            "server": "https://one", "certificate-authority-data": "YQ==", "config": { "audience": "x" },
        });
        assert_eq!(cluster.for_programs().unwrap(), told);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let user = |text: &str| serde_saphyr::from_str::<User>(text).unwrap().identity();
        assert!(user("{}").unwrap().is_none());
        assert!(user("{client-certificate-data: YQ==}").is_err());
        assert!(user("{client-certificate-data: YQ==, client-key-data: '%'}").is_err());
        let both = user("{client-certificate-data: YQ==, client-key-data: Yg==, client-key: ''}").unwrap();
        assert_eq!(**both.unwrap(), *b"b\na");
    }
}
