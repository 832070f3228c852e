"""Losses of arrays of predictions: reduced or not, with gradients.

Every loss is a function of the residual `r = truth - prediction`; the gradient is the derivative with respect to the prediction.
Arrays may be NumPy's, have the buffer protocol, or speak DLPack (PyTorch, JAX, CuPy on the processor); of single precision they are
read and gradients are written in single precision, and everything is computed in double. Weights make the sum `sum w l` and the mean
`sum w l / sum w`.

>>> import noisefit as nf
>>> nf.losses.mse([1.0, 2.0], [1.0, 4.0])
2.0
>>> value, gradient = nf.losses.huber([1.0, 2.0], [1.5, 4.0], delta=1.0, gradient=True)
>>> value, gradient.tolist()
(0.8125, [-0.25, -0.5])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from noisefit import _noisefit
from noisefit._errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "gaussian_nll", "half_squared_error", "huber", "laplace_nll", "log_cosh", "mae", "mse", "pinball", "rmse", "smooth_l1",
]  # fmt: skip


def _array(name: str, values: Any) -> NDArray[Any]:
    if not isinstance(values, (np.ndarray, list, tuple, float, int)) and hasattr(values, "__dlpack__"):
        try:
            values = np.from_dlpack(values)
        except (BufferError, RuntimeError, TypeError) as error:
            raise DataError(f"{name}: {error}; move it to the processor first") from None
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}; numbers are needed") from None
    if array.dtype.kind not in "iufb":
        raise DataError(f"{name}: its type {array.dtype} is no number")
    return array


def _loss(
    name: str,
    prediction: Any,
    truth: Any,
    weights: Any,
    reduction: str,
    gradient: bool,
    number: float = 0.0,
    spread: Any = None,
) -> Any:
    prediction, truth = _array("prediction", prediction), _array("truth", truth)
    if prediction.shape != truth.shape:
        raise DataError(f"prediction has the shape {prediction.shape}, and truth has {truth.shape}")
    shape = prediction.shape
    of = np.float32 if prediction.dtype == np.float32 and truth.dtype == np.float32 else np.float64

    def flat(what: str, values: Any) -> NDArray[Any]:
        array = _array(what, values)
        if array.shape != shape:
            raise DataError(f"{what} has the shape {array.shape}, and prediction has {shape}")
        return np.require(array, dtype=of, requirements=["C", "A"]).ravel()

    weights = None if weights is None else flat("weights", weights)
    if spread is not None and np.ndim(spread):
        spread = flat("scale" if name == "laplace_nll" else "variance", spread)
    value, values, slopes = _noisefit.loss_of(
        name, flat("prediction", prediction), flat("truth", truth), weights, float(number), spread, reduction, gradient
    )
    result = value if values is None else values.reshape(shape)
    return result if slopes is None else (result, slopes.reshape(shape))


def mse(prediction: Any, truth: Any, *, weights: Any = None, reduction: str = "mean", gradient: bool = False) -> Any:
    """Give `r^2`; `reduction` is `mean`, `sum` or `none`."""
    return _loss("mse", prediction, truth, weights, reduction, gradient)


def rmse(prediction: Any, truth: Any, *, weights: Any = None, gradient: bool = False) -> Any:
    """Give the root of the mean of `r^2`."""
    if not gradient:
        return float(np.sqrt(_loss("mse", prediction, truth, weights, "mean", False)))
    value, slopes = _loss("mse", prediction, truth, weights, "mean", True)
    root = float(np.sqrt(value))
    with np.errstate(invalid="ignore", divide="ignore"):
        return root, slopes / np.asarray(2.0 * root, dtype=slopes.dtype)


def half_squared_error(
    prediction: Any, truth: Any, *, weights: Any = None, reduction: str = "mean", gradient: bool = False
) -> Any:
    """Give `r^2 / 2`; its sum is the square cost SSE / 2."""
    return _loss("half_squared_error", prediction, truth, weights, reduction, gradient)


def mae(prediction: Any, truth: Any, *, weights: Any = None, reduction: str = "mean", gradient: bool = False) -> Any:
    """Give `abs(r)`; the derivative at `r = 0` is 0."""
    return _loss("mae", prediction, truth, weights, reduction, gradient)


def huber(
    prediction: Any, truth: Any, *, delta: float = 1.0, weights: Any = None, reduction: str = "mean", gradient: bool = False
) -> Any:
    """Give `r^2 / 2` up to `abs(r) = delta`, then `delta (abs(r) - delta / 2)`."""
    return _loss("huber", prediction, truth, weights, reduction, gradient, delta)


def smooth_l1(
    prediction: Any, truth: Any, *, beta: float = 1.0, weights: Any = None, reduction: str = "mean", gradient: bool = False
) -> Any:
    """Give Huber's loss divided by its threshold `beta`."""
    return _loss("smooth_l1", prediction, truth, weights, reduction, gradient, beta)


def pinball(
    prediction: Any, truth: Any, *, tau: float = 0.5, weights: Any = None, reduction: str = "mean", gradient: bool = False
) -> Any:
    """Give `tau r` for `r > 0` and `(tau - 1) r` for `r < 0`: the quantile loss."""
    return _loss("pinball", prediction, truth, weights, reduction, gradient, tau)


def log_cosh(prediction: Any, truth: Any, *, weights: Any = None, reduction: str = "mean", gradient: bool = False) -> Any:
    """Give `ln cosh r`."""
    return _loss("log_cosh", prediction, truth, weights, reduction, gradient)


def gaussian_nll(
    prediction: Any,
    truth: Any,
    *,
    variance: Any = 1.0,
    full: bool = True,
    weights: Any = None,
    reduction: str = "mean",
    gradient: bool = False,
) -> Any:
    """Give the negative log density of Gaussian noise, one variance or one for each row; complete unless `full` is False."""
    return _loss("gaussian_nll", prediction, truth, weights, reduction, gradient, float(full), variance)


def laplace_nll(
    prediction: Any,
    truth: Any,
    *,
    scale: Any = 1.0,
    weights: Any = None,
    reduction: str = "mean",
    gradient: bool = False,
) -> Any:
    """Give the negative log density of Laplace noise, complete; `scale` is the mean absolute deviation."""
    return _loss("laplace_nll", prediction, truth, weights, reduction, gradient, 0.0, scale)
