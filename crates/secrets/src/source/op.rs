//! 1Password, by its own program: `op:VAULT/ITEM/FIELD`, `op:VAULT/ITEM/SECTION/FIELD`, or a
//! secret reference as 1Password writes it, `op://VAULT/ITEM/FIELD`.
//!
//! All that is asked for together is read by one `op inject`, whose template goes over stdin: a
//! call takes about a second, and service accounts have hourly limits. Arguments are never
//! secret; a service account's token goes by the environment.
//!
//! `op inject` puts variables of the environment in the place of `$NAME`, in references too: one
//! with a `$` or a `\` is read by itself, so that no variable gets into a path and so into `op`'s
//! error messages.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use doppio_text::shell::typed;

use crate::SecretValue;
use crate::source::Answer;
use crate::source::Item;
use crate::source::Key;
use crate::source::KeyType;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::RemoteKind;
use crate::source::RemoteSource;
use crate::source::Setup;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::TIMEOUT;
use crate::source::no_versions;
use crate::source::program::Complaint;
use crate::source::program::Meaning;
use crate::source::program::Printed;
use crate::source::program::Program;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(OnePassword::new(setup)) };

static KIND: Kind = Kind {
    scheme: "op",
    summary: "1Password by its program `op`: `op:VAULT/ITEM/FIELD`",
    writes: false,
    versions: false,
    remote: Some(RemoteKind { deadline: DEADLINE, batch: 200, keys: KEYS }),
};

const KEYS: &[Key] = &[
    Key {
        name: "account",
        form: KeyType::Text,
        doc: "which account, as `my.1password.com`; else `OP_ACCOUNT`",
    },
    Key {
        name: "token",
        form: KeyType::Reference,
        doc: "a service account's token; else `OP_SERVICE_ACCOUNT_TOKEN`",
    },
    Key { name: "program", form: KeyType::Path, doc: "the program, if it is not `op` in `PATH`" },
];

/// The app may ask for a fingerprint.
const DEADLINE: Duration = Duration::from_mins(1);

/// Programs that run at the same time.
const CALLS: usize = 8;

const SIGN_IN: &str = "run `eval $(op signin)`, switch the app's \"Integrate with 1Password CLI\" on, or set \
                       `OP_SERVICE_ACCOUNT_TOKEN`";

/// The source `op`.
#[derive(Debug)]
struct OnePassword {
    program: Program,
    setup: Setup,
    /// How long all calls of a batch may take. It ends before the deadline of the whole, so that
    /// what has come by then is kept.
    patience: Duration,
}

/// Items that are asked for together: where each stands, and its reference.
type Part<'a> = [(usize, &'a Item, String)];

/// What became of a part.
enum Outcome {
    /// All values, in the order of the items.
    Values(Vec<(SecretValue, Metadata)>),
    /// One that stands alone.
    One(Result<(SecretValue, Metadata), SourceError>),
    /// It failed for one of them, it is not known which.
    Divided,
    /// None of them is available.
    Failed(SourceError),
}

impl OnePassword {
    fn new(setup: Setup) -> Self {
        let mut variables = Vec::new();
        if let Some(account) = setup.options.text("account") {
            variables.push(("OP_ACCOUNT", account.into()));
        }
        let path = setup.path("program", &[]).unwrap_or_else(|| "op".into());
        let get = "https://developer.1password.com/docs/cli/get-started";
        let deadline = setup.options.seconds(TIMEOUT.name).unwrap_or(DEADLINE);
        let patience = deadline.saturating_sub(deadline / 20);
        Self { program: Program { path, get, variables, complaints: COMPLAINTS }, setup, patience }
    }

    async fn run(&self, arguments: &[&str], stdin: Option<&[u8]>) -> Result<Printed, SourceError> {
        self.setup.learn_variables(&["OP_SERVICE_ACCOUNT_TOKEN", "OP_CONNECT_TOKEN"]);
        let token = self.setup.secret("token", &[]).await?.map(|token| token.without_last_newline());
        let secrets: Vec<_> = token.into_iter().map(|token| ("OP_SERVICE_ACCOUNT_TOKEN", token)).collect();
        self.program.run_with(arguments, stdin, &secrets).await
    }

