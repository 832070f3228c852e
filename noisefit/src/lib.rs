//! Name the noise, get the fit: the front door.
//!
//! A [`Table`], a formula and a noise family in; a [`Fitted`] model with its uncertainty out. The command and the Python package
//! call what stands here. The mathematics is [`core`], readers and formulas are [`data`], text for people is [`report`].
//!
//! ```
//! use noisefit::{CompareOptions, DiagnoseOptions, EvaluateOptions, Model, PredictOptions, Table};
//!
//! // A file, a folder, a pattern; or record batches in memory.
//! let table = Table::open("../testdata/engel.csv")?;
//!
//! // Which noise is it? Richer food, noisier spending: the scale grows with income.
//! let model = Model::new("foodexp ~ income");
//! let compared = model.compare(&table, &CompareOptions::default())?;
//! assert_eq!(compared.preferred().map(ToString::to_string).as_deref(), Some("gaussian+scale"));
//!
//! // The fit: coefficients, standard errors, intervals, the complete likelihood, and a summary.
//! let fitted = model.scale("~ income").fit(&table)?;
//! assert_eq!(fitted.coef()?[1].term, "income");
//! let narrow = fitted.confint(0.5)?;
//! assert!(narrow[1].is_some_and(|(low, high)| low < high));
//! assert!(fitted.log_likelihood()?.is_some());
//! assert!(fitted.summary().contains("log scale ~ income"));
//!
//! // What it predicts, how well, and what is wrong with it.
//! let options = PredictOptions { levels: vec![0.9], ..PredictOptions::default() };
//! let predicted = fitted.predict(&table, &options)?;
//! assert_eq!(predicted.names, ["prediction", "pred_low", "pred_high", "scale"]);
//! let scores = fitted.evaluate(&table, &EvaluateOptions::default())?.scores;
//! assert!(scores[0].coverage.is_some_and(|share| share > 0.9));
//! let advice = fitted.diagnose(None, &DiagnoseOptions::default())?.advice();
//! assert!(!advice.is_empty());
//!
//! // Saved without data, and read back.
//! let folder = tempfile::tempdir().unwrap();
//! fitted.save(folder.path().join("model.json"))?;
//! let loaded = noisefit::Fitted::load(folder.path().join("model.json"))?;
//! assert_eq!(loaded.predict(&table, &options)?, predicted);
//! # Ok::<(), noisefit::Error>(())
//! ```
//!
//! | to | call |
//! |---|---|
//! | read | [`Table::open`], [`Table::files`], [`Table::from_batches`] |
//! | say what is fitted | [`Model`], with [`Training`] for what is trained |
//! | fit each group of rows | [`Model::fit_by`] |
//! | compare noise models in each group of rows | [`Model::compare_by`] |
//! | fit, compare, diagnose, profile | [`Model::fit`], [`Model::compare`], [`Model::diagnose`], [`Model::profile`] |
//! | use a fit | [`Fitted::coef`], [`Fitted::confint`], [`Fitted::predict`], [`Fitted::evaluate`], [`Fitted::save`] |
//! | test hypotheses | [`Fitted::test`] |
//! | average predictions, slopes, comparisons | [`Fitted::effects`] |
//! | show it | [`Fitted::charts`], [`Fitted::report`], [`tabulate()`], [`Fitted::explain`] |
//! | look at data | [`Table::describe`], [`Table::losses`] |
//!
//! Settings that do not go together are [`Refusal`]s, which name [`Setting`]s; a front end writes them in its own words by
//! [`Wording`].

#![forbid(unsafe_code)]

pub use noisefit_core as core;
pub use noisefit_data as data;
pub use noisefit_report as report;

mod augment;
mod by;
mod calibration;
mod candidates;
mod chart;
mod checks;
mod compare;
mod describe;
mod diagnose;
mod effects;
mod error;
mod evaluate;
mod explain;
mod export;
mod fit;
mod fitted;
mod formulas;
mod hypothesis;
mod kinds;
mod loss;
mod machine;
mod model;
mod overwriting;
mod page;
pub mod parse;
mod predict;
mod profile;
mod record;
mod refusal;
mod remark;
mod rows;
mod table;
mod tabulate;
mod tidy_file;
mod train;
mod training;
mod watch;
mod with_sampling;

pub use by::{GroupCompared, GroupFit, GroupFound, GroupTable, GroupsFitted, Values as GroupValues};
pub use chart::{ChartFile, ChartOptions, charts_csv, write_charts};
pub use compare::{CompareOptions, Compared, Together};
pub use describe::Described;
pub use diagnose::{DiagnoseOptions, Diagnosed};
pub use effects::{At, Change, Effects, EffectsOptions, Quantity, Slope, Units, Varied};
pub use error::Error;
pub use evaluate::{EvaluateOptions, Evaluated};
pub use explain::{Explained, explain};
pub use export::{ExportOptions, Exported};
pub use fitted::{Fitted, MOST_LEVELS_SHOWN};
pub use formulas::FormulasCompared;
pub use hypothesis::{TestMethod, TestOptions, Tested};
pub use kinds::KindsCompared;
pub use loss::{LossOptions, Losses};
pub use model::{Fitting, Location, Model, NoiseChoice, Scale, Solver};
pub use noisefit_core::wording::{InRust, Piece, Sentence, Setting, Wording};
pub use overwriting::{Read, refuse_overwriting, trials_beside};
pub use predict::{Back, Interval, Keep, PredictOptions, Predicted};
pub use profile::{ProfileOptions, Profiled};
pub use record::Record;
pub use refusal::{Refusal, WithEffects};
pub use remark::Remark;
pub use table::Table;
pub use tabulate::tabulate;
pub use training::{Batch, Calibrate, Encoding, Optimizer, Preset, Training};
pub use watch::Watch;
pub use with_sampling::WithSampling;

/// The passes of all crates, by which a process that is sent their bytes rebuilds them.
pub fn kinds() -> core::rows::Kinds {
    core::kinds()
}

/// The examples of the project's first page.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
