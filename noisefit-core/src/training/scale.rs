//! The scale of the noise, once the location is trained.

use crate::Error;
use crate::network::{Member, Network};
use crate::noise::{Huber, Noise, NoiseFamily};
use crate::rows::NewRows;
use crate::rows::SampledRows;

/// Validation rows that say something of a mixture.
const ENOUGH: f64 = 20.0;

/// Estimates every member's scales, or what its modelled scale is multiplied by, by maximum likelihood over some rows.
pub(super) fn estimate_scales(network: &mut Network, rows: &SampledRows) -> Result<(), Error> {
    let scales = rows.show(|block| {
        let mut inputs = Vec::new();
        network.standardisation.extend_inputs(block.design, block.rows(), &mut inputs);
        let of_member = |member: &Member| {
            let said = network.said(member, &inputs, block.rows(), block.weights);
            let of_curve = |(curve, noise): (usize, &Noise)| {
                // A scale of zero has no residuals in its units.
                if member.scale[curve] == 0.0 {
                    return Ok(1.0);
                }
                let residual = |i: usize| (block.response.high[i] - said.locations[curve][i]) / said.scales[curve][i];
                let residuals: Vec<f64> = (0..block.rows()).map(residual).collect();
                maximum_likelihood_scale(noise, member.scale[curve], &residuals, block.frequencies)
            };
            member.noise.iter().enumerate().map(of_curve).collect::<Result<Vec<_>, Error>>()
        };
        network.members.iter().map(of_member).collect::<Result<Vec<_>, Error>>()
    })?;
    for (member, factors) in network.members.iter_mut().zip(scales) {
        member.scale.iter_mut().zip(factors).for_each(|(scale, factor)| *scale *= factor);
        sharpen(&mut member.noise, &member.scale);
    }
    Ok(())
}

/// Makes scales that were estimated from rows that were learned from those of rows that were not, which are larger.
///
/// Of `v` rows that is known to a standard error of about `1 / sqrt(2 v)`, which the factor `sqrt(v / (v - 2))` allows for as the
/// variance of Student's t with `v` degrees of freedom does; of few of them it is never less than that of the others.
pub(super) fn widen(network: &mut Network, rows: &SampledRows, least: &[Vec<f64>]) -> Result<(), Error> {
    let v = rows.frequencies().map_or(rows.len() as f64, |frequencies| frequencies.iter().sum());
    // Factors on the scales as they are now.
    estimate_scales(network, rows)?;
    let mixes = network.members.len() > 1 && network.curves() == 1;
    if mixes && v >= ENOUGH {
        widen_together(network, rows);
    }
    for (member, least) in network.members.iter_mut().zip(least) {
        for (scale, least) in member.scale.iter_mut().zip(least) {
            let wide = *scale * (v / (v - 2.0).max(0.5)).sqrt();
            // Of many rows it is what it is.
            *scale = if v >= MANY { wide } else { wide.max(*least) };
        }
        sharpen(&mut member.noise, &member.scale);
    }
    Ok(())
}

/// Validation rows that say more of the scale than all that were learned from.
const MANY: f64 = 200.0;

/// Keeps the knee of Huber's noise where it is, in units of the response, whatever the scale.
pub(super) fn sharpen(noise: &mut [Noise], scales: &[f64]) {
    for (noise, scale) in noise.iter_mut().zip(scales) {
        if let Noise::Huber(family) = noise
            && let Some(delta) = family.delta
            && *scale > 0.0
        {
            *family = family.at(delta / scale);
        }
    }
}

/// Multiplies all scales by what maximises the mixture's likelihood over some rows: each member's own is too wide for the
/// mixture, whose errors are smaller than theirs.
fn widen_together(network: &mut Network, rows: &SampledRows) {
    let rows = rows.at(|i| i < MIXTURE_ROWS);
    let factor = rows.show(|block| {
        let mixture = network.predict(&NewRows::from(block));
        minimum((-2.0, 1.0), 1e-8, |log_factor| {
            let mixture = mixture.widened(log_factor.exp());
            let row = |i: usize| block.frequency(i) * mixture.log_density(0, i, block.response.high[i]);
            -(0..block.rows()).map(row).sum::<f64>()
        })
    });
    for member in &mut network.members {
        member.scale.iter_mut().for_each(|scale| *scale *= factor.exp());
    }
}

/// Rows that the scale of a mixture is estimated from at most.
const MIXTURE_ROWS: usize = 20_000;

/// Where a function with one minimum between two places has it, by golden sections.
pub(super) fn minimum((mut low, mut high): (f64, f64), tolerance: f64, function: impl Fn(f64) -> f64) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > tolerance {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = function(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = function(right);
        }
    }
    low.midpoint(high)
}

/// The scale of residuals in a unit; of Huber's noise with a knee in units of the response, which for another scale is at
/// another multiple of it, by golden sections.
pub(super) fn maximum_likelihood_scale(
    noise: &Noise,
    unit: f64,
    residuals: &[f64],
    frequencies: Option<&[f64]>,
) -> Result<f64, Error> {
    let Noise::Huber(Huber { delta: Some(delta), .. }) = noise else {
        return noise.family().maximum_likelihood_scale(residuals, frequencies);
    };
    let delta = &(delta / unit);
    let gaussian = Noise::Gaussian.family().maximum_likelihood_scale(residuals, frequencies)?;
    if gaussian == 0.0 {
        return Ok(0.0);
    }
    let loss = |log_scale: f64| {
        let scale = log_scale.exp();
        let family = Huber::fixed(*delta).at(delta / scale);
        let row = |(i, e): (usize, &f64)| {
            frequencies.map_or(1.0, |f| f[i]) * (family.negative_log_density(e / scale) + log_scale)
        };
        residuals.iter().enumerate().map(row).sum::<f64>()
    };
    // The tails only shrink it.
    Ok(minimum((gaussian.ln() - 14.0, gaussian.ln() + 0.5), 1e-8, loss).exp())
}
