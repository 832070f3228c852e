//! Formulas side by side: nested ones by likelihood ratio.

use noisefit_core::compare::{Candidate, Candidates, Comparison};
use noisefit_core::estimate::closed_form;
use noisefit_core::noise::Noise;
use noisefit_core::numeric::distribution::{ChiSquared, Distribution, FisherF};
use noisefit_core::record::{Fit, SmallSample};
use noisefit_data::formula::Formula;
use noisefit_report::formulas::{Compared, Nesting, OfFormula, Ratio, summary, tidy};
use noisefit_report::tidy::Tidy;
use serde::Serialize;

use crate::candidates;
use crate::compare::{CompareOptions, claimed};
use crate::error::Error;
use crate::model::Model;
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::rows::notes;
use crate::table::Table;

/// Several formulas of one response on one table.
#[derive(Debug, Clone)]
pub struct FormulasCompared {
    found: Compared,
    notes: Vec<Remark>,
}

impl Model {
    /// Fits several formulas under each of some noises (Gaussian unless others are named) to the rows that are complete for all of them,
    /// scores each out of sample, says of every pair whether one is nested in the other, and tests the smaller of nested ones by likelihood
    /// ratio. The model's own formula and noise are of no matter.
    ///
    /// One formula is nested in another where all of its linear predictors are predictors of the other over these rows, whatever the
    /// terms are called.
    ///
    /// ```
    /// use noisefit::{CompareOptions, Model, Table};
    ///
    /// let table = Table::open("../testdata/mtcars.csv")?;
    /// let formulas = ["mpg ~ wt", "mpg ~ wt + hp", "mpg ~ qsec"].map(str::to_owned);
    /// let compared = Model::new("").compare_formulas(&formulas, &table, &CompareOptions::default())?;
    /// assert!(compared.summary().contains("1 in 2"));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::compare`]'s; [`Refusal::SeveralResponses`].
    pub fn compare_formulas(
        &self,
        formulas: &[String],
        table: &Table,
        options: &CompareOptions,
    ) -> Result<FormulasCompared, Error> {
        table.reading(&[], |table| self.compare_formulas_once(formulas, table, options))
    }

    fn compare_formulas_once(
        &self,
        formulas: &[String],
        table: &Table,
        options: &CompareOptions,
    ) -> Result<FormulasCompared, Error> {
        let gaussian = || Candidates(Candidate::new(Noise::Gaussian).into_iter().collect());
        let noise = options.noise.clone().unwrap_or_else(gaussian);
        let models: Vec<Model> =
            formulas.iter().map(|formula| Model { formula: formula.clone(), ..self.clone() }).collect();
        let mut parsed = Vec::new();
        for model in &models {
            parsed.push(candidates::of(model, Some(&noise))?);
        }
        let responses: Vec<String> = parsed.iter().map(|(_, formula)| formula.response_text()).collect();
        if let Some(other) = responses.iter().find(|response| **response != responses[0]) {
            return Err(Refusal::SeveralResponses { one: responses[0].clone(), other: other.clone() }.into());
        }
        let required = self.required(&parsed, table);
        let (mut found, mut ranks, mut said) = (Vec::new(), Vec::new(), Vec::new());
        for (model, (candidates, formula)) in models.iter().zip(&parsed) {
            let rows = model.rows(&options.formula(formula.clone().with_required(&required), table)?, table)?;
            let candidates = candidates::fitting(candidates.clone(), model, &rows);
            let (rows, comparison) = claimed(rows, &candidates, &options.of_core(model), table)?;
            ranks.push(closed_form::fit(&rows, &model.estimation())?.rank());
            for note in notes(&rows, table) {
                if !said.contains(&note) {
                    said.push(note);
                }
            }
            found.push(OfFormula { formula: formula.text().to_owned(), dropped: rows.counts().missing, comparison });
        }
        let mut pairs = Vec::new();
        for j in 1..parsed.len() {
            for i in 0..j {
                let (smaller, larger) = if ranks[i] <= ranks[j] { (i, j) } else { (j, i) };
                let joined = parsed[smaller].1.joined(&parsed[larger].1).map_err(Refusal::Formula)?;
                let offsets = parsed[smaller].1.offsets() == parsed[larger].1.offsets();
                let nested = offsets && {
                    let rows = self.rows(&joined.with_required(&required), table)?;
                    closed_form::fit(&rows, &self.estimation())?.rank() == ranks[larger]
                };
                let same = ranks[smaller] == ranks[larger];
                pairs.push(match (nested, same) {
                    (false, _) => Nesting::Apart { one: i, other: j },
                    (true, true) => Nesting::Same { one: i, other: j },
                    (true, false) => {
                        let ratios = self.ratios(&found[smaller].comparison, &found[larger].comparison);
                        Nesting::Nested { smaller, larger, ratios }
                    }
                });
            }
        }
        Ok(FormulasCompared { found: Compared { formulas: found, pairs }, notes: said })
    }

    /// The columns that the formulas read.
    fn required(&self, parsed: &[(Vec<Candidate>, Formula)], table: &Table) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        };
        for (_, formula) in parsed {
            match formula.takes_all_others() {
                true => table.names().iter().for_each(|name| add(name)),
                false => formula.columns().into_iter().for_each(&mut add),
            }
        }
        columns
    }

    /// The likelihood ratio tests of the smaller of two comparisons, by the models that both have.
    fn ratios(&self, smaller: &Comparison, larger: &Comparison) -> Vec<Ratio> {
        let mut ratios = Vec::new();
        for entry in &larger.models {
            let Some(other) = smaller.models.iter().find(|other| other.candidate == entry.candidate) else { continue };
            let (Some(low), Some(high), Some(fit)) = (other.log_likelihood, entry.log_likelihood, &entry.fit) else {
                continue;
            };
            let more = entry.parameters.saturating_sub(other.parameters);
            if other.may_win() && entry.may_win() && more > 0 {
                ratios.push(self.ratio(entry.candidate.to_string(), 2.0 * (high - low), more as f64, fit));
            }
        }
        ratios
    }

    fn ratio(&self, model: String, ratio: f64, df: f64, fit: &Fit) -> Ratio {
        let (ratio, n, residual) = (ratio.max(0.0), fit.nobs as f64, fit.df_residual as f64);
        match self.small_sample {
            SmallSample::None => {
                let p_value = ChiSquared::new(df).ok().map(|chi| chi.survival(ratio));
                Ratio { model, ratio, f_statistic: None, df, df_residual: None, p_value }
            }
            SmallSample::Corrected => {
                let f = (ratio / n).exp_m1() * residual / df;
                let p_value = FisherF::new(df, residual).ok().map(|known| known.survival(f));
                Ratio { model, ratio, f_statistic: Some(f), df, df_residual: Some(residual), p_value }
            }
        }
    }
}

impl FormulasCompared {
    /// What was found.
    pub fn found(&self) -> &Compared {
        &self.found
    }

    /// What is to be said of the table's columns.
    pub fn warnings(&self) -> Vec<Remark> {
        self.notes.clone()
    }

    /// The tables for people.
    pub fn summary(&self) -> String {
        summary(&self.found)
    }

    /// The formulas as a table, a row for each under each noise.
    pub fn tidy(&self) -> Tidy {
        tidy(&self.found)
    }

    /// The JSON object.
    pub fn record(&self) -> impl Serialize + use<'_> {
        Record { schema: "noisefit.compare_formulas/1", found: &self.found }
    }
}

/// The JSON object.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    #[serde(flatten)]
    found: &'a Compared,
}
