//! One connection and the channels on it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::HostError;
use crate::ssh::armed::Armed;
use crate::ssh::armed::Refused;
use crate::ssh::connect::Connection;

/// Channels on one connection at most; sshd allows 10, and frees one only some time after it was
/// closed.
const LIMIT: usize = 8;

/// Refusals in a row that may come from channels which the server has not freed yet.
const PATIENCE: u32 = 3;

/// How long a server may take to free a channel.
const CLOSING: Duration = Duration::from_secs(5);

/// Channels opened without a refusal until one more is tried.
const STREAK: u32 = 32;

/// Channels opened ahead at most. Opening one takes two round trips and starting a script on it
/// one: with three on their way, each step of a chain costs a single round trip.
const SPARES: usize = 3;

/// One connection. What is on it shares it behind an `Arc`; it ends with the last of them.
pub(in crate::ssh) struct Pooled {
    pub connection: Connection,
    most: usize,
    state: Mutex<State>,
    news: Arc<News>,
    given_up: AtomicBool,
}

/// Tells those who wait for a channel of any connection that there may be one.
#[derive(Debug, Default)]
pub(in crate::ssh) struct News {
    pub changed: Notify,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// How many there may be, as far as is known.
    limit: usize,
    /// Slots given out.
    used: usize,
    /// Channels that the server has opened, and that are not closed.
    open: usize,
    /// Channels that take no slot.
    extra: usize,
    /// When a channel was last closed.
    closed: Option<Instant>,
    streak: u32,
    spares: VecDeque<Armed>,
    /// How many spares there should be: more when one was asked for and had not come yet.
    wanted: usize,
    /// Spares on their way.
    arming: usize,
    /// Askers that count on one of those.
    expected: usize,
    /// Why the last spare did not come, if it never will.
    never: Option<HostError>,
}

impl State {
    fn spare(&mut self) -> Option<Armed> {
        std::iter::from_fn(|| self.spares.pop_front()).find(Armed::is_usable)
    }
}

/// What an asker gets.
pub(in crate::ssh) enum Pick {
    /// A channel with its bootstrap running.
    Spare(Box<Armed>),
    /// The right to open one.
    Slot(Slot),
    /// A spare is about to come; wait for the news.
    Soon(Expecting),
    /// There is no room.
    Full,
}

/// What somebody in a hurry gets; see [`Pooled::urgent`].
pub(in crate::ssh) enum Urgent {
    /// A channel with its bootstrap running.
    Spare(Box<Armed>),
    /// The right to open one.
    Slot(Slot),
}

impl Pooled {
    pub(in crate::ssh) fn new(connection: Connection, news: Arc<News>) -> Arc<Self> {
        // Dropbear (2022.83) closes a channel that has no command yet when the command of another
        // one ends, and dies of the request that comes then, with all that runs.
        let most = if connection.server.banner.contains("dropbear") { 1 } else { LIMIT };
        Arc::new(Self {
            connection,
            most,
            state: Mutex::new(State { limit: most, wanted: 1, ..State::default() }),
            news,
            given_up: AtomicBool::new(false),
        })
    }

    /// Whether it is of no more use.
    pub(in crate::ssh) fn is_dead(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
            || self.connection.handle.is_closed()
            || self.connection.ended().is_some()
    }

    /// It does not answer any more: nothing new is put on it.
    pub(in crate::ssh) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Why it ended. The reason comes a moment after its channels have ended.
    pub(in crate::ssh) async fn why_ended(&self) -> String {
        timeout(Duration::from_secs(1), self.connection.wait_ended())
            .await
            .unwrap_or_else(|_| "the channel was aborted".to_owned())
    }

    /// A channel, or the right to one, without waiting.
    pub(in crate::ssh) fn pick(self: &Arc<Self>) -> Pick {
        let mut state = self.state();
        if let Some(spare) = state.spare() {
            return Pick::Spare(Box::new(spare));
        }
        state.wanted = SPARES.min(state.wanted + 1);
        if state.arming > state.expected {
            state.expected += 1;
            return Pick::Soon(Expecting(Arc::clone(self)));
        }
        self.slot(&mut state).map_or(Pick::Full, Pick::Slot)
    }

    /// The right to open a channel that is to carry an environment; spare ones give way.
    pub(in crate::ssh) fn pick_bare(self: &Arc<Self>) -> Pick {
        let mut state = self.state();
        let slot = self.slot(&mut state);
        if slot.is_none() {
            state.spares.clear();
        }
        slot.map_or(Pick::Full, Pick::Slot)
    }

    /// What something that can't wait gets: a spare channel, or the right to one beyond the
    /// limit, which leaves room for that.
    pub(in crate::ssh) fn urgent(&self) -> Result<Urgent, Refused> {
        let mut state = self.state();
        match state.spare() {
            Some(spare) => Ok(Urgent::Spare(Box::new(spare))),
            None if state.limit == 1 && state.used > 0 => Err(Refused::Full),
            None => Ok(Urgent::Slot(Slot::beyond())),
        }
    }

