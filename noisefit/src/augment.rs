//! What is measured of every row that was fitted.

use noisefit_core::estimate::Options;
use noisefit_data::formula::Scope;
use noisefit_data::source::SourceOptions;

use crate::diagnose::measure;
use crate::error::Error;
use crate::fitted::Fitted;
use crate::predict::Predicted;
use crate::table::Table;
use crate::with_sampling::WithSampling;

impl Fitted {
    /// What is measured of every row of the table that the exact fit is of, or of one that is given: the fitted value, the
    /// residual, the scale, the leverage, standardised residuals, and of least squares Cook's distance and the like. Missing
    /// where a value of the row is.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let measured = fitted.augment(None)?;
    /// assert_eq!(measured.names[..3], ["fitted", "residual", "scale"]);
    /// assert_eq!(measured.columns[0].len(), 235);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`]; [`Error::NoTable`] after loading; [`Refusal::WithSampling`](crate::Refusal::WithSampling); those of
    /// reading.
    pub fn augment(&self, table: Option<&Table>) -> Result<Predicted, Error> {
        self.without_sampling(WithSampling::Verb("diagnose"))?;
        let (fit, table) = (self.fit()?, self.table_or(table)?);
        let settings = Options { level: fit.level, ..Options::default() };
        table.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            let (names, columns) = measure(&rows, fit, &settings, table)?;
            Ok(Predicted { names, columns, warnings: Vec::new() })
        })
    }
}
