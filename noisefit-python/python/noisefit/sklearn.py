"""Estimators as scikit-learn has them.

>>> from noisefit.sklearn import NoiseRegressor
>>> model = NoiseRegressor(noise="laplace").fit([[1.0], [2.0], [3.0], [4.0], [5.0]], [1.0, 2.0, 3.0, 4.0, 50.0])
>>> model.coef_.round(12).tolist(), round(model.intercept_, 12)
([1.0], 0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from noisefit import _noisefit
from noisefit._array import ArrayFitted, fit_array
from noisefit._errors import UsageError
from noisefit._fitted import Fitted

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:  # pragma: no cover
    raise ImportError("noisefit.sklearn needs scikit-learn 1.6 or newer: pip install scikit-learn") from error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["NetworkRegressor", "NoiseRegressor", "QuantileRegressor"]


def _weights(sample_weight: Any, rows: int) -> Floats | None:
    """How many identical rows each stands for."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(rows, float(weights))
    if weights.shape != (rows,):
        raise ValueError(f"sample_weight has the shape {weights.shape}, and X has {rows} rows")
    if not (np.isfinite(weights).all() and (weights >= 0.0).all()):
        raise ValueError("sample_weight: each row stands for a number of rows, which is finite and not negative")
    if not weights.any():
        raise ValueError("sample_weight: every row stands for none; one must have a weight that is not zero")
    return weights


