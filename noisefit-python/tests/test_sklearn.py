"""The array door and the estimators of scikit-learn."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import noisefit as nf

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_predict  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from noisefit.sklearn import NetworkRegressor, NoiseRegressor, QuantileRegressor  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 3))
Y = X @ [1.0, -2.0, 0.5] + 3 + RNG.laplace(size=200)

#: What mini-batches rule out, each with its reason.
NETWORK_FAILS = {
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is in several batches, a row of weight 2 in one",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [NoiseRegressor(), NoiseRegressor("laplace"), NoiseRegressor("student-t:4"), NoiseRegressor("huber"), QuantileRegressor(),
     QuantileRegressor(0.8)],
    ids=str,
)  # fmt: skip
def test_check_estimator_without_an_expected_failure(estimator: Any) -> None:
    failed = [
        (check["check_name"], check["exception"])
        for check in check_estimator(estimator, on_fail=None, on_skip=None)
        if check["status"] not in ("passed", "skipped")
    ]
    assert not failed


@pytest.mark.filterwarnings("ignore")
def test_check_estimator_of_a_network() -> None:
    network = NetworkRegressor(plan="plain", hidden=(8,), epochs=200, lr=0.02, validation=0.0)
    failed = {
        check["check_name"]: check["exception"]
        for check in check_estimator(network, on_fail=None, on_skip=None)
        if check["status"] not in ("passed", "skipped")
    }
    assert set(failed) == set(NETWORK_FAILS), failed


def test_arrays_give_the_numbers_of_the_formula() -> None:
    table = {"y": Y, "a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}
    for noise in ("gaussian", "laplace", "student-t", "logistic", "quantile:0.2"):
        fitted, formula = nf.fit_array(X, Y, noise=noise), nf.fit("y ~ a + b + c", table, noise=noise)
        assert fitted.coef == pytest.approx(list(formula.coef.values()), rel=1e-10)
        assert fitted.std_error == pytest.approx(list(formula.std_error.values()), rel=1e-8)
        assert fitted.log_likelihood == pytest.approx(formula.log_likelihood, rel=1e-12)
    scaled = nf.fit("y ~ a + b + c", table, scale="~ b")
    assert nf.fit_array(X, Y, scale_features=[1]).coef == pytest.approx(list(scaled.coef.values()), rel=1e-8)
    for layout in (np.asfortranarray(X), X[:, ::-1][:, ::-1], X.astype("f4").astype("f8"), X.tolist()):
        assert nf.fit_array(layout, Y).coef == pytest.approx(nf.fit_array(X, Y).coef, rel=1e-5)


def test_what_arrays_predict() -> None:
    fitted = nf.fit_array(X, Y)
    location, low, high = fitted.predict(X, interval=0.9)
    formula = nf.fit("V4 ~ V1 + V2 + V3", np.column_stack([X, Y])).predict(interval=0.9)
    assert location == pytest.approx(formula["prediction"]) and low == pytest.approx(formula["pred_low"])
    assert fitted.predict(X, quantiles=[0.05, 0.5, 0.95]) == pytest.approx(np.column_stack([low, location, high]))
    _, deviation = fitted.predict(X, return_std=True)
    from scipy import stats

    assert deviation == pytest.approx((high - location) / stats.t(196).ppf(0.95), rel=1e-9)
    with pytest.raises(nf.DataError, match="X has 2 columns, and the model was fitted to 3"):
        fitted.predict(X[:, :2])
    with pytest.raises(nf.DataError, match="X, column 1, row 7: the value is missing"):
        holed = X.copy()
        holed[7, 1] = np.nan
        nf.fit_array(holed, Y)
    assert pickle.loads(pickle.dumps(fitted)).predict(X).tolist() == location.tolist()


def test_sample_weight_is_repetition() -> None:
    counts = RNG.integers(0, 4, size=200)
    for noise in ("gaussian", "laplace", "student-t:4"):
        weighted = nf.fit_array(X, Y, noise=noise, sample_weight=counts, vcov="classical")
        repeated = nf.fit_array(np.repeat(X, counts, axis=0), np.repeat(Y, counts), noise=noise, vcov="classical")
        assert weighted.coef == pytest.approx(repeated.coef, rel=1e-8)
        assert weighted.std_error == pytest.approx(repeated.std_error, rel=1e-8)
        assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-10)


def test_they_go_where_estimators_go() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), NoiseRegressor())
    assert pipeline.fit(frame, Y).score(frame, Y) == pytest.approx(LinearRegression().fit(X, Y).score(X, Y), rel=1e-12)
    outliers = Y + np.where(np.arange(200) % 10 == 0, 50.0, 0.0)
    search = GridSearchCV(NoiseRegressor(), {"noise": ["gaussian", "laplace"]}, scoring="neg_median_absolute_error")
    search.fit(X, outliers)
    assert search.best_params_["noise"] == "laplace"
    assert cross_val_predict(QuantileRegressor(0.5), X, Y).shape == (200,)
    named = NoiseRegressor(scale_features=["b"]).fit(frame, Y)
    assert list(named.feature_names_in_) == ["a", "b", "c"] and np.isnan(named.scale_)
    other = clone(named)
    assert other.scale_features == ["b"] and not hasattr(other, "coef_")
    assert pickle.loads(pickle.dumps(named)).predict(frame).tolist() == named.predict(frame).tolist()
    location, deviation = named.predict(frame, return_std=True)
    assert (deviation > 0).all() and named.predict(frame, quantiles=[0.1, 0.9]).shape == (200, 2)
    sizes = [len(pickle.dumps(NoiseRegressor().fit(np.repeat(X, k, axis=0), np.repeat(Y, k)))) for k in (1, 50)]
    assert abs(sizes[1] - sizes[0]) < 200
    assert named.std_error_.shape == (3,) and named.log_likelihood_ < 0


def test_metadata_routing() -> None:
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        model = NoiseRegressor().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"noise": ["gaussian", "laplace"]}).fit(X, Y, sample_weight=np.ones(200))
        assert hasattr(search, "best_score_")


def test_a_network_learns() -> None:
    bent = np.sin(2 * X[:, 0]) + 0.1 * RNG.normal(size=200)
    network = NetworkRegressor(hidden=(16, 16), epochs=400, lr=0.01, random_state=1).fit(X, bent)
    assert network.score(X, bent) > 0.8
    assert pickle.loads(pickle.dumps(network)).predict(X).tolist() == network.predict(X).tolist()
    location, low, high = network.predict(X, interval=0.9)
    assert ((low < location) & (location < high)).all()
