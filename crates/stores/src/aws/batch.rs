//! Many secrets at once.
//!
//! Values come with `BatchGetSecretValue`, 20 a call. Places come with `ListSecrets` and a filter
//! of 10 names a call, because that shows no value. Neither right is one that everybody has who
//! may read the secrets, so where one is refused each secret is asked for by itself, and the call
//! that was refused is not tried again.

#![expect(clippy::disallowed_methods, reason = "the items of an answer are read out of its text")]

use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Item;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::Source;
use doppio_secrets::source::SourceError;

use crate::aws::api::CALLS;
use crate::aws::call::Call;
use crate::aws::metadata::Selector;
use crate::aws::refusal::Failure;
use crate::aws::reply::Object;
use crate::aws::secrets;
use crate::aws::secrets::LARGEST;
use crate::aws::secrets::SecretsManager;

/// Names that one filter takes.
const NAMES: usize = 10;

/// Pages of a filtered list that are read. A filter matches beginnings, so a name such as `ml` may
/// match thousands; what was not seen by then is asked for by itself.
const PAGES: usize = 2;

/// Fewer than this are asked for one by one: that needs no further right.
const FEW: usize = 3;

/// What has an answer already, by the place of the item.
pub(super) type Partial<T> = Vec<Option<Result<T, SourceError>>>;

impl SecretsManager {
    /// The values of all items, in their order.
    pub(super) async fn get_all(&self, items: &[Item]) -> Vec<Result<(SecretValue, Metadata), SourceError>> {
        let mut found: Partial<(SecretValue, Metadata)> = vec![None; items.len()];
        let together = current_by_name(items);
        if together.len() > 1 {
            for chunk in together.chunks(LARGEST) {
                if !self.may_batch.load(Ordering::Relaxed) {
                    break;
                }
                let call = Call::reading("secretsmanager:BatchGetSecretValue", "");
                if let Err(failure) = self.get_together(call, items, chunk, &mut found).await {
                    broken_off(failure, &self.may_batch, true, call, chunk, &mut found);
                }
            }
        }
        rest(items, found, |item| self.get(&item.path, item.version.as_deref())).await
    }

    /// What is known of all items, in their order.
    pub(super) async fn locate_all(&self, items: &[Item]) -> Vec<Result<Metadata, SourceError>> {
        let mut found: Partial<Metadata> = vec![None; items.len()];
        let together = by_name(items);
        if together.len() >= FEW {
            for chunk in together.chunks(NAMES) {
                if !self.may_list.load(Ordering::Relaxed) {
                    break;
                }
                let call = Call::reading("secretsmanager:ListSecrets", "");
                if let Err(failure) = self.locate_together(call, items, chunk, &mut found).await {
                    broken_off(failure, &self.may_list, true, call, chunk, &mut found);
                }
            }
        }
        rest(items, found, |item| self.locate(&item.path, item.version.as_deref())).await
    }

    /// Values of one call.
    async fn get_together(
        &self,
        call: Call<'_>,
        items: &[Item],
        chunk: &[usize],
        found: &mut Partial<(SecretValue, Metadata)>,
    ) -> Result<(), Failure> {
        let names: Vec<&str> = chunk.iter().map(|&at| items[at].path.as_str()).collect();
        let mut pages = self.api.pages(call, json!({ "SecretIdList": names }));
        while let Some(page) = pages.next().await {
            let page = page?;
            let Refusals { all } = page.object().metadata()?;
            for refusal in all.into_iter().flatten() {
                let of = |at: &&usize| Some(items[**at].path.as_str()) == refusal.secret_id.as_deref();
                if let (Some(&at), Some(code)) = (chunk.iter().find(of), &refusal.error_code) {
                    let failure = Failure::refused(code, refusal.message.as_deref().unwrap_or_default());
                    let call = Call::reading("secretsmanager:GetSecretValue", &items[at].path);
                    found[at] = Some(Err(failure.told(call)));
                }
            }
            for entry in page.object().items("SecretValues")? {
                let entry = Object(entry.expose());
                let name = secrets::name(entry)?;
                if let Some(&at) = chunk.iter().find(|&&at| Some(items[at].path.as_str()) == name.as_deref())
                {
                    // One without its value is asked for by itself.
                    found[at] = secrets::version(&items[at].path, entry)?.map(Ok);
                }
            }
        }
        Ok(())
    }

    /// A name that is not in the list may still be there: the list lags, and what another account
    /// shares is not in it. So it keeps no answer here.
    async fn locate_together(
        &self,
        call: Call<'_>,
        items: &[Item],
        chunk: &[usize],
        found: &mut Partial<Metadata>,
    ) -> Result<(), Failure> {
        let names: Vec<&str> = chunk.iter().map(|&at| items[at].path.as_str()).collect();
        let filters = json!([{ "Key": "name", "Values": names }]);
        let mut pages = self.api.pages(call, json!({ "Filters": filters, "MaxResults": 100 }));
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { break };
            for entry in secrets::list(&page?)? {
                for &at in chunk.iter().filter(|&&at| Some(&items[at].path) == entry.name.as_ref()) {
                    let answer = entry.listed(&items[at].path, items[at].version.as_deref());
                    // The list lags with stages too.
                    found[at] = Some(answer).filter(|answer| *answer != Err(SourceError::Missing));
                }
            }
        }
        Ok(())
    }
}

/// A call for several takes names of one region, and no ARNs.
pub(super) fn by_name(items: &[Item]) -> Vec<usize> {
    (0..items.len()).filter(|&at| !items[at].path.starts_with("arn:")).collect()
}

/// The batch call gives current versions only.
fn current_by_name(items: &[Item]) -> Vec<usize> {
    let is_current = |at: &usize| Selector::of(items[*at].version.as_deref()) == Selector::Current;
    by_name(items).into_iter().filter(is_current).collect()
}

/// Asks one by one for whatever has no answer yet.
pub(super) async fn rest<'a, T, F>(
    items: &'a [Item],
    mut found: Partial<T>,
    ask: impl Fn(&'a Item) -> F,
) -> Vec<Result<T, SourceError>>
where
    F: Future<Output = Result<T, SourceError>>,
{
    let open: Vec<usize> = (0..items.len()).filter(|&at| found[at].is_none()).collect();
    let ask = &ask;
    let answers: Vec<_> = stream::iter(open)
        .map(|at| async move { (at, ask(&items[at]).await) })
        .buffer_unordered(CALLS)
        .collect()
        .await;
    for (at, answer) in answers {
        found[at] = Some(answer);
    }
    found.into_iter().map(|answer| answer.unwrap_or(Err(SourceError::Missing))).collect()
}

/// What a call that failed means for its items. Where the call itself is to blame, each is asked for by
/// itself, and if it `is_final` the call is not tried again; else all of them have failed.
pub(super) fn broken_off<T>(
    failure: Failure,
    may: &AtomicBool,
    is_final: bool,
    call: Call<'_>,
    chunk: &[usize],
    found: &mut Partial<T>,
) {
    if failure.is_about_the_call() {
        if is_final {
            may.store(false, Ordering::Relaxed);
        }
        return;
    }
    let error = failure.told(call);
    for &at in chunk {
        found[at].get_or_insert_with(|| Err(error.clone()));
    }
}

/// What a batch says of the secrets that it has no value of.
#[derive(Deserialize)]
struct Refusals {
    #[serde(rename = "Errors")]
    all: Option<Vec<Refusal>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    secret_id: Option<String>,
    error_code: Option<String>,
    message: Option<String>,
}
