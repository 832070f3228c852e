//! The distribution that is predicted for a row.

use noisefit_core::noise::Noise;

/// The distribution that is predicted for a row: each location with its scale, equally likely.
#[derive(Clone, Default)]
pub struct Mixture {
    /// Locations, and logarithms of scales.
    pub components: Vec<(f64, f64)>,
}

/// What calibration makes of every component: the family, and the logarithm of a factor of its scale.
#[derive(Clone, Copy)]
pub struct Calibration {
    /// The family.
    pub noise: Noise,
    /// The logarithm of the factor.
    pub log_factor: f64,
}

impl Mixture {
    /// The mean of the locations.
    pub fn location(&self) -> f64 {
        self.components.iter().map(|(location, _)| location).sum::<f64>() / self.components.len() as f64
    }

    /// `-ln` of the density at `y`, complete.
    pub fn negative_log_density(&self, y: f64, calibration: &Calibration) -> f64 {
        let family = calibration.noise.family();
        let logs = self.components.iter().map(|(location, log_scale)| {
            let log_scale = log_scale + calibration.log_factor;
            -family.negative_log_density((y - location) * (-log_scale).exp()) - log_scale
        });
        let greatest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.map(|log| (log - greatest).exp()).sum();
        (self.components.len() as f64).ln() - greatest - sum.ln()
    }

    /// The probability of no more than `y`. It lies between 0.05 and 0.95 if `y` does between these quantiles.
    pub fn cdf(&self, y: f64, calibration: &Calibration) -> f64 {
        let family = calibration.noise.family();
        let below = self
            .components
            .iter()
            .map(|(location, log_scale)| family.cdf((y - location) * (-(log_scale + calibration.log_factor)).exp()));
        below.sum::<f64>() / self.components.len() as f64
    }
}
