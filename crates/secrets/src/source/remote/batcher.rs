//! Batches requests of one kind: collects them, asks once, and answers all callers.

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::SecretValue;
use crate::source::Answer;
use crate::source::Item;
use crate::source::Metadata;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::remote::Far;

/// A call goes out when no request has come for this long…
const PAUSE: Duration = Duration::from_millis(4);

/// …and after this long at the latest.
const LONGEST_PAUSE: Duration = Duration::from_millis(40);

/// Calls of one source that are under way at the same time.
const CALLS: usize = 8;

/// Asks for a batch of items.
type Call<T> = for<'a> fn(&'a dyn Source, &'a [Item]) -> BoxFuture<'a, Vec<Answer<T>>>;

/// The callers that wait for one item.
type Waiting<T> = Vec<oneshot::Sender<Result<T, SourceError>>>;

/// An answer, and what is known of it.
pub(super) trait HasMetadata: Clone + Send + 'static {
    fn metadata(&self) -> &Metadata;
}

impl HasMetadata for Metadata {
    fn metadata(&self) -> &Metadata {
        self
    }
}

impl HasMetadata for (SecretValue, Metadata) {
    fn metadata(&self) -> &Metadata {
        &self.1
    }
}

/// A batcher for requests of one kind.
pub(super) struct Batcher<T> {
    call: Call<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    known: HashMap<Item, T>,
    /// By the generation in which they asked, so that no caller gets an older answer.
    waiting: HashMap<(u64, Item), Waiting<T>>,
    /// Not asked for yet.
    queue: Vec<Item>,
    /// A task is collecting the queue.
    is_collected: bool,
    /// Each time that everything is forgotten another one begins.
    age: u64,
}

impl<T> fmt::Debug for Batcher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batcher")
    }
}

impl<T: HasMetadata> Batcher<T> {
    pub(super) fn new(call: Call<T>) -> Arc<Self> {
        let state = State {
            known: HashMap::new(),
            waiting: HashMap::new(),
            queue: Vec::new(),
            is_collected: false,
            age: 0,
        };
        Arc::new(Self { call, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self, item: &Item) -> Option<T> {
        self.state().known(item)
    }

    pub(super) fn forget(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.known.clear();
        state.age += 1;
        // What is not asked for yet will be answered as things are then.
        for item in &state.queue {
            if let Some(waiting) = state.waiting.remove(&(state.age - 1, item.clone())) {
                state.waiting.insert((state.age, item.clone()), waiting);
            }
        }
    }

    pub(super) async fn ask(self: &Arc<Self>, far: &Arc<Far>, item: Item) -> Result<T, SourceError> {
        let receiver = {
            let mut state = self.state();
            if let Some(known) = state.known(&item) {
                return Ok(known);
            }
            let (sender, receiver) = oneshot::channel();
            let place = (state.age, item);
            if let Some(waiting) = state.waiting.get_mut(&place) {
                waiting.push(sender);
            } else {
                state.queue.push(place.1.clone());
                state.waiting.insert(place, vec![sender]);
            }
            if !state.queue.is_empty() && !state.is_collected {
                state.is_collected = true;
                tokio::spawn(Arc::clone(self).collect(Arc::clone(far)));
            }
            receiver
        };
        receiver.await.unwrap_or_else(|_| {
            let cause = format!("asking {} was aborted", far.source.place());
            Err(SourceError::unreachable(cause, "try again, and report it if it happens again"))
        })
    }

    /// Waits until no request comes, then asks for all.
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
        let (items, age) = {
            let mut state = self.state();
            state.is_collected = false;
            (std::mem::take(&mut state.queue), state.age)
        };
        let (batcher, far) = (&self, &far);
        let calls = items.chunks(far.batch).map(|items| async move {
            // A call that panics affects no other; its own callers get an error.
            AssertUnwindSafe(batcher.batch(far, items, age)).catch_unwind().await.ok();
        });
        stream::iter(calls).for_each_concurrent(CALLS, |call| call).await;
    }

    async fn batch(&self, far: &Far, items: &[Item], age: u64) {
        // A caller that still waits when this panics must not wait for ever.
        let mut open = Open { batcher: self, items, age };
        let asked = (self.call)(far.source.as_ref(), items);
        let answers = match tokio::time::timeout(far.deadline, asked).await {
            Ok(answers) => answers,
            Err(_) => vec![Err(far.late()); items.len()],
        };
        let mut state = self.state();
        open.items = &items[answers.len().min(items.len())..];
        for (item, answer) in items.iter().zip(answers) {
            let answer = answer.map_err(|error| far.logins.hidden(error));
            if let Ok(found) = &answer
                && found.metadata().lease.is_none()
                && state.age == age
            {
                state.known.insert(item.clone(), found.clone());
            }
            for waiting in state.waiting.remove(&(age, item.clone())).into_iter().flatten() {
                // A caller that has given up does not get it.
                drop(waiting.send(answer.clone()));
            }
        }
        drop(state);
        drop(open);
    }
}

impl<T: HasMetadata> State<T> {
    /// What is remembered of an item and still good.
    fn known(&self, item: &Item) -> Option<T> {
        self.known.get(item).filter(|known| !known.metadata().is_over()).cloned()
    }
}

/// Items that a caller waits for, until this is dropped.
struct Open<'a, T> {
    batcher: &'a Batcher<T>,
    items: &'a [Item],
    age: u64,
}

impl<T> Drop for Open<'_, T> {
    fn drop(&mut self) {
        let mut state = self.batcher.state.lock().unwrap_or_else(PoisonError::into_inner);
        for item in self.items {
            state.waiting.remove(&(self.age, item.clone()));
        }
    }
}
