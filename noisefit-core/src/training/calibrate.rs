//! What rows say of a network that it was not shown: how heavy the tails of its noise are, how large its scales, and where its
//! quantiles lie.

use crate::Error;
use crate::inference::evaluate::{Evaluation, Scores};
use crate::network::{Member, Mixture, Network};
use crate::noise::{Kernel, Noise, Shaped, Visitor};
use crate::rows::{Accumulator, NewRows, Part, RowSource, RowSourceExt, Sample, SampledRows};
use crate::training::prepare::{Divided, Prepared};
use crate::training::scale::{maximum_likelihood_scale, minimum, sharpen};

/// Rows with the members that have not learned from them, by their places.
pub(super) struct Unseen {
    pub(super) rows: SampledRows,
    pub(super) members: Vec<usize>,
}

/// Rows that calibrate at most; of more a random sample.
const ROWS: usize = 10_000;

/// Rows that say something of tails.
pub(super) const ENOUGH: f64 = 20.0;

impl Unseen {
    /// Of every part that is left out in turn; or of the rows that validate, which no member learns from. `numbers` are those of the
    /// members that have been trained.
    ///
    /// # Errors
    /// What the source reports.
    pub(super) fn of(rows: &Divided<'_>, prepared: &Prepared, numbers: &[usize]) -> Result<Vec<Self>, Error> {
        let sample = |rows: &dyn RowSource, limit: usize| {
            let sample = rows.pass(Sample::new(rows.layout(), limit, rows.rows_hint()))?;
            Ok::<_, Error>(sample.finish(rows.layout()))
        };
        if let Some(in_turn) = &prepared.in_turn {
            let mut all = Vec::new();
            for part in 0..in_turn.members {
                let of = in_turn.left_out.unseen_by(part, in_turn.members);
                let members: Vec<usize> =
                    of.filter_map(|member| numbers.iter().position(|number| *number == member)).collect();
                let rows = sample(&in_turn.folds.select(&rows.learning, Part::Only(part)), ROWS / in_turn.members)?;
                if !members.is_empty() && rows.len() > 0 {
                    all.push(Unseen { rows, members });
                }
            }
            return Ok(all);
        }
        let of_all =
            |held_out| Ok(Unseen { rows: sample(held_out, NOISE_ROWS)?, members: (0..numbers.len()).collect() });
        rows.held_out.as_ref().map(|held_out| of_all(held_out)).into_iter().collect()
    }

    /// Rows as if no member had learned from them.
    pub(super) fn all(rows: SampledRows, network: &Network) -> Self {
        Unseen { rows, members: (0..network.members.len()).collect() }
    }

    pub(super) fn observations(&self) -> f64 {
        self.rows.frequencies().map_or(self.rows.len() as f64, |frequencies| frequencies.iter().sum())
    }

    pub(super) fn network(&self, network: &Network) -> Network {
        network.of_members(self.members.iter().copied())
    }

    /// What its members say of its rows together, with the responses and how often they count.
    fn said(&self, network: &Network) -> Result<Said, Error> {
        let network = self.network(network);
        Ok(self.rows.show(|block| Said {
            mixture: network.predict(&NewRows::from(block)),
            response: block.response.high.to_vec(),
            counts: (0..block.rows()).map(|i| block.frequency(i)).collect(),
        }))
    }
}

/// Validation rows that estimate the noise at most.
const NOISE_ROWS: usize = 200_000;

/// What is predicted of rows, and what came.
struct Said {
    mixture: Mixture,
    response: Vec<f64>,
    counts: Vec<f64>,
}

/// Gives all members the scale that is the mean of those of maximum likelihood, each from the rows that it has not seen; of what it is
/// for their mixtures says [`tails`].
///
/// # Errors
/// What the families report.
pub(super) fn scales(network: &mut Network, unseen: &[Unseen]) -> Result<(), Error> {
    let curves = network.curves();
    let (mut logs, mut count) = (vec![0.0; curves], 0.0);
    for part in unseen {
        let own = part.network(network);
        let observations = part.observations();
        part.rows.show(|block| {
            let mut inputs = Vec::new();
            own.standardisation.extend_inputs(block.design, block.rows(), &mut inputs);
            for member in &own.members {
                let said = own.said(member, &inputs, block.rows(), block.weights);
                for (curve, noise) in member.noise.iter().enumerate() {
                    let residual =
                        |i: usize| (block.response.high[i] - said.locations[curve][i]) / said.scales[curve][i];
                    let residuals: Vec<f64> = (0..block.rows()).map(residual).collect();
                    let factor = maximum_likelihood_scale(noise, member.scale[curve], &residuals, block.frequencies)?;
                    // Rows without residuals say nothing of those that have some.
                    logs[curve] += observations * factor.max(LEAST_FACTOR).ln();
                }
            }
            Ok::<(), Error>(())
        })?;
        count += observations * own.members.len() as f64;
    }
    let factors: Vec<f64> = logs.iter().map(|log| (log / count).exp()).collect();
    for member in &mut network.members {
        let factor = |factor: f64| if factor > 2.0 * LEAST_FACTOR { factor } else { 0.0 };
        member.scale.iter_mut().zip(&factors).for_each(|(scale, own)| *scale *= factor(*own));
        sharpen(&mut member.noise, &member.scale);
    }
    Ok(())
}

