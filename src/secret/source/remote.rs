//! What stands before a source that is far away: a deadline, the run's memory, and one call for
//! all who ask at the same time.
//!
//! An item is asked for once, however many want it and however often: who comes while it is under
//! way waits for the same answer, who comes later gets it from memory. Failures are not
//! remembered. Whoever gives up waiting takes nothing from the others: the call is a task of its
//! own. The values are [`SecretValue`]s, so they are wiped with this.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::name::SecretName;
use crate::secret::SecretValue;
use crate::secret::source::Answer;
use crate::secret::source::Answers;
use crate::secret::source::DEADLINE;
use crate::secret::source::Facts;
use crate::secret::source::Item;
use crate::secret::source::Kind;
use crate::secret::source::Member;
use crate::secret::source::Remark;
use crate::secret::source::Source;
use crate::secret::source::SourceError;
use crate::secret::source::Version;

/// A call goes out when nobody new has come for this long…
const PAUSE: Duration = Duration::from_millis(4);

/// …and after this long at the latest.
const LONGEST_PAUSE: Duration = Duration::from_millis(40);

/// Calls of one source that are under way at the same time.
const CALLS: usize = 8;

/// A remote source with a deadline and a memory.
#[derive(Debug)]
pub struct Remote {
    far: Arc<Far>,
    values: Arc<Desk<(SecretValue, Facts)>>,
    places: Arc<Desk<Facts>>,
}

/// The source itself, and how long it may take.
#[derive(Debug)]
struct Far {
    source: Arc<dyn Source>,
    deadline: Duration,
    batch: usize,
}

/// Asks for a batch of items.
type Call<T> = for<'a> fn(&'a dyn Source, &'a [Item]) -> Answers<'a, T>;

/// Who waits for one item.
type Waiting<T> = Vec<oneshot::Sender<Result<T, SourceError>>>;

/// Where the questions of one kind come in.
struct Desk<T> {
    call: Call<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    known: HashMap<Item, T>,
    waiting: HashMap<Item, Waiting<T>>,
    /// Not asked for yet.
    queue: Vec<Item>,
    /// Somebody collects the queue.
    is_collected: bool,
    /// Counts what was forgotten, so that an answer from before is not remembered after.
    forgotten: u64,
}

impl<T> fmt::Debug for Desk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

impl Remote {
    /// Stands before `source`; `deadline` is that of the settings.
    pub fn new(source: Arc<dyn Source>, deadline: Option<Duration>) -> Self {
        let kind = source.kind().remote.as_ref();
        let of_kind = kind.map_or(DEADLINE, |kind| kind.deadline);
        let batch = kind.map_or(1, |kind| kind.batch.max(1));
        Self {
            far: Arc::new(Far { source, deadline: deadline.unwrap_or(of_kind), batch }),
            values: Desk::new(|source, items| source.get_many(items)),
            places: Desk::new(|source, items| source.locate_many(items)),
        }
    }

    /// Forgets everything: several paths may lead to what was changed.
    fn forget(&self) {
        self.values.forget();
        self.places.forget();
    }
}

