"""docs/names.md: what others call it gives the same numbers, row by row, where the other software is installed."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import noisefit as nf

PAGE = (Path(__file__).parents[2] / "docs" / "names.md").read_text()

RNG = np.random.default_rng(11)
N = 120
DATA = {"x1": RNG.normal(size=N), "x2": RNG.normal(size=N), "group": RNG.choice(["a", "b", "c", "d", "e", "f"], size=N)}
DATA["y"] = 1 + DATA["x1"] - 2 * DATA["x2"] + (DATA["group"] == "b") + RNG.normal(size=N)


def rows() -> list[Any]:
    found = []
    for section in PAGE.split("\n## ")[1:]:
        library, _, text = section.partition("\n")
        for line in text.splitlines():
            if line.startswith("| `"):
                theirs, ours = (cell.strip().strip("`") for cell in line.strip("| ").split(" | "))
                found.append(pytest.param(library, theirs, ours, id=f"{library}: {theirs}"))
    return found


def names(library: str) -> dict[str, Any]:
    """What the expressions of a library's rows name."""
    X = np.column_stack([DATA["x1"], DATA["x2"]])
    found: dict[str, Any] = {
        "nf": nf, "np": np, "data": DATA, "X": X, "A": np.column_stack([np.ones(N), X]), "y": DATA["y"], "mu": X @ [0.9, -1.8],
        "w": 0.5 + np.abs(DATA["x1"]),
    }  # fmt: skip
    if library == "statsmodels":
        found["sm"] = pytest.importorskip("statsmodels.api")
        found["smf"] = pytest.importorskip("statsmodels.formula.api")
    elif library == "scikit-learn":
        linear, metrics = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.metrics")
        from noisefit.sklearn import NoiseRegressor, QuantileRegressor

        found |= {name: getattr(metrics, name) for name in dir(metrics)} | {
            "LinearRegression": linear.LinearRegression, "SkQuantileRegressor": linear.QuantileRegressor,
            "NoiseRegressor": NoiseRegressor, "QuantileRegressor": QuantileRegressor,
        }  # fmt: skip
    elif library == "PyTorch":
        torch = pytest.importorskip("torch", reason="PyTorch is not installed")
        from noisefit.torch import NoiseLoss

        found |= {"nn": torch.nn, "t": torch.tensor, "NoiseLoss": NoiseLoss}
    elif library == "pyfixest":
        found["pf"] = pytest.importorskip("pyfixest")
        found["frame"] = pytest.importorskip("pandas").DataFrame(DATA)
    return found


def of_r(expression: str, folder: Path) -> Any:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    table = [",".join(DATA), *(",".join(str(DATA[name][i]) for name in DATA) for i in range(N))]
    (folder / "data.csv").write_text("\n".join(table))
    code = f'data <- read.csv("data.csv"); cat(format(unname({expression}), digits = 17), sep = "\\n")'
    told = subprocess.run(["Rscript", "-e", code], cwd=folder, capture_output=True, text=True, check=True).stdout
    return np.array([float(number) for number in told.split()])


@pytest.mark.parametrize(("library", "theirs", "ours"), rows())
def test_both_names_give_the_same_numbers(library: str, theirs: str, ours: str, tmp_path: Path) -> None:
    known = names(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [of_r(theirs, tmp_path) if library == "R" else eval(theirs, known), eval(ours, known)]
    one, other = (np.atleast_1d(list(value.values()) if isinstance(value, dict) else value).astype(float) for value in found)
    # Linear programmes and gradients of theirs stop at a tolerance, least squares does not.
    assert other == pytest.approx(one, rel=1e-5 if "uant" in theirs else 1e-8, abs=1e-6 if "uant" in theirs else 1e-10)


def test_every_library_has_rows() -> None:
    assert {row.values[0] for row in rows()} == {"statsmodels", "scikit-learn", "PyTorch", "pyfixest", "R"}
