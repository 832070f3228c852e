//! Fitting: exactly under a noise that is named or found out, or by gradient steps.

use noisefit_core::compare::{self, Comparison};
use noisefit_core::estimate;
use noisefit_core::inference::conformal::Conformal;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::outside::{Outside, outside};
use noisefit_core::inference::{self, conformal, profile};
use noisefit_core::noise::{Noise, Noises};
use noisefit_core::record::{Absorbed, Confint, Counts, Fit, LikelihoodOf, Topic};
use noisefit_core::rows::CodedCategory;
use noisefit_core::wording::Sentence;
use noisefit_data::formula::{Design, Formula};
use noisefit_data::model::FittedModel;
use noisefit_data::source::DesignRows;
use noisefit_report::text::count_of;

use crate::candidates;
use crate::error::Error;
use crate::fitted::{Fitted, Origin};
use crate::model::Model;
use crate::remark::Remark;
use crate::rows::{explain, notes, remarked};
use crate::table::Table;
use crate::train;

impl Model {
    /// Fits the model to a table.
    ///
    /// # Errors
    /// [`Error::Refused`] for settings that do not go together; [`Error::Data`] for a table that cannot be read or does not have
    /// the formula's columns; [`Error::NothingToFit`]; [`Error::Core`] for what has no estimate.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let fitted = Model::new("foodexp ~ income").noise("laplace")?.fit(&table)?;
    /// assert_eq!(fitted.coef()?[1].term, "income");
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    pub fn fit(&self, table: &Table) -> Result<Fitted, Error> {
        self.check()?;
        table.reading(&[], |table| match self.training() {
            Some((training, is_network)) => train::fit(self, training, is_network, table),
            None => self.fit_exactly(table),
        })
    }

    fn fit_exactly(&self, table: &Table) -> Result<Fitted, Error> {
        let found = self.fit_rows(table, &|formula| self.rows(formula, table), !self.one_pass, false)?;
        let Exactly { rows, fits, conformal, chosen_by } = found;
        let model = FittedModel::new(rows.design().clone(), fits).with_conformal(conformal).with_ranges(rows.ranges());
        let mut notes = notes(&rows, table);
        notes.extend(Remark::all(Topic::StandardErrors, closed_gaps(&self.vcov, rows.counts())));
        Ok(Fitted::new(model, table, rows.counts(), Origin::Exact { chosen_by })
            .with_notes(notes)
            .estimated_by(self.options().estimation()))
    }

    /// Fits rows of a table, as `source` gives them for a formula; with or without what is told of the residuals beside the fit, and
    /// with digits that are counted or bounded.
    pub(crate) fn fit_rows<'a>(
        &self,
        table: &Table,
        source: &Source<'_, 'a>,
        goodness: bool,
        rough: bool,
    ) -> Result<Exactly<'a>, Error> {
        let (noise, formula, chosen_by) = match self.is_auto()? {
            false => (self.choice()?, self.full_formula()?, None),
            true => {
                let Chosen { noise, formula, comparison } = self.choose(table, source)?;
                (noise, formula, Some(comparison))
            }
        };
        let mut rows = source(&formula.with_clusters(self.vcov.clusters()))?;
        let mut options = self.options();
        options.settings.rough = rough;
        let said = |error, rows: &DesignRows<'_>| {
            // What is to be said of the columns may be why there is no fit.
            let remarks = notes(rows, table).into_iter().map(Sentence::from).collect();
            remarked(explain(error, rows.counts(), table), remarks)
        };
        let whole = rows.design().clone();
        let mut coded = None;
        if let [noise] = noise[..]
            && let Some((design, category)) = self.by_codes(&rows, &noise)
        {
            rows = rows.with_design(design);
            coded = inference::fit_coded(&rows, noise, category, &options).map_err(|error| said(error, &rows))?;
            if coded.is_none() {
                rows = rows.with_design(whole.clone());
            }
        }
        let (mut fits, conformal) = match (&coded, self.conformal_plan(&noise)?) {
            (Some((fit, _)), _) => Ok((vec![fit.clone()], None)),
            (None, None) => inference::fit(&rows, &noise, &options).map(|fits| (fits, None)),
            (None, Some(plan)) => {
                conformal::fit(&rows, &noise, &options, &plan).map(|(fits, conformal)| (fits, Some(conformal)))
            }
        }
        .map_err(|error| said(error, &rows))?;
        // Of conformal intervals the fit may be of a part of the rows.
        if conformal.is_none() && goodness {
            fits.iter_mut().try_for_each(|fit| inference::goodness(&rows, fit))?;
        }
        if self.drop_effects {
            fits.iter_mut().filter_map(|fit| fit.absorbed.as_mut()).for_each(Absorbed::drop_constants);
        }
        if self.confint == Confint::Profile {
            fits.iter_mut().try_for_each(|fit| profile::intervals(&rows, fit, &options.estimation()))?;
        }
        let mut rows = of_response(rows, &mut fits)?;
        if let Some((_, coded)) = coded
            && let Some(fit) = fits.pop()
        {
            let whole = whole.with_likelihood_of(rows.design().likelihood_of());
            fits.push(coded.expand(fit, &whole.layout().terms));
            rows = rows.with_design(whole);
        }
        Ok(Exactly { rows, fits, conformal, chosen_by })
    }

    /// The design of the rows with its largest category as codes, where the fit is one that goes by these.
    fn by_codes(&self, rows: &DesignRows<'_>, noise: &Noise) -> Option<(Design, CodedCategory)> {
        let goes = estimate::absorbs_effects(noise)
            && self.conformal.is_none()
            && self.confint != Confint::Profile
            && !self.one_pass;
        rows.design().by_codes().filter(|_| goes)
    }

    /// Judges all families on the rows, and looks whether these agree. Where none can be preferred, as for rows without
    /// residuals, Gaussian noise is fitted.
    fn choose(&self, table: &Table, source: &Source<'_, '_>) -> Result<Chosen, Error> {
        let (candidates, formula) = candidates::of(self, None)?;
        let rows = source(&formula)?;
        let candidates = candidates::fitting(candidates, self, &rows);
        let fit = estimate::Options { seed: self.seed, ..self.estimation() };
        let comparison = compare::choose(&rows, &candidates, &compare::Options { fit, ..compare::Options::default() });
        let comparison = comparison.map_err(|error| explain(error, rows.counts(), table))?;
        let (noise, models_scale) = comparison.preferred().map_or((Noises::from(Noise::Gaussian), false), |entry| {
            (entry.candidate.noise.into(), entry.candidate.models_scale)
        });
        let formula = if models_scale { formula } else { self.location()? };
        Ok(Chosen { noise, formula, comparison })
    }
}

