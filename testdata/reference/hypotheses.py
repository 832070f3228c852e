"""References of tests of hypotheses and of errors for few clusters, on ../mtcars.csv: makes hypotheses.json.

Wald tests are statsmodels'. CR2, its degrees of freedom and the F test are dense transcriptions of Bell and McCaffrey (2002) and of
Pustejovsky and Tipton (2018), with matrices of all rows. The wild cluster bootstrap fits every draw by least squares; its p-value
without the ties with the data themselves is wildboottest's.
"""
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import patsy
import scipy
import scipy.stats
import statsmodels
import statsmodels.formula.api as smf
import wildboottest
from wildboottest.wildboottest import wildboottest as wild

here = Path(__file__).parent
data = pd.read_csv(here / "../mtcars.csv")
out = {
    "made_by": "hypotheses.py",
    "versions": {
        "python": sys.version.split()[0],
        **{m.__name__: m.__version__ for m in (np, pd, patsy, scipy, statsmodels)},
        "wildboottest": __import__("importlib.metadata").metadata.version("wildboottest"),
    },
}

# Wald tests.
formula = "mpg ~ wt + hp + C(cyl)"
hypotheses = {
    "wt = -3": "wt = -3",
    "100*hp = wt": "100*hp = wt",
    "wt = hp, hp = 0": "wt = hp, hp = 0",
    "C(cyl)": "C(cyl)[T.6] = 0, C(cyl)[T.8] = 0",
    ".": "wt = 0, hp = 0, C(cyl)[T.6] = 0, C(cyl)[T.8] = 0",
}
out["wald"] = []
for name, kind, options in [
    ("classical", "nonrobust", {}),
    ("hc3", "HC3", {}),
    ("cluster:carb", "cluster", {"cov_kwds": {"groups": data["carb"]}}),
]:
    model = smf.ols(formula, data).fit(cov_type=kind, use_t=True, **options)
    for ours, theirs in hypotheses.items():
        if name.startswith("cluster") and ours == ".":
            continue
        test = model.f_test(theirs)
        row = {"vcov": name, "hypothesis": ours, "F": float(np.squeeze(test.fvalue)), "df": float(test.df_num)}
        row |= {"df_residual": float(test.df_denom), "p_value": float(test.pvalue)}
        if test.df_num == 1:
            t = model.t_test(theirs)
            row |= {"t": float(np.squeeze(t.tvalue)), "std_error": float(np.squeeze(t.sd))}
            row |= {"conf": [float(x) for x in np.squeeze(t.conf_int())]}
        out["wald"].append(row)


def clusters_of(groups):
    return [np.flatnonzero(groups == g) for g in np.unique(groups)]


