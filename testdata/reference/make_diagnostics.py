"""Diagnostics of least squares with 50 digits from the decimals in ../*.csv, as their definitions say: writes diagnostics.json.

Run as `python3 make_diagnostics.py` with mpmath installed, and R where `shapiro.json` (what R's shapiro.test says) is to be made
anew. Matrices are written out: the hat matrix, the matrix of squared differences, all auxiliary regressions.
"""

import csv
import json
import pathlib
import subprocess

from mpmath import betainc, eigsy, exp, gammainc, log, lu_solve, matrix, mp, mpf, ncdf, sqrt

mp.dps = 50
HERE = pathlib.Path(__file__).parent

# name: file, response, regressors, weights (a column or 1/column)
FITS = {
    "stackloss": ("stackloss", "stack_loss", "air_flow water_temp acid_conc", None),
    "engel": ("engel", "foodexp", "income", None),
    "engel, weights 1/income": ("engel", "foodexp", "income", "1/income"),
    "mtcars": ("mtcars", "mpg", "wt hp", None),
    "mtcars, all columns": ("mtcars", "mpg", "cyl disp hp drat wt qsec vs am gear carb", None),
    "mtcars, weights qsec": ("mtcars", "mpg", "wt hp", "qsec"),
    "longley": ("longley_r", "employed", "gnp_deflator gnp unemployed armed_forces population year", None),
    "longley, NIST's units": ("nist/longley", "y", "x1 x2 x3 x4 x5 x6", None),
    "hbk": ("hbk", "y", "x1 x2 x3", None),
    "stars": ("stars_cyg", "log_light", "log_te", None),
    "coleman": ("coleman", "y", "salaryp fatherwc sstatus teachersc motherlev", None),
    "phones": ("phones", "calls", "year", None),
    "swiss": ("swiss", "fertility", "agriculture examination education catholic infant_mortality", None),
    "diabetes": ("diabetes", "y", "age sex bmi bp s1 s2 s3 s4 s5 s6", None),
    "anscombe 3": ("anscombe", "y3", "x3", None),
    "stackloss, no intercept": ("stackloss", "stack_loss", "0 air_flow water_temp acid_conc", None),
}

# What R 4.2.2 says of the same residuals: the two-sided p-value of lmtest 0.9-40's dwtest (exact, by Pan's algorithm), and W and
# the p-value of shapiro.test.
R = {
    "stackloss": (0.08691644801750291, 0.9739857077068916, 0.8186459145970917),
    "engel": (None, 0.8808310358858688, 1.2578261786015784e-12),
    "mtcars": (0.041225098039344855, 0.9279164761176817, 0.0342747606137479),
    "mtcars, all columns": (0.31481736108800273, 0.9569436304667281, 0.22614893260656743),
    "longley": (0.9668484444113182, 0.9486017977093103, 0.4678663997535676),
    "longley, NIST's units": (0.9668484444113297, 0.9486017977093121, 0.46786639975359456),
    "hbk": (2.8289111338132974e-12, 0.8354980343654843, 1.1291586246029224e-07),
    "stars": (0.25624243950373543, 0.9546884182325067, 0.0662397802322908),
    "coleman": (0.6992216272323115, 0.9300469724333286, 0.15473859452162084),
    "phones": (9.611596291858682e-06, 0.9319667621742014, 0.10787690273999637),
    "swiss": (0.022619215727933326, 0.988923866738921, 0.9317582314104446),
    "diabetes": (None, 0.9970648031626592, 0.6161820397708268),
}


def dot(a, b):
    return sum(s * t for s, t in zip(a, b))


def kept(columns):
    """The columns that are no combinations of those before them, orthonormalised."""
    basis = []
    for column in columns:
        rest = list(column)
        for _ in range(2):
            for q in basis:
                share = dot(q, rest)
                rest = [r - share * s for r, s in zip(rest, q)]
        if dot(rest, rest) > mpf(10) ** -30 * dot(column, column):
            length = sqrt(dot(rest, rest))
            basis.append([r / length for r in rest])
    return basis


def explained(basis, column):
    return sum(dot(q, column) ** 2 for q in basis)


def chi_squared(statistic, df):
    p = gammainc(mpf(df) / 2, mpf(statistic) / 2, regularized=True)
    return {"statistic": statistic, "df": df, "p_value": p}


