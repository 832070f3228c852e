//! Whether a line is enough, and one scale: rows that networks did without say how far what they predict is to be drawn towards these.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::network::{Batch, Feed, Member, MemoryFeed, Mixture, Network, Said};
use crate::noise::Noise;
use crate::rows::NewRows;
use crate::training::calibrate::{ENOUGH, Unseen};
use crate::training::prepare::{Divided, Prepared};
use crate::training::scale::minimum;
use crate::training::stream::StreamFeed;

/// How far the location of all members is drawn towards the line of least squares through the rows that each was shown, and the logarithm of
/// a modelled scale towards its mean: 0 for not at all, 1 for all the way.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Shrinkage {
    /// Of the location.
    pub line: f64,
    /// Of the logarithm of the scale.
    pub scale: f64,
}

/// What is tried of each.
const TRIED: [f64; 7] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0];

/// Inputs of a line at most.
const MOST_INPUTS: usize = 256;

/// What the squares of the slopes are charged, in observations: a line through few rows is drawn towards the mean.
const RIDGE: f64 = 1.0;

/// Draws all members as far towards their lines, and their own mean scales, as makes the mixtures of those that have not seen a row the
/// likeliest there.
///
/// # Errors
/// What the rows report.
pub(super) fn shrink(
    network: &mut Network,
    rows: &Divided<'_>,
    prepared: &Prepared,
    numbers: &[usize],
    unseen: &[Unseen],
) -> Result<Shrinkage, Error> {
    let observations: f64 = unseen.iter().map(Unseen::observations).sum();
    let has_scale = network.members.iter().all(|member| member.scale.iter().all(|scale| *scale > 0.0));
    if network.is_linear() || network.curves() > 1 || !has_scale || observations < ENOUGH {
        return Ok(Shrinkage::default());
    }
    let noise = network.members[0].noise[0];
    let lines = numbers.iter().map(|number| Line::of(rows, prepared, *number)).collect::<Result<Vec<_>, _>>()?;
    let Some(lines) = lines.into_iter().collect::<Option<Vec<Line>>>() else { return Ok(Shrinkage::default()) };
    let means = mean_log_scales(network, unseen);
    let ends = |shrinkage: Shrinkage| {
        let members = network.members.iter().zip(&lines).zip(&means);
        let members = members.map(|((member, line), mean)| drawn(network, member, line, *mean, shrinkage)).collect();
        Network { members, ..network.clone() }
    };
    // What lies between is linear in both.
    let [own, line] = [Shrinkage::default(), Shrinkage { line: 1.0, scale: 1.0 }].map(ends);
    let pairs: Vec<Pair> = unseen.iter().map(|part| Pair::of(part, &own, &line)).collect();
    let loss = |shrinkage: Shrinkage| {
        let between: Vec<(Mixture, &Pair)> = pairs.iter().map(|pair| (pair.between(shrinkage), pair)).collect();
        let at = |log_factor: f64| between.iter().map(|(mixture, pair)| pair.loss(mixture, &noise, log_factor)).sum();
        at(minimum((-2.0, 2.0), 1e-2, at))
    };
    let mut best = Shrinkage::default();
    let mut least: f64 = loss(best);
    let tries = |best: Shrinkage, of_scale: bool| {
        let one = move |share: f64| {
            if of_scale { Shrinkage { scale: share, ..best } } else { Shrinkage { line: share, ..best } }
        };
        TRIED.into_iter().map(one)
    };
    for of_scale in [false, true, false, true] {
        if of_scale && !network.models_scale() {
            continue;
        }
        for tried in tries(best, of_scale) {
            let found = loss(tried);
            if found < least {
                (best, least) = (tried, found);
            }
        }
    }
    *network = ends(best);
    Ok(best)
}

/// A line in units of the standardised inputs and response.
struct Line {
    slopes: Vec<f64>,
    intercept: f64,
}

