"""Least squares with 60 digits from the decimals in ../*.csv: writes lm.json and, of the same fits with standard errors that
do not trust the noise to be of one scale or independent, covariance.json; 20 digits a number.

Run as `python3 make.py` with mpmath installed. The normal equations are solved in exact fractions, so nothing here shares
an algorithm with the program under test.
"""

import csv
import json
import pathlib
from fractions import Fraction

from mpmath import betainc, findroot, log, mp, mpf, pi, sqrt

mp.dps = 60
HERE = pathlib.Path(__file__).parent

# name: file, response, regressors, weights (a name in TERMS), rows to predict
FITS = {
    "stackloss": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", None),
    "engel": ("engel", "foodexp", "income", None),
    "engel, weights 1/income": ("engel", "foodexp", "income", "1/income"),
    "mtcars": ("mtcars", "mpg", "wt hp", None),
    "mtcars, all columns": ("mtcars", "mpg", "cyl disp hp drat wt qsec vs am gear carb", None),
    "mtcars, weights qsec": ("mtcars", "mpg", "wt hp", "qsec"),
    "longley": (
        "longley_r",
        "employed",
        "gnp_deflator gnp unemployed armed_forces population year",
        None,
    ),
    "longley, NIST's units": ("nist/longley", "y", "x1 x2 x3 x4 x5 x6", None),
    "hbk": ("hbk", "y", "x1 x2 x3", None),
    "stars": ("stars_cyg", "log_light", "log_te", None),
    "coleman": ("coleman", "y", "salaryp fatherwc sstatus teachersc motherlev", None),
    "phones": ("phones", "calls", "year", None),
    "swiss": ("swiss", "fertility", "agriculture examination education catholic infant_mortality", None),
    "diabetes": ("diabetes", "y", "age sex bmi bp s1 s2 s3 s4 s5 s6", None),
    "anscombe 1": ("anscombe", "y1", "x1", None),
    "anscombe 2": ("anscombe", "y2", "x2", None),
    "anscombe 3": ("anscombe", "y3", "x3", None),
    "anscombe 4": ("anscombe", "y4", "x4", None),
}
# Columns by which rows are put into clusters, and lags, where they mean something or at least vary.
CLUSTERS = {
    "stackloss": ("water_temp",),
    "mtcars": ("carb", "qsec"),
    "mtcars, weights qsec": ("carb", "qsec"),
    "swiss": ("examination", "education"),
    "diabetes": ("age", "bmi"),
}
LAGS = {"stackloss": (2, 5), "longley": (2,), "longley, NIST's units": (2,), "phones": (2, 9), "mtcars, weights qsec": (3,)}
LEVELS = ("0.9", "0.95", "0.99")


def solve(matrix, right):
    """Gauss and Jordan, exact."""
    order = len(matrix)
    rows = [list(row) + list(extra) for row, extra in zip(matrix, right)]
    for j in range(order):
        pivot = next(i for i in range(j, order) if rows[i][j])
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [value / rows[j][j] for value in rows[j]]
        for i in range(order):
            if i != j and rows[i][j]:
                rows[i] = [a - rows[i][j] * b for a, b in zip(rows[i], rows[j])]
    return [row[order:] for row in rows]


def exact(value):
    return mpf(value.numerator) / value.denominator


