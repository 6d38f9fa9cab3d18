//! Many secrets at once.
//!
//! Values come with `BatchGetSecretValue`, 20 a call. Places come with `ListSecrets` and a filter
//! of 10 names a call, because that shows no value. Neither right is one that everybody has who
//! may read the secrets, so where one is refused each secret is asked for by itself, and the call
//! that was refused is not tried again.

use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use aws_sdk_secretsmanager::types::Filter;
use aws_sdk_secretsmanager::types::FilterNameStringType;
use aws_sdk_secretsmanager::types::SecretValueEntry;
use futures_util::StreamExt;
use futures_util::stream;

use doppio_secrets::SecretValue;
use doppio_secrets::source::Item;
use doppio_secrets::source::Metadata;
use doppio_secrets::source::SourceError;

use crate::aws::CALLS;
use crate::aws::fault::Deed;
use crate::aws::fault::Trouble;
use crate::aws::metadata;
use crate::aws::metadata::Wanted;
use crate::aws::secrets;
use crate::aws::secrets::Manager;

/// Secrets that one `BatchGetSecretValue` takes.
pub(super) const LARGEST: usize = 20;

/// Names that one filter takes.
const NAMES: usize = 10;

/// Pages of a filtered list that are read. A filter matches beginnings, so a name such as `ml` may
/// match thousands; what was not seen by then is asked for by itself.
const PAGES: usize = 2;

/// Fewer than this are asked for one by one: that needs no further right.
const FEW: usize = 3;

type Found<T> = Vec<Option<Result<T, SourceError>>>;

/// The values of all items, in their order.
pub(super) async fn get(
    manager: &Manager,
    items: &[Item],
) -> Vec<Result<(SecretValue, Metadata), SourceError>> {
    let mut found: Found<(SecretValue, Metadata)> = vec![None; items.len()];
    let together = current_by_name(items);
    if together.len() > 1 {
        for chunk in together.chunks(LARGEST) {
            if !manager.may_batch.load(Ordering::Relaxed) {
                break;
            }
            together_get(manager, items, chunk, &mut found).await;
        }
    }
    rest(items, found, |item| manager.get_one(&item.path, item.version.as_deref())).await
}

/// What is known of all items, in their order.
pub(super) async fn locate(manager: &Manager, items: &[Item]) -> Vec<Result<Metadata, SourceError>> {
    let mut found: Found<Metadata> = vec![None; items.len()];
    let together: Vec<usize> = (0..items.len()).filter(|&at| !items[at].path.starts_with("arn:")).collect();
    if together.len() >= FEW {
        for chunk in together.chunks(NAMES) {
            if !manager.may_list.load(Ordering::Relaxed) {
                break;
            }
            together_locate(manager, items, chunk, &mut found).await;
        }
    }
    rest(items, found, |item| manager.locate_one(&item.path, item.version.as_deref())).await
}

/// The batch call gives current versions only, and only those of one region.
fn current_by_name(items: &[Item]) -> Vec<usize> {
    let is_current = |item: &Item| Wanted::of(item.version.as_deref()) == Wanted::Current;
    let by_name = |item: &Item| !item.path.starts_with("arn:");
    (0..items.len()).filter(|&at| is_current(&items[at]) && by_name(&items[at])).collect()
}

/// Asks one by one for whatever has no answer yet.
async fn rest<'a, T, F>(
    items: &'a [Item],
    mut found: Found<T>,
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

async fn together_get(
    manager: &Manager,
    items: &[Item],
    chunk: &[usize],
    found: &mut Found<(SecretValue, Metadata)>,
) {
    let deed = Deed { action: "secretsmanager:BatchGetSecretValue", path: "", writes: false };
    let client = match manager.client("").await {
        Ok(client) => client,
        Err(error) => return chunk.iter().for_each(|&at| found[at] = Some(Err(error.clone()))),
    };
    let names: Vec<String> = chunk.iter().map(|&at| items[at].path.clone()).collect();
    let mut pages = client.batch_get_secret_value().set_secret_id_list(Some(names)).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => return broken_off(Trouble::of(&error), &manager.may_batch, deed, chunk, found),
        };
        for error in page.errors() {
            let of = |at: &&usize| Some(items[**at].path.as_str()) == error.secret_id();
            if let (Some(&at), Some(code)) = (chunk.iter().find(of), error.error_code()) {
                let trouble = Trouble::refused(code, error.message().unwrap_or_default());
                let deed =
                    Deed { action: "secretsmanager:GetSecretValue", path: &items[at].path, writes: false };
                found[at] = Some(Err(trouble.tell(deed)));
            }
        }
        for entry in page.secret_values.into_iter().flatten() {
            if let Some(&at) = chunk.iter().find(|&&at| Some(items[at].path.as_str()) == entry.name()) {
                // One without its value is asked for by itself.
                found[at] = fetched(&items[at].path, entry).map(Ok);
            }
        }
    }
}

/// What a page that failed means for the items of its call: where the call itself is at fault it is
/// not tried again and each is asked for by itself, and else all of them have failed.
fn broken_off<T>(trouble: Trouble, may: &AtomicBool, deed: Deed<'_>, chunk: &[usize], found: &mut Found<T>) {
    if trouble.is_about_the_call() {
        may.store(false, Ordering::Relaxed);
        return;
    }
    let fault = trouble.tell(deed);
    for &at in chunk {
        found[at].get_or_insert_with(|| Err(fault.clone()));
    }
}

fn fetched(path: &str, entry: SecretValueEntry) -> Option<(SecretValue, Metadata)> {
    let facts = metadata::facts(path, entry.version_id(), entry.created_date());
    Some((secrets::value(entry.secret_string, entry.secret_binary)?, facts))
}

/// A name that is not in the list may still be there: the list lags, and what another account
/// shares is not in it. So it keeps no answer here.
async fn together_locate(manager: &Manager, items: &[Item], chunk: &[usize], found: &mut Found<Metadata>) {
    let deed = Deed { action: "secretsmanager:ListSecrets", path: "", writes: false };
    let client = match manager.client("").await {
        Ok(client) => client,
        Err(error) => return chunk.iter().for_each(|&at| found[at] = Some(Err(error.clone()))),
    };
    let names: Vec<String> = chunk.iter().map(|&at| items[at].path.clone()).collect();
    let filter = Filter::builder().key(FilterNameStringType::Name).set_values(Some(names)).build();
    let mut pages = client.list_secrets().filters(filter).max_results(100).into_paginator().send();
    for _ in 0..PAGES {
        let page = match pages.next().await {
            None => return,
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                return broken_off(Trouble::of(&error), &manager.may_list, deed, chunk, found);
            }
        };
        for entry in page.secret_list() {
            for &at in chunk.iter().filter(|&&at| Some(items[at].path.as_str()) == entry.name()) {
                let answer = metadata::listed(&items[at].path, items[at].version.as_deref(), entry);
                // The list lags with stages too.
                found[at] = Some(answer).filter(|answer| *answer != Err(SourceError::Missing));
            }
        }
    }
}
