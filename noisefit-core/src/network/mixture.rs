//! What the members of an ensemble say together: the mixture of their distributions, each as likely as another.

use crate::noise::{Noise, NoiseFamily};
use crate::record::Intervals;

/// What one member says of some rows: a distribution for each, and for each quantile where there are several.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The noise of each curve: one, or that of each quantile.
    pub noise: Vec<Noise>,
    /// The locations of each curve, in units of the response.
    pub locations: Vec<Vec<f64>>,
    /// The scales of each curve.
    pub scales: Vec<Vec<f64>>,
}

/// How far apart the next observation of a row may lie from its predicted mean, as standard deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// In all: the root of the sum of the squares of the others.
    pub total: f64,
    /// The spread of the noise: the root of the members' mean variance. Infinite where noise has none.
    pub aleatoric: f64,
    /// The spread of the members' locations, which would go away with more data.
    pub epistemic: f64,
}

/// The predictive distributions of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    members: Vec<Said>,
    rows: usize,
}

/// Secants at most; some ten do.
const MOST_SECANTS: usize = 100;

impl Mixture {
    pub(crate) fn new(members: Vec<Said>, rows: usize) -> Self {
        Mixture { members, rows }
    }

    /// What each member says.
    pub(crate) fn into_members(self) -> Vec<Said> {
        self.members
    }

    /// The same with all scales multiplied.
    pub(crate) fn widened(&self, factor: f64) -> Self {
        let mut wide = self.clone();
        let scales = wide.members.iter_mut().flat_map(|said| &mut said.scales).flatten();
        scales.for_each(|scale| *scale *= factor);
        wide
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn count(&self) -> f64 {
        self.members.len() as f64
    }

    /// The mean of the members' locations, or of their quantiles number `curve`.
    pub fn location(&self, curve: usize) -> Vec<f64> {
        let mean = |i: usize| self.members.iter().map(|said| said.locations[curve][i]).sum::<f64>() / self.count();
        (0..self.rows).map(mean).collect()
    }

    /// The root of the mean square of the members' scales.
    pub fn scale(&self, curve: usize) -> Vec<f64> {
        let square =
            |i: usize| self.members.iter().map(|said| said.scales[curve][i].powi(2)).sum::<f64>() / self.count();
        (0..self.rows).map(|i| square(i).sqrt()).collect()
    }

    /// How wide each row's distribution is: its standard deviation, or where the noise has none the scale.
    pub fn spread(&self) -> Vec<f64> {
        let scales = self.scale(0);
        let one = |(deviation, scale): (Deviation, f64)| {
            if deviation.total.is_finite() { deviation.total } else { scale.hypot(deviation.epistemic) }
        };
        self.deviations().into_iter().zip(scales).map(one).collect()
    }

    /// Where the spread of a row's distribution comes from.
    pub fn deviations(&self) -> Vec<Deviation> {
        let variances: Vec<f64> = self
            .members
            .iter()
            .map(|said| said.noise.first().map_or(f64::NAN, |noise| noise.family().variance()))
            .collect();
        let locations = self.location(0);
        let row = |i: usize| {
            let own = |(said, variance): (&Said, &f64)| match said.scales[0][i] {
                0.0 => 0.0,
                scale => variance * scale * scale,
            };
            let noise = self.members.iter().zip(&variances).map(own);
            let aleatoric = noise.sum::<f64>() / self.count();
            let apart = self.members.iter().map(|said| (said.locations[0][i] - locations[i]).powi(2));
            let epistemic = apart.sum::<f64>() / self.count();
            Deviation {
                total: (aleatoric + epistemic).sqrt(),
                aleatoric: aleatoric.sqrt(),
                epistemic: epistemic.sqrt(),
            }
        };
        (0..self.rows).map(row).collect()
    }

    /// The logarithm of the density of row `i` at `y`.
    pub fn log_density(&self, curve: usize, i: usize, y: f64) -> f64 {
        let own = |said: &Said| {
            let scale = said.scales[curve][i];
            -said.noise[curve].family().negative_log_density((y - said.locations[curve][i]) / scale) - scale.ln()
        };
        if let [said] = &self.members[..] {
            return own(said);
        }
        let logarithms: Vec<f64> = self.members.iter().map(own).collect();
        let largest = logarithms.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
        match largest.is_finite() {
            true => largest + (logarithms.iter().map(|l| (l - largest).exp()).sum::<f64>() / self.count()).ln(),
            false => largest,
        }
    }

    /// The logarithm of the density of row `i` at `y` if the noise of all members were this one, and their scales a factor larger.
    pub(crate) fn log_density_as(&self, noise: &dyn NoiseFamily, log_factor: f64, i: usize, y: f64) -> f64 {
        let own = |said: &Said| {
            let log_scale = said.scales[0][i].ln() + log_factor;
            -noise.negative_log_density((y - said.locations[0][i]) * (-log_scale).exp()) - log_scale
        };
        // The largest so far, and the sum of all over it.
        let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0);
        for log in self.members.iter().map(own).filter(|log| *log > f64::NEG_INFINITY) {
            if log <= largest {
                sum += (log - largest).exp();
            } else {
                (largest, sum) = (log, 1.0 + sum * (largest - log).exp());
            }
        }
        largest + (sum / self.count()).ln()
    }

    /// The probability that an observation of row `i` is at most `y`.
    pub fn cdf(&self, i: usize, y: f64) -> f64 {
        let own = |said: &Said| said.noise[0].family().cdf((y - said.locations[0][i]) / said.scales[0][i]);
        self.members.iter().map(own).sum::<f64>() / self.count()
    }