def white(x, squares):
    """White's test of squared errors on regressors, squares and cross products."""
    n = len(squares)
    ones = [mpf(1)] * n
    columns = [ones] + x + [[s * t for s, t in zip(a, b)] for i, a in enumerate(x) for b in x[: i + 1]]
    basis = kept(columns)
    if n <= len(basis):
        return None
    total = dot(squares, squares) - dot(squares, ones) ** 2 / n
    return chi_squared(n * explained(basis[1:], squares) / total, len(basis) - 1)


def anderson_darling(values):
    n = len(values)
    mean = sum(values) / n
    deviation = sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    z = sorted((v - mean) / deviation for v in values)
    below, above = [log(ncdf(v)) for v in z], [log(ncdf(-v)) for v in z]
    statistic = -n - sum((2 * i + 1) * (below[i] + above[n - 1 - i]) for i in range(n)) / n
    a = statistic * (1 + mpf("0.75") / n + mpf("2.25") / n**2)
    if a < mpf("0.2"):
        p = 1 - exp(mpf("-13.436") + mpf("101.14") * a - mpf("223.73") * a**2)
    elif a < mpf("0.34"):
        p = 1 - exp(mpf("-8.318") + mpf("42.796") * a - mpf("59.938") * a**2)
    elif a < mpf("0.6"):
        p = exp(mpf("0.9177") - mpf("4.279") * a - mpf("1.38") * a**2)
    else:
        p = exp(mpf("1.2937") - mpf("5.709") * a + mpf("0.0186") * a**2)
    return {"statistic": statistic, "p_value": p}


def diagnose(file, response, regressors, weights):
    with open(HERE.parent / f"{file}.csv") as stream:
        table = list(csv.DictReader(stream))
    names = regressors.split()
    intercept = names[0] != "0"
    names = [name for name in names if name != "0"]
    column = lambda name: [mpf(row[name]) for row in table]
    y, slopes = column(response), [column(name) for name in names]
    n = len(y)
    ones = [mpf(1)] * n
    x = ([ones] if intercept else []) + slopes
    p = len(x)
    w = ones
    if weights:
        w = column(weights.removeprefix("1/"))
        w = [1 / v for v in w] if weights.startswith("1/") else w
    root = [sqrt(v) for v in w]
    rx = [[r * v for r, v in zip(root, a)] for a in x]
    gram = matrix([[dot(a, b) for b in rx] for a in rx])
    inverse = gram**-1
    ry = [r * v for r, v in zip(root, y)]
    beta = lu_solve(gram, matrix([dot(a, ry) for a in rx]))
    fitted = [sum(beta[j] * x[j][i] for j in range(p)) for i in range(n)]
    e = [root[i] * (y[i] - fitted[i]) for i in range(n)]
    rss = dot(e, e)
    df = n - p
    s2 = rss / df
    h = [sum(rx[j][i] * inverse[j, k] * rx[k][i] for j in range(p) for k in range(p)) for i in range(n)]
    standardised = [e[i] / sqrt(s2 * (1 - h[i])) for i in range(n)]
    without = [(rss - e[i] ** 2 / (1 - h[i])) / (df - 1) for i in range(n)]
    studentised = [e[i] / sqrt(without[i] * (1 - h[i])) for i in range(n)]
    rows = {
        "residual": [y[i] - fitted[i] for i in range(n)],
        "leverage": h,
        "standardised": standardised,
        "studentised": studentised,
        "cooks_distance": [standardised[i] ** 2 * h[i] / (p * (1 - h[i])) for i in range(n)],
        "dffits": [studentised[i] * sqrt(h[i] / (1 - h[i])) for i in range(n)],
        "covratio": [(without[i] / s2) ** p / (1 - h[i]) for i in range(n)],
    }
    # Squared errors on a constant and the regressors.
    squares = [v * v for v in e]
    mean = sum(squares) / n
    basis = kept([ones] + slopes)
    found = explained(basis[1:], squares)
    total = dot(squares, squares) - n * mean**2
    # Moments about the mean.
    centre = sum(e) / n
    moment = lambda k: sum((v - centre) ** k for v in e) / n
    skewness, kurtosis = moment(3) / moment(2) ** mpf("1.5"), moment(4) / moment(2) ** 2 - 3
    # Durbin and Watson: the matrix of squared differences between neighbours, and M = I - H.
    hat = [[sum(rx[j][i] * inverse[j, k] * rx[k][l] for j in range(p) for k in range(p)) for l in range(n)] for i in range(n)] if n < 100 else None
    statistic = sum((a - b) ** 2 for a, b in zip(e[1:], e)) / rss
    durbin_watson = {"statistic": statistic}
    if hat:
        ma = [[0] * n for _ in range(n)]
        m = lambda i, k: (1 if i == k else 0) - hat[i][k]
        for i in range(n):
            for j in range(n):
                own = 1 if j in (0, n - 1) else 2
                ma[i][j] = own * m(i, j) - (m(i, j - 1) if j else 0) - (m(i, j + 1) if j + 1 < n else 0)
        trace = sum(ma[i][i] for i in range(n))
        squared = sum(ma[i][j] * ma[j][i] for i in range(n) for j in range(n))
        expected = trace / df
        durbin_watson["expected"] = expected
        durbin_watson["std_dev"] = sqrt(2 * (squared - trace * expected) / (df * (df + 2)))
    # The errors on the regressors and the error before.
    basis_x = kept(rx)
    lagged = kept(rx + [[mpf(0)] + e[:-1]])
    # Powers of the fitted values.
    powers = kept(rx + [[root[i] * fitted[i] ** k for i in range(n)] for k in (2, 3)])
    more = len(powers) - p
    gained = explained(powers[p:], e)
    f = gained / more / ((rss - gained) / (df - more))
    # Collinearity.
    centred = [[v - (dot(w, a) / sum(w) if intercept else 0) for v in a] for a in slopes]
    product = lambda a, b: sum(v * s * t for v, s, t in zip(w, a, b))
    offset = p - len(slopes)
    inflation = [product(a, a) * inverse[j + offset, j + offset] for j, a in enumerate(centred)]
    values = eigsy(gram, eigvals_only=True)
    correlation = matrix(
        [[product(a, b) / sqrt(product(a, a) * product(b, b)) for b in centred] for a in centred]
    )
    scaled = eigsy(correlation, eigvals_only=True)
    return {
        "rows": rows,
        "breusch_pagan": chi_squared(found / mean**2 / 2, len(basis) - 1),
        "studentised_breusch_pagan": chi_squared(n * found / total, len(basis) - 1),
        "white": white(slopes, squares),
        "skewness": skewness,
        "excess_kurtosis": kurtosis,
        "jarque_bera": chi_squared(mpf(n) / 6 * (skewness**2 + kurtosis**2 / 4), 2),
        "anderson_darling": anderson_darling(e),
        "durbin_watson": durbin_watson,
        "breusch_godfrey": chi_squared(n * explained(lagged[len(basis_x) :], e) / rss, 1),
        "reset": {
            "statistic": f,
            "df": more,
            "df_residual": df - more,
            "p_value": betainc(mpf(df - more) / 2, mpf(more) / 2, 0, (df - more) / (df - more + more * f), regularized=True),
        },
        "variance_inflation": inflation,
        "condition_number": sqrt(max(values) / min(values)),
        "scaled_condition_number": sqrt(max(scaled) / min(scaled)),
    }


