//! What is fitted along a regressor.

use noisefit_core::inference::sketch::Sketched;
use noisefit_core::noise::Noise;
use noisefit_core::record::Fit;

use crate::Specification;
use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::charts::common::{sampled, style_of};
use crate::text::{clean, percent};

/// What a model says along the values of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is called.
    pub name: String,
    /// Its noise, which has a colour.
    pub noise: Noise,
    /// Values of the column, ascending.
    pub x: Vec<f64>,
    /// The location there.
    pub location: Vec<f64>,
    /// The ends of the prediction interval, where there is one.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// The level of that.
    pub level: f64,
}

impl Curve {
    fn line(&self, colour: Colour, mark: Mark) -> Series {
        Series::new(self.name.clone(), mark, colour, &[("x", self.x.clone()), ("location", self.location.clone())])
    }

    fn area(&self, colour: Colour) -> Option<Series> {
        let (low, high) = self.band.as_ref()?;
        let name = format!("{} prediction interval", percent(self.level));
        let columns = [("x", self.x.clone()), ("pred_low", low.clone()), ("pred_high", high.clone())];
        Some(Series::new(name, Mark::Band, colour, &columns))
    }
}

/// The rows as points, `x` their values of the column.
fn points(rows: &Sketched, x: &[f64]) -> Series {
    let columns = [
        ("x", x.to_vec()),
        ("response", rows.rows.iter().map(|row| row.response).collect()),
        ("row", rows.rows.iter().map(|row| row.row as f64 + 1.0).collect()),
    ];
    Series::new("observations", Mark::Points, Colour::Blue, &columns)
}

/// The range of responses, which a band may leave: one that is far wider is not to press them together.
fn upright(model: &Specification, rows: &Sketched, curves: &[&Curve]) -> Axis {
    let response = rows.rows.iter().map(|row| row.response);
    let bounds = |values: &mut dyn Iterator<Item = f64>| {
        let finite = values.filter(|value| value.is_finite());
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)))
    };
    let (low, high) = bounds(&mut response.into_iter());
    let room = 0.5 * (high - low);
    let drawn = curves.iter().flat_map(|curve| {
        let band = curve.band.iter().flat_map(|(low, high)| low.iter().chain(high));
        curve.location.iter().chain(band).copied()
    });
    let (least, most) = bounds(&mut drawn.into_iter());
    let (low, high) = (low.min(least.max(low - room)), high.max(most.min(high + room)));
    let margin = 0.04 * (high - low);
    Axis::new(model.response.clone()).between(low - margin, high + margin)
}

/// The data of one column with a model's line and its prediction band; of several quantiles a line each.
pub fn data(model: &Specification, rows: &Sketched, column: &str, x: &[f64], curves: &[Curve]) -> Chart {
    let quantiles = curves.len() > 1;
    let colours = [Colour::Vermillion, Colour::Green, Colour::Purple, Colour::Orange, Colour::Sky, Colour::Ink];
    let mut series: Vec<Series> = Vec::new();
    if !quantiles {
        series.extend(curves.iter().filter_map(|curve| curve.area(Colour::Vermillion)));
    }
    series.push(points(rows, x));
    series.extend(curves.iter().enumerate().map(|(k, curve)| curve.line(colours[k % colours.len()], Mark::Line)));
    let caption = match curves {
        [] => "The data.".to_owned(),
        [curve] if curve.band.is_some() => format!(
            "The data, the fitted line, and the band that a new observation lies in with a probability of {}, as the model has it.",
            percent(curve.level)
        ),
        [_] => "The data and the fitted line.".to_owned(),
        _ => "The data and the fitted quantiles: below each should lie its share of them.".to_owned(),
    };
    Chart {
        kind: Kind::Data,
        title: format!("{} along {}", clean(&model.response, 60), clean(column, 60)),
        caption,
        note: sampled(rows),
        x: Axis::new(column),
        y: upright(model, rows, &curves.iter().collect::<Vec<_>>()),
        y2: None,
        series,
    }
}

