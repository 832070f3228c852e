//! Units of work done in any order, merged in theirs.

use std::collections::BTreeMap;

use crate::rows::Accumulator;

/// Merges the states of work units in unit order, whatever order they arrive in, keeping no more of them than arrived
/// ahead of their turn.
#[derive(Debug)]
struct OrderedMerge<A> {
    merged: Option<A>,
    next: usize,
    early: BTreeMap<usize, A>,
}

impl<A: Accumulator> Default for OrderedMerge<A> {
    fn default() -> Self {
        OrderedMerge { merged: None, next: 0, early: BTreeMap::new() }
    }
}

impl<A: Accumulator> OrderedMerge<A> {
    /// Takes the state of unit number `unit` (from 0, each once).
    fn push(&mut self, unit: usize, state: A) {
        self.early.insert(unit, state);
        while let Some(state) = self.early.remove(&self.next) {
            self.next += 1;
            match &mut self.merged {
                Some(merged) => merged.merge(state),
                None => self.merged = Some(state),
            }
        }
    }

    /// The merged state; `empty` where there was no unit.
    fn finish(self, empty: A) -> A {
        self.merged.unwrap_or(empty)
    }
}

/// Runs `work(unit)` for `units` units on up to `threads` threads and merges the states in unit order.
///
/// Without the feature `parallel`, or with one thread, the units run one after the other on this thread; the result is
/// the same bit for bit.
pub(crate) fn parallel_units<A: Accumulator>(
    empty: A,
    units: usize,
    threads: usize,
    work: impl Fn(usize) -> A + Sync,
) -> A {
    let mut merge = OrderedMerge::default();
    #[cfg(feature = "parallel")]
    if threads > 1 && units > 1 {
        use std::sync::Mutex;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let (next, shared) = (AtomicUsize::new(0), Mutex::new(merge));
        std::thread::scope(|scope| {
            for _ in 0..threads.min(units) {
                scope.spawn(|| {
                    loop {
                        let unit = next.fetch_add(1, Ordering::Relaxed);
                        if unit >= units {
                            break;
                        }
                        let state = work(unit);
                        // A poisoned lock means that another unit panicked; its panic is what the caller sees.
                        if let Ok(mut merge) = shared.lock() {
                            merge.push(unit, state);
                        }
                    }
                });
            }
        });
        merge = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        return merge.finish(empty);
    }
    let _ = threads;
    for unit in 0..units {
        merge.push(unit, work(unit));
    }
    merge.finish(empty)
}

/// `work` of every item, on up to `threads` threads, in the items' order.
pub(crate) fn parallel_map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    #[cfg(feature = "parallel")]
    if threads > 1 && items.len() > 1 {
        use std::sync::Mutex;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
        std::thread::scope(|scope| {
            for _ in 0..threads.min(items.len()) {
                scope.spawn(|| {
                    while let Some((place, item)) = {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        items.get(place).map(|item| (place, item))
                    } {
                        let result = work(item);
                        // A poisoned lock means that other work panicked; its panic is what the caller sees.
                        if let Ok(mut done) = done.lock() {
                            done.push((place, result));
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(place, _)| *place);
        return done.into_iter().map(|(_, result)| result).collect();
    }
    let _ = threads;
    items.iter().map(work).collect()
}
