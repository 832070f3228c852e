"""Charts, reports, derivations and tables are those of the command."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

import noisefit as nf

ENGEL = "testdata/engel.csv"


def command(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "noisefit", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def fitted() -> nf.Fitted:
    return nf.fit("foodexp ~ income", ENGEL)


def test_charts_are_their_data(fitted: nf.Fitted, tmp_path: Path) -> None:
    (residuals,) = fitted.charts(kind="residuals")
    measured = fitted.augment()
    (points,) = (series for series in residuals.to_dict()["series"] if series["mark"] == "points")
    drawn = {column["name"]: column["values"] for column in points["columns"]}
    assert drawn["residual"] == pytest.approx(measured["residual"], rel=1e-9)
    assert drawn["fitted"] == pytest.approx(measured["fitted"], rel=1e-9)
    assert {"residuals", "quantiles", "data"} <= {chart.kind for chart in fitted.charts()}
    picture = xml.etree.ElementTree.fromstring(residuals.svg(width=800, dark=True))
    assert picture.tag.endswith("svg") and residuals._repr_html_() == residuals.svg()
    fitted.save(tmp_path / "model.json")
    for ending, text in ((".csv", residuals.csv()), (".svg", residuals.svg())):
        residuals.save(tmp_path / f"chart{ending}")
        assert (tmp_path / f"chart{ending}").read_text() == text
    told = command("plot", "residuals", str(tmp_path / "model.json"), ENGEL, "--data", "--points", "500")
    assert told == residuals.csv()
    residuals.save(tmp_path / "chart.json")
    assert json.loads((tmp_path / "chart.json").read_text()) == residuals.to_dict()
    with pytest.raises(nf.UsageError, match="a picture ends in"):
        residuals.save(tmp_path / "chart.png")
    with pytest.raises(nf.UsageError, match='kind="trees": there are'):
        fitted.charts(kind="trees")
    with pytest.raises(nf.UsageError, match="pixels wide"):
        residuals.svg(width=1)


def test_reports_are_pages(fitted: nf.Fitted, tmp_path: Path) -> None:
    compared, profiled = fitted.compare(folds=0), fitted.profile("income", points=11)
    for result in (fitted, compared, fitted.diagnose(), profiled):
        page = result.report()
        assert page is not None and page.startswith("<!doctype html>") and "--" + "scale" not in page
        assert result.report(tmp_path / "page.html") is None and (tmp_path / "page.html").read_text() == page
        assert result.charts()
    assert {chart.kind for chart in profiled.charts()} == {"likelihood", "shape"}
    assert "aic" in {chart.kind for chart in compared.charts()}
    loaded = fitted.without_data()
    with pytest.raises(nf.UsageError, match="without its table"):
        loaded.report()
    assert loaded.report(data=ENGEL)


def test_derivations_and_tables(fitted: nf.Fitted, tmp_path: Path) -> None:
    assert nf.explain("laplace") == command("explain", "laplace")
    assert "113.6213" in fitted.explain() and "\\" in fitted.explain(format="latex")
    with pytest.raises(nf.UsageError, match='noise="laplac"'):
        nf.explain("laplac")
    paths = []
    for name, noise in (("mean", "gaussian"), ("median", "laplace")):
        paths.append(str(tmp_path / f"{name}.json"))
        fitted.refit(noise=noise).save(paths[-1])
    for form in ("text", "markdown", "latex", "typst", "html"):
        models = {"mean": fitted, "median": fitted.refit(noise="laplace")}
        assert nf.tabulate(models, format=form, stars=True) == command("table", *paths, "--format", form, "--stars")
    with pytest.raises(nf.UsageError, match="format"):
        nf.tabulate({"mean": fitted}, format="word")
