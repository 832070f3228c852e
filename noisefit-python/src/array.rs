//! Arrays instead of tables: a design, a response, counts of rows.

use std::borrow::Cow;
use std::sync::Arc;

use noisefit::core::Error;
use noisefit::core::inference::covariance::Vcov;
use noisefit::core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit::core::inference::{self, Options};
use noisefit::core::noise::{Noise, Noises};
use noisefit::core::record::Fit;
use noisefit::core::rows::{Layout, Matrix, MemoryRows, Next, Pass, RowSource, Values};
use noisefit::data::DataError;
use noisefit::data::read::Progress;
use noisefit::parse;
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{exception, of_core, raised, usage};
use crate::model::set;
use crate::numbers::{Numbers, array};
use crate::record::json;
use crate::settings::Settings;
use crate::work::{Passes, apart, guarded};

/// A fit of fewer values than this takes less time than a thread to watch over it is worth.
const SMALL: usize = 50_000;

/// Exact fits of arrays: one, or one for each of several quantiles.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct ArrayFit {
    fits: Vec<Fit>,
    predictors: Vec<Predictor>,
    /// The columns of the design.
    columns: usize,
    /// Those that the scale is modelled by.
    scale_columns: Vec<usize>,
}

/// Fits a linear model of arrays: `design` n x p, `response` n, `frequencies` how many identical rows each stands for (n, 0 for
/// none), `weights` the rows' relative precisions.
#[pyfunction]
pub(crate) fn fit_array<'py>(
    py: Python<'py>,
    design: PyReadonlyArray2<'py, f64>,
    response: PyReadonlyArray1<'py, f64>,
    frequencies: Option<PyReadonlyArray1<'py, f64>>,
    weights: Option<PyReadonlyArray1<'py, f64>>,
    settings: &Bound<'py, PyDict>,
) -> PyResult<ArrayFit> {
    let settings = &Settings(settings);
    let asked = Asked::of(settings)?;
    let (columns, by_row) = (design.shape()[1], !design.is_fortran_contiguous());
    let scale_columns = scale_columns(py, settings, columns)?;
    let weights = weights.as_ref().map(PyReadonlyArray1::as_slice).transpose()?.map(Cow::Borrowed);
    let frequencies = frequencies.as_ref().map(PyReadonlyArray1::as_slice).transpose()?.map(Cow::Borrowed);
    let (design, response) = (Cow::Borrowed(design.as_slice()?), Cow::Borrowed(response.as_slice()?));
    let given = Given { design, by_row, response, frequencies, weights }.without_nothing();
    given.check(py, &asked)?;
    let small = given.design.len() < SMALL && !matches!(asked.options.vcov, Vcov::Bootstrap(_));
    let fits = match small {
        true => guarded(py, || given.fit(&asked, &scale_columns, None).map_err(|error| of_core(py, error)))?,
        false => apart(py, None, |passes| Ok(given.fit(&asked, &scale_columns, Some(passes))?))?,
    };
    ArrayFit::new(fits, columns, scale_columns).map_err(|error| of_core(py, error))
}

/// How arrays are fitted.
struct Asked {
    noise: Noises,
    options: Options,
    intercept: bool,
    names: Vec<String>,
    threads: Option<usize>,
}

impl Asked {
    fn of(settings: &Settings<'_, '_>) -> PyResult<Self> {
        let mut options = Options::default();
        set(&mut options.level, settings.by("level", parse::level)?);
        set(&mut options.vcov, settings.of("vcov")?);
        set(&mut options.small_sample, settings.of("small_sample")?);
        set(&mut options.collinear, settings.of("collinear")?);
        set(&mut options.settings.digits, settings.by("digits", parse::digits)?);
        set(&mut options.seed, settings.count("seed", 0)?);
        Ok(Asked {
            noise: settings.of("noise")?.unwrap_or_else(|| Noise::Gaussian.into()),
            options,
            intercept: settings.flag("intercept")?.unwrap_or(true),
            names: settings.texts("names")?,
            threads: settings.size("threads", 1)?,
        })
    }
}

