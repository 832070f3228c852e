//! Which noise it is: the judgement that `compare` and `--noise auto` share.

use serde::Serialize;

use super::Entry;

/// What Gaussian noise is given up for: another model that is this many times as likely.
///
/// If the noise is Gaussian, a likelihood ratio against it reaches 20 in at most one sample of twenty, whatever the other
/// model and the number of rows (Markov's inequality).
pub const BURDEN_OF_PROOF: f64 = 20.0;

/// Of models that differ by no more than this, the one with fewer parameters is preferred.
pub const CLOSE_CALL: f64 = 3.0;

/// Which model the data prefer, and by how much.
///
/// Models are weighed by `exp(-BIC / 2)`, which is about the probability of the data once each model's parameters are
/// integrated out (Schwarz 1978, *Annals of Statistics* 6, 461-464): "times as likely" is the ratio of two such numbers.
/// Plain Gaussian noise has the benefit of the doubt, [`BURDEN_OF_PROOF`]; among others the likeliest is preferred, or of
/// those within [`CLOSE_CALL`] the one with the fewest parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The preferred model.
    pub preferred: String,
    /// The likeliest of all others.
    pub runner_up: Option<String>,
    /// The logarithm of how many times as likely the preferred model is as the runner-up: negative where the benefit of the
    /// doubt, or that of fewer parameters, decided.
    pub ln_odds_runner_up: Option<f64>,
    /// The same against plain Gaussian noise; absent where that is preferred or not among the models.
    pub ln_odds_gaussian: Option<f64>,
}

/// What is judged of a model.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    place: usize,
    plain_gaussian: bool,
    parameters: usize,
    bic: f64,
}

/// The place of the preferred one of some entries, and why; none where no entry may win.
pub(super) fn judge(entries: &[Entry]) -> Option<(usize, Judgement)> {
    let weighed: Vec<Weighed> = (0..)
        .zip(entries)
        .filter(|(_, entry)| entry.may_win())
        .filter_map(|(place, entry)| {
            let plain_gaussian = entry.candidate.is_plain_gaussian();
            Some(Weighed { place, plain_gaussian, parameters: entry.parameters, bic: entry.bic? })
        })
        .collect();
    let preferred = prefer(&weighed)?;
    let odds = |other: &Weighed| 0.5 * (other.bic - preferred.bic);
    let others = weighed.iter().filter(|model| model.place != preferred.place);
    let runner_up = others.clone().min_by(|a, b| a.bic.total_cmp(&b.bic));
    let judgement = Judgement {
        preferred: entries[preferred.place].candidate.to_string(),
        runner_up: runner_up.map(|model| entries[model.place].candidate.to_string()),
        ln_odds_runner_up: runner_up.map(odds),
        ln_odds_gaussian: others.clone().find(|model| model.plain_gaussian).map(odds),
    };
    Some((preferred.place, judgement))
}

fn prefer(models: &[Weighed]) -> Option<Weighed> {
    let gaussian = models.iter().find(|model| model.plain_gaussian);
    let proves = |model: &&Weighed| match gaussian {
        Some(gaussian) => !model.plain_gaussian && 0.5 * (gaussian.bic - model.bic) >= BURDEN_OF_PROOF.ln(),
        None => true,
    };
    let proven = || models.iter().filter(proves);
    let least = proven().map(|model| model.bic).fold(f64::INFINITY, f64::min);
    let close = proven().filter(|model| 0.5 * (model.bic - least) <= CLOSE_CALL.ln());
    let fewest = close.min_by(|a, b| a.parameters.cmp(&b.parameters).then(a.bic.total_cmp(&b.bic)));
    fewest.or(gaussian).copied()
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
mod tests {
    use super::*;

    /// The preferred of models with these parameters and BICs, the first of which is plain Gaussian.
    fn preferred(models: &[(usize, f64)]) -> Option<usize> {
        let weighed = |(place, &(parameters, bic))| Weighed { place, plain_gaussian: place == 0, parameters, bic };
        prefer(&models.iter().enumerate().map(weighed).collect::<Vec<_>>()).map(|model| model.place)
    }

    #[test]
    fn gaussian_noise_has_the_benefit_of_the_doubt() {
        // Twenty times as likely is a difference of 5.99 in BIC.
        assert_eq!(preferred(&[(3, 100.0), (3, 94.1)]), Some(0));
        assert_eq!(preferred(&[(3, 100.0), (3, 93.9)]), Some(1));
        assert_eq!(preferred(&[(3, 100.0)]), Some(0));
        assert_eq!(preferred(&[]), None);
    }

    #[test]
    fn of_close_ones_the_simpler_wins_if_it_is_proven_itself() {
        // Three times as likely is a difference of 2.20.
        assert_eq!(preferred(&[(3, 200.0), (5, 100.0), (4, 102.0)]), Some(2));
        assert_eq!(preferred(&[(3, 200.0), (5, 100.0), (4, 102.4)]), Some(1));
        assert_eq!(preferred(&[(3, 107.0), (5, 100.0), (4, 102.0)]), Some(1));
    }
}
