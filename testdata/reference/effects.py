"""Average predictions, slopes and comparisons of models of the files beside, by marginaleffects for Python over statsmodels.

Run from this folder with marginaleffects 0.6.0, statsmodels 0.15.0, pandas and polars: `python effects.py > effects.json`. What is kept of
each average is its estimate and its standard error (delta method), which is by differences there, in the coefficients and in the variable.
The slopes of curves are written out below, by their closed forms; those of marginaleffects agree as far as its differences reach.

A lognormal mean is exp(mu + s^2 / 2) of `log(y) ~ ...` with the maximum likelihood scale s; its averages, slopes and gradients are written
out below, with central differences by the coefficients and by log s, whose variance is 1 / (2 n).
"""

import json
import warnings

import marginaleffects as me
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

warnings.filterwarnings("ignore")

cars = pd.read_csv("../mtcars.csv")
cars["cyl"] = cars["cyl"].astype(str).astype("category")
engel = pd.read_csv("../engel.csv")


def rows(found):
    columns = [name for name in ("term", "contrast", "cyl") if name in found.columns]
    return [
        {**{name: str(row[name]) for name in columns}, "estimate": float(row["estimate"]), "std_error": float(row["std_error"])}
        for row in found.to_dicts()
    ]


def case(name, data, formula, options, found):
    return {"name": name, "data": data, "formula": formula, "options": options, "effects": rows(found)}


INTERACTION = "mpg ~ wt*hp + C(cyl)"
theirs = smf.ols("mpg ~ wt*hp + cyl", cars).fit()
robust = smf.ols("mpg ~ wt*hp + cyl", cars).fit(cov_type="HC3")
cases = [
    case("slopes", "mtcars.csv", INTERACTION, [], me.avg_slopes(theirs, eps=1.0)),
    case("robust slopes", "mtcars.csv", INTERACTION, ["--vcov", "hc3"], me.avg_slopes(robust, eps=1.0)),
    case("predictions", "mtcars.csv", INTERACTION, ["--of", "predictions"], me.avg_predictions(theirs)),
    case("predictions by", "mtcars.csv", INTERACTION, ["--of", "predictions", "--by", "cyl"], me.avg_predictions(theirs, by="cyl")),
    case("slopes by", "mtcars.csv", INTERACTION, ["--variables", "wt", "--by", "cyl"], me.avg_slopes(theirs, variables="wt", by="cyl", eps=1.0)),
    case(
        "comparisons", "mtcars.csv", INTERACTION, ["--of", "comparisons", "--variables", "wt=sd,hp=iqr,cyl=pairwise"],
        me.avg_comparisons(theirs, variables={"wt": "sd", "hp": "iqr", "cyl": "pairwise"}),
    ),
    case(
        "steps", "mtcars.csv", INTERACTION, ["--of", "comparisons", "--variables", "wt=2,hp=minmax"],
        me.avg_comparisons(theirs, variables={"wt": 2, "hp": "minmax"}),
    ),
]


def found(function, parameters, covariance):
    """A function of the parameters, with its standard error by central differences, whose error is of the square of the step."""
    gradient = np.empty(len(parameters))
    for j, size in enumerate(np.maximum(np.abs(parameters), 1e-3) * 1e-5):
        step = np.zeros(len(parameters))
        step[j] = size
        gradient[j] = (function(parameters + step) - function(parameters - step)) / (2 * size)
    return {"estimate": float(function(parameters)), "std_error": float(np.sqrt(gradient @ covariance @ gradient))}


def curves():
    """Slopes of mpg ~ wt + I(wt^2) + log(hp), whose derivatives are 2 b wt + a and c / hp."""
    y, wt, hp = (cars[name].to_numpy(dtype=float) for name in ("mpg", "wt", "hp"))
    X = np.column_stack([np.ones_like(wt), wt, wt**2, np.log(hp)])
    fit = sm.OLS(y, X).fit()

    def averages(share, wt=wt, hp=hp, X=X):
        slopes = {"wt": lambda p: p[1] + 2 * p[2] * wt, "hp": lambda p: p[3] / hp}
        values = {"wt": wt, "hp": hp}
        shares = {
            "dydx": lambda p, x: 1.0, "eyex": lambda p, x: x / (X @ p), "eydx": lambda p, x: 1 / (X @ p), "dyex": lambda p, x: x,
        }
        of = lambda name: lambda p: np.mean(slopes[name](p) * shares[share](p, values[name]))
        return [{"term": name, **found(of(name), fit.params, fit.cov_params())} for name in slopes]

    at = {"wt": wt.mean(), "hp": hp.mean()}
    middle = np.array([[1.0, at["wt"], at["wt"] ** 2, np.log(at["hp"])]])
    made = [{"name": share, "options": ["--slope", share], "effects": averages(share)} for share in ("dydx", "eyex", "eydx", "dyex")]
    made.append({"name": "at the mean", "options": ["--at", "mean"], "effects": averages("dydx", X=middle, **at)})
    # What marginaleffects has, as far as its differences reach.
    theirs = smf.ols("mpg ~ wt + I(wt**2) + np.log(hp)", cars).fit()
    for one in made[:3]:
        for row in me.avg_slopes(theirs, slope=one["name"], eps=1e-3).to_dicts():
            ours = next(own for own in one["effects"] if own["term"] == row["term"])
            assert abs(row["estimate"] / ours["estimate"] - 1) < 1e-4, (one, row)
            assert abs(row["std_error"] / ours["std_error"] - 1) < 1e-2, (one, row)
    return made


def lognormal():
    y, x = np.log(engel["foodexp"].to_numpy()), engel["income"].to_numpy()
    X = np.column_stack([np.ones_like(x), np.log(x)])
    fit = sm.OLS(y, X).fit()
    n = len(y)
    parameters = np.append(fit.params, 0.5 * np.log(fit.ssr / n))
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = fit.cov_params()
    covariance[2, 2] = 1 / (2 * n)

    def mean(p):
        return np.exp(X @ p[:2] + np.exp(2 * p[2]) / 2)

    def average(function):
        return found(function, parameters, covariance)

    return [
        {"name": "lognormal prediction", "options": ["--of", "predictions"], "effects": [average(lambda p: mean(p).mean())]},
        {"name": "lognormal slope", "options": [], "effects": [average(lambda p: (mean(p) * p[1] / x).mean())]},
        {"name": "lognormal elasticity", "options": ["--slope", "eyex"], "effects": [average(lambda p: float(p[1]))]},
        {
            "name": "median slope", "options": ["--units", "median"],
            "effects": [average(lambda p: (np.exp(X @ p[:2]) * p[1] / x).mean())],
        },
    ]


for one in curves():
    cases.append({"data": "mtcars.csv", "formula": "mpg ~ wt + I(wt^2) + log(hp)", **one})
for one in lognormal():
    cases.append({"data": "engel.csv", "formula": "log(foodexp) ~ log(income)", **one})
print(json.dumps({"versions": {"marginaleffects": "0.6.0", "statsmodels": "0.15.0"}, "cases": cases}, indent=1))
