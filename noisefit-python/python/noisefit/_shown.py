"""What was found, to be looked at: charts, report pages, derivations, tables for papers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from noisefit import _noisefit
from noisefit._errors import UsageError

if TYPE_CHECKING:
    from noisefit._fitted import Fitted


class Chart:
    """A chart: its data, which a notebook shows as a picture."""

    def __init__(self, inner: _noisefit.Chart) -> None:
        self._inner = inner

    @property
    def kind(self) -> str:
        """What it is: `residuals`, `quantiles`, `likelihood`, ..., as the command `noisefit plot` names it."""
        return self._inner.kind

    def svg(self, *, width: float = 640, height: float = 420, dark: bool = False) -> str:
        """Draw it, so many pixels wide and high."""
        if not (240 <= width <= 4000 and 180 <= height <= 4000):
            raise UsageError("a chart is from 240 to 4000 pixels wide, and from 180 to 4000 high")
        return self._inner.svg(width, height, dark)

    def csv(self) -> str:
        """Give its data, a row for each point."""
        return self._inner.csv()

    def to_dict(self) -> dict[str, Any]:
        """Give its data with axes and marks."""
        return cast("dict[str, Any]", json.loads(self._inner.record()))

    def save(self, path: str | os.PathLike[str], *, width: float = 640, height: float = 420, dark: bool = False) -> None:
        """Write it as .svg, or its data as .csv or .json."""
        ending = os.path.splitext(os.fspath(path))[1]
        if ending == ".svg":
            text = self.svg(width=width, height=height, dark=dark)
        elif ending == ".csv":
            text = self.csv()
        elif ending == ".json":
            text = self._inner.record() + "\n"
        else:
            raise UsageError(f"{os.fspath(path)}: a picture ends in .svg, its data in .csv or .json")
        Path(path).write_text(text, encoding="utf-8")

    def __repr__(self) -> str:
        return self._inner.words()

    def _repr_html_(self) -> str:
        return self.svg()


def charts_of(made: list[_noisefit.Chart], kind: str | None) -> list[Chart]:
    """Make charts of those that were made, all or those of a kind."""
    known = list(dict.fromkeys(chart.kind for chart in made))
    if kind is not None and kind not in known:
        raise UsageError(f'kind="{kind}": there are {", ".join(known)}')
    return [Chart(chart) for chart in made if kind is None or chart.kind == kind]


def page_to(path: str | os.PathLike[str] | None, page: str) -> str | None:
    """Write a page, or give it back where there is no path."""
    if path is None:
        return page
    Path(path).write_text(page, encoding="utf-8")
    return None


def charts(kind: str | None = None) -> list[Chart]:
    """Draw the noise families: their `losses`, `gradients` and `densities`.

    Examples
    --------
    >>> import noisefit as nf
    >>> [chart.kind for chart in nf.charts()]
    ['losses', 'gradients', 'densities']
    """
    return charts_of(_noisefit.family_charts(), kind)


def explain(noise: str, *, format: str | None = None) -> str:
    """Derive the loss, the estimator and the scale from the density of a noise: as `text`, `html` or `latex`.

    Examples
    --------
    >>> import noisefit as nf
    >>> "median" in nf.explain("laplace")
    True
    """
    return _noisefit.explain(noise, {"format": format})


def tabulate(models: Mapping[str, Fitted], *, format: str | None = None, stars: bool = False) -> str:
    """Set fitted models side by side, as papers print them.

    Parameters
    ----------
    models
        The models by their headings.
    format
        `text` (default), `markdown`, `latex`, `typst` or `html`.
    stars
        Stars at estimates by their p-values: * below 0.05, ** below 0.01, *** below 0.001.

    Examples
    --------
    >>> import noisefit as nf
    >>> fitted = nf.fit("foodexp ~ income", "testdata/engel.csv")
    >>> print(nf.tabulate({"mean": fitted, "median": fitted.refit(noise="laplace")}, format="markdown").splitlines()[4])
    | income | 0.4852 | 0.5602 |
    """
    inner = [(str(name), fitted._inner) for name, fitted in models.items()]
    if not inner:
        raise UsageError("there is no model to set in a table")
    return _noisefit.tabulate(inner, {"format": format, "stars": stars})
