//! The noise families themselves: loss, gradient and density on one sheet.

use noisefit_core::noise::{FAMILIES, Noise, NoiseFamily};

use crate::chart::{Axis, Chart, Kind, Series};
use crate::charts::common::{grid, style_of};

/// How far residuals go, and the points of a curve.
const REACH: f64 = 5.0;
const POINTS: usize = 401;

/// A member of each family: what its name alone stands for, with what is estimated at a value that shows it.
fn members() -> Vec<Noise> {
    let member = |noise: Noise| match noise {
        Noise::StudentT(_) => noisefit_core::noise::StudentT::new(4.0).into(),
        noise => noise,
    };
    let mut members = Vec::new();
    for family in FAMILIES {
        match family.unparametrised() {
            Some(noise) => members.push(member(noise)),
            None => members
                .extend("quantile:0.9".parse::<noisefit_core::noise::Noises>().ok().and_then(|n| n.first().copied())),
        }
    }
    members
}

fn sheet(kind: Kind, title: &str, caption: &str, y: Axis, of: impl Fn(&dyn NoiseFamily, f64) -> f64) -> Chart {
    let curve = |noise: Noise| {
        let (colour, mark) = style_of(&noise);
        let r = grid(-REACH, REACH, POINTS);
        let values = r.iter().map(|r| of(noise.family(), *r)).collect();
        Series::new(noise.to_string(), mark, colour, &[("r", r), ("value", values)])
    };
    Chart {
        kind,
        title: title.to_owned(),
        caption: caption.to_owned(),
        note: None,
        x: Axis::new("residual in scales, r = (y \u{2212} \u{3bc}) / s").between(-REACH, REACH),
        y,
        y2: None,
        series: members().into_iter().map(curve).collect(),
    }
}

/// `-ln f(r)` less its least value, for every family.
pub fn losses() -> Chart {
    sheet(
        Kind::Losses,
        "Losses: what a noise family makes a residual cost",
        "The negative log density less its least value. How fast it grows far out is how much a family minds outliers.",
        Axis::new("\u{2212}ln f(r) less its least").between(-0.2, 8.0),
        |family, r| family.negative_log_density(r) - family.negative_log_density(0.0),
    )
}

/// Their derivatives.
pub fn gradients() -> Chart {
    sheet(
        Kind::Gradients,
        "Gradients: how hard a residual pulls",
        "The derivative of each loss. Bounded ones are robust; those that fall back to zero forget outliers.",
        Axis::new("gradient of the loss").between(-3.2, 3.2),
        |family, r| family.score(r),
    )
}

/// Their densities.
pub fn densities() -> Chart {
    sheet(
        Kind::Densities,
        "Densities: which noise a loss assumes",
        "Each loss is the negative logarithm of a density; heavier tails go with losses that grow more slowly.",
        Axis::new("density f(r)").between(0.0, 0.56),
        |family, r| (-family.negative_log_density(r)).exp(),
    )
}