impl Line {
    /// That of least squares through the rows that a member was shown; none of too many inputs.
    ///
    /// # Errors
    /// What the source reports.
    fn of(rows: &Divided<'_>, prepared: &Prepared, member: usize) -> Result<Option<Self>, Error> {
        let plain = prepared.architecture.plain();
        let Some(in_turn) = prepared.in_turn.filter(|_| plain.len() <= MOST_INPUTS) else { return Ok(None) };
        let mut sums = LeastSquares::new(plain);
        let part = in_turn.shown(member);
        let mut add = |batch: &Batch<'_>| {
            sums.add(batch);
            ControlFlow::Continue(())
        };
        match &prepared.data {
            Some(data) => {
                let shown = in_turn.folds.rows_of(prepared.rows, part);
                MemoryFeed::new(data, BATCH, None).of(shown).epoch(0, 0, &mut add)?;
            }
            None => {
                let source = &in_turn.folds.select(&rows.learning, part);
                let standardisation = &prepared.standardisation;
                let mut feed = StreamFeed {
                    source,
                    standardisation,
                    rows: prepared.rows_of(member),
                    batch: BATCH,
                    seed: None,
                    buffer: 0,
                };
                feed.epoch(0, 0, &mut add)?;
            }
        }
        let LeastSquares { ref plain, .. } = sums;
        let Some(solution) = sums.solution() else { return Ok(None) };
        let mut slopes = vec![0.0; prepared.architecture.inputs];
        plain.iter().zip(&solution[1..]).for_each(|(&j, slope)| slopes[j] = *slope);
        Ok(Some(Line { slopes, intercept: solution[0] }))
    }
}

/// Rows that are added up at once.
const BATCH: usize = 4096;

/// The sums of least squares: a constant, then some inputs.
struct LeastSquares {
    plain: Vec<usize>,
    /// The packed lower triangle of the products.
    products: Vec<f64>,
    right: Vec<f64>,
}

impl LeastSquares {
    fn new(plain: Vec<usize>) -> Self {
        let order = plain.len() + 1;
        LeastSquares { plain, products: vec![0.0; order * (order + 1) / 2], right: vec![0.0; order] }
    }

    fn add(&mut self, batch: &Batch<'_>) {
        let count = batch.targets.response.len();
        let width = batch.inputs.len() / count.max(1);
        let mut row = vec![1.0; self.right.len()];
        for i in 0..count {
            let of = |values: Option<&[f32]>| values.map_or(1.0, |values| f64::from(values[i]));
            let weight = of(batch.targets.weights) * of(batch.targets.frequencies);
            let inputs = &batch.inputs[i * width..(i + 1) * width];
            row[1..].iter_mut().zip(&self.plain).for_each(|(value, &j)| *value = f64::from(inputs[j]));
            let mut products = self.products.iter_mut();
            for (j, right) in self.right.iter_mut().enumerate() {
                let own = weight * row[j];
                *right += own * f64::from(batch.targets.response[i]);
                products.by_ref().zip(&row[..=j]).for_each(|(sum, other)| *sum += own * other);
            }
        }
    }

    /// The intercept and the slopes.
    fn solution(&self) -> Option<Vec<f64>> {
        let (order, mut products) = (self.right.len(), self.products.clone());
        // Row j of the triangle ends with the square of input j, the first with the number of rows.
        (1..order).for_each(|j| products[j * (j + 3) / 2] += RIDGE);
        Some(Cholesky::new(&products, order)?.solve(&self.right))
    }
}

/// The mean logarithm of each member's scale over the rows that it has not seen.
fn mean_log_scales(network: &Network, unseen: &[Unseen]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); network.members.len()];
    for part in unseen {
        let own = part.network(network);
        part.rows.show(|block| {
            let said = own.predict(&NewRows::from(block)).into_members();
            for (said, member) in said.iter().zip(&part.members) {
                let (sum, count) = &mut sums[*member];
                *sum += said.scales[0].iter().map(|scale| scale.ln()).sum::<f64>();
                *count += said.scales[0].len() as f64;
            }
        });
    }
    // What is learned of a scale is a factor of the deviation of the response, and of the scale that members have in common.
    let unit = |member: &Member| (network.standardisation.response.deviation * member.scale[0]).ln();
    let mean =
        |((sum, count), member): (&(f64, f64), &Member)| if *count > 0.0 { sum / count - unit(member) } else { 0.0 };
    sums.iter().zip(&network.members).map(mean).collect()
}

