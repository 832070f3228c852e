//! What several charts have in common.

use noisefit_core::inference::sketch::Sketched;
use noisefit_core::noise::Noise;

use crate::chart::{Colour, Mark};
use crate::text::count_of;

/// How a family is drawn wherever it is: its colour, and a mark that tells it from others without colour.
pub(super) fn style_of(noise: &Noise) -> (Colour, Mark) {
    match noise {
        Noise::Gaussian => (Colour::Blue, Mark::Line),
        Noise::Laplace => (Colour::Vermillion, Mark::Line),
        Noise::Quantile(_) => (Colour::Grey, Mark::Dashed),
        Noise::StudentT(_) => (Colour::Green, Mark::Line),
        Noise::Logistic => (Colour::Purple, Mark::Dashed),
        Noise::Huber(_) => (Colour::Orange, Mark::Dotted),
        Noise::Cauchy => (Colour::Sky, Mark::Dashed),
    }
}

/// What is to be said where not all rows are drawn.
pub(super) fn sampled(rows: &Sketched) -> Option<String> {
    (!rows.is_complete()).then(|| {
        format!(
            "{} of {}, drawn at random by their numbers; the same in every run.",
            count_of(rows.rows.len() as u64, "row"),
            rows.met
        )
    })
}

/// `count` numbers from one to another.
pub(super) fn grid(from: f64, to: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| from + (to - from) * i as f64 / (count - 1).max(1) as f64).collect()
}
