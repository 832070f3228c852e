//! Rows made ready to be learned from: divided, standardised, and in memory where they fit.

use crate::Error;
use crate::network::{Architecture, LeftOut, Objective, Pieces, Plan, Solver, Standardisation, TrainingRows};
use crate::noise::{Noise, StudentT, written};
use crate::rows::{Folds, Layout, Part, RowSource, RowSourceExt, Sample, Selected, hash_parameters, scattered};

/// Rows that are divided by chance.
pub(super) struct Divided<'a> {
    /// Those that are learned from.
    pub(super) learning: Selected<'a>,
    /// Those that validate, where some do.
    pub(super) held_out: Option<Selected<'a>>,
}

impl<'a> Divided<'a> {
    /// As the plan's seed and its share for validation have it.
    pub(super) fn new(source: &'a dyn RowSource, plan: &Plan) -> Self {
        if plan.validation > 0.0 {
            // Another partition than that of other users of the seed.
            let (parts, folds) = Folds::of_share(plan.validation, scattered(plan.seed, 1));
            let held_out = Some(folds.select(source, Part::Before(parts)));
            Divided { learning: folds.select(source, Part::From(parts)), held_out }
        } else {
            Divided { learning: Folds { count: 1, seed: 0 }.select(source, Part::From(0)), held_out: None }
        }
    }
}

/// The rows that members are not shown, in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct InTurn {
    pub(super) folds: Folds,
    pub(super) left_out: LeftOut,
    pub(super) members: usize,
}

impl InTurn {
    /// As the plan has it.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let left_out = plan.left_out?;
        let folds = Folds { count: left_out.parts, seed: scattered(plan.seed, PARTS) };
        Some(InTurn { folds, left_out, members: plan.members })
    }

    /// What a member is shown.
    pub(super) fn shown(&self, member: usize) -> Part {
        self.left_out.shown(member, self.members)
    }
}

/// What the parts that are left out in turn are drawn from, among other uses of a seed.
const PARTS: u64 = u64::MAX - 3;

/// What a training needs to know of its rows.
pub(super) struct Prepared {
    /// How many are learned from.
    pub(super) rows: u64,
    /// By the rows that are learned from.
    pub(super) standardisation: Standardisation,
    pub(super) objective: Objective,
    pub(super) architecture: Architecture,
    /// The columns that have a value far from their mean, with its distance in deviations, the farthest first.
    pub(super) far: Vec<(String, f64)>,
    /// The rows that are learned from, standardised; none where they do not fit in memory, and are read anew in every epoch.
    pub(super) data: Option<TrainingRows>,
    /// The rows that validate, standardised; of more than fit a random sample.
    pub(super) validation: Option<TrainingRows>,
    /// Rows of a step.
    pub(super) batch: usize,
    /// Rows that are not shown to all members.
    pub(super) in_turn: Option<InTurn>,
}

/// Rows that say where the pieces of a number's range end.
const PIECE_ROWS: usize = 20_000;

/// Numbers that a network reads of all pieces at most.
const MOST_PIECES: usize = 512;

/// Degrees of freedom that forgive the few rows that are far off, while calibration looks for others.
const FORGIVING: f64 = 3.0;

/// Validation rows that are kept however little memory there is.
const LEAST_VALIDATION: u64 = 1000;

/// A value so many deviations from the mean squeezes the others together.
const FAR: f64 = 12.0;