    /// Whether it may have one channel only, as far as is known.
    pub(in crate::ssh) fn is_single(&self) -> bool {
        self.state().limit == 1
    }

    /// Whether there is a channel besides this one: open, being opened, or closed so lately that the
    /// server may not have freed it yet.
    pub(in crate::ssh) fn has_others(&self, slot: &Slot) -> bool {
        let state = self.state();
        state.used > usize::from(slot.0.is_some())
            || state.extra > 0
            || state.closed.is_some_and(|closed| closed.elapsed() < CLOSING)
    }

    /// Counts a channel that takes no slot while what is returned lives.
    pub(in crate::ssh) fn extra(self: &Arc<Self>) -> Extra {
        self.state().extra += 1;
        Extra(Arc::clone(self))
    }

    fn slot(self: &Arc<Self>, state: &mut State) -> Option<Slot> {
        (state.used < state.limit).then(|| {
            state.used += 1;
            Slot(Some(Held {
                pooled: Arc::downgrade(self),
                news: Arc::clone(&self.news),
                is_open: AtomicBool::new(false),
            }))
        })
    }

    /// The right to open one channel more ahead, as far as there is room and nobody waits for it;
    /// [`came`](Self::came) is to be told what became of it.
    pub(in crate::ssh) fn slot_ahead(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state();
        let has_enough = state.spares.len() + state.arming >= state.wanted;
        if has_enough || self.is_dead() || self.news.waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let slot = self.slot(&mut state)?;
        state.arming += 1;
        state.never = None;
        Some(slot)
    }

    /// A channel that was opened ahead is there, or is not to be had.
    pub(in crate::ssh) fn came(&self, armed: Result<Armed, Refused>) {
        let mut state = self.state();
        state.arming -= 1;
        match armed {
            Ok(armed) => state.spares.push_back(armed),
            Err(refused) => {
                state.wanted = 1;
                if let Refused::Never(error) = refused {
                    state.never = Some(error);
                }
            }
        }
        drop(state);
        self.news.changed.notify_waiters();
    }

    /// Why the spare that was waited for will never come, if that is so.
    pub(in crate::ssh) fn never(&self) -> Option<HostError> {
        self.state().never.clone()
    }

    /// The server refused a channel for the `times`th time in a row; gives the time to wait.
    /// None when it refuses even the first one.
    pub(in crate::ssh) fn refused(&self, times: u32) -> Option<Duration> {
        let mut state = self.state();
        state.streak = 0;
        if times > PATIENCE {
            if state.open == 0 && times > 2 * PATIENCE {
                return None;
            }
            state.limit = state.open.max(1);
        }
        Some(Duration::from_millis(5 << times.min(5)))
    }

    /// Gives up the spare channels, which would keep the connection for ever.
    pub(in crate::ssh) fn drop_spares(&self) {
        self.state().spares.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    /// Counts as waiting while the guard lives: no spare is made then.
    pub(in crate::ssh) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }
}

/// See [`News::wait`].
pub(in crate::ssh) struct Waiting<'a>(&'a News);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts on the spare that is on its way.
pub(in crate::ssh) struct Expecting(Arc<Pooled>);

impl Drop for Expecting {
    fn drop(&mut self) {
        self.0.state().expected -= 1;
    }
}

/// A channel that takes no slot.
pub(in crate::ssh) struct Extra(Arc<Pooled>);

impl Drop for Extra {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.extra -= 1;
        state.closed = Some(Instant::now());
    }
}

/// The right to one channel.
pub(in crate::ssh) struct Slot(Option<Held>);

struct Held {
    pooled: Weak<Pooled>,
    news: Arc<News>,
    is_open: AtomicBool,
}

impl Slot {
    /// One beyond the limit.
    fn beyond() -> Self {
        Self(None)
    }

    /// The server has opened it.
    pub(in crate::ssh) fn opened(&self) {
        let Some(held) = &self.0 else { return };
        if let Some(pooled) = held.pooled.upgrade()
            && !held.is_open.swap(true, Ordering::Relaxed)
        {
            let mut state = pooled.state();
            state.open += 1;
            state.streak += 1;
            if state.streak >= STREAK && state.limit < pooled.most {
                state.streak = 0;
                state.limit += 1;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(held) = self.0.take() else { return };
        if let Some(pooled) = held.pooled.upgrade() {
            let mut state = pooled.state();
            state.used -= 1;
            if held.is_open.load(Ordering::Relaxed) {
                state.open -= 1;
                state.closed = Some(Instant::now());
            }
        }
        held.news.changed.notify_waiters();
    }
}
