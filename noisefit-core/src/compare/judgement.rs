//! Which noise it is: the judgement that `compare` and `--noise auto` share.

use serde::Serialize;

use crate::compare::candidates::Candidate;
use crate::compare::entry::Entry;
use crate::noise::Noise;

/// What a simpler model is given up for: another that is this many times as likely.
///
/// If the simpler one is true, a likelihood ratio against it reaches 20 in at most one sample of twenty, whatever the other
/// and the number of rows (Markov's inequality).
pub const BURDEN_OF_PROOF: f64 = 20.0;

/// Which model the data prefer, and by how much.
///
/// A model is in the running if it is proven against each simpler one: plain Gaussian noise, Gaussian noise in the place of
/// its own, and its own of one scale where it has a modelled one. Proven is what is [`BURDEN_OF_PROOF`] times as likely by
/// `exp(-BIC / 2)`, which is about the probability of the data once each model's parameters are integrated out (Schwarz 1978,
/// *Annals of Statistics* 6, 461-464). Of those in the running, which describe the data in ways of their own, the one of the
/// least AIC is preferred, which estimates how well they predict (Akaike 1974, *IEEE Transactions on Automatic Control* 19,
/// 716-723).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The preferred model.
    pub preferred: Candidate,
    /// The logarithm of how many times as likely it is as plain Gaussian noise, by BIC; absent where that is preferred or not
    /// among the models.
    pub ln_odds_gaussian: Option<f64>,
    /// Of all others the one of the least AIC.
    pub runner_up: Option<Candidate>,
    /// The logarithm of how many times as likely the preferred model is as the runner-up, by AIC: negative where that was not
    /// proven against a simpler one.
    pub ln_odds_runner_up: Option<f64>,
}

/// What is judged of a model.
#[derive(Debug, Clone, Copy)]
struct Weighed<'a> {
    candidate: &'a Candidate,
    aic: f64,
    bic: f64,
}

/// The judgement on some entries; none where no entry may win.
pub(super) fn judge(entries: &[Entry]) -> Option<Judgement> {
    let may_win = entries.iter().filter(|entry| entry.may_win());
    let weighed = |entry: &'_ Entry| Some((entry.aic?, entry.bic?));
    let models: Vec<Weighed<'_>> = may_win
        .filter_map(|entry| weighed(entry).map(|(aic, bic)| Weighed { candidate: &entry.candidate, aic, bic }))
        .collect();
    let preferred = prefer(&models)?;
    let others = || models.iter().filter(|model| model.candidate != preferred.candidate);
    let gaussian = others().find(|model| model.candidate.is_plain_gaussian());
    let runner_up = others().min_by(|a, b| a.aic.total_cmp(&b.aic));
    Some(Judgement {
        preferred: preferred.candidate.clone(),
        ln_odds_gaussian: gaussian.map(|gaussian| 0.5 * (gaussian.bic - preferred.bic)),
        runner_up: runner_up.map(|model| model.candidate.clone()),
        ln_odds_runner_up: runner_up.map(|model| 0.5 * (model.aic - preferred.aic)),
    })
}

fn prefer<'a>(models: &[Weighed<'a>]) -> Option<Weighed<'a>> {
    let proven = |model: &&Weighed<'_>| {
        let mut simpler = models.iter().filter(|other| is_simpler(other.candidate, model.candidate));
        simpler.all(|other| 0.5 * (other.bic - model.bic) >= BURDEN_OF_PROOF.ln())
    };
    models.iter().filter(proven).min_by(|a, b| a.aic.total_cmp(&b.aic)).copied()
}

/// Whether a model must prove itself against another.
fn is_simpler(other: &Candidate, model: &Candidate) -> bool {
    let same_noise = other.noise == model.noise;
    let gaussian = other.noise == Noise::Gaussian;
    match (other.models_scale, model.models_scale) {
        (false, true) => same_noise || gaussian,
        (true, false) => false,
        _ => gaussian && !same_noise,
    }
}

/// The Akaike weights `exp(-(AIC - min AIC) / 2)`, divided by their sum, of those that may win.
pub(super) fn akaike_weights(entries: &[Entry]) -> Vec<Option<f64>> {
    let aic = |entry: &Entry| entry.aic.filter(|_| entry.may_win());
    let least = entries.iter().filter_map(aic).fold(f64::INFINITY, f64::min);
    let weight = |entry: &Entry| aic(entry).map(|aic| (-0.5 * (aic - least)).exp());
    let sum: f64 = entries.iter().filter_map(weight).sum();
    entries.iter().map(|entry| weight(entry).map(|weight| weight / sum)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The preferred of models with these AICs and BICs.
    fn preferred(models: &[(&str, f64, f64)]) -> String {
        let candidates: Vec<Candidate> = models.iter().map(|(name, ..)| name.parse().unwrap()).collect();
        let weighed: Vec<_> =
            candidates.iter().zip(models).map(|(candidate, &(_, aic, bic))| Weighed { candidate, aic, bic }).collect();
        prefer(&weighed).unwrap().candidate.to_string()
    }

    #[test]
    fn gaussian_noise_has_the_benefit_of_the_doubt() {
        // Twenty times as likely is a difference of 5.99 in BIC.
        assert_eq!(preferred(&[("gaussian", 100.0, 100.0), ("laplace", 94.1, 94.1)]), "gaussian");
        assert_eq!(preferred(&[("gaussian", 100.0, 100.0), ("laplace", 93.9, 93.9)]), "laplace");
        assert!(prefer(&[]).is_none());
    }

    #[test]
    fn families_that_are_proven_compare_by_aic() {
        let gaussian = ("gaussian", 200.0, 200.0);
        assert_eq!(preferred(&[gaussian, ("laplace", 103.0, 100.0), ("student-t", 102.0, 101.0)]), "student-t");
        assert_eq!(preferred(&[gaussian, ("laplace", 102.0, 100.0), ("student-t", 103.0, 101.0)]), "laplace");
        assert_eq!(preferred(&[("laplace", 3.0, 3.0), ("logistic", 4.0, 4.0)]), "laplace");
    }

    #[test]
    fn a_modelled_scale_and_heavier_tails_are_each_to_be_proven() {
        let models = |both: f64| {
            let one = [("gaussian", 200.0, 200.0), ("student-t", 120.0, 120.0), ("gaussian+scale", 110.0, 110.0)];
            preferred(&[&one[..], &[("student-t+scale", both - 4.0, both)]].concat())
        };
        assert_eq!(models(104.1), "gaussian+scale");
        assert_eq!(models(103.9), "student-t+scale");
    }
}
