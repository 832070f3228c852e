//! Keywords as a model.

use noisefit::core::record::Confint;
use noisefit::{Error, Fitting, Location, Model, NoiseChoice, Scale, Solver, Training, parse};
use pyo3::prelude::*;

use crate::errors::{raised, usage};
use crate::settings::Settings;

/// The model that keywords ask for.
pub(crate) fn model(settings: &Settings<'_, '_>, py: Python<'_>) -> PyResult<Model> {
    goes_with(settings, py)?;
    let mut model = Model::new(settings.text("formula")?.unwrap_or_default());
    set(&mut model.noise, settings.of::<NoiseChoice>("noise")?);
    model.huber_k = settings.by("huber_k", parse::positive)?;
    model.huber_scale = settings.of("huber_scale")?;
    model.scale = settings.of::<Scale>("scale")?;
    model.weights = settings.text("weights")?;
    model.frequencies = settings.text("frequency_weights")?;
    model.sampling_weights = settings.text("sampling_weights")?;
    set(&mut model.missing, settings.of("missing")?);
    set(&mut model.collinear, settings.of("collinear")?);
    set(&mut model.digits, settings.by("digits", parse::digits)?);
    set(&mut model.level, settings.by("level", parse::level)?);
    set(&mut model.vcov, settings.of("vcov")?);
    set(&mut model.small_sample, settings.of("small_sample")?);
    set(&mut model.confint, settings.of::<Confint>("confint")?);
    model.conformal = settings.of("conformal")?;
    model.calibration = settings.by("calibration", parse::calibration)?;
    model.folds = settings.size("folds", 2)?;
    set(&mut model.seed, settings.count("seed", 0)?);
    set(&mut model.one_pass, settings.flag("one_pass")?);
    set(&mut model.drop_effects, settings.flag("drop_effects")?);
    let location = settings.of::<Location>("model")?.unwrap_or_default();
    let fitting = Fitting::of(location, settings.of::<Solver>("solver")?, training(settings)?);
    model.fitting = fitting.map_err(|refusal| raised(py, &Error::from(refusal)))?;
    Ok(model)
}

/// How something is trained.
fn training(settings: &Settings<'_, '_>) -> PyResult<Training> {
    let units = |text: &str| match text.parse::<u32>() {
        Ok(units @ 1..) => Ok(units as usize),
        _ => Err("units of hidden layers are whole numbers of 1 or more, such as (64, 32)".to_owned()),
    };
    let list = |text: &str| text.split(',').map(|part| units(part.trim())).collect::<Result<Vec<_>, _>>();
    let embeddings = |text: &str| text.split(',').map(parse::embedding).collect::<Result<Vec<_>, _>>();
    Ok(Training {
        plan: settings.of("plan")?.unwrap_or_default(),
        encoding: settings.of("encoding")?,
        scale_lr: settings.by("scale_lr", parse::rate)?,
        calibrate: settings.of("calibrate")?,
        hidden: settings.by("hidden", list)?.unwrap_or_default(),
        activation: settings.of("activation")?,
        embeddings: settings.by("embedding", embeddings)?.unwrap_or_default(),
        optimizer: settings.of("optimizer")?,
        lr: settings.by("lr", parse::rate)?,
        momentum: settings.by("momentum", parse::share_below_one)?,
        nesterov: settings.flag("nesterov")?.unwrap_or(false),
        schedule: settings.by("schedule", parse::schedule)?,
        warm_up: settings.count("warm_up", 0)?,
        batch: settings.by("batch", parse::batch)?,
        epochs: settings.count("epochs", 1)?,
        common_scale: settings.count("common_scale", 0)?,
        shuffle: settings.flag("shuffle")?,
        decay: settings.by("decay", parse::not_negative)?,
        dropout: settings.by("dropout", parse::share_below_one)?,
        clip: settings.by("clip", parse::positive)?,
        validation: settings.by("validation", parse::validation)?,
        patience: settings.count("patience", 1)?,
        ensemble: settings.size("ensemble", 1)?,
        shuffle_buffer: settings.size("shuffle_buffer", 1)?,
        trace: settings.path("trace")?,
        trace_steps: settings.flag("trace_steps")?.unwrap_or(false),
        checkpoint: settings.path("checkpoint")?,
        every: settings.count("every", 1)?,
        resume: settings.flag("resume")?.unwrap_or(false),
        tune: settings.size("tune", 2)?,
    })
}

/// Refuses keywords that say something of others which are not there.
fn goes_with(settings: &Settings<'_, '_>, py: Python<'_>) -> PyResult<()> {
    let pairs = [
        ("calibration", "conformal"),
        ("folds", "conformal"),
        ("nesterov", "momentum"),
        ("trace_steps", "trace"),
        ("every", "checkpoint"),
        ("resume", "checkpoint"),
    ];
    for (name, other) in pairs {
        let given = settings.value(name)?.is_some_and(|value| value.is_truthy().unwrap_or(true));
        if given && settings.value(other)?.is_none() {
            return Err(usage(py, &format!("{name} goes with {other} alone, which is not given")));
        }
    }
    Ok(())
}

/// What is given in the place of a default.
pub(crate) fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}
