//! Long work: on a thread of its own, without the interpreter's lock, while this one listens for Ctrl-C and shows progress.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use noisefit::data::read::Progress;
use noisefit::{Error, Watch};
use pyo3::prelude::*;

use crate::errors::{exception, raised};

/// How often Ctrl-C is listened for, and progress shown.
const PAUSE: Duration = Duration::from_millis(50);

/// Work shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// As much stack as the main thread of a process has.
const STACK: usize = 8 << 20;

/// How far the passes of one call are, and whether they are to stop.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    stopped: AtomicBool,
    bytes: AtomicU64,
    /// Steps done and in all: epochs of a training, refits of a bootstrap.
    steps: (AtomicU64, AtomicU64),
    message: Mutex<String>,
}

impl Progress for Passes {
    fn advance(&self, bytes: u64, _rows: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn steps(&self, done: u64, of: u64) {
        self.steps.0.store(done, Ordering::Relaxed);
        self.steps.1.store(of, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Watch for Passes {
    fn begin_training(&self, epochs: u64) {
        self.steps(0, epochs);
    }

    fn trained(&self, epochs: u64, message: &str) {
        self.steps.0.store(epochs, Ordering::Relaxed);
        message.clone_into(&mut self.message.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn trial(&self, line: &str) {
        line.clone_into(&mut self.message.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Passes {
    /// Shows how far they are, by a function of the share that is done and a message.
    fn show(&self, progress: &Bound<'_, PyAny>) -> PyResult<()> {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (done, of) = (load(&self.steps.0), load(&self.steps.1));
        let share = (of > 0).then(|| done as f64 / of as f64);
        let message = self.message.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let message = match (of, message.is_empty()) {
            (0, _) => format!("{:.0} MB read", load(&self.bytes) as f64 / 1e6),
            (_, true) => format!("{done} of {of}"),
            (_, false) => format!("{done} of {of}  {message}"),
        };
        progress.call1((share, message)).map(drop)
    }
}

/// Does some work without the interpreter's lock. Ctrl-C stops it and becomes a `KeyboardInterrupt`, a panic an `InternalError`.
///
/// `progress` is called as [`Passes::show`] says once the work has taken a second.
pub(crate) fn apart<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(Arc<Passes>) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let (passes, started) = (Arc::new(Passes::default()), Instant::now());
    let (sender, mut receiver) = channel();
    let watched = passes.clone();
    let task = move || {
        // Whoever listens has not gone away: it waits for this.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(|| work(watched))));
    };
    std::thread::scope(|scope| {
        let spawned =
            std::thread::Builder::new().name("noisefit".to_owned()).stack_size(STACK).spawn_scoped(scope, task);
        if let Err(error) = spawned {
            return Err(exception(py, "InternalError", &format!("no thread could be started: {error}")));
        }
        // What Ctrl-C, or showing how far the work is, has raised: the work is told to stop, and waited for.
        let mut stopped: Option<PyErr> = None;
        let done = loop {
            let received;
            (receiver, received) = py.detach(move || {
                let received = receiver.recv_timeout(PAUSE);
                (receiver, received)
            });
            match received {
                Ok(done) => break done,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(exception(py, "InternalError", "the work ended without a result"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let listened = py.check_signals().and_then(|()| match progress {
                Some(progress) if stopped.is_none() && started.elapsed() >= PATIENCE => passes.show(progress),
                _ => Ok(()),
            });
            if let Err(error) = listened {
                passes.stopped.store(true, Ordering::Relaxed);
                stopped.get_or_insert(error);
            }
        };
        match (stopped, done) {
            (Some(error), _) => Err(error),
            (None, Ok(Ok(done))) => Ok(done),
            (None, Ok(Err(error))) => Err(raised(py, &error)),
            (None, Err(panic)) => Err(panicked(py, &*panic)),
        }
    })
}

/// Does short work here, and makes an exception of a panic.
pub(crate) fn guarded<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(py, &*panic)))
}

fn panicked(py: Python<'_>, panic: &(dyn std::any::Any + Send)) -> PyErr {
    let what = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let what = what.unwrap_or("no message");
    exception(py, "InternalError", &format!("a fault of noisefit, which you did not cause: {what}; please report it"))
}