/// The columns that the scale is modelled by.
fn scale_columns(py: Python<'_>, settings: &Settings<'_, '_>, columns: usize) -> PyResult<Vec<usize>> {
    let Some(given) = settings.value("scale_features")? else { return Ok(Vec::new()) };
    let places: Vec<usize> = given.extract()?;
    match places.iter().find(|&&place| place >= columns) {
        Some(place) => Err(usage(py, &format!("scale_features: there is no column {place} among {columns}"))),
        None => Ok(places),
    }
}

/// The arrays of a fit.
struct Given<'a> {
    design: Cow<'a, [f64]>,
    by_row: bool,
    response: Cow<'a, [f64]>,
    frequencies: Option<Cow<'a, [f64]>>,
    weights: Option<Cow<'a, [f64]>>,
}

impl Given<'_> {
    fn columns(&self) -> usize {
        self.design.len().checked_div(self.response.len()).unwrap_or(0)
    }

    /// A number of the design.
    fn number(&self, row: usize, column: usize) -> f64 {
        let (n, p) = (self.response.len(), self.columns());
        self.design[if self.by_row { row * p + column } else { column * n + row }]
    }

    /// The arrays without the rows that stand for none, which are as if they were not there.
    fn without_nothing(self) -> Self {
        let frequencies = match &self.frequencies {
            Some(frequencies) if frequencies.contains(&0.0) => frequencies.to_vec(),
            _ => return self,
        };
        let kept: Vec<usize> =
            (0..frequencies.len().min(self.response.len())).filter(|&i| frequencies[i] != 0.0).collect();
        let pick = |values: &[f64]| Cow::Owned(kept.iter().map(|&i| values[i]).collect::<Vec<f64>>());
        let design = kept.iter().flat_map(|&i| (0..self.columns()).map(move |j| (i, j)));
        Given {
            design: Cow::Owned(design.map(|(i, j)| self.number(i, j)).collect()),
            by_row: true,
            response: pick(&self.response),
            frequencies: Some(pick(&frequencies)),
            weights: self.weights.as_deref().map(pick),
        }
    }

    /// Refuses numbers that are none, and names the place.
    fn check(&self, py: Python<'_>, asked: &Asked) -> PyResult<()> {
        let wrong = |name: String, row: usize, value: f64| {
            let what = if value.is_nan() { "missing" } else { "infinite" };
            exception(py, "DataError", &format!("{name}, row {row}: the value is {what}; leave such rows out"))
        };
        if let Some(row) = first_not_finite(&self.response) {
            return Err(wrong("y".to_owned(), row, self.response[row]));
        }
        let Some(place) = first_not_finite(&self.design) else { return Ok(()) };
        let (n, p) = (self.response.len().max(1), self.columns().max(1));
        let (row, column) = if self.by_row { (place / p, place % p) } else { (place % n, place / n) };
        let name = asked.names.get(column).cloned().unwrap_or_else(|| format!("X, column {column}"));
        Err(wrong(name, row, self.design[place]))
    }

    fn fit(&self, asked: &Asked, scale_columns: &[usize], passes: Option<Arc<Passes>>) -> Result<Vec<Fit>, Error> {
        let (n, p) = (self.response.len(), self.columns());
        let design = match self.by_row {
            true => Matrix::row_major(&self.design, n, p)?,
            false => Matrix::column_major(&self.design, n, p)?,
        };
        let mut rows = MemoryRows::new(&self.response, design)?;
        if !asked.names.is_empty() {
            rows = rows.named("y", &asked.names)?;
        }
        if !asked.intercept {
            rows = rows.without_intercept();
        }
        if let Some(threads) = asked.threads {
            rows = rows.with_threads(threads);
        }
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights)?;
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies)?;
        }
        let scale_design: Vec<f64> =
            scale_columns.iter().flat_map(|&j| (0..n).map(move |i| self.number(i, j))).collect();
        if !scale_columns.is_empty() {
            let terms: Vec<String> = scale_columns.iter().map(|&j| rows.layout().terms[j].clone()).collect();
            rows = rows.with_scale_design(Matrix::column_major(&scale_design, n, scale_columns.len())?, &terms)?;
        }
        match passes {
            None => inference::fit(&rows, &asked.noise, &asked.options),
            Some(passes) => inference::fit(&Watched { rows, passes }, &asked.noise, &asked.options),
        }
    }
}