/// Smaller than what single precision leaves of a response.
const LEAST_FACTOR: f64 = 1e-9;

/// Finds the tails, where they are to be estimated, and what all scales are multiplied by, that make the mixtures of the members likeliest.
///
/// Calibrating each member by itself instead makes intervals of their mixture too wide, as the spread between members comes on top.
///
/// # Errors
/// What the rows report.
pub(super) fn tails(network: &mut Network, noise: &[Noise], unseen: &[Unseen]) -> Result<(), Error> {
    let (&[asked], [first, ..]) = (noise, &network.members[..]) else { return Ok(()) };
    let observations: f64 = unseen.iter().map(Unseen::observations).sum();
    let has_scale = network.members.iter().all(|member| member.scale.iter().all(|scale| *scale > 0.0));
    let now = first.noise[0];
    let shapes = asked.visit(Shapes);
    // Huber's noise with a knee in units of the response has other tails at every scale.
    let fixed_knee = matches!(now, Noise::Huber(huber) if huber.delta.is_some());
    if !has_scale || observations < ENOUGH || fixed_knee {
        return Ok(());
    }
    let said = unseen.iter().map(|part| part.said(network)).collect::<Result<Vec<_>, _>>()?;
    let loss = |noise: &Noise, log_factor: f64| -> f64 {
        let family = noise.family();
        let of = |said: &Said| {
            let row = |i: usize| -> f64 {
                said.counts[i] * said.mixture.log_density_as(family, log_factor, i, said.response[i])
            };
            -(0..said.response.len()).map(row).sum::<f64>()
        };
        said.iter().map(of).sum()
    };
    let best_factor = |noise: &Noise| minimum((-3.0, 3.0), 1e-4, |log_factor| loss(noise, log_factor));
    let chosen = match shapes {
        None => {
            // What validates has widened them already.
            if unseen.len() == 1 && unseen[0].members.len() == network.members.len() {
                return Ok(());
            }
            now
        }
        Some(shape) => {
            let at = |share: f64| {
                let noise = shape.at(share);
                loss(&noise, best_factor(&noise))
            };
            let losses: Vec<f64> = SHARES.iter().map(|share| at(*share)).collect();
            let least = (0..SHARES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
            let (low, high) = (least.saturating_sub(1), (least + 1).min(SHARES.len() - 1));
            let between = minimum((SHARES[low], SHARES[high]), 1e-3, at);
            // The lightest tails of all are an end that is not between.
            shape.at(if at(between) < losses[least] { between } else { SHARES[least] })
        }
    };
    let factor = best_factor(&chosen).exp();
    for member in &mut network.members {
        let Member { noise, scale, .. } = member;
        noise.iter_mut().for_each(|noise| *noise = chosen);
        scale.iter_mut().for_each(|scale| *scale *= factor);
    }
    Ok(())
}

/// Makes all scales a little larger, for of so many rows they are known to a standard error of about `1 / sqrt(2 v)`: as the variance of
/// Student's t with `v` degrees of freedom does.
pub(super) fn allow(network: &mut Network, unseen: &[Unseen]) {
    let observations: f64 = unseen.iter().map(Unseen::observations).sum();
    let allowance = (observations / (observations - 2.0).max(0.5)).sqrt();
    for member in &mut network.members {
        member.scale.iter_mut().for_each(|scale| *scale *= allowance);
        sharpen(&mut member.noise, &member.scale);
    }
}

/// How heavy tails are that are tried, as shares of the heaviest: of Student's t, infinitely many degrees of freedom, then 20, 10, 6, 4
/// and on to 0.7.
const SHARES: [f64; 13] = [0.0, 0.025, 0.05, 0.083, 0.125, 0.167, 0.2, 0.25, 0.333, 0.4, 0.5, 0.59, 0.71];

/// The shapes of noise whose shape is to be estimated.
struct Shapes;

/// Noise of a shape.
struct Shape {
    at: Box<dyn Fn(f64) -> Noise>,
}

impl Shape {
    fn at(&self, share: f64) -> Noise {
        (self.at)(share)
    }
}

impl Visitor for Shapes {
    type Output = Option<Shape>;

    fn visit<K: Kernel>(self, _: K) -> Option<Shape> {
        None
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Option<Shape> {
        let (start, end) = (*K::SHAPES.start(), *K::SHAPES.end());
        let at = move |share: f64| kernel.with_parameter(start + share * (end - start)).estimated();
        Some(Shape { at: Box::new(at) })
    }
}

/// Moves several quantiles to where as many rows lie below them as should: each by the quantile of its level of the distances from it to
/// the responses, one row in `n + 1` allowed for (split conformal calibration: Romano, Patterson and Candes 2019, *NeurIPS*), and none by
/// less than a lower one, so that they do not cross.
///
/// # Errors
/// What the rows report.
pub(super) fn quantiles(network: &mut Network, unseen: &[Unseen]) -> Result<(), Error> {
    let Some(levels) = network.levels() else { return Ok(()) };
    let said = unseen.iter().map(|part| part.said(network)).collect::<Result<Vec<_>, _>>()?;
    let shift = |(curve, tau): (usize, &f64)| {
        let mut distances: Vec<(f64, f64)> = Vec::new();
        for said in &said {
            let locations = said.mixture.location(curve);
            let own = said.response.iter().zip(&locations).zip(&said.counts);
            distances.extend(own.map(|((y, location), count)| (y - location, *count)));
        }
        quantile(distances, *tau)
    };
    let shifts: Vec<f64> = levels.iter().enumerate().map(shift).collect();
    network.shifts = ascending(&shifts);
    Ok(())
}

/// The quantile of values that count so often, on the side of the median that is the safe one.
fn quantile(mut values: Vec<(f64, f64)>, tau: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, count)| count).sum();
    // Of n values and one that is still to come, each is as likely the one in a place.
    let wanted = if tau < 0.5 { tau * (total + 1.0) - 1.0 } else { tau * (total + 1.0) };
    let (mut below, last) = (0.0, values.last().map_or(0.0, |(value, _)| *value));
    for (value, count) in &values {
        below += count;
        let reached = if tau < 0.5 { below > wanted } else { below >= wanted };
        if reached {
            return *value;
        }
    }
    last
}

