//! What is done with a model and a table.

use noisefit::core::compare::kinds::Contestants;
use noisefit::data::formula::{Expression, Formula};
use noisefit::data::frame::Kind;
use noisefit::{Error, GroupTable, GroupValues, LossOptions, Model, Refusal, parse};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Keywords, raised};
use crate::fitted::Fitted;
use crate::found::Found;
use crate::model::{model, set};
use crate::numbers::array;
use crate::options::{compare_options, diagnose_options, of_comparison, of_diagnosis, of_profile, profile_options};
use crate::settings::Settings;
use crate::table::{Table, watched};
use crate::work::apart;

/// Does something with a model and a table.
fn worked<T: Send>(
    py: Python<'_>,
    table: &Table,
    model: &Model,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Model, &noisefit::Table) -> Result<T, Error> + Send,
) -> PyResult<T> {
    model.check().map_err(|error| raised(py, &error))?;
    apart(py, progress, |watch| work(model, &watched(&table.inner, watch)))
}

/// Fits a model.
#[pyfunction]
pub(crate) fn fit(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Fitted> {
    let model = model(&Settings(settings), py)?;
    Ok(Fitted { inner: worked(py, table, &model, progress, Model::fit)? })
}

/// Names of columns with their values: texts, or numbers.
type Long<'py> = Vec<(String, Bound<'py, PyAny>)>;

/// Fits each group of rows; the long table, and how many groups there are, have no fit, and did not converge.
#[pyfunction]
pub(crate) fn fit_by<'py>(
    py: Python<'py>,
    table: &Table,
    settings: &Bound<'py, PyDict>,
    glance: bool,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Long<'py>, (u64, u64, u64))> {
    let settings = &Settings(settings);
    let (model, by) = (model(settings, py)?, settings.names("by")?);
    let names: Vec<&str> = by.iter().map(String::as_str).collect();
    model.check_by(&names).map_err(|error| raised(py, &error))?;
    let (rows, done) = worked(py, table, &model, progress, |model, table| {
        let mut rows = GroupTable::new(table, &names, glance)?;
        let done = model.fit_by(table, &names, glance, |group| {
            rows.push(&group, &Keywords);
            Ok(())
        })?;
        Ok((rows, done))
    })?;
    Ok((long(py, &rows)?, (done.groups, done.failed, done.not_converged)))
}

/// Sets noise models side by side in each group of rows; the long table, and how many groups there are, have none, and did not converge.
#[pyfunction]
pub(crate) fn compare_by<'py>(
    py: Python<'py>,
    table: &Table,
    settings: &Bound<'py, PyDict>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Long<'py>, (u64, u64, u64))> {
    let settings = &Settings(settings);
    let (model, options, by) = (without_noise(settings, py)?, compare_options(settings)?, settings.names("by")?);
    let names: Vec<&str> = by.iter().map(String::as_str).collect();
    model.check_by(&names).map_err(|error| raised(py, &error))?;
    let (rows, done) = worked(py, table, &model, progress, |model, table| {
        let mut rows = GroupTable::of_models(table, &names)?;
        let done = model.compare_by(table, &names, &options, |group| {
            rows.push_compared(&group, &Keywords);
            Ok(())
        })?;
        Ok((rows, done))
    })?;
    Ok((long(py, &rows)?, (done.groups, done.failed, done.not_converged)))
}

/// The columns of a long table.
fn long<'py>(py: Python<'py>, rows: &GroupTable) -> PyResult<Long<'py>> {
    let mut columns = Vec::new();
    for ((name, kind), values) in rows.columns().into_iter().zip(rows.values()) {
        let column = match values {
            GroupValues::Texts(texts) => texts.clone().into_pyobject(py)?.into_any(),
            GroupValues::Numbers(high, low) if matches!(kind, Kind::Date | Kind::Timestamp) => {
                let texts = high
                    .iter()
                    .zip(low)
                    .map(|(high, low)| (!high.is_nan()).then(|| noisefit::data::read::shown_value(kind, *high, *low)));
                texts.collect::<Vec<_>>().into_pyobject(py)?.into_any()
            }
            GroupValues::Numbers(high, _) => array(py, high.clone()).into_any(),
        };
        columns.push((name.to_owned(), column));
    }
    Ok(columns)
}

