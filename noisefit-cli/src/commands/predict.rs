//! `noisefit predict`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use clap::Args;
use noisefit_core::inference::predict::{IntervalKind, Intervals, NewRows, Predictor};
use noisefit_core::network::{Deviation, Network};
use noisefit_core::noise::{AsymmetricLaplace, Noise};
use noisefit_core::record::Fit;
use noisefit_data::DataError;
use noisefit_data::formula::{EvaluateOptions, Scope, Workspace};
use noisefit_data::frame::{Column, Field, Frame, Kind, MISSING};
use noisefit_data::model::FittedModel;
use noisefit_data::read::{Dataset, Decimals};
use noisefit_data::source::{columns_of, locate};
use noisefit_data::write::{TableColumn, TableWriter};
use noisefit_report::text::count_of;

use crate::arguments::{DataArguments, UndefinedChoice, UnseenChoice, parse_level};
use crate::outcome::{Outcome, Usage};
use crate::output::warn;
use crate::progress::Passes;

/// Rows predicted at a time.
const BLOCK_ROWS: usize = 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit predict model.json new.csv
  noisefit predict model.json new.csv --interval 0.95 prediction --keep id,date -o predictions.parquet
  noisefit predict model.json new.csv --interval 0.5,0.9")]
pub(crate) struct PredictArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Add intervals at these levels, such as 0.5,0.9: of a new observation (prediction, the default), of a new observation
    /// whatever the noise (conformal, the default of a model that was fitted with --conformal) or of the location (confidence)
    #[arg(long, value_names = ["LEVELS", "prediction|conformal|confidence"], num_args = 1..=2)]
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
    /// Rows in which a column is infinite or a term has no value, such as log(0)
    #[arg(long, value_enum, default_value_t = UndefinedChoice::Missing)]
    pub(crate) undefined: UndefinedChoice,
    /// The name of the prediction, and the beginning of the others' [default: prediction]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Write a .csv, .tsv or .parquet file instead of CSV to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Predicts and writes a table: the columns carried along, the prediction (one for each quantile), the ends of an interval,
/// and a modelled scale.
pub(crate) fn run(arguments: &PredictArguments) -> anyhow::Result<Outcome> {
    let (kind, levels) = said(&arguments.interval)?;
    let model = FittedModel::load(&arguments.model)?;
    let asked = (!levels.is_empty()).then(|| Asked { kind: kind.unwrap_or(Kinds::default_of(&model)), levels });
    if let Some(asked) = &asked {
        check(&model, asked, &arguments.model)?;
    }
    let data = &arguments.data;
    let dataset = data.open_for(model.design.columns_needed(Scope::Design))?;
    DataArguments::refuse_overwriting(&dataset, &[("--output", arguments.output.as_ref())])?;
    let carried = carried(arguments, &dataset)?;
    let (columns, places) = columns(&model, &dataset, &carried)?;

    let mut names: Vec<(&str, Kind)> = carried.iter().map(|field| (field.name.as_str(), field.kind)).collect();
    let predicted = named(predicted_names(&model, asked.as_ref()), arguments.name.as_deref());
    refuse_twice(&names, &predicted)?;
    names.extend(predicted.iter().map(|name| (name.as_str(), Kind::Number)));
    let mut writer = match &arguments.output {
        Some(path) => TableWriter::create(path, &names)?,
        None => TableWriter::to_stream(std::io::stdout(), &names)?,
    };

    let predictors = Predictors::new(&model)?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let unit = |frames: &mut noisefit_data::read::Frames<'_>| -> Result<Vec<(Frame, Predicted)>, DataError> {
        frames
            .map(|frame| {
                let frame = frame?;
                let predicted = predict(&model, &predictors, &dataset, &frame, arguments, asked.as_ref())?;
                Ok((frame, predicted))
            })
            .collect()
    };
    let left_out = Mutex::new((0, 0));
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
            if let Ok(mut left_out) = left_out.lock() {
                left_out.0 += predicted.incomplete;
                left_out.1 += predicted.undefined;
            }
            writer.write(&table)?;
        }
        Ok(())
    })?;
    writer.finish()?;
    drop(passes);
    warn(&warnings(&model, asked.as_ref(), left_out.into_inner().unwrap_or_default()));
    Ok(Outcome::Done)
}

