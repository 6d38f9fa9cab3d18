//! The few calls of the Kubernetes API that Secrets take.
//!
//! Answers are read here and not by the client's own reader, whose errors (and traces) may quote
//! what it could not understand.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::SourceError;

use super::client::Ask;
use super::client::Client;
use super::client::Method;
use super::kubeconfig::Hidden;
use super::refusal::Failure;
use super::refusal::SERVER;
use super::refusal::is_conflict;
use super::refusal::told;

/// Rows of one page of a list.
const PAGE: &str = "500";

/// The field manager, as the cluster records it.
const MANAGER: (&str, &str) = ("fieldManager", "doppio");

/// The whole of an object.
const JSON: &str = "application/json";

/// A change of an object: RFC 7396.
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Only what is written on an object, not what is in it.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A list as columns of text: how many values a Secret has, and none of them.
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

type Answer = Result<Zeroizing<Vec<u8>>, SourceError>;

/// A cluster, as one user sees it.
pub(super) struct Api {
    client: Client,
    /// Where a name without a namespace is looked for.
    pub namespace: String,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// What Kubernetes knows of every object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub name: Option<String>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub creation_timestamp: Option<jiff::Timestamp>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    managed_fields: Option<Vec<Managed>>,
}

/// What somebody wrote of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    #[serde(default)]
    fields_v1: serde_json::Value,
}

/// What stands on a Secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub metadata: Metadata,
}

/// What is in it too.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub written: Written,
    pub data: BTreeMap<String, SecretValue>,
}

/// One row of a list.
#[derive(Debug)]
pub(super) struct Row {
    pub written: Written,
    /// The keys, if they can be known without reading values: all or none.
    pub keys: Vec<String>,
}

#[derive(Deserialize)]
struct WholeSecret {
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    data: Option<BTreeMap<String, Hidden>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    #[serde(default)]
    metadata: PageEnd,
    #[serde(default)]
    column_definitions: Vec<Column>,
    #[serde(default)]
    rows: Option<Vec<TableRow>>,
}

