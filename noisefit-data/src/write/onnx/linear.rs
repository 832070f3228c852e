//! Linear fits as nodes.

use noisefit_core::record::{Coefficient, Fit};
use noisefit_core::rows::Layout;

use super::curves::Curves;
use super::proto::Graph;

/// What linear fits say of the rows of a design, one curve each.
pub(super) fn curves(graph: &mut Graph, fits: &[Fit], layout: &Layout, design: &str) -> Curves {
    let lines = fits.iter().map(|fit| line(&fit.coefficients, layout.intercept)).collect();
    let locations = affine(graph, design, lines, "locations");
    let scales = match &layout.scale {
        None => {
            let scales: Vec<f64> = fits.iter().map(|fit| fit.scale.unwrap_or(f64::NAN)).collect();
            graph.repeat(design, &scales, "scales")
        }
        Some(scale) => {
            let lines = fits.iter().map(|fit| line(&fit.scale_coefficients, scale.intercept)).collect();
            // Without terms of its own the scale has the rows of the location's design.
            let design = match scale.terms.len() {
                0 => design.to_owned(),
                columns => graph.take("scale_design", columns),
            };
            let logarithms = affine(graph, &design, lines, "log_scales");
            graph.apply("Exp", &[&logarithms], "scales")
        }
    };
    Curves { locations, scales, epistemic: None }
}

/// An intercept with its slopes.
type Line = (f64, Vec<f64>);

/// From a table; aliased terms count as zero, as they do in prediction.
fn line(coefficients: &[Coefficient], has_intercept: bool) -> Line {
    let (intercept, slopes) = coefficients.split_at(usize::from(has_intercept).min(coefficients.len()));
    let value = |coefficient: &Coefficient| coefficient.estimate.unwrap_or(0.0);
    (intercept.first().map_or(0.0, value), slopes.iter().map(value).collect())
}

/// One column for each line.
fn affine(graph: &mut Graph, design: &str, lines: Vec<Line>, name: &str) -> String {
    let terms = lines.first().map_or(0, |(_, slopes)| slopes.len());
    let weights: Vec<f64> = (0..terms).flat_map(|j| lines.iter().map(move |(_, slopes)| slopes[j])).collect();
    let intercepts: Vec<f64> = lines.iter().map(|(intercept, _)| *intercept).collect();
    graph.affine(design, &weights, &intercepts, name)
}