    /// The probability of more than `y`.
    pub fn survival(&self, i: usize, y: f64) -> f64 {
        let own = |said: &Said| said.noise[0].family().survival((y - said.locations[0][i]) / said.scales[0][i]);
        self.members.iter().map(own).sum::<f64>() / self.count()
    }

    /// The interval of every row that leaves out `(1 - level) / 2` of the mixture's probability on either side.
    pub fn intervals(&self, level: f64) -> Intervals {
        let tail = 0.5 * (1.0 - level);
        Intervals { low: self.quantile(tail, false), high: self.quantile(tail, true) }
    }

    /// The place in every row beyond which lies a probability of `tail`, below it or, of the upper one, above.
    pub fn quantile(&self, tail: f64, upper: bool) -> Vec<f64> {
        let own = |said: &Said| match upper {
            true => said.noise[0].family().upper_quantile(tail),
            false => -said.noise[0].family().quantile(tail),
        };
        let (ends, sign): (Vec<f64>, f64) = (self.members.iter().map(own).collect(), if upper { 1.0 } else { -1.0 });
        let row = |i: usize| {
            let members = self.members.iter().zip(&ends);
            // An end of scale zero is the location, however far out the noise itself ends.
            let own = members.map(|(said, end)| sign * said.locations[0][i] + said.scales[0][i] * end);
            // Between the members' own ends.
            let (near, far) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), end| (a.min(end), b.max(end)));
            let beyond = |end: f64| if upper { self.survival(i, end) } else { self.cdf(i, -end) };
            sign * root(near, far, |end| beyond(end) - tail)
        };
        (0..self.rows).map(row).collect()
    }

    /// A draw of row `i`: of the member that a share of all picks, from a number that is uniform on (0, 1).
    pub fn draw(&self, i: usize, member: f64, uniform: f64) -> f64 {
        let place = ((member * self.count()) as usize).min(self.members.len().saturating_sub(1));
        let said = &self.members[place];
        said.locations[0][i] + said.scales[0][i] * said.noise[0].family().sample(uniform)
    }
}

/// The place between two at which a falling function, not negative at the first and not positive at the second, is zero:
/// by secants, the value at an end that stays being halved (the Illinois variant of false position; Dowell and Jarratt 1971).
fn root(mut near: f64, mut far: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut at_near, mut at_far) = (function(near), function(far));
    let mut stayed = 0;
    for _ in 0..MOST_SECANTS {
        if far - near <= 1e-12 * near.abs().max(far.abs()) || at_near <= 0.0 || at_far >= 0.0 {
            break;
        }
        let middle = near + (far - near) * (at_near / (at_near - at_far));
        let middle = if middle > near && middle < far { middle } else { near.midpoint(far) };
        let value = function(middle);
        if value.abs() <= 1e-13 * at_near.max(-at_far) {
            return middle;
        }
        if value > 0.0 {
            (near, at_near) = (middle, value);
            at_far *= if stayed == 1 { 0.5 } else { 1.0 };
            stayed = 1;
        } else {
            (far, at_far) = (middle, value);
            at_near *= if stayed == -1 { 0.5 } else { 1.0 };
            stayed = -1;
        }
    }
    if at_near <= 0.0 {
        return near;
    }
    if at_far >= 0.0 { far } else { near.midpoint(far) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::StudentT;

    fn said(noise: Noise, location: f64, scale: f64) -> Said {
        Said { noise: vec![noise], locations: vec![vec![location]], scales: vec![vec![scale]] }
    }

    #[test]
    fn the_mixture_of_two_far_apart_is_either() {
        let mixture = Mixture::new(vec![said(Noise::Gaussian, -100.0, 1.0), said(Noise::Gaussian, 100.0, 2.0)], 1);
        assert_eq!((mixture.location(0), mixture.scale(0)), (vec![0.0], vec![2.5f64.sqrt()]));
        let deviation = mixture.deviations()[0];
        assert_eq!((deviation.epistemic, deviation.aleatoric), (100.0, 2.5f64.sqrt()));
        assert!((deviation.total - 10_002.5f64.sqrt()).abs() < 1e-12);
        // A tenth of all is a fifth of one.
        let interval = mixture.intervals(0.8);
        let gaussian = Noise::Gaussian;
        assert!((interval.low[0] - (-100.0 + gaussian.family().quantile(0.2))).abs() < 1e-9);
        assert!((interval.high[0] - (100.0 + 2.0 * gaussian.family().upper_quantile(0.2))).abs() < 1e-9);
        let alone = -gaussian.family().negative_log_density(0.5) - 2f64.ln();
        assert!((mixture.log_density(0, 0, 101.0) - (alone - 2f64.ln())).abs() < 1e-14);
    }

    #[test]
    fn one_member_is_itself() {
        let family = StudentT::new(3.0);
        let mixture = Mixture::new(vec![said(Noise::StudentT(family), 1.0, 0.5)], 1);
        let interval = mixture.intervals(0.9);
        assert!((interval.low[0] - (1.0 + 0.5 * family.quantile(0.05))).abs() < 1e-14);
        assert!((mixture.cdf(0, interval.high[0]) - 0.95).abs() < 1e-13);
        assert!((mixture.deviations()[0].total - 0.75f64.sqrt()).abs() < 1e-14);
        assert_eq!(mixture.deviations()[0].epistemic, 0.0);
    }
}
