"""Huber regression with 50 digits from the decimals in ../*.csv: writes huber.json, 20 digits a number.

Run as `python3 make_huber.py R_REFERENCE` with mpmath installed; R_REFERENCE is a file with R's results (see ../README.md),
whose part on MASS::rlm is carried over. The estimates are fixed points of reweighted least squares, refined until the
estimating equations, which are recomputed for the check, hold to 40 digits.
"""

import csv
import json
import pathlib
import sys

from mpmath import erf, exp, findroot, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 50
HERE = pathlib.Path(__file__).parent
K = mpf("1.345")
QUARTILE = findroot(lambda z: erf(z / sqrt(2)) - mpf(1) / 2, mpf("0.6745"))

FITS = {
    "stackloss": ("stack_loss", "air_flow water_temp acid_conc"),
    "engel": ("foodexp", "income"),
    "mtcars": ("mpg", "wt hp"),
    "hbk": ("y", "x1 x2 x3"),
    "stars_cyg": ("log_light", "log_te"),
    "coleman": ("y", "salaryp fatherwc sstatus teachersc motherlev"),
    "phones": ("calls", "year"),
    "diabetes": ("y", "age sex bmi bp s1 s2 s3 s4 s5 s6"),
}


def weighted_least_squares(x, y, w):
    order = len(x[0])
    gram = matrix(order, order)
    right = matrix(order, 1)
    for row, value, weight in zip(x, y, w):
        for i in range(order):
            right[i] += weight * row[i] * value
            for j in range(order):
                gram[i, j] += weight * row[i] * row[j]
    return list(lu_solve(gram, right))


def residuals(x, y, b):
    return [value - sum(c * z for c, z in zip(b, row)) for row, value in zip(x, y)]


def median(values):
    ordered, n = sorted(values), len(values)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def clipped(u, knee):
    return max(-knee, min(knee, u))


def theta(k):
    return erf(k / sqrt(2))


def gamma(k):
    return theta(k) + k * k * (1 - theta(k)) - 2 * k * exp(-k * k / 2) / sqrt(2 * pi)


# Each scale rule: the next scale from residuals and the last one, and the gap of its equation.
def mad(constant):
    def step(u, s, p):
        return median([abs(v) for v in u]) / constant

    return step, lambda u, s, p: median([abs(v) for v in u]) / (constant * s) - 1


def proposal2():
    def equation(u, s, p):
        return sum(clipped(v / s, K) ** 2 for v in u) / ((len(u) - p) * gamma(K)) - 1

    return lambda u, s, p: s * sqrt(equation(u, s, p) + 1), equation


def likelihood():
    def equation(u, s, p):
        return sum(v / s * clipped(v / s, K) for v in u) / len(u) - 1

    return lambda u, s, p: s * sqrt(equation(u, s, p) + 1), equation


def solve(x, y, rule=None, delta=None):
    """Reweighted steps to find the sets, then Newton steps by findroot for the digits."""
    b = weighted_least_squares(x, y, [mpf(1)] * len(y))
    s = mpf(1) if delta else median([abs(v) for v in residuals(x, y, b)])
    p = len(b)
    knee = lambda s: delta or K * s
    mp.dps = 20
    for _ in range(4000):
        u = residuals(x, y, b)
        if rule:
            s = rule[0](u, s, p)
        new = weighted_least_squares(x, y, [min(mpf(1), knee(s) / abs(v)) if v else mpf(1) for v in u])
        done = max(abs(a - c) for a, c in zip(new, b)) < mpf(10) ** -15 * max(abs(c) for c in b)
        b = new
        if done:
            break
    mp.dps = 50

    def equations(*at):
        b, s = at[:p], at[p] if rule else s0
        u = residuals(x, y, b)
        psi = [clipped(v, knee(s)) for v in u]
        gaps = [sum(q * row[j] for q, row in zip(psi, x)) for j in range(p)]
        return gaps + ([rule[1](u, s, p)] if rule else [])

    s0 = s
    start = list(b) + ([s] if rule else [])
    found = newton(equations, start)
    worst = max(abs(gap) for gap in equations(*found))
    assert worst < mpf(10) ** -38, worst
    return found[:p], (found[p] if rule else None)


