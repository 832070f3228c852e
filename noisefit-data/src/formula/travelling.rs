//! Formulas that have met their data, as they travel to other processes: with all that the passes of a fit need, of which a stored
//! design has but what prediction does.

use std::sync::Arc;

use noisefit_core::record::LikelihoodOf;
use serde::{Deserialize, Serialize};

use super::compile::{Sampling, Source, compile};
use super::design::{Design, Model};
use super::error::FormulaError;
use super::plan::Lessons;
use super::written::{Expression, Formula};
use crate::frame::{Field, Kind, Written};

/// A model, with what it has learned so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TravellingModel {
    formula: String,
    scale: Option<String>,
    clusters: Vec<String>,
    required: Vec<String>,
    weights: Option<String>,
    frequencies: Option<String>,
    /// Sampling weights, and what they are divided by.
    sampling: Option<(String, f64)>,
    fields: Vec<(String, Kind, Written)>,
    most_columns: usize,
    learned: Lessons,
}

/// A design.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Travelling {
    model: TravellingModel,
    likelihood_of: LikelihoodOf,
    /// Whether its largest category is kept as codes.
    by_codes: bool,
}

impl TravellingModel {
    pub fn of(model: &Model) -> Self {
        Self::new(&model.source, &model.learned)
    }

    fn new(source: &Source, learned: &Lessons) -> Self {
        let Source { formula, weights, frequencies, sampling, fields, most_columns } = source;
        let text = |expression: &Option<Expression>| expression.as_ref().map(|expression| expression.text().to_owned());
        TravellingModel {
            formula: formula.text().to_owned(),
            scale: formula.scale().map(|scale| scale.text().to_owned()),
            clusters: formula.clusters.clone(),
            required: formula.required.clone(),
            weights: text(weights),
            frequencies: text(frequencies),
            sampling: sampling.as_ref().map(|sampling| (sampling.column.text().to_owned(), sampling.mean)),
            fields: fields.iter().map(|field| (field.name.clone(), field.kind, field.written.clone())).collect(),
            most_columns: *most_columns,
            learned: learned.clone(),
        }
    }

    /// The model.
    ///
    /// # Errors
    /// [`FormulaError`] for what no program has written.
    pub fn model(&self) -> Result<Model, FormulaError> {
        let expression = |text: &Option<String>| text.as_deref().map(Expression::parse).transpose();
        let formula = Formula::parse(&self.formula)?;
        let formula = match &self.scale {
            Some(scale) => formula.with_scale(scale)?,
            None => formula,
        };
        let sampling = self
            .sampling
            .as_ref()
            .map(|(text, mean)| Expression::parse(text).map(|column| Sampling { column, mean: *mean }));
        let field = |(name, kind, written): &(String, Kind, Written)| Field {
            name: name.clone(),
            kind: *kind,
            written: written.clone(),
        };
        let source = Source {
            formula: formula.with_clusters(&self.clusters).with_required(&self.required),
            weights: expression(&self.weights)?,
            frequencies: expression(&self.frequencies)?,
            sampling: sampling.transpose()?,
            fields: self.fields.iter().map(field).collect(),
            most_columns: self.most_columns,
        };
        let plan = Arc::new(compile(&source, &self.learned)?);
        Ok(Model { source, learned: self.learned.clone(), plan })
    }
}

impl Travelling {
    pub fn of(design: &Design) -> Self {
        Travelling {
            model: TravellingModel::new(&design.source, &design.learned),
            likelihood_of: design.likelihood_of(),
            by_codes: design.is_by_codes(),
        }
    }

    /// The design.
    ///
    /// # Errors
    /// [`FormulaError`] for what no program has written.
    pub fn design(&self) -> Result<Design, FormulaError> {
        let design = self.model.model()?.into_design()?.with_likelihood_of(self.likelihood_of);
        Ok(match design.by_codes().filter(|_| self.by_codes) {
            Some((coded, _)) => coded,
            None => design,
        })
    }
}
