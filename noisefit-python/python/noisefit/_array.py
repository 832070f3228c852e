"""Arrays instead of tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from noisefit import _noisefit
from noisefit._errors import DataError, UsageError, warn

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def _matrix(X: ArrayLike) -> Floats:
    """A matrix of doubles, by rows or by columns, copied only where it is neither."""
    if type(X) is np.ndarray and X.dtype == np.float64 and X.ndim == 2 and (X.flags.c_contiguous or X.flags.f_contiguous):
        return X
    try:
        array = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"X: {error}; a matrix of numbers is needed") from None
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise DataError(f"X has {array.ndim} dimensions; a matrix of rows and columns is needed")
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return array
    return np.ascontiguousarray(array)


def _vector(name: str, values: ArrayLike, rows: int) -> Floats:
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}; numbers are needed") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    if array.shape != (rows,):
        raise DataError(f"{name} has the shape {array.shape}, and X has {rows} rows")
    return array


class ArrayFitted:
    """A linear model of arrays; of several quantiles `coef` and predictions have a column for each."""

    def __init__(self, inner: _noisefit.ArrayFit) -> None:
        self._inner = inner

    def __reduce__(self) -> Any:
        return _unpickled, (self._inner.to_json(),)

    def _all(self, of: Any) -> Floats:
        count = len(self._inner)
        if count == 1:
            return cast("Floats", of(0))
        return np.column_stack([of(number) for number in range(count)])

    @property
    def coef(self) -> Floats:
        """The estimates, the intercept first where there is one; NaN for a column that the data do not determine."""
        return self._all(self._inner.coef)

    @property
    def std_error(self) -> Floats:
        """The standard errors, in the order of `coef`."""
        return self._all(self._inner.std_error)

    def conf_int(self, level: float = 0.95) -> Floats:
        """Give the ends of the confidence intervals: a row for each coefficient, of several quantiles of the first."""
        nan = (float("nan"), float("nan"))
        return np.array([nan if pair is None else pair for pair in self._inner.conf_int(0, level)])

    @property
    def converged(self) -> bool:
        """Whether the estimates are what was looked for."""
        return self._inner.converged()

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the record of each fit, whose fields are those of `Fitted.to_dict`."""
        return cast("list[dict[str, Any]]", json.loads(self._inner.record()))

    @property
    def log_likelihood(self) -> float:
        """The complete log-likelihood of the first fit; NaN where it has no bound."""
        value = self.to_dict()[0].get("log_likelihood")
        return float("nan") if value is None else float(value)

    def predict(
        self,
        X: ArrayLike,
        *,
        interval: float | None = None,
        kind: str = "prediction",
        quantiles: Sequence[float] | None = None,
        return_std: bool = False,
    ) -> Any:
        """Predict rows.

        Parameters
        ----------
        X
            A matrix with the columns of the fit.
        interval
            The level of an interval.
        kind
            `prediction` for a new observation, `confidence` for the location.
        quantiles
            Probabilities whose quantiles of a new observation are wanted.
        return_std
            Whether the standard deviation of a new observation is wanted.

        Returns
        -------
        The location of every row; with `return_std` the pair of it and the deviation, with `interval` the triple of it and the
        two ends, with `quantiles` a matrix with a column for each.
        """
        X = _matrix(X)
        if quantiles is not None:
            return np.column_stack([self._inner.quantile(X, 0, float(p)) for p in quantiles])
        if interval is None and not return_std:
            return self._all(lambda number: self._inner.predict(X, number))
        if len(self._inner) > 1:
            raise UsageError("several quantiles are themselves the ends of intervals")
        location = self._inner.predict(X, 0)
        if return_std:
            return location, self._inner.deviation(X, 0)
        if kind not in ("prediction", "confidence"):
            raise UsageError(f'kind="{kind}": there are prediction and confidence')
        low, high = self._inner.interval(X, 0, float(interval or 0.0), kind == "confidence")
        return location, low, high

    def scale(self, X: ArrayLike) -> Floats:
        """Give the noise scale of every row."""
        return self._inner.scale(_matrix(X), 0)


def _unpickled(text: str) -> ArrayFitted:
    return ArrayFitted(_noisefit.ArrayFit.from_json(text))


def fit_array(
    X: ArrayLike,
    y: ArrayLike,
    *,
    noise: str = "gaussian",
    intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    scale_features: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    vcov: str | None = None,
    small_sample: str | None = None,
    level: float | None = None,
    collinear: str | None = None,
    digits: float | None = None,
    seed: int | None = None,
    threads: int | None = None,
) -> ArrayFitted:
    """Fit a linear model of arrays by maximum likelihood under a named noise.

    Parameters
    ----------
    X
        A matrix n x p of numbers, by rows or by columns; doubles are not copied.
    y
        The response, length n.
    noise, vcov, small_sample, level, collinear, digits, seed
        As in `fit`.
    intercept
        Whether there is an intercept.
    sample_weight
        How many identical rows each row stands for, length n; whole or not, 0 for none.
    weights
        Relative precisions of the rows (inverse variances), length n.
    scale_features
        The columns in which the logarithm of the noise scale is linear; one scale for all rows unless given.
    names
        The names of the columns, for messages and records.
    threads
        Threads to use; results do not depend on it.

    Examples
    --------
    >>> import noisefit as nf
    >>> nf.fit_array([[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 2.0, 4.0]).coef.round(12).tolist()
    [0.5, 0.8]
    """
    X = _matrix(X)
    rows = X.shape[0]
    y = _vector("y", y, rows)
    frequencies = None if sample_weight is None else _vector("sample_weight", sample_weight, rows)
    precisions = None if weights is None else _vector("weights", weights, rows)
    settings: dict[str, Any] = {"noise": noise, "intercept": intercept}
    given = {
        "scale_features": scale_features, "names": names, "vcov": vcov, "small_sample": small_sample, "level": level,
        "collinear": collinear, "digits": digits, "seed": seed, "threads": threads,
    }  # fmt: skip
    settings.update((name, value) for name, value in given.items() if value is not None)
    fitted = _noisefit.fit_array(X, y, frequencies, precisions, settings)
    said = fitted.warnings()
    if said:
        warn(said)
    return ArrayFitted(fitted)
