//! The truths that samples are drawn from.

use noisefit_core::Error;
use noisefit_core::noise::{Gaussian, Logistic, Noise, StudentT};
use noisefit_core::rows::{Matrix, MemoryRows};

use crate::random::Random;

/// What is estimated: the coefficients of `y = 1 + 2 x1 - x2`.
pub const COEFFICIENTS: [f64; 3] = [1.0, 2.0, -1.0];

/// A noise that samples are drawn with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth {
    /// One scale.
    Family(Noise),
    /// Gaussian with standard deviation `exp(x1 / 2)`: between its 10% and 90% points that of x1 multiplies it by 3.6.
    Heteroscedastic,
}

impl Truth {
    /// All truths, with their names.
    pub fn all() -> Vec<(&'static str, Truth)> {
        let student_t = Noise::StudentT(StudentT::new(3.0));
        vec![
            ("gaussian", Truth::Family(Noise::Gaussian)),
            ("laplace", Truth::Family(Noise::Laplace)),
            ("student-t 3", Truth::Family(student_t)),
            ("logistic", Truth::Family(Noise::Logistic)),
            ("heteroscedastic gaussian", Truth::Heteroscedastic),
        ]
    }

    fn noise(self, x: [f64; 2], random: &mut Random) -> f64 {
        match self {
            Truth::Heteroscedastic => (0.5 * x[0]).exp() * random.draw(&Gaussian),
            Truth::Family(Noise::Logistic) => random.draw(&Logistic),
            Truth::Family(noise) => random.draw(noise.family()),
        }
    }
}

/// Rows with two regressors: one standard normal, one uniform between -1 and 1.
#[derive(Debug, Default)]
pub struct Sample {
    /// Row by row.
    pub x: Vec<f64>,
    /// The responses.
    pub y: Vec<f64>,
}

impl Sample {
    /// `n` rows of a truth.
    pub fn draw(truth: Truth, n: usize, random: &mut Random) -> Self {
        let mut sample = Sample::default();
        for _ in 0..n {
            let x = [random.draw(&Gaussian), 2.0 * random.uniform() - 1.0];
            let [a, b, c] = COEFFICIENTS;
            sample.y.push(a + b * x[0] + c * x[1] + truth.noise(x, random));
            sample.x.extend(x);
        }
        sample
    }

    /// As a source; with the scale modelled by the same columns where asked for.
    pub fn rows(&self, modelled: bool) -> Result<MemoryRows<'_>, Error> {
        let design = Matrix::row_major(&self.x, self.y.len(), 2)?;
        let rows = MemoryRows::new(&self.y, design)?.with_threads(1);
        if modelled { rows.with_scale_design(design, &["x1", "x2"]) } else { Ok(rows) }
    }
}

/// `work` of every replication, on all threads, in order.
pub fn replicate<T: Send>(replications: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let work = &work;
    let part = move |first: u64| -> Vec<(u64, T)> {
        (first..replications).step_by(threads as usize).map(|i| (i, work(i))).collect()
    };
    let mut all: Vec<(u64, T)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|first| scope.spawn(move || part(first))).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}
