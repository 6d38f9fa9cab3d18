//! Parameter Store of AWS Systems Manager. A version is its number or one of its labels. What
//! Doppio writes is a `SecureString`.

#![expect(
    clippy::disallowed_methods,
    reason = "a value goes into a request, and the items of an answer are read out of its text"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use doppio_secrets::SecretValue;
use doppio_secrets::looks_like_name;
use doppio_secrets::source::Answer;
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
use doppio_text::shell::typed;

use crate::aws::account::KEYS;
use crate::aws::api::Api;
use crate::aws::batch::Partial;
use crate::aws::batch::broken_off;
use crate::aws::batch::by_name;
use crate::aws::batch::rest;
use crate::aws::body;
use crate::aws::call::Call;
use crate::aws::metadata::Moment;
use crate::aws::parameter;
use crate::aws::parameter::Found;
use crate::aws::parameter::full;
use crate::aws::parameter::selected;
use crate::aws::refusal::Failure;
use crate::aws::reply::Object;
use crate::aws::service::PARAMETERS;

/// How it is made.
pub(crate) const SOURCE: RemoteSource =
    RemoteSource { kind: &KIND, open: |setup| Arc::new(ParameterStore::new(setup)) };

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
struct ParameterStore {
    api: Api,
    /// Cleared when these credentials may not ask for several at once.
    may_batch: AtomicBool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Missing {
    invalid_parameters: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    parameters: Option<Vec<Found>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(default)]
    version: i64,
}

impl ParameterStore {
    fn new(setup: Setup) -> Self {
        Self { api: Api::new(setup, KIND.scheme, &PARAMETERS), may_batch: AtomicBool::new(true) }
    }

    /// The parameter; not decrypted unless `plain`.
    async fn one(&self, item: &Item, plain: bool) -> Answer<(SecretValue, Metadata)> {
        let call = Call::reading("ssm:GetParameter", &item.path);
        self.fetch(call, item, plain).await.map_err(|failure| failure.told(call))
    }

    async fn fetch(
        &self,
        call: Call<'_>,
        item: &Item,
        plain: bool,
    ) -> Result<(SecretValue, Metadata), Failure> {
        let name = selected(&item.path, item.version.as_deref());
        let reply = self.api.ask(call, &json!({ "Name": name, "WithDecryption": plain })).await?;
        let found = reply.object().member("Parameter")?;
        let found = found.map(|found| parameter::read(&item.path, found)).transpose()?.flatten();
        // What is not there is an error of AWS: an answer without a value is none of AWS.
        found.ok_or(Failure::Nonsense)
    }

    async fn many(&self, items: &[Item], plain: bool) -> Vec<Result<(SecretValue, Metadata), SourceError>> {
        let call = Call::reading("ssm:GetParameters", "");
        let mut found: Partial<(SecretValue, Metadata)> = vec![None; items.len()];
        let together = by_name(items);
        for chunk in together.chunks(LARGEST).filter(|_| together.len() > 1) {
            if !self.may_batch.load(Ordering::Relaxed) {
                break;
            }
            if let Err(failure) = self.together(call, items, chunk, plain, &mut found).await {
                // One name that may not be read spoils the call for all.
                let is_final = failure.is_denied();
                broken_off(failure, &self.may_batch, is_final, call, chunk, &mut found);
            }
        }
        rest(items, found, |item| self.one(item, plain)).await
    }

    async fn together(
        &self,
        call: Call<'_>,
        items: &[Item],
        chunk: &[usize],
        plain: bool,
        found: &mut Partial<(SecretValue, Metadata)>,
    ) -> Result<(), Failure> {
        let name = |at: usize| selected(&items[at].path, items[at].version.as_deref());
        let names: Vec<String> = chunk.iter().map(|&at| name(at)).collect();
        let reply = self.api.ask(call, &json!({ "Names": names, "WithDecryption": plain })).await?;
        let Missing { invalid_parameters } = reply.object().metadata()?;
        for missing in invalid_parameters.into_iter().flatten() {
            for &at in chunk.iter().filter(|&&at| name(at) == missing) {
                found[at] = Some(Err(SourceError::Missing));
            }
        }
        for entry in reply.object().items("Parameters")? {
            let entry = Object(entry.expose());
            let Found { name: called, selector, .. } = entry.metadata()?;
            let full = format!("{}{}", called.unwrap_or_default(), selector.unwrap_or_default());
            if let Some(&at) = chunk.iter().find(|&&at| name(at) == full) {
                found[at] = parameter::read(&items[at].path, entry)?.map(Ok);
            }
        }
        Ok(())
    }

