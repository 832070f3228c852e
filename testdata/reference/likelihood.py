"""Maximum likelihood fits with 20 digits of models of the files in ..: writes likelihood.json.

Run as `python3 likelihood.py` with numpy, scipy and mpmath installed. A maximum is sought from many random starts with
scipy's BFGS on the log-likelihood as it is defined, and finished with 50 digits by Newton's method on finite differences of
it: no derivative is written down here, and nothing is shared with the program under test.
"""

import csv
import json
import pathlib

import numpy as np
from mpmath import cosh, erf, exp, findroot, log, loggamma, matrix, mp, mpf, pi, sqrt
from mpmath import lu_solve
from scipy.optimize import minimize
from scipy.special import gammaln

mp.dps = 50
HERE = pathlib.Path(__file__).parent

# name: file, response, regressors, noise, regressors of the scale, weights
FITS = {
    "stackloss, logistic": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", "logistic", "", None),
    "stackloss, student-t 4": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", "student-t:4", "", None),
    "stackloss, student-t": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", "student-t", "", None),
    "stackloss, huber": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", "huber", "", None),
    "hbk, student-t 2": ("hbk", "y", "x1 x2 x3", "student-t:2", "", None),
    "phones, student-t 1": ("phones", "calls", "year", "student-t:1", "", None),
    "mtcars, student-t 7, weights": ("mtcars", "mpg", "wt hp", "student-t:7", "", "qsec"),
    "engel, student-t": ("engel", "foodexp", "income", "student-t", "", None),
    "engel, logistic": ("engel", "foodexp", "income", "logistic", "", None),
    "engel, gaussian, scale": ("engel", "foodexp", "income", "gaussian", "income", None),
    "engel, logistic, scale": ("engel", "foodexp", "income", "logistic", "income", None),
    "engel, student-t 5, scale": ("engel", "foodexp", "income", "student-t:5", "income", None),
    "phones, student-t, scale": ("phones", "calls", "year", "student-t", "year", None),
    "mtcars, gaussian, scale, weights": ("mtcars", "mpg", "wt hp", "gaussian", "wt qsec", "qsec"),
}
K = mpf("1.345")


def rho(noise, df, r, m):
    """-ln of the density, `m` being the module whose functions serve."""
    if noise == "gaussian":
        return r * r / 2 + m.log(2 * m.pi) / 2
    if noise == "logistic":
        return 2 * m.logcosh(r / 2) + 2 * m.log(2)
    if noise == "huber":
        k = m.number(K)
        total = m.sqrt(2 * m.pi) * m.erf(k / m.sqrt(2)) + 2 * m.exp(-k * k / 2) / k
        return m.huber(r, k) + m.log(total)
    constant = m.log(df * m.pi) / 2 + m.gammaln(df / 2) - m.gammaln((df + 1) / 2)
    return (df + 1) / 2 * m.log(1 + r * r / df) + constant


class Doubles:
    log, sqrt, exp, pi = np.log, np.sqrt, np.exp, np.pi
    number = float
    gammaln = staticmethod(gammaln)

    @staticmethod
    def erf(x):
        return float(erf(x))

    @staticmethod
    def logcosh(x):
        return np.logaddexp(x, -x) - np.log(2)

    @staticmethod
    def huber(r, k):
        return np.where(abs(r) <= k, r * r / 2, k * abs(r) - k * k / 2)


class Digits:
    log, sqrt, exp, pi, erf = log, sqrt, exp, pi, erf
    number = mpf
    gammaln = loggamma

    @staticmethod
    def logcosh(x):
        return log(cosh(x))

    @staticmethod
    def huber(r, k):
        return r * r / 2 if abs(r) <= k else k * abs(r) - k * k / 2


