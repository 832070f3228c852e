//! The threads that all work shares, started once and only when there is work for two.

use std::sync::OnceLock;

use rayon_core::{Scope, ThreadPool, ThreadPoolBuilder};

/// Runs `work` on this thread with a scope in which it may spawn more work for others; returns once all of it is done.
///
/// Whoever waits in a thread of the pool does spawned work meanwhile, so that work may ask for more work of others in its
/// turn. Where no thread can be started there is no scope, and this thread does everything.
pub(crate) fn with_others<'scope, R>(work: impl FnOnce(Option<&Scope<'scope>>) -> R) -> R {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    match POOL.get_or_init(start) {
        Some(pool) => pool.in_place_scope(|scope| work(Some(scope))),
        None => work(None),
    }
}

/// As many threads as there are processors, or as few as can be started.
fn start() -> Option<ThreadPool> {
    let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
    while threads > 0 {
        let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("noisefit {number}"));
        match builder.build() {
            Ok(pool) => return Some(pool),
            Err(_) => threads /= 2,
        }
    }
    None
}
