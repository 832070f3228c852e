//! Rows against what was fitted to them.

use noisefit_core::inference::sketch::{Sketched, SketchedRow};

use crate::Specification;
use crate::chart::{Axis, Chart, Colour, Kind, Mark, Series};
use crate::charts::common::{grid, sampled};

/// The level of the band about zero.
const BAND: f64 = 0.9;

/// Parts that fitted values are divided into where something is followed along them.
const PARTS: usize = 12;

fn column(rows: &Sketched, of: impl Fn(&SketchedRow) -> f64) -> Vec<f64> {
    rows.rows.iter().map(of).collect()
}

/// Numbers of rows from 1, as a reader counts.
fn numbers(rows: &Sketched) -> Vec<f64> {
    column(rows, |row| row.row as f64 + 1.0)
}

/// Responses against fitted values, with the line on which they are equal.
pub fn observed(model: &Specification, rows: &Sketched) -> Chart {
    let (fitted, response) = (column(rows, |row| row.fitted), column(rows, |row| row.response));
    let all = fitted.iter().chain(&response).copied().filter(|value| value.is_finite());
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let ends = vec![low, high];
    Chart {
        kind: Kind::Observed,
        title: "Observed against predicted".to_owned(),
        caption: "On the line the response is what the model predicts; points should lie about it as evenly at one end as at the \
                  other."
            .to_owned(),
        note: sampled(rows),
        x: Axis::new(format!("predicted {}", model.response)),
        y: Axis::new(model.response.clone()),
        y2: None,
        series: vec![
            Series::new("", Mark::Dashed, Colour::Grey, &[("predicted", ends.clone()), ("equal", ends)]),
            Series::new(
                "observations",
                Mark::Points,
                Colour::Blue,
                &[("predicted", fitted), ("observed", response), ("row", numbers(rows))],
            ),
        ],
    }
}

/// Residuals against fitted values, with the band that should hold nine tenths of them.
pub fn residuals(model: &Specification, rows: &Sketched) -> Chart {
    let (low, high) = rows.noise.family().interval(BAND).unwrap_or((f64::NAN, f64::NAN));
    let mut scales = along(rows, |part| part.iter().map(|row| row.scale).sum::<f64>() / part.len() as f64);
    // At the ends, where rows are few and a modelled scale is steep, their own.
    let known = || rows.rows.iter().filter(|row| row.fitted.is_finite());
    let ends =
        [known().min_by(|a, b| a.fitted.total_cmp(&b.fitted)), known().max_by(|a, b| a.fitted.total_cmp(&b.fitted))];
    if let ([first, .., last], [Some(least), Some(most)]) = (&mut scales[..], ends) {
        (first.1, last.1) = (least.scale, most.scale);
    }
    let (at, scale): (Vec<f64>, Vec<f64>) = scales.into_iter().unzip();
    let band = |end: f64| scale.iter().map(|s| s * end).collect::<Vec<f64>>();
    let residuals = column(rows, |row| row.response - row.fitted);
    let mut y = Axis::new(format!("residual of {}", model.response));
    let mut note = sampled(rows);
    if let Some((low, high)) = as_far_as_residuals(&residuals, &[band(low), band(high)].concat()) {
        y = y.between(low, high);
        let beyond = "The band goes on beyond the picture, which ends where the residuals do.";
        note = Some(note.map_or_else(|| beyond.to_owned(), |note| format!("{note} {beyond}")));
    }
    Chart {
        kind: Kind::Residuals,
        title: "Residuals against fitted values".to_owned(),
        caption: format!(
            "The band is where {} of the residuals lie if the noise is {} of the fitted scale. A bend means that the mean has \
             another form; points that fan out, that the scale varies otherwise.",
            crate::text::percent(BAND),
            rows.noise
        ),
        note,
        x: Axis::new(format!("fitted {}", model.response)),
        y,
        y2: None,
        series: vec![
            Series::new(
                format!("{} of {}", crate::text::percent(BAND), rows.noise.noun()),
                Mark::Band,
                Colour::Vermillion,
                &[("fitted", at), ("low", band(low)), ("high", band(high))],
            ),
            Series::new("", Mark::Horizontal, Colour::Grey, &[("zero", vec![0.0])]),
            Series::new(
                "observations",
                Mark::Points,
                Colour::Blue,
                &[("fitted", column(rows, |row| row.fitted)), ("residual", residuals), ("row", numbers(rows))],
            ),
        ],
    }
}

/// The range of residuals with a margin, where a band goes so far beyond them that it would press them together.
fn as_far_as_residuals(residuals: &[f64], band: &[f64]) -> Option<(f64, f64)> {
    let ends = |values: &[f64]| {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((low, high), (band_low, band_high)) = (ends(residuals), ends(band));
    let height = high - low;
    let beyond = band_high.max(high) - band_low.min(low) > FAR * height;
    (beyond && height > 0.0 && height.is_finite()).then_some((low - 0.15 * height, high + 0.15 * height))
}

/// A band this many times as high as the residuals is cut.
const FAR: f64 = 1.6;

/// Something of rows in parts of equal number along the fitted values: at each end, and in the middle of each part.
fn along(rows: &Sketched, of: impl Fn(&[&SketchedRow]) -> f64) -> Vec<(f64, f64)> {
    let mut sorted: Vec<&SketchedRow> = rows.rows.iter().filter(|row| row.fitted.is_finite()).collect();
    sorted.sort_by(|a, b| a.fitted.total_cmp(&b.fitted));
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let (first, last) = (first.fitted, last.fitted);
    let parts = PARTS.min(sorted.len() / 6).max(1);
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(parts + 2);
    for k in 0..parts {
        let part = &sorted[k * sorted.len() / parts..(k + 1) * sorted.len() / parts];
        let value = of(part);
        if k == 0 {
            points.push((first, value));
        }
        points.push((part.iter().map(|row| row.fitted).sum::<f64>() / part.len() as f64, value));
        if k + 1 == parts {
            points.push((last, value));
        }
    }
    points
}

/// The middle of some sizes.
fn median(mut sizes: Vec<f64>) -> f64 {
    sizes.retain(|size| !size.is_nan());
    sizes.sort_by(f64::total_cmp);
    match sizes.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sizes[n / 2],
        n => 0.5 * (sizes[n / 2 - 1] + sizes[n / 2]),
    }
}

