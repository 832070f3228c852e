//! Charts: what they show as data, and how that is drawn.
//!
//! A [`Chart`] is its data, column by column, with marks, axes and words; nothing in it is a pixel. It is drawn as SVG by
//! [`Chart::svg`] or for a terminal by [`Chart::terminal`], and read as a table by [`Chart::csv`]; [`convert`] makes PNG and PDF of SVG.
//! Which library draws is known to `chart/draw.rs` alone, and which converts to `chart/convert.rs`.

mod colour;
mod convert;
mod draw;
mod legend;
mod scale;

pub use colour::Colour;
pub use convert::{Form, NotConverted, convert};
pub use draw::{Figure, sheet};

use noisefit_core::named;
use serde::{Serialize, Serializer};

use crate::text::clean;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Coefficients with their intervals.
    Coefficients,
    /// The data of one regressor with the fitted line and its band.
    Data,
    /// Responses against their predictions.
    Observed,
    /// Residuals against fitted values.
    Residuals,
    /// The size of residuals against fitted values.
    ScaleLocation,
    /// Quantiles of the residuals against those of the fitted noise.
    Quantiles,
    /// How residuals are distributed, with fitted and rival densities.
    Histogram,
    /// Residuals against leverages.
    Leverage,
    /// How often the probability integral transform lies where.
    Pit,
    /// Shares that intervals hold against those that they promise.
    Calibration,
    /// Partial residuals against a regressor.
    Partial,
    /// Models beside each other by AIC.
    Aic,
    /// Models beside each other by their log score.
    LogScore,
    /// The data of one regressor with every model's line.
    Lines,
    /// The likelihood and the loss along a coefficient.
    Likelihood,
    /// Both of these, normalised.
    Shape,
    /// The loss of a training, epoch by epoch.
    Loss,
    /// The coefficients of a training, epoch by epoch.
    Traces,
    /// The losses of the families.
    Losses,
    /// Their gradients.
    Gradients,
    /// Their densities.
    Densities,
}

named!(Kind {
    Coefficients = "coefficients": "Coefficients with their intervals",
    Data = "data": "The data of one regressor, the fitted line and its prediction band",
    Observed = "observed": "Responses against predictions",
    Residuals = "residuals": "Residuals against fitted values, with the band of the fitted scale",
    ScaleLocation = "scale-location": "The size of residuals against fitted values",
    Quantiles = "quantiles": "Quantiles of the residuals against those of the fitted noise",
    Histogram = "histogram": "Residuals with the fitted density and those of its rivals",
    Leverage = "leverage": "Residuals against leverages, with Cook's distance",
    Pit = "pit": "The probability integral transform",
    Calibration = "calibration": "Shares within intervals against those promised",
    Partial = "partial": "Partial residuals, a chart for each regressor",
    Aic = "aic": "Noise models by AIC",
    LogScore = "log-score": "Noise models by their log score out of sample",
    Lines = "lines": "The data of one regressor with every noise model's line and band",
    Likelihood = "likelihood": "Negative log-likelihood and loss along a coefficient",
    Shape = "shape": "Both of these from 0 to 1: one shape",
    Loss = "loss": "The loss of a training, epoch by epoch",
    Traces = "traces": "The coefficients of a training, epoch by epoch",
    Losses = "losses": "The losses of the noise families",
    Gradients = "gradients": "The gradients of these losses",
    Densities = "densities": "The densities of the noise families",
});

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A chart as data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// What it is.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// What is to be seen on it, in a sentence or two: also what is read to those who do not see it.
    pub caption: String,
    /// What is left out or counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// A second vertical axis, at the right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y2: Option<Axis>,
    /// What is drawn, from the back to the front.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Axis {
    /// What is along it, with its unit.
    pub label: String,
    /// Names in the place of numbers, from the top down: the first is at 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The least and the largest number shown; what holds all numbers unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis of numbers.
    pub fn new(label: impl Into<String>) -> Self {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// The same from one number to another.
    #[must_use]
    pub fn between(self, low: f64, high: f64) -> Self {
        Axis { range: Some((low, high)), ..self }
    }
}

