//! How long a fit takes.

/// The time since it was started; none where a browser's sandbox has no clock.
pub(super) struct Stopwatch {
    #[cfg(not(target_arch = "wasm32"))]
    started: std::time::Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Stopwatch {
            #[cfg(not(target_arch = "wasm32"))]
            started: std::time::Instant::now(),
        }
    }

    pub(super) fn seconds(&self) -> Option<f64> {
        #[cfg(not(target_arch = "wasm32"))]
        return Some(self.started.elapsed().as_secs_f64());
        #[cfg(target_arch = "wasm32")]
        None
    }
}