/// Predictions of a frame, and the ends of their intervals where asked for. NaN for incomplete rows.
struct Predicted {
    columns: Vec<Vec<f64>>,
    incomplete: usize,
    /// Rows in which a term has no value.
    undefined: usize,
}

fn predict(
    model: &FittedModel,
    predictors: &Predictors<'_>,
    dataset: &Dataset,
    frame: &Frame,
    arguments: &PredictArguments,
    asked: Option<&Asked>,
) -> Result<Predicted, DataError> {
    let options = EvaluateOptions {
        low_words: true,
        scope: Scope::Design,
        unseen: arguments.unseen.into(),
        undefined: arguments.undefined.into(),
        ..EvaluateOptions::default()
    };
    let bound = model.design.bind(frame, options).map_err(|error| locate(dataset, error))?;
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let (mut workspace, mut incomplete, mut undefined) = (Workspace::default(), 0, 0);
    for start in (0..frame.rows).step_by(BLOCK_ROWS) {
        let range = start..(start + BLOCK_ROWS).min(frame.rows);
        let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
        incomplete += rows.missing();
        undefined += rows.undefined();
        let new = NewRows { scale_design: rows.scale_design(), ..NewRows::new(rows.design(), rows.rows()) };
        let mut results = predictors.predict(&new, asked)?;
        if let (Some(Asked { kind: Kinds::Conformal, levels }), Some(conformal)) = (asked, &model.conformal) {
            for &level in levels {
                add(&mut results, conformal.intervals(&new, level))?;
            }
        }
        columns.resize_with(results.len(), || vec![f64::NAN; frame.rows]);
        for (column, results) in columns.iter_mut().zip(results) {
            for (&row, value) in rows.kept().iter().zip(results) {
                column[row] = value;
            }
        }
    }
    Ok(Predicted { columns, incomplete, undefined })
}

/// What predicts the rows of a design.
enum Predictors<'a> {
    /// One, or one for each quantile; and whether they have a modelled scale.
    Fits(Vec<Predictor>, bool),
    Network(&'a Network),
}

impl<'a> Predictors<'a> {
    fn new(model: &'a FittedModel) -> Result<Self, noisefit_core::Error> {
        Ok(match &model.network {
            Some(network) => Predictors::Network(network),
            None => {
                let predictors = model.fits.iter().map(Predictor::new).collect::<Result<Vec<_>, _>>()?;
                Predictors::Fits(predictors, model.design.layout().scale.is_some())
            }
        })
    }

    /// Predictions, the ends of their own intervals where asked for, and scales.
    fn predict(&self, rows: &NewRows<'_>, asked: Option<&Asked>) -> Result<Vec<Vec<f64>>, DataError> {
        let own = match asked {
            Some(Asked { kind: Kinds::Own(kind), levels }) => levels.iter().map(|level| (*kind, *level)).collect(),
            _ => Vec::new(),
        };
        let mut results = Vec::new();
        match self {
            Predictors::Fits(predictors, models_scale) => {
                for predictor in predictors {
                    results.push(predictor.location(rows));
                    for &(kind, level) in &own {
                        add(&mut results, predictor.intervals(rows, kind, level))?;
                    }
                    results.extend(models_scale.then(|| predictor.scale(rows)));
                }
            }
            Predictors::Network(network) => {
                let mixture = network.predict(rows);
                for curve in 0..network.curves() {
                    results.push(mixture.location(curve));
                }
                for &(_, level) in &own {
                    add(&mut results, Ok(mixture.intervals(level)))?;
                }
                results.extend(network.models_scale().then(|| mixture.scale(0)));
                if has_deviations(network) {
                    let deviations = mixture.deviations();
                    let column = |pick: fn(&Deviation) -> f64| deviations.iter().map(pick).collect::<Vec<f64>>();
                    results.extend([column(|d| d.total), column(|d| d.aleatoric), column(|d| d.epistemic)]);
                }
            }
        }
        Ok(results)
    }
}

/// Whether a prediction says where its spread comes from: of the noise, and of members that differ.
fn has_deviations(network: &Network) -> bool {
    network.members.len() > 1 && network.curves() == 1
}

/// The ends of intervals, as two columns.
fn add(columns: &mut Vec<Vec<f64>>, ends: Result<Intervals, noisefit_core::Error>) -> Result<(), DataError> {
    let Intervals { low, high } = ends.map_err(|error| DataError::Option(error.to_string()))?;
    columns.extend([low, high]);
    Ok(())
}

