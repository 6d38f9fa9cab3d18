//! Putting many values into one source: what would happen, then doing it, each value read back.

use std::collections::HashMap;

use doppio_secrets::AuditAction;
use doppio_secrets::Ladder;
use doppio_secrets::NoPath;
use doppio_secrets::SecretValue;
use doppio_secrets::Use;
use doppio_secrets::format;
use doppio_secrets::source;
use doppio_secrets::source::NewItem;
use doppio_secrets::source::Remark;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_text::exact;
use doppio_text::name::SecretName;
use doppio_text::shell::typed;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::secret::lookup;
use crate::cli::secret::validate;
use crate::cli::terminal;
use crate::ui::table::Column;
use crate::ui::table::Table;

/// A value on its way.
#[derive(Debug)]
pub(super) struct Item {
    /// What it is called where it comes from, as a key of a file.
    pub key: String,
    /// Its name, if it has one: the target's own place for it is looked up.
    pub name: Option<SecretName>,
    /// Where it will be.
    pub path: String,
    /// Where it comes from, as in "`HF_TOKEN` (line 3)".
    pub from: String,
    /// The value, or why it does not go.
    pub value: Result<SecretValue, Stays>,
    /// What is written beside it.
    pub remark: Remark,
}

/// Why a value does not go.
#[derive(Debug, Clone)]
pub(super) enum Stays {
    /// There is none: an empty line, a placeholder. Nothing is lost with it.
    Nothing(String),
    /// It can't be stored, and would be lost.
    Refused(String),
}

impl Stays {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    fn why(&self) -> &str {
        match self {
            Self::Nothing(why) | Self::Refused(why) => why,
        }
    }
}

/// What would happen to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    New,
    Same,
    Differs,
    Nothing,
    Refused,
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Nothing => "skipped",
            Self::Refused => "refused",
        }
    }
}

/// What would happen.
pub(super) struct Plan<'a> {
    target: &'a dyn Source,
    items: Vec<(Item, Fate)>,
    replaces: bool,
}

/// How a transfer is asked for.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Wish {
    /// Replace what is there with another value
    #[arg(long = "override")]
    pub replaces: bool,
    /// Show what would happen, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// An item of a name: a value that `set` would refuse is refused here.
pub(super) fn item(name: &SecretName, from: String, value: SecretValue, remark: Remark) -> Item {
    let value = match validate::unfit(name, &value) {
        Some(unfit) if unfit.is_nothing => Err(Stays::Nothing(unfit.told())),
        Some(unfit) => Err(Stays::refused(unfit.told())),
        None => Ok(value),
    };
    let path = name.to_string();
    Item { key: path.clone(), name: Some(name.clone()), path, from, value, remark }
}

/// One that has no value of its own, under a name or none.
pub(super) fn without_value(name: Option<SecretName>, from: String, why: Stays) -> Item {
    let path = name.as_ref().map_or_else(|| "-".to_owned(), SecretName::to_string);
    Item { key: path.clone(), name, path, from, value: Err(why), remark: Remark::default() }
}

/// Compares the items with what is in `target`. Names are stored where a lookup finds them.
pub(super) async fn plan<'a>(
    ladder: &Ladder,
    target: &'a dyn Source,
    mut items: Vec<Item>,
    replaces: bool,
) -> Result<Plan<'a>, CliError> {
    for item in &mut items {
        let Some(name) = &item.name else { continue };
        match ladder.path_of(name, target) {
            Ok(path) => item.path = path,
            // Without a setting it may be a path of the source's own.
            Err(error) if item.value.is_ok() && !matches!(error, NoPath::Unknown { .. }) => {
                item.value = Err(Stays::refused(error.to_string()));
            }
            Err(_) => {}
        }
    }
    let mut items = without_twins(items)?;
    let wanted: Vec<source::Item> = items
        .iter()
        .filter(|item| item.value.is_ok())
        .map(|item| source::Item::new(&item.path, None))
        .collect();
    let mut present = target.get_many(&wanted).await.into_iter();
    let mut fates = Vec::with_capacity(items.len());
    for item in &mut items {
        fates.push(match &item.value {
            Err(Stays::Nothing(_)) => Fate::Nothing,
            Err(Stays::Refused(_)) => Fate::Refused,
            Ok(value) => match present.next().expect("a source answers all that it is asked for") {
                Ok((present, _)) if format::is_same_document(&present, value) => Fate::Same,
                Ok(_) => Fate::Differs,
                Err(SourceError::Missing | SourceError::Absent { .. }) => Fate::New,
                // One failure does not stop the others.
                Err(SourceError::Unfit { cause }) => {
                    item.value = Err(Stays::Refused(cause));
                    Fate::Refused
                }
                Err(error) => {
                    let what = format!("cannot look for `{}` in {}", item.path, target.place());
                    return Err(CliError::of_source(what, &error));
                }
            },
        });
    }
    Ok(Plan { target, items: items.into_iter().zip(fates).collect(), replaces })
}

