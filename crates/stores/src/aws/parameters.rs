//! Parameter Store of AWS Systems Manager. A version is its number or one of its labels. What
//! Doppio writes is a `SecureString`.

#![expect(clippy::disallowed_methods, reason = "values go into the body of a request")]

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types::Parameter;
use aws_sdk_ssm::types::ParameterType;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Answer;
use doppio_secrets::source::Answers;
use doppio_secrets::source::DEADLINE;
use doppio_secrets::source::Item;
use doppio_secrets::source::Kind;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Remark;
use doppio_secrets::source::RemoteKind;
use doppio_secrets::source::RemoteSource;
use doppio_secrets::source::Setup;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;
use doppio_secrets::source::Version;

use crate::aws::CALLS;
use crate::aws::KEYS;
use crate::aws::account::Account;
use crate::aws::fault::Deed;
use crate::aws::fault::Trouble;
use crate::aws::time;

/// How it is made.
pub(crate) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(Parameters::new(setup)) };

static KIND: Kind = Kind {
    scheme: "ssm",
    summary: "AWS Parameter Store: the name of a parameter, or its ARN",
    writes: true,
    versions: true,
    remote: Some(RemoteKind { deadline: DEADLINE, batch: LARGEST, keys: KEYS }),
};

/// Parameters that one `GetParameters` takes.
const LARGEST: usize = 10;

/// What a standard parameter holds, in bytes.
const STANDARD: usize = 4096;
const SERVICE: &str = "Parameter Store (standard tier)";

/// The source `ssm`.
#[derive(Debug)]
struct Parameters {
    account: Account,
    /// Cleared when these credentials may not ask for several at once.
    may_batch: AtomicBool,
}

/// What AWS calls a parameter: a name with a slash in it must begin with one.
fn full(path: &str) -> Cow<'_, str> {
    let is_whole = path.starts_with('/') || path.starts_with("arn:") || !path.contains('/');
    if is_whole { Cow::Borrowed(path) } else { Cow::Owned(format!("/{path}")) }
}

/// What AWS calls a version of a parameter.
fn selected(path: &str, version: Option<&str>) -> String {
    match version {
        None | Some("latest") => full(path).into_owned(),
        Some(version) => format!("{}:{version}", full(path)),
    }
}

fn date(date: Option<&DateTime>) -> Option<jiff::Timestamp> {
    date.and_then(time)
}

impl Parameters {
    fn new(setup: Setup) -> Self {
        Self {
            account: Account::new(setup, KIND.scheme, "AWS_ENDPOINT_URL_SSM"),
            may_batch: AtomicBool::new(true),
        }
    }

    async fn client(&self, path: &str) -> Result<Client, SourceError> {
        Ok(Client::new(&self.account.config(path).await?))
    }

    /// The parameter; not decrypted unless `plain`.
    async fn one(&self, item: &Item, plain: bool) -> Result<(SecretValue, Metadata), SourceError> {
        let deed = Deed { action: "ssm:GetParameter", path: &item.path, writes: false };
        let name = selected(&item.path, item.version.as_deref());
        let ask = self.client(&item.path).await?.get_parameter().name(name).with_decryption(plain);
        let found = ask.send().await.map_err(|error| Trouble::of(&error).tell(deed))?;
        let found = found.parameter.and_then(|found| parameter(&item.path, found));
        // What is not there is an error of AWS: an answer without a value is none of AWS.
        found.ok_or_else(|| Trouble::Garbled.tell(deed))
    }

