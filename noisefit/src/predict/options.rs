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
    /// Probabilities whose quantiles of a new observation are wanted, such as 0.1, 0.5, 0.9: of a transformed response of its own column.
    /// Those of 0.05 and 0.95 are the ends of the prediction interval at 0.9.
    pub quantiles: Vec<f64>,
    /// Whether the logarithm of the density at the response of each row is wanted, which the table has to have then: of a transformed
    /// response that of its own column.
    pub density: bool,
    /// Bounds, in units of the response's own column, beyond which the probability of a new observation is wanted.
    pub above: Vec<f64>,
    /// The same of no more than a bound.
    pub below: Vec<f64>,
    /// Whether standard deviations of a new observation are wanted: in all, of the noise (aleatoric), and of what is not known of the
    /// location (epistemic); in units of the response as it is modelled.
    pub spread: bool,
    /// Whether it is wanted how far a row lies outside the data of the fit: the largest distance of a column's value from its range there,
    /// in widths of the range.
    pub outside: bool,
    /// How many new observations of each row are drawn.
    pub samples: usize,
    /// What they are drawn from.
    pub seed: u64,
}

impl Default for PredictOptions {
    fn default() -> Self {
        let (unseen, undefined) = (Unseen::default(), Undefined::Missing);
        let (levels, keep) = (Vec::new(), Keep::default());
        PredictOptions {
            levels,
            interval: None,
            keep,
            unseen,
            undefined,
            name: None,
            back: None,
            quantiles: Vec::new(),
            density: false,
            above: Vec::new(),
            below: Vec::new(),
            spread: false,
            outside: false,
            samples: 0,
            seed: 0,
        }
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