/// Rows as a formula sees them.
pub(crate) type Source<'s, 'a> = dyn Fn(&Formula) -> Result<DesignRows<'a>, Error> + 's;

/// What an exact fit found, and the rows it is of.
pub(crate) struct Exactly<'a> {
    pub(crate) rows: DesignRows<'a>,
    pub(crate) fits: Vec<Fit>,
    pub(crate) conformal: Option<Conformal>,
    pub(crate) chosen_by: Option<Comparison>,
}

/// What is to be said of a covariance of rows in order where rows are left out.
pub(crate) fn closed_gaps(vcov: &Vcov, counts: Counts) -> Option<String> {
    let left_out = counts.missing + counts.weightless;
    (left_out > 0 && matches!(vcov, Vcov::Hac(_))).then(|| {
        format!(
            "{vcov} takes the rows on both sides of one that is left out ({}) for neighbours: of a series with gaps its errors are \
             of other distances than they say",
            count_of(left_out, "row")
        )
    })
}

/// The rows and the fits where the noise of a transformed response reaches beyond the values that it can have: their likelihood is
/// then that of the transformed response.
fn of_response<'a>(rows: DesignRows<'a>, fits: &mut [Fit]) -> Result<DesignRows<'a>, Error> {
    let Some((most, found)) = beyond_the_response(&rows, &fits.iter().collect::<Vec<_>>())? else { return Ok(rows) };
    fits.iter_mut().zip(&found).for_each(|(fit, found)| fit.without_jacobian(found.log_jacobian));
    Ok(rows.with_likelihood_of(LikelihoodOf::Beyond(most)))
}

/// The most of the noise's mass that lies beyond the values that a transformed response can have, and that of each fit; none where it is
/// next to nothing, or the likelihood is not of the response anyway.
pub(crate) fn beyond_the_response(rows: &DesignRows<'_>, fits: &[&Fit]) -> Result<Option<(f64, Vec<Outside>)>, Error> {
    if !rows.design().has_jacobian() {
        return Ok(None);
    }
    let Some(range) = rows.design().response_range(&rows.slopes()?) else { return Ok(None) };
    if rows.design().has_offset() && rows.design().logarithm().is_none() && !rows.design().is_linear() {
        return Err(noisefit_core::Error::Unsupported(format!(
            "{} cannot have all values, and with an offset its likelihood is not known: offsets go with a response as it stands, or \
             with its logarithm",
            rows.design().response()
        ))
        .into());
    }
    let found = fits.iter().map(|fit| outside(rows, fit, range)).collect::<Result<Vec<_>, _>>()?;
    let most = found.iter().fold(0.0, |most: f64, found| most.max(found.mass));
    Ok((most > LikelihoodOf::NEXT_TO_NOTHING).then_some((most, found)))
}

/// What was found out.
struct Chosen {
    /// The noise to be fitted.
    noise: Noises,
    /// The formula, with that of the scale where it is modelled.
    formula: Formula,
    /// The evidence.
    comparison: Comparison,
}
