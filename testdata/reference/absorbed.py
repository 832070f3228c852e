"""Makes testdata/workers.csv and testdata/reference/absorbed.json: absorbed effects by pyfixest, and by statsmodels with a
column for every level.

    pip install pyfixest==0.60.0 statsmodels==0.15.0 && python testdata/reference/absorbed.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import statsmodels
import statsmodels.formula.api as smf

HERE = Path(__file__).parent
# pyfixest's default leaves rows out that are a level of their own, as noisefit does not.
KEPT = {"fixef_rm": "none"}
# Nothing iterative is to be seen in the figures.
EXACT = {"fixef_tol": 1e-13, "fixef_maxiter": 1_000_000}


def workers() -> pd.DataFrame:
    """Wages of workers who move between firms, over some years; not every worker in every year."""
    random = np.random.default_rng(20240611)
    rows = []
    ability, premium = random.normal(0, 0.4, 90), random.normal(0, 0.25, 14)
    for worker in range(90):
        firm = random.integers(14)
        experience = random.integers(1, 25)
        for year in range(2011, 2018):
            if random.random() < 0.25:
                firm = random.integers(14)
            if random.random() < 0.2:
                continue
            union = int(random.random() < 0.2 + 0.05 * (firm % 6))
            hours = round(38 + 2 * random.normal() + ability[worker], 1)
            noise = 0.15 * (1 + 0.5 * union) * random.normal() + 0.05 * np.sin(firm + year)
            wage = 2.2 + ability[worker] + premium[firm] + 0.02 * (year - 2011) + 0.08 * union - 0.01 * hours
            wage += 0.004 * (experience + year - 2011) ** 0.7 + noise
            rows.append((f"w{worker:03}", f"f{firm:02}", year, round(float(wage), 4), union, hours, 1 + int(random.integers(3))))
    return pd.DataFrame(rows, columns=["worker", "firm", "year", "wage", "union", "hours", "precision"])


def by_pyfixest(data: pd.DataFrame, formula: str, vcov: object, weights: str | None) -> dict[str, object]:
    fit = pyfixest.feols(formula, data, vcov=vcov, weights=weights, **KEPT, **EXACT)
    table = fit.tidy()
    return {
        "formula": formula,
        "vcov": vcov if isinstance(vcov, str) else list(vcov.values())[0],
        "weights": weights,
        "nobs": int(fit._N),
        "terms": list(table.index),
        "estimates": [float(x) for x in table["Estimate"]],
        "std_errors": [float(x) for x in table["Std. Error"]],
        "p_values": [float(x) for x in table["Pr(>|t|)"]],
        "r_squared": float(fit._r2),
        "within_r_squared": float(fit._r2_within),
        "fitted": [float(x) for x in np.asarray(fit.predict())[:5]],
    }


def by_statsmodels(data: pd.DataFrame, formula: str, effects: list[str], terms: list[str], weights: str | None) -> dict[str, object]:
    dense = formula.split("|")[0] + "".join(f" + C({effect})" for effect in effects)
    model = smf.wls(dense, data, weights=data[weights]) if weights else smf.ols(dense, data)
    fit = model.fit()
    return {
        "df_residual": int(fit.df_resid),
        "estimates": [float(fit.params[term]) for term in terms],
        "std_errors": [float(fit.bse[term]) for term in terms],
        "residual_std_error": float(np.sqrt(fit.scale)),
    }


def main() -> None:
    data = workers()
    data.to_csv(HERE.parent / "workers.csv", index=False)
    cases = []
    for formula, effects in [
        ("wage ~ union + hours | worker", ["worker"]),
        ("wage ~ union + hours | worker + firm", ["worker", "firm"]),
        ("wage ~ union + hours | worker + firm + year", ["worker", "firm", "year"]),
    ]:
        for weights in [None, "precision"]:
            for vcov in ["iid", "hetero", {"CRV1": "firm"}, {"CRV1": "worker"}]:
                case = by_pyfixest(data, formula, vcov, weights)
                if vcov == "iid":
                    case["statsmodels"] = by_statsmodels(data, formula, effects, case["terms"], weights)
                cases.append(case)
    record = {
        "versions": {"pyfixest": pyfixest.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__},
        "cases": cases,
    }
    (HERE / "absorbed.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