#[derive(Default, Deserialize)]
struct PageEnd {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
struct TableRow {
    cells: Vec<serde_json::Value>,
    object: Written,
}

#[derive(Deserialize)]
struct Review {
    status: Option<Rules>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    #[serde(default)]
    resource_rules: Vec<Rule>,
    #[serde(default)]
    incomplete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    api_groups: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
}

fn secrets(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

fn secret(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

fn of_secrets(failure: Failure) -> SourceError {
    told(failure, "secrets")
}

impl Api {
    pub(super) fn new(client: Client, namespace: String) -> Self {
        Self { client, namespace }
    }

    async fn read(&self, path: String, query: &[(&str, &str)], accept: &'static str) -> Answer {
        let ask = Ask { method: Method::GET, path, query, accept, body: None };
        self.client.send(&ask).await.map_err(of_secrets)
    }

    /// A Secret with its values.
    pub(super) async fn get(&self, namespace: &str, name: &str) -> Result<Found, SourceError> {
        let whole: WholeSecret = parse(&self.read(secret(namespace, name), &[], JSON).await?)?;
        if whole.kind != "Secret" || whole.metadata.name.as_deref() != Some(name) {
            return Err(SERVER.nonsense());
        }
        let data = whole.data.unwrap_or_default().into_iter();
        let decoded = data.map(|(key, text)| {
            let bytes = BASE64.decode(text.as_str().as_bytes()).map_err(|_| SERVER.nonsense())?;
            Ok((key, SecretValue::new(bytes)))
        });
        Ok(Found {
            written: Written { metadata: whole.metadata },
            data: decoded.collect::<Result<_, SourceError>>()?,
        })
    }

    /// What stands on a Secret; no value is sent.
    pub(super) async fn look(&self, namespace: &str, name: &str) -> Result<Written, SourceError> {
        let written: Written = parse(&self.read(secret(namespace, name), &[], METADATA_ONLY).await?)?;
        if written.metadata.name.as_deref() == Some(name) { Ok(written) } else { Err(SERVER.nonsense()) }
    }

    /// Creates a Secret; none if one of this name exists.
    pub(super) async fn create(
        &self,
        namespace: &str,
        secret: &serde_json::Value,
    ) -> Result<Option<Written>, SourceError> {
        let answer = self.write(Method::POST, secrets(namespace), &[MANAGER], JSON, secret).await?;
        answer.map(|answer| parse(&answer)).transpose()
    }

    /// Changes a Secret; none if another writer was faster.
    pub(super) async fn patch(
        &self,
        namespace: &str,
        name: &str,
        change: &serde_json::Value,
    ) -> Result<Option<Written>, SourceError> {
        let path = secret(namespace, name);
        let answer = self.write(Method::PATCH, path, &[MANAGER], MERGE_PATCH, change).await?;
        answer.map(|answer| parse(&answer)).transpose()
    }

    /// Removes a Secret that is still what was read; false if another writer was faster.
    pub(super) async fn delete(
        &self,
        namespace: &str,
        name: &str,
        read: &Metadata,
    ) -> Result<bool, SourceError> {
        let options = json!({
            "preconditions": { "uid": read.uid, "resourceVersion": read.resource_version },
        });
        let path = secret(namespace, name);
        // What it answers does not matter: the Secret is gone.
        Ok(self.write(Method::DELETE, path, &[], JSON, &options).await?.is_some())
    }

    /// The answer; none if another writer was faster.
    async fn write(
        &self,
        method: Method,
        path: String,
        query: &[(&str, &str)],
        kind: &'static str,
        body: &serde_json::Value,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        let body = Zeroizing::new(body.to_string());
        let ask = Ask { method, path, query, accept: JSON, body: Some((kind, body.as_bytes())) };
        match self.client.send(&ask).await {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if is_conflict(&failure) => Ok(None),
            Err(failure) => Err(of_secrets(failure)),
        }
    }

    /// All Secrets of a namespace, page by page; no value is sent.
    pub(super) async fn list(&self, namespace: &str) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let token = next.take();
            let mut query = vec![("limit", PAGE)];
            query.extend(token.as_deref().map(|token| ("continue", token)));
            let table: Table = parse(&self.read(secrets(namespace), &query, TABLE).await?)?;
            let count = table.column_definitions.iter().position(|column| column.name == "Data");
            rows.extend(table.rows.unwrap_or_default().into_iter().map(|row| {
                let count = count.and_then(|at| row.cells.get(at)?.as_u64());
                let keys = keys(&row.object.metadata, count);
                Row { written: row.object, keys }
            }));
            match table.metadata.next.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token),
                None => return Ok(rows),
            }
        }
    }

    /// Whether some Secret may be read here, as the cluster itself says.
    pub(super) async fn may_read(&self, namespace: &str) -> Result<(), SourceError> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace },
        });
        let body = review.to_string();
        let ask = Ask {
            method: Method::POST,
            path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews".to_owned(),
            query: &[],
            accept: JSON,
            body: Some((JSON, body.as_bytes())),
        };
        let answer = self.client.send(&ask).await;
        let answer = answer.map_err(|failure| told(failure, "selfsubjectrulesreviews"))?;
        let review: Review = parse(&answer)?;
        let has = |list: &[String], wanted: &str| list.iter().any(|found| found == wanted || found == "*");
        let allows = |rule: &Rule| {
            has(&rule.verbs, "get") && has(&rule.api_groups, "") && has(&rule.resources, "secrets")
        };
        match review.status {
            Some(rules) if rules.incomplete || rules.resource_rules.iter().any(allows) => Ok(()),
            Some(_) => Err(SourceError::not_allowed(
                format!("reading Secrets in the namespace `{namespace}` is not allowed"),
                format!(
                    "ask for the verb `get` on `secrets`; see `kubectl auth can-i --list --namespace {namespace}`"
                ),
            )),
            None => Err(SERVER.nonsense()),
        }
    }
}

/// The keys according to `managedFields`, if those have all.
fn keys(metadata: &Metadata, count: Option<u64>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for manager in metadata.managed_fields.iter().flatten() {
        let data = manager.fields_v1.get("f:data").and_then(serde_json::Value::as_object);
        keys.extend(
            data.into_iter()
                .flat_map(|data| data.keys())
                .filter_map(|key| key.strip_prefix("f:"))
                .map(str::to_owned),
        );
    }
    keys.sort_unstable();
    keys.dedup();
    if count == u64::try_from(keys.len()).ok() { keys } else { Vec::new() }
}

/// The parser's own words may quote a value, so they are dropped.
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, SourceError> {
    serde_json::from_slice(text).map_err(|_| SERVER.nonsense())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(text: &str) -> Metadata {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn keys_are_told_only_if_all_are_known() {
        let books = metadata(
            r#"{"managedFields": [
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:b": {}}, "f:type": {}}},
                {"manager": "doppio", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}}
            ]}"#,
        );
        assert_eq!(keys(&books, Some(2)), ["a", "b"]);
        assert!(keys(&books, Some(3)).is_empty());
        assert!(keys(&books, None).is_empty());
    }

    #[test]
    fn an_answer_that_is_none_is_not_quoted() {
        for text in ["hunter2", r#"{"data": {"a": "hunter2!"}}"#, r#"{"data": "hunter2"}"#, "<html>"] {
            let error = parse::<WholeSecret>(text.as_bytes()).err().unwrap();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