fn warnings(model: &FittedModel, asked: Option<&Asked>, (incomplete, undefined): (usize, usize)) -> Vec<String> {
    let mut warnings = Vec::new();
    if incomplete > 0 {
        let rows = count_of(incomplete as u64, "row");
        warnings.push(format!("{rows} with a missing value: the prediction is missing, too"));
    }
    if undefined > 0 {
        let rows = count_of(undefined as u64, "row");
        let terms = model.design.computed_terms();
        let of = if terms.is_empty() { "a term".to_owned() } else { terms.join(", ") };
        warnings.push(format!(
            "{rows} in which {of} has no finite value: the prediction is missing, too; --undefined fail names the first"
        ));
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
    if let (Some(Asked { kind: Kinds::Conformal, levels }), Some(conformal)) = (asked, &model.conformal) {
        warnings.extend(levels.iter().filter_map(|&level| conformal.too_few(level)).map(|warning| warning.to_string()));
    }
    warnings
}

/// Intervals that are asked for.
struct Asked {
    kind: Kinds,
    levels: Vec<f64>,
}

/// What an interval is of, and where it comes from.
#[derive(Clone, Copy, PartialEq)]
enum Kinds {
    /// The fit's own.
    Own(IntervalKind),
    /// A new observation, whatever the noise.
    Conformal,
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kinds::Own(IntervalKind::Prediction) => "prediction",
            Kinds::Own(IntervalKind::Confidence) => "confidence",
            Kinds::Conformal => "conformal",
        })
    }
}

impl Kinds {
    /// What is meant where no kind is said.
    fn default_of(model: &FittedModel) -> Self {
        match model.conformal {
            Some(_) => Kinds::Conformal,
            None => Kinds::Own(IntervalKind::Prediction),
        }
    }
}

/// What `--interval LEVELS [KIND]` says.
fn said(words: &[String]) -> Result<(Option<Kinds>, Vec<f64>), Usage> {
    let (mut kind, mut levels) = (None, Vec::new());
    for word in words.iter().flat_map(|word| word.split([',', ' '])).filter(|word| !word.is_empty()) {
        let named = match word {
            "prediction" => Kinds::Own(IntervalKind::Prediction),
            "confidence" => Kinds::Own(IntervalKind::Confidence),
            "conformal" => Kinds::Conformal,
            other => {
                let level = parse_level(other).map_err(|why| match other.parse::<f64>() {
                    Ok(_) => Usage(format!("--interval {other}: {why}")),
                    Err(_) => Usage(format!(
                        "--interval {other}: levels such as 0.5,0.9 are followed by prediction, conformal or confidence"
                    )),
                })?;
                if !levels.contains(&level) {
                    levels.push(level);
                }
                continue;
            }
        };
        if kind.is_some_and(|kind| kind != named) {
            return Err(Usage("--interval: a table has intervals of one kind; predict twice for two".to_owned()));
        }
        kind = Some(named);
    }
    match (kind, levels.is_empty()) {
        (Some(kind), true) => Err(Usage(format!("--interval {kind}: a level comes first, such as 0.9 {kind}"))),
        _ => Ok((kind, levels)),
    }
}

