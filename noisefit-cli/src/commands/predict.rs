//! `noisefit predict`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use clap::Args;
use noisefit::fit::Fit;
use noisefit::noise::{AsymmetricLaplace, Noise};
use noisefit::predict::{IntervalKind, NewRows, Predictor};
use noisefit_data::DataError;
use noisefit_data::formula::{EvaluateOptions, Scope, Workspace};
use noisefit_data::frame::{Column, Field, Frame, Kind, MISSING};
use noisefit_data::model::FittedModel;
use noisefit_data::read::{Dataset, Decimals};
use noisefit_data::source::{columns_of, locate};
use noisefit_data::write::{TableColumn, TableWriter};

use crate::arguments::{DataArguments, UnseenChoice, parse_level};
use crate::output::{count_of, warn};
use crate::progress::Passes;
use crate::{Outcome, Usage};

/// Rows predicted at a time.
const BLOCK_ROWS: usize = 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit predict model.json new.csv
  noisefit predict model.json new.csv --interval 0.95 prediction --keep id,date -o predictions.parquet")]
pub(crate) struct PredictArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Add an interval at this level: of a new observation (prediction, the default) or of the location (confidence)
    #[arg(long, value_names = ["LEVEL", "prediction|confidence"], num_args = 1..=2)]
    pub(crate) interval: Vec<String>,
    /// Columns of the data to carry along
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    /// Carry all columns of the data along
    #[arg(long, conflicts_with = "keep")]
    pub(crate) keep_all: bool,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_enum, default_value_t = UnseenChoice::Fail)]
    pub(crate) unseen: UnseenChoice,
    /// Write a .csv, .tsv or .parquet file instead of CSV to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Predicts and writes a table: the columns carried along, the prediction (one for each quantile), the ends of an interval,
/// and a modelled scale.
pub(crate) fn run(arguments: &PredictArguments) -> anyhow::Result<Outcome> {
    let interval = interval(&arguments.interval)?;
    let model = FittedModel::load(&arguments.model)?;
    if let Some((kind, level)) = interval {
        check_interval(&model, kind, level, &arguments.model)?;
    }
    let data = &arguments.data;
    let dataset = data.open()?;
    let carried = carried(arguments, &dataset)?;
    let (columns, places) = columns(&model, &dataset, &carried)?;

    let mut names: Vec<(&str, Kind)> = carried.iter().map(|field| (field.name.as_str(), field.kind)).collect();
    let predicted = predicted_names(&model, interval.map(|(kind, _)| kind));
    names.extend(predicted.iter().map(|name| (name.as_str(), Kind::Number)));
    let mut writer = match &arguments.output {
        Some(path) => TableWriter::create(path, &names)?,
        None => TableWriter::to_stream(std::io::stdout(), &names)?,
    };

    let predictors = model.fits.iter().map(Predictor::new).collect::<Result<Vec<_>, _>>()?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let unit = |frames: &mut noisefit_data::read::Frames<'_>| -> Result<Vec<(Frame, Predicted)>, DataError> {
        frames
            .map(|frame| {
                let frame = frame?;
                let predicted = predict(&model, &predictors, &dataset, &frame, arguments, interval)?;
                Ok((frame, predicted))
            })
            .collect()
    };
    let incomplete = Mutex::new(0);
    dataset.scan(&columns, Decimals::WithLow, &passes, unit, |_, frames| {
        for (frame, predicted) in frames {
            let texts: Vec<Option<Vec<Option<&str>>>> =
                places.iter().map(|&place| texts(&frame.columns[place])).collect();
            let mut table: Vec<TableColumn<'_>> = Vec::new();
            for (&place, texts) in places.iter().zip(&texts) {
                table.push(match (texts, &frame.columns[place]) {
                    (Some(texts), _) => TableColumn::Text(texts),
                    (None, Column::Number { high, .. }) => TableColumn::Number(high),
                    (None, Column::Category { .. }) => TableColumn::Text(&[]),
                });
            }
            table.extend(predicted.columns.iter().map(|values| TableColumn::Number(values)));
            if let Ok(mut incomplete) = incomplete.lock() {
                *incomplete += predicted.incomplete;
            }
            writer.write(&table)?;
        }
        Ok(())
    })?;
    writer.finish()?;
    drop(passes);
    warn(&warnings(&model, incomplete.into_inner().unwrap_or(0)));
    Ok(Outcome::Done)
}