def printed(value):
    if isinstance(value, mpf):
        return mp.nstr(value, 20, strip_zeros=False)
    if isinstance(value, dict):
        return {key: printed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [printed(inner) for inner in value]
    return value


SHAPIRO = """
cat("[\\n")
set.seed(4)
first <- TRUE
show <- function(x) {
  t <- shapiro.test(x)
  cat(if (first) "" else ",\\n"); first <<- FALSE
  cat(sprintf(' {"values": [%s], "w": %.17g, "p_value": %.17g}', paste(sprintf("%.17g", x), collapse=", "), t$statistic, t$p.value))
}
for (n in c(3:13, 20, 50, 51)) { show(round(rnorm(n), 6)); show(round(rexp(n)^2, 6)) }
show(c(1, 1, 2)); show(c(1, 2, 3)); show(c(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)); show(round(rt(200, 2), 4))
cat("\\n]\\n")
"""

if __name__ == "__main__":
    results = []
    for name, (file, response, regressors, weights) in FITS.items():
        formula = f"{response} ~ {' + '.join(regressors.split())}"
        given = {"name": name, "data": f"{file}.csv", "formula": formula, "weights": weights}
        found = diagnose(file, response, regressors, weights)
        if name in R:
            watson, w, p = R[name]
            found["durbin_watson"]["lmtest_p_value"] = watson
            found["shapiro_wilk"] = {"statistic": w, "p_value": p}
        results.append(printed(given | found))
    (HERE / "diagnostics.json").write_text(json.dumps(results, indent=1) + "\n")
    shapiro = subprocess.run(["Rscript", "-e", SHAPIRO], capture_output=True, text=True, check=True).stdout
    (HERE / "shapiro.json").write_text(shapiro)
