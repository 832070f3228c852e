//! Whether a line is enough.

use serde::Serialize;

use crate::compare::kinds::contestant::Kind;
use crate::compare::kinds::standing::Standing;
use crate::numeric::distribution::{Distribution, StudentT};

/// The gain in the mean log score below which a network is worth no more than a line: what a scale that is 5% smaller brings.
pub const ENOUGH: f64 = 0.05;

/// How sure a verdict is to be: it may be wrong once in twenty times.
const WRONG: f64 = 0.05;

/// By how much the best network predicts better than the best linear model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// The linear model, by its name.
    pub linear: String,
    /// The network.
    pub network: String,
    /// How much larger the network's mean log score is.
    pub log_score: f64,
    /// The standard error of that difference over folds. Folds share the rows that they are fitted to, and their differences vary less than
    /// those of new data would: the variance is that between folds times `1 / K + 1 / (K - 1)` (Nadeau and Bengio 2003, *Machine Learning*
    /// 52, 239-281).
    pub std_error: f64,
    /// What the difference is larger than, and what it is smaller than, each but for one time in twenty: by Student's t with `K - 1` degrees
    /// of freedom.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many times as long the network took; differs from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_as_long: Option<f64>,
}

/// Whether a line is enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The network predicts better: the lower end of its gain is positive.
    NetworkIsBetter(Gain),
    /// A network would gain less than [`ENOUGH`]: that is where the upper end of its gain lies below it.
    LineIsEnough(Gain),
    /// These rows do not tell.
    Undecided(Gain),
}

impl Verdict {
    /// Leaves out how long fits took.
    pub(super) fn without_time(&mut self) {
        match self {
            Verdict::NetworkIsBetter(gain) | Verdict::LineIsEnough(gain) | Verdict::Undecided(gain) => {
                gain.times_as_long = None;
            }
        }
    }

    /// By how much.
    pub fn gain(&self) -> &Gain {
        match self {
            Verdict::NetworkIsBetter(gain) | Verdict::LineIsEnough(gain) | Verdict::Undecided(gain) => gain,
        }
    }
}

/// The best linear model and the best network with a density, against one another.
pub(super) fn verdict(standings: &[Standing]) -> Option<Verdict> {
    let best = |kind: Kind| {
        let known = standings.iter().filter(|standing| standing.contestant.kind == kind);
        let scored = known.filter_map(|standing| Some((standing, standing.scores?.log_score?)));
        scored.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(standing, _)| standing)
    };
    let (linear, network) = (best(Kind::Linear)?, best(Kind::Network)?);
    let pairs = linear.by_fold.iter().zip(&network.by_fold);
    let differences: Vec<(f64, f64)> =
        pairs.map(|(line, net)| Some((line.nobs, net.log_score? - line.log_score?))).collect::<Option<_>>()?;
    let gain = gain(&differences)?;
    let times_as_long = network.seconds.zip(linear.seconds).map(|(network, linear)| network / linear);
    let gain = Gain {
        linear: linear.contestant.to_string(),
        network: network.contestant.to_string(),
        times_as_long: times_as_long.filter(|times| times.is_finite()),
        ..gain
    };
    Some(if gain.low > 0.0 {
        Verdict::NetworkIsBetter(gain)
    } else if gain.high < ENOUGH {
        Verdict::LineIsEnough(gain)
    } else {
        Verdict::Undecided(gain)
    })
}

/// The mean difference and its ends, from the observations and differences of folds.
fn gain(folds: &[(f64, f64)]) -> Option<Gain> {
    let (count, nobs) = (folds.len() as f64, folds.iter().map(|(nobs, _)| nobs).sum::<f64>());
    if folds.len() < 2 {
        return None;
    }
    let mean = folds.iter().map(|(nobs, difference)| nobs * difference).sum::<f64>() / nobs;
    let variance = folds.iter().map(|(_, difference)| (difference - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let std_error = (variance * (1.0 / count + 1.0 / (count - 1.0))).sqrt();
    let margin = StudentT::new(count - 1.0).ok()?.upper_quantile(WRONG) * std_error;
    Some(Gain {
        linear: String::new(),
        network: String::new(),
        log_score: mean,
        std_error,
        low: mean - margin,
        high: mean + margin,
        times_as_long: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Five folds of equal size: scipy.stats.t.ppf(0.95, 4) is 2.13184678632665.
    #[test]
    fn the_gain_is_that_of_the_folds() {
        let found = gain(&[(10.0, 0.1), (10.0, 0.3), (10.0, 0.2), (10.0, 0.25), (10.0, 0.15)]).unwrap();
        assert!((found.log_score - 0.2).abs() < 1e-15);
        // The variance between folds is 0.025 / 4, and 1/5 + 1/4 = 0.45.
        let error = (0.00625f64 * 0.45).sqrt();
        assert!((found.std_error - error).abs() < 1e-15);
        assert!((found.low - (0.2 - 2.13184678632665 * error)).abs() < 1e-12);
        assert!((found.high - (0.2 + 2.13184678632665 * error)).abs() < 1e-12);
        assert!(gain(&[(10.0, 0.1)]).is_none());
    }
}