/// A member that is drawn so far towards its line, and its scale towards the mean of its logarithm.
fn drawn(network: &Network, member: &Member, line: &Line, mean: f64, by: Shrinkage) -> Member {
    let (weights, outputs) = (network.architecture.output_weights(), network.architecture.outputs);
    let bias = weights.end;
    let mut drawn = member.clone();
    let mut towards = |output: usize, share: f64, goal: f64| {
        let kept = (1.0 - share) as f32;
        drawn.parameters[weights.clone()].iter_mut().skip(output).step_by(outputs).for_each(|weight| *weight *= kept);
        let bias = &mut drawn.parameters[bias + output];
        *bias = ((1.0 - share) * f64::from(*bias) + share * goal) as f32;
    };
    towards(0, by.line, line.intercept);
    if network.models_scale() {
        towards(1, by.scale, mean);
    }
    if by.line > 0.0 {
        drawn.line = line.slopes.iter().map(|slope| (by.line * slope) as f32).collect();
    }
    drawn
}

/// What networks say of rows that they have not seen, as they are and drawn all the way, and what came.
struct Pair {
    own: Vec<Said>,
    line: Vec<Said>,
    response: Vec<f64>,
    counts: Vec<f64>,
}

impl Pair {
    fn of(part: &Unseen, own: &Network, line: &Network) -> Self {
        let (own, line) = (part.network(own), part.network(line));
        part.rows.show(|block| Pair {
            own: own.predict(&NewRows::from(block)).into_members(),
            line: line.predict(&NewRows::from(block)).into_members(),
            response: block.response.high.to_vec(),
            counts: (0..block.rows()).map(|i| block.frequency(i)).collect(),
        })
    }

    fn between(&self, by: Shrinkage) -> Mixture {
        let member = |(own, line): (&Said, &Said)| {
            let location = |(a, b): (&f64, &f64)| a + by.line * (b - a);
            let scale = |(a, b): (&f64, &f64)| ((1.0 - by.scale) * a.ln() + by.scale * b.ln()).exp();
            let locations = own.locations[0].iter().zip(&line.locations[0]).map(location).collect();
            let scales = own.scales[0].iter().zip(&line.scales[0]).map(scale).collect();
            Said { noise: own.noise.clone(), locations: vec![locations], scales: vec![scales] }
        };
        Mixture::new(self.own.iter().zip(&self.line).map(member).collect(), self.response.len())
    }

    fn loss(&self, mixture: &Mixture, noise: &Noise, log_factor: f64) -> f64 {
        let family = noise.family();
        let row = |i: usize| self.counts[i] * mixture.log_density_as(family, log_factor, i, self.response[i]);
        -(0..self.response.len()).map(row).sum::<f64>()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::TrainingRows;

    #[test]
    fn a_line_is_that_of_least_squares() {
        // y = 1 + 2 a; the other input is not read.
        let rows = 100;
        let value = |i: usize| (0.37 * i as f64).sin();
        let design: Vec<f32> = (0..rows).flat_map(|i| [value(i) as f32, 7.0]).collect();
        let response = (0..rows).map(|i| (1.0 + 2.0 * f64::from(value(i) as f32)) as f32).collect();
        let data = TrainingRows { inputs: 2, design, response, ..TrainingRows::default() };
        let mut sums = LeastSquares::new(vec![0]);
        sums.add(&data.batch(0..60));
        sums.add(&data.batch(60..100));
        let solution = sums.solution().unwrap();
        // The ridge of one observation draws the slope by 1 / (sum of squares about the mean + 1) of itself.
        let mean = data.design.iter().step_by(2).map(|x| f64::from(*x)).sum::<f64>() / rows as f64;
        let squares: f64 = data.design.iter().step_by(2).map(|x| (f64::from(*x) - mean).powi(2)).sum();
        let slope = 2.0 * squares / (squares + 1.0);
        assert!((solution[1] - slope).abs() < 1e-6, "{solution:?}");
        assert!((solution[0] - (1.0 + (2.0 - slope) * mean)).abs() < 1e-6, "{solution:?}");
    }
}
