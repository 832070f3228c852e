//! What a hidden layer makes of its linear combinations.

use serde::{Deserialize, Serialize};

use crate::numeric::dispatch::vectorised;
use crate::numeric::special::single::{exp, exp_minus_one};

/// The function between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `max(z, 0)`.
    #[default]
    Relu,
    /// `tanh z`.
    Tanh,
    /// `z Phi(z)` with the standard normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// `z / (1 + exp(-z))` (Elfwing, Uchibe and Doya 2018).
    Silu,
}

impl Activation {
    /// All, in the order that messages list them.
    pub const ALL: [Activation; 4] = [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu];

    /// Adds `bias` to every row of `linear` and writes the function of that to `active` and its derivative to `slope`.
    pub(crate) fn apply(self, bias: &[f32], linear: &[f32], active: &mut [f32], slope: &mut [f32]) {
        match self {
            Activation::Relu => rows(relu, bias, linear, active, slope),
            Activation::Tanh => rows(tanh, bias, linear, active, slope),
            Activation::Gelu => rows(gelu, bias, linear, active, slope),
            Activation::Silu => rows(silu, bias, linear, active, slope),
        }
    }
}

impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Activation::Relu => "relu",
            Activation::Tanh => "tanh",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
        })
    }
}

impl std::str::FromStr for Activation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Activation::ALL.into_iter().find(|activation| activation.to_string() == text);
        found.ok_or_else(|| format!("no activation '{text}'; there are relu, tanh, gelu, silu"))
    }
}

#[inline(always)]
fn rows(
    function: impl Fn(f32) -> (f32, f32) + Copy,
    bias: &[f32],
    linear: &[f32],
    active: &mut [f32],
    slope: &mut [f32],
) {
    vectorised(
        #[inline(always)]
        || {
            let width = bias.len().max(1);
            let rows =
                linear.chunks_exact(width).zip(active.chunks_exact_mut(width).zip(slope.chunks_exact_mut(width)));
            for (linear, (active, slope)) in rows {
                for j in 0..width {
                    (active[j], slope[j]) = function(linear[j] + bias[j]);
                }
            }
        },
    );
}

#[inline(always)]
fn relu(z: f32) -> (f32, f32) {
    // NaN stays what it is.
    if z < 0.0 { (0.0, 0.0) } else { (z, if z > 0.0 { 1.0 } else { 0.0 }) }
}

#[inline(always)]
fn tanh(z: f32) -> (f32, f32) {
    let less = exp_minus_one(-2.0 * z.abs());
    let t = (-less / (2.0 + less)).copysign(z);
    (t, 1.0 - t * t)
}

#[inline(always)]
fn silu(z: f32) -> (f32, f32) {
    let e = exp(-z.abs());
    let near = 1.0 / (1.0 + e);
    let logistic = if z < 0.0 { e * near } else { near };
    (z * logistic, logistic * (1.0 + z * (1.0 - logistic)))
}

#[inline(always)]
fn gelu(z: f32) -> (f32, f32) {
    const INVERSE_ROOT_2_PI: f32 = 0.398_942_3;
    let square = exp(-0.5 * z * z);
    // Half of the complementary error function of |z| / sqrt(2), to a relative 1.2e-7 (Press et al. 2007, *Numerical
    // Recipes*, section 6.2.2).
    let t = 1.0 / (1.0 + 0.5 * std::f32::consts::FRAC_1_SQRT_2 * z.abs());
    let mut sum = ERFC[9];
    for k in (0..9).rev() {
        sum = sum * t + ERFC[k];
    }
    let tail = 0.5 * t * square * exp(sum);
    let phi = if z < 0.0 { tail } else { 1.0 - tail };
    (z * phi, phi + z * INVERSE_ROOT_2_PI * square)
}

/// The logarithm of `exp(x^2) erfc(x) / t` in `t = 1 / (1 + x / 2)`.
// The constants as they were published; singles round them.
#[allow(clippy::excessive_precision)]
const ERFC: [f32; 10] = [
    -1.265_512_23,
    1.000_023_68,
    0.374_091_96,
    0.096_784_18,
    -0.186_288_06,
    0.278_868_07,
    -1.135_203_98,
    1.488_515_87,
    -0.822_152_23,
    0.170_872_77,
];
