//! Kinds of models side by side: linear models, networks, quantiles.

use noisefit_core::compare::kinds::{Contestant, Kind, Plans, SideBySide, side_by_side};
use noisefit_core::network::{Plan, Watch};
use noisefit_core::rows::{Division, Folds};
use noisefit_core::training;
use noisefit_data::DataError;
use noisefit_data::formula::Formula;
use noisefit_report::kinds::{summary, tidy};
use noisefit_report::tidy::Tidy;
use serde::Serialize;

use crate::compare::CompareOptions;
use crate::error::Error;
use crate::model::{Fitting, Model, Scale};
use crate::refusal::{Refusal, WithEffects};
use crate::remark::Remark;
use crate::rows::{explain, notes};
use crate::table::Table;
use crate::with_sampling::WithSampling;

/// Kinds of models of one formula on the same folds.
#[derive(Debug, Clone)]
pub struct KindsCompared {
    formula: String,
    found: SideBySide,
    notes: Vec<Remark>,
}

impl Model {
    /// Fits linear models, networks and quantiles of the formula to all but a part of the rows, part by part, scores each on that part, and
    /// says whether a line is enough. The model's own noise is of no matter; its networks are trained as its own fitting says, where that
    /// is a network, else as networks are by default.
    ///
    /// ```
    /// use noisefit::{CompareOptions, Model, Table, Training};
    /// use noisefit::core::compare::kinds::Contestants;
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let models: Contestants = "linear,linear:quantiles".parse().unwrap();
    /// let compared = Model::new("foodexp ~ income").compare_kinds(&models.0, &table, &CompareOptions::default())?;
    /// assert_eq!(compared.found().models.len(), 2);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]'s; [`Refusal::KindsWithoutFolds`].
    pub fn compare_kinds(
        &self,
        models: &[Contestant],
        table: &Table,
        options: &CompareOptions,
    ) -> Result<KindsCompared, Error> {
        table.reading(&[], |table| self.compare_kinds_once(models, table, options))
    }

    fn compare_kinds_once(
        &self,
        models: &[Contestant],
        table: &Table,
        options: &CompareOptions,
    ) -> Result<KindsCompared, Error> {
        self.without_effects(WithEffects::Verb("compare"))?;
        self.without_sampling(WithSampling::Verb("compare"))?;
        if options.folds < 2 {
            return Err(Refusal::KindsWithoutFolds.into());
        }
        let formula = options.formula(self.formula_of(models)?, table)?;
        let rows = self.rows(&formula, table)?;
        let division = match &options.together {
            None => Ok(Division::from(Folds { count: options.folds, seed: self.seed })),
            Some(together) => Division::of_groups(&rows, 0, together.order(self.seed), options.folds),
        };
        let failed = |error| match table.watch().cancelled() {
            true => DataError::Interrupted.into(),
            false => explain(error, rows.counts(), table),
        };
        let network = match &self.fitting {
            Fitting::Network(_) => self.clone(),
            _ => Model { fitting: Fitting::Network(Default::default()), ..self.clone() },
        };
        // As many as learn where a part is left out.
        let learning = training::count(&rows).map_err(failed)? * (options.folds as u64 - 1) / options.folds as u64;
        let plan = |scale| -> Result<Plan, Refusal> {
            let plan = Model { scale: Some(scale), ..network.clone() }.plan(learning)?;
            Ok(Plan { memory: table.budget(), ..plan })
        };
        let networks = [plan(Scale::Constant)?, plan(Scale::Network)?];
        let plans = Plans { fit: Model { scale: None, ..self.clone() }.options(), networks };
        let found = side_by_side(&rows, models, &division.map_err(failed)?, &plans, &Stop(table)).map_err(failed)?;
        Ok(KindsCompared { formula: formula.text().to_owned(), found, notes: notes(&rows, table) })
    }

    /// The formula, with that of the scale where a linear model has it modelled: the terms of the location where none is given.
    fn formula_of(&self, models: &[Contestant]) -> Result<Formula, Refusal> {
        let modelled = models.iter().any(|model| model.models_scale && model.kind == Kind::Linear);
        match (modelled, &self.scale) {
            (true, Some(Scale::Formula(_))) => self.full_formula(),
            (true, _) => Ok(self.location()?.with_scale_of_location()),
            (false, _) => self.location(),
        }
    }
}

/// Whoever watches may stop the trainings.
struct Stop<'a>(&'a Table);

impl Watch for Stop<'_> {
    fn stops(&self) -> bool {
        self.0.watch().cancelled()
    }
}

impl KindsCompared {
    /// What was found.
    pub fn found(&self) -> &SideBySide {
        &self.found
    }

    /// What is to be said of the table's columns.
    pub fn warnings(&self) -> &[Remark] {
        &self.notes
    }

    /// The table and the verdict; `times` adds how long the fits of each model took.
    pub fn summary(&self, times: bool) -> String {
        summary(&self.formula, &self.found, times)
    }

    /// The models as a table, a row for each.
    pub fn tidy(&self) -> Tidy {
        tidy(&self.found)
    }

    /// The models as a .csv, .tsv, .ndjson or .parquet file.
    ///
    /// # Errors
    /// A name that ends otherwise; a file that cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        crate::tidy_file::save(&self.tidy(), path.as_ref())
    }

    /// The JSON object; with `times` it has how long the fits took, and differs from run to run.
    pub fn record(&self, times: bool) -> impl Serialize + use<> {
        let mut found = self.found.clone();
        if !times {
            found.without_times();
        }
        Record {
            schema: "noisefit.compare-models/1",
            formula: self.formula.clone(),
            found,
            warnings: self.notes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The JSON object of kinds of models side by side.
#[derive(Serialize)]
struct Record {
    schema: &'static str,
    formula: String,
    #[serde(flatten)]
    found: SideBySide,
    warnings: Vec<String>,
}
