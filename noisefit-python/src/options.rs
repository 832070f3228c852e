//! Keywords as options of comparisons, diagnoses and profiles, and what these find.

use noisefit::core::compare::Candidates;
use noisefit::core::inference::hypothesis::{Adjust, DrawWeights, Wild};
use noisefit::{
    At, Change, CompareOptions, DiagnoseOptions, EffectsOptions, ProfileOptions, Quantity, Read, Slope, TestMethod,
    TestOptions, Together, Units, Varied, parse,
};
use pyo3::prelude::*;

use crate::errors::{Keywords, usage};
use crate::found::{Found, with_unwritten};
use crate::model::set;
use crate::settings::Settings;
use crate::shown::Source;

pub(crate) fn compare_options(settings: &Settings<'_, '_>) -> PyResult<CompareOptions> {
    let mut options = CompareOptions { noise: settings.of::<Candidates>("noise")?, ..CompareOptions::default() };
    set(&mut options.folds, settings.by("folds", parse::folds)?);
    options.together = match (settings.text("folds_by")?, settings.text("folds_time")?) {
        (Some(_), Some(_)) => return Err(settings.usage("folds_by and folds_time: parts are made by one of them")),
        (by, time) => by.map(Together::By).or(time.map(Together::Time)),
    };
    Ok(options)
}

pub(crate) fn diagnose_options(settings: &Settings<'_, '_>) -> PyResult<DiagnoseOptions> {
    let mut options = DiagnoseOptions { rows: settings.path("rows")?, ..DiagnoseOptions::default() };
    set(&mut options.worst, settings.size("worst", 0)?);
    set(&mut options.dfbetas, settings.flag("dfbetas")?);
    options.lags = settings.size("lags", 1)?;
    Ok(options)
}

pub(crate) fn test_options(settings: &Settings<'_, '_>) -> PyResult<TestOptions> {
    let mut options = TestOptions { functions: settings.texts("eval")?, ..TestOptions::default() };
    options.method = match (settings.flag("lr")?, settings.flag("wild")?) {
        _ if settings.flag("across")? == Some(true) => TestMethod::AcrossQuantiles,
        (_, Some(true)) => TestMethod::WildCluster {
            cluster: settings.text("cluster")?,
            draws: settings.size("draws", 99)?.unwrap_or(Wild::DRAWS),
            weights: settings.of::<DrawWeights>("draw_weights")?.unwrap_or_default(),
        },
        (Some(true), _) => TestMethod::LikelihoodRatio,
        _ => TestMethod::Wald,
    };
    set(&mut options.adjust, settings.of::<Adjust>("adjust")?);
    options.level = settings.by("level", parse::level)?;
    set(&mut options.seed, settings.count("seed", 0)?);
    Ok(options)
}

pub(crate) fn effects_options(settings: &Settings<'_, '_>) -> PyResult<EffectsOptions> {
    let mut options = EffectsOptions {
        units: settings.of::<Units>("units")?,
        by: settings.names("by")?,
        ..EffectsOptions::default()
    };
    set(&mut options.quantity, settings.of::<Quantity>("of")?);
    set(&mut options.slope, settings.of::<Slope>("slope")?);
    set(&mut options.pairwise, settings.flag("pairwise")?);
    set(&mut options.unseen, settings.of("unseen")?);
    options.change = settings.of::<Change>("change")?;
    options.level = settings.by("level", parse::level)?;
    let varied = |text: &str| text.split(',').map(|part| part.trim().parse::<Varied>()).collect::<Result<Vec<_>, _>>();
    options.variables = settings.by("variables", varied)?.unwrap_or_default();
    // One text a column: x=1,2 has commas of its own.
    for text in settings.texts("at")? {
        options.at.push(text.parse::<At>().map_err(|why| usage(settings.0.py(), &format!("at: {why}")))?);
    }
    Ok(options)
}

pub(crate) fn profile_options(settings: &Settings<'_, '_>) -> PyResult<ProfileOptions> {
    let range = |text: &str| {
        let ends: Option<Vec<f64>> = text.split(',').map(|end| end.trim().parse().ok()).collect();
        match ends.as_deref() {
            Some(&[low, high]) if low < high && (high - low).is_finite() => Ok((low, high)),
            _ => Err("a range is two numbers in ascending order, such as (-1, 2.5)".to_owned()),
        }
    };
    let mut options = ProfileOptions::of(settings.text("term")?.unwrap_or_default());
    let points = settings.by("points", |text| match text.parse::<u32>() {
        Ok(points @ 2..=1_000_000) => Ok(points),
        _ => Err("a whole number between 2 and 1000000 is needed".to_owned()),
    })?;
    set(&mut options.points, points);
    options.range = settings.by("range", range)?;
    set(&mut options.reoptimised, settings.flag("profile")?);
    Ok(options)
}

pub(crate) fn of_comparison(
    py: Python<'_>,
    compared: noisefit::Compared,
    settings: &Settings<'_, '_>,
) -> PyResult<Found> {
    let next = compared.preferred().map(|preferred| {
        let scale = if preferred.models_scale { compared.scale_formula().map(ToString::to_string) } else { None };
        let scale = scale.map_or_else(String::new, |scale| format!(", scale=\"~ {scale}\""));
        format!("nf.fit(..., noise=\"{}\"{scale})", preferred.noise)
    });
    let times = settings.flag("times")?.unwrap_or(false);
    let record = compared.record(next.as_deref(), times, &Keywords);
    let summary = compared.summary(next.as_deref(), times, &Keywords);
    let found = Found::new(py, summary, &record, &compared.warnings())?;
    drop(record);
    let preferred = compared.preferred().map(ToString::to_string);
    let found = found.with_advice(preferred.into_iter().collect());
    Ok(found.shown_by(Source::Compared(Box::new(compared), next)))
}

pub(crate) fn of_diagnosis(py: Python<'_>, diagnosed: noisefit::Diagnosed) -> PyResult<Found> {
    let warnings = with_unwritten(diagnosed.warnings(), diagnosed.written());
    let found = Found::new(py, diagnosed.summary_in(&Keywords), &diagnosed.record(&Keywords), &warnings)?;
    let advice = diagnosed.advice().iter().map(|sentence| sentence.worded(&Keywords)).collect();
    Ok(found.with_advice(advice).shown_by(Source::Diagnosed(Box::new(diagnosed))))
}

pub(crate) fn of_profile(py: Python<'_>, profiled: noisefit::Profiled, read: Vec<Read>) -> PyResult<Found> {
    let found = Found::new(py, profiled.summary(), &profiled.record(&Keywords), &profiled.warnings())?;
    Ok(found.shown_by(Source::Profiled(Box::new(profiled), read)))
}
