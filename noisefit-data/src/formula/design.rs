//! A formula that has met its data: first a [`Model`], which may have something to learn, then a [`Design`].

use super::compile::{MOST_COLUMNS, Sampling, Source, compile, too_many};
use super::error::FormulaError;
use super::evaluate::{Bound, EvaluateOptions};
use super::expression::Expr;
use super::inverse;
use super::learned::Learned;
use super::learner::Learner;
use super::plan::{Lessons, Plan, Step};
use super::response::{self, Slopes};
use super::scope::Scope;
use super::select::EvaluateError;
use super::syntax::Syntax;
use super::written::{Expression, Formula};
use crate::frame::{Field, Frame, Kind, Written};
use noisefit_core::record::LikelihoodOf;
use noisefit_core::rows::Layout;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Formula {
    /// Finds the columns and expands the terms. `weights` are relative precisions and may be any arithmetic on columns;
    /// `frequencies` say how many identical rows a row stands for.
    ///
    /// # Errors
    /// [`FormulaError`]: a column that is not there, text where numbers are needed, arguments that a function does not
    /// take, a response of several columns.
    pub fn resolve(
        &self,
        fields: &[Field],
        weights: Option<&Expression>,
        frequencies: Option<&Expression>,
    ) -> Result<Model, FormulaError> {
        let source = Source {
            formula: self.clone(),
            weights: weights.cloned(),
            frequencies: frequencies.cloned(),
            sampling: None,
            fields: fields.to_vec(),
            most_columns: MOST_COLUMNS,
        };
        let learned = Lessons::new();
        let plan = Arc::new(compile(&source, &learned)?);
        Ok(Model { source, learned, plan })
    }
}

/// A formula whose columns are found, while levels, means or polynomials may still have to be learned from the rows.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) source: Source,
    pub(super) learned: Lessons,
    pub(super) plan: Arc<Plan>,
}

impl Model {
    /// The same of no more design columns than there is room for, those of a modelled scale among them. They are counted, here
    /// and once all is learned, before any of them is made.
    ///
    /// # Errors
    /// [`FormulaError`] with the number of columns.
    pub fn at_most(mut self, columns: usize) -> Result<Self, FormulaError> {
        let most = columns.min(MOST_COLUMNS);
        let count = self.plan.outputs.len() + self.plan.scale_outputs.len();
        self.source.most_columns = most;
        if count > most { Err(too_many(&self.source.formula, count as f64, most)) } else { Ok(self) }
    }

    /// The same of rows that have sampling weights, a column or arithmetic on columns, in the place of frequencies.
    ///
    /// # Errors
    /// [`FormulaError`]: a column that is not there, text where numbers are needed.
    pub fn with_sampling_weights(mut self, weights: &Expression) -> Result<Self, FormulaError> {
        self.source.sampling = Some(Sampling { column: weights.clone(), mean: 1.0 });
        self.plan = Arc::new(compile(&self.source, &self.learned)?);
        Ok(self)
    }

    /// The columns that frames must have, in this order.
    pub fn columns_needed(&self) -> Vec<&str> {
        self.plan.columns.iter().map(|field| field.name.as_str()).collect()
    }

    /// The next pass over the rows, or `None` where nothing is left to learn.
    ///
    /// Levels, means and polynomials up to degree 2 take one pass or two, each further degree one more.
    pub fn learner(&self) -> Option<Learner> {
        (!self.plan.pending.is_empty()).then(|| Learner::new(Arc::clone(&self.plan)))
    }

    /// Takes in what a pass has told.
    ///
    /// # Errors
    /// [`FormulaError`]: a category with one level or too many, a reference level that does not occur, a polynomial
    /// whose degree the distinct values do not allow, no complete row.
    pub fn learn(&mut self, pass: Learner) -> Result<(), FormulaError> {
        pass.finish(&mut self.learned)?;
        self.plan = Arc::new(compile(&self.source, &self.learned)?);
        Ok(())
    }

    /// The design, once nothing is left to learn.
    ///
    /// # Errors
    /// [`FormulaError`] at what is not learned yet.
    pub fn into_design(self) -> Result<Design, FormulaError> {
        match self.plan.pending.first() {
            None => {
                let Model { source, learned, plan } = self;
                Ok(Design { source, learned, plan, likelihood_of: LikelihoodOf::Response })
            }
            Some(pending) => {
                let message = format!("{} has not been learned from rows yet", pending.name);
                Err(pending.refuse(message))
            }
        }
    }
}