impl Far {
    async fn within<T>(&self, answer: Answer<'_, T>) -> Result<T, SourceError> {
        tokio::time::timeout(self.deadline, answer).await.unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> SourceError {
        let (place, scheme) = (self.source.place(), self.source.kind().scheme);
        SourceError::unreachable(
            format!("{place} did not answer within {} s", self.deadline.as_secs_f64()),
            format!("try again, or write a longer `timeout_secs` to `[sources.{scheme}]` in config.toml"),
        )
    }
}

impl<T: Clone + Send + 'static> Desk<T> {
    fn new(call: Call<T>) -> Arc<Self> {
        let state = State {
            known: HashMap::new(),
            waiting: HashMap::new(),
            queue: Vec::new(),
            is_collected: false,
            forgotten: 0,
        };
        Arc::new(Self { call, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, item: &Item) -> Option<T> {
        self.state().known.get(item).cloned()
    }

    fn forget(&self) {
        let mut state = self.state();
        state.known.clear();
        state.forgotten += 1;
    }

    async fn ask(self: &Arc<Self>, far: &Arc<Far>, item: Item) -> Result<T, SourceError> {
        let receiver = {
            let mut state = self.state();
            if let Some(known) = state.known.get(&item) {
                return Ok(known.clone());
            }
            let (sender, receiver) = oneshot::channel();
            if let Some(waiting) = state.waiting.get_mut(&item) {
                waiting.push(sender);
            } else {
                state.waiting.insert(item.clone(), vec![sender]);
                state.queue.push(item);
            }
            if !state.queue.is_empty() && !state.is_collected {
                state.is_collected = true;
                tokio::spawn(Arc::clone(self).collect(Arc::clone(far)));
            }
            receiver
        };
        receiver.await.unwrap_or_else(|_| {
            let cause = format!("asking {} broke off", far.source.place());
            Err(SourceError::unreachable(cause, "try again, and report it if it stays so"))
        })
    }

    /// Waits until nobody new comes, then asks for all that have come.
    async fn collect(self: Arc<Self>, far: Arc<Far>) {
        let latest = Instant::now() + LONGEST_PAUSE;
        let mut before = self.state().queue.len();
        loop {
            tokio::time::sleep(PAUSE).await;
            let now = self.state().queue.len();
            if now == before || Instant::now() >= latest {
                break;
            }
            before = now;
        }
        let (items, forgotten) = {
            let mut state = self.state();
            state.is_collected = false;
            (std::mem::take(&mut state.queue), state.forgotten)
        };
        let batches = items.chunks(far.batch);
        stream::iter(batches).for_each_concurrent(CALLS, |items| self.batch(&far, items, forgotten)).await;
    }

    async fn batch(&self, far: &Far, items: &[Item], forgotten: u64) {
        // Whoever still waits when this ends in a panic must not wait for ever.
        let mut open = Open { desk: self, items };
        let asked = (self.call)(far.source.as_ref(), items);
        let answers = match tokio::time::timeout(far.deadline, asked).await {
            Ok(answers) => answers,
            Err(_) => vec![Err(far.late()); items.len()],
        };
        let mut state = self.state();
        open.items = &items[answers.len().min(items.len())..];
        for (item, answer) in items.iter().zip(answers) {
            if let Ok(found) = &answer
                && state.forgotten == forgotten
            {
                state.known.insert(item.clone(), found.clone());
            }
            for waiting in state.waiting.remove(item).into_iter().flatten() {
                // Who has given up does not hear it.
                drop(waiting.send(answer.clone()));
            }
        }
        drop(state);
        drop(open);
    }
}

/// Items that somebody waits for; when this is dropped, nobody does.
struct Open<'a, T> {
    desk: &'a Desk<T>,
    items: &'a [Item],
}

impl<T> Drop for Open<'_, T> {
    fn drop(&mut self) {
        let mut state = self.desk.state.lock().unwrap_or_else(PoisonError::into_inner);
        for item in self.items {
            state.waiting.remove(item);
        }
    }
}

