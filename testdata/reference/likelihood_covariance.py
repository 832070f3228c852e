"""Covariances with 20 digits at the maxima of likelihood.json: writes likelihood_covariance.json.

Run as `python3 likelihood_covariance.py` with mpmath installed. Scores and second derivatives are finite differences, with 50
digits, of the log-likelihood of each row as it is defined: no derivative is written down here.
"""

import csv
import json
import pathlib

from mpmath import cosh, exp, log, loggamma, matrix, mp, mpf, pi, sqrt

mp.dps = 50
HERE = pathlib.Path(__file__).parent
K = mpf("1.345")
STEP = mpf(10) ** -12
# Columns by which rows are put into clusters; everywhere else two lags.
CLUSTERS = {
    "stackloss, logistic": ("water_temp",),
    "stackloss, student-t": ("water_temp",),
    "mtcars, student-t 7, weights": ("carb", "qsec"),
    "mtcars, gaussian, scale, weights": ("gear",),
    "stackloss, huber": ("acid_conc",),
}


def rho(noise, df, r):
    """-ln of the density, but for a constant in Huber's, whose scale is given."""
    if noise == "gaussian":
        return r * r / 2 + log(2 * pi) / 2
    if noise == "logistic":
        return 2 * log(2 * cosh(r / 2))
    if noise == "huber":
        return r * r / 2 if abs(r) <= K else K * abs(r) - K * K / 2
    constant = log(df * pi) / 2 + loggamma(df / 2) - loggamma((df + 1) / 2)
    return (df + 1) / 2 * log(1 + r * r / df) + constant


def covariances(name, entry):
    table = list(csv.DictReader(open(HERE.parent / f"{entry['file']}.csv")))
    column = lambda name: [mpf(float(row[name])) for row in table]
    y, x, z = column(entry["response"]), [column(t) for t in entry["terms"].split()], [column(t) for t in entry["scale_terms"].split()]
    w = column(entry["weights"]) if entry["weights"] else [mpf(1)] * len(y)
    noise, _, df = entry["noise"].partition(":")
    b, g = [mpf(v) for v in entry["coefficients"]], [mpf(v) for v in entry["log_scale"]]
    p, q = len(b), len(g) if noise != "huber" else 0
    at = b + g[:q] + ([log(mpf(entry["df"]))] if "df" in entry else [])
    size = lambda c: max(abs(v) for v in c)
    steps = [STEP] + [STEP / size(c) for c in x] + ([STEP] + [STEP / size(c) for c in z])[:q] + [STEP] * ("df" in entry)
    n, m = len(y), len(at)

    def row(i, theta):
        mu = theta[0] + sum(t * c[i] for t, c in zip(theta[1:p], x))
        own = theta[p : p + q] or g
        eta = own[0] + sum(t * c[i] for t, c in zip(own[1:], z))
        freedom = exp(theta[-1]) if "df" in entry else mpf(df or 0)
        return -(rho(noise, freedom, (y[i] - mu) * sqrt(w[i]) * exp(-eta)) + eta - log(w[i]) / 2)

    def moved(*by):
        theta = list(at)
        for j, sign in by:
            theta[j] += sign * steps[j]
        return [row(i, theta) for i in range(n)]

    up, down, middle = [moved((j, 1)) for j in range(m)], [moved((j, -1)) for j in range(m)], moved()
    scores = [[(up[j][i] - down[j][i]) / (2 * steps[j]) for j in range(m)] for i in range(n)]
    information = matrix(m, m)
    for j in range(m):
        information[j, j] = -sum(u - 2 * c + d for u, c, d in zip(up[j], middle, down[j])) / steps[j] ** 2
        for k in range(j):
            corners = [(1, moved((j, 1), (k, 1))), (-1, moved((j, 1), (k, -1))), (-1, moved((j, -1), (k, 1))), (1, moved((j, -1), (k, -1)))]
            value = -sum(sign * sum(rows) for sign, rows in corners) / (4 * steps[j] * steps[k])
            information[j, k] = information[k, j] = value
    bread = information**-1
    outer = lambda groups: matrix([[sum(s[j] * s[k] for s in groups) for k in range(m)] for j in range(m)])
    found = {"observed": bread, "sandwich": bread * outer(scores) * bread}

    def clustered(columns):
        keys = [tuple(record[column] for column in columns) for record in table]
        groups = [[i for i in range(n) if keys[i] == key] for key in sorted(set(keys))]
        sums = [[sum(scores[i][j] for i in group) for j in range(m)] for group in groups]
        return bread * outer(sums) * bread * len(groups) / (len(groups) - 1)

    if columns := CLUSTERS.get(name):
        joint = clustered(columns[:1])
        if len(columns) == 2:
            joint = joint + clustered(columns[1:]) - clustered(columns)
        found["cluster:" + ",".join(columns)] = joint
    else:
        meat = outer(scores)
        for lag in (1, 2):
            for i in range(lag, n):
                for j in range(m):
                    for k in range(m):
                        both = scores[i][j] * scores[i - lag][k] + scores[i - lag][j] * scores[i][k]
                        meat[j, k] += (1 - mpf(lag) / 3) * both
        found["hac:2"] = bread * meat * bread
    error = lambda value: mp.nstr(sqrt(value), 20)
    return {
        vcov: {"location": [error(c[j, j]) for j in range(p)], "scale": [error(c[p + j, p + j]) for j in range(q)]}
        for vcov, c in found.items()
    }


models = json.loads((HERE / "likelihood.json").read_text())
out = {name: covariances(name, entry) for name, entry in models.items()}
(HERE / "likelihood_covariance.json").write_text(json.dumps(out, indent=1) + "\n")
