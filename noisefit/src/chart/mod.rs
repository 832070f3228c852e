//! Charts of what was fitted, compared or followed.

mod file;
mod gather;
mod options;

pub use file::{ChartFile, charts_csv, write_charts};
pub use options::ChartOptions;

use noisefit_core::compare::Comparison;
use noisefit_core::inference::diagnostics::Diagnosis;
use noisefit_core::noise::Noise;
use noisefit_core::record::Fit;
use noisefit_data::formula::Scope;
use noisefit_data::model::FittedModel;
use noisefit_data::source::{DesignRows, SourceOptions};
use noisefit_report::chart::{Chart, Kind};
use noisefit_report::charts::{self, Rivals};

use crate::compare::Compared;
use crate::diagnose::{DiagnoseOptions, Diagnosed, look};
use crate::error::Error;
use crate::fitted::{Fitted, Origin};
use crate::model::Model;
use crate::profile::Profiled;
use crate::rows::specification;
use crate::table::Table;
use crate::with_sampling::WithSampling;

use gather::Gathered;

impl Fitted {
    /// All charts of the model over the table that it was fitted to, or one that is given: in the order in which they are best read.
    ///
    /// ```
    /// use noisefit::report::chart::Figure;
    /// use noisefit::{ChartOptions, Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let charts = fitted.charts(None, &ChartOptions::default())?;
    /// let residuals = charts.iter().find(|chart| chart.kind.to_string() == "residuals").unwrap();
    /// assert!(residuals.svg(&Figure::default(), "residuals").starts_with("<svg"));
    /// // A row of data for every observation, and those of the band and the line of zero.
    /// assert!(residuals.csv().lines().count() > 235);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoTable`] after loading without a table; those of reading.
    pub fn charts(&self, table: Option<&Table>, options: &ChartOptions) -> Result<Vec<Chart>, Error> {
        self.without_effects("plot")?;
        self.without_sampling(WithSampling::Verb("plot"))?;
        let known = self.model.design.columns_needed(Scope::All);
        self.table_or(table)?.reading(known, |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            let diagnosis = self.diagnosis(&rows)?;
            self.drawn(&rows, diagnosis, table, &[], options)
        })
    }

    /// The charts of one kind, of partial residuals and traces several. The kinds of comparisons and profiles are those of
    /// [`Compared::charts`] and [`Profiled::charts`].
    ///
    /// # Errors
    /// [`Error::NoChart`] where the model has none of this kind; as [`Fitted::charts`].
    pub fn chart(&self, kind: Kind, table: Option<&Table>, options: &ChartOptions) -> Result<Vec<Chart>, Error> {
        let all = self.charts(table, options)?;
        let found: Vec<Chart> = all.iter().filter(|chart| chart.kind == kind).cloned().collect();
        match found.is_empty() {
            true => Err(Error::NoChart { kind, model: self.name.clone(), kinds: kinds_of(&all) }),
            false => Ok(found),
        }
    }

    /// Looks at the fit, where it can be, and draws its charts, over the same reading of the rows. `others` are fits of other noise
    /// to them.
    pub(crate) fn looked_at_and_drawn(
        &self,
        table: &Table,
        others: &[&Fit],
        options: &ChartOptions,
    ) -> Result<(Option<Diagnosed>, Vec<Chart>), Error> {
        table.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            let diagnosis = self.diagnosis(&rows)?;
            let look = |diagnosis| look(diagnosis, &rows, table, &DiagnoseOptions::default());
            let diagnosed = diagnosis.as_ref().map(look).transpose()?;
            Ok((diagnosed, self.drawn(&rows, diagnosis, table, others, options)?))
        })
    }

    fn drawn(
        &self,
        rows: &DesignRows<'_>,
        diagnosis: Option<Diagnosis>,
        table: &Table,
        others: &[&Fit],
        options: &ChartOptions,
    ) -> Result<Vec<Chart>, Error> {
        let specification = specification(&self.model.design, self.counts());
        let mut all = Vec::new();
        match self.fits() {
            [] => {}
            [fit] => all.extend(charts::coefficients(fit)),
            fits => all.extend(charts::quantile_coefficients(fits)),
        }
        all.extend(self.course(table)?);
        let Gathered { rows, regressor } = self.gather(rows, diagnosis, table, options)?;
        if let Some((column, x)) = &regressor {
            let curves = self.curves(column, x, options.level)?;
            all.push(charts::data(&specification, &rows, column, x, &curves));
        }
        let several = self.model.curves() > 1;
        if several {
            // One curve's residuals say nothing of the others.
            return Ok(all);
        }
        let fit = self.fits().first();
        all.push(charts::observed(&specification, &rows));
        if let Some(fit) = fit.filter(|fit| regressor.is_none() || fit.location.rows.len() > 2) {
            all.extend(charts::partial(&specification, &rows, fit));
        }
        all.push(charts::residuals(&specification, &rows));
        // Without noise there is no shape of it.
        if rows.rows.iter().any(|row| row.standardised.is_finite()) {
            all.push(charts::scale_location(&specification, &rows));
            all.extend(fit.and_then(|fit| charts::leverage(&rows, fit.rank())));
            if !matches!(rows.noise, Noise::Quantile(_)) {
                all.push(charts::quantiles(&rows));
                let compared = self.chosen_by().into_iter().flat_map(Comparison::fits);
                let others: Vec<&Fit> = others.iter().copied().chain(compared).collect();
                let rivals = fit.and_then(|fit| Rivals::of_fits(fit, &others));
                all.push(charts::histogram(&rows, &rivals.unwrap_or_else(|| Rivals::of_residuals(&rows))));
                all.push(charts::pit(&rows));
                all.push(charts::calibration(&rows));
            }
        }
        Ok(all)
    }

    /// How a training went; nothing of exact fits and of loaded models.
    fn course(&self, table: &Table) -> Result<Vec<Chart>, Error> {
        let Origin::Trained { fitted, lines, .. } = self.origin() else { return Ok(Vec::new()) };
        let best: Vec<u64> = fitted.network.members.iter().map(|member| member.best_epoch).collect();
        let mut all = Vec::from_iter(charts::losses_by_epoch(&fitted.epochs, &best, fitted.network.objective.name()));
        if !lines.is_empty() {
            let terms = self.model.design.layout().coefficient_names();
            all.extend(charts::traces(&terms, lines, self.exactly(table).as_deref()));
        }
        Ok(all)
    }

    /// The exact coefficients of the same model, where there is such a fit.
    fn exactly(&self, table: &Table) -> Option<Vec<Option<f64>>> {
        let network = self.network().filter(|network| !network.models_scale())?;
        let [member] = &network.members[..] else { return None };
        let [noise] = member.noise[..] else { return None };
        let design = &self.model.design;
        let model = Model {
            noise: crate::model::NoiseChoice::Named(noise.named().into()),
            weights: design.weights().map(|weights| weights.text().to_owned()),
            frequencies: design.frequencies().map(|frequencies| frequencies.text().to_owned()),
            ..Model::new(design.formula().text())
        };
        model.fit(table).ok()?.fit().ok().map(|fit| fit.coef())
    }
}

