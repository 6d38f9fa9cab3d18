//! The few calls of the Kubernetes API that Secrets take.
//!
//! Answers are read here and not by the client's own reader, whose errors (and traces) may quote
//! what it could not understand.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::core::Request;
use kube::core::params::DeleteParams;
use kube::core::params::GetParams;
use kube::core::params::ListParams;
use kube::core::params::Patch;
use kube::core::params::PatchParams;
use kube::core::params::PostParams;
use kube::core::params::Preconditions;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use doppio_secrets::SecretValue;
use doppio_secrets::source::SourceError;

use super::fault;

/// Rows of one page of a list.
const PAGE: u32 = 500;

/// The field manager, as the cluster records it.
const MANAGER: &str = "doppio";

/// Only what is written on an object, not what is in it.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A list as columns of text: how many values a Secret has, and none of them.
const TABLE: &str = "application/json;as=Table;g=meta.k8s.io;v=v1";

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

/// What stands on a Secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub metadata: ObjectMeta,
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
    metadata: ObjectMeta,
    #[serde(default)]
    data: Option<BTreeMap<String, ByteString>>,
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

fn secrets(namespace: &str) -> Request {
    Request::new(format!("/api/v1/namespaces/{namespace}/secrets"))
}

fn never(error: &kube::core::request::Error) -> SourceError {
    SourceError::unfit(format!("this can't be asked of Kubernetes: {error}"))
}

impl Api {
    pub(super) fn new(client: Client, namespace: String) -> Self {
        Self { client, namespace }
    }

    /// A Secret with its values.
    pub(super) async fn get(&self, namespace: &str, name: &str) -> Result<Found, SourceError> {
        let request = secrets(namespace).get(name, &GetParams::default()).map_err(|error| never(&error))?;
        let text = self.client.request_text(request).await;
        let text = text.map(Zeroizing::new).map_err(|error| fault::of(error, "secrets"))?;
        let whole: WholeSecret = parse(&text)?;
        if whole.kind != "Secret" || whole.metadata.name.as_deref() != Some(name) {
            return Err(fault::nonsense());
        }
        let data = whole.data.unwrap_or_default().into_iter();
        Ok(Found {
            written: Written { metadata: whole.metadata },
            data: data.map(|(key, bytes)| (key, SecretValue::new(bytes.0))).collect(),
        })
    }

    /// What stands on a Secret; no value is sent.
    pub(super) async fn look(&self, namespace: &str, name: &str) -> Result<Written, SourceError> {
        let mut request =
            secrets(namespace).get(name, &GetParams::default()).map_err(|error| never(&error))?;
        request.headers_mut().insert("accept", METADATA_ONLY.parse().expect("a header"));
        let text = self.client.request_text(request).await;
        let written: Written = parse(&Zeroizing::new(text.map_err(|error| fault::of(error, "secrets"))?))?;
        if written.metadata.name.as_deref() == Some(name) { Ok(written) } else { Err(fault::nonsense()) }
    }

    /// Creates a Secret; none if one of this name exists.
    pub(super) async fn create(
        &self,
        namespace: &str,
        secret: &serde_json::Value,
    ) -> Result<Option<Written>, SourceError> {
        let post = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let request = secrets(namespace)
            .create(&post, secret.to_string().into_bytes())
            .map_err(|error| never(&error))?;
        settle(self.client.request_text(request).await)
    }

    /// Changes a Secret; none if another writer was faster.
    pub(super) async fn patch(
        &self,
        namespace: &str,
        name: &str,
        change: &serde_json::Value,
    ) -> Result<Option<Written>, SourceError> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let request =
            secrets(namespace).patch(name, &params, &Patch::Merge(change)).map_err(|error| never(&error))?;
        settle(self.client.request_text(request).await)
    }

    /// Removes a Secret; false if another writer was faster.
    pub(super) async fn delete(
        &self,
        namespace: &str,
        name: &str,
        preconditions: Preconditions,
    ) -> Result<bool, SourceError> {
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let request = secrets(namespace).delete(name, &params).map_err(|error| never(&error))?;
        match self.client.request_text(request).await {
            Ok(_) => Ok(true),
            Err(error) if fault::is_conflict(&error) => Ok(false),
            Err(error) => Err(fault::of(error, "secrets")),
        }
    }

    /// All Secrets of a namespace, page by page; no value is sent.
    pub(super) async fn list(&self, namespace: &str) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut params = ListParams::default().limit(PAGE);
            params.continue_token = next.take();
            let mut request = secrets(namespace).list(&params).map_err(|error| never(&error))?;
            request.headers_mut().insert("accept", TABLE.parse().expect("a header"));
            let text = self.client.request_text(request).await;
            let table: Table = parse(&text.map_err(|error| fault::of(error, "secrets"))?)?;
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
        let request = Request::new("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews")
            .create(&PostParams::default(), review.to_string().into_bytes())
            .map_err(|error| never(&error))?;
        let text = self.client.request_text(request).await;
        let review: Review = parse(&text.map_err(|error| fault::of(error, "selfsubjectrulesreviews"))?)?;
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
            None => Err(fault::nonsense()),
        }
    }
}

/// The keys according to `managedFields`, if those have all.
fn keys(metadata: &ObjectMeta, count: Option<u64>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for manager in metadata.managed_fields.iter().flatten() {
        let data = manager.fields_v1.as_ref().and_then(|fields| fields.0.get("f:data")?.as_object());
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

fn settle(answer: Result<String, kube::Error>) -> Result<Option<Written>, SourceError> {
    match answer {
        Ok(text) => parse(&Zeroizing::new(text)).map(Some),
        Err(error) if fault::is_conflict(&error) => Ok(None),
        Err(error) => Err(fault::of(error, "secrets")),
    }
}

/// The parser's own words may quote a value, so they are dropped.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, SourceError> {
    serde_json::from_str(text).map_err(|_| fault::nonsense())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(text: &str) -> ObjectMeta {
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
            let fault = parse::<WholeSecret>(text).err().unwrap();
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
    }
}
