"""References of what follows a fit: serial correlation, DFBETAS, variance inflation, R1 of quantiles, nested formulas; by statsmodels on
../mtcars.csv and ../longley_r.csv. Makes after_fit.json."""
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import patsy
import statsmodels
import statsmodels.formula.api as smf
from statsmodels.stats.diagnostic import acorr_breusch_godfrey, acorr_ljungbox
from statsmodels.stats.outliers_influence import variance_inflation_factor

here = Path(__file__).parent
mtcars, longley = pd.read_csv(here / "../mtcars.csv"), pd.read_csv(here / "../longley_r.csv")
out = {"made_by": "after_fit.py"}
out["versions"] = {"python": sys.version.split()[0], **{m.__name__: m.__version__ for m in (np, pd, patsy, statsmodels)}}

model = smf.ols("employed ~ gnp + year", longley).fit()
out["serial"] = []
for lags in (1, 2, 4):
    statistic, p_value, _, _ = acorr_breusch_godfrey(model, nlags=lags)
    box = acorr_ljungbox(model.resid, lags=[lags])
    out["serial"].append({
        "lags": lags,
        "breusch_godfrey": [float(statistic), float(p_value)],
        "ljung_box": [float(box["lb_stat"].iloc[0]), float(box["lb_pvalue"].iloc[0])],
    })

model = smf.ols("mpg ~ wt + hp", mtcars).fit()
out["dfbetas"] = model.get_influence().dfbetas.tolist()

X = patsy.dmatrix("wt + hp + qsec", mtcars)
out["vif"] = [float(variance_inflation_factor(np.asarray(X), j)) for j in (1, 2, 3)]
columns = np.column_stack([mtcars["wt"], mtcars["hp"], mtcars["cyl"] == 6, mtcars["cyl"] == 8]).astype(float)
R = np.corrcoef(columns, rowvar=False)


def gvif(own):
    rest = [k for k in range(4) if k not in own]
    det = np.linalg.det
    return float(det(R[np.ix_(own, own)]) * det(R[np.ix_(rest, rest)]) / det(R))


out["gvif"] = [gvif([0]), gvif([1]), gvif([2, 3])]
out["r1"] = []
for tau in (0.25, 0.5, 0.9):
    fit = smf.quantreg("mpg ~ wt + hp", mtcars).fit(q=tau, max_iter=20000, p_tol=1e-10)
    e, y = fit.resid.to_numpy(), mtcars["mpg"].to_numpy()
    # The loss of the best constant, which is one of the responses.
    loss = lambda e: float(np.sum(e * (tau - (e < 0))))
    out["r1"].append({"tau": tau, "statsmodels": float(fit.prsquared), "least": min(loss(y - c) for c in y), "fit": loss(e)})
small, large = smf.ols("mpg ~ wt", mtcars).fit(), smf.ols("mpg ~ wt + hp + qsec", mtcars).fit()
f, p, df = large.compare_f_test(small)
out["nested"] = {"F": float(f), "p_value": float(p), "df": float(df), "ratio": float(large.compare_lr_test(small)[0])}
(here / "after_fit.json").write_text(json.dumps(out, indent=1) + "\n")
