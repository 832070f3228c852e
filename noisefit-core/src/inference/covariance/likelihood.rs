//! Covariances of all parameters of a likelihood together: location, scale, and shape where it was estimated.

use crate::Error;
use crate::algebra::Coordinates;
use crate::algebra::gram::{packed, packed_length};
use crate::estimate::smooth::{Curvature, Likelihood, Point, ScaleColumns, scale_columns};
use crate::inference::covariance::likelihood_scores::LikelihoodScores;
use crate::inference::covariance::meat::Meat;
use crate::inference::covariance::sandwich::{Estimated, factored, inverse, sandwich};
use crate::inference::covariance::whitened::Whitened;
use crate::noise::Kernel;
use crate::numeric::double_double::DoubleDouble;
use crate::record::{Fit, Reference, Vcov};
use crate::rows::{RowSource, RowSourceExt};

/// The inverse of the observed or expected information, or with the observed one as bread the sandwich, for independent
/// rows or such as depend on each other within clusters or over lags.
pub(super) fn estimate<F: Kernel>(
    source: &dyn RowSource,
    fit: &mut Fit,
    functions: F,
    vcov: &Vcov,
) -> Result<(), Error> {
    let modelled = !fit.scale_coefficients.is_empty();
    let common = fit.scale.filter(|scale| *scale > 0.0);
    let (Some(leverage), true) = (fit.leverage.clone(), modelled || common.is_some()) else { return Ok(()) };
    let rows = Whitened::rows(source, fit, &leverage);
    let order = rows.adaptor().count();
    let (scale_columns, scale) = match common {
        Some(scale) => (None, vec![scale.ln()]),
        None => {
            let estimates: Vec<Option<f64>> = fit.scale_coefficients.iter().map(|row| row.estimate).collect();
            let columns = scale_columns(source, &estimates)?;
            let estimates: Vec<f64> = estimates.into_iter().flatten().collect();
            let scale = columns.coordinates.carry_in(&estimates);
            (Some(columns), scale)
        }
    };
    // The response of whitened rows is the residual, so that they have coefficients of zero.
    let point = Point {
        coordinates: Coordinates::of_design(&vec![0.0; order], &vec![1.0; order], false),
        scale_columns: scale_columns.clone(),
        location: vec![0.0; order],
        scale,
        functions,
        curvature: if *vcov == Vcov::Expected { Curvature::Expected } else { Curvature::Observed },
    };
    let parameters = point.parameters();
    let meat = Meat::new(LikelihoodScores::new(point.clone()), vcov);
    let (information, meat) = match vcov {
        Vcov::Expected | Vcov::Observed => (rows.pass(Likelihood::new(point))?.information(), None),
        _ => {
            let (state, meat) = rows.pass((Likelihood::new(point), meat))?;
            (state.information(), Some(meat.finish()?))
        }
    };
    let bread = factored(&information, parameters)?;
    let (matrix, clusters) = match meat {
        None => (inverse(&bread, parameters), None),
        Some(meat) => {
            let (matrix, warning) = sandwich(&bread, &meat, parameters);
            fit.warnings.extend(warning);
            (matrix, meat.clusters)
        }
    };
    let scale = scale_columns.map(|columns| carried_back(&matrix, order, &columns, fit.scale_coefficients.len()));
    let matrix = matrix[..packed_length(order)].to_vec();
    Estimated { leverage: &leverage, matrix, scale, clusters, reference: Reference::Normal }.store(fit, vcov);
    Ok(())
}

/// The covariance of `coefficients` coefficients of the scale, in the units of the data (zero for aliased ones), from that of
/// all parameters, of which they follow the first `order`.
fn carried_back(matrix: &[f64], order: usize, scale: &ScaleColumns, coefficients: usize) -> Vec<Vec<f64>> {
    let ScaleColumns { coordinates, columns } = scale;
    let count = coordinates.coefficients();
    let rows = (0..count).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let own: Vec<DoubleDouble> = rows.map(|(i, j)| matrix[packed(order + i, order + j)].into()).collect();
    let offset = coordinates.offset();
    let place = |k: usize| k.checked_sub(offset).map_or(0, |j| columns[j] + offset);
    let mut carried = vec![vec![0.0; coefficients]; coefficients];
    for i in 0..count {
        for j in 0..count {
            carried[place(i)][place(j)] = coordinates.carry_back_covariance(&own, i, j);
        }
    }
    carried
}
