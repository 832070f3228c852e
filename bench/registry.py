"""What is measured: problems, and for each kind of problem the libraries that solve it.

A library is one of
  - a Python function `once = prepare(problem)`, run in a process of its own; imports and loading of what is "in memory" are
    not timed, `once()` is;
  - a program that answers the same way on its standard input and output (`bench/src/main.rs`, `bench/lm.R`);
  - a command, timed from its start to its exit.
Each gives the numbers it computed, so that nobody wins by computing something else.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import data

# Everybody's: libraries that have no setting of their own take it from the environment (see `harness.environment`).
THREADS = int(os.environ.get("BENCH_THREADS", "2"))

HERE = Path(__file__).parent
NOISEFIT = HERE.parent / "target/release/noisefit"
RUST = HERE / "target/release/noisefit-bench"


@dataclass
class Goal:
    """noisefit is at least `times` as fast as `peer`; its peak memory stays below `peak_mb`, or is that of the problem
    `same_peak_as` to within 5%."""

    peer: str = ""
    times: float = 0.0
    peak_mb: float = 0.0
    same_peak_as: str = ""


@dataclass
class Problem:
    name: str
    kind: str
    title: str
    rows: int
    columns: int = 0
    layout: str = ""
    repeat: int = 1
    goals: list = field(default_factory=list)
    tolerance: float = 1e-8
    rounds: int = 9

    def path(self):
        """Its data, made if need be: a folder of arrays, or a file."""
        match self.kind:
            case "ols":
                return data.matrix(self.rows, self.columns)
            case "loss":
                return data.losses(self.rows)
            case "memory":
                return data.repeated_table(self.rows, self.repeat)
            case _:
                return data.table(self.rows, self.kind)


@dataclass
class Library:
    name: str
    kinds: tuple
    how: str  # "function", "program" or "command"
    run: object
    package: str  # whose version is recorded: "python:NAME", "crate:NAME", "noisefit" or "" (it says so itself)


LIBRARIES = []


def library(name, *kinds, how="function", package=""):
    def register(run):
        LIBRARIES.append(Library(name, kinds, how, run, package))
        return run

    return register


IN_MEMORY = [Goal("scikit-learn", times=15), Goal("statsmodels", times=60)]
PROBLEMS = [
    Problem("ols-1e6x20-rows", "ols", "OLS, 10⁶ × 20 in memory, row-major", 1_000_000, 20, "rows", goals=IN_MEMORY),
    Problem("ols-1e6x20-columns", "ols", "OLS, 10⁶ × 20 in memory, column-major", 1_000_000, 20, "columns", goals=IN_MEMORY),
    Problem("ols-1e5x200-rows", "ols", "OLS, 10⁵ × 200 in memory, row-major", 100_000, 200, "rows", rounds=5),
    Problem("csv-2e6x11", "csv", "CSV, 2·10⁶ × 11, from disk to fit", 2_000_000, 10, rounds=5, tolerance=1e-6,
            goals=[Goal("DuckDB", times=1), Goal("pandas + scikit-learn", times=2)]),
    Problem("parquet-2e6x11", "parquet", "Parquet, 2·10⁶ × 11, from disk to fit", 2_000_000, 10, tolerance=1e-6,
            goals=[Goal("DuckDB", times=1)]),
    *(
        Problem(f"loss-{loss}", "loss", f"{loss} and its gradient, 10⁷ f32", 10_000_000, layout=loss, tolerance=1e-4,
                goals=[Goal("PyTorch", times=3)])
        for loss in ["mse", "mae", "huber", "smooth_l1", "gaussian_nll"]
    ),
    Problem("memory-2gb", "memory", "Peak memory, CSV of 10⁷ × 11 (2 GB)", 2_000_000, 10, repeat=5, rounds=1, tolerance=1e-6,
            goals=[Goal(peak_mb=300)]),
    Problem("memory-4gb", "memory", "Peak memory, CSV of 2·10⁷ × 11 (4 GB)", 2_000_000, 10, repeat=10, rounds=1, tolerance=1e-6,
            goals=[Goal(peak_mb=300), Goal(same_peak_as="memory-2gb")]),
]


# Ordinary least squares in memory


# Decorators apply from the last to the first: noisefit leads, and the others are compared with it.
@library("anofox-regression", "ols", how="program", package="crate:anofox-regression")
@library("linfa", "ols", how="program", package="crate:linfa-linear")
@library("one read", "ols", how="program", package="crate:noisefit-bench")
@library("noisefit, one pass", "ols", how="program", package="noisefit")
@library("noisefit", "ols", how="program", package="noisefit")
def rust_ols(problem, name):
    return [RUST, "ols", name, problem.layout, problem.rows, problem.columns, problem.path()]


@library("R lm", "ols", how="program")
def r_lm(problem, name):
    return ["Rscript", HERE / "lm.R", problem.rows, problem.columns, problem.path()]


def load(problem):
    import numpy as np

    x = np.fromfile(problem.path() / "x.f64").reshape(problem.rows, problem.columns)
    if problem.layout == "columns":
        x = np.asfortranarray(x)
    return x, np.fromfile(problem.path() / "y.f64")


@library("scikit-learn", "ols", package="python:scikit-learn")
def scikit_learn(problem):
    from sklearn.linear_model import LinearRegression

    x, y = load(problem)

    def once():
        model = LinearRegression().fit(x, y)
        return {"coefficients": [model.intercept_, *model.coef_]}

    return once


@library("statsmodels", "ols", package="python:statsmodels")
def statsmodels(problem):
    import statsmodels.api as sm

    x, y = load(problem)
    x = sm.add_constant(x)

    def once():
        fit = sm.OLS(y, x).fit()
        return {"coefficients": fit.params, "std_errors": fit.bse}

    return once


@library("numpy lstsq", "ols", package="python:numpy")
def numpy_lstsq(problem):
    import numpy as np

    x, y = load(problem)
    ones = np.ones(len(y))
    x = np.asarray(np.column_stack([ones, x]), order="F" if problem.layout == "columns" else "C")
    return lambda: {"coefficients": np.linalg.lstsq(x, y)[0]}


@library("numpy normal equations", "ols", package="python:numpy")
def numpy_normal_equations(problem):
    x, y = load(problem)
    return lambda: solve(len(y), x.sum(axis=0), y.sum(), x.T @ x, x.T @ y, y @ y)


def solve(n, sum_x, sum_y, xx, xy, yy):
    """Coefficients and standard errors from sums of products."""
    import numpy as np

    mean_x, mean_y = sum_x / n, sum_y / n
    inverse = np.linalg.inv(xx - n * np.outer(mean_x, mean_x))
    slopes = inverse @ (xy - n * mean_x * mean_y)
    variance = (yy - n * mean_y**2 - slopes @ (xy - n * mean_x * mean_y)) / (n - len(slopes) - 1)
    intercept_error = np.sqrt(variance * (1 / n + mean_x @ inverse @ mean_x))
    return {
        "coefficients": [mean_y - slopes @ mean_x, *slopes],
        "std_errors": [intercept_error, *np.sqrt(variance * np.diag(inverse))],
    }


# From a file to a fit


@library("noisefit", "csv", "parquet", "memory", how="command", package="noisefit")
def noisefit(problem, name):
    return [NOISEFIT, "fit", problem.path(), "-f", "y ~ .", "--format", "json", "--threads", THREADS]


@library("noisefit, one pass", "csv", "parquet", "memory", how="command", package="noisefit")
def noisefit_one_pass(problem, name):
    return [*noisefit(problem, name), "--one-pass"]


X = [f"x{j}" for j in range(1, 11)]
NAMES = [*X, "y"]
PAIRS = [(a, b) for i, a in enumerate(NAMES) for b in NAMES[i:]]


def solve_sums(n, sums, products):
    """The fit from `sum(a)` in the order of NAMES and `sum(a * b)` in the order of PAIRS."""
    import numpy as np

    sums = np.array(sums)
    square = np.zeros((len(NAMES), len(NAMES)))
    for (a, b), product in zip(PAIRS, products):
        i, j = NAMES.index(a), NAMES.index(b)
        square[i, j] = square[j, i] = product
    return solve(n, sums[:-1], sums[-1], square[:-1, :-1], square[:-1, -1], square[-1, -1])


@library("DuckDB", "csv", "parquet", "memory", package="python:duckdb")
def duckdb(problem):
    import duckdb

    read = "read_parquet" if problem.kind == "parquet" else "read_csv"
    sums = [f"sum({a})" for a in NAMES] + [f"sum({a} * {b})" for a, b in PAIRS]
    query = f"select count(*), {', '.join(sums)} from {read}('{problem.path()}')"

    def once():
        # A connection of its own each time, so that nothing is kept from the last.
        with duckdb.connect(config={"threads": THREADS}) as connection:
            n, *values = connection.execute(query).fetchone()
        return solve_sums(n, values[: len(NAMES)], values[len(NAMES) :])

    return once


@library("polars", "csv", "parquet", "memory", package="python:polars")
def polars(problem):
    import polars as pl

    scan = pl.scan_parquet if problem.kind == "parquet" else pl.scan_csv
    sums = [pl.col(a).sum().alias(a) for a in NAMES]
    products = [(pl.col(a) * pl.col(b)).sum().alias(f"{a}*{b}") for a, b in PAIRS]

    def once():
        n, *values = scan(problem.path()).select(pl.len(), *sums, *products).collect(engine="streaming").row(0)
        return solve_sums(n, values[: len(NAMES)], values[len(NAMES) :])

    return once


@library("pandas + scikit-learn", "csv", "parquet", package="python:pandas")
def pandas(problem):
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    read = pd.read_parquet if problem.kind == "parquet" else pd.read_csv

    def once():
        table = read(problem.path())
        model = LinearRegression().fit(table[X], table["y"])
        return {"coefficients": [model.intercept_, *model.coef_]}

    return once


@library("pyarrow + numpy", "csv", "parquet", package="python:pyarrow")
def pyarrow(problem):
    import numpy as np
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    pyarrow.set_cpu_count(THREADS)
    read = pyarrow.parquet.read_table if problem.kind == "parquet" else pyarrow.csv.read_csv

    def once():
        table = read(str(problem.path()))
        x = np.array([table[name].to_numpy() for name in X])
        y = table["y"].to_numpy()
        return solve(len(y), x.sum(axis=1), y.sum(), x @ x.T, x @ y, y @ y)

    return once


# Losses with their gradient


@library("one sweep", "loss", how="program", package="crate:noisefit-bench")
@library("noisefit", "loss", how="program", package="noisefit")
def rust_loss(problem, name):
    return [RUST, "loss", name, problem.layout, problem.rows, problem.path()]


@library("PyTorch", "loss", package="python:torch")
def pytorch(problem):
    import numpy as np
    import torch
    from torch.nn import functional

    torch.set_num_threads(THREADS)
    truth, prediction, variance = (
        torch.from_numpy(np.fromfile(problem.path() / f"{name}.f32", dtype=np.float32))
        for name in ["truth", "prediction", "variance"]
    )
    prediction.requires_grad_()
    loss = {
        "mse": lambda: functional.mse_loss(prediction, truth),
        "mae": lambda: functional.l1_loss(prediction, truth),
        "huber": lambda: functional.huber_loss(prediction, truth, delta=1.35),
        "smooth_l1": lambda: functional.smooth_l1_loss(prediction, truth, beta=0.5),
        "gaussian_nll": lambda: functional.gaussian_nll_loss(prediction, truth, variance, full=True),
    }[problem.layout]

    def once():
        prediction.grad = None
        value = loss()
        value.backward()
        return {"loss": [value.item()], "gradient": prediction.grad[:: -(-problem.rows // 100)]}

    return once
