"""Effects and fits of groups: the command's numbers, as records and frames."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import noisefit as nf

CARS = "testdata/mtcars.csv"


def command(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "noisefit", *words], capture_output=True, text=True, check=True).stdout


def test_effects_are_those_of_the_command(tmp_path: Path) -> None:
    fitted = nf.fit("mpg ~ wt*hp + C(cyl)", CARS, vcov="hc3")
    fitted.save(tmp_path / "model.json")
    for words, keywords in [
        ([], {}),
        (["--of", "predictions", "--by", "cyl"], {"of": "predictions", "by": "cyl"}),
        (["--at", "wt=2,3", "cyl=4", "--variables", "hp"], {"at": ["wt=2,3", "cyl=4"], "variables": "hp"}),
        (["--of", "comparisons", "--variables", "wt=sd,cyl=pairwise"], {"of": "comparisons", "variables": ["wt=sd", "cyl=pairwise"]}),
        (["--slope", "eyex", "--at", "mean", "--level", "0.9"], {"slope": "eyex", "at": "mean", "level": 0.9}),
    ]:
        told = json.loads(command("effects", str(tmp_path / "model.json"), CARS, "--format", "json", *words))
        assert fitted.effects(**keywords).to_dict() == told
    frame = fitted.effects(of="predictions", by="cyl").frame
    assert list(frame["cyl"]) == ["4", "6", "8"]
    assert len(frame["estimate"]) == 3


def test_groups_are_those_of_the_command_and_of_fits_apart() -> None:
    rows = list(csv.DictReader(command("fit", CARS, "-f", "mpg ~ wt", "--by", "cyl,am", "--format", "csv").splitlines()))
    found = nf.fit("mpg ~ wt", CARS, by=["cyl", "am"])
    assert [row["term"] for row in rows] == list(found["term"])
    for name in ("cyl", "estimate", "std_error", "p_value"):
        assert [float(row[name]) if row[name] else None for row in rows] == [
            None if value != value else value for value in found[name]
        ], name
    with open(CARS, newline="") as file:
        cars = list(csv.DictReader(file))
    own = {name: np.array([float(car[name]) for car in cars if car["cyl"] == "4" and car["am"] == "1"]) for name in ("mpg", "wt")}
    alone = nf.fit("mpg ~ wt", own)
    places = [i for i in range(len(found["term"])) if found["cyl"][i] == 4 and found["am"][i] == 1]
    # Numbers of arrays are doubles, those of the file the decimals that they are written as.
    assert [found["estimate"][i] for i in places] == pytest.approx(list(alone.coef.values()), rel=1e-12)


def test_a_group_without_a_fit_is_a_row_and_a_warning() -> None:
    data = {"g": ["a"] * 4 + ["b"] * 2, "x": [1.0, 2, 3, 4, 1, 0], "y": [1.0, 3, 2, 4, 1, 2]}
    with pytest.warns(nf.DataWarning, match="1 without a fit"):
        found = nf.fit("y ~ log(x)", data, by="g")
    assert list(found["g"]) == ["a", "a", "b"]
    assert "log(x) is -inf" in found["error"][2]
    glance = nf.fit("y ~ x", data, by="g", glance=True)
    assert list(glance["nobs"]) == [4, 2]
    with pytest.raises(nf.UsageError, match="glance goes with by"):
        nf.fit("y ~ x", data, glance=True)


def test_frames_come_back_as_they_were_given() -> None:
    pandas = pytest.importorskip("pandas")
    data = pandas.DataFrame({"g": list("aabbab"), "x": [1.0, 2, 3, 4, 5, 7], "y": [1.0, 3, 2, 4, 1, 2], "unused": list("uvwxyz")})
    found = nf.fit("y ~ x", data, by="g")
    assert isinstance(found, pandas.DataFrame)
    assert list(found.columns[:4]) == ["g", "noise", "part", "term"]


def test_noise_models_of_groups_are_those_of_the_command() -> None:
    words = ["compare", CARS, "-f", "mpg ~ wt", "--by", "am", "--noise", "gaussian,laplace", "--folds", "0", "--format", "csv"]
    rows = list(csv.DictReader(command(*words).splitlines()))
    found = nf.compare("mpg ~ wt", CARS, by="am", noise=["gaussian", "laplace"], folds=0)
    assert [row["model"] for row in rows] == list(found["model"])
    assert sorted(found["model"]) == ["gaussian"] * 2 + ["laplace"] * 2
    assert [float(row["aic"]) for row in rows] == list(found["aic"])