/// Predictions of a frame, and the ends of their intervals where asked for. NaN for incomplete rows.
struct Predicted {
    columns: Vec<Vec<f64>>,
    incomplete: usize,
}

fn predict(
    model: &FittedModel,
    predictors: &[Predictor<'_>],
    dataset: &Dataset,
    frame: &Frame,
    arguments: &PredictArguments,
    interval: Option<(IntervalKind, f64)>,
) -> Result<Predicted, DataError> {
    let options = EvaluateOptions {
        low_words: true,
        scope: Scope::Design,
        unseen: arguments.unseen.into(),
        ..EvaluateOptions::default()
    };
    let bound = model.design.bind(frame, options).map_err(|error| locate(dataset, error))?;
    let models_scale = model.design.layout().scale.is_some();
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let (mut workspace, mut incomplete) = (Workspace::default(), 0);
    for start in (0..frame.rows).step_by(BLOCK_ROWS) {
        let range = start..(start + BLOCK_ROWS).min(frame.rows);
        let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
        incomplete += rows.missing();
        let new = NewRows { scale_design: rows.scale_design(), ..NewRows::new(rows.design(), rows.rows()) };
        let mut results = Vec::new();
        for predictor in predictors {
            results.push(predictor.location(&new));
            if let Some((kind, level)) = interval {
                let ends = predictor.intervals(&new, kind, level);
                let ends = ends.map_err(|error| DataError::Option(error.to_string()))?;
                results.extend([ends.low, ends.high]);
            }
            results.extend(models_scale.then(|| predictor.scale(&new)));
        }
        columns.resize_with(results.len(), || vec![f64::NAN; frame.rows]);
        for (column, results) in columns.iter_mut().zip(results) {
            for (&row, value) in rows.kept().iter().zip(results) {
                column[row] = value;
            }
        }
    }
    Ok(Predicted { columns, incomplete })
}

fn warnings(model: &FittedModel, incomplete: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if incomplete > 0 {
        let rows = count_of(incomplete as u64, "row");
        warnings.push(format!("{rows} with a missing value: the prediction is missing, too"));
    }
    if model.design.transforms_response() {
        warnings.push(format!("predictions are of {}", model.design.layout().response));
    }
    let is_aliased = |fit: &Fit| fit.coefficients.iter().chain(&fit.scale_coefficients).any(|c| c.estimate.is_none());
    if model.fits.iter().any(is_aliased) {
        warnings.push(
            "the model has collinear terms; predictions hold only for rows in which they are related as in its data"
                .into(),
        );
    }
    if model.design.weights().is_some() {
        warnings.push("the model is weighted; prediction intervals and scales are for rows of weight 1".into());
    }
    warnings
}

/// What `--interval LEVEL [KIND]` says.
fn interval(words: &[String]) -> anyhow::Result<Option<(IntervalKind, f64)>> {
    let Some(level) = words.first() else { return Ok(None) };
    let level = parse_level(level).map_err(|why| Usage(format!("--interval {level}: {why}")))?;
    let kind = match words.get(1).map(String::as_str) {
        None | Some("prediction") => IntervalKind::Prediction,
        Some("confidence") => IntervalKind::Confidence,
        Some(other) => {
            let what = format!("--interval {level} {other}: a level is followed by prediction or confidence");
            return Err(Usage(what).into());
        }
    };
    Ok(Some((kind, level)))
}

/// Refuses intervals that the model does not have.
fn check_interval(model: &FittedModel, kind: IntervalKind, level: f64, path: &Path) -> anyhow::Result<()> {
    let levels: Vec<f64> = model.fits.iter().filter_map(tau).collect();
    if !levels.is_empty() && kind == IntervalKind::Prediction {
        // In decimals, as one would write them.
        let decimal = |tau: f64| (tau * 1e9).round() / 1e9;
        let (low, high) = (decimal(0.5 * (1.0 - level)), decimal(0.5 * (1.0 + level)));
        return Err(Usage(format!(
            "--interval {level} prediction: quantiles are themselves the ends of intervals for a new observation, and the \
             model has {}; for this one fit --noise quantile:{low},{high}, or ask for --interval {level} confidence of each \
             quantile",
            list(&levels)
        ))
        .into());
    }
    for fit in &model.fits {
        let why = match (fit.df_residual, &fit.leverage) {
            (0, _) => "the model has as many coefficients as observations",
            (_, None) => "the model has no standard errors",
            _ => continue,
        };
        anyhow::bail!("{}: {why}, so there are no intervals; leave out --interval", path.display());
    }
    Ok(())
}

fn list(levels: &[f64]) -> String {
    levels.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

/// The level of a quantile's fit.
fn tau(fit: &Fit) -> Option<f64> {
    match fit.noise {
        Noise::Quantile(AsymmetricLaplace { tau }) => Some(tau),
        _ => None,
    }
}

/// The names of what is predicted, in the order of [`predict`]: with several quantiles `q0.1`, `q0.1_conf_low`, ...
fn predicted_names(model: &FittedModel, interval: Option<IntervalKind>) -> Vec<String> {
    let ends = match interval {
        None => vec![],
        Some(IntervalKind::Confidence) => vec!["conf_low", "conf_high"],
        Some(IntervalKind::Prediction) => vec!["pred_low", "pred_high"],
    };
    if let [_, _, ..] = model.fits[..] {
        let names = |tau: f64| {
            let ends = ends.iter().map(move |end| format!("q{tau}_{end}"));
            std::iter::once(format!("q{tau}")).chain(ends).collect::<Vec<_>>()
        };
        return model.fits.iter().filter_map(tau).flat_map(names).collect();
    }
    let scale = model.design.layout().scale.as_ref().map(|_| "scale");
    std::iter::once("prediction").chain(ends).chain(scale).map(str::to_owned).collect()
}

/// The columns to carry along.
fn carried(arguments: &PredictArguments, dataset: &Dataset) -> anyhow::Result<Vec<Field>> {
    if arguments.keep_all {
        return Ok(dataset.fields().to_vec());
    }
    let field = |name: &String| {
        let found = dataset.fields().iter().find(|field| field.name == *name).cloned();
        let names: Vec<&str> = dataset.fields().iter().map(|field| field.name.as_str()).collect();
        found.with_context(|| format!("--keep {name}: no such column; the columns are {}", names.join(", ")))
    };
    arguments.keep.iter().map(field).collect()
}

/// Positions of the columns to read: the design's first, then those carried along; and where the latter stand among them.
fn columns(model: &FittedModel, dataset: &Dataset, carried: &[Field]) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    let mut columns = columns_of(&model.design, dataset, Scope::Design)?;
    let mut places = Vec::new();
    for field in carried {
        let Some(column) = dataset.fields().iter().position(|known| known == field) else { continue };
        let place = columns.iter().position(|&known| known == column).unwrap_or(columns.len());
        if place == columns.len() {
            columns.push(column);
        }
        places.push(place);
    }
    Ok((columns, places))
}

/// The texts of a category; none for numbers.
fn texts(column: &Column) -> Option<Vec<Option<&str>>> {
    match column {
        Column::Number { .. } => None,
        Column::Category { codes, levels } => {
            let text = |&code: &u32| if code == MISSING { None } else { levels.get(code as usize).map(String::as_str) };
            Some(codes.iter().map(text).collect())
        }
    }
}