    async fn many(&self, items: &[Item], plain: bool) -> Vec<Result<(SecretValue, Metadata), SourceError>> {
        let mut found = vec![None; items.len()];
        let together: Vec<usize> =
            (0..items.len()).filter(|&at| !items[at].path.starts_with("arn:")).collect();
        if together.len() > 1 {
            for chunk in together.chunks(LARGEST) {
                if self.may_batch.load(Ordering::Relaxed) {
                    self.together(items, chunk, plain, &mut found).await;
                }
            }
        }
        let open: Vec<usize> = (0..items.len()).filter(|&at| found[at].is_none()).collect();
        let answers: Vec<_> = stream::iter(open)
            .map(|at| async move { (at, self.one(&items[at], plain).await) })
            .buffer_unordered(CALLS)
            .collect()
            .await;
        for (at, answer) in answers {
            found[at] = Some(answer);
        }
        found.into_iter().map(|answer| answer.unwrap_or(Err(SourceError::Missing))).collect()
    }

    async fn together(
        &self,
        items: &[Item],
        chunk: &[usize],
        plain: bool,
        found: &mut [Option<Result<(SecretValue, Metadata), SourceError>>],
    ) {
        let deed = Deed { action: "ssm:GetParameters", path: "", writes: false };
        let name = |at: usize| selected(&items[at].path, items[at].version.as_deref());
        let names = chunk.iter().map(|&at| name(at)).collect();
        let client = match self.client("").await {
            Ok(client) => client,
            Err(error) => return chunk.iter().for_each(|&at| found[at] = Some(Err(error.clone()))),
        };
        let ask = client.get_parameters().set_names(Some(names)).with_decryption(plain);
        let page = match ask.send().await {
            Ok(page) => page,
            Err(error) => match Trouble::of(&error) {
                // One name that may not be read spoils the call for all: these are asked one by one.
                trouble if trouble.is_about_the_call() => {
                    self.may_batch.store(!trouble.is_denied(), Ordering::Relaxed);
                    return;
                }
                trouble => {
                    let fault = trouble.tell(deed);
                    return chunk.iter().for_each(|&at| found[at] = Some(Err(fault.clone())));
                }
            },
        };
        for missing in page.invalid_parameters() {
            for &at in chunk.iter().filter(|&&at| name(at) == *missing) {
                found[at] = Some(Err(SourceError::Missing));
            }
        }
        for entry in page.parameters.into_iter().flatten() {
            let full =
                format!("{}{}", entry.name().unwrap_or_default(), entry.selector().unwrap_or_default());
            if let Some(&at) = chunk.iter().find(|&&at| name(at) == full) {
                found[at] = parameter(&items[at].path, entry).map(Ok);
            }
        }
    }

    /// A description that is not given stays as it is.
    async fn put(&self, path: &str, value: &SecretValue, remark: &Remark) -> Result<Metadata, SourceError> {
        let text = value.reveal(<[u8]>::to_vec);
        let Ok(text) = std::str::from_utf8(&text) else {
            return Err(SourceError::not_text(SERVICE));
        };
        if text.len() > STANDARD {
            return Err(SourceError::too_long(SERVICE, STANDARD));
        }
        let deed = Deed { action: "ssm:PutParameter", path, writes: true };
        let ask = self.client(path).await?.put_parameter().name(full(path)).value(text).overwrite(true);
        let ask = ask.r#type(ParameterType::SecureString).set_description(remark.note.clone());
        let done = ask.send().await.map_err(|error| Trouble::of(&error).tell(deed))?;
        let mut facts = Metadata {
            place: format!("AWS parameter `{path}`"),
            version: Some(done.version().to_string()),
            note: remark.note.clone(),
            ..Metadata::default()
        };
        if remark.expires.is_some() {
            facts.warnings.push("Parameter Store does not store when it expires".to_owned());
        }
        Ok(facts)
    }

    async fn remove(&self, path: &str) -> Result<(), SourceError> {
        let deed = Deed { action: "ssm:DeleteParameter", path, writes: false };
        let done = self.client(path).await?.delete_parameter().name(full(path)).send().await;
        done.map(drop).map_err(|error| Trouble::of(&error).tell(deed))
    }

