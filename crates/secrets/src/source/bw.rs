//! Bitwarden, by its own program: `bw:ITEM/FIELD`.
//!
//! ITEM is an item's id or its whole name; FIELD is `username`, `password` (also when it is left
//! out), `totp`, `notes`, `uri`, or the name of a field of its own. The session key goes by the
//! environment, never in an argument. Several items are read by one `bw list items`, which prints
//! the whole vault; what was not asked for is wiped at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::SecretValue;
use crate::format;
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
use crate::source::no_versions;
use crate::source::program::Complaint;
use crate::source::program::Meaning;
use crate::source::program::Printed;
use crate::source::program::Program;

/// How it is made.
pub(super) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Bitwarden::new(setup)) };

static KIND: Kind = Kind {
    scheme: "bw",
    summary: "Bitwarden by its program `bw`: `bw:ITEM/FIELD`",
    writes: false,
    versions: false,
    remote: Some(RemoteKind { deadline: Duration::from_secs(30), batch: 200, keys: KEYS }),
};

const KEYS: &[Key] = &[
    Key {
        name: "session",
        form: KeyType::Reference,
        doc: "the session key of `bw unlock`; else `BW_SESSION`",
    },
    Key { name: "program", form: KeyType::Path, doc: "the program, if it is not `bw` in `PATH`" },
];

/// The source `bw`.
#[derive(Debug)]
struct Bitwarden {
    program: Program,
    setup: Setup,
}

impl Bitwarden {
    fn new(setup: Setup) -> Self {
        let path = setup.path("program", &[]).unwrap_or_else(|| "bw".into());
        // It would ask for the master password, which nobody could type.
        let variables = vec![("BW_NOINTERACTION", "true".into())];
        let get = "https://bitwarden.com/help/cli";
        Self { program: Program { path, get, variables, complaints: COMPLAINTS }, setup }
    }

    async fn run(&self, arguments: &[&str]) -> Result<Printed, SourceError> {
        self.setup.learn_variables(&["BW_SESSION"]);
        let session = self.setup.secret("session", &[]).await?.map(|session| session.without_last_newline());
        let secrets: Vec<_> = session.into_iter().map(|session| ("BW_SESSION", session)).collect();
        self.program.run_with(arguments, None, &secrets).await
    }

    /// The items of a search, or all. One that is not there is an empty list, never a failure.
    async fn items(&self, search: Option<&str>) -> Result<Vec<Entry>, SourceError> {
        let printed = match search {
            Some(words) => self.run(&["list", "items", "--search", words]).await?,
            None => self.run(&["list", "items"]).await?,
        };
        let items = format::json_items(&printed.stdout).ok_or_else(|| {
            SourceError::unreachable(
                "`bw list items` did not print a list",
                "run `bw status` by hand to see what it says",
            )
        })?;
        Ok(items.into_iter().map(Entry::new).collect())
    }
}

/// An item of the vault.
struct Entry {
    id: Option<SecretValue>,
    name: Option<SecretValue>,
    /// All of it, as JSON.
    text: SecretValue,
}

impl Entry {
    fn new(text: SecretValue) -> Self {
        let of = |key| format::json_member(text.plain(), &[key]);
        Self { id: of("id"), name: of("name"), text }
    }

    fn of(&self, path: &[&str]) -> Option<SecretValue> {
        format::json_member(self.text.plain(), path)
    }

    /// A field of its own. Fields may have no name, or no value.
    fn own(&self, field: &str) -> Option<SecretValue> {
        let fields = format::json_items(self.of(&["fields"])?.plain())?;
        let of = |found: &SecretValue, key| format::json_member(found.plain(), &[key]);
        let is_it = |found: &&SecretValue| of(found, "name").is_some_and(|name| is(&name, field));
        of(fields.iter().find(is_it)?, "value")
    }
}

fn is(value: &SecretValue, text: &str) -> bool {
    value.plain() == text.as_bytes()
}

/// The item's name or id, and the field.
fn parts(item: &Item) -> Result<(&str, &str), SourceError> {
    no_versions("Bitwarden", item.version.as_deref())?;
    let (name, field) = item.path.rsplit_once('/').unwrap_or((&item.path, "password"));
    if name.is_empty() || field.is_empty() {
        return Err(SourceError::unfit(format!("`{}` is not a path of the form `ITEM/FIELD`", item.path)));
    }
    Ok((name, field))
}

/// The field of the one item that is meant.
fn pick(items: &[Entry], item: &Item) -> Result<(SecretValue, Metadata), SourceError> {
    let (name, field) = parts(item)?;
    let called = |found: Option<&SecretValue>| found.is_some_and(|found| is(found, name));
    let by_id: Vec<&Entry> = items.iter().filter(|found| called(found.id.as_ref())).collect();
    let meant = if by_id.is_empty() {
        items.iter().filter(|found| called(found.name.as_ref())).collect()
    } else {
        by_id
    };
    let [meant] = meant.as_slice() else {
        if meant.is_empty() {
            return Err(SourceError::Missing);
        }
        return Err(SourceError::unfit(format!(
            "{} items are called `{name}`: write the id of one",
            meant.len()
        )));
    };
    let value = match field {
        "username" | "password" | "totp" => meant.of(&["login", field]),
        "notes" => meant.of(&["notes"]),
        "uri" => meant.of(&["login", "uris", "0", "uri"]),
        _ => None,
    };
    let value = value.or_else(|| meant.own(field));
    let value = value.filter(|value| !value.plain().is_empty()).ok_or(SourceError::Missing)?;
    let date = meant.of(&["revisionDate"]);
    let created = date.and_then(|date| std::str::from_utf8(date.plain()).ok()?.parse().ok());
    Ok((value, Metadata { place: format!("`{field}` of the item `{name}`"), created, ..Metadata::default() }))
}

/// What the program's messages mean.
const COMPLAINTS: &[Complaint] = &[
    (
        &["not logged in"],
        Meaning::Unreachable(
            "Bitwarden is not logged in",
            "run `bw login`, then `export BW_SESSION=\"$(bw unlock --raw)\"`",
        ),
    ),
    (
        &["locked", "session key is invalid", "master password"],
        Meaning::Unreachable("Bitwarden's vault is locked", "run `export BW_SESSION=\"$(bw unlock --raw)\"`"),
    ),
    (&[], Meaning::Unreachable("`bw` failed:", "run `bw status` by hand to see what it says")),
];

#[async_trait]
impl Source for Bitwarden {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "Bitwarden".to_owned()
    }

    fn remedy(&self, path: &str) -> String {
        format!("add `{path}` to Bitwarden, and run `bw sync`")
    }

    /// The folders: `bw status` says `locked` of vaults that are open.
    async fn check(&self) -> Answer<()> {
        self.run(&["list", "folders"]).await.map(drop)
    }

    /// One call answers both: the value is kept for the step.
    fn reads_to_locate(&self) -> bool {
        true
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let item = Item::new(path, version);
        let (name, _) = parts(&item)?;
        pick(&self.items(Some(name)).await?, &item)
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        if let [item] = items {
            return vec![self.get(&item.path, item.version.as_deref()).await];
        }
        match self.items(None).await {
            Ok(all) => items.iter().map(|item| pick(&all, item)).collect(),
            Err(error) => vec![Err(error); items.len()],
        }
    }
}
