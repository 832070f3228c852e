"""A model that was fitted, or loaded."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from noisefit import _noisefit, _progress
from noisefit._errors import UsageError, warn
from noisefit._found import Comparison, Diagnosis, Evaluation, Exported, Profile, Tests
from noisefit._frames import Like
from noisefit._shown import Chart, charts_of, page_to
from noisefit._table import table

_ROW = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
_SUMS = (
    "nobs", "df_model", "df_residual", "log_likelihood", "aic", "aicc", "bic", "r_squared", "adj_r_squared",
    "residual_std_error", "scale", "rmse", "mae",
)  # fmt: skip


class Fitted:
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
    ) -> None:
        self._inner = inner
        self._like = like
        self._data = data
        self._table = made
        self._asked = asked
        self._json = record

    # What was found.

    @cached_property
    def _record(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self._json if self._json is not None else self._inner.record()))

    @property
    def _fits(self) -> list[dict[str, Any]]:
        return self._record["fits"] if "fits" in self._record else [self._record]

    @property
    def _one(self) -> dict[str, Any]:
        """The record of the one fit."""
        fits = self._fits
        if len(fits) == 1:
            return fits[0]
        raise UsageError("there is not one exact fit: `fits` has that of each quantile")

    def _rows(self) -> list[dict[str, Any]]:
        rows = self._one.get("coefficients")
        if rows is None:
            raise UsageError("a network has no coefficients; `predict` and `diagnose` say what it has learned")
        return cast(list[dict[str, Any]], rows)

    def _of_terms(self, field: str) -> Any:
        rows = self._rows()
        values = [_number(row.get(field)) for row in rows]
        return self._like.named([row["term"] for row in rows], values, field)

    def to_dict(self) -> dict[str, Any]:
        """Give the record, whose fields are those of the command's `--format json`."""
        return self._record

    @property
    def formula(self) -> str:
        """The formula, as it was written."""
        return cast(str, self._record["formula"])

    @property
    def noise(self) -> str:
        """The noise family, as it would be asked for; of several quantiles with commas between."""
        return ",".join(_noise(fit) for fit in self._fits)

    @property
    def terms(self) -> list[str]:
        """The names of the coefficients."""
        return [row["term"] for row in self._rows()]

    @property
    def coef(self) -> Any:
        """The estimates, named by term; NaN for a term that the data do not determine."""
        return self._of_terms("estimate")

    @property
    def std_error(self) -> Any:
        """The standard errors, named by term."""
        return self._of_terms("std_error")

    @property
    def statistic(self) -> Any:
        """The estimates divided by their standard errors, named by term."""
        return self._of_terms("statistic")

    @property
    def p_value(self) -> Any:
        """The probability of as large a statistic where the coefficient is zero, named by term."""
        return self._of_terms("p_value")

    def conf_int(self, level: float = 0.95) -> Any:
        """Give the confidence intervals at a level, by the standard errors.

        Parameters
        ----------
        level
            The probability that the interval covers the coefficient.

        Returns
        -------
        A frame with the columns `term`, `conf_low` and `conf_high`.
        """
        ends = self._inner.conf_int(level)
        nan = float("nan")
        low, high = zip(*((nan, nan) if pair is None else pair for pair in ends), strict=True)
        return self._like.frame({"term": self.terms, "conf_low": list(low), "conf_high": list(high)})

    @property
    def vcov(self) -> Any:
        """The covariance matrix of the coefficients that are determined; a pandas frame where the data were one."""
        matrix = self._one.get("vcov")
        if not matrix:
            raise UsageError("the fit has no covariance of its coefficients")
        terms = [row["term"] for row in self._rows() if row.get("estimate") is not None]
        return self._like.matrix(terms, matrix)

    @property
    def log_likelihood(self) -> float:
        """The complete log-likelihood, every constant in it; NaN where it has no bound."""
        return _number(self._one.get("log_likelihood"))

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log L + 2 k."""
        return _number(self._one.get("aic"))

    @property
    def aicc(self) -> float:
        """Akaike's criterion, corrected for few observations."""
        return _number(self._one.get("aicc"))

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 log L + k log n."""
        return _number(self._one.get("bic"))

    @property
    def r_squared(self) -> float:
        """The share of the response's variation that the fit explains."""
        return _number(self._one.get("r_squared"))

    @property
    def scale(self) -> float:
        """The maximum likelihood estimate of the noise scale; NaN where it is modelled."""
        return _number(self._one.get("scale"))

    @property
    def nobs(self) -> int:
        """The observations that were fitted."""
        return int(self._fits[0]["nobs"])

    @property
    def df_residual(self) -> float:
        """The residual degrees of freedom."""
        return _number(self._one.get("df_residual"))

    @property
    def converged(self) -> bool:
        """Whether the estimates are what was looked for."""
        return self._inner.converged()

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before using the numbers."""
        return [sentence for _, sentence in self._inner.warnings()]

    @property
    def fits(self) -> list[Fitted]:
        """Each of several quantiles as a model of its own."""
        return [Fitted(inner, self._like, self._data, self._table, self._asked) for inner in self._inner.apart()]

    # Tables.

    def tidy(self) -> Any:
        """Give a frame with a row for each coefficient: `term, estimate, std_error, statistic, p_value, conf_low, conf_high`.

        Of several quantiles there is a column `noise` before them, of a modelled scale a column `part`.
        """
        rows: list[dict[str, Any]] = []
        for fit in self._fits:
            for part, name in (("location", "coefficients"), ("scale", "scale_coefficients")):
                rows.extend({"noise": _noise(fit), "part": part, **row} for row in fit.get(name) or ())
        names: list[str] = ["noise"] if len(self._fits) > 1 else []
        names += ["part"] if any(row["part"] == "scale" for row in rows) else []
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in [*names, "term"]}
        columns |= {name: [_number(row.get(name)) for row in rows] for name in _ROW[1:]}
        return self._like.frame(columns)

    def glance(self) -> Any:
        """Give a frame of one row, of several quantiles one for each: the noise, the likelihood, AIC and BIC, R2, the scale."""
        fits = self._fits
        columns: dict[str, Any] = {"noise": [_noise(fit) for fit in fits]}
        columns |= {name: [_number(fit.get(name)) for fit in fits] for name in _SUMS}
        columns["converged"] = [bool(fit["termination"]["converged"]) if "termination" in fit else self.converged for fit in fits]
        return self._like.frame(columns)

    def inflations(self, data: Any = None) -> Any:
        """Give a frame with the variance inflation factor of every term: `term, df, gvif, gvif_per_df`.

        Of a term of several coefficients it is the generalised one (Fox and Monette 1992).
        """
        made, _ = self._table_of(data)
        rows = json.loads(self._inner.inflations(made))
        columns: dict[str, Any] = {"term": [row["term"] for row in rows], "df": [row["df"] for row in rows]}
        columns |= {ours: [row[name] for row in rows] for ours, name in (("gvif", "gvif"), ("gvif_per_df", "per_df"))}
        return self._like.frame(columns)

    def summary(self) -> str:
        """Give the summary for people, as the command prints it."""
        return self._inner.summary()

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        """A table of the coefficients, and below it the lines of the summary that are not in the table."""
        escape = html.escape
        text = self.summary()
        if any("coefficients" not in fit for fit in self._fits) or len(self._fits) > 1:
            return f"<pre>{escape(text)}</pre>"
        head, _, rest = text.partition("\n\n")
        _, _, rest = rest.partition("\n\n")
        names = [name for name in _ROW]
        lines = [[row["term"], *(_shown(row.get(name), name) for name in names[1:])] for row in self._rows()]
        top = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
        return f"<pre>{escape(head)}</pre><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table><pre>{escape(rest)}</pre>"

    # What is done with data.

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
        settings = {
            "interval": interval, "kind": kind, "unseen": unseen, "undefined": undefined, "name": name, "back": back,
            "keep": keep,
            "keep_all": keep_all,
        }  # fmt: skip
        shown = _progress.of(progress)
        try:
            if output is not None:
                warn(self._inner.predict_to(made, settings, output, shown))
                return None
            if keep or keep_all:
                raise UsageError("keep goes with output alone, which is not given: the rows are those of the frame")
            (names, columns), said = self._inner.predict(made, settings, shown)
        finally:
            _progress.close(shown)
        warn(said)
        return like.frame(dict(zip(names, columns, strict=True)), of_rows=True)

    def augment(self, data: Any = None, *, progress: bool | None = None) -> Any:
        """Say what was measured of every row: fitted values, residuals, leverages, Cook's distances and the like.

        Returns
        -------
        A frame with a row for each of the data's, missing where the row was left out of the fit.
        """
        made, like = self._table_of(data)
        shown = _progress.of(progress)
        try:
            names, columns = self._inner.augment(made, shown)
        finally:
            _progress.close(shown)
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
            The table of the fit, after loading, for `lr` and `wild`.
        eval
            Functions of the coefficients, by the delta method: `x1/x2`, `exp(income) = 2`.
        lr
            By likelihood ratio, fitting again under each hypothesis.
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
            "eval": eval, "lr": lr, "wild": wild, "cluster": cluster, "draws": draws, "draw_weights": draw_weights,
            "adjust": adjust, "level": level, "seed": seed,
        }  # fmt: skip

        def test(table: Any, settings: dict[str, Any], progress: Any) -> Any:
            return self._inner.test(list(hypotheses), table, settings, progress)

        return Tests(self._called(test, made, settings, progress), like)

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
        shown = _progress.of(progress)
        try:
            return charts_of(self._inner.charts(made, settings, shown), kind)
        finally:
            _progress.close(shown)

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
        shown = _progress.of(progress)
        try:
            return page_to(path, self._inner.report(made, {"points": points, "seed": seed}, shown))
        finally:
            _progress.close(shown)

    def explain(self, *, format: str | None = None) -> str:
        """Derive loss, estimator and scale from the density of the noise, with the fit's own numbers: `text`, `html`, `latex`."""
        return self._inner.explain({"format": format})

    @staticmethod
    def _called(verb: Any, made: _noisefit.Table | None, settings: dict[str, Any], progress: bool | None) -> _noisefit.Found:
        shown = _progress.of(progress)
        try:
            return cast(_noisefit.Found, verb(made, settings, shown))
        finally:
            _progress.close(shown)

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
        return _unpickled, (self._inner.to_json(), record, self._like.backend, self._asked)


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


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _shown(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if name == "p_value" else f"{value:.6g}"


def _noise(fit: dict[str, Any]) -> str:
    """The noise of a record as it would be asked for."""
    noise = fit.get("noise")
    if isinstance(noise, dict):
        family = str(noise["family"])
        if family == "quantile":
            return f"quantile:{noise['tau']:g}"
        return family
    return str(noise) if noise is not None else str(fit.get("loss", ""))
