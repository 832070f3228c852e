//! A mean loss and its gradient, in single precision.

use std::error::Error;
use std::path::Path;

use noisefit_core::loss::{Loss, Pairs, Parameter, Reduction};

use crate::protocol::{numbers, repeat};
use crate::threads;

/// Serves one library with one loss on `truth.f32`, `prediction.f32` and `variance.f32`.
pub fn run(library: &str, loss: &str, rows: usize, folder: &Path) -> Result<(), Box<dyn Error>> {
    let read = |name: &str| numbers(&folder.join(name), rows, f32::from_le_bytes);
    let (truth, prediction, variance) = (read("truth.f32")?, read("prediction.f32")?, read("variance.f32")?);
    let mut gradient = vec![0.0; rows];
    match library {
        "noisefit" => {
            let loss = match loss {
                "mse" => Loss::SquaredError,
                "mae" => Loss::AbsoluteError,
                "huber" => Loss::Huber { delta: 1.35 },
                "smooth_l1" => Loss::SmoothL1 { beta: 0.5 },
                "gaussian_nll" => Loss::GaussianNll { variance: Parameter::PerRow(&variance), full: true },
                other => return Err(format!("no loss '{other}' here").into()),
            };
            let pairs = Pairs::new(&truth, &prediction)?.with_threads(threads());
            repeat(|| {
                let value = loss.value_and_gradient(&pairs, Reduction::Mean, &mut gradient)?;
                Ok(vec![("loss", vec![value]), ("gradient", sample(&gradient))])
            })
        }
        "one sweep" => repeat(|| {
            subtract(&prediction, &truth, &mut gradient, threads());
            Ok(vec![("residuals", sample(&gradient))])
        }),
        other => Err(format!("no library '{other}' here").into()),
    }
}

/// Enough of the array to see that it is the right one, from all over it.
fn sample(gradient: &[f32]) -> Vec<f64> {
    gradient.iter().step_by(gradient.len().div_ceil(100).max(1)).map(|&g| g.into()).collect()
}

/// `c <- a - b`, as fast as memory delivers: the least that a loss with its gradient can take.
fn subtract(a: &[f32], b: &[f32], c: &mut [f32], threads: usize) {
    let part = c.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for ((a, b), c) in a.chunks(part).zip(b.chunks(part)).zip(c.chunks_mut(part)) {
            scope.spawn(move || a.iter().zip(b).zip(c).for_each(|((a, b), c)| *c = a - b));
        }
    });
}
