//! Losses of arrays of predictions.

use noisefit::core::loss::{Loss, Pairs, Parameter, Real, Reduction, Slopes, likelihood};
use noisefit::core::noise::{Huber, Noise, Noises};
use numpy::{Element, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::errors::{of_core, usage};
use crate::work::guarded;

/// A loss by its name, with its parameters; one for each row where it is an array.
///
/// `numbers` are the loss's own number (`delta`, `beta`, `tau`), and the spread of a likelihood where it is one for all rows.
/// The reduced loss comes back, or the losses of the rows; and the gradient where asked for.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "it is called by one function, which has names for them")]
pub(crate) fn loss_of<'py>(
    py: Python<'py>,
    name: &str,
    prediction: &Bound<'py, PyAny>,
    truth: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    number: f64,
    spread: Option<&Bound<'py, PyAny>>,
    reduction: &str,
    gradient: bool,
) -> PyResult<Answer<'py>> {
    let asked = Asked { name, weights, number, spread, reduction, gradient };
    guarded(py, || match prediction.cast::<PyArray1<f32>>() {
        Ok(_) => asked.answer::<f32>(py, prediction, truth),
        Err(_) => asked.answer::<f64>(py, prediction, truth),
    })
}

struct Asked<'a, 'py> {
    name: &'a str,
    weights: Option<&'a Bound<'py, PyAny>>,
    number: f64,
    spread: Option<&'a Bound<'py, PyAny>>,
    reduction: &'a str,
    gradient: bool,
}

/// The reduced loss, the losses of the rows, and the gradient.
type Answer<'py> = (Option<f64>, Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

impl<'py> Asked<'_, 'py> {
    fn answer<T: Real + Element>(
        &self,
        py: Python<'py>,
        prediction: &Bound<'py, PyAny>,
        truth: &Bound<'py, PyAny>,
    ) -> PyResult<Answer<'py>> {
        let (prediction, truth): (PyReadonlyArray1<'_, T>, PyReadonlyArray1<'_, T>) =
            (prediction.extract()?, truth.extract()?);
        let weights: Option<PyReadonlyArray1<'_, T>> = self.weights.map(|weights| weights.extract()).transpose()?;
        let wrong = |error| of_core(py, error);
        let (prediction, truth) = (prediction.as_slice()?, truth.as_slice()?);
        let mut rows = Pairs::new(truth, prediction).map_err(wrong)?;
        if let Some(weights) = &weights {
            rows = rows.with_weights(weights.as_slice()?).map_err(wrong)?;
        }
        let spreads: Option<PyReadonlyArray1<'_, T>> = self.spread.and_then(|spread| spread.extract().ok());
        let spread = match (&spreads, self.spread) {
            (Some(spreads), _) => Parameter::PerRow(spreads.as_slice()?),
            (None, Some(spread)) => Parameter::Common(spread.extract()?),
            (None, None) => Parameter::Common(1.0),
        };
        let loss = self.loss(spread).ok_or_else(|| usage(py, &format!("there is no loss {}", self.name)))?;
        let reduction = match self.reduction {
            "mean" => Some(Reduction::Mean),
            "sum" => Some(Reduction::Sum),
            "none" => None,
            other => return Err(usage(py, &format!("reduction=\"{other}\": there are mean, sum and none"))),
        };
        let mut slopes = vec![T::narrow(0.0); if self.gradient { rows.len() } else { 0 }];
        let mut values = vec![T::narrow(0.0); if reduction.is_none() { rows.len() } else { 0 }];
        let with_gradient = self.gradient;
        let reduced = py.detach(|| match (reduction, with_gradient) {
            (Some(reduction), false) => loss.value(&rows, reduction).map(Some),
            (Some(reduction), true) => loss.value_and_gradient(&rows, reduction, &mut slopes).map(Some),
            (None, gradient) => loss.values(&rows, &mut values).and_then(|()| match gradient {
                true => loss.gradient(&rows, Reduction::Sum, &mut slopes).map(|()| None),
                false => Ok(None),
            }),
        });
        let reduced = reduced.map_err(wrong)?;
        let array = |values: Vec<T>| PyArray1::from_vec(py, values).into_any();
        Ok((reduced, reduction.is_none().then(|| array(values)), self.gradient.then(|| array(slopes))))
    }

    fn loss<'a, T: Real>(&self, spread: Parameter<'a, T>) -> Option<Loss<'a, T>> {
        let number = self.number;
        Some(match self.name {
            "mse" => Loss::SquaredError,
            "half_squared_error" => Loss::HalfSquaredError,
            "mae" => Loss::AbsoluteError,
            "huber" => Loss::Huber { delta: number },
            "smooth_l1" => Loss::SmoothL1 { beta: number },
            "pinball" => Loss::Pinball { tau: number },
            "log_cosh" => Loss::LogCosh,
            "gaussian_nll" => Loss::GaussianNll { variance: spread, full: number != 0.0 },
            "laplace_nll" => Loss::LaplaceNll { scale: spread },
            _ => return None,
        })
    }
}

/// The complete negative log-likelihood of every row, and its derivatives by the prediction and by the logarithm of the scale.
///
/// `k` is where the tails of huber noise begin, in scales.
#[pyfunction]
pub(crate) fn likelihood_of<'py>(
    py: Python<'py>,
    noise: &str,
    k: f64,
    prediction: &Bound<'py, PyAny>,
    truth: &Bound<'py, PyAny>,
    log_scale: &Bound<'py, PyAny>,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let noises: Noises = noise.parse().map_err(|why| usage(py, &format!("{why}")))?;
    let noise = match noises[..] {
        [Noise::Huber(Huber { delta: None, .. })] => Noise::Huber(Huber::new(k)),
        [noise] => noise,
        _ => return Err(usage(py, "several quantiles have one likelihood each; make a loss for each")),
    };
    guarded(py, || match prediction.cast::<PyArray1<f32>>() {
        Ok(_) => likelihoods::<f32>(py, noise, [prediction, truth, log_scale]),
        Err(_) => likelihoods::<f64>(py, noise, [prediction, truth, log_scale]),
    })
}

fn likelihoods<'py, T: Real + Element>(
    py: Python<'py>,
    noise: Noise,
    arrays: [&Bound<'py, PyAny>; 3],
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let [prediction, truth, log_scale] = arrays.map(|array| array.extract::<PyReadonlyArray1<'_, T>>());
    let (prediction, truth, log_scale) = (prediction?, truth?, log_scale?);
    let wrong = |error| of_core(py, error);
    let rows = Pairs::new(truth.as_slice()?, prediction.as_slice()?).map_err(wrong)?;
    let log_scale = log_scale.as_slice()?;
    let mut found = [0, 1, 2].map(|_| vec![T::narrow(0.0); rows.len()]);
    let [values, by_prediction, by_log_scale] = &mut found;
    py.detach(|| likelihood(&noise, &rows, log_scale, Slopes { values, by_prediction, by_log_scale }))
        .map_err(wrong)?;
    Ok(found.map(|numbers| PyArray1::from_vec(py, numbers).into_any()))
}
