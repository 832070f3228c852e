//! How fast losses and their gradients are, beside a plain sweep over the same memory: `cargo run --release --example
//! loss_speed -- [ROWS] [THREADS]`.

use std::time::Instant;

use noisefit_core::loss::{Loss, Pairs, Parameter, Reduction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let n: usize = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let threads: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let truth: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
    let prediction: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos() * 3.0).collect();
    let mut gradient = vec![0.0f32; n];
    let bytes = 12.0 * n as f64;
    let show =
        |name: &str, seconds: f64| println!("{name:28} {:7.2} ms {:7.1} GB/s", seconds * 1e3, bytes / seconds / 1e9);

    let share = n.div_ceil(threads).max(1);
    show(
        "difference only",
        best(|| {
            std::thread::scope(|scope| {
                let inputs = truth.chunks(share).zip(prediction.chunks(share));
                for ((truth, prediction), gradient) in inputs.zip(gradient.chunks_mut(share)) {
                    scope.spawn(move || {
                        for ((truth, prediction), gradient) in truth.iter().zip(prediction).zip(gradient) {
                            *gradient = truth - prediction;
                        }
                    });
                }
            });
        }),
    );
    let rows = Pairs::new(&truth, &prediction)?.with_threads(threads);
    for (name, loss) in [
        ("mse", Loss::SquaredError),
        ("mae", Loss::AbsoluteError),
        ("huber", Loss::Huber { delta: 1.0 }),
        ("pinball", Loss::Pinball { tau: 0.9 }),
        ("log_cosh", Loss::LogCosh),
        ("gaussian_nll", Loss::GaussianNll { variance: Parameter::Common(2.0), full: true }),
        ("gaussian_nll, per row", Loss::GaussianNll { variance: Parameter::PerRow(&vec![2.0; n]), full: true }),
    ] {
        let mut value = Ok(0.0);
        let seconds = best(|| value = loss.value_and_gradient(&rows, Reduction::Mean, &mut gradient));
        show(&format!("{name} = {:.6}", value?), seconds);
    }
    Ok(())
}

/// The least time of a number of runs.
fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..15).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
