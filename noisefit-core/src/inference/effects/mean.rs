//! What a location and a scale say of the mean of the response itself, where the response of the formula is a transformed one, with
//! the derivatives that the delta method needs.

use crate::noise::Noise;
use crate::numeric::double_double::DoubleDouble;

/// A transformation undone at a value, and its first two derivatives.
pub type Undo<'a> = dyn Fn(f64) -> [f64; 3] + Sync + 'a;

/// How the mean (or the median, or a quantile) of the response follows from location and scale.
#[derive(Debug, Clone, PartialEq)]
pub enum Mean {
    /// The location as it stands.
    Location,
    /// The location with the transformation undone: a median, or a quantile.
    Undone,
    /// Of a logarithm, times `per` a natural one, under a noise of which `ln E exp(t R)` is known: the mean is the transformation undone
    /// at `mu + ln E exp(per s R) / per`.
    Exponential {
        /// What makes a natural logarithm of the response.
        per: f64,
        /// The noise.
        noise: Noise,
    },
    /// Of a square root: the response is `factor r^2 + constant`, and its mean `factor (mu^2 + s^2 variance) + constant`.
    Square {
        /// What the square is multiplied by.
        factor: f64,
        /// What is added to it.
        constant: f64,
        /// The variance of the noise at a scale of one.
        variance: f64,
    },
    /// Duan's smearing (1983, *Journal of the American Statistical Association* 78, 605-610): the mean over residuals of the transformation
    /// undone at the location plus each, `(1/n) sum h(mu + s r)`.
    Smeared {
        /// Residuals in scales.
        residuals: Vec<f64>,
        /// Whether the scale is modelled: a residual then moves with the scale of its row.
        scales: bool,
    },
}

/// A function of the location `mu` and of the logarithm of the scale, with its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jet {
    /// Its value.
    pub value: f64,
    /// By the location.
    pub location: f64,
    /// By the logarithm of the scale.
    pub log_scale: f64,
    /// Twice by the location.
    pub location_twice: f64,
    /// By both.
    pub mixed: f64,
    /// Twice by the logarithm of the scale.
    pub log_scale_twice: f64,
}

impl Mean {
    /// Whether it is the location itself, whatever the scale.
    pub fn is_location(&self) -> bool {
        *self == Mean::Location
    }

    /// Whether it depends on the scale.
    pub fn reads_scale(&self) -> bool {
        match self {
            Mean::Location | Mean::Undone => false,
            Mean::Exponential { .. } | Mean::Square { .. } => true,
            Mean::Smeared { .. } => true,
        }
    }

    /// The mean at a location and a scale.
    ///
    /// ```
    /// use noisefit_core::inference::effects::Mean;
    /// use noisefit_core::noise::Noise;
    ///
    /// // Of a lognormal response exp(mu + s^2 / 2).
    /// let mean = Mean::Exponential { per: 1.0, noise: Noise::Gaussian };
    /// let at = mean.at(1.0, 0.5, &|v| [v.exp(); 3]);
    /// assert!((at.value - 1.125f64.exp()).abs() < 1e-14);
    /// assert!((at.log_scale - 0.25 * 1.125f64.exp()).abs() < 1e-14);
    /// ```
    pub fn at(&self, mu: f64, s: f64, undo: &Undo<'_>) -> Jet {
        match self {
            Mean::Location => Jet { value: mu, location: 1.0, ..Jet::default() },
            Mean::Undone => {
                let [value, location, location_twice] = undo(mu);
                Jet { value, location, location_twice, ..Jet::default() }
            }
            Mean::Exponential { per, noise } => {
                let t = per * s;
                let [moment, first, second] = log_moment(noise, t).unwrap_or([f64::NAN; 3]);
                let [value, h, hh] = undo(mu + moment / per);
                // What the place moves by with the logarithm of the scale.
                let (move_first, move_second) = (first * s, second * t * s + first * s);
                Jet {
                    value,
                    location: h,
                    log_scale: h * move_first,
                    location_twice: hh,
                    mixed: hh * move_first,
                    log_scale_twice: hh * move_first * move_first + h * move_second,
                }
            }
            Mean::Square { factor, constant, variance } => {
                let spread = s * s * variance;
                Jet {
                    value: factor * (mu * mu + spread) + constant,
                    location: 2.0 * factor * mu,
                    log_scale: 2.0 * factor * spread,
                    location_twice: 2.0 * factor,
                    mixed: 0.0,
                    log_scale_twice: 4.0 * factor * spread,
                }
            }
            Mean::Smeared { residuals, scales } => {
                let mut sums = [DoubleDouble::ZERO; 6];
                for r in residuals {
                    let e = s * r;
                    let [value, h, hh] = undo(mu + e);
                    let by_scale = if *scales { [h * e, hh * e, hh * e * e + h * e] } else { [0.0; 3] };
                    let parts = [value, h, by_scale[0], hh, by_scale[1], by_scale[2]];
                    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
                }
                let mean = sums.map(|sum| sum.to_f64() / residuals.len() as f64);
                Jet {
                    value: mean[0],
                    location: mean[1],
                    log_scale: mean[2],
                    location_twice: mean[3],
                    mixed: mean[4],
                    log_scale_twice: mean[5],
                }
            }
        }
    }
}

