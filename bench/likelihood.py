"""Maximum likelihood of location and scale in numpy and scipy, written from the densities and from nothing of noisefit's:
a peer in speed, and the independent optimiser of the agreement table."""

import math

import numpy as np
from scipy import optimize, special


def gaussian(r, _):
    """`-ln f` at the standardised residuals, its derivative by them, and by the shape's parameter where there is one."""
    return 0.5 * r * r + 0.5 * math.log(2 * math.pi), r, None


def logistic(r, _):
    return np.abs(r) + 2 * np.log1p(np.exp(-np.abs(r))), np.tanh(0.5 * r), None


def student_t(r, df):
    square = r * r
    log = np.log1p(square / df)
    constant = special.gammaln(0.5 * (df + 1)) - special.gammaln(0.5 * df) - 0.5 * math.log(df * math.pi)
    slope = 0.5 * (special.digamma(0.5 * (df + 1)) - special.digamma(0.5 * df) - 1 / df)
    by_df = 0.5 * log - 0.5 * (df + 1) * square / (df * (df + square)) - slope
    return 0.5 * (df + 1) * log - constant, (df + 1) * r / (df + square), by_df


FAMILIES = {"gaussian": gaussian, "logistic": logistic, "student-t": student_t}


class Likelihood:
    """`y = X beta + exp(Z gamma) R`. The parameters are beta, gamma, and the logarithm of Student's degrees of freedom where
    they are not given. X and Z have their columns of ones."""

    def __init__(self, noise, y, x, z):
        family, _, df = noise.partition(":")
        self.family, self.y, self.x, self.z = FAMILIES[family], y, x, z
        self.df, self.has_df = float(df or math.nan), noise == "student-t"

    def split(self, parameters):
        p, q = self.x.shape[1], self.z.shape[1]
        df = math.exp(parameters[p + q]) if self.has_df else self.df
        return parameters[:p], parameters[p : p + q], df

    def mean_and_gradient(self, parameters):
        """The negative log-likelihood divided by the rows, complete, and its gradient."""
        beta, gamma, df = self.split(parameters)
        log_s = self.z @ gamma
        inverse = np.exp(-log_s)
        r = (self.y - self.x @ beta) * inverse
        value, score, by_df = self.family(r, df)
        gradient = [-(score * inverse) @ self.x, (1 - score * r) @ self.z, df * by_df.sum() if self.has_df else []]
        n = len(self.y)
        return (value.sum() + log_s.sum()) / n, np.hstack(gradient) / n

    def starts(self):
        """Least squares, and for Student's t several degrees of freedom with it."""
        beta = np.linalg.lstsq(self.x, self.y)[0]
        gamma = np.zeros(self.z.shape[1])
        gamma[0] = math.log(np.std(self.y - self.x @ beta))
        start = np.hstack([beta, gamma])
        return [np.append(start, math.log(df)) for df in (1.5, 5, 30)] if self.has_df else [start]

    def quick(self):
        """L-BFGS from one start, to the tolerance that such fits usually have."""
        start = self.starts()[-1]
        options = {"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7}
        found = optimize.minimize(self.mean_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
        return self.estimates(found.x)

    def polished(self):
        """BFGS from every start, and from the best end a root of the gradient to the last digits."""
        ends = [optimize.minimize(self.mean_and_gradient, start, jac=True, method="BFGS") for start in self.starts()]
        best = min(ends, key=lambda end: end.fun)
        gradient = lambda parameters: self.mean_and_gradient(parameters)[1]
        root = optimize.root(gradient, best.x, method="hybr", options={"xtol": 1e-15}).x
        if np.abs(gradient(root)).max() > 1e-10 or self.mean_and_gradient(root)[0] > best.fun + 1e-12:
            raise SystemExit("scipy found no maximum")
        return self.estimates(root)

    def estimates(self, parameters):
        beta, gamma, df = self.split(parameters)
        return {
            "coefficients": beta,
            **scale(gamma),
            **({"shape": [df]} if self.has_df else {}),
            "log_likelihood": [-len(self.y) * self.mean_and_gradient(parameters)[0]],
        }


class Standardised(Likelihood):
    """The same in coordinates in which the columns of X and of Z are orthonormal, times `sqrt(n)`, and y is of size 1:
    digits for the optimiser. Estimates are those of the data as they are."""

    def __init__(self, noise, y, x, z):
        (u, self.x_triangle), (v, self.z_triangle) = np.linalg.qr(x), np.linalg.qr(z)
        self.length, self.unit = math.sqrt(len(y)), np.std(y)
        super().__init__(noise, y / self.unit, u * self.length, v * self.length)

    def starts(self):
        """The logarithm of the scale is the first column's coefficient, which is a column of one number."""
        starts = super().starts()
        for start in starts:
            start[self.x.shape[1]] /= self.z[0, 0]
        return starts

    def estimates(self, parameters):
        beta, gamma, _ = self.split(parameters)
        beta = self.unit * self.length * np.linalg.solve(self.x_triangle, beta)
        gamma = self.length * np.linalg.solve(self.z_triangle, gamma)
        gamma[0] += math.log(self.unit)
        estimates = super().estimates(parameters) | {"coefficients": beta}
        estimates["log_likelihood"][0] -= len(self.y) * math.log(self.unit)
        return estimates | scale(gamma)


def scale(gamma):
    return {"scale": np.exp(gamma)} if len(gamma) == 1 else {"scale_coefficients": gamma}