impl Source for Remote {
    fn kind(&self) -> &'static Kind {
        self.far.source.kind()
    }

    fn place(&self) -> String {
        self.far.source.place()
    }

    fn spelling(&self, name: &SecretName) -> String {
        self.far.source.spelling(name)
    }

    fn property_spelling(&self, name: &SecretName) -> String {
        self.far.source.property_spelling(name)
    }

    fn candidates(&self, name: &SecretName) -> Vec<String> {
        self.far.source.candidates(name)
    }

    fn member(&self, path: &str, property: &str) -> Option<Member> {
        self.far.source.member(path, property)
    }

    fn acts<'a>(&'a self, path: &'a str) -> Answer<'a, bool> {
        self.far.within(self.far.source.acts(path)).boxed()
    }

    fn remedy(&self, path: &str) -> String {
        self.far.source.remedy(path)
    }

    fn check(&self) -> Answer<'_, ()> {
        self.far.within(self.far.source.check()).boxed()
    }

    fn get<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)> {
        self.values.ask(&self.far, Item::new(path, version)).boxed()
    }

    fn get_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, (SecretValue, Facts)> {
        let asked = items.iter().map(|item| self.values.ask(&self.far, item.clone()));
        futures_util::future::join_all(asked).boxed()
    }

    fn locate<'a>(&'a self, path: &'a str, version: Option<&'a str>) -> Answer<'a, Facts> {
        async move {
            let item = Item::new(path, version);
            match self.values.known(&item) {
                Some((_, facts)) => Ok(facts),
                None if self.far.source.reads_to_locate() => {
                    self.values.ask(&self.far, item).await.map(|(_, facts)| facts)
                }
                None => self.places.ask(&self.far, item).await,
            }
        }
        .boxed()
    }

    fn locate_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, Facts> {
        let asked = items.iter().map(|item| self.locate(&item.path, item.version.as_deref()));
        futures_util::future::join_all(asked).boxed()
    }

    fn set<'a>(&'a self, path: &'a str, value: &'a SecretValue, remark: &'a Remark) -> Answer<'a, Facts> {
        async move {
            let done = self.far.within(self.far.source.set(path, value, remark)).await;
            self.forget();
            done
        }
        .boxed()
    }

    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        async move {
            let done = self.far.within(self.far.source.delete(path)).await;
            self.forget();
            done
        }
        .boxed()
    }

    fn remains(&self, path: &str) -> Option<String> {
        self.far.source.remains(path)
    }

    fn list(&self) -> Answer<'_, Vec<(String, Facts)>> {
        self.far.within(self.far.source.list()).boxed()
    }

    fn versions<'a>(&'a self, path: &'a str) -> Answer<'a, Vec<Version>> {
        self.far.within(self.far.source.versions(path)).boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        async {
            self.forget();
            self.far.within(self.far.source.close()).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use futures_util::future::join_all;

    use crate::secret::source::RemoteKind;

    use super::*;

    static KIND: Kind = Kind {
        scheme: "far",
        summary: "a source of the tests",
        writes: true,
        versions: true,
        remote: Some(RemoteKind {
            open: |_| Arc::new(Counting::default()),
            deadline: Duration::from_secs(10),
            batch: 20,
            keys: &[],
        }),
    };

    /// Counts its calls and the items in them.
    #[derive(Debug, Default)]
    struct Counting {
        calls: AtomicUsize,
        items: AtomicUsize,
    }

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

        fn check(&self) -> Answer<'_, ()> {
            std::future::pending().boxed()
        }

        fn get<'a>(&'a self, path: &'a str, _version: Option<&'a str>) -> Answer<'a, (SecretValue, Facts)> {
            async move {
                match path {
                    "hangs" => std::future::pending().await,
                    "breaks" => panic!("a source that breaks"),
                    "gone" => Err(SourceError::Missing),
                    path => Ok((SecretValue::new(path.as_bytes().to_vec()), Facts::default())),
                }
            }
            .boxed()
        }

        fn get_many<'a>(&'a self, items: &'a [Item]) -> Answers<'a, (SecretValue, Facts)> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.items.fetch_add(items.len(), Ordering::SeqCst);
            async move { join_all(items.iter().map(|item| self.get(&item.path, None))).await }.boxed()
        }

        fn set<'a>(&'a self, _: &'a str, _: &'a SecretValue, _: &'a Remark) -> Answer<'a, Facts> {
            async { Ok(Facts::default()) }.boxed()
        }
    }

    fn remote() -> (Arc<Counting>, Remote) {
        let counting = Arc::new(Counting::default());
        let source: Arc<dyn Source> = Arc::<Counting>::clone(&counting);
        (counting, Remote::new(source, None))
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
}
