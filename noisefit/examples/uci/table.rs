//! The tables of docs/uci.md.

use std::error::Error;
use std::path::Path;

use serde_json::Value;

use crate::data::NAMES;
use crate::score::{Score, mean_and_error};

/// Prints ours beside the linear baseline and what was published, which the folder has in two files.
pub fn print(folder: &Path, scores: &[Vec<Score>]) -> Result<(), Box<dyn Error>> {
    let read = |file: &str| -> Result<Value, Box<dyn Error>> {
        let path = folder.join(file);
        let text =
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    };
    let (published, linear) = (read("published_results.json")?, read("ols_baseline.json")?);
    let ours = |of: fn(&Score) -> f64| -> Vec<_> {
        let pair = |scores: &Vec<Score>| mean_and_error(&scores.iter().map(of).collect::<Vec<_>>());
        scores.iter().map(pair).collect()
    };
    for (title, key, linear_key, found) in [
        ("negative log-likelihood", "nll", "nll_ml", ours(|score| score.nll)),
        ("root mean squared error", "rmse", "rmse", ours(|score| score.rmse)),
    ] {
        header(title);
        row("**noisefit, ensemble of 5**", &found, 3);
        let baseline = |name: &&str| {
            let of = |what: &str| linear["datasets"][*name][what][linear_key].as_f64().unwrap_or(f64::NAN);
            (of("mean"), of("standard_error_of_mean"))
        };
        row("linear, gaussian noise", &NAMES.iter().map(baseline).collect::<Vec<_>>(), 2);
        row("MC dropout, rerun", &NAMES.map(|name| pair(&published["mc_dropout_rerun"][key][name])), 2);
        let table = &published["survey_table"][key];
        let methods = table[NAMES[0]].as_object().into_iter().flatten().map(|(method, _)| method);
        let mut best = [f64::INFINITY; NAMES.len()];
        for method in methods {
            let entries = NAMES.map(|name| pair(&table[name][method]));
            row(method, &entries, 2);
            best.iter_mut().zip(entries).for_each(|(best, (value, _))| *best = best.min(value));
        }
        let gain: Vec<_> = best.iter().zip(&found).map(|(best, (own, error))| (best - own, *error)).collect();
        row("*best of these, less ours*", &gain, 3);
        println!();
    }
    header("more of ours");
    row("90% intervals: percent covered", &ours(|score| 100.0 * score.coverage), 1);
    row("test rows with the inputs of a training row: percent", &ours(|score| 100.0 * score.known), 1);
    row("negative log-likelihood of the other test rows", &ours(|score| score.nll_new), 3);
    Ok(())
}

fn header(title: &str) {
    println!("| {title} | {} |", NAMES.join(" | "));
    println!("|---{}|", "|---".repeat(NAMES.len()));
}

fn row(name: &str, entries: &[(f64, f64)], digits: usize) {
    let cells = entries.iter().map(|(value, error)| format!("{value:.digits$} ± {error:.digits$}"));
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

/// A published figure and its plus-minus.
fn pair(entry: &Value) -> (f64, f64) {
    let of = |k: usize| entry[k].as_f64().unwrap_or(f64::NAN);
    (of(0), of(1))
}
