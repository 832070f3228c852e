//! The likelihood and the loss along a coefficient.

use noisefit_core::inference::profile::{Curve, CurvePoint};

use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::text::{clean, percent, significant};

fn column(curve: &Curve, of: fn(&CurvePoint) -> f64) -> Vec<f64> {
    curve.points.iter().map(of).collect()
}

fn others(curve: &Curve) -> &'static str {
    if curve.reoptimised { "fitted again at every value" } else { "left where they were fitted" }
}

/// Where the two are least, and the ends of an interval.
fn marks(curve: &Curve, interval: (Option<f64>, Option<f64>), level: f64) -> Vec<Series> {
    let mut series = vec![
        Series::new("least NLL", Mark::Vertical, Colour::Blue, &[("nll_minimiser", vec![curve.nll_minimiser])]),
        Series::new(
            "least loss",
            Mark::Vertical,
            Colour::Vermillion,
            &[("loss_minimiser", vec![curve.loss_minimiser])],
        ),
    ];
    let ends: Vec<f64> = [interval.0, interval.1].into_iter().flatten().collect();
    if !ends.is_empty() {
        let name = format!("{} interval", percent(level));
        series.push(Series::new(name, Mark::Vertical, Colour::Grey, &[("end", ends)]));
    }
    series
}

/// Negative log-likelihood and loss on twin axes, with their minimisers and the ends of the profile-likelihood interval.
pub fn likelihood(curve: &Curve, interval: (Option<f64>, Option<f64>), level: f64) -> Chart {
    let value = column(curve, |point| point.value);
    let mut series = marks(curve, interval, level);
    series.push(Series::new(
        "negative log-likelihood",
        Mark::Line,
        Colour::Blue,
        &[("value", value.clone()), ("nll", column(curve, |point| point.nll))],
    ));
    series.push(Series {
        on_second_axis: true,
        ..Series::new(
            curve.loss,
            Mark::Dashed,
            Colour::Vermillion,
            &[("value", value), ("loss", column(curve, |point| point.loss))],
        )
    });
    Chart {
        kind: Kind::Likelihood,
        title: format!("Likelihood along {}", clean(&curve.term, 60)),
        caption: format!(
            "Both are least at the estimate, {}; the other parameters are {}.",
            significant(curve.estimate, 6),
            others(curve)
        ),
        note: None,
        x: Axis::new(format!("coefficient of {}", curve.term)),
        y: Axis::new("negative log-likelihood"),
        y2: Some(Axis::new(curve.loss)),
        series,
    }
}

/// Both from 0 at their least to 1 at their greatest: where the scale stays, one is the other shifted and stretched.
pub fn normalised(curve: &Curve) -> Chart {
    let scaled = |values: Vec<f64>| {
        let finite = values.iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        values.iter().map(|value| (value - low) / (high - low)).collect::<Vec<f64>>()
    };
    let value = column(curve, |point| point.value);
    let (nll, loss) = (scaled(column(curve, |point| point.nll)), scaled(column(curve, |point| point.loss)));
    let apart = nll.iter().zip(&loss).map(|(a, b)| (a - b).abs()).fold(0.0f64, f64::max);
    let seen = match apart < 1e-6 {
        true => "The two are one shape: the loss is the likelihood without its constants.".to_owned(),
        false => format!("They are at most {} apart.", significant(apart, 2)),
    };
    Chart {
        kind: Kind::Shape,
        title: "One shape".to_owned(),
        caption: format!("Negative log-likelihood and loss, each from 0 at its least to 1 at its greatest. {seen}"),
        note: None,
        x: Axis::new(format!("coefficient of {}", curve.term)),
        y: Axis::new("from least to greatest").between(-0.04, 1.04),
        y2: None,
        series: vec![
            Series::new(
                "negative log-likelihood",
                Mark::Line,
                Colour::Blue,
                &[("value", value.clone()), ("nll_normalised", nll)],
            ),
            Series::new(curve.loss, Mark::Dashed, Colour::Vermillion, &[("value", value), ("loss_normalised", loss)]),
            Series::new("", Mark::Vertical, Colour::Grey, &[("estimate", vec![curve.estimate])]),
        ],
    }
}