    async fn all(&self) -> Result<Vec<(String, Metadata)>, SourceError> {
        let deed = Deed { action: "ssm:DescribeParameters", path: "", writes: false };
        let mut pages = self.client("").await?.describe_parameters().max_results(50).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Trouble::of(&error).tell(deed))?;
            for entry in page.parameters() {
                let Some(name) = entry.name() else { continue };
                let facts = Metadata {
                    place: format!("AWS parameter `{name}`"),
                    version: Some(entry.version().to_string()),
                    created: date(entry.last_modified_date()),
                    note: entry.description().filter(|note| !note.is_empty()).map(str::to_owned),
                    ..Metadata::default()
                };
                found.push((name.to_owned(), facts));
            }
        }
        Ok(found)
    }

    async fn history(&self, path: &str) -> Result<Vec<Version>, SourceError> {
        let deed = Deed { action: "ssm:GetParameterHistory", path, writes: false };
        let ask = self.client(path).await?.get_parameter_history().name(full(path)).with_decryption(false);
        let mut pages = ask.max_results(50).into_paginator().send();
        let mut versions: Vec<(i64, Version)> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Trouble::of(&error).tell(deed))?;
            versions.extend(page.parameters().iter().map(|entry| {
                let version = Version {
                    id: entry.version().to_string(),
                    created: date(entry.last_modified_date()),
                    labels: entry.labels().to_vec(),
                    current: false,
                    readable: true,
                };
                (entry.version(), version)
            }));
        }
        versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        if let Some((_, newest)) = versions.first_mut() {
            newest.current = true;
        }
        Ok(versions.into_iter().map(|(_, version)| version).collect())
    }

    async fn ping(&self) -> Result<(), SourceError> {
        let deed = Deed { action: "ssm:DescribeParameters", path: "", writes: false };
        match self.client("").await?.describe_parameters().max_results(1).send().await {
            Ok(_) => Ok(()),
            Err(error) => match Trouble::of(&error) {
                // Credentials that may not list are known anyway.
                trouble if trouble.is_denied() => Ok(()),
                trouble => Err(trouble.tell(deed)),
            },
        }
    }
}

fn parameter(path: &str, found: Parameter) -> Option<(SecretValue, Metadata)> {
    let facts = Metadata {
        place: format!("AWS parameter `{path}`"),
        version: Some(found.version().to_string()),
        created: date(found.last_modified_date()),
        ..Metadata::default()
    };
    Some((SecretValue::new(found.value?.into_bytes()), facts))
}

impl Source for Parameters {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        match self.account.region() {
            Some(region) => format!("AWS Parameter Store in {region}"),
            None => "AWS Parameter Store".to_owned(),
        }
    }

    fn remedy(&self, path: &str) -> String {
        let name = path.trim_start_matches('/');
        format!(
            "run `doppio secret set {name} --in ssm`, or look at the names with `aws ssm describe-parameters`"
        )
    }

    fn check(&self) -> Answer<'_, ()> {
        self.ping().boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Metadata)> {
        async move { self.one(&Item::new(path, version), true).await }.boxed()
    }

    fn get_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, (SecretValue, Metadata)> {
        self.many(items, true).boxed()
    }

    /// What is not decrypted is not a secret yet: the same rights are enough, and no value is
    /// shown.
    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Metadata> {
        async move { self.one(&Item::new(path, version), false).await.map(|(_, facts)| facts) }.boxed()
    }

    fn locate_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, Metadata> {
        async move {
            let found = self.many(items, false).await;
            found.into_iter().map(|answer| answer.map(|(_, facts)| facts)).collect()
        }
        .boxed()
    }

    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Metadata> {
        self.put(path, value, remark).boxed()
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.remove(path).boxed()
    }

    fn list(&self) -> Answer<'_, Vec<(String, Metadata)>> {
        self.all().boxed()
    }

    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        self.history(path).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_behind_the_name() {
        assert_eq!(selected("/a/b", Some("3")), "/a/b:3");
        assert_eq!(selected("/a/b", Some("latest")), "/a/b");
        assert_eq!(selected("a/b", None), "/a/b");
        assert_eq!(selected("a", Some("current")), "a:current");
    }
}
