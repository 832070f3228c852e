"""What a prediction is worth, and kinds of models side by side: the command's numbers, by keywords."""

import math

import pytest

import noisefit as nf

ENGEL = "testdata/engel.csv"


def test_quantiles_density_and_bounds() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL)
    found = fitted.predict(interval=0.9, quantiles=(0.05, 0.5, 0.95), density=True, above=500, below=[500, -10], spread=True)
    assert list(found) == [
        "prediction", "pred_low", "pred_high", "q0.05", "q0.5", "q0.95", "log_density", "above_500", "below_500", "below_-10",
        "sd_total", "sd_aleatoric", "sd_epistemic",
    ]  # fmt: skip
    columns = {name: list(found[name]) for name in found}
    assert columns["q0.05"] == columns["pred_low"] and columns["q0.95"] == columns["pred_high"]
    for above, below in zip(columns["above_500"], columns["below_500"], strict=True):
        assert math.isclose(above + below, 1, rel_tol=1e-12)
    for total, noise, line in zip(columns["sd_total"], columns["sd_aleatoric"], columns["sd_epistemic"], strict=True):
        assert math.isclose(total**2, noise**2 + line**2, rel_tol=1e-12)
    # The residual standard error.
    assert math.isclose(columns["sd_aleatoric"][0], 114.1079, rel_tol=1e-6)


def test_draws_and_rows_outside() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, noise="laplace")
    one, other = fitted.predict(samples=3, seed=1), fitted.predict(samples=3, seed=1)
    assert list(one) == ["prediction", "draw_1", "draw_2", "draw_3"]
    assert list(one["draw_2"]) == list(other["draw_2"]) != list(fitted.predict(samples=3, seed=2)["draw_2"])
    with pytest.warns(nf.PredictionWarning, match="1 row with income outside its range"):
        outside = list(fitted.predict({"income": [1000.0, 10_000.0]}, outside=True)["outside"])
    assert outside[0] == 0 and outside[1] > 1
    with pytest.raises(nf.UsageError, match="seed goes with samples alone"):
        fitted.predict(seed=1)
    with pytest.raises(nf.NoisefitError, match="draws are from 1 to 10000"):
        fitted.predict(samples=0)


def test_quantile_models_say_what_to_do() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, noise="quantile:0.1,0.9")
    assert list(fitted.predict(quantiles=0.1)) == ["q0.1", "q0.9"]
    with pytest.raises(nf.NoisefitError, match='fit noise="quantile:0.1,0.5,0.9"'):
        fitted.predict(quantiles=0.5)


def test_kinds_of_models() -> None:
    compared = nf.compare("foodexp ~ income", ENGEL, models=["linear", "linear:gaussian+scale", "linear:quantiles"], folds=3)
    models = compared["models"]
    assert [model["model"] for model in models] == ["linear:gaussian", "linear:gaussian+scale", "linear:quantiles"]
    assert models[1]["log_score"] > models[0]["log_score"] and models[2]["log_score"] is None
    assert "pinball" in str(compared)
    with pytest.raises(nf.UsageError, match="noise stands behind a model"):
        nf.compare("foodexp ~ income", ENGEL, models="linear", noise="laplace")


def test_folds_by_groups() -> None:
    data = {"y": [float(i % 7) for i in range(60)], "x": [float(i) for i in range(60)], "firm": [f"f{i % 6}" for i in range(60)]}
    compared = nf.compare("y ~ x", data, noise="gaussian", folds=10, folds_by="firm")
    assert compared["folds"] == 6
    compared = nf.compare("y ~ x", data, noise="gaussian", folds_time="x")
    assert compared["folds"] == 5
    with pytest.raises(nf.NoisefitError, match="which has no order in time"):
        nf.compare("y ~ x", data, noise="gaussian", folds_time="firm")
