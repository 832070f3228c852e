"""What was found of a model or a table beside a fit: records with a summary."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from noisefit import _noisefit, _progress
from noisefit._errors import warn
from noisefit._frames import Like, preformatted
from noisefit._shown import Chart, Plot, charts_of


class Found(Mapping[str, Any]):
    """A record, whose fields are those of the command's `--format json`; it prints as its summary."""

    def __init__(self, found: _noisefit.Found, like: Like) -> None:
        warn(found.warnings, stacklevel=4)
        self._record: dict[str, Any] = json.loads(found.record)
        self._found = found
        self._summary = found.summary
        self._advice = found.advice
        self._like = like

    def __getitem__(self, name: str) -> Any:
        return self._record[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)

    def to_dict(self) -> dict[str, Any]:
        """Give the record as dicts, lists, numbers and text."""
        return self._record

    def summary(self) -> str:
        """Give the summary for people."""
        return self._summary

    def __repr__(self) -> str:
        return self._summary

    def _repr_html_(self) -> str:
        return preformatted(self._summary)


class Shown(Found):
    """A result with charts and a report."""

    def charts(
        self, *, kind: str | None = None, points: int | None = None, seed: int | None = None, progress: bool | None = None
    ) -> list[Chart]:
        """Draw it: all of its charts, or those of a kind; of many rows so many `points`, drawn from `seed`."""
        with _progress.shown(progress) as shown:
            return charts_of(self._found.charts({"points": points, "seed": seed}, shown), kind)

    @property
    def plot(self) -> Plot:
        """The charts by their names: `compared.plot.aic()`, `profiled.plot.likelihood()`."""
        return Plot(self.charts)

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        points: int | None = None,
        seed: int | None = None,
        progress: bool | None = None,
    ) -> str | None:
        """Write its report, one HTML page with tables and charts; without a path it comes back as text."""
        with _progress.shown(progress) as shown:
            return self._found.report({"points": points, "seed": seed}, path, shown)


class Comparison(Shown):
    """Noise models side by side."""

    @property
    def preferred(self) -> str | None:
        """The model that the data prefer, such as `student-t+scale`; None where none can be."""
        return self._advice[0] if self._advice else None

    @property
    def models(self) -> Any:
        """A frame of the models, the best first, with their likelihoods."""
        rows: list[dict[str, Any]] = self._record["models"]
        names = [name for name in rows[0] if not isinstance(rows[0][name], (dict, list))] if rows else []
        return self._like.frame({name: [row.get(name) for row in rows] for name in names})


class Diagnosis(Shown):
    """A fit that was looked at."""

    @property
    def advice(self) -> list[str]:
        """What to do about it, in sentences, the gravest first."""
        return list(self._advice)


class Profile(Shown):
    """The likelihood and the loss along one coefficient."""

    @property
    def conf_int(self) -> tuple[float, float]:
        """The ends of the profile-likelihood interval; infinite where it is open."""
        low, high = self._record["conf_low"], self._record["conf_high"]
        return (float("-inf") if low is None else low, float("inf") if high is None else high)

    @property
    def curve(self) -> Any:
        """A frame of the values of the coefficient, the negative log-likelihood and the loss."""
        rows = self._record["points"]
        return self._like.frame({name: [row[name] for row in rows] for name in ("value", "nll", "loss")})


class Evaluation(Found):
    """Scores of a model."""


class Tests(Found):
    """Tests of hypotheses; `tests` has a dict for each."""


class Effects(Found):
    """Average predictions, slopes or comparisons; `effects` has a dict for each."""

    @property
    def frame(self) -> Any:
        """A frame of the averages: groups and values that were set, `term`, `contrast`, `estimate`, `std_error`, ..."""
        rows: list[dict[str, Any]] = [
            {**row.get("by", {}), **row.get("at", {}), **{name: value for name, value in row.items() if name not in ("by", "at")}}
            for row in self._record["effects"]
        ]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return self._like.frame({name: [row.get(name) for row in rows] for name in names})


class Description(Found):
    """What is in the columns of a table."""


class Losses(Found):
    """Every loss of predictions, and the noise that they imply."""

    @property
    def means(self) -> dict[str, float]:
        """The mean over the rows of every loss, by its name."""
        return {row["loss"]: float(row["mean"]) for row in self._record["losses"] if row["mean"] is not None}


class Exported(Found):
    """What was written, and what it takes and gives."""
