//! How a command ends where memory does: with a sentence and an exit code, whoever asked for the memory.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the last panic was one of memory.
static MEMORY_ENDED: AtomicBool = AtomicBool::new(false);

/// What `work` comes to; none where memory ended in it. Libraries that find none left panic, of which nothing is printed; the allocator
/// aborts, which `signals` takes for an exit code.
///
/// Any other panic is a fault of the program and goes on.
pub(crate) fn unless_memory_ends<T>(work: impl FnOnce() -> T) -> Option<T> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            let payload = panic.payload();
            let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
            match text.is_some_and(|text| text.contains("AllocError")) {
                true => MEMORY_ENDED.store(true, Ordering::Relaxed),
                false => {
                    MEMORY_ENDED.store(false, Ordering::Relaxed);
                    before(panic);
                }
            }
        }));
    });
    MEMORY_ENDED.store(false, Ordering::Relaxed);
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(_) if MEMORY_ENDED.load(Ordering::Relaxed) => None,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
