"""The formula door: data of any kind in, the same numbers out."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import noisefit as nf

ENGEL = "testdata/engel.csv"


def read(path: str) -> dict[str, np.ndarray]:
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def command(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "noisefit", *words], capture_output=True, text=True, check=True).stdout


NOISES = ["gaussian", "laplace", "quantile:0.25", "huber", "student-t", "student-t:4", "logistic", "cauchy"]
VCOVS = [None, "classical", "hc0", "hc1", "hc2", "hc3", "hc4", "sandwich", "hac:3", "bootstrap:49"]


@pytest.mark.parametrize("noise", NOISES)
def test_the_same_file_gives_the_commands_numbers_bit_for_bit(noise: str) -> None:
    told = json.loads(command("fit", ENGEL, "-f", "foodexp ~ log(income)", "--noise", noise, "--format", "json"))
    found = nf.fit("foodexp ~ log(income)", ENGEL, noise=noise).to_dict()
    for name, value in told.items():
        assert found[name] == value, name


@pytest.mark.parametrize("vcov", VCOVS)
@pytest.mark.parametrize("noise", ["gaussian", "laplace", "huber", "student-t:4", "logistic"])
def test_arrays_give_the_numbers_of_the_file(noise: str, vcov: str | None) -> None:
    try:
        file = nf.fit("foodexp ~ income", ENGEL, noise=noise, vcov=vcov)
    except nf.NoisefitError as error:
        with pytest.raises(type(error)):
            nf.fit("foodexp ~ income", read(ENGEL), noise=noise, vcov=vcov)
        return
    arrays = nf.fit("foodexp ~ income", read(ENGEL), noise=noise, vcov=vcov)
    for name in ("coef", "std_error"):
        one, other = getattr(file, name), getattr(arrays, name)
        for term in one:
            assert other[term] == pytest.approx(one[term], rel=1e-12), (name, term)
    assert arrays.log_likelihood == pytest.approx(file.log_likelihood, rel=1e-12)


def test_rows_that_were_drawn_have_the_errors_of_r_s_survey() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, sampling_weights="1000/income")
    with open("testdata/reference/sampling.json", encoding="utf-8") as file:
        case = next(case for case in json.load(file)["cases"] if case["data"] == "engel")
    assert list(fitted.coef.values()) == pytest.approx(case["estimates"], rel=1e-8)
    assert list(fitted.std_error.values()) == pytest.approx(case["std_errors"], rel=1e-8)
    columns = read(ENGEL)
    columns["drawn"] = 3 / columns["income"]
    arrays = nf.fit("foodexp ~ income", columns, sampling_weights="drawn")
    assert arrays.std_error["income"] == pytest.approx(fitted.std_error["income"], rel=1e-9)
    with pytest.raises(nf.UsageError, match="sampling_weights: absorbed effects|diagnose"):
        fitted.diagnose()


def test_the_attributes_of_a_fit() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL)
    assert fitted.noise == "gaussian" and fitted.nobs == 235 and fitted.converged
    assert fitted.terms == ["(Intercept)", "income"]
    # In rational arithmetic.
    assert fitted.coef["income"] == pytest.approx(0.48517842367692315, rel=1e-13)
    assert fitted.std_error["income"] == pytest.approx(0.014366, rel=1e-4)
    assert fitted.log_likelihood == pytest.approx(-1445.675, abs=1e-3)
    assert fitted.aic == pytest.approx(2 * 3 - 2 * fitted.log_likelihood)
    assert fitted.bic == pytest.approx(3 * np.log(235) - 2 * fitted.log_likelihood)
    assert fitted.scale == pytest.approx(113.621, abs=1e-3)
    assert np.sqrt(np.diag(fitted.vcov)) == pytest.approx(list(fitted.std_error.values()))
    ends = fitted.conf_int(0.95)
    tidy = fitted.tidy()
    assert ends["conf_low"] == pytest.approx(tidy["conf_low"]) and ends["conf_high"] == pytest.approx(tidy["conf_high"])
    assert fitted.conf_int(0.5)["conf_low"][1] > ends["conf_low"][1]
    assert fitted.summary() == command("fit", ENGEL, "-f", "foodexp ~ income") == repr(fitted)
    assert "<table>" in fitted._repr_html_() and "income" in fitted._repr_html_()
    assert fitted.glance()["nobs"] == [235.0]


def test_what_is_done_with_a_fit() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL)
    predicted = fitted.predict({"income": [500.0, np.nan]}, interval=0.9)
    assert list(predicted) == ["prediction", "pred_low", "pred_high"]
    assert predicted["prediction"][0] == pytest.approx(147.4754 + 0.48517842 * 500, rel=1e-6)
    assert np.isnan(predicted["prediction"][1])
    rows = fitted.augment()
    assert len(rows["residual"]) == 235 and abs(rows["residual"].sum()) < 1e-8
    assert fitted.evaluate()["rmse"] == pytest.approx(113.6213, abs=1e-4)
    assert any(sentence.startswith("the variance grows with income") for sentence in fitted.diagnose().advice)
    assert "scale=" in " ".join(fitted.diagnose().advice)
    assert fitted.compare().preferred == "gaussian+scale"
    low, high = fitted.profile("income").conf_int
    assert low < fitted.coef["income"] < high
    assert len(fitted.profile("income", points=5).curve["value"]) == 5
    assert fitted.refit(noise="laplace").noise == "laplace"


def test_several_quantiles_stand_apart() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, noise="quantile:0.1,0.9")
    with pytest.raises(nf.UsageError, match="`fits` has that of each quantile"):
        fitted.coef
    low, high = fitted.fits
    assert low.noise == "quantile:0.1" and low.coef["income"] < high.coef["income"]
    assert fitted.tidy()["noise"][:2] == ["quantile:0.1", "quantile:0.1"]
    assert list(fitted.predict({"income": [500.0]})) == ["q0.1", "q0.9"]


def test_a_modelled_scale_and_a_noise_that_is_found_out() -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, scale="~ log(income)")
    assert set(fitted.tidy()["part"]) == {"location", "scale"}
    assert list(fitted.predict({"income": [500.0]}, interval=0.5)) == ["prediction", "pred_low", "pred_high", "scale"]
    rng = np.random.default_rng(7)
    x = rng.normal(size=1000)
    for noise, drawn in (("laplace", rng.laplace(size=1000)), ("student-t", rng.standard_t(2.5, size=1000))):
        data = {"y": 1 + 2 * x + drawn, "x": x}
        assert nf.fit("y ~ x", data, noise="auto").noise == nf.compare("y ~ x", data).preferred == noise


def test_saved_loaded_and_pickled_without_data(tmp_path: Path) -> None:
    fitted = nf.fit("foodexp ~ income", read(ENGEL), vcov="hc3", conformal="split", seed=1)
    path = tmp_path / "model.json"
    fitted.save(path)
    new = {"income": [400.0, 900.0]}
    for other in (nf.load(path), pickle.loads(pickle.dumps(fitted))):
        assert other.coef == fitted.coef
        assert other.predict(new, interval=0.9)["pred_low"].tolist() == fitted.predict(new, interval=0.9)["pred_low"].tolist()
        with pytest.raises(nf.UsageError, match="without its table"):
            other.augment()
        assert other.evaluate(read(ENGEL))["rmse"] == fitted.evaluate()["rmse"]
    assert len(pickle.dumps(fitted)) < 20_000
    assert json.loads(command("fit", ENGEL, "-f", "foodexp ~ income", "--format", "json"))["nobs"] == 235


def test_networks_ensembles_and_export(tmp_path: Path) -> None:
    fitted = nf.fit("foodexp ~ income", ENGEL, model="network", hidden=(4,), epochs=30, ensemble=2, noise="student-t:4", seed=3)
    assert set(fitted.predict({"income": [500.0]})) >= {"prediction", "sd_epistemic"}
    assert fitted.to_dict()["hidden"] == [4]
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded.to_dict() == fitted.to_dict()
    with pytest.raises(nf.UsageError, match="has no coefficients"):
        fitted.coef
    exported = fitted.export(tmp_path / "model.onnx", safetensors=tmp_path / "model.safetensors")
    assert (tmp_path / "model.onnx").exists() and exported["outputs"]
    line = nf.fit("foodexp ~ income", ENGEL, solver="train", epochs=50)
    assert line.coef["income"] == pytest.approx(0.485, abs=0.1)


def test_tables_beside_a_fit(tmp_path: Path) -> None:
    assert nf.describe(ENGEL)["rows"] == 235
    assert nf.describe({"x": [1.0, 2.0, None]}, "x")["columns"][0]["missing"] == 1
    told = nf.loss({"y": [1.0, 2.0, 4.0], "mu": [1.0, 1.0, 1.0]}, truth="y", prediction="mu")
    assert told.means["mse"] == pytest.approx(10 / 3) and told.means["mae"] == pytest.approx(4 / 3)
    output = tmp_path / "predicted.csv"
    fitted = nf.fit("foodexp ~ income", ENGEL)
    assert fitted.predict(ENGEL, keep="income", output=output) is None
    assert output.read_text().splitlines()[0] == "income,prediction"


def test_paths_patterns_and_how_they_are_read(tmp_path: Path) -> None:
    text = Path(ENGEL).read_text().splitlines()
    (tmp_path / "a.csv").write_text("\n".join(text[:100]) + "\n")
    (tmp_path / "b.csv").write_text("\n".join([text[0], *text[100:]]) + "\n")
    whole = nf.fit("foodexp ~ income", ENGEL)
    for data in (str(tmp_path / "*.csv"), tmp_path, [tmp_path / "a.csv", tmp_path / "b.csv"]):
        assert nf.fit("foodexp ~ income", data).nobs == whole.nobs
    semicolons = tmp_path / "c.txt"
    semicolons.write_text("\n".join(line.replace(",", ";") for line in text[1:]))
    assert nf.fit("V2 ~ V1", semicolons, delimiter=";", header=False, input_format="csv").nobs == 235


@pytest.mark.skipif(shutil.which("noisefit") is None and not Path(sys.prefix, "bin", "noisefit").exists(), reason="no script")
def test_the_package_brings_the_command() -> None:
    script = Path(sys.prefix, "bin", "noisefit")
    told = subprocess.run([script, "fit", ENGEL, "-f", "foodexp ~ income"], capture_output=True, text=True, check=True).stdout
    assert told == nf.fit("foodexp ~ income", ENGEL).summary()
    wrong = subprocess.run([script, "fit", "nowhere.csv", "-f", "y ~ x"], capture_output=True, text=True)
    assert wrong.returncode == 1 and "nowhere.csv" in wrong.stderr
    assert subprocess.run([script, "--version"], capture_output=True, text=True).stdout.split() == ["noisefit", nf.__version__]


def test_hypotheses_are_tested() -> None:
    fitted = nf.fit("mpg ~ wt + hp", "testdata/mtcars.csv", vcov="cluster:carb")
    tests = fitted.test("wt = -3", "wt, hp", eval="wt/hp")["tests"]
    assert [test["test"] for test in tests] == ["t", "F", "t"]
    assert tests[0]["estimate"] == fitted.tidy()["estimate"][1]
    ratio = fitted.test("hp", lr=True)["tests"][0]
    assert ratio["likelihood_ratio"] > 0
    wild = fitted.test("hp", wild=True)
    # Every draw of signs of six clusters; wildboottest has the same.
    assert wild["drawn"]["draws"] == 64 and wild["tests"][0]["p_value"] == 0.0625