impl Prepared {
    /// Standardises the rows by those that are learned from, and reads into memory what fits there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a design without terms, a noise that cannot be trained, too few rows to validate, and
    /// batches of all rows that do not fit; [`Error::NoRows`]; what the source reports.
    pub(super) fn new(divided: &Divided<'_>, noise: &[Noise], plan: &Plan) -> Result<Self, Error> {
        let Divided { learning, held_out } = divided;
        let layout = learning.layout();
        if layout.terms.is_empty() {
            return Err(Error::Unsupported(
                "there is no term to learn from; a mean alone needs no training".to_owned(),
            ));
        }
        let (standardisation, rows, farthest) = Standardisation::of(learning, &plan.embeddings)?;
        let objective =
            Objective::of(&while_training(noise, plan), plan.models_scale, standardisation.response.deviation)?;
        let row_bytes = 4 * (standardisation.inputs.len() as u64 + 3);
        let bytes = (rows as f64 / (1.0 - plan.validation)) as u64 * row_bytes;
        // More rows than an order has numbers for are read anew, too.
        let streams = bytes > plan.memory || rows > u64::from(u32::MAX);
        let validation = match held_out {
            None => None,
            Some(rows) if !streams => Some(standardisation.gather(rows)?),
            Some(rows) => {
                let limit = (plan.memory / (4 * row_bytes)).max(LEAST_VALIDATION) as usize;
                let sample = rows.pass(Sample::new(rows.layout(), limit, rows.rows_hint()))?.finish(rows.layout());
                Some(standardisation.gather(&sample.source()?)?)
            }
        };
        if validation.as_ref().is_some_and(TrainingRows::is_empty) {
            return Err(Error::Unsupported(format!(
                "of {rows} rows none is left for validation; give a larger share, or 0 and a number of epochs"
            )));
        }
        let batch = match plan.solver {
            Solver::Steps { batch: Some(batch), .. } => (batch as u64).clamp(1, rows),
            _ => rows,
        };
        if streams && batch == rows {
            return Err(Error::Unsupported(format!(
                "batches of all rows need them in memory, and {rows} of them take {:.1} GiB where {:.1} may be used; allow \
                 more, or learn by batches",
                bytes as f64 / f64::from(1 << 30),
                plan.memory as f64 / f64::from(1 << 30)
            )));
        }
        let data = if streams { None } else { Some(standardisation.gather(learning)?) };
        let architecture = Architecture {
            inputs: standardisation.inputs.len(),
            embeddings: plan.embeddings.clone(),
            pieces: match &data {
                _ if plan.pieces == 0 => Vec::new(),
                Some(data) => pieces(data, plan),
                None => {
                    let sample = Sample::new(learning.layout(), PIECE_ROWS, learning.rows_hint());
                    let sample = learning.pass(sample)?.finish(learning.layout());
                    pieces(&standardisation.gather(&sample.source()?)?, plan)
                }
            },
            hidden: plan.hidden.clone(),
            activation: plan.activation,
            outputs: objective.outputs(),
        };
        Ok(Prepared {
            far: far_columns(layout, &farthest),
            batch: batch as usize,
            in_turn: InTurn::new(plan),
            rows,
            standardisation,
            objective,
            architecture,
            data,
            validation,
        })
    }

    /// The rows that a member learns from.
    pub(super) fn rows_of(&self, member: usize) -> u64 {
        self.in_turn.map_or(self.rows, |in_turn| in_turn.folds.count_of(self.rows, in_turn.shown(member)))
    }

    /// The standard deviation of the response, which is the unit of losses and scales while training.
    pub(super) fn deviation(&self) -> f64 {
        self.standardisation.response.deviation
    }

    /// Whether rows are read anew in every epoch.
    pub(super) fn streams(&self) -> bool {
        self.data.is_none()
    }

    /// What a checkpoint is of.
    ///
    /// # Errors
    /// [`Error::State`] for a plan that cannot be written.
    pub(super) fn about(&self, noise: &[Noise], plan: &Plan) -> Result<serde_json::Value, Error> {
        // How much memory there is makes no difference but for whether rows are read anew.
        let mut plan = Plan { memory: 0, buffer: if self.streams() { plan.buffer } else { 0 }, ..plan.clone() };
        // What was trained may be trained for longer; whether the scale is common still is part of the state.
        (plan.training.epochs, plan.training.patience, plan.training.common_scale) = (0, None, 0);
        Ok(serde_json::json!({
            "noise": written(noise),
            "plan": serde_json::to_value(&plan).map_err(|error| Error::State(error.to_string()))?,
            "rows": self.rows,
            "data": format!("{:016x}", hash_parameters(self.standardisation.numbers())),
        }))
    }
}

/// The noise that is trained: where calibration finds the degrees of freedom, with those that it starts from.
fn while_training(noise: &[Noise], plan: &Plan) -> Vec<Noise> {
    let held = |noise: &Noise| match noise {
        Noise::StudentT(family) if plan.left_out.is_some() && !family.df.is_given() => {
            Noise::StudentT(StudentT::new(FORGIVING))
        }
        _ => *noise,
    };
    noise.iter().map(held).collect()
}

