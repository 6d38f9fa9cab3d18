//! Documents: items that are JSON objects, or records whose members the source keeps apart.

use async_trait::async_trait;

use crate::SecretValue;
use crate::format;
use crate::source::Answer;
use crate::source::Kind;
use crate::source::Metadata;
use crate::source::NewItem;
use crate::source::Remark;
use crate::source::Source;
use crate::source::SourceError;

/// Sets members of the document at `path`, and leaves its others as they are. The document is made if it
/// does not exist.
///
/// # Errors
///
/// When it can't be read or written, or is not a document.
pub async fn write_members(
    source: &dyn Source,
    path: &str,
    members: &[(&str, &SecretValue)],
    remark: &Remark,
) -> Answer<Metadata> {
    let apart: Option<Vec<String>> =
        members.iter().map(|(key, _)| source.member_to_write(path, key)).collect();
    // One write where the source has one for that; where it keeps members apart, one for each.
    if let Some(paths) = apart.filter(|paths| paths.len() == 1 || source.keeps_members()) {
        let mut metadata = Metadata::default();
        for (path, (_, value)) in paths.iter().zip(members) {
            metadata = source.set(path, value, remark).await?;
        }
        return Ok(metadata);
    }
    let whole = match source.get(&source.whole(path), None).await {
        Ok((value, _)) => Some(value),
        Err(SourceError::Missing | SourceError::Absent { .. }) => None,
        Err(error) => return Err(error),
    };
    let new = format::with_members(whole.as_ref(), members);
    let new = new.map_err(|why| SourceError::unfit(format!("`{path}` can't get members: {why}")))?;
    source.set(path, &new, remark).await
}

/// The members of one document as the items of a source, each as `PATH#KEY`: what is written together is
/// written at once.
#[derive(Debug)]
pub struct Document<'a> {
    source: &'a dyn Source,
    path: String,
}

impl<'a> Document<'a> {
    /// The document at this path, which need not exist.
    pub fn new(source: &'a dyn Source, path: String) -> Self {
        Self { source, path }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key that a path ends with.
    fn key<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(&self.path).and_then(|rest| rest.strip_prefix('#')).unwrap_or(path)
    }
}

#[async_trait]
impl Source for Document<'_> {
    fn kind(&self) -> &'static Kind {
        self.source.kind()
    }

    fn place(&self) -> String {
        format!("`{}` in {}", self.path, self.source.place())
    }

    fn remedy(&self, path: &str) -> String {
        self.source.remedy(path)
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        let key = self.key(path);
        if self.source.keeps_members() {
            let member = self.source.member_to_write(&self.path, key).ok_or(SourceError::Missing)?;
            return self.source.get(&member, version).await;
        }
        let (whole, metadata) = self.source.get(&self.source.whole(&self.path), version).await?;
        let found = format::json_member(whole.plain(), &[key]);
        Ok((found.ok_or(SourceError::Missing)?, metadata))
    }

    async fn set_many(&self, items: &[NewItem]) -> Vec<Answer<Metadata>> {
        let members: Vec<(&str, &SecretValue)> =
            items.iter().map(|item| (self.key(&item.path), &item.value)).collect();
        let answer = write_members(self.source, &self.path, &members, &Remark::default()).await;
        match answer {
            Ok(metadata) => items.iter().map(|_| Ok(metadata.clone())).collect(),
            Err(error) => vec![Err(error)],
        }
    }
}