class _Linear(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What the linear estimators have in common."""

    def _noise(self) -> str:
        raise NotImplementedError

    def _scale_columns(self) -> list[int] | None:
        return None

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Fit the model.

        Parameters
        ----------
        X
            A matrix n x p.
        y
            The response, length n.
        sample_weight
            How many identical rows each row stands for; whole or not, 0 for none.
        """
        design: Floats
        response: Floats
        design, response = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weights = _weights(sample_weight, len(response))
        self._fitted: ArrayFitted = fit_array(
            design,
            response,
            noise=self._noise(),
            intercept=self.fit_intercept,
            sample_weight=weights,
            scale_features=self._scale_columns(),
            vcov=self.vcov,
        )
        coef = np.nan_to_num(self._fitted.coef)
        self.intercept_ = float(coef[0]) if self.fit_intercept else 0.0
        self.coef_: Floats = coef[1:] if self.fit_intercept else coef
        return self

    def _rows(self, X: ArrayLike) -> Floats:
        check_is_fitted(self, "coef_")
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return rows


class NoiseRegressor(_Linear):
    """A linear model, fitted by maximum likelihood under a named noise.

    Parameters
    ----------
    noise
        `gaussian`, `laplace`, `huber`, `student-t`, `student-t:4`, `logistic`, `cauchy`, as in `noisefit.fit`.
    fit_intercept
        Whether there is an intercept.
    scale_features
        The columns, by number or name, in which the logarithm of the noise scale is linear; one scale for all rows unless given.
    vcov
        How the covariance of the coefficients is estimated, as in `noisefit.fit`.

    Attributes
    ----------
    coef_, intercept_
        The estimates; zero for a column that the data do not determine.
    std_error_
        The standard errors of `coef_`.
    scale_
        The maximum likelihood estimate of the noise scale; NaN where it is modelled.
    log_likelihood_
        The complete log-likelihood.
    """

    def __init__(
        self,
        noise: str = "gaussian",
        *,
        fit_intercept: bool = True,
        scale_features: Sequence[int] | Sequence[str] | None = None,
        vcov: str | None = None,
    ) -> None:
        self.noise = noise
        self.fit_intercept = fit_intercept
        self.scale_features = scale_features
        self.vcov = vcov

    def _noise(self) -> str:
        return self.noise

    def _scale_columns(self) -> list[int] | None:
        if self.scale_features is None:
            return None
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        places: list[int] = []
        for feature in self.scale_features:
            if isinstance(feature, str):
                if feature not in names:
                    raise UsageError(f"scale_features: there is no column {feature}; there are {', '.join(names)}")
                places.append(names.index(feature))
            else:
                places.append(int(feature))
        return places

    @property
    def std_error_(self) -> Floats:
        """The standard errors of `coef_`."""
        check_is_fitted(self, "coef_")
        errors = self._fitted.std_error
        return errors[1:] if self.fit_intercept else errors

    @property
    def scale_(self) -> float:
        """The noise scale."""
        check_is_fitted(self, "coef_")
        scale = self._fitted.to_dict()[0].get("scale")
        return float("nan") if scale is None else float(scale)

    @property
    def log_likelihood_(self) -> float:
        """The complete log-likelihood."""
        check_is_fitted(self, "coef_")
        return self._fitted.log_likelihood

    def predict(
        self,
        X: ArrayLike,
        return_std: bool = False,
        interval: float | None = None,
        quantiles: Sequence[float] | None = None,
    ) -> Any:
        """Predict rows.

        Parameters
        ----------
        X
            A matrix with the columns of the fit.
        return_std
            Whether the standard deviation of a new observation comes with the prediction, as a pair.
        interval
            The level of a prediction interval: the triple of the prediction and the two ends comes back.
        quantiles
            Probabilities: a matrix with the quantile of a new observation for each comes back.
        """
        return self._fitted_or_raise(X, return_std, interval, quantiles)

    def _fitted_or_raise(self, X: ArrayLike, return_std: bool, interval: Any, quantiles: Any) -> Any:
        rows = self._rows(X)
        return self._fitted.predict(rows, return_std=return_std, interval=interval, quantiles=quantiles)


class QuantileRegressor(_Linear):
    """A quantile of the response that is linear in the columns, fitted exactly.

    Parameters
    ----------
    quantile
        Its probability, between 0 and 1.
    fit_intercept
        Whether there is an intercept.
    vcov
        How the covariance of the coefficients is estimated: `nid` unless given.

    Attributes
    ----------
    coef_, intercept_
        The estimates.
    """

    def __init__(self, quantile: float = 0.5, *, fit_intercept: bool = True, vcov: str | None = None) -> None:
        self.quantile = quantile
        self.fit_intercept = fit_intercept
        self.vcov = vcov

    def _noise(self) -> str:
        return f"quantile:{float(self.quantile)!r}"

    def predict(self, X: ArrayLike) -> Any:
        """Predict the quantile of rows."""
        rows = self._rows(X)
        return self._fitted.predict(rows)


class NetworkRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network of fully connected layers, trained under a named noise; what is not given is suited to the number of rows.

    Parameters
    ----------
    noise
        As in `NoiseRegressor`; unless given student-t, whose tails the network's calibration finds.
    hidden
        Units of the hidden layers.
    scale
        `network` where the noise scale is another output of it, as unless given; or `constant`.
    plan
        `suited` to the number of rows; or `plain`: 64 and 32 units, Adam, stopped by a tenth of the rows, gaussian noise.
    activation, optimizer, lr, batch, epochs, validation, patience, ensemble, decay, dropout
        How it is trained, as in `noisefit.fit`.
    random_state
        What everything that is drawn at random is drawn from.
    """

    def __init__(
        self,
        noise: str | None = None,
        *,
        hidden: Sequence[int] | None = None,
        scale: str | None = None,
        plan: str = "suited",
        activation: str | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        batch: int | str | None = None,
        epochs: int | None = None,
        validation: float | None = None,
        patience: int | None = None,
        ensemble: int | None = None,
        decay: float | None = None,
        dropout: float | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.noise = noise
        self.hidden = hidden
        self.scale = scale
        self.plan = plan
        self.activation = activation
        self.optimizer = optimizer
        self.lr = lr
        self.batch = batch
        self.epochs = epochs
        self.validation = validation
        self.patience = patience
        self.ensemble = ensemble
        self.decay = decay
        self.dropout = dropout
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Train the network; `sample_weight` says how many identical rows each row stands for, a whole number."""
        from noisefit._api import fit

        design: Floats
        response: Floats
        # One row cannot be divided into rows to learn from and rows to stop by.
        design, response = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        weights = _weights(sample_weight, len(response))
        table = _columns(design)
        table["y"] = np.asarray(response, dtype=np.float64)
        if weights is not None:
            table["weights"] = weights
        seed = self.random_state
        if seed is None:
            seed = int(np.random.randint(2**31))
        elif not isinstance(seed, (int, np.integer)):
            seed = int(seed.randint(2**31))
        terms = " + ".join(f"x{place}" for place in range(design.shape[1]))
        fitted = fit(
            f"y ~ {terms}",
            table,
            noise=self.noise,
            scale=self.scale,
            model="network",
            frequency_weights=None if weights is None else "weights",
            seed=int(seed),
            progress=False,
            **{
                name: value
                for name in (
                    "plan", "hidden", "activation", "optimizer", "lr", "batch", "epochs", "validation", "patience", "ensemble", "decay",
                    "dropout",
                )
                if (value := getattr(self, name)) is not None
            },
        )  # fmt: skip
        self._fitted: Fitted = fitted.without_data()
        self.n_iter_ = max((int(member.get("epochs", 1)) for member in fitted.to_dict().get("members", ())), default=1)
        return self

    def predict(self, X: ArrayLike, interval: float | None = None) -> Any:
        """Predict rows; with the level of an `interval` the triple of the prediction and the two ends comes back."""
        check_is_fitted(self, "_fitted")
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        made = [(name, "float64", np.ascontiguousarray(values), None) for name, values in _columns(rows).items()]
        settings = {} if interval is None else {"interval": interval}
        (_, columns), _ = self._fitted._inner.predict(_noisefit.Table.columns(made, {}), settings, None)
        return columns[0] if interval is None else tuple(columns[:3])


def _columns(X: Floats) -> dict[str, Any]:
    return {f"x{place}": X[:, place] for place in range(X.shape[1])}
