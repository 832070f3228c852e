"""What was found, to be looked at: charts, report pages, derivations, tables for papers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from noisefit import _noisefit
from noisefit._errors import UsageError

if TYPE_CHECKING:
    from noisefit._fitted import Fitted


#: The charts of fits, comparisons and profiles.
KINDS = (
    "coefficients", "data", "observed", "residuals", "scale-location", "quantiles", "histogram", "leverage", "pit", "calibration",
    "partial", "aic", "log-score", "lines", "likelihood", "shape", "loss", "traces",
)  # fmt: skip


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
        _check_size(width, height)
        return self._inner.svg(width, height, dark)

    def csv(self) -> str:
        """Give its data, a row for each point."""
        return self._inner.csv()

    def to_dict(self) -> dict[str, Any]:
        """Give its data with axes and marks."""
        return cast("dict[str, Any]", json.loads(self._inner.record()))

    def save(
        self, path: str | os.PathLike[str], *, width: float = 640, height: float = 420, dpi: float = 192, dark: bool = False
    ) -> None:
        """Write it as .svg, .png or .pdf, or its data as .csv or .json; over no file that it was drawn of.

        Parameters
        ----------
        path
            The file, whose ending says what is in it.
        width, height
            In 96ths of an inch.
        dpi
            Pixels of an inch of a PNG.
        dark
            Whether it is on dark ground.
        """
        _check_size(width, height)
        if not 24 <= dpi <= 1200:
            raise UsageError(f"dpi={dpi:g}: a PNG has from 24 to 1200 pixels to the inch")
        self._inner.save(path, width, height, dpi, dark)

    def __repr__(self) -> str:
        return self._inner.words()

    def _repr_html_(self) -> str:
        return self.svg()


class Charts(list[Chart]):
    """Several charts, which a notebook shows below each other."""

    def _repr_html_(self) -> str:
        return "\n".join(chart.svg() for chart in self)


class Plot:
    """The charts of a result, each by its name: `fitted.plot.residuals()`.

    A method gives a `Chart`, of partial residuals, traces and lines several; it takes what `charts` of the result takes.
    """

    def __init__(self, draw: Callable[..., list[Chart]]) -> None:
        self._draw = draw

    def __call__(self, kind: str, *more: Any, **settings: Any) -> Chart | Charts:
        """Draw the chart of a kind, by the name that `noisefit plot` has for it."""
        drawn = self._draw(*more, kind=kind, **settings)
        return drawn[0] if len(drawn) == 1 else Charts(drawn)

    def __getattr__(self, name: str) -> Callable[..., Chart | Charts]:
        kind = name.replace("_", "-")
        if kind not in KINDS:
            raise AttributeError(f"there is no chart {name}; there are {', '.join(self.__dir__())}")
        return partial(self, kind)

    def __dir__(self) -> list[str]:
        return [kind.replace("-", "_") for kind in KINDS]


def charts_of(made: list[_noisefit.Chart], kind: str | None) -> list[Chart]:
    """Make charts of those that were made, all or those of a kind."""
    known = list(dict.fromkeys(chart.kind for chart in made))
    if kind is not None and kind not in known:
        raise UsageError(f'kind="{kind}": there are {", ".join(known)}')
    return [Chart(chart) for chart in made if kind is None or chart.kind == kind]


def _check_size(width: float, height: float) -> None:
    if not (240 <= width <= 4000 and 180 <= height <= 4000):
        raise UsageError("a chart is from 240 to 4000 pixels wide, and from 180 to 4000 high")


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


def table(models: Mapping[str, Fitted] | Sequence[Fitted], *, format: str | None = None, stars: bool = False) -> str:
    """Set fitted models side by side, as papers print them.

    Parameters
    ----------
    models
        The models by their headings; or a list of them, whose headings are (1), (2), ...
    format
        `text` (default), `markdown`, `latex`, `typst` or `html`.
    stars
        Stars at estimates by their p-values: * below 0.05, ** below 0.01, *** below 0.001.

    Examples
    --------
    >>> import noisefit as nf
    >>> fitted = nf.fit("foodexp ~ income", "testdata/engel.csv")
    >>> print(nf.table({"mean": fitted, "median": fitted.refit(noise="laplace")}, format="markdown").splitlines()[4])
    | income | 0.4852 | 0.5602 |
    """
    named = models.items() if isinstance(models, Mapping) else ((f"({place + 1})", model) for place, model in enumerate(models))
    inner = [(str(name), fitted._inner) for name, fitted in named]
    if not inner:
        raise UsageError("there is no model to set in a table")
    return _noisefit.tabulate(inner, {"format": format, "stars": stars})
