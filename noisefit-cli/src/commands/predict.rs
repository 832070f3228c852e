//! `noisefit predict`.

use clap::Args;
use noisefit::data::formula::{Undefined, Unseen};
use noisefit::data::write::TableWriter;
use noisefit::{Back, Fitted, Interval, Keep, PredictOptions, parse};

use crate::arguments::{DataArguments, named};
use crate::files::{ModelFile, TableOutput};
use crate::outcome::{Failure, Outcome};
use crate::output::{Screen, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit predict model.json new.csv
  noisefit predict model.json new.csv --interval 0.95 prediction --keep id,date -o predictions.parquet
  noisefit predict model.json new.csv --interval 0.5,0.9
  noisefit predict log-model.json new.csv --interval 0.95 --back median
  noisefit predict model.json new.csv --quantiles 0.1,0.5,0.9 --above 50 --spread
  noisefit predict model.json new.csv --samples 100 --seed 1")]
pub(crate) struct PredictArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
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
    #[arg(long, value_parser = named::<Unseen>(), default_value_t = Unseen::Refuse)]
    pub(crate) unseen: Unseen,
    /// Rows in which a column is infinite or a term has no value, such as log(0)
    #[arg(long, value_parser = named::<Undefined>(), default_value_t = Undefined::Missing)]
    pub(crate) undefined: Undefined,
    /// The name of the prediction, and the beginning of the others' [default: prediction]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Carry predictions of a transformed response, such as log(y), back to the column itself, with their intervals: its median, or its
    /// mean by the fitted noise
    #[arg(long, value_name = "WHAT", value_parser = named::<Back>())]
    pub(crate) back: Option<Back>,
    /// Add quantiles of a new observation at these probabilities, such as 0.1,0.5,0.9: columns q0.1, ...; those of 0.05 and 0.95 are the
    /// ends of --interval 0.9 prediction
    #[arg(long, value_name = "PROBABILITIES", value_delimiter = ',', value_parser = parse::level)]
    pub(crate) quantiles: Vec<f64>,
    /// Add the logarithm of the predicted density at the response, which the data have to have then: log_density
    #[arg(long)]
    pub(crate) density: bool,
    /// Add the probability of more than these bounds, in units of the response's own column: columns above_50, ...
    #[arg(long, value_name = "BOUNDS", value_delimiter = ',', value_parser = parse::number, allow_negative_numbers = true)]
    pub(crate) above: Vec<f64>,
    /// Add the probability of no more than these bounds: columns below_50, ...
    #[arg(long, value_name = "BOUNDS", value_delimiter = ',', value_parser = parse::number, allow_negative_numbers = true)]
    pub(crate) below: Vec<f64>,
    /// Add standard deviations of a new observation: in all, of its noise, and of what is not known of its location (sd_total,
    /// sd_aleatoric, sd_epistemic)
    #[arg(long)]
    pub(crate) spread: bool,
    /// Add how far a row lies outside the data of the fit: the largest distance of a column's value from its range there, in widths of
    /// the range
    #[arg(long)]
    pub(crate) outside: bool,
    /// Add so many new observations of each row, drawn at random: columns draw_1, ...
    #[arg(long, value_name = "NUMBER", value_parser = parse::samples)]
    pub(crate) samples: Option<usize>,
    /// What they are drawn from
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "samples")]
    pub(crate) seed: u64,
    /// Write a .csv, .tsv or .parquet file instead of CSV to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<TableOutput>,
}

/// Predicts and writes a table: the columns carried along, the prediction (one for each quantile), the ends of an interval,
/// a modelled scale, and what is asked of the distribution of a new observation.
pub(crate) fn run(arguments: &PredictArguments) -> Result<Outcome, Failure> {
    let (interval, levels) = said(&arguments.interval).map_err(Failure::Usage)?;
    let keep = if arguments.keep_all { Keep::All } else { Keep::Named(arguments.keep.clone()) };
    let &PredictArguments { unseen, undefined, back, density, spread, outside, seed, .. } = arguments;
    let PredictArguments { name, quantiles, above, below, samples, .. } = arguments;
    let (quantiles, above, below) = (distinct(quantiles), distinct(above), distinct(below));
    let (name, samples) = (name.clone(), samples.unwrap_or(0));
    let options = PredictOptions {
        levels,
        interval,
        keep,
        unseen,
        undefined,
        name,
        back,
        quantiles,
        density,
        above,
        below,
        spread,
        outside,
        samples,
        seed,
    };
    let fitted = Fitted::load(&arguments.model.0)?;
    fitted.check_prediction(&options)?;
    let (table, passes) = arguments.data.open_for(fitted.columns_for(&options))?;
    let warnings = fitted.predict_into(&table, &options, |columns| match &arguments.output {
        Some(TableOutput(path)) => TableWriter::create(path, columns),
        None => TableWriter::to_stream(Screen::stdout(), columns),
    })?;
    passes.finish();
    warn(&warnings);
    Ok(Outcome::Done)
}

/// Numbers without those that are named again.
fn distinct(numbers: &[f64]) -> Vec<f64> {
    let mut distinct = Vec::new();
    numbers.iter().for_each(|number| {
        if !distinct.contains(number) {
            distinct.push(*number);
        }
    });
    distinct
}

/// What `--interval LEVELS [KIND]` says.
fn said(words: &[String]) -> Result<(Option<Interval>, Vec<f64>), String> {
    let (mut kind, mut levels) = (None, Vec::new());
    for word in words.iter().flat_map(|word| word.split([',', ' '])).filter(|word| !word.is_empty()) {
        let Ok(named) = word.parse::<Interval>() else {
            let level = parse::level(word).map_err(|why| match word.parse::<f64>() {
                Ok(_) => format!("--interval {word}: {why}"),
                Err(_) => format!(
                    "--interval {word}: levels such as 0.5,0.9 are followed by prediction, conformal or confidence"
                ),
            })?;
            if !levels.contains(&level) {
                levels.push(level);
            }
            continue;
        };
        if kind.is_some_and(|kind| kind != named) {
            return Err("--interval: a table has intervals of one kind; predict twice for two".to_owned());
        }
        kind = Some(named);
    }
    match (kind, levels.is_empty()) {
        (Some(kind), true) => Err(format!("--interval {kind}: a level comes first, such as 0.9 {kind}")),
        _ => Ok((kind, levels)),
    }
}