    async fn read(&self, item: &Item) -> Result<(SecretValue, Metadata), SourceError> {
        let reference = reference(item)?;
        let mut printed = self.run(&["read", "--no-newline", &reference], None).await?;
        found(item, std::mem::take(&mut *printed.stdout))
    }

    /// A part, until `end`.
    async fn part(&self, part: &Part<'_>, end: Instant) -> Outcome {
        let asked = async {
            match part {
                [(_, item, _)] => Outcome::One(self.read(item).await),
                part => self.inject(part).await.unwrap_or_else(Outcome::Failed),
            }
        };
        tokio::time::timeout_at(end, asked).await.unwrap_or_else(|_| {
            Outcome::Failed(SourceError::unreachable(
                "1Password did not answer in time",
                "try again, or write a longer `timeout_secs` to `[sources.op]` in config.toml",
            ))
        })
    }

    /// All in one call; divided where the call failed, so that each is asked for by itself.
    async fn inject(&self, items: &Part<'_>) -> Result<Outcome, SourceError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            SourceError::unreachable(format!("no random numbers: {error}"), "see the system's log")
        })?;
        // Occurs in no value: nobody could have known it.
        let fence = HEXLOWER.encode(&random);
        let mut template = String::new();
        for (_, _, reference) in items {
            write!(template, "{fence}{{{{ {reference} }}}}").expect("a string takes everything");
        }
        template.push_str(&fence);
        let printed = match self.run(&["inject"], Some(template.as_bytes())).await {
            Err(SourceError::Missing | SourceError::NotAllowed { .. }) => return Ok(Outcome::Divided),
            // Not signed in, not installed: that would be so for each.
            printed => printed?,
        };
        let parts = split(&printed.stdout, fence.as_bytes());
        if parts.len() != items.len() + 2 {
            return Ok(Outcome::Divided);
        }
        let values = items.iter().zip(&parts[1..]).map(|((_, item, _), value)| found(item, value.to_vec()));
        Ok(values.collect::<Result<_, _>>().map_or(Outcome::Divided, Outcome::Values))
    }
}

/// The value and its provenance; an empty field counts as not set.
fn found(item: &Item, value: Vec<u8>) -> Result<(SecretValue, Metadata), SourceError> {
    if value.is_empty() {
        return Err(SourceError::Missing);
    }
    let place = format!("`op://{}`", item.path.trim_start_matches('/'));
    Ok((SecretValue::new(value), Metadata { place, ..Metadata::default() }))
}

