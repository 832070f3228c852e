//! How often confidence intervals hold the true slope, and prediction intervals a new observation.

use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::noise::{Noise, Noises, StudentT};
use noisefit_core::rows::{Design, Values};
use noisefit_core::{Error, inference};

use crate::data::{COEFFICIENTS, Sample, Truth, replicate};
use crate::random::Random;

/// The numbers of rows.
const SIZES: [usize; 5] = [15, 30, 50, 200, 2000];

/// New observations a replication.
const NEW: usize = 20;

/// A model that is fitted to every sample.
struct Model {
    name: &'static str,
    choice: Noises,
    vcov: Vcov,
    modelled: bool,
}

impl Model {
    fn new(name: &'static str, choice: Noises) -> Self {
        Model { name, choice, vcov: Vcov::Default, modelled: false }
    }
}

fn models() -> Result<Vec<Model>, Box<dyn std::error::Error>> {
    Ok(vec![
        Model::new("gaussian", Noises::from(Noise::Gaussian)),
        Model { vcov: "hc3".parse()?, ..Model::new("gaussian, hc3", Noises::from(Noise::Gaussian)) },
        Model::new("laplace", Noises::from(Noise::Laplace)),
        Model::new("student-t", Noises::from(Noise::StudentT(StudentT::FREE))),
        Model::new("logistic", Noises::from(Noise::Logistic)),
        Model::new("huber", "huber".parse()?),
        Model { modelled: true, ..Model::new("gaussian, scale ~ x1 + x2", Noises::from(Noise::Gaussian)) },
    ])
}

/// What one fit of one sample covered: the true slope of x1, and the share of new observations; none where it failed.
type Covered = Option<(bool, f64)>;

fn covered(model: &Model, sample: &Sample, new: &Sample) -> Result<(bool, f64), Error> {
    let options = Options { vcov: model.vcov.clone(), ..Options::default() };
    let fits = inference::fit(&sample.rows(model.modelled)?, &model.choice, &options)?;
    let fit = fits.first().ok_or(Error::NoRows)?;
    let slope = &fit.location.rows[1];
    let holds = slope.conf_low.unwrap_or(f64::NEG_INFINITY) <= COEFFICIENTS[1]
        && COEFFICIENTS[1] <= slope.conf_high.unwrap_or(f64::INFINITY);
    let columns: Vec<Vec<f64>> = (0..2).map(|j| new.x.iter().skip(j).step_by(2).copied().collect()).collect();
    let design: Vec<Values<'_>> = columns.iter().map(|column| column.as_slice().into()).collect();
    let rows = NewRows {
        scale_design: if model.modelled { (&design).into() } else { Design::default() },
        ..NewRows::new(&design, new.y.len())
    };
    let ends = Predictor::new(fit)?.intervals(&rows, IntervalKind::Prediction, 0.9)?;
    let inside = new.y.iter().zip(ends.low.iter().zip(&ends.high)).filter(|(y, (low, high))| *low <= *y && *y <= *high);
    Ok((holds, inside.count() as f64 / new.y.len() as f64))
}

/// Prints the tables.
pub fn print(replications: u64) -> Result<(), Error> {
    let models = models().map_err(|error| Error::Unsupported(error.to_string()))?;
    let mut tables = [String::new(), String::new()];
    for (place, (name, truth)) in Truth::all().into_iter().enumerate() {
        for n in SIZES {
            let results: Vec<Vec<Covered>> = replicate(replications, |i| {
                let mut random = Random::new((place * 10_000 + n) as u64, i);
                let (sample, new) = (Sample::draw(truth, n, &mut random), Sample::draw(truth, NEW, &mut random));
                models.iter().map(|model| covered(model, &sample, &new).ok()).collect()
            });
            for (which, table) in tables.iter_mut().enumerate() {
                table.push_str(&format!("| {name} | {n} |"));
                for model in 0..models.len() {
                    let values: Vec<f64> = results
                        .iter()
                        .filter_map(|row| row[model])
                        .map(|(holds, inside)| match which {
                            0 => f64::from(u8::from(holds)),
                            _ => inside,
                        })
                        .collect();
                    let failed = results.len() - values.len();
                    let mean = 100.0 * values.iter().sum::<f64>() / values.len() as f64;
                    table.push_str(&format!(" {mean:.1}"));
                    if failed > 0 {
                        table.push_str(&format!(" ({failed} failed)"));
                    }
                    table.push_str(" |");
                }
                table.push('\n');
            }
            eprintln!("{name}, n = {n}");
        }
    }
    let heading = |title: &str| {
        let names: Vec<&str> = models.iter().map(|model| model.name).collect();
        println!("## {title}\n\n| noise | n | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(names.len()));
    };
    heading("95% confidence intervals of the slope of x1: percent that hold it");
    println!("{}", tables[0]);
    heading("90% prediction intervals: percent of new observations in them");
    println!("{}", tables[1]);
    Ok(())
}