/// The place of the first number that is NaN or infinite: a sum of zeros times the numbers says quickly that there is none.
fn first_not_finite(values: &[f64]) -> Option<usize> {
    let mut sums = [0.0f64; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value * 0.0);
    }
    match sums.iter().sum::<f64>() == 0.0 && rest.iter().all(|value| value.is_finite()) {
        true => None,
        false => values.iter().position(|value| !value.is_finite()),
    }
}

/// Rows whose passes somebody may stop.
struct Watched<'a> {
    rows: MemoryRows<'a>,
    passes: Arc<Passes>,
}

impl RowSource for Watched<'_> {
    fn layout(&self) -> &Layout {
        self.rows.layout()
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        match self.passes.cancelled() {
            true => Err(Error::Source(Box::new(DataError::Interrupted))),
            false => self.rows.units(empty, next),
        }
    }

    fn threads(&self) -> usize {
        self.rows.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        self.rows.rows_hint()
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        self.passes.steps(done, of);
        match self.passes.cancelled() {
            true => Err(Error::Source(Box::new(DataError::Interrupted))),
            false => Ok(()),
        }
    }
}

impl ArrayFit {
    fn new(fits: Vec<Fit>, columns: usize, scale_columns: Vec<usize>) -> Result<Self, Error> {
        let predictors = fits.iter().map(Predictor::new).collect::<Result<_, _>>()?;
        Ok(ArrayFit { fits, predictors, columns, scale_columns })
    }

    fn fit(&self, py: Python<'_>, number: usize) -> PyResult<&Fit> {
        self.fits.get(number).ok_or_else(|| usage(py, &format!("there is no fit {number}")))
    }

    fn one(&self, py: Python<'_>, number: usize) -> PyResult<&Predictor> {
        self.predictors.get(number).ok_or_else(|| usage(py, &format!("there is no fit {number}")))
    }

    /// Computes something of the rows of a design, for each fit.
    fn with_rows<T: Send>(
        &self,
        py: Python<'_>,
        design: &PyReadonlyArray2<'_, f64>,
        compute: impl Fn(&NewRows<'_>) -> Result<T, Error> + Send + Sync,
    ) -> PyResult<T> {
        let [rows, columns] = [design.shape()[0], design.shape()[1]];
        if columns != self.columns {
            let message = format!("X has {columns} columns, and the model was fitted to {}", self.columns);
            return Err(exception(py, "DataError", &message));
        }
        let values = design.as_slice()?;
        let columns: Vec<Cow<'_, [f64]>> = match design.is_fortran_contiguous() {
            true => (0..columns).map(|j| Cow::Borrowed(&values[j * rows..(j + 1) * rows])).collect(),
            false => {
                (0..columns).map(|j| Cow::Owned(values.iter().skip(j).step_by(columns).copied().collect())).collect()
            }
        };
        let design: Vec<Values<'_>> = columns.iter().map(|column| Values::from(&column[..])).collect();
        let scale_design: Vec<Values<'_>> = self.scale_columns.iter().map(|&j| design[j]).collect();
        let new = NewRows { scale_design: (&scale_design).into(), ..NewRows::new(&design, rows) };
        match values.len() < SMALL {
            true => guarded(py, || compute(&new).map_err(|error| of_core(py, error))),
            false => apart(py, None, |_| Ok(compute(&new)?)),
        }
    }
}

