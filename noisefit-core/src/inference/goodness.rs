//! What is told of the residuals beside what a fit needs: their quantiles, and what the terms take from the loss of a quantile.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::noise::Route;
use crate::record::{Absorbed, Fit};
use crate::rows::{Accumulator, Block, Kinds, RowSource, RowSourceExt};

/// Of more observations than this a fit says neither: a pass more would cost more than it tells.
pub const MOST_OBSERVATIONS: u64 = 1_000_000;

/// Adds the quantiles of the residuals to a fit of these rows, and of a quantile or absolute deviations of one scale with an intercept
/// Koenker and Machado's `R1 = 1 - V / V0`, with `V` the loss at the fit and `V0` that of an intercept alone; nothing to fits of more than
/// [`MOST_OBSERVATIONS`].
///
/// # Errors
/// What the source reports.
pub fn goodness(source: &dyn RowSource, fit: &mut Fit) -> Result<(), Error> {
    if fit.nobs > MOST_OBSERVATIONS {
        return Ok(());
    }
    let of_quantile = match (fit.noise.route(), &fit.vertex, fit.scale.is_modelled(), fit.location.intercept) {
        (Route::Vertex { tau }, Some(vertex), false, true) => Some((tau, vertex.objective)),
        _ => None,
    };
    let responses = of_quantile.map(|_| Vec::new());
    let found = source.pass(Residuals {
        location: fit.location.affine(),
        absorbed: fit.absorbed.clone().map(Arc::new),
        rows: 0,
        values: Vec::new(),
        responses,
    })?;
    fit.goodness.residual_quantiles = quantiles(found.values);
    if let (Some((tau, objective)), Some(responses)) = (of_quantile, found.responses) {
        let all = loss_about_quantile(responses, tau, |e| fit.noise.family().evaluate(e).value);
        fit.goodness.r1 = (all > 0.0).then(|| 1.0 - objective / all);
    }
    Ok(())
}

/// The least loss about any number, which is that about a quantile; of responses and what the loss of each counts.
fn loss_about_quantile(mut responses: Vec<(f64, f64)>, tau: f64, loss: impl Fn(f64) -> f64) -> f64 {
    responses.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = responses.iter().map(|(_, counts)| counts).sum();
    let mut below = 0.0;
    let quantile = responses.iter().find(|(_, counts)| {
        below += counts;
        below >= tau * total
    });
    let Some(&(quantile, _)) = quantile.or(responses.last()) else { return 0.0 };
    responses.iter().map(|(y, counts)| counts * loss(y - quantile)).sum()
}

/// Residuals, and how often each counts; of a quantile the responses, too, and what the loss of each counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Residuals {
    location: Affine,
    /// Constants of levels beside it.
    absorbed: Option<Arc<Absorbed>>,
    rows: u64,
    values: Vec<(f64, f64)>,
    responses: Option<Vec<(f64, f64)>>,
}

impl Accumulator for Residuals {
    const KIND: &'static str = "residuals of a fit";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        let mut residuals = self.location.residuals(block);
        let constants = self.absorbed.as_ref().and_then(|absorbed| absorbed.values(block.effects, block.rows()));
        for (residual, constant) in residuals.iter_mut().zip(constants.unwrap_or_default()) {
            *residual -= constant;
        }
        self.values.extend(residuals.into_iter().enumerate().map(|(i, e)| (e, block.frequency(i))));
        if let Some(responses) = &mut self.responses {
            responses
                .extend((0..block.rows()).map(|i| (block.response.high[i], block.frequency(i) * block.root_weight(i))));
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.values.extend(later.values);
        if let (Some(responses), Some(later)) = (&mut self.responses, later.responses) {
            responses.extend(later);
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The least, the quartiles, and the largest. Quartiles are those of R's type 7; of sampling weights, which are no counts, the values at which
/// the shares of the weights reach them.
fn quantiles(mut values: Vec<(f64, f64)>) -> Option<[f64; 5]> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let counted = values.iter().all(|(_, frequency)| frequency.fract() == 0.0);
    let mut count = 0.0;
    // From here on the second number is how many there are up to and with this one.
    for (_, upto) in &mut values {
        count += *upto;
        *upto = count;
    }
    let at = |rank: f64| {
        let place = values.partition_point(|(_, upto)| *upto <= rank);
        values.get(place).or(values.last()).map(|(value, _)| *value)
    };
    let quantile = |share: f64| {
        if !counted {
            let place = values.partition_point(|(_, upto)| *upto < share * count);
            return values.get(place).or(values.last()).map(|(value, _)| *value);
        }
        let place = (count - 1.0) * share;
        let (below, above) = (at(place.floor())?, at((place.floor() + 1.0).min(count - 1.0))?);
        Some((1.0 - place.fract()) * below + place.fract() * above)
    };
    Some([quantile(0.0)?, quantile(0.25)?, quantile(0.5)?, quantile(0.75)?, quantile(1.0)?])
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Residuals>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{loss_about_quantile, quantiles};

    /// About every response and halfway between.
    #[test]
    fn the_least_loss_is_that_about_a_quantile() {
        let responses = [(3.0, 1.0), (-1.0, 0.5), (7.0, 2.0), (4.0, 1.25), (4.0, 0.25), (10.0, 1.0)];
        for tau in [0.1, 0.5, 0.6, 0.95] {
            let loss = |e: f64| if e > 0.0 { tau * e } else { (tau - 1.0) * e };
            let about = |c: f64| responses.iter().map(|(y, counts)| counts * loss(y - c)).sum::<f64>();
            let least = (-10..=110).map(|k| about(f64::from(k) / 10.0)).fold(f64::INFINITY, f64::min);
            assert!((loss_about_quantile(responses.to_vec(), tau, loss) - least).abs() < 1e-12, "{tau}");
        }
        assert_eq!(loss_about_quantile(Vec::new(), 0.5, f64::abs), 0.0);
    }

    #[test]
    fn quantiles_are_type_7_and_count_frequencies() {
        // R: quantile(c(1, 2, 4, 8, 16, 32)).
        let values = [32.0, 1.0, 8.0, 2.0, 16.0, 4.0].map(|x| (x, 1.0));
        assert_eq!(quantiles(values.to_vec()).unwrap(), [1.0, 2.5, 6.0, 14.0, 32.0]);
        let counted = [(3.0, 2.0), (1.0, 3.0), (2.0, 1.0)];
        let repeated = [1.0, 1.0, 1.0, 2.0, 3.0, 3.0].map(|x| (x, 1.0));
        assert_eq!(quantiles(counted.to_vec()), quantiles(repeated.to_vec()));
        assert_eq!(quantiles(Vec::new()), None);
        let weighted = [(3.0, 0.75), (1.0, 1.5), (2.0, 0.5), (4.0, 0.25)];
        assert_eq!(quantiles(weighted.to_vec()).unwrap(), [1.0, 1.0, 1.0, 3.0, 4.0]);
    }
}
