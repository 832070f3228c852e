//! `noisefit test`.

use clap::Args;
use noisefit::core::inference::hypothesis::{Adjust, DrawWeights, Wild};
use noisefit::data::formula::Scope;
use noisefit::{Fitted, TestMethod, TestOptions, parse};

use crate::arguments::{ReadingArguments, named};
use crate::files::{Data, ModelFile};
use crate::outcome::{Failure, Outcome};
use crate::output::{TableFormat, print_table};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit test model.json 'x1 = x2' 'income = 0.5' city 'poly(x, 2)'
  noisefit test model.json 'x1 = 0, x2 = 0' --lr --data data.csv
  noisefit test model.json treated --wild --data data.csv --cluster state
  noisefit test quantiles.json income --across --data data.csv
  noisefit test model.json --eval 'x1/x2' --eval '-poly(x, 2, raw)[1]/(2*poly(x, 2, raw)[2])'
  noisefit test model.json 'city[b]' 'city[c]' 'city[b] = city[c]' --adjust max-t")]
pub(crate) struct TestArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
    /// Hypotheses, each a test: equations of coefficients ('x1 = x2', '2*x1 + x2 = 1'), the name of a term (all its coefficients
    /// are zero), . (all but the intercept), or several with commas between (all at once) [default: each term]
    #[arg(value_name = "HYPOTHESIS")]
    pub(crate) hypotheses: Vec<String>,
    /// A function of the coefficients, with its standard error by the delta method: 'x1/x2', 'exp(income) = 2'
    #[arg(long, value_name = "FUNCTION", allow_hyphen_values = true)]
    pub(crate) eval: Vec<String>,
    /// Test by likelihood ratio, fitting the model again under each hypothesis to --data, in place of Wald's statistic
    #[arg(long, requires = "data", conflicts_with = "eval")]
    pub(crate) lr: bool,
    /// Test by the wild cluster bootstrap of least squares, for few clusters, with intervals of what is not rejected; needs --data
    #[arg(long, requires = "data", conflicts_with_all = ["eval", "lr"])]
    pub(crate) wild: bool,
    /// Test that coefficients are the same at all quantiles of the model, by Wald's statistic of their changes; needs --data
    #[arg(long, requires = "data", conflicts_with_all = ["eval", "lr", "wild"])]
    pub(crate) across: bool,
    /// The data that the model was fitted to, for --lr, --wild and --across
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Vec<Data>,
    /// The column that says which rows belong together, for --wild [default: that of the model's --vcov]
    #[arg(long, value_name = "COLUMN", requires = "wild")]
    pub(crate) cluster: Option<String>,
    /// The number of draws of --wild; where there are no more combinations of signs, each is taken once
    #[arg(long, value_name = "NUMBER", default_value_t = Wild::DRAWS, requires = "wild")]
    #[arg(value_parser = parse_draws)]
    pub(crate) draws: usize,
    /// What the residuals of a cluster are multiplied by in a draw of --wild
    #[arg(long, value_name = "WEIGHTS", value_parser = named::<DrawWeights>(), default_value_t = DrawWeights::Rademacher)]
    #[arg(requires = "wild")]
    pub(crate) draw_weights: DrawWeights,
    /// How p-values allow for several tests at once, and intervals where they can
    #[arg(long, value_name = "HOW", value_parser = named::<Adjust>(), default_value_t = Adjust::None)]
    pub(crate) adjust: Adjust,
    /// The level of the intervals [default: that of the fit]
    #[arg(long, value_name = "LEVEL", value_parser = parse::level)]
    pub(crate) level: Option<f64>,
    /// What is drawn at random, by --wild and max-t, is drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

fn parse_draws(text: &str) -> Result<usize, String> {
    let draws = text.parse().ok().filter(|draws| (99..=10_000_000).contains(draws));
    draws.ok_or_else(|| "the number of draws is a whole number from 99 to 10000000".to_owned())
}

/// Tests and prints.
pub(crate) fn run(arguments: &TestArguments) -> Result<Outcome, Failure> {
    let TestArguments { hypotheses, eval, lr, wild, across, data, adjust, level, seed, format, reading, .. } =
        arguments;
    if !data.is_empty() && !*lr && !*wild && !*across {
        return Err(Failure::Usage(
            "--data is for --lr, --wild and --across, which read the rows again; Wald tests need the model alone"
                .to_owned(),
        ));
    }
    let fitted = Fitted::load(&arguments.model.0)?;
    let options = TestOptions {
        functions: eval.clone(),
        method: match (lr, wild) {
            _ if *across => TestMethod::AcrossQuantiles,
            (true, _) => TestMethod::LikelihoodRatio,
            (_, true) => TestMethod::WildCluster {
                cluster: arguments.cluster.clone(),
                draws: arguments.draws,
                weights: arguments.draw_weights,
            },
            _ => TestMethod::Wald,
        },
        adjust: *adjust,
        level: *level,
        seed: *seed,
    };
    let opened = match *lr || *wild || *across {
        true => Some(reading.open(data, fitted.model().design.columns_needed(Scope::All))?),
        false => None,
    };
    let tested = fitted.test(hypotheses, opened.as_ref().map(|(table, _)| table), &options)?;
    if let Some((_, passes)) = &opened {
        passes.finish();
    }
    print_table(*format, || tested.summary(), || tested.record(), || Ok(tested.tidy()))?;
    Ok(Outcome::Done)
}
