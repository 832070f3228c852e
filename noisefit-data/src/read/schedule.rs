//! Units of work taken one after the other, worked on by several threads, and handed on in their order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many units a thread may be ahead of the first that is not finished. It bounds what waits in memory.
const AHEAD: usize = 2;

/// Runs `work` on every unit on up to `threads` threads, and `sink` on the results in the order of the units, until it
/// breaks or the units end.
///
/// Units are taken by one thread at a time, so that an iterator over a stream will do. Once `sink` breaks no unit is
/// begun; results of later units that were on their way are dropped. What `sink` sees does not depend on `threads`.
pub(crate) fn in_order<U, R: Send>(
    units: impl Iterator<Item = U> + Send,
    threads: usize,
    work: impl Fn(U) -> R + Sync,
    mut sink: impl FnMut(R) -> ControlFlow<()> + Send,
) {
    if threads <= 1 {
        for unit in units {
            if sink(work(unit)).is_break() {
                break;
            }
        }
        return;
    }
    let source = Mutex::new(units.enumerate());
    let order = Mutex::new(Order { next: 0, early: BTreeMap::new(), stopped: false, sink });
    let advanced = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // If the work of one thread panics, the others must not wait for its result.
                let stop_on_panic = StopOnPanic { order: &order, advanced: &advanced };
                loop {
                    let mut source = lock(&source);
                    let taken = {
                        let waiting = |order: &mut Order<R, _>| !order.stopped && order.early.len() >= AHEAD * threads;
                        let order = advanced.wait_while(lock(&order), waiting).unwrap_or_else(PoisonError::into_inner);
                        if order.stopped {
                            None
                        } else {
                            drop(order);
                            source.next()
                        }
                    };
                    drop(source);
                    let Some((number, unit)) = taken else { break };
                    let result = work(unit);
                    lock(&order).push(number, result);
                    advanced.notify_all();
                }
                drop(stop_on_panic);
            });
        }
    });
}

/// The results that arrived ahead of their turn, and where the others go.
struct Order<R, S> {
    next: usize,
    early: BTreeMap<usize, R>,
    stopped: bool,
    sink: S,
}

impl<R, S: FnMut(R) -> ControlFlow<()>> Order<R, S> {
    fn push(&mut self, number: usize, result: R) {
        self.early.insert(number, result);
        while !self.stopped
            && let Some(result) = self.early.remove(&self.next)
        {
            self.next += 1;
            self.stopped = (self.sink)(result).is_break();
        }
    }
}

struct StopOnPanic<'a, R, S> {
    order: &'a Mutex<Order<R, S>>,
    advanced: &'a Condvar,
}

impl<R, S> Drop for StopOnPanic<'_, R, S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.order).stopped = true;
            self.advanced.notify_all();
        }
    }
}

/// A poisoned lock means that another thread panicked; its panic is what the caller sees.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let mut seen = Vec::new();
            let work = |unit: u64| {
                std::thread::sleep(std::time::Duration::from_micros((unit * 7919) % 300));
                unit * unit
            };
            in_order(0..100, threads, work, |result| {
                seen.push(result);
                ControlFlow::Continue(())
            });
            assert_eq!(seen, (0..100).map(|unit| unit * unit).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_break_stops_the_work_and_hides_later_results() {
        for threads in [1, 4] {
            let (begun, mut seen) = (AtomicUsize::new(0), Vec::new());
            let work = |unit: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                unit
            };
            in_order(0..10_000, threads, work, |result| {
                seen.push(result);
                if result == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(seen, [0, 1, 2, 3]);
            assert!(begun.into_inner() <= 3 + 1 + (AHEAD + 1) * threads);
        }
    }

    #[test]
    fn no_more_results_wait_than_promised() {
        let threads = 3;
        let (begun, waiting, full) = (AtomicUsize::new(0), Mutex::new(0), Condvar::new());
        let mut begun_meanwhile = 0;
        let work = |unit: usize| {
            let begun_before = begun.fetch_add(1, Ordering::SeqCst);
            if unit > 0 {
                *lock(&waiting) += 1;
                full.notify_all();
                return begun_before;
            }
            // Holds up the order until the others have filled the waiting room, and long enough to overfill it.
            drop(full.wait_while(lock(&waiting), |waiting| *waiting < AHEAD * threads));
            std::thread::sleep(std::time::Duration::from_millis(20));
            begun.load(Ordering::SeqCst)
        };
        in_order(0..1000, threads, work, |result| {
            begun_meanwhile = if begun_meanwhile == 0 { result } else { begun_meanwhile };
            ControlFlow::Continue(())
        });
        assert!(begun_meanwhile <= 1 + (AHEAD + 1) * threads, "{begun_meanwhile}");
        assert_eq!(begun.into_inner(), 1000);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_in_the_work_is_not_a_deadlock() {
        in_order(0..1000, 3, |unit| assert!(unit != 5), |()| ControlFlow::Continue(()));
    }
}
