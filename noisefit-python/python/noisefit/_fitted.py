"""A model that was fitted, or loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from noisefit import _noisefit, _progress
from noisefit._errors import UsageError, warn
from noisefit._found import Comparison, Diagnosis, Effects, Evaluation, Exported, Profile, Tests
from noisefit._frames import Like
from noisefit._numbers import Numbers
from noisefit._shown import Chart, Plot, charts_of
from noisefit._table import table

if TYPE_CHECKING:
    from noisefit._engines._engine import Engine


class Fitted(Numbers):
    """A fitted model: coefficients with their uncertainty, the complete likelihood, and what can be done with them.

    It refers to the data that it was fitted to, and never copies them; pickled or saved it is without them. What needs data
    (`augment`, `diagnose`, `evaluate`, `compare`, `profile`) uses those of the fit, or `data=` that are given.

    Examples
    --------
    >>> import noisefit as nf
    >>> fitted = nf.fit("foodexp ~ income", "testdata/engel.csv")
    >>> round(fitted.coef["income"], 7)
    0.4851784
    >>> fitted.nobs
    235
    """

    def __init__(
        self,
        inner: _noisefit.Fitted,
        like: Like,
        data: Any = None,
        made: _noisefit.Table | None = None,
        asked: dict[str, Any] | None = None,
        record: str | None = None,
        passes: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(inner, like, record)
        self._passes = passes
        self._data = data
        self._table = made
        self._asked = asked

    @property
    def passes(self) -> dict[str, Any] | None:
        """What the passes of the fit have cost, where an engine's workers made them: how many there were, over how many partitions and
        records, bytes sent and received, seconds; whether the engine kept the rows meanwhile."""
        return self._passes

    def summary(self, all_terms: bool = False) -> str:
        """Give the summary for people, as the command prints it.

        Parameters
        ----------
        all_terms
            Whether the levels of a category with more than 20 coefficients have a line each; else they are one line with their joint test.
        """
        return super().summary(all_terms) + _told(self._passes)

    @property
    def fits(self) -> list[Fitted]:
        """Each of several quantiles as a model of its own."""
        return [Fitted(inner, self._like, self._data, self._table, self._asked) for inner in self._inner.apart()]

    def inflations(self, data: Any = None) -> Any:
        """Give a frame with the variance inflation factor of every term: `term, df, gvif, gvif_per_df`.

        Of a term of several coefficients it is the generalised one (Fox and Monette 1992).
        """
        made, like = self._table_of(data)
        rows = json.loads(self._inner.inflations(made))
        columns: dict[str, Any] = {"term": [row["term"] for row in rows], "df": [row["df"] for row in rows]}
        columns |= {ours: [row[name] for row in rows] for ours, name in (("gvif", "gvif"), ("gvif_per_df", "per_df"))}
        return like.frame(columns)

    def _table_of(self, data: Any) -> tuple[_noisefit.Table | None, Like]:
        if data is not None:
            return table(data, {})
        return self._table, self._like

    def predict(
        self,
        new: Any = None,
        *,
        interval: float | Sequence[float] | None = None,
        kind: str | None = None,
        unseen: str | None = None,
        undefined: str | None = None,
        name: str | None = None,
        back: str | None = None,
        quantiles: float | Sequence[float] | None = None,
        density: bool = False,
        above: float | Sequence[float] | None = None,
        below: float | Sequence[float] | None = None,
        spread: bool = False,
        outside: bool = False,
        samples: int | None = None,
        seed: int | None = None,
        keep: Sequence[str] | str | None = None,
        keep_all: bool = False,
        output: str | os.PathLike[str] | None = None,
        progress: bool | None = None,
    ) -> Any:
        """Predict the rows of a table.

        Parameters
        ----------
        new
            The rows, of any kind that `fit` takes; those that were fitted where it is None.
        interval
            The level of an interval, or several.
        kind
            `prediction` for a new observation, `confidence` for the location, `conformal` for a new observation whatever the
            noise; the default is `conformal` of a model that was fitted with conformal intervals, else `prediction`.
        unseen
            Levels of a category that the model was not fitted to: `refuse` or `missing`.
        undefined
            Rows in which a term has no value, such as `log(0)`: `missing` or `fail`.
        name
            The name of the prediction, and the beginning of the others'.
        back
            Carry predictions of a transformed response, such as log(y), back to the column itself: its `median` or `mean`.
        quantiles
            Probabilities whose quantiles of a new observation are columns `q0.1`, ...; those of 0.05 and 0.95 are the ends of
            `interval=0.9`. Of a transformed response they, and what follows but for `spread`, are of its own column.
        density
            Whether the logarithm of the predicted density at the response of each row is a column, `log_density`.
        above, below
            Bounds, of each of which the probability of more, or of no more, is a column, `above_50`.
        spread
            Whether standard deviations of a new observation are columns: `sd_total`, of the noise `sd_aleatoric`, and of what
            is not known of the location `sd_epistemic`.
        outside
            Whether it is a column, `outside`, how far a row lies outside the data of the fit: the largest distance of a
            column's value from its range there, in widths of the range.
        samples, seed
            How many new observations are drawn of each row, columns `draw_1`, ..., and what they are drawn from.
        keep, keep_all
            Columns of the table that are carried along into a file.
        output
            A .csv, .tsv or .parquet file to write instead of giving a frame back.

        Returns
        -------
        A frame as the table's: `prediction`, with an interval `pred_low` and `pred_high`, of a modelled scale `scale`; of
        several quantiles `q0.1`, ... A row with a missing value has a missing prediction. None where a file was written.
        """
        made, like = self._table_of(new)
        if made is None:
            raise UsageError("the model was loaded without its table; give new rows")
        if like.engine is not None and (output is not None or progress):
            raise UsageError(f"predictions of a table of {like.engine.name} are columns of its own, which it computes and writes")
        settings = {
            "interval": interval, "kind": kind, "unseen": unseen, "undefined": undefined, "name": name, "back": back,
            "quantiles": quantiles, "density": density, "above": above, "below": below, "spread": spread, "outside": outside,
            "samples": samples, "seed": seed,
            "keep": keep,
            "keep_all": keep_all,
        }  # fmt: skip
        if output is None and (keep or keep_all):
            raise UsageError("keep goes with output alone, which is not given: the rows are those of the frame")
        if like.engine is not None:
            return self._predicted_elsewhere(like.engine, {name: value for name, value in settings.items() if value is not None})
        with _progress.shown(progress) as shown:
            if output is not None:
                warn(self._inner.predict_to(made, settings, output, shown))
                return None
            (names, columns), said = self._inner.predict(made, settings, shown)
        warn(said)
        return like.frame(dict(zip(names, columns, strict=True)), of_rows=True)

    def _predicted_elsewhere(self, engine: Engine, settings: dict[str, Any]) -> Any:
        """The engine's own table, with predictions that its workers make."""
        nothing = _noisefit.Table.stream(next(iter(engine.rows())), {})
        (names, _), said = self._inner.predict(nothing, settings, None)
        warn(said, stacklevel=4)
        return engine.predict(self._inner.to_json(), settings, names)

    def augment(self, data: Any = None, *, progress: bool | None = None) -> Any:
        """Say what was measured of every row: fitted values, residuals, leverages, Cook's distances and the like.

        Returns
        -------
        A frame with a row for each of the data's, missing where the row was left out of the fit.
        """
        made, like = self._table_of(data)
        if like.engine is not None:
            raise UsageError(f"the rows are those of {like.engine.name}, which predicts them: `predict(table)` appends columns there")
        with _progress.shown(progress) as shown:
            names, columns = self._inner.augment(made, shown)
        return like.frame(dict(zip(names, columns, strict=True)), of_rows=True)

    def evaluate(
        self,
        new: Any = None,
        *,
        level: float | None = None,
        missing: str | None = None,
        unseen: str | None = None,
        progress: bool | None = None,
    ) -> Evaluation:
        """Score the model: errors, likelihood, coverage of its prediction intervals at `level` (0.95)."""
        made, like = self._table_of(new)
        settings = {"level": level, "missing": missing, "unseen": unseen}
        return Evaluation(self._called(self._inner.evaluate, made, settings, progress), like)

    def test(
        self,
        *hypotheses: str,
        data: Any = None,
        eval: str | Sequence[str] | None = None,
        lr: bool = False,
        wild: bool = False,
        across: bool = False,
        cluster: str | None = None,
        draws: int | None = None,
        draw_weights: str | None = None,
        adjust: str | None = None,
        level: float | None = None,
        seed: int | None = None,
        progress: bool | None = None,
    ) -> Tests:
        """Test hypotheses about the coefficients: `x1 = x2`, the name of a term, `.`, several with commas between.

        Parameters
        ----------
        hypotheses
            Each is a test; without any, every term is tested.
        data
            The table of the fit, after loading, for `lr`, `wild` and `across`.
        eval
            Functions of the coefficients, by the delta method: `x1/x2`, `exp(income) = 2`.
        lr
            By likelihood ratio, fitting again under each hypothesis.
        across
            Whether coefficients are the same at all quantiles of the model.
        wild, cluster, draws, draw_weights
            By the wild cluster bootstrap of least squares.
        adjust
            How several tests at once are allowed for: `holm`, `bonferroni`, `max-t`.
        level
            The level of the intervals; that of the fit unless given.
        seed
            What is drawn at random is drawn from this number.
        """
        made, like = self._table_of(data)
        settings = {
            "eval": eval, "lr": lr, "wild": wild, "across": across, "cluster": cluster, "draws": draws,
            "draw_weights": draw_weights, "adjust": adjust, "level": level, "seed": seed,
        }  # fmt: skip

        def test(table: Any, settings: dict[str, Any], progress: Any) -> Any:
            return self._inner.test(list(hypotheses), table, settings, progress)

        return Tests(self._called(test, made, settings, progress), like)

    def effects(
        self,
        data: Any = None,
        *,
        of: str | None = None,
        variables: str | Sequence[str] | None = None,
        at: str | Sequence[str] | None = None,
        by: str | Sequence[str] | None = None,
        change: str | float | None = None,
        pairwise: bool = False,
        slope: str | None = None,
        units: str | None = None,
        level: float | None = None,
        unseen: str | None = None,
        progress: bool | None = None,
    ) -> Effects:
        """Average slopes, predictions or comparisons over rows, in the units of the response, with standard errors (delta method).

        Parameters
        ----------
        data
            The rows; those of the fit unless given.
        of
            `slopes` (default: derivatives by numbers, and categories against their reference), `predictions` or `comparisons`.
        variables
            The columns, each perhaps with its change: `["x", "income=sd", "city=pairwise"]`; all of the location unless given.
        at
            Columns that are set in every row, each a text: `["x=1,2", "city=Paris"]` for every combination, `x=mean`; `mean` or
            `median` alone for all other numbers.
        by
            Columns whose groups of rows are averaged apart.
        change
            How a number changes in a comparison: a step, `sd`, `2sd`, `iqr`, `minmax`.
        pairwise
            Whether every pair of a category's levels is compared.
        slope
            `dydx` (default), or by shares: `eyex`, `eydx`, `dyex`.
        units
            Of what of a transformed response: `mean`, `median`, `transformed`.
        level
            The level of the intervals; that of the fit unless given.
        unseen
            Levels of a category that the model was not fitted to: `fail` or `missing`.

        Examples
        --------
        >>> import noisefit as nf
        >>> fitted = nf.fit("mpg ~ wt + I(wt^2)", "testdata/mtcars.csv")
        >>> round(fitted.effects()["effects"][0]["estimate"], 4)
        -5.845
        """
        made, like = self._table_of(data)
        settings = {
            "of": of, "variables": variables, "at": at, "by": by, "change": change, "pairwise": pairwise, "slope": slope,
            "units": units, "level": level, "unseen": unseen,
        }  # fmt: skip
        return Effects(self._called(self._inner.effects, made, settings, progress), like)

    def diagnose(
        self,
        data: Any = None,
        *,
        worst: int | None = None,
        rows: str | os.PathLike[str] | None = None,
        dfbetas: bool = False,
        lags: int | None = None,
        progress: bool | None = None,
    ) -> Diagnosis:
        """Say what is wrong with the model: variance, shape of the noise, form of the mean, rows that stand out.

        Parameters
        ----------
        data
            The table of the fit, after loading.
        worst
            How many of the rows that stand out are listed (10).
        rows
            A file for what was measured of every row; `augment` gives the same as a frame.
        dfbetas
            Whether the file has how far each row moves each coefficient, too.
        lags
            Over how many rows dependence in their order is tested, too.
        """
        made, like = self._table_of(data)
        return Diagnosis(self._called(self._inner.diagnose, made, {"worst": worst, "rows": rows, "dfbetas": dfbetas, "lags": lags}, progress), like)

    def compare(
        self,
        data: Any = None,
        *,
        noise: str | Sequence[str] | None = None,
        folds: int | None = None,
        times: bool = False,
        progress: bool | None = None,
    ) -> Comparison:
        """Set noise models of the fit's formula side by side, and say which the data prefer."""
        made, like = self._table_of(data)
        settings = {"noise": noise, "folds": folds, "times": times}
        return Comparison(self._called(self._inner.compare, made, settings, progress), like)

    def profile(
        self,
        term: str,
        data: Any = None,
        *,
        points: int | None = None,
        range: tuple[float, float] | None = None,
        profile: bool = False,
        progress: bool | None = None,
    ) -> Profile:
        """Follow the likelihood and the loss along one coefficient, and give its profile-likelihood interval.

        Parameters
        ----------
        term
            The term, named as the table of the fit has it.
        points
            The number of values (101).
        range
            The least and the largest value; four standard errors about the estimate unless given.
        profile
            Whether the other parameters are fitted again at every value.
        """
        made, like = self._table_of(data)
        settings = {"term": term, "points": points, "range": range, "profile": profile}
        return Profile(self._called(self._inner.profile, made, settings, progress), like)

    def charts(
        self,
        data: Any = None,
        *,
        kind: str | None = None,
        points: int | None = None,
        seed: int | None = None,
        level: float | None = None,
        progress: bool | None = None,
    ) -> list[Chart]:
        """Draw the model: all of its charts in the order in which they are best read, or those of a kind.

        Parameters
        ----------
        data
            The table of the fit, after loading.
        kind
            `coefficients`, `data`, `residuals`, `quantiles`, ..., as the command `noisefit plot` names them. Those of
            comparisons and profiles are theirs.
        points, seed
            Rows that are drawn, at most (500): of more a random sample, drawn from the seed.
        level
            The level of prediction bands (0.9).
        """
        made, _ = self._table_of(data)
        settings = {"points": points, "seed": seed, "level": level}
        with _progress.shown(progress) as shown:
            return charts_of(self._inner.charts(made, settings, shown), kind)

    @property
    def plot(self) -> Plot:
        """The charts by their names: `fitted.plot.residuals()`."""
        return Plot(self.charts)

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        data: Any = None,
        *,
        points: int | None = None,
        seed: int | None = None,
        progress: bool | None = None,
    ) -> str | None:
        """Write the report, one HTML page with verdict, tables, charts and derivation; without a path it comes back as text."""
        made, _ = self._table_of(data)
        with _progress.shown(progress) as shown:
            return self._inner.report(made, {"points": points, "seed": seed}, path, shown)

    def explain(self, *, format: str | None = None) -> str:
        """Derive loss, estimator and scale from the density of the noise, with the fit's own numbers: `text`, `html`, `latex`."""
        return self._inner.explain({"format": format})

    @staticmethod
    def _called(verb: Any, made: _noisefit.Table | None, settings: dict[str, Any], progress: bool | None) -> _noisefit.Found:
        with _progress.shown(progress) as shown:
            return cast(_noisefit.Found, verb(made, settings, shown))

    def refit(self, data: Any = None, **changes: Any) -> Fitted:
        """Fit again with other keywords, such as `noise="laplace"`, to the same data or others.

        Examples
        --------
        >>> import noisefit as nf
        >>> fitted = nf.fit("foodexp ~ income", "testdata/engel.csv")
        >>> fitted.refit(noise="laplace").noise
        'laplace'
        """
        from noisefit._api import fit

        if self._asked is None:
            raise UsageError("the model was loaded, and what it was asked for is not in its file; call `fit`")
        data = self._data if data is None else data
        if data is None:
            raise UsageError("the model is without its data; give some")
        asked: dict[str, Any] = {**self._asked, **changes}
        return fit(asked.pop("formula"), data, **asked)

    def export(
        self, onnx: str | os.PathLike[str] | None = None, *, safetensors: str | os.PathLike[str] | None = None
    ) -> Exported:
        """Write what the model computes as an ONNX file, and the weights of a network as a safetensors file."""
        if onnx is None and safetensors is None:
            raise UsageError("name a file for onnx, safetensors or both")
        return Exported(self._inner.export(onnx, safetensors), self._like)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON, without data; `load` reads it, and so does the command."""
        self._inner.save(path)

    def without_data(self) -> Fitted:
        """Give the same model that refers to no data, as it is after loading."""
        make, parts = self.__reduce__()
        return cast(Fitted, make(*parts))

    def __reduce__(self) -> Any:
        record = self._json if self._json is not None else self._inner.record()
        # The engine stays where it is.
        asked = None if self._asked is None else {name: value for name, value in self._asked.items() if name != "engine"}
        return _unpickled, (self._inner.to_json(), record, self._like.backend, asked)


def passes(made: _noisefit.Table, like: Like, kept: bool) -> dict[str, Any] | None:
    """Say what the passes over an engine's table have cost so far."""
    traffic = made.traffic()
    if traffic is None or like.engine is None:
        return None
    names = ("passes", "partitions", "records", "bytes_sent", "bytes_received", "seconds")
    return {"engine": like.engine.name, **dict(zip(names, traffic, strict=True)), "kept": kept}