/// The items without those that occur twice with the same value.
fn without_twins(items: Vec<Item>) -> Result<Vec<Item>, CliError> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        if let Ok(value) = &item.value {
            if let Some(earlier) = seen.get(&item.path).map(|at| &kept[*at]) {
                if earlier.value.as_ref().is_ok_and(|earlier| earlier.is_same(value)) {
                    continue;
                }
                return Err(CliError::usage(format!(
                    "{} and {} both become `{}`, with different values",
                    earlier.from, item.from, item.path
                ))
                .hint("remove one, or give one another name with `--map VARIABLE=NAME`"));
            }
            seen.insert(item.path.clone(), kept.len());
        }
        kept.push(item);
    }
    Ok(kept)
}

impl Plan<'_> {
    /// A row an item.
    fn table(&self) -> Table<2> {
        let mut table = Table::new([Column::Whole, Column::Name]);
        for (item, fate) in &self.items {
            let word = if *fate == Fate::Differs && self.replaces { "replace" } else { fate.word() };
            let why =
                item.value.as_ref().err().map_or_else(String::new, |stays| format!(": {}", stays.why()));
            // Others may have chosen the names.
            let from = exact(format!("{}{why}", item.from).as_bytes());
            table.row([word, &exact(item.path.as_bytes())], &from);
        }
        table
    }

    fn count(&self, fate: Fate) -> usize {
        self.items.iter().filter(|(_, found)| *found == fate).count()
    }

    /// How many would be written.
    fn writes(&self) -> usize {
        self.written().count()
    }

    /// How many are left as they are though another value was wanted.
    fn left(&self) -> usize {
        if self.replaces { 0 } else { self.count(Fate::Differs) }
    }

    /// Whether afterwards all values of the source are in the target.
    pub(super) fn is_whole(&self) -> bool {
        self.left() == 0 && self.count(Fate::Refused) == 0
    }

    /// Those that are in the target afterwards, by where they come from.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = &Item> {
        let arrives = |fate: Fate| match fate {
            Fate::New | Fate::Same => true,
            Fate::Differs => self.replaces,
            Fate::Nothing | Fate::Refused => false,
        };
        self.items.iter().filter(move |(_, fate)| arrives(*fate)).map(|(item, _)| item)
    }

    /// Shows the plan, asks, and does it. False when nothing was to be done or the user said no.
    pub(super) async fn carry_out(&self, wish: Wish, context: &Context) -> Result<bool, CliError> {
        output::table(&self.table())?;
        let place = self.target.place();
        if wish.dry_run {
            output::line(&format!(
                "{} would be written to {place}; nothing was done",
                secrets(self.writes())
            ));
            return Ok(false);
        }
        if self.writes() == 0 {
            output::line(&format!("there is nothing to write to {place}"));
            return Ok(true);
        }
        if !wish.yes && !ask(&format!("write {} to {place}?", secrets(self.writes())), context)? {
            output::line("nothing was done");
            return Ok(false);
        }
        if !wish.yes {
            self.expect_no_newcomers().await?;
        }
        lookup::record_all(
            context,
            self.written().map(|item| (self.use_of(item), item.value.clone().ok())).collect(),
        )?;
        self.write().await?;
        output::line(&format!("wrote {} to {place}, and verified each", secrets(self.writes())));
        Ok(true)
    }

    /// Whoever is asked may take their time, and somebody else may write meanwhile: what was shown
    /// as new is not to replace that.
    async fn expect_no_newcomers(&self) -> Result<(), CliError> {
        let new = self.items.iter().filter(|(_, fate)| *fate == Fate::New);
        let new: Vec<source::Item> = new.map(|(item, _)| source::Item::new(&item.path, None)).collect();
        let present = self.target.get_many(&new).await;
        match new.iter().zip(present).find(|(_, answer)| answer.is_ok()) {
            Some((item, _)) => Err(CliError::world(format!(
                "`{}` was stored in {} while you were asked; nothing was done",
                item.path,
                self.target.place()
            ))
            .hint("repeat the command to see what would happen now")),
            None => Ok(()),
        }
    }

    /// Those that will be written.
    fn written(&self) -> impl Iterator<Item = &Item> {
        let is_written = |fate: Fate| fate == Fate::New || (fate == Fate::Differs && self.replaces);
        self.items.iter().filter(move |(_, fate)| is_written(*fate)).map(|(item, _)| item)
    }

    /// What the audit log says of an item.
    fn use_of(&self, item: &Item) -> Use {
        let source = format!("{}, from {}", self.target.place(), item.from);
        Use { action: AuditAction::Set, secret: item.path.clone(), source: Some(source), ..Use::default() }
    }

    /// Writes all that is to be written, and reads each back.
    async fn write(&self) -> Result<(), CliError> {
        let items: Vec<NewItem> = self
            .written()
            .filter_map(|item| {
                let value = item.value.clone().ok()?;
                Some(NewItem { path: item.path.clone(), value, remark: item.remark.clone() })
            })
            .collect();
        let failed = |path: &str, error: SourceError| {
            CliError::of_source(format!("cannot write `{path}` to {}", self.target.place()), &error)
                .hint("what was written so far stays: repeat the command to continue")
        };
        for (item, answer) in items.iter().zip(self.target.set_many(&items).await) {
            for warning in answer.map_err(|error| failed(&item.path, error))?.warnings {
                output::line(&format!("note: {warning}"));
            }
        }
        let wanted: Vec<source::Item> =
            items.iter().map(|item| source::Item::new(&item.path, None)).collect();
        for (item, answer) in items.iter().zip(self.target.get_many(&wanted).await) {
            let (back, _) = answer.map_err(|error| failed(&item.path, error))?;
            if !format::is_same_document(&back, &item.value) {
                let (place, path) = (self.target.place(), &item.path);
                return Err(CliError::world(format!("{place} returned a different value for `{path}`"))
                    .hint(format!(
                        "check it: {}",
                        typed(["doppio", "secret", "get", &format!("{}:{path}", self.target.kind().scheme)])
                    )));
            }
        }
        Ok(())
    }

    /// The end of a transfer that did not replace what differs.
    pub(super) fn complain(&self) -> Result<(), CliError> {
        if self.left() == 0 {
            return Ok(());
        }
        let verb = if self.left() == 1 { "differs" } else { "differ" };
        Err(CliError::world(format!(
            "{} in {} {verb} and was left alone",
            secrets(self.left()),
            self.target.place()
        ))
        .hint("repeat the command with `--override` to replace what is there"))
    }
}

impl Plan<'_> {
    /// The end of a transfer that should have taken everything.
    pub(super) fn complain_of_refused(&self) -> Result<(), CliError> {
        match self.count(Fate::Refused) {
            0 => Ok(()),
            count => Err(CliError::world(format!(
                "{} could not be written: see the lines with `refused`",
                secrets(count)
            ))),
        }
    }
}

/// Asks for a yes.
pub(super) fn ask(question: &str, context: &Context) -> Result<bool, CliError> {
    terminal::ask(question, "repeat the command with `--yes`, or preview with `--dry-run`", context)
}

pub(super) fn secrets(count: usize) -> String {
    if count == 1 { "1 secret".to_owned() } else { format!("{count} secrets") }
}