#[pymethods]
impl ArrayFit {
    /// The estimates of one fit, the intercept first where there is one; NaN for a term that is not determined.
    fn coef<'py>(&self, py: Python<'py>, number: usize) -> PyResult<Numbers<'py>> {
        let rows = &self.fit(py, number)?.location.rows;
        Ok(array(py, rows.iter().map(|row| row.estimate.unwrap_or(f64::NAN)).collect()))
    }

    /// The standard errors of one fit.
    fn std_error<'py>(&self, py: Python<'py>, number: usize) -> PyResult<Numbers<'py>> {
        let rows = &self.fit(py, number)?.location.rows;
        Ok(array(py, rows.iter().map(|row| row.std_error.unwrap_or(f64::NAN)).collect()))
    }

    /// The ends of the confidence intervals of one fit.
    fn conf_int(&self, py: Python<'_>, number: usize, level: f64) -> PyResult<Vec<Option<(f64, f64)>>> {
        self.fit(py, number)?.confint(level).map_err(|error| of_core(py, error))
    }

    /// How many fits there are.
    fn __len__(&self) -> usize {
        self.fits.len()
    }

    /// Whether all of them converged.
    fn converged(&self) -> bool {
        self.fits.iter().all(|fit| fit.termination.converged)
    }

    /// What a reader should know, as pairs of what it is about and the sentence.
    fn warnings(&self) -> Vec<(String, String)> {
        let warnings = self.fits.iter().flat_map(|fit| &fit.warnings);
        crate::found::said(&warnings.map(noisefit::Remark::from).collect::<Vec<_>>())
    }

    /// The records as a list in JSON.
    fn record(&self, py: Python<'_>) -> PyResult<String> {
        json(py, &self.fits)
    }

    /// All that prediction needs, as JSON.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        json(py, &(&self.fits, self.columns, &self.scale_columns))
    }

    /// The fits that are some JSON.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let (fits, columns, scale_columns) =
            serde_json::from_str(text).map_err(|error| raised(py, &noisefit::Error::from(error)))?;
        ArrayFit::new(fits, columns, scale_columns).map_err(|error| of_core(py, error))
    }

    /// The location of every row, by one fit.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        number: usize,
    ) -> PyResult<Numbers<'py>> {
        let predictor = self.one(py, number)?;
        Ok(array(py, self.with_rows(py, &design, |rows| Ok(predictor.location(rows)))?))
    }

    /// The ends of the interval of every row, of a new observation or of the location.
    fn interval<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        number: usize,
        level: f64,
        confidence: bool,
    ) -> PyResult<(Numbers<'py>, Numbers<'py>)> {
        let predictor = self.one(py, number)?;
        let kind = if confidence { IntervalKind::Confidence } else { IntervalKind::Prediction };
        let ends = self.with_rows(py, &design, |rows| predictor.intervals(rows, kind, level))?;
        Ok((array(py, ends.low), array(py, ends.high)))
    }

    /// A quantile of a new observation of every row.
    fn quantile<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        number: usize,
        probability: f64,
    ) -> PyResult<Numbers<'py>> {
        let predictor = self.one(py, number)?;
        Ok(array(py, self.with_rows(py, &design, |rows| predictor.quantile(rows, probability))?))
    }

    /// The standard deviation of a new observation of every row.
    fn deviation<'py>(
        &self,
        py: Python<'py>,
        design: PyReadonlyArray2<'py, f64>,
        number: usize,
    ) -> PyResult<Numbers<'py>> {
        let predictor = self.one(py, number)?;
        Ok(array(
            py,
            self.with_rows(py, &design, |rows| {
                Ok(predictor.deviations(rows)?.into_iter().map(|deviation| deviation.total).collect())
            })?,
        ))
    }

    /// The noise scale of every row.
    fn scale<'py>(&self, py: Python<'py>, design: PyReadonlyArray2<'py, f64>, number: usize) -> PyResult<Numbers<'py>> {
        let predictor = self.one(py, number)?;
        Ok(array(py, self.with_rows(py, &design, |rows| Ok(predictor.scale(rows)))?))
    }
}
