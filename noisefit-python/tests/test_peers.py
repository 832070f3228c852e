"""Other software on random problems from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import noisefit as nf

SEEDS = range(4)


def problem(seed: int, n: int = 150, p: int = 4) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.1, 10, size=p) + rng.normal(size=p)
    y = X @ rng.normal(size=p) + 2 + rng.standard_t(4, size=n) * rng.uniform(0.5, 3)
    return X, y, rng.uniform(0.2, 3, size=n)


@pytest.fixture(params=SEEDS)
def drawn(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    return problem(request.param)


def columns(X: Any, y: Any, w: Any) -> dict[str, Any]:
    return {f"x{j}": X[:, j] for j in range(X.shape[1])} | {"y": y, "w": w}


FORMULA = "y ~ x0 + x1 + x2 + x3"


@pytest.mark.parametrize("vcov", ["classical", "hc0", "hc1", "hc2", "hc3"])
def test_statsmodels_least_squares(drawn: Any, vcov: str) -> None:
    """Both solve by orthogonal or equally accurate means: agreement to 1e-9 is that of two doubles of a mild condition."""
    sm = pytest.importorskip("statsmodels.api")
    X, y, w = drawn
    theirs = sm.OLS(y, sm.add_constant(X)).fit(cov_type="nonrobust" if vcov == "classical" else vcov.upper())
    ours = nf.fit(FORMULA, columns(X, y, w), vcov=vcov)
    assert list(ours.coef.values()) == pytest.approx(theirs.params, rel=1e-9)
    assert list(ours.std_error.values()) == pytest.approx(theirs.bse, rel=1e-9)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-12)


def test_statsmodels_weighted_least_squares(drawn: Any) -> None:
    sm = pytest.importorskip("statsmodels.api")
    X, y, w = drawn
    theirs = sm.WLS(y, sm.add_constant(X), weights=w).fit()
    ours = nf.fit(FORMULA, columns(X, y, w), weights="w")
    assert list(ours.coef.values()) == pytest.approx(theirs.params, rel=1e-9)
    assert list(ours.std_error.values()) == pytest.approx(theirs.bse, rel=1e-9)


def test_statsmodels_robust_regression(drawn: Any) -> None:
    """Huber's second proposal; theirs iterates until the weights move by 1e-8, so that is what they agree to."""
    sm = pytest.importorskip("statsmodels.api")
    X, y, w = drawn
    theirs = sm.RLM(y, sm.add_constant(X), M=sm.robust.norms.HuberT(1.345)).fit(
        scale_est=sm.robust.scale.HuberScale(d=1.345), maxiter=500, tol=1e-12
    )
    ours = nf.fit_array(X, y, noise="huber")
    # Scales differ by their definition; with the scale of theirs the coefficients are those of a fixed knee.
    fixed = nf.fit(FORMULA, columns(X, y, w), noise=f"huber:{1.345 * float(theirs.scale)!r}")
    assert list(fixed.coef.values()) == pytest.approx(theirs.params, rel=1e-5, abs=1e-6)
    assert ours.converged


@pytest.mark.parametrize("tau", [0.25, 0.5, 0.9])
def test_statsmodels_quantiles(drawn: Any, tau: float) -> None:
    """Theirs stops at a tolerance: its loss is never below ours, which is an exact vertex, and is near it."""
    sm = pytest.importorskip("statsmodels.api")
    X, y, w = drawn
    theirs = sm.QuantReg(y, sm.add_constant(X)).fit(q=tau, max_iter=5000, p_tol=1e-10)
    ours = nf.fit_array(X, y, noise=f"quantile:{tau}")
    losses = [nf.losses.pinball(sm.add_constant(X) @ b, y, tau=tau, reduction="sum") for b in (ours.coef, theirs.params)]
    assert losses[0] <= losses[1] * (1 + 1e-12) and losses[1] <= losses[0] * (1 + 1e-5)


def test_scikit_learn(drawn: Any) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    X, y, w = drawn
    theirs = linear.LinearRegression().fit(X, y)
    ours = nf.fit_array(X, y)
    assert ours.coef == pytest.approx([theirs.intercept_, *theirs.coef_], rel=1e-9)
    quantile = linear.QuantileRegressor(quantile=0.3, alpha=0, solver="highs").fit(X, y)
    # A linear programme, solved to 1e-7.
    assert nf.fit_array(X, y, noise="quantile:0.3").coef == pytest.approx([quantile.intercept_, *quantile.coef_], abs=1e-6)


@pytest.mark.parametrize("noise", ["gaussian", "laplace", "student-t:3", "logistic", "cauchy"])
def test_scipy_has_the_same_likelihood(drawn: Any, noise: str) -> None:
    stats = pytest.importorskip("scipy.stats")
    X, y, w = drawn
    ours = nf.fit(FORMULA, columns(X, y, w), noise=noise)
    residual = y - ours.predict()["prediction"]
    density = {
        "gaussian": stats.norm, "laplace": stats.laplace, "student-t:3": stats.t(3), "logistic": stats.logistic, "cauchy": stats.cauchy,
    }[noise]  # fmt: skip
    assert ours.log_likelihood == pytest.approx((density.logpdf(residual / ours.scale) - np.log(ours.scale)).sum(), rel=1e-12)
    # The scale is at its maximum, and moving a coefficient gains nothing.
    for factor in (0.99, 1.01):
        other = factor * ours.scale
        assert (density.logpdf(residual / other) - np.log(other)).sum() < ours.log_likelihood
