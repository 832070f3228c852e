"""What was fitted, as numbers and tables."""

from __future__ import annotations

import html
import json
from functools import cached_property
from typing import Any, cast

from noisefit import _noisefit
from noisefit._errors import UsageError
from noisefit._frames import Like, preformatted

_ROW = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
_SUMS = (
    "nobs", "df_model", "df_residual", "log_likelihood", "aic", "aicc", "bic", "r_squared", "adj_r_squared",
    "residual_std_error", "scale", "rmse", "mae",
)  # fmt: skip


class Numbers:
    """The numbers of a fit, which its record has, and tables of them."""

    def __init__(self, inner: _noisefit.Fitted, like: Like, record: str | None = None) -> None:
        self._inner = inner
        self._like = like
        self._json = record

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
            if len(self._rows()) > 2000:
                raise UsageError("the covariance matrix of more than 2000 coefficients is not made")
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

    def summary(self, all_terms: bool = False) -> str:
        """Give the summary for people, as the command prints it.

        Parameters
        ----------
        all_terms
            Whether the levels of a category with more than 20 coefficients have a line each; else they are one line with their joint test.
        """
        return self._inner.summary(all_terms)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        """A table of the coefficients, and below it the lines of the summary that are not in the table."""
        escape = html.escape
        text = self.summary()
        if any("coefficients" not in fit for fit in self._fits) or len(self._fits) > 1:
            return preformatted(text)
        head, _, rest = text.partition("\n\n")
        _, _, rest = rest.partition("\n\n")
        names = [name for name in _ROW]
        lines = [[row["term"], *(_shown(row.get(name), name) for name in names[1:])] for row in self._rows()]
        top = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
        return f"{preformatted(head)}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{preformatted(rest)}"


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
