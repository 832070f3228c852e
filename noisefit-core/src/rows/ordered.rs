//! Units of work taken one after the other, worked on by several threads, and handed on in their order.

use std::ops::ControlFlow;

/// Runs `work` on every unit, on up to `threads` threads at once, and `next` on the results in the order of the units, until
/// it breaks or the units end.
///
/// Units are taken one at a time, so that an iterator over a stream will do; a single unit stays on this thread. Only a few
/// more units are begun than are finished in their turn, whatever their number: what waits in memory is bounded. Once `next`
/// breaks no unit is begun; results of later units that were on their way are dropped. What `next` sees does not depend on
/// `threads`. It is called by one thread at a time, whichever has the next result; so long as that lasts, results wait.
///
/// Without the feature `parallel` the units run one after the other on this thread.
///
/// ```
/// use std::ops::ControlFlow;
/// use noisefit_core::rows::in_order;
///
/// let mut squares = Vec::new();
/// in_order(0..5, 4, |unit| unit * unit, |square| {
///     squares.push(square);
///     ControlFlow::Continue(())
/// });
/// assert_eq!(squares, [0, 1, 4, 9, 16]);
/// ```
pub fn in_order<U: Send, R: Send>(
    units: impl Iterator<Item = U> + Send,
    threads: usize,
    work: impl Fn(U) -> R + Sync,
    mut next: impl FnMut(R) -> ControlFlow<()> + Send,
) {
    let mut units = units.fuse();
    #[cfg(feature = "parallel")]
    if threads > 1 {
        let Some(first) = units.next() else { return };
        if let Some(second) = units.next() {
            return shared::run([first, second].into_iter().chain(units), threads, work, next);
        }
        let _ = next(work(first));
        return;
    }
    let _ = threads;
    let _ = units.try_for_each(|unit| next(work(unit)));
}

/// `work` of every item, on up to `threads` threads at once, in the items' order.
pub(crate) fn parallel_map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut results = Vec::with_capacity(items.len());
    in_order(items.iter(), threads, work, |result| {
        results.push(result);
        ControlFlow::Continue(())
    });
    results
}

#[cfg(feature = "parallel")]
mod shared {
    use std::collections::BTreeMap;
    use std::iter::Enumerate;
    use std::ops::ControlFlow;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rayon_core::Scope;

    use crate::rows::pool::with_others;

    /// How many units a task may be ahead of the first that is not finished. It bounds what waits in memory.
    pub(super) const AHEAD: usize = 2;

    pub(super) fn run<U: Send, R: Send>(
        units: impl Iterator<Item = U> + Send,
        threads: usize,
        work: impl Fn(U) -> R + Sync,
        next: impl FnMut(R) -> ControlFlow<()> + Send,
    ) {
        let most = units.size_hint().1.unwrap_or(usize::MAX);
        let order = Order { turn: 0, early: BTreeMap::new(), resting: 0, handing: false, stopped: false };
        let shared = Shared {
            units: Mutex::new(units.enumerate()),
            order: Mutex::new(order),
            next: Mutex::new(next),
            work,
            limit: AHEAD * threads,
        };
        with_others(|scope| {
            if let Some(scope) = scope {
                (1..threads.min(most)).for_each(|_| scope.spawn(|scope| shared.task(Some(scope))));
            }
            shared.task(scope);
        });
    }

    struct Shared<I, W, N, R> {
        units: Mutex<Enumerate<I>>,
        order: Mutex<Order<R>>,
        next: Mutex<N>,
        work: W,
        /// Results that may wait for their turn.
        limit: usize,
    }

    /// The results that arrived ahead of their turn, and who deals with them.
    struct Order<R> {
        turn: usize,
        early: BTreeMap<usize, R>,
        /// Tasks that ended because too many results wait.
        resting: usize,
        /// Whether someone hands results on.
        handing: bool,
        stopped: bool,
    }

    impl<I, U, R, W, N> Shared<I, W, N, R>
    where
        I: Iterator<Item = U> + Send,
        U: Send,
        R: Send,
        W: Fn(U) -> R + Sync,
        N: FnMut(R) -> ControlFlow<()> + Send,
    {
        /// Works on units as long as there are such and room for their results. No task waits for another: what one leaves
        /// undone, whoever makes room begins anew.
        fn task<'scope>(&'scope self, scope: Option<&Scope<'scope>>) {
            while let Some((number, unit)) = self.take() {
                let result = (self.work)(unit);
                let rested = self.hand_on(number, result);
                if let Some(scope) = scope {
                    (0..rested).for_each(|_| scope.spawn(|scope| self.task(Some(scope))));
                }
            }
        }

        fn take(&self) -> Option<(usize, U)> {
            let mut units = lock(&self.units);
            {
                let mut order = lock(&self.order);
                if order.stopped {
                    return None;
                }
                if order.early.len() >= self.limit {
                    // The unit whose turn it is, is being worked on.
                    order.resting += 1;
                    return None;
                }
            }
            units.next()
        }

        /// Hands on a result, and others whose turn has come; gives how many tasks should be begun anew.
        fn hand_on(&self, number: usize, result: R) -> usize {
            let mut order = lock(&self.order);
            if order.stopped {
                return 0;
            }
            order.early.insert(number, result);
            if std::mem::replace(&mut order.handing, true) {
                return 0;
            }
            loop {
                let turn = order.turn;
                let Some(result) = order.early.remove(&turn) else { break };
                order.turn += 1;
                // Others may come by results meanwhile, and whoever is told of one may work with others itself.
                drop(order);
                let flow = (lock(&self.next))(result);
                order = lock(&self.order);
                if flow.is_break() {
                    order.stopped = true;
                    order.early.clear();
                }
            }
            order.handing = false;
            if order.early.len() < self.limit { std::mem::take(&mut order.resting) } else { 0 }
        }
    }

    /// A poisoned lock means that another thread panicked; its panic is what the caller sees.
    fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, feature = "parallel"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex, MutexGuard};

    use super::shared::AHEAD;
    use super::*;

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }

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
    #[should_panic(expected = "unit != 5")]
    fn a_panic_in_the_work_is_not_a_deadlock() {
        in_order(0..1000, 3, |unit| assert!(unit != 5), |()| ControlFlow::Continue(()));
    }

    #[test]
    fn a_single_unit_stays_on_this_thread() {
        let here = std::thread::current().id();
        let work = |unit: u8| (unit, std::thread::current().id());
        let mut seen = Vec::new();
        in_order(std::iter::once(7), 8, work, |result| {
            seen.push(result);
            ControlFlow::Continue(())
        });
        assert_eq!(seen, [(7, here)]);
    }

    #[test]
    fn no_more_work_at_once_than_asked_for() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |_: usize| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_micros(200));
            now.fetch_sub(1, Ordering::SeqCst);
        };
        in_order(0..200, 2, work, |()| ControlFlow::Continue(()));
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn work_and_whoever_is_told_of_it_may_ask_for_more_of_others() {
        let sum = |count: usize| {
            let mut sum = 0;
            in_order(
                0..count,
                3,
                |unit| unit,
                |unit| {
                    sum += unit;
                    ControlFlow::Continue(())
                },
            );
            sum
        };
        let mut total = 0;
        in_order(
            0..200,
            4,
            |_| parallel_map(&[30; 5], 3, |&count| sum(count)),
            |sums| {
                total += sums.len() * sum(10);
                ControlFlow::Continue(())
            },
        );
        assert_eq!(total, 200 * 5 * 45);
    }
}
