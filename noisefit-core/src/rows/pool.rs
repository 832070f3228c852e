//! The threads that all work shares, started once and only when there is work for two.

use std::io;
use std::sync::OnceLock;

use rayon_core::{Scope, ThreadBuilder, ThreadPool, ThreadPoolBuilder};

/// Runs `work` on this thread with a scope in which it may spawn more work for others; returns once all of it is done.
///
/// Whoever waits in a thread of the pool does spawned work meanwhile, so that work may ask for more work of others in its
/// turn. Where no thread can be started there is no scope, and this thread does everything.
pub(crate) fn with_others<'scope, R>(work: impl FnOnce(Option<&Scope<'scope>>) -> R) -> R {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    match POOL.get_or_init(|| started(processors(), begin)) {
        Some(pool) => pool.in_place_scope(|scope| work(Some(scope))),
        None => work(None),
    }
}

/// As many threads as are wanted, or as few as can be started.
fn started(mut threads: usize, mut begin: impl FnMut(ThreadBuilder) -> io::Result<()>) -> Option<ThreadPool> {
    while threads > 0 {
        match ThreadPoolBuilder::new().num_threads(threads).spawn_handler(&mut begin).build() {
            Ok(pool) => return Some(pool),
            Err(_) => threads /= 2,
        }
    }
    None
}

fn begin(thread: ThreadBuilder) -> io::Result<()> {
    let named = std::thread::Builder::new().name(format!("noisefit {}", thread.index()));
    named.spawn(|| thread.run()).map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The start of a thread fails, whichever it is, as where a user may have no more.
    #[test]
    fn threads_that_cannot_be_started_are_done_without() {
        for (allowed, expected) in
            [(0, None), (1, Some(1)), (2, Some(2)), (3, Some(2)), (5, Some(4)), (7, Some(4)), (8, Some(8))]
        {
            let pool = started(8, |thread| match thread.index() < allowed {
                true => begin(thread),
                false => Err(io::Error::from_raw_os_error(11)),
            });
            assert_eq!(pool.as_ref().map(ThreadPool::current_num_threads), expected, "{allowed} may be started");
            if let Some(pool) = pool {
                let sum = std::sync::atomic::AtomicU64::new(0);
                pool.in_place_scope(|scope| {
                    for i in 1..=100 {
                        let sum = &sum;
                        scope.spawn(move |_| {
                            sum.fetch_add(i, std::sync::atomic::Ordering::Relaxed);
                        });
                    }
                });
                assert_eq!(sum.into_inner(), 5050);
            }
        }
    }
}