/// The ascending numbers that are nearest by squares (pool adjacent violators).
fn ascending(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for &value in values {
        pools.push((value, 1));
        while let [.., (a, m), (b, n)] = pools[..]
            && a > b
        {
            pools.pop();
            pools.pop();
            pools.push(((a * m as f64 + b * n as f64) / (m + n) as f64, m + n));
        }
    }
    pools.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
}

/// How well each curve predicts rows, each by the members that have not seen it.
///
/// # Errors
/// What the rows report.
pub(super) fn scores(network: &Network, unseen: &[Unseen], level: f64) -> Result<Vec<Scores>, Error> {
    let mut sums: Vec<Evaluation> = Vec::new();
    for part in unseen {
        let own = Evaluation::of_network(&part.network(network), level)?;
        let found = part.rows.source()?.pass(own)?;
        match sums.is_empty() {
            true => sums = found,
            false => sums.iter_mut().zip(found).for_each(|(sum, own)| sum.merge(own)),
        }
    }
    sums.iter().map(Evaluation::finish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_allows_for_the_row_to_come() {
        let values = || (1..=9).map(|value| (f64::from(value), 1.0)).collect::<Vec<_>>();
        // Of ten rows, the one to come among them, one is above the ninth, one below the first.
        assert_eq!((quantile(values(), 0.9), quantile(values(), 0.1), quantile(values(), 0.5)), (9.0, 1.0, 5.0));
        assert_eq!((quantile(values(), 0.99), quantile(values(), 0.01)), (9.0, 1.0));
        let twice = || vec![(1.0, 3.0), (2.0, 6.0)];
        assert_eq!((quantile(twice(), 0.2), quantile(twice(), 0.5)), (1.0, 2.0));
    }

    #[test]
    fn neighbours_that_fall_are_pooled() {
        assert_eq!(ascending(&[1.0, 3.0, 2.0, 4.0]), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(ascending(&[3.0, 2.0, 1.0]), [2.0; 3]);
        assert_eq!(ascending(&[]), [0.0; 0]);
    }
}