/// A formula with all that was learned for it: turns frames into responses and design columns.
///
/// Its serialised form holds the formula, the fields that it names and what was learned, each under its variable's
/// name; reading that form back gives bit-identical columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "StoredDesign", try_from = "StoredDesign")]
pub struct Design {
    pub(super) source: Source,
    pub(super) learned: Lessons,
    pub(super) plan: Arc<Plan>,
    likelihood_of: LikelihoodOf,
}

impl Design {
    /// The same of another plan, which reads the same columns.
    pub(super) fn with_plan(&self, plan: Plan) -> Self {
        Design { plan: Arc::new(plan), ..self.clone() }
    }

    /// The formula.
    pub fn formula(&self) -> &Formula {
        &self.source.formula
    }

    /// The weights, as they were given.
    pub fn weights(&self) -> Option<&Expression> {
        self.source.weights.as_ref()
    }

    /// The frequencies, as they were given.
    pub fn frequencies(&self) -> Option<&Expression> {
        self.source.frequencies.as_ref()
    }

    /// The sampling weights in their place, as they were given.
    pub fn sampling_weights(&self) -> Option<&Expression> {
        self.source.sampling.as_ref().map(|sampling| &sampling.column)
    }

    /// The same whose sampling weights have this mean, by which they are divided.
    #[must_use]
    pub(crate) fn with_sampling_mean(mut self, mean: f64) -> Self {
        if let Some(sampling) = &mut self.source.sampling {
            sampling.mean = mean;
            Arc::make_mut(&mut self.plan).sampling = Some(mean);
        }
        self
    }

    /// The same that reads columns, too, that say which rows belong together: those of the fit, which are not stored.
    ///
    /// # Errors
    /// [`FormulaError`] for a column that the design was not made with.
    pub fn with_clusters(self, columns: &[String]) -> Result<Self, FormulaError> {
        let Design { source, learned, likelihood_of, .. } = self;
        let source = Source { formula: source.formula.with_clusters(columns), ..source };
        let plan = Arc::new(compile(&source, &learned)?);
        Ok(Model { source, learned, plan }.into_design()?.with_likelihood_of(likelihood_of))
    }

    /// [`Design::with_clusters`] by columns of a table with these fields, which the design need not have been made with.
    ///
    /// # Errors
    /// [`FormulaError`] for a column that the table does not have.
    pub fn with_clusters_of(mut self, columns: &[String], fields: &[Field]) -> Result<Self, FormulaError> {
        let known = |name: &String| self.source.fields.iter().any(|field| field.name == *name);
        let new = |name: &&String| !known(name);
        let found = columns.iter().filter(new).filter_map(|name| fields.iter().find(|field| field.name == *name));
        let more: Vec<Field> = found.cloned().collect();
        self.source.fields.extend(more);
        self.with_clusters(columns)
    }

    /// The response's and the terms' names.
    pub fn layout(&self) -> &Layout {
        &self.plan.layout
    }

    /// The terms of the location and those of the scale, each with the names of its coefficients: `city` with `city[Paris]`.
    pub fn terms(&self) -> [Vec<(String, Vec<String>)>; 2] {
        let layout = &self.plan.layout;
        let members = |terms: &[(String, usize)], names: &[String]| {
            let mut names = names.iter().cloned();
            terms.iter().map(|(name, count)| (name.clone(), names.by_ref().take(*count).collect())).collect()
        };
        let [location, scale] = &self.plan.terms;
        let of_scale = layout.scale.as_ref().map_or(&[][..], |scale| &scale.terms);
        [members(location, &layout.terms), members(scale, of_scale)]
    }

    /// Whether the location has an offset.
    pub fn has_offset(&self) -> bool {
        self.plan.offsets[0].is_some()
    }

    /// Whether the logarithm of the scale has one.
    pub fn has_scale_offset(&self) -> bool {
        self.plan.offsets[1].is_some()
    }

