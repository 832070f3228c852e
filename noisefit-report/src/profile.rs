//! A likelihood along one coefficient as people read it.

use noisefit_core::inference::profile::Curve;
use noisefit_core::noise::Noise;

use crate::text::{percent, significant};

/// What is shown of a curve.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// The noise of the fit.
    pub noise: Noise,
    /// The level of the interval.
    pub level: f64,
    /// The lower end of the profile-likelihood interval; none where it is open.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// The negative log-likelihood of the fit.
    pub nll: Option<f64>,
    /// The curve.
    pub curve: &'a Curve,
}

/// What is to be seen on the curve.
pub fn summary(profile: &Profile<'_>) -> String {
    let Curve { term, estimate, loss, reoptimised, nll_minimiser, loss_minimiser, points } = profile.curve;
    let at = |value: &f64| points.iter().find(|point| point.value == *value);
    let (nll, least) = (at(nll_minimiser).map(|p| p.nll), at(loss_minimiser).map(|p| p.loss));
    let number = |value: Option<f64>| value.map_or_else(|| "NA".to_owned(), |value| significant(value, 7));
    let others = if *reoptimised { "fitted again to each value" } else { "as they were fitted" };
    let spacing = points.windows(2).map(|pair| pair[1].value - pair[0].value).fold(0.0, f64::max);
    let interval = match (profile.conf_low, profile.conf_high) {
        (None, None) => "none".to_owned(),
        (low, high) => format!(
            "{} to {}",
            low.map_or_else(|| "-infinity".to_owned(), |low| significant(low, 7)),
            high.map_or_else(|| "infinity".to_owned(), |high| significant(high, 7))
        ),
    };
    let lines = [
        ("estimate".to_owned(), format!("{}, where the nll is {}", significant(*estimate, 7), number(profile.nll))),
        ("least nll".to_owned(), format!("{} at {}", number(nll), significant(*nll_minimiser, 7))),
        (format!("least {loss}"), format!("{} at {}", number(least), significant(*loss_minimiser, 7))),
        ("values".to_owned(), format!("{} apart", significant(spacing, 3))),
        (format!("{} profile interval", percent(profile.level)), interval),
    ];
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = lines.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect();
    format!("{term} under {} noise, the other parameters {others}\n{lines}", profile.noise)
}
