//! Everything that runs passes over rows, by name: each family's fit with each covariance, profiles, diagnoses, conformal
//! intervals, comparisons and networks. What two sources of the same rows make of it must be the same to the bit.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::compare::{Candidate, compare};
use noisefit_core::inference::conformal::Scheme;
use noisefit_core::inference::covariance::{COVARIANCES, Vcov};
use noisefit_core::inference::diagnostics::{Diagnosis, Serial};
use noisefit_core::inference::evaluate::Evaluation;
use noisefit_core::inference::outside::outside;
use noisefit_core::inference::sketch::Sketch;
use noisefit_core::inference::{Options, conformal, profile};
use noisefit_core::loss::report::{ReportOptions, ReportPass};
use noisefit_core::network::Plan;
use noisefit_core::noise::{FAMILIES, Huber, HuberScale, Noise, Noises};
use noisefit_core::record::Fit;
use noisefit_core::rows::{RowSource, RowSourceExt, Subset};
use noisefit_core::{Error, estimate, inference, training};

/// What something came to, in words that tell any two doubles apart; or the error that it ended with.
pub type Outcome = Result<String, String>;

/// Every family, and each way of estimating its parameters.
pub fn families() -> Vec<Noises> {
    let example = |usage: &&str| match *usage {
        "quantile:TAU[,TAU...]" => "quantile:0.25,0.75".to_owned(),
        usage => usage.replace("DELTA", "0.8").replace("DF", "6"),
    };
    let named = FAMILIES.iter().flat_map(|family| family.description.usage);
    let named = named.map(|usage| example(usage).parse().expect(usage));
    let scales = [HuberScale::Mad { constant: 0.67 }, HuberScale::Proposal2];
    named.chain(scales.map(|scale| Noise::Huber(Huber { scale, ..Huber::new(Huber::K) }).into())).collect()
}

/// Every covariance, of rows with the groupings `g` and `h`.
pub fn covariances() -> Vec<Vcov> {
    let examples = |usage: &str| match usage {
        "bootstrap[:wild|:cluster:COLUMN][:DRAWS]" => {
            ["bootstrap:8", "bootstrap:wild:8", "bootstrap:cluster:g:8"].map(str::to_owned).to_vec()
        }
        usage => {
            let example = |columns: &str| usage.replace("COLUMN[,COLUMN]", columns).replace("LAGS", "2");
            let mut examples = vec![example("g").replace("COLUMN", "g"), example("g,h").replace("COLUMN", "g")];
            examples.dedup();
            examples
        }
    };
    let named = COVARIANCES.iter().flat_map(|covariance| examples(covariance.usage));
    named.map(|name| name.parse().expect(&name)).collect()
}

/// Runs all of it. Rows with a modelled scale have it in their layout.
pub fn everything(rows: &dyn RowSource) -> Vec<(String, Outcome)> {
    let mut found = Vec::new();
    let mut tell = |name: String, outcome: Result<String, Error>| {
        found.push((name, outcome.map_err(|error| error.to_string())));
    };
    let options = Options::default();
    // Of a modelled scale many fits again take long, and are of the same passes.
    let quick = |noise: &[Noise]| rows.layout().scale.is_none() || noise == [Noise::Gaussian];
    for noise in families() {
        for vcov in covariances() {
            let options = Options { vcov: vcov.clone(), ..options.clone() };
            tell(format!("{noise}, {vcov}"), inference::fit(rows, &noise, &options).map(shown));
        }
        let fits = inference::fit(rows, &noise, &options);
        for fit in fits.into_iter().flatten() {
            tell(format!("{noise}, profile"), profiled(rows, &fit, quick(&noise)));
            tell(format!("{noise}, diagnosis"), diagnosed(rows, &fit));
            tell(format!("{noise}, outside"), outside(rows, &fit, [0.0, 1.0]).map(shown));
            let evaluations = [0.5, 0.9].map(|level| Evaluation::new(&fit, level).unwrap()).to_vec();
            let scores = rows.pass(evaluations).map(|scores| scores.iter().map(Evaluation::finish).collect::<Vec<_>>());
            tell(format!("{noise}, evaluation"), scores.map(shown));
        }
        let methods = [Scheme::Split, Scheme::CvPlus, Scheme::JackknifePlus];
        for method in methods.into_iter().filter(|method| *method != Scheme::JackknifePlus || quick(&noise)) {
            let plan = conformal::Plan { method, folds: 3, ..conformal::Plan::default() };
            tell(format!("{noise}, {method}"), conformal::fit(rows, &noise, &options, &plan).map(shown));
        }
        for (modelled, memory) in [(false, 1 << 20), (false, 0), (true, 1 << 20)] {
            tell(format!("{noise}, network {modelled} {memory}"), trained(rows, &noise, modelled, memory));
        }
    }
    let candidates = Candidate::all(rows.layout().scale.is_some());
    let comparison = compare(rows, &candidates, &Default::default()).map(|mut comparison| {
        // How long a fit took is no result.
        comparison.models.iter_mut().for_each(|entry| entry.seconds = None);
        shown(comparison)
    });
    tell("comparison".to_owned(), comparison);
    let first = Subset::of(rows, vec![0]);
    let report = ReportPass::new(ReportOptions::default(), first.layout()).and_then(|pass| first.pass(pass)?.report());
    tell("loss report".to_owned(), report.map(shown));
    found
}

fn shown(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

fn profiled(rows: &dyn RowSource, fit: &Fit, intervals: bool) -> Result<String, Error> {
    let (options, mut fit) = (estimate::Options::default(), fit.clone());
    let term = fit.location.rows[1].term.clone();
    let curves = [false, true].map(|again| profile::curve(rows, &fit, &term, &[0.5, 1.0], again, &options));
    if intervals {
        profile::intervals(rows, &mut fit, &options)?;
    }
    Ok(shown((curves, fit)))
}

fn diagnosed(rows: &dyn RowSource, fit: &Fit) -> Result<String, Error> {
    let diagnosis = Diagnosis::new(rows, fit, &estimate::Options::default())?;
    let sketched = rows.pass(Sketch::of_fit(diagnosis.clone(), 8, 1))?.finish();
    let mut fit = fit.clone();
    inference::goodness(rows, &mut fit)?;
    let more = (diagnosis.groupings(rows)?, Serial::of(rows, &diagnosis, 2), fit.goodness);
    Ok(shown((diagnosis.run(rows, 3)?, sketched, more)))
}

fn trained(rows: &dyn RowSource, noise: &[Noise], models_scale: bool, memory: u64) -> Result<String, Error> {
    let mut plan = Plan { hidden: vec![3], models_scale, memory, ..Plan::default() };
    plan.training.epochs = 2;
    let conformal = conformal::Plan::default();
    training::fit_conformal(rows, noise, &plan, &conformal, None, &()).map(shown).or_else(|error| match error {
        Error::Unsupported(_) => training::fit(rows, noise, &plan, None, &()).map(shown),
        error => Err(error),
    })
}

/// Asserts that two sources made the same of everything, and that enough of it worked to say so.
pub fn assert_same(ordinary: &[(String, Outcome)], other: &[(String, Outcome)]) {
    for (expected, found) in ordinary.iter().zip(other) {
        assert_eq!(found, expected);
    }
    assert_eq!(ordinary.len(), other.len());
    let worked = ordinary.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    assert!(worked * 3 > ordinary.len(), "only {worked} of {}", ordinary.len());
}
