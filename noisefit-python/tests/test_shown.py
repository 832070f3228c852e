"""Charts, reports, derivations and tables are those of the command."""

from __future__ import annotations

import json
import re
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
    # Names within a picture are those of its kind where several may stand on one page.
    for ending, text in ((".csv", residuals.csv()), (".svg", residuals.svg().replace("residuals-clip", "chart-clip"))):
        residuals.save(tmp_path / f"chart{ending}")
        assert (tmp_path / f"chart{ending}").read_text() == text
    told = command("plot", "residuals", str(tmp_path / "model.json"), ENGEL, "--data", "--points", "500")
    assert told == residuals.csv()
    residuals.save(tmp_path / "chart.json")
    assert json.loads((tmp_path / "chart.json").read_text()) == [residuals.to_dict()]
    residuals.save(tmp_path / "chart.png", dpi=96, width=480, height=320)
    assert (tmp_path / "chart.png").read_bytes()[16:24] == (480).to_bytes(4, "big") + (320).to_bytes(4, "big")
    residuals.save(tmp_path / "chart.pdf")
    assert (tmp_path / "chart.pdf").read_bytes().startswith(b"%PDF-")
    with pytest.raises(nf.UsageError, match=r"chart\.gif: a picture ends in"):
        residuals.save(tmp_path / "chart.gif")
    with pytest.raises(nf.UsageError, match="dpi=1: a PNG has from"):
        residuals.save(tmp_path / "chart.png", dpi=1)
    with pytest.raises(nf.UsageError, match='kind="trees": there are'):
        fitted.charts(kind="trees")
    with pytest.raises(nf.UsageError, match="pixels wide"):
        residuals.svg(width=1)


def test_charts_have_names(fitted: nf.Fitted) -> None:
    residuals = fitted.plot.residuals()
    assert residuals.csv() == fitted.charts(kind="residuals")[0].csv() == fitted.plot("residuals").csv()
    assert fitted.plot.scale_location(points=100).kind == "scale-location"
    assert len(fitted.plot.data(ENGEL, level=0.5).svg()) > 1000
    lines = fitted.compare(folds=0).plot.lines()
    assert len(lines) > 2 and lines._repr_html_().count("<svg") == len(lines)
    assert fitted.profile("income", points=11).plot.likelihood().kind == "likelihood"
    with pytest.raises(AttributeError, match="there is no chart trees; there are coefficients, data"):
        fitted.plot.trees()
    # Every chart of the page but those of the families has a name here.
    rows = Path("docs/report.md").read_text().partition("| kind |")[2].partition("\n\n")[0].splitlines()
    kinds = {kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row.split("|")[1] if row.startswith("| `") else "")}
    assert kinds - {"losses", "gradients", "densities"} == {name.replace("_", "-") for name in dir(fitted.plot)}


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


def test_nothing_is_written_over_what_was_read(tmp_path: Path) -> None:
    data, model = tmp_path / "engel.csv", tmp_path / "model.json"
    data.write_text(Path(ENGEL).read_text())
    fitted = nf.fit("foodexp ~ income", data)
    fitted.save(model)
    (tmp_path / "same.csv").symlink_to(data)
    held = data.read_bytes(), model.read_bytes()
    loaded = nf.load(model)
    for result in (fitted, fitted.compare(folds=0), fitted.diagnose(), fitted.profile("income", points=11)):
        for path in (data, tmp_path / "same.csv"):
            with pytest.raises(nf.UsageError, match="that is a file of the data"):
                result.report(path)
            with pytest.raises(nf.UsageError, match="that is a file of the data"):
                result.charts()[0].save(path)
    with pytest.raises(nf.UsageError):
        loaded.report(model, data=data)
    with pytest.raises(nf.UsageError):
        loaded.charts(data)[0].save(model)
    assert (data.read_bytes(), model.read_bytes()) == held
    # What cannot be written is said, and no half of it is left.
    with pytest.raises(nf.DataError, match="nowhere"):
        fitted.report(tmp_path / "nowhere" / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engel.csv", "model.json", "same.csv"]


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
        assert nf.table(models, format=form, stars=True) == command("table", *paths, "--format", form, "--stars")
    assert nf.table([fitted, fitted.refit(noise="laplace")]).splitlines()[0].split() == ["(1)", "(2)"]
    with pytest.raises(nf.UsageError, match="format"):
        nf.table({"mean": fitted}, format="word")
