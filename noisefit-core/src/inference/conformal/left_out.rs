//! Least squares without each row in turn, from the fit to all of them.

use crate::Error;
use crate::algebra::Affine;
use crate::estimate::{self, Options};
use crate::inference::conformal::member::Member;
use crate::noise::{Noise, Route};
use crate::rows::SampledRows;

/// What is left of a row's freedom where it alone determines something, but for rounding.
const BOUND: f64 = 1e-9;

/// The fits without each row, without their scores: without row `i` the coefficients are
///
/// ```text
/// b - A x_i f w e_i / (1 - f w x_i'A x_i),  A = (X'F W X)^-1
/// ```
///
/// (Belsley, Kuh and Welsch 1980, *Regression Diagnostics*, section 2.1). None for a row that alone determines something, and
/// altogether for other noise or where the scale is modelled, which have no closed form.
///
/// # Errors
/// Those of the fit to all rows.
pub(super) fn members(
    rows: &SampledRows,
    noise: &[Noise],
    options: &Options,
) -> Result<Option<Vec<Option<Member>>>, Error> {
    let source = rows.source()?;
    let [one] = noise else { return Ok(None) };
    if one.route() != Route::ClosedForm {
        return Ok(None);
    }
    let fits = estimate::fit(&source, noise, options)?;
    let Some((fit, leverage)) = fits.first().and_then(|fit| Some((fit, fit.leverage()?))) else { return Ok(None) };
    if fit.scale.is_modelled() || fit.absorbed.is_some() {
        return Ok(None);
    }
    let (location, directions, places) = (fit.location.affine(), leverage.directions(), leverage.places());
    let offset = usize::from(fit.location.intercept);
    Ok(Some(rows.show(|block| {
        let (count, order) = (block.rows(), places.len());
        let (errors, whitened) = (location.residuals(block), leverage.whitened(block.design, count));
        let without = |i: usize| {
            let u = |k: usize| whitened[k * count + i];
            let weight = block.frequency(i) * block.weights.map_or(1.0, |w| w[i]);
            let free = 1.0 - weight * (0..order).map(|k| u(k) * u(k)).sum::<f64>();
            if free < BOUND {
                return None;
            }
            let factor = weight * errors[i] / free;
            let Affine { mut intercept, mut slopes } = location.clone();
            for (direction, &place) in directions.iter().zip(&places) {
                let moved = factor * direction.iter().enumerate().map(|(k, l)| l * u(k)).sum::<f64>();
                match place.checked_sub(offset) {
                    Some(j) => slopes[j] -= moved,
                    None => intercept -= moved,
                }
            }
            Some(Member::of_line(Affine { intercept, slopes }))
        };
        (0..count).map(without).collect()
    })))
}
