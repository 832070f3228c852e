//! What effects are asked for.

use noisefit_data::formula::Unseen;

/// Which averages are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    /// Of the derivatives by each number, and of the comparisons of each category's levels.
    #[default]
    Slopes,
    /// Of predictions.
    Predictions,
    /// Of differences between predictions where a variable has one value and another.
    Comparisons,
}

noisefit_core::named!(Quantity {
    Slopes = "slopes": "Derivatives by each number, and comparisons of each category's levels",
    Predictions = "predictions": "Predictions",
    Comparisons = "comparisons": "Differences of predictions where a variable has one value and another",
});

/// In which units a slope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slope {
    /// `dY/dX`.
    #[default]
    Dydx,
    /// `(dY/Y)/(dX/X)`, an elasticity.
    Eyex,
    /// `(dY/Y)/dX`.
    Eydx,
    /// `dY/(dX/X)`.
    Dyex,
}

noisefit_core::named!(Slope {
    Dydx = "dydx": "What the response changes by, by a unit",
    Eyex = "eyex": "The elasticity: in shares of the response, by shares of the variable",
    Eydx = "eydx": "In shares of the response, by a unit",
    Dyex = "dyex": "What the response changes by, by shares of the variable",
});

impl Slope {
    /// How tables name it.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Slope::Dydx => "dY/dX",
            Slope::Eyex => "eY/eX",
            Slope::Eydx => "eY/dX",
            Slope::Dyex => "dY/eX",
        }
    }
}

/// Of what of a transformed response effects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// The mean of the response itself: by the fitted noise where that is known, else by smearing.
    Mean,
    /// Its median.
    Median,
    /// The response as the formula transforms it.
    Transformed,
}

noisefit_core::named!(Units {
    Mean = "mean": "The mean of the response itself: by the fitted noise where it is known, else by Duan's smearing",
    Median = "median": "The median of the response itself",
    Transformed = "transformed": "The response as the formula transforms it",
});

/// Between which values a variable is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// The observed value and so much more.
    Step(f64),
    /// Half a standard deviation below and above the observed value.
    Sd,
    /// A standard deviation below and above it.
    TwoSd,
    /// The quartiles.
    Iqr,
    /// The least and the largest value.
    MinMax,
    /// Of a category each level and the reference.
    Reference,
    /// Of a category each pair of levels.
    Pairwise,
}

impl std::str::FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sd" => Ok(Change::Sd),
            "2sd" => Ok(Change::TwoSd),
            "iqr" => Ok(Change::Iqr),
            "minmax" => Ok(Change::MinMax),
            "reference" => Ok(Change::Reference),
            "pairwise" => Ok(Change::Pairwise),
            step => step.parse().ok().filter(|step: &f64| step.is_finite() && *step != 0.0).map(Change::Step).ok_or_else(|| {
                format!("'{text}' is no change: of a number 1 (or any step), sd, 2sd, iqr, minmax; of a category reference, pairwise")
            }),
        }
    }
}

/// A variable, and how it changes where that is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Varied {
    /// The column.
    pub name: String,
    /// Its change.
    pub change: Option<Change>,
}

impl std::str::FromStr for Varied {
    type Err = String;

    /// `x` or `x=sd`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None => Ok(Varied { name: text.to_owned(), change: None }),
            Some((name, change)) => Ok(Varied { name: name.to_owned(), change: Some(change.parse()?) }),
        }
    }
}

/// At which values of a column effects are taken, in every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// These values or levels of a column; `mean` and `median` are those of the rows.
    Values {
        /// The column.
        name: String,
        /// What it is set to, one after the other.
        values: Vec<String>,
    },
    /// All other numbers at their mean, and all other categories at their most common level.
    Mean,
    /// All other numbers at their median, and all other categories at their most common level.
    Median,
}

impl std::str::FromStr for At {
    type Err = String;

    /// `x=1,2`, `city=Paris`, `x=mean`, `mean`, `median`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}': say a column and its values, such as x=1,2 or city=Paris, or mean, or median");
        match text.split_once('=') {
            None if text == "mean" => Ok(At::Mean),
            None if text == "median" => Ok(At::Median),
            None => Err(wrong()),
            Some((name, values)) => {
                let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
                match name.is_empty() || values.iter().any(String::is_empty) {
                    true => Err(wrong()),
                    false => Ok(At::Values { name: name.to_owned(), values }),
                }
            }
        }
    }
}

/// Which effects, over which rows, and in which units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EffectsOptions {
    /// Which averages are taken.
    pub quantity: Quantity,
    /// Of slopes and comparisons the variables; all of the location unless given.
    pub variables: Vec<Varied>,
    /// At which values; the observed ones unless given. Of several columns every combination.
    pub at: Vec<At>,
    /// Columns of the table whose groups of rows are averaged apart.
    pub by: Vec<String>,
    /// How a number changes in a comparison where its variable does not say: by 1 unless given.
    pub change: Option<Change>,
    /// Whether all pairs of levels are compared, in place of each with the reference.
    pub pairwise: bool,
    /// In which units slopes are.
    pub slope: Slope,
    /// Of what of a transformed response effects are; its mean where there is one, else its median, unless given.
    pub units: Option<Units>,
    /// The level of the intervals; that of the fit unless given.
    pub level: Option<f64>,
    /// Levels of a category that the model was not fitted to.
    pub unseen: Unseen,
}