/// The pieces of the numbers that have more than two values.
fn pieces(rows: &TrainingRows, plan: &Plan) -> Vec<Pieces> {
    let step = rows.len().div_ceil(PIECE_ROWS).max(1);
    let plain = (0..rows.inputs).filter(|j| !plan.embeddings.iter().any(|embedding| embedding.inputs.contains(j)));
    let of = |j: usize, count: usize| {
        let values = rows.design.iter().skip(j).step_by(step * rows.inputs).copied().collect();
        Pieces::of(j, values, count)
    };
    let mut found: Vec<Pieces> = plain.filter_map(|j| of(j, plan.pieces)).collect();
    let most = (MOST_PIECES / found.len().max(1)).min(plan.pieces);
    if most < plan.pieces {
        found = found.iter().filter_map(|pieces| of(pieces.input, most)).collect();
    }
    if most > 1 { found } else { Vec::new() }
}

fn far_columns(layout: &Layout, farthest: &[f64]) -> Vec<(String, f64)> {
    let names = layout.terms.iter().chain([&layout.response]);
    let mut far: Vec<(String, f64)> =
        names.zip(farthest).filter(|(_, far)| **far > FAR).map(|(name, far)| (name.clone(), *far)).collect();
    far.sort_by(|a, b| b.1.total_cmp(&a.1));
    far
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::rows::{Matrix, MemoryRows};

    fn rows<'a>(x: &'a [f64], y: &'a [f64]) -> MemoryRows<'a> {
        MemoryRows::new(y, Matrix::column_major(x, y.len(), x.len() / y.len()).unwrap()).unwrap()
    }

    fn prepared(source: &MemoryRows<'_>, plan: &Plan) -> Result<Prepared, Error> {
        Prepared::new(&Divided::new(source, plan), &[Noise::Gaussian], plan)
    }

    /// Twenty thousand rows of two columns, the second with a value far from the others.
    fn columns() -> (Vec<f64>, Vec<f64>) {
        let mut x: Vec<f64> = (0..40_000).map(|i| (f64::from(i) * 0.7).sin()).collect();
        x[20_003] = 1e3;
        (x, (0..20_000).map(|i| f64::from(i % 7)).collect())
    }

    #[test]
    fn rows_are_divided_and_read_into_memory() {
        let (x, y) = columns();
        let source = rows(&x, &y);
        let plan = Plan { validation: 0.25, ..Plan::default() };
        let prepared = prepared(&source, &plan).unwrap();
        let (learned, validated) = (prepared.data.as_ref().unwrap().len(), prepared.validation.as_ref().unwrap().len());
        assert_eq!((learned as u64, learned + validated), (prepared.rows, 20_000));
        assert!((4_800..5_200).contains(&validated), "{validated}");
        assert!(!prepared.streams() && prepared.batch == 32);
        assert!(matches!(&prepared.far[..], [(name, far)] if name == "x2" && *far > 100.0), "{:?}", prepared.far);
        let none = self::prepared(&source, &Plan { validation: 0.0, ..plan }).unwrap();
        assert_eq!((none.rows, none.validation.is_none()), (20_000, true));
    }

    #[test]
    fn rows_beyond_the_memory_stay_where_they_are() {
        let (x, y) = columns();
        let source = rows(&x, &y);
        // A row is twenty bytes; a quarter of so little memory holds fewer than the least that validate.
        let plan = Plan { validation: 0.25, memory: 20_000, ..Plan::default() };
        let prepared = prepared(&source, &plan).unwrap();
        assert!(prepared.streams());
        assert_eq!(prepared.validation.as_ref().unwrap().len() as u64, LEAST_VALIDATION);
        let Solver::Steps { method, shuffle, .. } = plan.solver else { panic!() };
        let all = Plan { solver: Solver::Steps { method, shuffle, batch: None }, ..plan };
        let refused = self::prepared(&source, &all).err().unwrap();
        assert!(refused.to_string().starts_with("batches of all rows need them in memory"), "{refused}");
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let y = [1.0, 2.0, 4.0];
        let refused =
            |source: &MemoryRows<'_>| prepared(source, &Plan { validation: 0.01, ..Plan::default() }).err().unwrap();
        let no_term = refused(&rows(&[], &y));
        assert!(no_term.to_string().starts_with("there is no term to learn from"), "{no_term}");
        let no_validation = refused(&rows(&[1.0, 2.0, 3.0], &y));
        assert!(no_validation.to_string().contains("none is left for validation"), "{no_validation}");
    }
}