/// What is drawn of some columns; the first column is along the horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// `x, y`; a third column is the number of the row.
    Points,
    /// `x, y`.
    Line,
    /// `x, y`, dashed.
    Dashed,
    /// `x, y`, dotted.
    Dotted,
    /// `x, low, high`.
    Band,
    /// `from, to, height`.
    Bars,
    /// `estimate, category, low, high`.
    Intervals,
    /// `x`: vertical lines.
    Vertical,
    /// `y`: horizontal lines.
    Horizontal,
}

/// Some data and their mark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// What the legend calls it; empty for nothing there.
    pub name: String,
    /// How it is drawn.
    pub mark: Mark,
    /// In which colour.
    pub colour: Colour,
    /// Whether its heights are those of the second axis.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_second_axis: bool,
    /// The numbers.
    pub columns: Vec<Column>,
}

/// A column of the data of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its numbers; NaN (`null` in JSON) where there is none.
    pub values: Vec<f64>,
}

impl Series {
    /// A series of columns that are named.
    pub fn new(name: impl Into<String>, mark: Mark, colour: Colour, columns: &[(&str, Vec<f64>)]) -> Self {
        let column = |(name, values): &(&str, Vec<f64>)| Column { name: (*name).to_owned(), values: values.clone() };
        Series { name: name.into(), mark, colour, on_second_axis: false, columns: columns.iter().map(column).collect() }
    }

    /// A column by its place; empty where there is none.
    pub(crate) fn values(&self, column: usize) -> &[f64] {
        self.columns.get(column).map_or(&[], |column| &column.values)
    }

    fn len(&self) -> usize {
        self.columns.iter().map(|column| column.values.len()).max().unwrap_or(0)
    }
}

impl Chart {
    /// The data as CSV: a row for each point, the series it belongs to first, then every column that a series has; empty where
    /// its series does not have the column.
    pub fn csv(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for column in self.series.iter().flat_map(|series| &series.columns) {
            if !names.contains(&column.name.as_str()) {
                names.push(&column.name);
            }
        }
        let categories = self.y.categories.as_deref().unwrap_or(&[]);
        let mut text = String::from("series");
        for name in &names {
            text += &format!(",{}", field(name));
        }
        text.push('\n');
        for series in &self.series {
            for i in 0..series.len() {
                text += &field(if series.name.is_empty() { mark_word(series.mark) } else { &series.name });
                for name in &names {
                    text.push(',');
                    let column = series.columns.iter().enumerate().find(|(_, column)| column.name == *name);
                    let Some((place, value)) = column.and_then(|(j, column)| Some((j, column.values.get(i)?))) else {
                        continue;
                    };
                    match categories.get((value.round() as usize).wrapping_sub(1)) {
                        Some(category) if series.mark == Mark::Intervals && place == 1 => text += &field(category),
                        _ if value.is_nan() => {}
                        _ => text += &value.to_string(),
                    }
                }
                text.push('\n');
            }
        }
        text
    }

    /// A title and its caption as plain text for whoever does not see the chart.
    pub fn words(&self) -> String {
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(" {note}"));
        format!("{}. {}{note}", clean(&self.title, 200), clean(&self.caption, 600))
    }
}

/// What is called by its mark where it has no name.
fn mark_word(mark: Mark) -> &'static str {
    match mark {
        Mark::Points => "points",
        Mark::Line | Mark::Dashed | Mark::Dotted => "line",
        Mark::Band => "band",
        Mark::Bars => "bars",
        Mark::Intervals => "intervals",
        Mark::Vertical | Mark::Horizontal => "reference",
    }
}

/// A field of CSV, in quotes where it needs them.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_as_a_table() {
        let points =
            Series::new("rows", Mark::Points, Colour::Blue, &[("x", vec![1.0, 2.5]), ("y, z", vec![0.1, f64::NAN])]);
        let line = Series::new("", Mark::Line, Colour::Ink, &[("x", vec![0.0]), ("fit", vec![1e-9])]);
        let chart = Chart {
            kind: Kind::Data,
            title: String::new(),
            caption: String::new(),
            note: None,
            x: Axis::new("x"),
            y: Axis::new("y"),
            y2: None,
            series: vec![points, line],
        };
        assert_eq!(chart.csv(), "series,x,\"y, z\",fit\nrows,1,0.1,\nrows,2.5,,\nline,0,,0.000000001\n");
    }
}