class Model:
    def __init__(self, file, response, terms, noise, scale, weights):
        rows = list(csv.DictReader(open(HERE.parent / f"{file}.csv")))
        column = lambda name: [float(row[name]) for row in rows]
        self.y = column(response)
        self.x = [column(name) for name in terms.split()]
        self.z = [column(name) for name in scale.split()]
        self.w = column(weights) if weights else [1.0] * len(rows)
        self.noise, _, df = noise.partition(":")
        self.df = mpf(df) if df else None
        self.shaped = self.noise == "student-t" and self.df is None
        # Columns are moved and scaled for the search, and parameters carried back exactly.
        self.middle = lambda c: sum(c) / len(c)
        self.unit = lambda c: (sum((v - self.middle(c)) ** 2 for v in c) / len(c)) ** 0.5

    def columns(self, kind):
        if kind is Doubles:
            return [np.array([(v - self.middle(c)) / self.unit(c) for v in c]) for c in self.x], [
                np.array([(v - self.middle(c)) / self.unit(c) for v in c]) for c in self.z
            ]
        move = lambda c: [(mpf(v) - mpf(self.middle(c))) / mpf(self.unit(c)) for v in c]
        return [move(c) for c in self.x], [move(c) for c in self.z]

    def loss(self, kind):
        x, z = self.columns(kind)
        p, q = len(x) + 1, len(z) + 1
        if kind is Doubles:
            y, w = np.array(self.y), np.array(self.w)

            def value(theta):
                mu = theta[0] + sum((b * c for b, c in zip(theta[1:p], x)), 0)
                eta = theta[p] + sum((g * c for g, c in zip(theta[p + 1 : p + q], z)), 0)
                df = np.exp(theta[p + q]) if self.shaped else float(self.df or 0)
                r = (y - mu) * np.sqrt(w) * np.exp(-eta)
                return np.sum(rho(self.noise, df, r, kind) + eta - np.log(w) / 2)

            return value
        y, w = [mpf(v) for v in self.y], [mpf(v) for v in self.w]

        def value(theta):
            df = exp(theta[p + q]) if self.shaped else self.df
            total = mpf(0)
            for i in range(len(y)):
                mu = theta[0] + sum(theta[j + 1] * c[i] for j, c in enumerate(x))
                eta = theta[p] + sum(theta[p + 1 + j] * c[i] for j, c in enumerate(z))
                r = (y[i] - mu) * sqrt(w[i]) * exp(-eta)
                total += rho(self.noise, df, r, kind) + eta - log(w[i]) / 2
            return total

        return value

    def search(self):
        value, random = self.loss(Doubles), np.random.default_rng(1)
        p, q = len(self.x) + 1, len(self.z) + 1
        y = np.array(self.y)
        best = None
        for trial in range(60):
            start = np.zeros(p + q + self.shaped)
            design = np.column_stack([np.ones(len(y)), *self.columns(Doubles)[0]])
            # Least squares of random halves.
            half = random.permutation(len(y))[: max(len(y) // 2, p + 1)] if trial else np.arange(len(y))
            start[:p] = np.linalg.lstsq(design[half], y[half], rcond=None)[0]
            residual = y[half] - design[half] @ start[:p]
            start[p] = np.log(np.sqrt(np.mean(residual**2)) + 1e-3)
            if self.shaped:
                start[-1] = random.choice([0.0, 1.0, 2.0, 4.0])
            found = minimize(value, start, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
            # A maximum of the likelihood, not a spike of it.
            if found.x[p] > np.log(np.std(y)) - 12 and np.isfinite(found.fun) and (best is None or found.fun < best.fun):
                if not self.shaped or -1 < found.x[-1] < 12:
                    best = found
        return [mpf(float(v)) for v in best.x]

    def polish(self, theta, extra=None):
        """Newton's method with 50 digits on central differences."""
        value = self.loss(Digits)
        h, n = mpf(10) ** -12, len(theta)
        for _ in range(12):
            moved = {}

            def at(i, a, j, b):
                key = tuple(sorted([(i, a), (j, b)]))
                if key not in moved:
                    point = list(theta)
                    point[i] += a * h
                    point[j] += b * h
                    moved[key] = value(point)
                return moved[key]

            gradient = matrix(n, 1)
            hessian = matrix(n, n)
            center = value(theta)
            for i in range(n):
                up, down = at(i, 1, i, 0), at(i, -1, i, 0)
                gradient[i] = (up - down) / (2 * h)
                hessian[i, i] = (up - 2 * center + down) / (h * h)
                for j in range(i):
                    hessian[i, j] = hessian[j, i] = (
                        at(i, 1, j, 1) - at(i, 1, j, -1) - at(i, -1, j, 1) + at(i, -1, j, -1)
                    ) / (4 * h * h)
            step = lu_solve(hessian, gradient)
            theta = [t - s for t, s in zip(theta, step)]
            if max(abs(s) for s in step) < mpf(10) ** -22:
                return theta, value(theta)
        raise ArithmeticError("not converged")

    def back(self, theta, columns):
        slopes = [t / mpf(self.unit(c)) for t, c in zip(theta[1:], columns)]
        return [theta[0] - sum(s * mpf(self.middle(c)) for s, c in zip(slopes, columns))] + slopes


def text(value):
    return mp.nstr(value, 20)


def main():
    out = {}
    for name, parts in FITS.items():
        model = Model(*parts)
        theta, loss = model.polish(model.search())
        p, q = len(model.x) + 1, len(model.z) + 1
        entry = dict(zip(("file", "response", "terms", "noise", "scale_terms", "weights"), parts))
        entry["coefficients"] = [text(v) for v in model.back(theta[:p], model.x)]
        entry["log_scale"] = [text(v) for v in model.back(theta[p : p + q], model.z)]
        entry["log_likelihood"] = text(-loss)
        if model.shaped:
            entry["df"] = text(exp(theta[-1]))
        out[name] = entry
        print(name, entry, flush=True)
    (HERE / "likelihood.json").write_text(json.dumps(out, indent=1) + "\n")


main()
