"""References of splines: coefficients of least squares on the columns of patsy's bs and cc, and on those of R's ns, which are made here
as splines::ns makes them, from scipy's B-splines; with predictions at new values. Makes splines.json."""
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import patsy
import scipy
from scipy.interpolate import BSpline

here = Path(__file__).parent
mtcars = pd.read_csv(here / "../mtcars.csv")
women = pd.DataFrame({
    "height": np.arange(58.0, 73.0),
    "weight": [115.0, 117, 120, 123, 126, 129, 132, 135, 139, 142, 146, 150, 154, 159, 164],
})


def natural(x, new, inner, bounds):
    """splines::ns of R 4: cubic B-splines without the first, orthogonal to the second derivatives at the boundary; straight beyond."""
    knots = np.r_[[bounds[0]] * 4, inner, [bounds[1]] * 4]
    count = len(knots) - 4

    def at(values, derivative=0):
        columns = []
        for j in range(count):
            spline = BSpline(knots, np.eye(count)[j], 3, extrapolate=True)
            columns.append(spline.derivative(derivative)(values) if derivative else spline(values))
        return np.column_stack(columns)[:, 1:]

    const = at(np.array(bounds), 2)
    q, _ = np.linalg.qr(const.T, mode="complete")

    def basis(values):
        values = np.asarray(values, dtype=float)
        inside = np.clip(values, *bounds)
        rows = at(inside) + at(inside, 1) * (values - inside)[:, None]
        return (rows @ q)[:, 2:]

    return basis(x), basis(new)


def fit(columns, y, new):
    X = np.column_stack([np.ones(len(y)), columns])
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    return {"coefficients": b.tolist(), "predictions": (np.column_stack([np.ones(len(new)), new]) @ b).tolist()}


hp, mpg = mtcars["hp"].to_numpy(float), mtcars["mpg"].to_numpy(float)
new = np.array([60.0, 100.0, 150.5, 333.0])
out = {"made_by": "splines.py", "new": new.tolist(), "fits": []}
out["versions"] = {"python": sys.version.split()[0], **{m.__name__: m.__version__ for m in (np, scipy, patsy, pd)}}


def of_patsy(ours, theirs, new=new):
    columns = patsy.dmatrix(theirs + " - 1", {"x": hp})
    others = patsy.build_design_matrices([columns.design_info], {"x": new})[0]
    out["fits"].append({"formula": f"mpg ~ {ours}", **fit(np.asarray(columns), mpg, np.asarray(others))})


of_patsy("bs(hp, df=5)", "bs(x, df=5)")
of_patsy("bs(hp, 4, degree=2)", "bs(x, df=4, degree=2)")
of_patsy("bs(hp, knots=c(100, 180), degree=1)", "bs(x, knots=[100, 180], degree=1)")
of_patsy("bs(hp)", "bs(x, df=3)")
of_patsy("bs(hp, df=6, Boundary.knots=c(0, 400))", "bs(x, df=6, lower_bound=0, upper_bound=400)")
of_patsy("cc(hp, df=5)", "cc(x, df=5, constraints='center')")
of_patsy("cc(hp, df=4, Boundary.knots=c(50, 350))", "cc(x, df=4, lower_bound=50, upper_bound=350, constraints='center')")

for df in (1, 2, 4):
    inner = np.quantile(hp, np.linspace(0, 1, df + 1)[1:-1])
    beyond = np.r_[new, 20.0, 500.0]
    columns, others = natural(hp, beyond, inner, (hp.min(), hp.max()))
    out["fits"].append({"formula": f"mpg ~ ns(hp, df={df})", "new": beyond.tolist(), **fit(columns, mpg, others)})

# What R prints of its own example (?splines::ns, ?splines::bs).
height, weight = women["height"].to_numpy(), women["weight"].to_numpy()
columns, _ = natural(height, height[:1], np.quantile(height, [0.2, 0.4, 0.6, 0.8]), (58.0, 72.0))
print("ns", np.round(np.linalg.lstsq(np.column_stack([np.ones(15), columns]), weight, rcond=None)[0], 4))
columns = np.asarray(patsy.dmatrix("bs(x, df=5) - 1", {"x": height}))
print("bs", np.round(np.linalg.lstsq(np.column_stack([np.ones(15), columns]), weight, rcond=None)[0], 4))
(here / "splines.json").write_text(json.dumps(out, indent=1) + "\n")