fn split<'a>(text: &'a [u8], fence: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with(fence) {
            parts.push(&text[from..at]);
            at += fence.len();
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// A secret reference as 1Password writes it. Braces would end its place in a template.
fn reference(item: &Item) -> Result<String, SourceError> {
    no_versions("1Password", item.version.as_deref())?;
    let path = item.path.trim_start_matches('/');
    let parts = path.split('/').count();
    if !(3..=4).contains(&parts) || path.split('/').any(str::is_empty) || path.contains(['{', '}', '"']) {
        return Err(SourceError::unfit(format!("`{path}` is not a path of the form `VAULT/ITEM/FIELD`")));
    }
    Ok(format!("op://{path}"))
}

/// What the program's messages mean.
const COMPLAINTS: &[Complaint] = &[
    (
        &["not signed in", "not currently signed in", "no accounts", "session expired", "sign in", "signin"],
        Meaning::Unreachable("1Password is not signed in:", SIGN_IN),
    ),
    (
        &["dismissed", "locked", "connecting to desktop app", "timed out"],
        Meaning::Unreachable("1Password is locked:", "unlock the app and try again"),
    ),
    (
        &["too many requests", "rate limit", "rate-limit"],
        Meaning::Unreachable(
            "1Password limits how often it is asked:",
            "try again later; `op service-account ratelimit` says when",
        ),
    ),
    (
        &["forbidden", "permission", "unauthorized", "not authorized", "(403)"],
        Meaning::NotAllowed("the account is not allowed to read it:", "give the account access to the vault"),
    ),
    // Its own words for a vault, an item, a section or a field that is not there, and no others:
    // "not found" may be said of a program, a host or a file.
    (
        &[
            "isn't an item",
            "isn't a vault",
            "isn't a field",
            "isn't a section",
            "does not have a field",
            "does not have a section",
        ],
        Meaning::Missing,
    ),
    (&[], Meaning::Unreachable("`op` failed:", "run `op vault list` by hand to see what it says")),
];

#[async_trait]
impl Source for OnePassword {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "1Password".to_owned()
    }

    fn remedy(&self, path: &str) -> String {
        let mut parts = path.trim_start_matches('/').split('/');
        let (vault, item) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let command = typed(["op", "item", "get", item, "--vault", vault]);
        format!("run {command} to see its fields, or add the item in the app")
    }

    /// The names of the vaults: `op whoami` fails where the app signs in by itself.
    async fn check(&self) -> Answer<()> {
        self.run(&["vault", "list", "--format", "json"], None).await.map(drop)
    }

    /// One call answers both: the value is kept for the step.
    fn reads_to_locate(&self) -> bool {
        true
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        self.read(&Item::new(path, version)).await
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        let mut answers: Vec<Option<Result<(SecretValue, Metadata), SourceError>>> = vec![None; items.len()];
        let mut good = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match reference(item) {
                Ok(reference) => good.push((at, item, reference)),
                Err(error) => answers[at] = Some(Err(error)),
            }
        }
        let (alone, together): (Vec<_>, Vec<_>) =
            good.into_iter().partition(|(.., reference)| reference.contains(['$', '\\']));
        let end = Instant::now() + self.patience;
        // What fails together is asked for in halves, so that one that is missing costs little.
        let mut parts: Vec<&Part<'_>> = alone.chunks(1).chain([together.as_slice()]).collect();
        parts.retain(|part| !part.is_empty());
        while !parts.is_empty() {
            let mut asked = Vec::new();
            for part in parts.drain(..) {
                asked.push(async move { (part, self.part(part, end).await) }.boxed());
            }
            let outcomes: Vec<_> = stream::iter(asked).buffer_unordered(CALLS).collect().await;
            for (part, outcome) in outcomes {
                match outcome {
                    Outcome::Values(values) => {
                        for ((at, ..), value) in part.iter().zip(values) {
                            answers[*at] = Some(Ok(value));
                        }
                    }
                    Outcome::One(answer) => answers[part[0].0] = Some(answer),
                    Outcome::Divided => {
                        let (left, right) = part.split_at(part.len() / 2);
                        parts.extend([left, right]);
                    }
                    Outcome::Failed(error) => {
                        for (at, ..) in part {
                            answers[*at] = Some(Err(error.clone()));
                        }
                    }
                }
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or(Err(SourceError::Missing))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_of_1password() {
        let of = |path: &str| reference(&Item::new(path, None));
        assert_eq!(of("ML/hf/token").unwrap(), "op://ML/hf/token");
        assert_eq!(of("//ML/hf/keys/token").unwrap(), "op://ML/hf/keys/token");
        for path in ["ML/hf", "a/b/c/d/e", "a//c", "a/b/{{ op://x/y/z }}"] {
            assert!(matches!(of(path), Err(SourceError::Unfit { .. })), "{path}");
        }
        assert!(matches!(reference(&Item::new("a/b/c", Some("2"))), Err(SourceError::Unfit { .. })));
    }

    #[test]
    fn only_what_1password_says_is_not_there_is_missing() {
        let of = |words: &str| {
            let stdout = zeroize::Zeroizing::new(Vec::new());
            let stderr = format!("[ERROR] 2026/01/01 00:00:00 {words}");
            Printed { success: false, stdout, stderr }.means(COMPLAINTS)
        };
        for words in [
            "\"x\" isn't a vault in this account. Specify the vault with its ID or name.",
            "\"x\" isn't an item in the \"y\" vault. Specify the item with its UUID, name, or domain.",
            "item 'y/x' does not have a field 'z'",
            "could not read secret 'op://Permission/Locked keys/a': \"Locked keys\" isn't an item in the \"Permission\" vault.",
            "item 'y/Sign in' does not have a field '(403) Forbidden'",
        ] {
            assert_eq!(of(words), SourceError::Missing, "{words}");
        }
        for words in ["env: node: not found", "host not found", "could not find the daemon's socket"] {
            assert!(matches!(of(words), SourceError::Unreachable { .. }), "{words}");
        }
    }

    #[test]
    fn fences_part_values() {
        assert_eq!(split(b"|a||b|", b"|"), [&b""[..], b"a", b"", b"b", b""]);
        assert_eq!(split(b"x", b"||"), [b"x"]);
    }
}
