use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::source::Lease;
use crate::source::Leased;
use crate::source::RemoteKind;

use super::*;

static KIND: Kind = Kind {
    scheme: "far",
    summary: "a source of the tests",
    writes: true,
    versions: true,
    remote: Some(RemoteKind { deadline: Duration::from_secs(10), batch: 20, keys: &[] }),
};

/// Counts its calls, the items in them, and what was written.
#[derive(Debug, Default)]
struct Counting {
    calls: AtomicUsize,
    items: AtomicUsize,
    written: AtomicUsize,
}

/// What nobody else may use.
struct Borrowed;

impl Leased for Borrowed {}

#[async_trait]
impl Source for Counting {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn place(&self) -> String {
        "far".to_owned()
    }

    fn remedy(&self, _path: &str) -> String {
        String::new()
    }

    async fn check(&self) -> Answer<()> {
        std::future::pending().await
    }

    async fn get(&self, path: &str, _version: Option<&str>) -> Answer<(SecretValue, Metadata)> {
        match path {
            "hangs" => std::future::pending().await,
            "breaks" => panic!("a source that breaks"),
            "gone" => Err(SourceError::Missing),
            "slow" => {
                let value = format!("value {}", self.written.load(Ordering::SeqCst));
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok((SecretValue::new(value.into_bytes()), Metadata::default()))
            }
            "leased" => {
                let metadata =
                    Metadata { lease: Some(Lease::new(Arc::new(Borrowed))), ..Metadata::default() };
                Ok((SecretValue::new(path.as_bytes().to_vec()), metadata))
            }
            "over" => {
                let metadata = Metadata { expires: Some(Timestamp::UNIX_EPOCH), ..Metadata::default() };
                Ok((SecretValue::new(path.as_bytes().to_vec()), metadata))
            }
            path => Ok((SecretValue::new(path.as_bytes().to_vec()), Metadata::default())),
        }
    }

    async fn get_many(&self, items: &[Item]) -> Vec<Answer<(SecretValue, Metadata)>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.items.fetch_add(items.len(), Ordering::SeqCst);
        join_all(items.iter().map(|item| self.get(&item.path, None))).await
    }

    async fn set(&self, _: &str, _: &SecretValue, _: &Remark) -> Answer<Metadata> {
        self.written.fetch_add(1, Ordering::SeqCst);
        Ok(Metadata::default())
    }
}

fn remote() -> (Arc<Counting>, Remote) {
    let counting = Arc::new(Counting::default());
    let source: Arc<dyn Source> = Arc::<Counting>::clone(&counting);
    (counting, Remote::new(source, None, Logins::default()))
}

impl Counting {
    fn counts(&self) -> (usize, usize) {
        (self.calls.load(Ordering::SeqCst), self.items.load(Ordering::SeqCst))
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_together_ask_once() {
    let (far, remote) = remote();
    let paths: Vec<String> = (0..50).map(|number| format!("p{}", number % 5)).collect();
    let answers = join_all(paths.iter().map(|path| remote.get(path, None))).await;
    for (path, answer) in paths.iter().zip(answers) {
        assert_eq!(answer.unwrap().0.plain(), path.as_bytes());
    }
    assert_eq!(far.counts(), (1, 5));
    assert_eq!(remote.get("p1", None).await.unwrap().0.plain(), b"p1");
    assert!(remote.locate("p1", None).await.is_ok());
    assert_eq!(far.counts(), (1, 5));
    // Another version is another item; what was written is asked for again.
    remote.get("p1", Some("2")).await.unwrap();
    remote.set("p1", &SecretValue::new(b"x".to_vec()), &Remark::default()).await.unwrap();
    remote.get("p1", None).await.unwrap();
    assert_eq!(far.counts(), (3, 7));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_no_longer_than_the_source_can_take() {
    let (far, remote) = remote();
    let paths: Vec<String> = (0..45).map(|number| format!("p{number}")).collect();
    join_all(paths.iter().map(|path| remote.get(path, None))).await;
    assert_eq!(far.counts(), (3, 45));
}

#[tokio::test(start_paused = true)]
async fn failures_are_not_remembered_and_a_deadline_holds() {
    let (far, remote) = remote();
    for _ in 0..2 {
        assert_eq!(remote.get("gone", None).await.unwrap_err(), SourceError::Missing);
    }
    assert_eq!(far.counts(), (2, 2));
    let fault = remote.get("hangs", None).await.unwrap_err();
    assert_eq!(fault.to_string(), "far did not answer within 10 s");
    assert!(fault.hint().unwrap().contains("timeout_secs"));
    assert!(matches!(remote.check().await, Err(SourceError::Unreachable { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_the_call_to_the_others() {
    let (far, remote) = remote();
    let remote = Arc::new(remote);
    let first = tokio::spawn({
        let remote = Arc::clone(&remote);
        async move { remote.get("p", None).await.map(drop) }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert!(remote.get("p", None).await.is_ok());
    assert_eq!(far.counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_breaks_leaves_nobody_waiting() {
    let (_, remote) = remote();
    let fault = remote.get("breaks", None).await.unwrap_err();
    assert!(matches!(fault, SourceError::Unreachable { .. }), "{fault}");
    assert!(remote.get("p", None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_breaks_takes_no_other_with_it() {
    let (far, remote) = remote();
    // More batches than are asked at once.
    let paths: Vec<String> =
        std::iter::once("breaks".to_owned()).chain((1..300).map(|number| format!("p{number}"))).collect();
    let answers = join_all(paths.iter().map(|path| remote.get(path, None))).await;
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!(failed, 20, "the batch with the one that breaks");
    assert_eq!(far.counts(), (15, 300));
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_write_does_not_hear_what_was_before() {
    let (_, remote) = remote();
    let remote = Arc::new(remote);
    let ask = || {
        let remote = Arc::clone(&remote);
        tokio::spawn(async move { remote.get("slow", None).await.unwrap().0.plain().to_vec() })
    };
    let early = ask();
    tokio::time::sleep(Duration::from_millis(500)).await;
    remote.set("slow", &SecretValue::new(b"x".to_vec()), &Remark::default()).await.unwrap();
    let late = ask();
    assert_eq!(early.await.unwrap(), b"value 0");
    assert_eq!(late.await.unwrap(), b"value 1");
    assert_eq!(remote.get("slow", None).await.unwrap().0.plain(), b"value 1");
    // Who was not asked for yet is answered as things are then, together with who comes later.
    for version in 2..4 {
        remote.set("slow", &SecretValue::new(b"x".to_vec()), &Remark::default()).await.unwrap();
        let queued = ask();
        tokio::task::yield_now().await;
        if version == 3 {
            remote.set("other", &SecretValue::new(b"x".to_vec()), &Remark::default()).await.unwrap();
        }
        let (queued, last) = (queued.await.unwrap(), remote.get("slow", None).await.unwrap());
        assert_eq!(queued, last.0.plain());
        assert_eq!(queued, format!("value {}", if version == 3 { 4 } else { 2 }).into_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_lent_or_is_over_is_not_remembered() {
    let (far, remote) = remote();
    for path in ["leased", "over"] {
        join_all([remote.get(path, None), remote.get(path, None)]).await;
        remote.get(path, None).await.unwrap();
    }
    assert_eq!(far.counts(), (4, 4));
}
