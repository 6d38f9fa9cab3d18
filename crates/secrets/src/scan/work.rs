//! Work shared out over the cores.

use std::thread;
use std::thread::ScopedJoinHandle;

use crate::scan::Examiner;
use crate::scan::Finding;
use crate::scan::Hit;
use crate::scan::Report;
use crate::scan::Scanner;

/// How many at once.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get).min(16)
}

/// Does each part of the work on a thread of its own; what they come to is in their order.
pub(super) fn share<T: Send, R: Send>(parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        let ended = running.into_iter().map(ScopedJoinHandle::join);
        ended.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

impl FromIterator<Self> for Report {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|part| all.add(part));
        all
    }
}

impl Report {
    /// Adds the hits of one file, and those in its path. A path that holds something is masked,
    /// for it will be shown.
    pub(super) fn enter(
        &mut self,
        scanner: &Scanner,
        examiner: &mut Examiner<'_>,
        path: &[u8],
        object: Option<&str>,
        hits: Vec<Hit>,
    ) {
        let in_path = examiner.bytes(path);
        if hits.is_empty() && in_path.is_empty() {
            return;
        }
        let shown = if in_path.is_empty() { path.to_vec() } else { scanner.mask(path) };
        let finding = |hit, in_path| Finding {
            path: shown.clone(),
            commit: None,
            object: object.map(str::to_owned),
            hit,
            in_path,
        };
        self.findings.extend(in_path.into_iter().map(|hit| finding(hit, true)));
        self.findings.extend(hits.into_iter().map(|hit| finding(hit, false)));
    }
}
