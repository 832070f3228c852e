"""Distributions of new observations, from their definition in words: what `noisefit_core::inference::distribution` finds by tables.

Run from this folder with mpmath 1.3.0 and scipy 1.17.1: `python distribution.py > distribution.json`. A new observation has the quantile
mu + sign(z) sqrt((s q)^2 (1 + z^2 v) + (z e)^2) for normal deviates z, with q the noise's quantile of the same probability; its distribution
function is the inverse of that by bisection with 50 digits, and its density the reciprocal of the quantile's derivative by differences.
Student's t is scipy's own. Mixtures are sums of scipy's distributions, their quantiles by brentq.
"""

import json

import mpmath as mp
from scipy import optimize, stats

mp.mp.dps = 90


def upper_quantile(family, tail):
    """The noise's quantile with so much probability above it."""
    match family:
        case "gaussian":
            return mp.sqrt(2) * mp.erfinv(1 - 2 * tail)
        case "laplace":
            return -mp.log(2 * tail)
        case "logistic":
            return mp.log((1 - tail) / tail)
        case "cauchy":
            return mp.tan(mp.pi * (mp.mpf(1) / 2 - tail))
        case "student-t:4":
            # Shaw 2006, Journal of Computational Finance 9, 37-73.
            a = 4 * tail * (1 - tail)
            return 2 * mp.sqrt(mp.cos(mp.acos(mp.sqrt(a)) / 3) / mp.sqrt(a) - 1)
        case "huber":
            k = mp.mpf("1.345")
            centre = mp.sqrt(2 * mp.pi) * (mp.ncdf(k) - mp.ncdf(-k))
            outside = mp.exp(-k * k / 2) / k
            total = centre + 2 * outside
            if tail < outside / total:
                return k + mp.log(outside / total / tail) / k
            # Below the knee: the area between zero and q.
            return mp.sqrt(2) * mp.erfinv(2 * (mp.mpf(1) / 2 - tail) * total / mp.sqrt(2 * mp.pi))


def distance(family, s, e, v, z):
    q = upper_quantile(family, mp.ncdf(-z))
    return mp.sqrt((s * q) ** 2 * (1 + z * z * v) + (z * e) ** 2)


def score(family, s, e, v, wanted):
    low, high = mp.mpf(0), mp.mpf(12)
    for _ in range(170):
        middle = (low + high) / 2
        if distance(family, s, e, v, middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


fits = []
for family in ["gaussian", "laplace", "logistic", "cauchy", "student-t:4", "huber"]:
    for s, e, v in [("0.5", "0", "0"), ("0.5", "0.3", "0"), ("0.5", "2", "0"), ("0.5", "0.3", "0.05")]:
        s, e, v = mp.mpf(s), mp.mpf(e), mp.mpf(v)
        for wanted in ["0.01", "0.4", "0.9", "2.5", "6"]:
            z = score(family, s, e, v, mp.mpf(wanted))
            slope = mp.diff(lambda z: distance(family, s, e, v, z), z, h=mp.mpf("1e-25"))
            log_density = -z * z / 2 - mp.log(2 * mp.pi) / 2 - mp.log(slope)
            fits.append({
                "family": family, "scale": float(s), "error": float(e), "variance": float(v), "distance": float(wanted),
                "above": float(mp.ncdf(-z)), "log_density": float(log_density),
            })

# Student's t: four rows, slope 0.8, intercept 0.5, two degrees of freedom, residual variance 0.9; at x = 2.5 and 6.
students = []
for x, leverage in [(2.5, 0.25), (6.0, 0.25 + 3.5**2 / 5)]:
    t = stats.t(2, loc=0.5 + 0.8 * x, scale=(0.9 * (1 + leverage)) ** 0.5)
    for y in [-20.0, 0.0, 2.0, 4.5, 30.0]:
        students.append({"x": x, "y": y, "below": t.cdf(y), "above": t.sf(y), "log_density": t.logpdf(y)})

mixtures = []
families = {"gaussian": lambda m, s: stats.norm(m, s), "laplace": lambda m, s: stats.laplace(m, s), "logistic": lambda m, s: stats.logistic(m, s),
            "student-t:4": lambda m, s: stats.t(4, m, s)}  # fmt: skip
for family, make in families.items():
    members = [(-1.0, 0.5), (0.2, 1.5), (3.0, 0.25)]
    parts = [make(*member) for member in members]
    cdf = lambda y: sum(part.cdf(y) for part in parts) / 3  # noqa: E731
    quantile = lambda p: optimize.brentq(lambda y: cdf(y) - p, -200, 200, xtol=1e-14, rtol=1e-14)  # noqa: E731
    mixtures.append({
        "family": family, "members": members,
        "quantiles": [[p, quantile(p)] for p in (0.01, 0.1, 0.5, 0.75, 0.99)],
        "densities": [[y, float(mp.log(sum(part.pdf(y) for part in parts) / 3))] for y in (-2.0, 0.1, 2.9, 5.0)],
        "above": [[y, sum(part.sf(y) for part in parts) / 3] for y in (-2.0, 0.1, 2.9, 5.0)],
    })

print(json.dumps({"fits": fits, "students": students, "mixtures": mixtures}, indent=1))
