//! What a prediction is asked for.

use noisefit_data::formula::{Undefined, Unseen};

/// Predicted numbers, column by column.
pub(super) type Columns = Vec<Vec<f64>>;

/// What is predicted beside the location, and what is carried along.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictOptions {
    /// The levels of intervals; none for none.
    pub levels: Vec<f64>,
    /// Their kind; conformal ones of a model that has such, else those of a new observation, unless given.
    pub interval: Option<Interval>,
    /// Columns of the table to carry along.
    pub keep: Keep,
    /// Levels of a category that the model was not fitted to.
    pub unseen: Unseen,
    /// Rows in which a column is infinite or a term has no value.
    pub undefined: Undefined,
    /// The name of the prediction, and the beginning of the others'; `prediction`, and nothing, unless given.
    pub name: Option<String>,
    /// Whether predictions of a transformed response are carried back to its own column, and as what.
    pub back: Option<Back>,
}

impl Default for PredictOptions {
    fn default() -> Self {
        let (unseen, undefined) = (Unseen::default(), Undefined::Missing);
        let (levels, keep) = (Vec::new(), Keep::default());
        PredictOptions { levels, interval: None, keep, unseen, undefined, name: None, back: None }
    }
}

/// What an interval is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Of a new observation, under the noise of the model.
    Prediction,
    /// Of the location.
    Confidence,
    /// Of a new observation, whatever the noise: what the model's calibration promises.
    Conformal,
}

noisefit_core::named!(Interval {
    Prediction = "prediction": "Of a new observation",
    Conformal = "conformal": "Of a new observation, whatever the noise",
    Confidence = "confidence": "Of the location",
});

/// Columns that are carried along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// These, in this order.
    Named(Vec<String>),
    /// All of the table.
    All,
}

impl Default for Keep {
    fn default() -> Self {
        Keep::Named(Vec::new())
    }
}

/// What a prediction of a transformed response is of the response itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// The median, or the quantile that is modelled: whatever the transformation, as long as it is one to one.
    Median,
    /// The mean, by the fitted noise.
    Mean,
}

noisefit_core::named!(Back {
    Median = "median": "The median of the response itself, or the quantile that is modelled",
    Mean = "mean": "The mean of the response itself, by the fitted noise",
});

/// The intervals that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) kind: Interval,
    pub(super) levels: Vec<f64>,
}
