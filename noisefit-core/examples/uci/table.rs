//! The tables of docs/uci.md.

use std::error::Error;
use std::path::Path;

use serde_json::Value;

use crate::Scores;
use crate::data::NAMES;
use crate::score::{Score, mean_and_error};

/// Prints ours beside what was published, which the folder has in a file.
pub fn print(folder: &Path, scores: &[Vec<Scores>]) -> Result<(), Box<dyn Error>> {
    let path = folder.join("published_results.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let published: Value = serde_json::from_str(&text)?;
    for (title, key, of) in [
        ("negative log-likelihood", "nll", (|score| score.nll) as fn(&Score) -> f64),
        ("root mean squared error", "rmse", |score| score.rmse),
    ] {
        header(title);
        let found = networks(scores, of);
        row("**noisefit, ensemble of 5**", &found, 3);
        row("linear, gaussian noise", &linear(scores, of), 3);
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
    header("90% intervals: percent covered");
    row("noisefit, ensemble of 5", &networks(scores, |score| 100.0 * score.coverage), 1);
    row("linear, gaussian noise", &linear(scores, |score| 100.0 * score.coverage), 1);
    println!();
    header("test rows with inputs that no training row has");
    row("percent", &networks(scores, |score| 100.0 * (1.0 - score.known)), 1);
    row("negative log-likelihood, noisefit, ensemble of 5", &networks(scores, |score| score.nll_new), 3);
    row("negative log-likelihood, linear, gaussian noise", &linear(scores, |score| score.nll_new), 3);
    Ok(())
}

/// Of every set the mean over the splits, and its standard error, of what the networks score.
fn networks(scores: &[Vec<Scores>], of: fn(&Score) -> f64) -> Vec<(f64, f64)> {
    let pair = |set: &Vec<Scores>| mean_and_error(&set.iter().map(|both| of(&both.networks)).collect::<Vec<_>>());
    scores.iter().map(pair).collect()
}

/// The same of the linear model.
fn linear(scores: &[Vec<Scores>], of: fn(&Score) -> f64) -> Vec<(f64, f64)> {
    let pair = |set: &Vec<Scores>| mean_and_error(&set.iter().map(|both| of(&both.linear)).collect::<Vec<_>>());
    scores.iter().map(pair).collect()
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