def power(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    values = np.where(values > 1e-8, np.maximum(values, 1e-300) ** exponent, 0.0)
    return (vectors * values) @ vectors.T


def cr2(X, y, groups, weights=None, slopes=None):
    """Errors and degrees of freedom by matrices of all rows; least squares of rows times the root of their weights."""
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    X, y = X * root[:, None], y * root
    n, p = X.shape
    bread = np.linalg.inv(X.T @ X)
    hat = X @ bread @ X.T
    e = y - hat @ y
    parts = clusters_of(groups)
    adjust = [power(np.eye(len(g)) - hat[np.ix_(g, g)], -0.5) for g in parts]
    scores = np.array([X[g].T @ B @ e[g] for g, B in zip(parts, adjust)])
    V = bread @ scores.T @ scores @ bread
    residual_maker = np.eye(n) - hat
    # E of a coefficient: the variance is the sum of (p_g'e)^2.
    E = [residual_maker[:, g] @ B @ X[g] @ bread for g, B in zip(parts, adjust)]
    df = []
    for j in range(p):
        P = np.array([E_g[:, j] for E_g in E]) @ np.array([E_g[:, j] for E_g in E]).T
        df.append(np.trace(P) ** 2 / np.sum(P**2))
    found = {"vcov": V.tolist(), "std_error": np.sqrt(np.diag(V)).tolist(), "df": df}
    if slopes:
        C = np.eye(p)[slopes]
        q = len(slopes)
        standard = power(C @ bread @ C.T, -0.5)
        P = [standard @ C @ E_g.T for E_g in E]
        variance = 0.0
        for P_g in P:
            for P_h in P:
                M = P_g @ P_h.T
                variance += np.sum(np.outer(np.diag(M), np.diag(M))) + np.sum(M * M.T)
        eta = q * (q + 1) / variance
        b = bread @ X.T @ y
        Q = (C @ b) @ np.linalg.solve(C @ V @ C.T, C @ b)
        F, df2 = (eta - q + 1) / (eta * q) * Q, eta - q + 1
        found["f_test"] = {"statistic": F, "df": q, "df_residual": df2, "p_value": float(scipy.stats.f.sf(F, q, df2))}
    return found


y = data["mpg"].to_numpy()
X = np.column_stack([np.ones(len(y)), data[["wt", "hp"]].to_numpy()])
w = 1.0 / data["disp"].to_numpy()
dummies = np.column_stack([np.ones(len(y)), data["wt"], data["cyl"] == 6, data["cyl"] == 8])
out["cr2"] = [
    {"formula": "mpg ~ wt + hp", "cluster": "carb", **cr2(X, y, data["carb"].to_numpy(), slopes=[1, 2])},
    {"formula": "mpg ~ wt + hp", "cluster": "gear", **cr2(X, y, data["gear"].to_numpy(), slopes=[1])},
    {"formula": "mpg ~ wt + hp", "weights": "1/disp", "cluster": "carb", **cr2(X, y, data["carb"].to_numpy(), w)},
    # Terms that a cluster alone determines: the others have errors.
    {"formula": "mpg ~ wt + C(cyl)", "cluster": "cyl", **cr2(dummies, y, data["cyl"].to_numpy())},
]


def bootstrap(X, y, groups, j, value, draws):
    """The p-value of every draw of signs, as Cameron, Gelbach and Miller (2008) have it."""
    parts, p = clusters_of(groups), X.shape[1]
    bread = np.linalg.inv(X.T @ X)

    def t(y, value):
        b = bread @ X.T @ y
        e = y - X @ b
        scores = np.array([X[g].T @ e[g] for g in parts])
        V = bread @ scores.T @ scores @ bread
        return (b[j] - value) / np.sqrt(V[j, j])

    others = [k for k in range(p) if k != j]
    moved = y - value * X[:, j]
    b = np.linalg.lstsq(X[:, others], moved, rcond=None)[0]
    fitted = X[:, others] @ b + value * X[:, j]
    e = y - fitted
    own, as_large, ties = abs(t(y, value)), 0, 0
    for v in draws:
        sign = np.empty(len(y))
        for g, s in zip(parts, v):
            sign[g] = s
        other = abs(t(fitted + sign * e, value))
        as_large += other >= own * (1 - 1e-9)
        ties += abs(other - own) <= 1e-9 * own
    return as_large / len(draws), ties


out["wild"] = []
for cluster, term, j, value in [
    ("carb", "wt", 1, 0.0),
    ("carb", "hp", 2, 0.0),
    ("carb", "wt", 1, -3.0),
    ("carb", "hp", 2, -0.05),
    ("gear", "wt", 1, -3.0),
    ("gear", "hp", 2, 0.0),
]:
    groups = data[cluster].to_numpy()
    draws = list(itertools.product([-1.0, 1.0], repeat=len(np.unique(groups))))
    p, ties = bootstrap(X, y, groups, j, value, draws)
    row = {"cluster": cluster, "term": term, "value": value, "p_value": p, "ties": int(ties), "draws": len(draws)}
    if value == 0.0 and cluster == "carb":
        model = smf.ols("mpg ~ wt + hp", data)
        theirs = wild(model, param=term, cluster=data[cluster], B=9999, seed=1)
        row["wildboottest"] = float(theirs["p-value"].iloc[0])
    out["wild"].append(row)

# The distribution of the largest of correlated t statistics.
out["studentized_range"] = [
    {"groups": k, "df": df, "q": float(scipy.stats.studentized_range.ppf(0.95, k, df))}
    for k, df in [(3, 20), (4, 20), (6, 30)]
]
(here / "hypotheses.json").write_text(json.dumps(out, indent=1) + "\n")
