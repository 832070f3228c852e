//! How far the location of a row is determined: its leverage.

use serde::{Deserialize, Serialize};

use crate::algebra::by_level::ByLevel;
use crate::algebra::coordinates::Coordinates;
use crate::algebra::triangular::Triangular;
use crate::rows::Design;

/// The quadratic form `h = x' (X' V X)^-1 x` of a row `x` of the design: its leverage, and the variance of its estimated
/// location in units of the noise variance.
///
/// It is kept as a triangular factor of the inverse in shifted and scaled columns, so that it is as accurate for new rows as a QR
/// of the design would be; where a category with many levels stands among the columns, by its levels, in numbers of the size of the
/// levels and not of their square.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leverage(Form);

/// How the form is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Triangular(Triangular),
    ByLevel(Box<ByLevel>),
}

impl From<Triangular> for Leverage {
    fn from(form: Triangular) -> Self {
        Leverage(Form::Triangular(form))
    }
}

impl From<ByLevel> for Leverage {
    fn from(form: ByLevel) -> Self {
        Leverage(Form::ByLevel(Box::new(form)))
    }
}

impl Leverage {
    pub(crate) fn new(coordinates: &Coordinates, factor: Vec<f64>) -> Self {
        Triangular::new(coordinates, factor).into()
    }

    /// The form by a triangle over all columns, which of one by levels is made when it is first asked for.
    fn triangular(&self) -> &Triangular {
        match &self.0 {
            Form::Triangular(form) => form,
            Form::ByLevel(form) => form.triangular(),
        }
    }

    /// The form by the levels of a category, where it is one.
    pub(crate) fn by_level(&self) -> Option<&ByLevel> {
        match &self.0 {
            Form::Triangular(_) => None,
            Form::ByLevel(form) => Some(form),
        }
    }

    /// The covariance of two of the data's coefficients that the form implies, where it is one by levels.
    pub(crate) fn implied(&self, one: usize, other: usize) -> Option<f64> {
        Some(self.by_level()?.covariance(one, other))
    }

    /// The covariance matrix of the data's coefficients that it implies times a number, which stays the same, where it is one by levels.
    pub(crate) fn implied_matrix(&self, unit: f64) -> Option<&[Vec<f64>]> {
        Some(self.by_level()?.matrix(unit))
    }

    /// The same without what is by levels.
    pub(crate) fn into_triangular(self) -> Triangular {
        match self.0 {
            Form::Triangular(form) => form,
            Form::ByLevel(form) => form.triangular().clone(),
        }
    }

    /// The same form where its columns are those with the indices `columns` of a wider design.
    pub(crate) fn widened(self, columns: &[usize]) -> Self {
        self.into_triangular().widened(columns).into()
    }

    /// The same form times a positive number.
    pub(crate) fn times(self, factor: f64) -> Self {
        match self.0 {
            Form::Triangular(form) => form.times(factor).into(),
            Form::ByLevel(form) => form.times(factor).into(),
        }
    }

    /// The design columns it refers to, those of aliased terms left out.
    pub(crate) fn columns(&self) -> &[usize] {
        self.triangular().columns()
    }

    /// The coordinates of its columns; the response of these is that of the data.
    pub(crate) fn coordinates(&self) -> Coordinates {
        self.triangular().coordinates()
    }

    /// The packed lower triangle of `L`, where `L L'` is the form's matrix in [`Leverage::coordinates`].
    pub(crate) fn factor(&self) -> &[f64] {
        self.triangular().factor()
    }

    /// The form `x' L C L' x`, and its matrix for all of `coefficients` coefficients of the data (zero for aliased ones), of
    /// a positive semidefinite `C` for whitened rows `L'z`: the packed lower triangle of a covariance of their coefficients.
    ///
    /// Nothing is lost to nearly collinear columns, whose large entries are all in `L`.
    pub(crate) fn of_whitened(&self, covariance: &[f64], coefficients: usize) -> (Self, Vec<Vec<f64>>) {
        let (form, matrix) = self.triangular().of_whitened(covariance, coefficients);
        (form.into(), matrix)
    }

    /// The coefficients of the data that are determined as combinations of those of whitened rows `L'z`: the rows of `L`, carried back to
    /// the columns themselves.
    pub(crate) fn directions(&self) -> Vec<Vec<f64>> {
        self.triangular().directions()
    }

    /// Their places among all coefficients.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.triangular().places()
    }

    /// The number of design columns that rows must have, at least.
    pub fn columns_needed(&self) -> usize {
        match &self.0 {
            Form::Triangular(form) => form.columns_needed(),
            Form::ByLevel(form) => form.columns_needed(),
        }
    }

    /// Whether the parts go together, as they do unless a file was damaged.
    pub fn is_sound(&self) -> bool {
        match &self.0 {
            Form::Triangular(form) => form.is_sound(),
            Form::ByLevel(form) => form.is_sound(),
        }
    }

    /// Whether it goes with so many coefficients of the data, where it is one by levels.
    pub(crate) fn is_of(&self, coefficients: usize) -> bool {
        self.by_level().is_none_or(|form| form.coefficients() == coefficients)
    }

    /// `h` of every row of a design: `rows` values from columns that are each `rows` long; in doubles, and of rows where these would
    /// leave fewer than thirteen digits in double-double.
    pub fn evaluate<'a>(&self, design: impl Into<Design<'a>>, rows: usize) -> Vec<f64> {
        match &self.0 {
            Form::Triangular(form) => form.evaluate(design.into(), rows),
            Form::ByLevel(form) => form.evaluate(design.into(), rows),
        }
    }

    /// [`Leverage::evaluate`] in doubles, for what needs some digits of many rows.
    pub(crate) fn approximate(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        match &self.0 {
            Form::Triangular(form) => form.approximate(design, rows),
            Form::ByLevel(form) => form.evaluate(design, rows),
        }
    }

    /// `L'z` of every row in doubles, `rows` values of each of its columns one after the other.
    pub(crate) fn whitened(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        self.triangular().whitened(design, rows)
    }
}
