"""Small data sets on which noisefit and scipy maximise the same likelihoods: every estimate by its name."""

import csv
import json
import subprocess

from data import FOLDER

TESTDATA = FOLDER.parent.parent / "testdata"

MODELS = {
    "stackloss": ("stack_loss", ["air_flow", "water_temp", "acid_conc"]),
    "stars_cyg": ("log_light", ["log_te"]),
    "engel": ("foodexp", ["income"]),
    "mtcars": ("mpg", ["wt", "hp"]),
    "hbk": ("y", ["x1", "x2", "x3"]),
    "coleman": ("y", ["salaryp", "fatherwc", "sstatus", "teachersc", "motherlev"]),
    "swiss": ("fertility", ["agriculture", "examination", "education", "catholic", "infant_mortality"]),
    "diabetes": ("y", ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]),
}

# Noise, data, and the columns of the modelled scale, where it is. Degrees of freedom are left to be estimated where their
# estimate is finite.
CASES = [
    *(("student-t", data, []) for data in ["stackloss", "engel", "mtcars", "hbk", "coleman"]),
    *(("student-t:5", data, []) for data in ["stars_cyg", "swiss", "diabetes"]),
    *(("logistic", data, []) for data in ["stackloss", "stars_cyg", "engel", "swiss", "diabetes"]),
    *(("gaussian", data, scale) for data, scale in [("stackloss", ["air_flow"]), ("engel", ["income"]), ("mtcars", ["wt"]),
                                                    ("diabetes", ["bmi", "bp"])]),
    *(("student-t", data, scale) for data, scale in [("stackloss", ["air_flow"]), ("mtcars", ["wt"])]),
    *(("logistic", data, scale) for data, scale in [("stackloss", ["air_flow"]), ("engel", ["income"]),
                                                    ("diabetes", ["bmi", "bp"])]),
]


def title(case):
    noise, data, scale = case
    return f"{noise}, {data}{', scale by ' + ' and '.join(scale) if scale else ''}"


def noisefit(program, case):
    """Estimates by name, from the command line."""
    noise, data, scale = case
    response, columns = MODELS[data]
    command = [program, "fit", TESTDATA / f"{data}.csv", "-f", f"{response} ~ {' + '.join(columns)}", "--noise", noise]
    command += ["--scale", f"~ {' + '.join(scale)}"] if scale else []
    answer = subprocess.run([*map(str, command), "--format", "json"], capture_output=True, text=True)
    if answer.returncode != 0:
        raise SystemExit(f"{title(case)}: {answer.stderr.strip() or 'not converged'}")
    fit = json.loads(answer.stdout)
    estimates = {
        "coefficients": [c["estimate"] for c in fit["coefficients"]],
        "log_likelihood": [fit["log_likelihood"]],
    }
    if scale:
        estimates["scale_coefficients"] = [c["estimate"] for c in fit["scale_coefficients"]]
    else:
        estimates["scale"] = [fit["scale"]]
    if noise == "student-t":
        estimates["shape"] = [fit["noise"]["df"]]
    return estimates


def scipy(case):
    """The same, by `likelihood.py`."""
    import numpy as np
    from likelihood import Standardised

    noise, data, scale = case
    response, columns = MODELS[data]
    with (TESTDATA / f"{data}.csv").open() as file:
        rows = list(csv.DictReader(file))
    design = lambda names: np.column_stack([np.ones(len(rows)), *([float(row[name]) for row in rows] for name in names)])
    y = np.array([float(row[response]) for row in rows])
    return Standardised(noise, y, design(columns), design(scale)).polished()


def all_of(solve):
    """Every case's estimates, each number under a name of its own, so that each counts by itself."""
    numbers = {}
    for case in CASES:
        for what, values in solve(case).items():
            numbers |= {f"{title(case)}: {what} {i + 1}": [value] for i, value in enumerate(values)}
    return numbers