/// The data of one column with the line of every model; then a chart for each with its band.
pub fn lines(model: &Specification, rows: &Sketched, column: &str, x: &[f64], curves: &[Curve]) -> Vec<Chart> {
    let axis = upright(model, rows, &curves.iter().collect::<Vec<_>>());
    let bare: Vec<Curve> = curves.iter().map(|curve| Curve { band: None, ..curve.clone() }).collect();
    let drawn = curves.iter().rev().map(|curve| {
        let (colour, mark) = style_of(&curve.noise);
        // Of two with the same noise the one whose scale is modelled is dotted.
        curve.line(colour, if curve.name.contains("+scale") { Mark::Dotted } else { mark })
    });
    let grey = |series: Series| Series { colour: Colour::Grey, ..series };
    let mut series = vec![grey(points(rows, x))];
    series.extend(drawn);
    let chart = |title: String, caption: String, series: Vec<Series>| Chart {
        kind: Kind::Lines,
        title,
        caption,
        note: sampled(rows),
        x: Axis::new(column),
        y: axis.clone(),
        y2: None,
        series,
    };
    let caption = "The data and where each noise model puts its line; models that agree lie on each other.";
    let all = Chart {
        y: upright(model, rows, &bare.iter().collect::<Vec<_>>()),
        ..chart("Every model's line".to_owned(), caption.to_owned(), series)
    };
    let one = |curve: &Curve| {
        let (colour, _) = style_of(&curve.noise);
        let band = curve.area(colour);
        let level = percent(curve.level);
        let series = band.into_iter().chain([grey(points(rows, x)), curve.line(colour, Mark::Line)]);
        chart(
            curve.name.clone(),
            format!("The line of {} and its {level} prediction interval.", curve.name),
            series.collect(),
        )
    };
    std::iter::once(all).chain(curves.iter().map(one)).collect()
}

/// Charts of partial residuals, at most.
const MOST: usize = 12;

/// Partial residuals `e + b_j (x_j - mean)` against each regressor that is a number, with the fitted slope.
pub fn partial(model: &Specification, rows: &Sketched, fit: &Fit) -> Vec<Chart> {
    let offset = usize::from(fit.location.intercept);
    let mut terms: Vec<(usize, f64)> = Vec::new();
    for (j, row) in fit.location.rows.iter().enumerate().skip(offset) {
        let mut values: Vec<f64> = rows.rows.iter().filter_map(|row| row.design.get(j - offset)).copied().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        if values.len() > 2 && row.estimate.is_some() {
            terms.push((j, row.statistic.map_or(0.0, f64::abs)));
        }
    }
    let known = terms.len();
    terms.sort_by(|a, b| b.1.total_cmp(&a.1));
    terms.truncate(MOST);
    let chart = |&(j, _): &(usize, f64)| {
        let row = fit.location.rows.get(j)?;
        let slope = row.estimate?;
        let x: Vec<f64> = rows.rows.iter().map(|row| row.design.get(j - offset).copied().unwrap_or(f64::NAN)).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let partial = rows.rows.iter().zip(&x).map(|(row, x)| row.response - row.fitted + slope * (x - mean)).collect();
        let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
        let line = [low, high].map(|x| slope * (x - mean)).to_vec();
        let numbers = rows.rows.iter().map(|row| row.row as f64 + 1.0).collect();
        let mut note = sampled(rows).unwrap_or_default();
        if known > MOST {
            note = format!("{note} One of the {MOST} terms with the largest statistics, of {known}.").trim().to_owned();
        }
        Some(Chart {
            kind: Kind::Partial,
            title: format!("Partial residuals of {}", clean(&row.term, 60)),
            caption: "The residuals with the term's own share put back. The line is the fitted slope; a bend asks for another form \
                      of the term."
                .to_owned(),
            note: (!note.is_empty()).then_some(note),
            x: Axis::new(row.term.clone()),
            y: Axis::new(format!("partial residual of {}", model.response)),
            y2: None,
            series: vec![
                Series::new("", Mark::Points, Colour::Blue, &[("x", x), ("partial_residual", partial), ("row", numbers)]),
                Series::new("", Mark::Line, Colour::Vermillion, &[("x", vec![low, high]), ("slope", line)]),
            ],
        })
    };
    terms.iter().filter_map(chart).collect()
}