/// The kinds of some charts, each once.
fn kinds_of(charts: &[Chart]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = charts.iter().map(|chart| chart.kind).collect();
    kinds.dedup();
    kinds
}

impl Compared {
    /// The models beside each other: by AIC, by log score, and of one regressor their lines over the data.
    ///
    /// # Errors
    /// Those of reading.
    pub fn charts(&self, options: &ChartOptions) -> Result<Vec<Chart>, Error> {
        let mut all = Vec::from_iter(charts::aic(self.comparison()));
        all.extend(charts::log_score(self.comparison()));
        let fitted: Vec<(String, Fitted)> = self
            .comparison()
            .models
            .iter()
            .filter_map(|entry| {
                let model = FittedModel::new(self.design().clone(), vec![entry.fit.clone()?]);
                let origin = Origin::Exact { chosen_by: None };
                Some((entry.candidate.to_string(), Fitted::new(model, self.table(), self.counts(), origin)))
            })
            .collect();
        // The rows are the same under every model.
        let Some((_, first)) = fitted.first() else { return Ok(all) };
        let known = self.design().columns_needed(Scope::All);
        let Gathered { rows, regressor } = self.table().reading(known, |table| {
            let rows = first.rows(table, SourceOptions::default())?;
            first.gather(&rows, first.diagnosis(&rows)?, table, options)
        })?;
        if let Some((column, x)) = &regressor {
            let mut curves = Vec::new();
            for (name, fitted) in &fitted {
                let own = fitted.curves(column, x, options.level)?;
                curves.extend(own.into_iter().map(|curve| charts::Curve { name: name.clone(), ..curve }));
            }
            let specification = specification(self.design(), Some(self.counts()));
            all.extend(charts::lines(&specification, &rows, column, x, &curves));
        }
        Ok(all)
    }
}

impl Profiled {
    /// The likelihood and the loss along the coefficient: on twin axes, and both normalised.
    pub fn charts(&self) -> Vec<Chart> {
        let level = self.fit().level;
        vec![charts::likelihood(self.curve(), self.interval(), level), charts::normalised(self.curve())]
    }
}