    async fn all(&self, call: Call<'_>) -> Result<Vec<(String, Metadata)>, Failure> {
        let mut pages = self.api.pages(call, json!({ "MaxResults": 50 }));
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let Listed { parameters } = page?.object().metadata()?;
            for entry in parameters.into_iter().flatten() {
                let Some(name) = &entry.name else { continue };
                found.push((name.clone(), entry.metadata(name)));
            }
        }
        Ok(found)
    }

    async fn history(&self, call: Call<'_>) -> Result<Vec<Version>, Failure> {
        let request = json!({ "Name": full(call.path), "WithDecryption": false, "MaxResults": 50 });
        let mut pages = self.api.pages(call, request);
        let mut versions: Vec<(i64, Version)> = Vec::new();
        while let Some(page) = pages.next().await {
            let Listed { parameters } = page?.object().metadata()?;
            versions.extend(parameters.into_iter().flatten().map(|entry| {
                let version = Version {
                    id: entry.version.to_string(),
                    created: entry.last_modified_date.and_then(Moment::timestamp),
                    labels: entry.labels.unwrap_or_default(),
                    current: false,
                    readable: true,
                };
                (entry.version, version)
            }));
        }
        versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        if let Some((_, newest)) = versions.first_mut() {
            newest.current = true;
        }
        Ok(versions.into_iter().map(|(_, version)| version).collect())
    }
}

#[async_trait]
impl Source for ParameterStore {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        match self.api.region() {
            Some(region) if looks_like_name(&region) => format!("AWS Parameter Store in {region}"),
            _ => "AWS Parameter Store".to_owned(),
        }
    }

    fn remedy(&self, path: &str) -> String {
        let name = path.trim_start_matches('/');
        format!(
            "run {}, or look at the names with `aws ssm describe-parameters`",
            typed(["doppio", "secret", "set", name, "--in", "ssm"])
        )
    }

    async fn check(&self) -> Answer<()> {
        let call = Call::reading("ssm:DescribeParameters", "");
        match self.api.ask(call, &json!({ "MaxResults": 1 })).await {
            Ok(page) => {
                let listed = page.object().metadata::<Listed>();
                listed.map(drop).map_err(|failure| failure.told(call))
            }
            // Credentials that may not list are known anyway.
            Err(failure) if failure.is_denied() => Ok(()),
            Err(failure) => Err(failure.told(call)),
        }
    }

    async fn get(&self, path: &str, version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        self.one(&Item::new(path, version), true).await
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        self.many(items, true).await
    }

    /// What is not decrypted is not a secret yet: the same rights are enough, and no value is
    /// shown.
    async fn locate(&self, path: &str, version: Option<&str>) -> Answer<Metadata> {
        self.one(&Item::new(path, version), false).await.map(|(_, metadata)| metadata)
    }

    async fn locate_many(&self, items: &[Item]) -> Vec<Answer<Metadata>> {
        let found = self.many(items, false).await;
        found.into_iter().map(|answer| answer.map(|(_, metadata)| metadata)).collect()
    }

    /// A description that is not given stays as it is.
    async fn set(&self, path: &str, value: &SecretValue, remark: &Remark) -> Answer<Metadata> {
        let Ok(text) = std::str::from_utf8(value.expose()) else {
            return Err(SourceError::not_text(SERVICE));
        };
        if text.len() > STANDARD {
            return Err(SourceError::too_long(SERVICE, STANDARD));
        }
        let call = Call::writing("ssm:PutParameter", path);
        let mut request = json!({ "Name": full(path), "Type": "SecureString", "Overwrite": true });
        if let Some(note) = &remark.note {
            request["Description"] = note.as_str().into();
        }
        let reply = self.api.send(call, body::with_text(&request, "Value", text)).await;
        let done = reply.and_then(|reply| reply.object().metadata::<Written>());
        let Written { version } = done.map_err(|failure| failure.told(call))?;
        let mut metadata = Metadata {
            place: format!("AWS parameter `{path}`"),
            version: Some(version.to_string()),
            note: remark.note.clone(),
            ..Metadata::default()
        };
        if remark.expires.is_some() {
            metadata.warnings.push("Parameter Store does not store when it expires".to_owned());
        }
        Ok(metadata)
    }

    async fn delete(&self, path: &str) -> Answer<()> {
        let call = Call::reading("ssm:DeleteParameter", path);
        let done = self.api.ask(call, &json!({ "Name": full(path) })).await;
        done.map(drop).map_err(|failure| failure.told(call))
    }

    async fn list(&self) -> Answer<Vec<(String, Metadata)>> {
        let call = Call::reading("ssm:DescribeParameters", "");
        self.all(call).await.map_err(|failure| failure.told(call))
    }

    async fn versions(&self, path: &str) -> Answer<Vec<Version>> {
        let call = Call::reading("ssm:GetParameterHistory", path);
        self.history(call).await.map_err(|failure| failure.told(call))
    }
}