/// `ln E exp(t R)` of standardised noise, with its first two derivatives by `t`; none where there is none, or where it is not known here.
pub fn log_moment(noise: &Noise, t: f64) -> Option<[f64; 3]> {
    match noise {
        Noise::Gaussian => Some([0.5 * t * t, t, 1.0]),
        Noise::Laplace => (t.abs() < 1.0).then(|| {
            let rest = 1.0 - t * t;
            [-(-t * t).ln_1p(), 2.0 * t / rest, 2.0 * (1.0 + t * t) / (rest * rest)]
        }),
        Noise::Logistic => (t.abs() < 1.0).then(|| {
            let pi = std::f64::consts::PI;
            let x = pi * t;
            if x.abs() < 1e-3 {
                // x / sin(x) = 1 + x^2/6 + 7 x^4/360 + ...; its logarithm is x^2/6 + x^4/180 + ...
                let square = x * x;
                return [
                    square / 6.0 + square * square / 180.0,
                    pi * (x / 3.0 + x * square / 45.0),
                    pi * pi * (1.0 / 3.0 + square / 15.0),
                ];
            }
            let sine = x.sin();
            [(x / sine).ln(), pi * (1.0 / x - x.cos() / sine), pi * pi * (1.0 / (sine * sine) - 1.0 / (x * x))]
        }),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `y = (exp(v) - 0.3) / 2` and its derivatives.
    fn undo(v: f64) -> [f64; 3] {
        [(v.exp() - 0.3) / 2.0, v.exp() / 2.0, v.exp() / 2.0]
    }

    fn rules() -> Vec<Mean> {
        vec![
            Mean::Location,
            Mean::Undone,
            Mean::Exponential { per: 1.0, noise: Noise::Gaussian },
            Mean::Exponential { per: 1.0, noise: Noise::Laplace },
            Mean::Exponential { per: 1.0, noise: Noise::Logistic },
            Mean::Square { factor: 2.0, constant: -1.0, variance: 1.7 },
            Mean::Smeared { residuals: vec![-1.2, 0.4, 0.9], scales: true },
        ]
    }

    /// Central differences of the function below: their error is of the order of the square of the step.
    #[test]
    fn derivatives_are_what_differences_tend_to() {
        for rule in rules() {
            let (mu, l, step) = (0.7, (0.4f64).ln(), 1e-5);
            let at = |mu: f64, l: f64| rule.at(mu, l.exp(), &undo);
            let exact = at(mu, l);
            let difference = |up: f64, down: f64| (up - down) / (2.0 * step);
            let (right, left) = (at(mu + step, l), at(mu - step, l));
            let (up, down) = (at(mu, l + step), at(mu, l - step));
            for (found, near) in [
                (exact.location, difference(right.value, left.value)),
                (exact.log_scale, difference(up.value, down.value)),
                (exact.location_twice, difference(right.location, left.location)),
                (exact.mixed, difference(up.location, down.location)),
                (exact.log_scale_twice, difference(up.log_scale, down.log_scale)),
            ] {
                assert!((found - near).abs() < 1e-8 * near.abs().max(1.0), "{rule:?}: {found} and {near}");
            }
        }
    }

    /// The means are those of the densities, by sums over a fine grid.
    #[test]
    fn exact_means_are_integrals_of_the_density() {
        let (mu, s, step) = (0.7, 0.3, 1e-3);
        for noise in [Noise::Gaussian, Noise::Laplace, Noise::Logistic] {
            let grid = (-60_000..60_000).map(|k| (f64::from(k) + 0.5) * step);
            let integral: f64 =
                grid.map(|r| undo(mu + s * r)[0] * (-noise.family().negative_log_density(r)).exp() * step).sum();
            let exact = Mean::Exponential { per: 1.0, noise }.at(mu, s, &undo).value;
            // The midpoint rule with this step, where the density has a kink too.
            assert!((integral / exact - 1.0).abs() < 1e-6, "{noise}: {integral} and {exact}");
        }
    }

    #[test]
    fn the_logistic_moment_is_smooth_where_its_form_changes() {
        for t in [3.183e-4, 3.1832e-4] {
            let [value, first, second] = log_moment(&Noise::Logistic, t).unwrap();
            let x = std::f64::consts::PI * t;
            assert!((value / (x * x / 6.0) - 1.0).abs() < 1e-6);
            assert!((first / (std::f64::consts::PI * x / 3.0) - 1.0).abs() < 1e-6);
            assert!((second / (std::f64::consts::PI.powi(2) / 3.0) - 1.0).abs() < 1e-4);
        }
        assert!(log_moment(&Noise::Laplace, 1.0).is_none());
    }
}
