//! Signals: Ctrl-C, and what asks a program to end, are a wish to stop that is granted when nothing is half done; a second one
//! ends the program at once.

#[cfg(unix)]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use noisefit::data::write::remove_unfinished;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the user wants to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// The wish is granted: another signal is about what follows.
pub(crate) fn granted() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Takes a signal.
fn take() {
    if INTERRUPTED.swap(true, Ordering::Relaxed) {
        remove_unfinished();
        std::process::exit(130);
    }
}

/// From now on a file that grows beyond what this process may write is an error like any other of writing, after which nothing is left
/// behind: the system's signal of it, which ends the program, is taken.
#[cfg(unix)]
pub(crate) fn outlive_full_files() {
    // Where it cannot be taken it does what it does without us.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
pub(crate) fn outlive_full_files() {}

/// From now on memory that ends is an error like any other: what asks for more than there is says so on standard error and aborts, by a
/// signal that is taken for the exit code of a failure. There is no going on from there, nor time to tidy up.
#[cfg(unix)]
pub(crate) fn fail_where_memory_ends() {
    let always = Arc::new(AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGABRT, 1, always);
}

#[cfg(not(unix))]
pub(crate) fn fail_where_memory_ends() {}

/// From now on signals are a wish; those that whoever started the program told it to ignore, as `nohup` does, stay ignored.
#[cfg(unix)]
pub(crate) fn listen() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static LISTENING: std::sync::Once = std::sync::Once::new();
    LISTENING.call_once(|| {
        let ignored = ignored();
        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !ignored(*signal));
        let Ok(mut signals) = signal_hook::iterator::Signals::new(heard) else { return };
        let handle = signals.handle();
        let waiting = std::thread::Builder::new().name("noisefit signals".to_owned());
        if waiting.spawn(move || signals.forever().for_each(|_| take())).is_err() {
            // Nobody would hear them: they end the program, as they do without us.
            handle.close();
        }
    });
}

/// Which signals are ignored, as Linux tells of every process. Where nothing tells, a hang-up is left to what it does without
/// us: it ends the program, unless it is ignored.
#[cfg(unix)]
fn ignored() -> impl Fn(i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    let mask = status.as_deref().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    move |signal| match mask {
        Some(mask) => mask & (1 << (signal - 1)) != 0,
        None => signal == signal_hook::consts::SIGHUP,
    }
}

/// From now on Ctrl-C is a wish.
#[cfg(not(unix))]
pub(crate) fn listen() {
    // Only the first call can set the handler, and one is enough.
    let _ = ctrlc::set_handler(take);
}
