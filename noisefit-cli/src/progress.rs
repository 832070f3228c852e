//! Progress bars for whatever takes longer than a second.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use noisefit::Watch;
use noisefit::data::read::Progress;

use crate::output::tell;
use crate::signals;

/// Work shorter than this has no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// The passes of one command over its data: how far they are, and whether the user wants them to stop.
#[derive(Debug)]
pub(crate) struct Passes {
    bar: Option<ProgressBar>,
    shown: OnceLock<()>,
    started: Instant,
    /// Bytes of one pass.
    size: u64,
    bytes: AtomicU64,
    rows: AtomicU64,
    /// Whether the bar is that of a training, beside which passes are not shown.
    training: AtomicBool,
}

impl Passes {
    /// Passes over `size` bytes each. From now on signals ask them to stop.
    pub(crate) fn new(size: u64, quiet: bool) -> Self {
        signals::listen();
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
            bar.with_style(style(BYTES))
        });
        Passes {
            bar,
            shown: OnceLock::new(),
            started: Instant::now(),
            size: size.max(1),
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            training: AtomicBool::new(false),
        }
    }

    /// Takes the bar away, before something is printed.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Passes {
    /// From now on the bar shows epochs, of so many at most.
    fn begin_training(&self, epochs: u64) {
        self.training.store(true, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_style(style(EPOCHS));
            bar.set_length(epochs);
            bar.set_position(0);
            bar.reset_eta();
        }
    }

    /// So many epochs are done, with what there is to be said.
    fn trained(&self, epochs: u64, message: &str) {
        if let Some(bar) = self.bar.as_ref().filter(|_| self.started.elapsed() >= PATIENCE) {
            bar.set_message(message.to_owned());
            bar.set_position(epochs);
            self.shown.get_or_init(|| bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    fn trial(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(line)),
            None => tell(line),
        }
    }

    /// The bar shows passes again, and another Ctrl-C stops what follows.
    fn end_training(&self) {
        signals::granted();
        self.training.store(false, Ordering::Relaxed);
    }
}

/// The bar of a pass.
const BYTES: &str = "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left";

/// The bar of a training.
const EPOCHS: &str = "{bar:20} epoch {human_pos}/{human_len}  {msg}  at most {eta} left";

/// The bar of steps beside the passes.
const STEPS: &str = "{bar:30} {human_pos}/{human_len} fits  {eta} left";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Passes {
    /// Sets the bar to a place, of the kind that `template` draws, and shows it.
    fn show(&self, bar: &ProgressBar, template: &'static str, place: u64, of: u64) {
        if bar.length() != Some(of) {
            bar.set_style(style(template));
            bar.set_length(of);
            bar.reset_eta();
        }
        bar.set_position(place);
        self.shown.get_or_init(|| bar.set_draw_target(ProgressDrawTarget::stderr()));
    }
}

impl Progress for Passes {
    fn advance(&self, bytes: u64, rows: u64) {
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let Some(bar) = &self.bar else { return };
        if self.started.elapsed() < PATIENCE || self.training.load(Ordering::Relaxed) {
            return;
        }
        let pass = bytes.saturating_sub(1) / self.size + 1;
        bar.set_message(format!("pass {pass}, {} rows", HumanCount(rows)));
        self.show(bar, BYTES, bytes.saturating_sub(1) % self.size + 1, self.size);
    }

    fn steps(&self, done: u64, of: u64) {
        if let Some(bar) = self.bar.as_ref().filter(|_| self.started.elapsed() >= PATIENCE) {
            self.show(bar, STEPS, done, of);
        }
    }

    fn cancelled(&self) -> bool {
        signals::interrupted()
    }
}

impl Drop for Passes {
    fn drop(&mut self) {
        self.finish();
    }
}