/// Sets noise models side by side.
#[pyfunction]
pub(crate) fn compare(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let settings = &Settings(settings);
    let (model, options) = (without_noise(settings, py)?, compare_options(settings)?);
    let compared = worked(py, table, &model, progress, |model, table| model.compare(table, &options))?;
    of_comparison(py, compared, settings)
}

/// Fits a model and looks at the fit.
#[pyfunction]
pub(crate) fn diagnose(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let settings = &Settings(settings);
    let (model, options) = (model(settings, py)?, diagnose_options(settings)?);
    of_diagnosis(py, worked(py, table, &model, progress, |model, table| model.diagnose(table, &options))?)
}

/// Fits a model and follows its likelihood along one coefficient.
#[pyfunction]
pub(crate) fn profile(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let settings = &Settings(settings);
    let (model, options) = (model(settings, py)?, profile_options(settings)?);
    let profiled = worked(py, table, &model, progress, |model, table| model.profile(table, &options))?;
    of_profile(py, profiled, table.inner.read())
}

/// Describes columns.
#[pyfunction]
pub(crate) fn describe(
    py: Python<'_>,
    table: &Table,
    columns: Vec<String>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let described = apart(py, progress, |watch| watched(&table.inner, watch).describe(&columns))?;
    Found::new(py, described.summary(), &described.record(), described.warnings())
}

/// The losses of predictions that stand beside the truth.
#[pyfunction]
pub(crate) fn loss(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let settings = &Settings(settings);
    let text = |name: &str| settings.text(name).map(Option::unwrap_or_default);
    let mut options = LossOptions::of(text("truth")?, text("prediction")?);
    set(&mut options.delta, settings.by("delta", parse::positive)?);
    set(&mut options.tau, settings.by("tau", parse::level)?);
    set(&mut options.largest, settings.size("largest", 0)?);
    set(&mut options.missing, settings.of("missing")?);
    let losses = apart(py, progress, |watch| watched(&table.inner, watch).losses(&options))?;
    Found::new(py, losses.summary(), &losses.record(), &[])
}

/// The columns that formulas and expressions name, and whether one of them takes all others, too.
#[pyfunction]
pub(crate) fn columns(py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<(Vec<String>, bool)> {
    let settings = &Settings(settings);
    let refused = |error| raised(py, &Error::from(Refusal::Formula(error)));
    let mut names: Vec<String> = Vec::new();
    let mut add = |new: Vec<&str>| names.extend(new.into_iter().map(str::to_owned));
    let model = model(settings, py)?;
    let mut formula = Formula::parse(&model.formula).map_err(refused)?;
    if let Some(noisefit::Scale::Formula(scale)) = &model.scale {
        formula = formula.with_scale(scale).map_err(refused)?;
    }
    add(formula.columns());
    for weights in model.weights.iter().chain(&model.sampling_weights) {
        add(Expression::parse(weights).map_err(refused)?.names());
    }
    add(model.frequencies.as_deref().into_iter().collect());
    for folds in ["folds_by", "folds_time"] {
        add(settings.text(folds)?.as_deref().into_iter().collect());
    }
    let by = settings.names("by")?;
    add(by.iter().map(String::as_str).collect());
    add(model.vcov.clusters().iter().map(String::as_str).collect());
    Ok((names, formula.takes_all_others()))
}

/// Sets kinds of models side by side.
#[pyfunction]
pub(crate) fn compare_kinds(
    py: Python<'_>,
    table: &Table,
    settings: &Bound<'_, PyDict>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found> {
    let settings = &Settings(settings);
    let (model, options) = (without_noise(settings, py)?, compare_options(settings)?);
    let models = settings.of::<Contestants>("models")?.map(|models| models.0).unwrap_or_default();
    let times = settings.flag("times")?.unwrap_or(false);
    let compared = worked(py, table, &model, progress, |model, table| model.compare_kinds(&models, table, &options))?;
    Found::new(py, compared.summary(times), &compared.record(times), compared.warnings())
}

/// A model whose noise is of no matter: the keyword names those that are compared.
fn without_noise(settings: &Settings<'_, '_>, py: Python<'_>) -> PyResult<Model> {
    let others = settings.0.copy()?;
    for name in ["noise", "folds"] {
        if others.contains(name)? {
            others.del_item(name)?;
        }
    }
    model(&Settings(&others), py)
}
