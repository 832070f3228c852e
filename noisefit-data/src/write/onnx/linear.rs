//! Linear fits as nodes.

use noisefit_core::algebra::Affine;
use noisefit_core::record::{Coefficients, Fit};
use noisefit_core::rows::Layout;

use super::curves::Curves;
use super::proto::Graph;

/// What linear fits say of the rows of a design, one curve each.
pub(super) fn curves(graph: &mut Graph, fits: &[Fit], layout: &Layout, design: &str) -> Curves {
    let lines = fits.iter().map(|fit| fit.location.affine()).collect();
    let locations = affine(graph, design, lines, "locations");
    let scales = match &layout.scale {
        None => {
            let scales: Vec<f64> = fits.iter().map(|fit| fit.scale.common().unwrap_or(f64::NAN)).collect();
            graph.repeat(design, &scales, "scales")
        }
        Some(scale) => {
            let lines = fits.iter().filter_map(|fit| fit.scale.modelled().map(Coefficients::affine)).collect();
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

/// One column for each line.
fn affine(graph: &mut Graph, design: &str, lines: Vec<Affine>, name: &str) -> String {
    let terms = lines.first().map_or(0, |line| line.slopes.len());
    let weights: Vec<f64> = (0..terms).flat_map(|j| lines.iter().map(move |line| line.slopes[j])).collect();
    let intercepts: Vec<f64> = lines.iter().map(|line| line.intercept).collect();
    graph.affine(design, &weights, &intercepts, name)
}