def _told(passes: dict[str, Any] | None) -> str:
    """The line of the summary that says what the passes have cost."""
    if passes is None or not passes["passes"]:
        return ""
    count, partitions, seconds = passes["passes"], passes["partitions"], passes["seconds"]
    rows = passes["records"] / count
    return (
        f"\n{passes['engine']}: {count} pass{'es' if count > 1 else ''} over {partitions:,} partition{'s' if partitions > 1 else ''} with"
        f" {rows:,.0f} rows in {seconds:.1f} s, {passes['records'] / max(seconds, 1e-9):,.0f} rows a second;"
        f" {_size(passes['bytes_sent'])} sent, {_size(passes['bytes_received'])} received"
        + ("; the engine kept the rows meanwhile\n" if passes["kept"] else "\n")
    )


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def _unpickled(model: str, record: str, backend: str, asked: dict[str, Any] | None) -> Fitted:
    return Fitted(_noisefit.Fitted.from_json(model), Like(backend), asked=asked, record=record)


def load(path: str | os.PathLike[str]) -> Fitted:
    """Read a model that `Fitted.save` wrote, or the command `noisefit fit -o`.

    Examples
    --------
    >>> import noisefit as nf, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "model.json")
    >>> nf.fit("foodexp ~ income", "testdata/engel.csv").save(path)
    >>> nf.load(path).noise
    'gaussian'
    """
    return Fitted(_noisefit.Fitted.load(path), Like())