    /// The response as the formula has it, without an offset that is taken from it.
    pub fn response(&self) -> String {
        self.source.formula.response.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether the response is a transformed column, so that the log-likelihood has a Jacobian.
    pub fn transforms_response(&self) -> bool {
        self.plan.response.as_ref().is_some_and(|expr| !expr.is_column())
    }

    /// Of what the likelihood of its models is: with the Jacobian of a transformed response of the response itself, or without of
    /// the transformed one.
    pub fn likelihood_of(&self) -> LikelihoodOf {
        self.likelihood_of
    }

    /// The same design of models whose likelihood is of that.
    #[must_use]
    pub fn with_likelihood_of(self, likelihood_of: LikelihoodOf) -> Self {
        Design { likelihood_of, ..self }
    }

    /// Whether blocks have the Jacobian of a transformed response.
    pub fn has_jacobian(&self) -> bool {
        self.transforms_response() && self.likelihood_of == LikelihoodOf::Response
    }

    /// The response where a transformed one has a value; none where the transformation is not undone, as that of a function which takes
    /// a value twice.
    pub fn untransformed(&self, value: f64) -> Option<f64> {
        let expr = self.plan.response.as_ref()?;
        inverse::inverse(expr, value)
    }

    /// The value of the response where its column is that; NaN where it has none, as the logarithm of a negative number.
    pub fn transformed(&self, column: f64) -> Option<f64> {
        Some(inverse::at(self.plan.response.as_ref()?, column))
    }

    /// What [`Design::untransformed`] gives with its first two derivatives by the value.
    pub fn undone(&self, value: f64) -> Option<[f64; 3]> {
        inverse::undone_with_slopes(self.plan.response.as_ref()?, value)
    }

    /// Whether the response is the square root of a line in a column.
    pub fn is_square_root(&self) -> bool {
        self.plan.response.as_ref().is_some_and(inverse::is_square_root)
    }

    /// By what a response that is a logarithm of a line in a column is multiplied to be a natural one.
    pub fn logarithm(&self) -> Option<f64> {
        inverse::logarithm(self.plan.response.as_ref()?)
    }

    /// Whether the response is a line in a column.
    pub fn is_linear(&self) -> bool {
        self.plan.response.as_ref().is_some_and(inverse::is_line)
    }

    /// The column that the response is made of.
    pub fn response_column(&self) -> Option<&str> {
        let column = *self.plan.response.as_ref()?.columns().first()?;
        self.plan.columns.get(column).map(|field| field.name.as_str())
    }

    /// The least and the largest value that a transformed response can have where it is one to one about the data, whose slopes these
    /// are; none where it is a column as it stands.
    pub fn response_range(&self, slopes: &Slopes) -> Option<[f64; 2]> {
        let expr = self.plan.response.as_ref().filter(|expr| !expr.is_column())?;
        Some(response::range(expr, slopes))
    }

    /// The terms of the location and of the scale that are not columns of numbers as they stand in the data.
    pub fn computed_terms(&self) -> Vec<&str> {
        let outputs = self.plan.outputs.iter().chain(&self.plan.scale_outputs).collect::<BTreeSet<_>>();
        let steps = outputs.into_iter().map(|&step| &self.plan.steps[step]);
        let is_column = |step: &Step| match step {
            Step::Number(Expr::Column(place)) => self.plan.columns[*place].kind == Kind::Number,
            _ => false,
        };
        steps.filter(|(_, step)| !is_column(step)).map(|(name, _)| name.as_str()).collect()
    }

    /// The places among [`Design::columns_needed`] of columns of numbers that are terms as they stand in the data.
    pub(crate) fn bare_columns(&self) -> Vec<usize> {
        let outputs = self.plan.outputs.iter().chain(&self.plan.scale_outputs).collect::<BTreeSet<_>>();
        let places = outputs.into_iter().filter_map(|&step| match &self.plan.steps[step].1 {
            Step::Number(Expr::Column(place)) => Some(*place),
            _ => None,
        });
        places.filter(|&place| self.plan.columns[place].kind == Kind::Number).collect()
    }

    /// The columns that frames must have for this scope, in this order: the first few of those of a wider scope.
    pub fn columns_needed(&self, scope: Scope) -> &[Field] {
        &self.plan.columns[..self.plan.scope(scope)]
    }

    /// The design on one frame, with the frame's levels looked up.
    ///
    /// # Errors
    /// [`EvaluateError::Columns`]: a frame without the columns of [`Design::columns_needed`].
    pub fn bind<'a>(&'a self, frame: &'a Frame, options: EvaluateOptions) -> Result<Bound<'a>, EvaluateError> {
        Bound::new(&self.plan, frame, options, self.has_jacobian())
    }
}

/// What is stored of a design.
#[derive(Serialize, Deserialize)]
struct StoredDesign {
    formula: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frequencies: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sampling_weights: Option<String>,
    fields: Vec<(String, Kind)>,
    /// How the values of some of them are written in text files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    written: BTreeMap<String, Written>,
    learned: Lessons,
    #[serde(default, skip_serializing_if = "is_of_response")]
    likelihood_of: LikelihoodOf,
}

/// Most are, and nothing is stored.
fn is_of_response(of: &LikelihoodOf) -> bool {
    *of == LikelihoodOf::Response
}

impl From<Design> for StoredDesign {
    fn from(design: Design) -> Self {
        let Source { formula, weights, frequencies, fields, .. } = &design.source;
        // With `.` a formula names every field.
        let (mut all, mut named) = (false, Vec::new());
        formula.visit(&mut |node| match &node.syntax {
            Syntax::Dot => all = true,
            Syntax::Name(name) => named.push(name.as_str()),
            _ => {}
        });
        let read = |field: &Field| design.plan.columns.contains(field) || named.contains(&field.name.as_str());
        StoredDesign {
            formula: formula.text().to_owned(),
            scale: formula.scale().map(|scale| scale.text().to_owned()),
            weights: weights.as_ref().map(|weights| weights.text().to_owned()),
            frequencies: frequencies.as_ref().map(|frequencies| frequencies.text().to_owned()),
            sampling_weights: design.sampling_weights().map(|weights| weights.text().to_owned()),
            fields: fields
                .iter()
                .filter(|field| all || read(field))
                .map(|field| (field.name.clone(), field.kind))
                .collect(),
            written: fields
                .iter()
                .filter(|field| field.written != Written::Plain && (all || read(field)))
                .map(|field| (field.name.clone(), field.written.clone()))
                .collect(),
            likelihood_of: design.likelihood_of,
            learned: design.learned,
        }
    }
}

impl TryFrom<StoredDesign> for Design {
    type Error = String;