def two_sided(t, df):
    return betainc(mpf(df) / 2, mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def critical(level, df):
    start = mpf(2)
    return findroot(lambda t: log(two_sided(t, df)) - log(1 - mpf(level)), start)


def fit(name, file, response, regressors, weights):
    with open(HERE.parent / f"{file}.csv") as stream:
        table = list(csv.DictReader(stream))
    names = regressors.split()
    column = lambda name: [Fraction(row[name]) for row in table]
    y, x = column(response), [[Fraction(1)] * len(table)] + [column(name) for name in names]
    w = {
        None: lambda: [Fraction(1)] * len(table),
        "1/income": lambda: [1 / value for value in column("income")],
        "qsec": lambda: column("qsec"),
    }[weights]()
    n, p = len(y), len(x)
    dot = lambda a, b: sum(v * s * t for v, s, t in zip(w, a, b))
    gram = [[dot(a, b) for b in x] for a in x]
    beta = [row[0] for row in solve(gram, [[dot(a, y)] for a in x])]
    inverse = solve(gram, [[Fraction(int(i == j)) for j in range(p)] for i in range(p)])
    residuals = [t - sum(b * a[i] for b, a in zip(beta, x)) for i, t in enumerate(y)]
    rss = dot(residuals, residuals)
    mean = lambda a: dot(a, x[0]) / sum(w)
    squares = lambda a: dot([s - mean(a) for s in a], [s - mean(a) for s in a])
    tss, df = squares(y), n - p
    variance = exact(rss / df)
    log_likelihood = -mpf(n) / 2 * (log(2 * pi * exact(rss / n)) + 1) + sum(log(exact(v)) for v in w) / 2
    k = p + 1
    f = exact((tss - rss) / (p - 1) / (rss / df))
    critical_values = {level: critical(level, df) for level in LEVELS}
    coefficients = []
    for j, term in enumerate(["(Intercept)"] + names):
        estimate, error = exact(beta[j]), sqrt(variance * exact(inverse[j][j]))
        row = {"term": term, "estimate": estimate, "std_error": error, "statistic": estimate / error}
        row["p_value"] = two_sided(estimate / error, df)
        row["intervals"] = {l: [estimate - c * error, estimate + c * error] for l, c in critical_values.items()}
        coefficients.append(row)
    result = {
        "nobs": n,
        "coefficients": coefficients,
        "scale": sqrt(exact(rss / n)),
        "residual_std_error": sqrt(variance),
        "log_likelihood": log_likelihood,
        "aic": -2 * log_likelihood + 2 * k,
        "aicc": -2 * log_likelihood + 2 * k + mpf(2 * k * (k + 1)) / (n - k - 1),
        "bic": -2 * log_likelihood + k * log(n),
        "r_squared": exact(1 - rss / tss),
        "adj_r_squared": exact(1 - rss / df / (tss / (n - 1))),
        "rmse": sqrt(exact(sum(e * e for e in residuals) / n)),
        "mae": exact(sum(abs(e) for e in residuals) / n),
        "df_model": p - 1,
        "df_residual": df,
        "f_test": {
            "statistic": f,
            "df_model": p - 1,
            "df_residual": df,
            "p_value": betainc(mpf(df) / 2, mpf(p - 1) / 2, 0, df / (df + (p - 1) * f), regularized=True),
        },
        "closed_form": None,
        "vcov": [[variance * exact(value) for value in row] for row in inverse],
    }
    if p == 2:
        sd = lambda a: sqrt(exact(squares(a) / sum(w) * n / (n - 1)))
        result["closed_form"] = {
            "mean_x": exact(mean(x[1])),
            "mean_y": exact(mean(y)),
            "sd_x": sd(x[1]),
            "sd_y": sd(y),
            "correlation": exact(beta[1]) * sd(x[1]) / sd(y),
            "slope": exact(beta[1]),
            "intercept": exact(beta[0]),
        }
    result |= {"predictions": predictions(names, x, beta, inverse, variance, critical_values)}
    return result, robust(name, table, w, x, residuals, inverse, beta)


def robust(name, table, w, x, residuals, inverse, beta):
    """Covariances as their definitions have them, row by row: no sum is shared with noisefit's passes."""
    n, p = len(residuals), len(x)
    scores = [[exact(w[i] * residuals[i] * a[i]) for a in x] for i in range(n)]
    rows = [[a[i] for a in x] for i in range(n)]
    leverage = [exact(w[i] * sum(r[j] * r[k] * inverse[j][k] for j in range(p) for k in range(p))) for i, r in enumerate(rows)]
    bread = [[exact(value) for value in row] for row in inverse]
    times = lambda a, b: [[sum(s * t for s, t in zip(row, column)) for column in zip(*b)] for row in a]
    outer = lambda groups: [[sum(g[j] * g[k] for g in groups) for k in range(p)] for j in range(p)]
    around = lambda meat, factor=1: [[factor * value for value in row] for row in times(times(bread, meat), bread)]
    total = lambda group: [sum(scores[i][j] for i in group) for j in range(p)]
    scaled = lambda power: [[s / (1 - h) ** (mpf(power) / 2) for s in score] for score, h in zip(scores, leverage)]
    found = {"hc0": (around(outer(scores)), n - p), "hc1": (around(outer(scores), mpf(n) / (n - p)), n - p)}
    if all(h < 1 for h in leverage):
        found |= {"hc2": (around(outer(scaled(1))), n - p), "hc3": (around(outer(scaled(2))), n - p)}
    for lags in LAGS.get(name, ()):
        meat = outer(scores)
        for lag in range(1, lags + 1):
            for i in range(lag, n):
                for j in range(p):
                    for k in range(p):
                        both = scores[i][j] * scores[i - lag][k] + scores[i - lag][j] * scores[i][k]
                        meat[j][k] += (1 - mpf(lag) / (lags + 1)) * both
        found[f"hac:{lags}"] = around(meat), n - p

    def clustered(*columns):
        keys = [tuple(row[column] for column in columns) for row in table]
        groups = [[i for i in range(n) if keys[i] == key] for key in sorted(set(keys))]
        count = len(groups)
        factor = mpf(count) / (count - 1) * (n - 1) / (n - p)
        return around(outer([total(group) for group in groups]), factor), count - 1

    columns = CLUSTERS.get(name, ())
    ways = [clustered(column) for column in columns]
    found |= {f"cluster:{column}": way for column, way in zip(columns, ways)}
    if len(columns) == 2:
        matrices = [ways[0][0], ways[1][0], clustered(*columns)[0]]
        joint = [[a + b - c for a, b, c in zip(*rows)] for rows in zip(*matrices)]
        found["cluster:" + ",".join(columns)] = joint, min(df for _, df in ways)
    b = [exact(value) for value in beta]
    result = {}
    for vcov, (matrix, df) in found.items():
        errors = [sqrt(matrix[j][j]) for j in range(p)]
        row = {"std_errors": errors, "df": df, "p_values": [two_sided(b[j] / errors[j], df) for j in range(p)]}
        # The slopes' covariance has no inverse where there are no more clusters than slopes.
        if df >= p - 1:
            solution = mp.lu_solve(mp.matrix([r[1:] for r in matrix[1:]]), mp.matrix(b[1:]))
            row["f"] = sum(s * t for s, t in zip(solution, b[1:])) / (p - 1)
        result[vcov] = row
    return result


def predictions(names, x, beta, inverse, variance, critical_values):
    """At the first row, halfway between the extremes, and outside them: the row's text, the location, the intervals."""
    places = [
        [column[0] for column in x[1:]],
        [(min(column) + max(column)) / 2 for column in x[1:]],
        [2 * max(column) - min(column) for column in x[1:]],
    ]
    rows = []
    for place in places:
        row = [Fraction(1)] + place
        location = exact(sum(b * a for b, a in zip(beta, row)))
        leverage = exact(sum(row[i] * row[j] * inverse[i][j] for i in range(len(row)) for j in range(len(row))))
        around = lambda own: {
            level: [location - c * sqrt(variance * (own + leverage)), location + c * sqrt(variance * (own + leverage))]
            for level, c in critical_values.items()
        }
        row = {"prediction": location, "confidence": around(0), "new_observation": around(1)}
        rows.append({"at": {name: decimal(value) for name, value in zip(names, place)}} | row)
    return rows


def decimal(value):
    """A decimal fraction, in all its digits."""
    digits = mp.nstr(exact(value), 40).rstrip(".0") if value.denominator > 1 else str(value.numerator)
    assert Fraction(digits) == value, value
    return digits


def printed(value):
    if isinstance(value, mpf):
        return mp.nstr(value, 20, strip_zeros=False)
    if isinstance(value, dict):
        return {key: printed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [printed(inner) for inner in value]
    return value


fits, covariances = [], []
for name, (file, response, regressors, weights) in FITS.items():
    formula = f"{response} ~ {' + '.join(regressors.split())}"
    given = {"name": name, "data": f"{file}.csv", "formula": formula, "weights": weights}
    found, covariance = fit(name, file, response, regressors, weights)
    fits.append(printed(given | found))
    covariances.append(printed(given | {"vcov": covariance}))
(HERE / "lm.json").write_text(json.dumps(fits, indent=1) + "\n")
(HERE / "covariance.json").write_text(json.dumps(covariances, indent=1) + "\n")