/// Refuses intervals that the model does not have.
fn check(model: &FittedModel, Asked { kind, levels: asked }: &Asked, path: &Path) -> anyhow::Result<()> {
    let levels: Vec<f64> = curves(model).into_iter().flatten().collect();
    let level = asked.first().copied().unwrap_or(0.95);
    match kind {
        Kinds::Conformal if model.conformal.is_some() => return Ok(()),
        Kinds::Conformal => {
            return Err(Usage(format!(
                "--interval {level} conformal: {} has no conformal intervals; fit it with --conformal split, cv+ or \
                 jackknife+",
                path.display()
            ))
            .into());
        }
        Kinds::Own(_) => {}
    }
    if !levels.is_empty() && *kind == Kinds::Own(IntervalKind::Prediction) {
        // In decimals, as one would write them.
        let decimal = |tau: f64| (tau * 1e9).round() / 1e9;
        let (low, high) = (decimal(0.5 * (1.0 - level)), decimal(0.5 * (1.0 + level)));
        if levels.contains(&low) && levels.contains(&high) {
            return Err(Usage(format!(
                "--interval {level} prediction: quantiles are themselves the ends of intervals for a new observation, and those of \
                 this one are the columns q{low} and q{high}; leave out --interval"
            ))
            .into());
        }
        return Err(Usage(format!(
            "--interval {level} prediction: quantiles are themselves the ends of intervals for a new observation, and the \
             model has {}; for this one fit --noise quantile:{low},{high}, or ask for --interval {level} confidence of each \
             quantile",
            list(&levels)
        ))
        .into());
    }
    if let (Kinds::Own(IntervalKind::Confidence), Some(network)) = (kind, &model.network) {
        let instead = match network.members.len() {
            1 => "train several with --ensemble 5: how far these differ is another column",
            _ => "how far its members differ is the column sd_epistemic",
        };
        return Err(Usage(format!(
            "--interval {level} confidence: what is trained by gradient steps has no standard errors; {instead}"
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

/// For each curve that is predicted its level, where it is a quantile.
fn curves(model: &FittedModel) -> Vec<Option<f64>> {
    let tau = |noise: &Noise| match noise {
        Noise::Quantile(AsymmetricLaplace { tau }) => Some(*tau),
        _ => None,
    };
    match &model.network {
        None => model.fits.iter().map(|fit| tau(&fit.noise)).collect(),
        Some(network) => network.members.iter().take(1).flat_map(|member| member.noise.iter().map(tau)).collect(),
    }
}

/// The names of what is predicted, in the order of [`predict`]: with several quantiles `q0.1`, `q0.1_conf_low`, ...; with
/// several levels `pred_low_0.5`, ...
fn predicted_names(model: &FittedModel, asked: Option<&Asked>) -> Vec<String> {
    let ends = |kind: Kinds| {
        let name = if kind == Kinds::Own(IntervalKind::Confidence) { "conf" } else { "pred" };
        let levels = asked.map_or(&[][..], |asked| &asked.levels);
        let end = move |level: &f64, end: &str| match levels {
            [_] => format!("{name}_{end}"),
            _ => format!("{name}_{end}_{level}"),
        };
        levels.iter().flat_map(move |level| [end(level, "low"), end(level, "high")]).collect::<Vec<_>>()
    };
    let (own, conformal) = match asked.map(|asked| asked.kind) {
        None => (Vec::new(), Vec::new()),
        Some(Kinds::Conformal) => (Vec::new(), ends(Kinds::Conformal)),
        Some(kind) => (ends(kind), Vec::new()),
    };
    let mut names = Vec::new();
    let curves = curves(model);
    for curve in &curves {
        let prefix = match (curve, curves.len()) {
            (Some(tau), 2..) => format!("q{tau}"),
            _ => String::new(),
        };
        match prefix.is_empty() {
            true => names.extend(std::iter::once("prediction".to_owned()).chain(own.iter().cloned())),
            false => {
                let own = own.iter().map(|end| format!("{prefix}_{end}"));
                names.extend(std::iter::once(prefix.clone()).chain(own));
            }
        }
    }
    let network = model.network.as_ref();
    let models_scale = model.design.layout().scale.is_some() || network.is_some_and(Network::models_scale);
    names.extend(models_scale.then(|| "scale".to_owned()));
    if network.is_some_and(has_deviations) {
        names.extend(["sd_total", "sd_aleatoric", "sd_epistemic"].map(str::to_owned));
    }
    names.extend(conformal);
    names
}

/// The names with the one that was asked for: instead of `prediction`, and before the others.
fn named(names: Vec<String>, name: Option<&str>) -> Vec<String> {
    let Some(own) = name else { return names };
    let renamed = |name: String| if name == "prediction" { own.to_owned() } else { format!("{own}_{name}") };
    names.into_iter().map(renamed).collect()
}

/// Refuses to write a name twice: whoever reads the table would take the wrong one of the two.
fn refuse_twice(carried: &[(&str, Kind)], predicted: &[String]) -> Result<(), Usage> {
    if let Some((place, (name, _))) =
        carried.iter().enumerate().find(|(place, (name, _))| carried[..*place].iter().any(|(other, _)| other == name))
    {
        return Err(Usage(format!("--keep: `{name}` is named twice, the second time as column {}", place + 1)));
    }
    match predicted.iter().find(|name| carried.iter().any(|(other, _)| other == name)) {
        Some(name) => Err(Usage(format!(
            "the data have a column `{name}` already, which is to be carried along; say --name NAME for another name of what is \
             predicted, or leave the old one out with --keep"
        ))),
        None => Ok(()),
    }
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
