//! Why a name has the value that it has: every rung, what it answered, who won.

use doppio_text::name::SecretName;

use crate::Ladder;
use crate::Origin;
use crate::SecretRef;
use crate::ladder::ask::Question;
use crate::ladder::ask::ask;
use crate::ladder::rungs::OnError;
use crate::ladder::rungs::RungPlace;
use crate::ladder::rungs::RungSource;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::vendor;

/// What binds names, in the order of the rungs.
const BOUND: [&str; 2] = ["`--secret`", "`[secrets]` of the settings"];

/// The last rung that binds names.
const BINDINGS: u8 = 2;

/// Every rung that was asked for a reference, in order. No value is in it, nor a value's length.
#[derive(Debug, Clone)]
pub struct Trail {
    /// The rungs.
    pub asked: Vec<Asked>,
}

/// One question to one rung.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The rung's number; none for a reference that names its source.
    pub rung: Option<u8>,
    /// Who was asked, as in "the environment".
    pub place: String,
    /// What was looked for there, as in `HF_TOKEN`, with the property if one was.
    pub path: String,
    /// Its answer.
    pub outcome: Outcome,
}

/// A rung's answer.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It has it, and is the first one.
    Won(Box<Metadata>),
    /// It has one too, which is shadowed.
    Shadowed(Box<Metadata>),
    /// It does not have it.
    Missing,
    /// This machine has no such source, or the rung is off.
    Absent(String),
    /// It could not be asked, or refused.
    Failed {
        /// Its words.
        cause: String,
        /// What to do.
        hint: Option<String>,
        /// Whether the search ends here.
        stops: bool,
    },
}

impl Trail {
    /// The rung that won, and what is known of the value.
    pub fn winner(&self) -> Option<(&Asked, &Metadata)> {
        self.asked.iter().find_map(|asked| match &asked.outcome {
            Outcome::Won(metadata) => Some((asked, metadata.as_ref())),
            _ => None,
        })
    }
}

impl Ladder {
    /// Asks every rung, those after a hit too.
    pub async fn trail(&self, reference: &SecretRef) -> Trail {
        let mut trail = Maker { asked: Vec::new(), over: false, stop: self.on_error == OnError::Stop };
        match &reference.origin {
            Origin::Source { scheme, path } => {
                let properties: Vec<&str> = reference.property.iter().map(String::as_str).collect();
                let question =
                    Question { properties: &properties, version: reference.version.as_deref(), read: false };
                match self.source(scheme) {
                    Ok(source) => trail.ask(None, source, path, question).await,
                    Err(error) => {
                        let error = SourceError::Unfit { cause: error.to_string() };
                        trail.note(None, scheme.clone(), path.clone(), Err(error));
                    }
                }
            }
            Origin::Name(name) => self.trail_of_name(name, reference, &mut trail).await,
        }
        Trail { asked: trail.asked }
    }

    async fn trail_of_name(&self, name: &SecretName, reference: &SecretRef, trail: &mut Maker) {
        let properties: Vec<&str> = reference.property.iter().map(String::as_str).collect();
        let question =
            Question { properties: &properties, version: reference.version.as_deref(), read: false };
        for (number, (all, place)) in (1..).zip(self.bound.iter().zip(BOUND)) {
            let Some(bound) = all.get(name) else {
                trail.note(Some(number), place.to_owned(), name.to_string(), Err(SourceError::Missing));
                continue;
            };
            let answer = self.follow(bound, question).await;
            let answer = answer.map(|found| found.metadata).map_err(|(_, error)| error);
            trail.note(Some(number), bound.by.clone(), bound.reference.to_string(), answer);
        }
        for rung in &self.rungs {
            let number = Some(rung.number);
            // A rung that the settings leave out is shown as well: no number is missing then.
            if let RungSource::Off { place, cause } = &rung.source {
                let answer = Err(SourceError::Absent { cause: (*cause).to_owned() });
                trail.note(number, place.clone(), name.to_string(), answer);
            }
            let places = rung.places_of(name, question.version);
            if places.is_empty() {
                for (source, path, _) in rung.places(name) {
                    let answer = Err(SourceError::Absent { cause: "it keeps no versions".to_owned() });
                    trail.note(number, source.place(), path, answer);
                }
            }
            for RungPlace { source, path, property: first, version } in places {
                let properties: Vec<&str> =
                    first.as_deref().into_iter().chain(question.properties.iter().copied()).collect();
                trail
                    .ask(number, source, &path, Question { properties: &properties, version, ..question })
                    .await;
            }
        }
    }
}

struct Maker {
    asked: Vec<Asked>,
    /// Somebody has won, or the search has stopped.
    over: bool,
    /// A failure ends the search.
    stop: bool,
}

impl Maker {
    async fn ask(&mut self, rung: Option<u8>, source: &dyn Source, path: &str, question: Question<'_>) {
        let answer = ask(source, path, question).await.map(|found| found.metadata);
        // Of the many variables that people use, only those that are set say something.
        let is_nothing = matches!(answer, Err(SourceError::Missing | SourceError::Absent { .. }));
        if is_nothing && rung.is_some() && vendor::is_alias(path) {
            return;
        }
        let parts: Vec<&str> = std::iter::once(path).chain(question.properties.iter().copied()).collect();
        self.note(rung, source.place(), parts.join("#"), answer);
    }

    fn note(&mut self, rung: Option<u8>, place: String, path: String, answer: Result<Metadata, SourceError>) {
        let outcome = match answer {
            Ok(metadata) if self.over => Outcome::Shadowed(Box::new(metadata)),
            Ok(metadata) => {
                self.over = true;
                Outcome::Won(Box::new(metadata))
            }
            Err(SourceError::Missing) => Outcome::Missing,
            // One that a reference or a binding names is not a rung that may be left out.
            Err(SourceError::Absent { cause }) if rung.is_some_and(|rung| rung > BINDINGS) => {
                Outcome::Absent(cause)
            }
            Err(error) => {
                let stops = self.stop && !self.over;
                self.over |= stops;
                Outcome::Failed { hint: error.hint().map(str::to_owned), cause: error.to_string(), stops }
            }
        };
        self.asked.push(Asked { rung, place, path, outcome });
    }
}