    fn try_from(record: StoredDesign) -> Result<Self, String> {
        let expression = |text: Option<String>| text.map(|text| Expression::parse(&text)).transpose();
        let damaged = |error: FormulaError| error.to_string();
        let field = |(name, kind): (String, Kind)| {
            let written = record.written.get(&name).cloned().unwrap_or_default();
            Field { name, kind, written }
        };
        let formula = Formula::parse(&record.formula).map_err(damaged)?;
        let source = Source {
            formula: match record.scale {
                Some(scale) => formula.with_scale(&scale).map_err(damaged)?,
                None => formula,
            },
            weights: expression(record.weights).map_err(damaged)?,
            frequencies: expression(record.frequencies).map_err(damaged)?,
            // Each use of rows finds their own mean.
            sampling: expression(record.sampling_weights)
                .map_err(damaged)?
                .map(|column| Sampling { column, mean: 1.0 }),
            fields: record.fields.into_iter().map(field).collect(),
            most_columns: MOST_COLUMNS,
        };
        for (name, learned) in &record.learned {
            let sound = match learned {
                Learned::Levels(levels) => levels.len() >= 2 && levels.is_ordered(),
                Learned::Moments { deviation, .. } => deviation.0 > 0.0,
                Learned::Polynomial(basis) => basis.spreads.iter().all(|spread| spread.0 > 0.0),
                Learned::Spline(knots) => knots.is_sound(),
            };
            if !sound {
                return Err(format!("what was learned for {name} is damaged"));
            }
        }
        let plan = Arc::new(compile(&source, &record.learned).map_err(damaged)?);
        let design = Model { source, learned: record.learned, plan }.into_design().map_err(damaged)?;
        Ok(design.with_likelihood_of(record.likelihood_of))
    }
}