/// The root of the size of standardised residuals against fitted values, with its median along them.
pub fn scale_location(model: &Specification, rows: &Sketched) -> Chart {
    let size = |row: &SketchedRow| row.standardised.abs().sqrt();
    let medians = along(rows, |part| median(part.iter().map(|row| size(row)).collect()));
    let (at, middle): (Vec<f64>, Vec<f64>) = medians.into_iter().unzip();
    let expected = middle_size(rows).sqrt();
    Chart {
        kind: Kind::ScaleLocation,
        title: "Scale against location".to_owned(),
        caption: format!(
            "The line is the median size in parts of equal number along the fitted values; {} has its median at the dashed line \
             everywhere. A line that climbs means that the scale grows with the response.",
            rows.noise.noun()
        ),
        note: sampled(rows),
        x: Axis::new(format!("fitted {}", model.response)),
        y: Axis::new("root of the standardised residual's size"),
        y2: None,
        series: vec![
            Series::new(
                "observations",
                Mark::Points,
                Colour::Blue,
                &[
                    ("fitted", column(rows, |row| row.fitted)),
                    ("root_size", column(rows, size)),
                    ("row", numbers(rows)),
                ],
            ),
            Series::new(
                format!("median of {}", rows.noise.noun()),
                Mark::Horizontal,
                Colour::Grey,
                &[("expected", vec![expected])],
            ),
            Series::new("median", Mark::Line, Colour::Vermillion, &[("fitted", at), ("median", middle)]),
        ],
    }
}

/// The median of the fitted noise's size.
fn middle_size(rows: &Sketched) -> f64 {
    let family = rows.noise.family();
    let beyond = |size: f64| family.cdf(-size) + family.survival(size);
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high) > 0.5 && high < 1e100 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if beyond(middle) > 0.5 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Residuals against leverages, with lines of equal Cook's distance; none where leverages are not known. `coefficients` are those
/// that were estimated.
pub fn leverage(rows: &Sketched, coefficients: usize) -> Option<Chart> {
    let known: Vec<&SketchedRow> = rows.rows.iter().filter(|row| row.leverage.is_finite()).collect();
    if known.is_empty() {
        return None;
    }
    let p = coefficients as f64;
    let exact = known.iter().any(|row| row.cooks_distance.is_finite());
    // Cook's distance is r^2 h / (p (1 - h)), which gives the studentised residual back.
    let studentised = |row: &SketchedRow| match exact {
        true => (row.cooks_distance * p * (1.0 - row.leverage) / row.leverage).sqrt().copysign(row.standardised),
        false => row.standardised,
    };
    let (x, y): (Vec<f64>, Vec<f64>) = known.iter().map(|row| (row.leverage, studentised(row))).unzip();
    let widest = y.iter().filter(|y| y.is_finite()).fold(0.0f64, |a, y| a.max(y.abs())).max(2.0) * 1.1;
    let farthest = x.iter().fold(0.0f64, |a, h| a.max(*h)) * 1.05;
    let mut series = vec![Series::new("", Mark::Horizontal, Colour::Grey, &[("zero", vec![0.0])])];
    if exact {
        for (distance, mark) in [(0.5, Mark::Dotted), (1.0, Mark::Dashed)] {
            for sign in [1.0, -1.0] {
                // From where the line enters the picture.
                let least = distance * p / (widest * widest + distance * p);
                let h = grid(least, farthest, 60);
                let r = h.iter().map(|h| sign * (distance * p * (1.0 - h) / h).sqrt()).collect();
                if least < farthest {
                    let name = format!("Cook's distance {distance}");
                    series.push(Series::new(name, mark, Colour::Vermillion, &[("leverage", h), ("contour", r)]));
                }
            }
        }
    }
    let residual = if exact { "studentised" } else { "standardised" };
    series.push(Series::new(
        "observations",
        Mark::Points,
        Colour::Blue,
        &[
            ("leverage", x),
            (residual, y),
            ("row", known.iter().map(|row| row.row as f64 + 1.0).collect()),
            ("cooks_distance", known.iter().map(|row| row.cooks_distance).collect()),
        ],
    ));
    let caption = match exact {
        true => {
            "How much each row's own response weighs in its fitted value, against how far off the row is. Beyond the lines of \
             Cook's distance a row moves the fit by itself."
        }
        false => "How much each row's own response would weigh under least squares, against how far off the row is.",
    };
    Some(Chart {
        kind: Kind::Leverage,
        title: "Residuals against leverage".to_owned(),
        caption: caption.to_owned(),
        note: sampled(rows),
        x: Axis::new("leverage").between(0.0, farthest),
        y: Axis::new(format!("{residual} residual")).between(-widest, widest),
        y2: None,
        series,
    })
}