def newton(equations, at):
    """With the Jacobian from differences, which are exact to 20 digits within a piece."""
    order, h = len(at), mpf(10) ** -25
    for _ in range(20):
        value = equations(*at)
        if max(abs(gap) for gap in value) < mpf(10) ** -40:
            break
        jacobian = matrix(order, order)
        for j in range(order):
            moved = list(at)
            moved[j] += h * (1 + abs(at[j]))
            for i, gap in enumerate(equations(*moved)):
                jacobian[i, j] = (gap - value[i]) / (moved[j] - at[j])
        step = lu_solve(jacobian, matrix(value))
        at = [a - d for a, d in zip(at, step)]
    return at


def rho(u, knee):
    return u * u / 2 if abs(u) <= knee else knee * (abs(u) - knee / 2)


def normaliser(k):
    return sqrt(2 * pi) * theta(k) + 2 * exp(-k * k / 2) / k


def log_likelihood(u, s, k):
    return -sum(rho(v / s, k) for v in u) - len(u) * log(s * normaliser(k))


def likely_scale(u, delta):
    """The maximum over s of the likelihood with the knee at delta."""
    loss = sum(rho(v, delta) for v in u) / len(u)
    derivative = lambda s: diff_of(lambda s: log(s * normaliser(delta / s)) + loss / s**2, s)
    return findroot(derivative, (delta / sqrt(delta**2 / loss), delta / sqrt(delta**2 / (2 * loss))), solver="anderson")


def diff_of(f, s):
    h = mpf(10) ** -17 * s
    return (f(s + h) - f(s - h)) / (2 * h)


def text(value):
    return mp.nstr(value, 20)


def main():
    of_r = json.loads(pathlib.Path(sys.argv[1]).read_text())["datasets"]
    fits = []
    for name, (response, regressors) in FITS.items():
        with open(HERE.parent / f"{name}.csv") as stream:
            table = list(csv.DictReader(stream))
        y = [mpf(row[response]) for row in table]
        x = [[mpf(1)] + [mpf(row[term]) for term in regressors.split()] for row in table]
        entry = {"data": f"{name}.csv", "response": response, "terms": regressors.split(), "k": "1.345"}
        rules = {
            "mad:0.6745": mad(mpf("0.6745")),
            "mad": mad(QUARTILE),
            "proposal2": proposal2(),
            "mle": likelihood(),
        }
        for rule, functions in rules.items():
            b, s = solve(x, y, functions)
            u = residuals(x, y, b)
            entry[rule] = {
                "coefficients": [text(c) for c in b],
                "scale": text(s),
                "log_likelihood": text(log_likelihood(u, s, K)),
            }
            if rule == "mad":
                # A round number near the knee.
                delta = mpf(mp.nstr(K * s, 2))
        b, _ = solve(x, y, delta=delta)
        u = residuals(x, y, b)
        s = likely_scale(u, delta)
        entry["fixed"] = {
            "delta": mp.nstr(delta, 5),
            "coefficients": [text(c) for c in b],
            "mean_loss": text(sum(rho(v, delta) for v in u) / len(u)),
            "scale": text(s),
            "log_likelihood": text(log_likelihood(u, s, delta / s)),
        }
        rlm = of_r[name]["rlm"]
        entry["rlm"] = {
            ours: {"coefficients": fit["coefficients"], "scale": fit["scale"], "std_errors": fit["std_errors_XtX"]}
            for ours, theirs in (("mad:0.6745", "mad"), ("proposal2", "proposal2"))
            for fit in [rlm[f"huber_k1.345_{theirs}_converged"]]
        }
        fits.append(entry)
        print(name)
    (HERE / "huber.json").write_text(json.dumps(fits, indent=1) + "\n")


main()
