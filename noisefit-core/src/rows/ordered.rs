//! Units of work done in any order, taken in theirs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Runs `work(unit)` for `units` units on up to `threads` threads and hands the results to `next` in unit order, until it
/// breaks; then no unit is begun any more.
///
/// Without the feature `parallel`, or with one thread, the units run one after the other on this thread; what `next` sees is
/// the same. No more results are kept than arrived ahead of their turn.
pub(crate) fn in_order<T: Send>(
    units: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut next: impl FnMut(T) -> ControlFlow<()> + Send,
) {
    #[cfg(feature = "parallel")]
    if threads > 1 && units > 1 {
        use std::sync::Mutex;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let (begun, order) = (AtomicUsize::new(0), Mutex::new(Order { turn: 0, early: BTreeMap::new(), next }));
        std::thread::scope(|scope| {
            for _ in 0..threads.min(units) {
                scope.spawn(|| {
                    loop {
                        let unit = begun.fetch_add(1, Ordering::Relaxed);
                        if unit >= units {
                            break;
                        }
                        let result = work(unit);
                        // A poisoned lock means that another unit panicked; its panic is what the caller sees.
                        if let Ok(mut order) = order.lock()
                            && order.push(unit, result).is_break()
                        {
                            begun.store(units, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        return;
    }
    let _ = threads;
    for unit in 0..units {
        if next(work(unit)).is_break() {
            break;
        }
    }
}

/// The results that arrived ahead of their turn, and where the others go.
#[cfg(feature = "parallel")]
struct Order<T, N> {
    turn: usize,
    early: BTreeMap<usize, T>,
    next: N,
}

#[cfg(feature = "parallel")]
impl<T, N: FnMut(T) -> ControlFlow<()>> Order<T, N> {
    /// Takes the result of a unit (from 0, each once).
    fn push(&mut self, unit: usize, result: T) -> ControlFlow<()> {
        self.early.insert(unit, result);
        while let Some(result) = self.early.remove(&self.turn) {
            self.turn += 1;
            if (self.next)(result).is_break() {
                // It never comes.
                self.turn = usize::MAX;
                self.early.clear();
            }
        }
        if self.turn == usize::MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// `work` of every item, on up to `threads` threads, in the items' order.
pub(crate) fn parallel_map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    in_order(
        items.len(),
        threads,
        |place| work(&items[place]),
        |result| {
            results.push(result);
            ControlFlow::Continue(())
        },
    );
    results
}
