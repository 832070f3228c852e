"""What is measured: problems, and for each kind of problem the libraries that solve it.

A library is one of
  - a Python function `once = prepare(problem)`, run in a process of its own; imports and loading of what is "in memory" are
    not timed, `once()` is;
  - a program that answers the same way on its standard input and output (`bench/src/main.rs`, `bench/lm.R`);
  - a command, timed from its start to its exit.
Each gives the numbers it computed, so that nobody wins by computing something else.
"""

import json
import math
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import agreement
import data

# Everybody's: libraries that have no setting of their own take it from the environment (see `harness.environment`).
THREADS = int(os.environ.get("BENCH_THREADS", "2"))

HERE = Path(__file__).parent
NOISEFIT = HERE.parent / "target/release/noisefit"
RUST = HERE / "target/release/noisefit-bench"
BURN = HERE / "target/release/noisefit-bench-burn"
REFERENCE = HERE.parent / "testdata/reference"


@dataclass
class Goal:
    """noisefit (or the way of it that `ours` names) is at least `times` as fast as `peer`, takes no more than `at_most`
    times as long, or differs by no more than `within`; its peak memory stays below `peak_mb`, or is that of the problem
    `same_peak_as` to within 5%; a row costs no more than 1.25 times what it costs in the problem `same_cost_as`."""

    peer: str = ""
    times: float = 0.0
    at_most: float = 0.0
    within: float = 0.0
    peak_mb: float = 0.0
    same_peak_as: str = ""
    same_cost_as: str = ""
    ours: str = "noisefit"


@dataclass
class Steps:
    """`count` training steps of `batch` rows, or so many epochs; the rate is of the mean squared error's gradient."""

    hidden: tuple
    method: str
    rate: float
    batch: int
    count: int
    unit: str = "step"


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
    # Threads of every library. A single one is timed by the work it does, whatever else the machine does.
    threads: int = THREADS
    # Whether its data are deleted once it is measured.
    discard: bool = False
    steps: Steps | None = None

    def path(self):
        """Its data, made if need be: a folder of arrays, or a file."""
        match self.kind:
            case "ols":
                return data.matrix(self.rows, self.columns)
            case "loss":
                return data.losses(self.rows)
            case "lad" | "lad, wide" | "lad, small" | "quantiles" | "bootstrap" | "huber" | "student-t" | "compare":
                return data.robust(self.rows, self.columns, "heavy")
            case "modelled-variance" | "hc3":
                return data.robust(self.rows, self.columns, "modelled")
            case "scaling":
                return data.long_table(self.rows, self.columns)
            case "agreement":
                return agreement.TESTDATA
            case "train" | "train, epochs" | "train, ensemble":
                return data.training(self.rows, self.columns, self.steps.hidden)
            case "train, agreement":
                return REFERENCE / "training.json"
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
    like: str  # the library whose numbers it must give; "" where it solves another problem, to compare the time
    tolerance: float  # how far they may differ, where its method is less exact than the problem's tolerance asks


LIBRARIES = []


def library(name, *kinds, how="function", package="", like="noisefit", tolerance=0.0):
    def register(run):
        LIBRARIES.append(Library(name, kinds, how, run, package, like, tolerance))
        return run

    return register


GAUSSIAN = "noisefit, gaussian"
# Of one noisefit training, all that others do on the same batches again and again; single threads.
BATCHES = 64


def steps(name, title, steps, rounds=5, goals=(), tolerance=1e-4):
    """Steps on batches at hand."""
    title = f"{title}, batches of {steps.batch}, one thread"
    return Problem(name, "train", title, BATCHES * steps.batch, 10, rounds=rounds, steps=steps, threads=1, goals=goals,
                   tolerance=tolerance)


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
    # Interior point methods end short of the vertex, how far depends on the data.
    Problem("lad-1e6x10", "lad", "Least absolute deviations, 10⁶ × 10", 1_000_000, 10, "rows", rounds=5, tolerance=1e-5,
            goals=[Goal("R quantreg, pfn", times=10), Goal("R quantreg, fn", times=25),
                   Goal("statsmodels", times=50)]),
    Problem("lad-1e5x50", "lad, wide", "Least absolute deviations, 10⁵ × 50", 100_000, 50, "rows", rounds=5,
            tolerance=1e-5, goals=[Goal("R quantreg, pfn", times=5), Goal("R quantreg, fn", times=5)]),
    Problem("lad-5e4x10", "lad, small", "Least absolute deviations, 5·10⁴ × 10", 50_000, 10, "rows", rounds=5,
            tolerance=1e-5, goals=[Goal("scikit-learn", times=1000)]),
    Problem("quantiles9-1e6x10", "quantiles", "Nine quantiles, 10⁶ × 10", 1_000_000, 10, "rows", rounds=5, tolerance=1e-5,
            goals=[Goal("noisefit, one quantile", at_most=4)]),
    # Standard errors of two bootstraps of 200 draws differ by 7% of themselves, the worst of eleven by more.
    Problem("bootstrap-1e5x10", "bootstrap", "Bootstrap of least absolute deviations, 200 draws, 10⁵ × 10", 100_000, 10,
            "rows", rounds=1, tolerance=0.4,
            goals=[Goal("R quantreg, xy (2 draws × 100)", times=10), Goal("R quantreg, pxy", times=10)]),
    Problem("huber-1e6x10", "huber", "Huber with estimated scale, 10⁶ × 10", 1_000_000, 10, "rows", rounds=5,
            goals=[Goal("R MASS rlm", times=20), Goal("R MASS rlm", times=20, ours="noisefit, MAD"),
                   Goal("scikit-learn", times=10), Goal("scikit-learn", times=10, ours="noisefit, as scikit-learn")]),
    Problem("student-t-1e6x10", "student-t", "Student's t, df estimated, 10⁶ × 10", 1_000_000, 10, "rows", rounds=5,
            goals=[Goal(GAUSSIAN, at_most=15)]),
    Problem("modelled-variance-1e6x10", "modelled-variance", "Gaussian with a modelled scale, 10⁶ × (10 + 10)",
            1_000_000, 10, "rows", rounds=5, goals=[Goal(GAUSSIAN, at_most=20)]),
    Problem("agreement", "agreement", "The same likelihoods by scipy", 0, rounds=1, tolerance=1e-6,
            goals=[Goal("scipy", within=1e-8)]),
    Problem("hc3-1e6x20", "hc3", "HC3 standard errors, 10⁶ × 20", 1_000_000, 20, "rows", rounds=5, tolerance=1e-6,
            goals=[Goal(GAUSSIAN, at_most=3)]),
    Problem("compare-1e6x10", "compare", "All families compared, five folds, 10⁶ × 10", 1_000_000, 10, "rows", rounds=3,
            goals=[Goal("scikit-learn, one HuberRegressor", at_most=3)]),
    steps("train-linear-b32", "Linear model by SGD, 10 inputs", Steps((), "sgd", 0.01, 32, 10_240),
          goals=[Goal("PyTorch", times=100)]),
    steps("train-64-32-b32", "64-32 network by Adam, 10 inputs", Steps((64, 32), "adam", 1e-3, 32, 4096),
          goals=[Goal("PyTorch", times=25)]),
    steps("train-64-32-b1024", "64-32 network by Adam, 10 inputs", Steps((64, 32), "adam", 1e-3, 1024, 1024),
          goals=[Goal("PyTorch", times=3)]),
    steps("train-256-256-b256", "256-256 network by Adam, 10 inputs", Steps((256, 256), "adam", 1e-3, 256, 512),
          goals=[Goal("PyTorch", times=1.4)]),
    # In an order of its own each; constant steps keep the parameters moving about the minimum.
    Problem("train-linear-epoch", "train, epochs",
            "Linear model by SGD, whole epochs of 20,000 rows, batches of 32, one thread", 20_000, 10, rounds=5,
            tolerance=0.1, threads=1, steps=Steps((), "sgd", 0.01, 32, 20, "epoch"),
            goals=[Goal("PyTorch, DataLoader", times=300)]),
    Problem("train-ensemble", "train, ensemble", "Four 64-32 networks by Adam, 2,048 rows, batches of 32, two threads",
            32 * BATCHES, 10, rounds=5, threads=2, steps=Steps((64, 32), "adam", 1e-3, 32, 40, "epoch"),
            goals=[Goal("noisefit, one thread", times=1.6)]),
    Problem("train-agreement", "train, agreement", "The same training by PyTorch", 0, rounds=1, tolerance=1e-3, threads=1,
            goals=[Goal("PyTorch", within=1e-5)]),
    Problem("scaling-1e5", "scaling", "From Parquet, 10⁵ × 6", 100_000, 5),
    Problem("scaling-1e6", "scaling", "From Parquet, 10⁶ × 6", 1_000_000, 5, rounds=5),
    Problem("scaling-1e7", "scaling", "From Parquet, 10⁷ × 6", 10_000_000, 5, rounds=1),
    Problem("scaling-1e8", "scaling", "From Parquet, 10⁸ × 6", 100_000_000, 5, rounds=1, discard=True,
            goals=[goal for ours in ["noisefit, laplace", "noisefit, student-t"] for goal in [
                Goal(same_cost_as="scaling-1e6", ours=ours), Goal(peak_mb=700, ours=ours),
                Goal(same_cost_as="scaling-1e6", ours=f"{ours}, 16 MB"),
                Goal(same_peak_as="scaling-1e7", ours=f"{ours}, 16 MB")]]),
]


# Ordinary least squares in memory


# Decorators apply from the last to the first: noisefit leads, and the others are compared with it.
@library("anofox-regression", "ols", how="program", package="crate:anofox-regression")
@library("linfa", "ols", how="program", package="crate:linfa-linear")
@library("one read", "ols", how="program", package="crate:noisefit-bench", like="")
@library("noisefit, one pass", "ols", how="program", package="noisefit")
@library("noisefit", "ols", how="program", package="noisefit")
def rust_ols(problem, name):
    return [RUST, "ols", name, problem.layout, problem.rows, problem.columns, problem.path()]


@library("R lm", "ols", how="program")
def r_lm(problem, name):
    return r_program("lm", problem)


def r_program(method, problem):
    return ["Rscript", HERE / "peers.R", method, problem.rows, problem.columns, problem.path()]


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
def statsmodels(problem, covariance="nonrobust"):
    import statsmodels.api as sm

    x, y = load(problem)
    x = sm.add_constant(x)

    def once():
        fit = sm.OLS(y, x).fit(cov_type=covariance)
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


# Every other noise, in memory

NOISE = {
    "lad": "laplace",
    "lad, wide": "laplace",
    "lad, small": "laplace",
    "bootstrap": "laplace",
    "quantiles": "quantile:0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    "huber": "huber",
    "student-t": "student-t",
    "modelled-variance": "gaussian",
    "hc3": "gaussian",
}


def rust_noise(problem, noise, scale="constant"):
    return [RUST, "noise", noise, scale, problem.rows, problem.columns, problem.path()]


@library("noisefit", *NOISE, how="program", package="noisefit")
def noise(problem, name):
    scale = {"huber": "mle", "modelled-variance": "modelled", "bootstrap": "bootstrap", "hc3": "hc3"}
    return rust_noise(problem, NOISE[problem.kind], scale.get(problem.kind, "constant"))


@library(GAUSSIAN, *(kind for kind in NOISE if kind != "bootstrap"), how="program", package="noisefit", like="")
def one_gaussian_fit(problem, name):
    return rust_noise(problem, "gaussian")


@library("statsmodels", "hc3", package="python:statsmodels")
def statsmodels_hc3(problem):
    return statsmodels(problem, "HC3")


@library("noisefit, one quantile", "quantiles", how="program", package="noisefit", like="")
def one_quantile(problem, name):
    return rust_noise(problem, "quantile:0.5")


LAD = ["lad", "lad, wide", "lad, small"]


@library("R quantreg, pfn", *LAD, "quantiles", how="program")
def quantreg_pfn(problem, name):
    return r_program("rq pfn, nine" if problem.kind == "quantiles" else "rq pfn", problem)


@library("R quantreg, fn", *LAD, how="program")
def quantreg_fn(problem, name):
    return r_program("rq fn", problem)


# Two draws take as long as all 200 of the others; the time is that of 200, a hundred times as long.
@library("R quantreg, xy (2 draws × 100)", "bootstrap", how="program", like="")
def quantreg_bootstrap(problem, name):
    return r_program("boot.rq xy", problem)


@library("R quantreg, pxy", "bootstrap", how="program")
def quantreg_preprocessed_bootstrap(problem, name):
    return r_program("boot.rq pxy", problem)


# Its reweighted least squares stop when no coefficient moves by 1e-6 any more, which is some way from the minimum.
@library("statsmodels", "lad", package="python:statsmodels", tolerance=1e-2)
def statsmodels_quantreg(problem):
    import statsmodels.api as sm

    x, y = load(problem)
    x = sm.add_constant(x)
    return lambda: {"coefficients": sm.QuantReg(y, x).fit(q=0.5).params}


@library("scikit-learn", "lad, small", package="python:scikit-learn")
def quantile_regressor(problem):
    from sklearn.linear_model import QuantileRegressor

    x, y = load(problem)

    def once():
        model = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(x, y)
        return {"coefficients": [model.intercept_, *model.coef_]}

    return once


@library("noisefit, MAD", "huber", how="program", package="noisefit", like="")
def huber_mad(problem, name):
    # MASS's constant.
    return rust_noise(problem, "huber", "mad:0.6745")


@library("R MASS rlm", "huber", how="program", like="noisefit, MAD")
def mass_rlm(problem, name):
    return r_program("rlm", problem)


HUBER_EPSILON = 1.345


@library("noisefit, as scikit-learn", "huber", how="program", package="noisefit", like="")
def huber_as_scikit_learn(problem, name):
    """scikit-learn's scale s has `mean(min(e^2, (epsilon s)^2)) = s^2`, which is proposal 2 at another k: with
    `mean(min(e^2, (k t)^2)) = t^2 (1 - rank / n) E[min(Z^2, k^2)]` at the same knee `k t = epsilon s`."""
    share = 1 - (problem.columns + 1) / problem.rows
    low, high = 0.0, HUBER_EPSILON
    for _ in range(100):
        k = 0.5 * (low + high)
        outside = math.erfc(k / math.sqrt(2))
        expected = 1 - outside - k * math.sqrt(2 / math.pi) * math.exp(-k * k / 2) + k * k * outside
        low, high = (k, high) if k * k < HUBER_EPSILON**2 * share * expected else (low, k)
    return rust_noise(problem, f"huber k={k!r}", "proposal2")


@library("noisefit", "compare", how="program", package="noisefit")
def noisefit_comparison(problem, name):
    return [RUST, "compare", problem.rows, problem.columns, problem.path()]


# L-BFGS, which stops at a gradient of 1e-5.
@library("scikit-learn, one HuberRegressor", "compare", package="python:scikit-learn", like="")
@library("scikit-learn", "huber", package="python:scikit-learn", like="noisefit, as scikit-learn", tolerance=1e-3)
def huber_regressor(problem):
    from sklearn.linear_model import HuberRegressor

    x, y = load(problem)

    def once():
        model = HuberRegressor(epsilon=HUBER_EPSILON, alpha=0, max_iter=1000).fit(x, y)
        return {"coefficients": [model.intercept_, *model.coef_]}

    return once


@library("scipy, L-BFGS", "student-t", "modelled-variance", package="python:scipy", tolerance=1e-4)
def scipy_lbfgs(problem):
    import numpy as np
    from likelihood import Likelihood

    x, y = load(problem)
    x = np.column_stack([np.ones(len(y)), x])
    z = x if problem.kind == "modelled-variance" else x[:, :1]
    return Likelihood(NOISE[problem.kind], y, x, z).quick


# Every other noise, from the command line


@library("noisefit", "agreement", package="noisefit")
def agreement_noisefit(problem):
    return lambda: agreement.all_of(lambda case: agreement.noisefit(NOISEFIT, case))


@library("scipy", "agreement", package="python:scipy")
def agreement_scipy(problem):
    return lambda: agreement.all_of(agreement.scipy)


# Each is compared with nothing: how noise is fitted is compared above.
@library("noisefit, student-t, 16 MB", "scaling", how="command", package="noisefit", like="")
@library("noisefit, student-t", "scaling", how="command", package="noisefit", like="")
@library("noisefit, laplace, 16 MB", "scaling", how="command", package="noisefit", like="")
@library("noisefit, laplace", "scaling", how="command", package="noisefit", like="")
@library(GAUSSIAN, "scaling", how="command", package="noisefit", like="")
def scaling(problem, name):
    _, noise, *memory = name.split(", ")
    command = [NOISEFIT, "fit", problem.path(), "-f", "y ~ .", "--noise", noise, "--format", "json"]
    return [*command, "--threads", THREADS, "--memory", memory[0].replace(" ", "") if memory else "512MB"]


# Training


def rust_training(problem, program):
    s = problem.steps
    hidden = "-".join(map(str, s.hidden)) or "none"
    return [*program, hidden, s.method, s.rate, s.batch, s.count, problem.rows, problem.columns, problem.path()]


@library("noisefit", "train", "train, epochs", "train, ensemble", how="program", package="noisefit")
def noisefit_training(problem, name):
    ways = {"train": "steps", "train, epochs": "epochs", "train, ensemble": "ensemble"}
    return rust_training(problem, [RUST, "train", ways[problem.kind]])


@library("noisefit, one thread", "train, ensemble", how="program", package="noisefit")
def noisefit_one_thread(problem, name):
    return rust_training(problem, [RUST, "train", "ensemble, one thread"])


@library("burn", "train", how="program", package="crate:burn")
def burn(problem, name):
    return rust_training(problem, [BURN])


def batches(problem):
    """The batches and, for each layer, its weights by input and its biases."""
    import numpy as np

    x, y, start = (np.fromfile(problem.path() / f"{name}.f32", dtype=np.float32) for name in ["x", "y", "start"])
    x, y = x.reshape(-1, problem.steps.batch, problem.columns), y.reshape(-1, problem.steps.batch, 1)
    widths = [problem.columns, *problem.steps.hidden, 1]
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        weights, biases, start = np.split(start, [inputs * outputs, (inputs + 1) * outputs])
        layers.append((weights.reshape(inputs, outputs), biases))
    return x, y, layers


def torch_model(problem, layers, fused=None):
    import torch

    modules = []
    for weights, biases in layers:
        layer = torch.nn.Linear(*weights.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.T))
            layer.bias.copy_(torch.from_numpy(biases))
        modules += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1]) if len(modules) > 2 else modules[0]
    method = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[problem.steps.method]
    return model, method(model.parameters(), lr=problem.steps.rate, fused=fused)


TRACE = 200


@library("PyTorch, fused optimiser", "train", package="python:torch")
def torch_fused_steps(problem):
    return torch_steps(problem, fused=True)


@library("PyTorch", "train", package="python:torch")
def torch_steps(problem, fused=None):
    import torch

    torch.set_num_threads(THREADS)
    x, y, layers = batches(problem)
    hand = list(zip(torch.from_numpy(x), torch.from_numpy(y)))
    loss_function = torch.nn.MSELoss()

    def train(count, losses=None):
        model, optimizer = torch_model(problem, layers, fused)
        for step in range(count):
            x, y = hand[step % len(hand)]
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            if losses is not None:
                losses.append(loss.item())

    # Reading a loss takes time: the first ones are read before the clock starts.
    losses = []
    train(min(TRACE, problem.steps.count), losses)

    def once():
        train(problem.steps.count)
        return {"losses": losses}

    return once


@library("PyTorch, DataLoader", "train, epochs", package="python:torch")
def torch_epochs(problem):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(THREADS)
    x, y, layers = batches(problem)
    x, y = torch.from_numpy(x.reshape(-1, problem.columns)), torch.from_numpy(y.reshape(-1, 1))
    loader = DataLoader(TensorDataset(x, y), batch_size=problem.steps.batch, shuffle=True)
    loss_function = torch.nn.MSELoss()

    def once():
        model, optimizer = torch_model(problem, layers)
        for _ in range(problem.steps.count):
            for x, y in loader:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)
                loss.backward()
                optimizer.step()
        return {"parameters": [*model.weight.detach().ravel(), *model.bias.detach()]}

    return once


@library("scikit-learn MLPRegressor", "train", package="python:scikit-learn", tolerance=1e-2)
def mlp_regressor(problem):
    """Its loss is half the squared error: half the gradient, which Adam's steps do not depend on."""
    from sklearn.neural_network import MLPRegressor

    s = problem.steps
    if not s.hidden:
        raise ImportError("it always has hidden layers")
    x, y, layers = batches(problem)
    epoch_x, epoch_y = x.reshape(-1, problem.columns), y.ravel()

    def train(rounds, rows, losses=None):
        model = MLPRegressor(hidden_layer_sizes=s.hidden, solver=s.method, alpha=0, batch_size=s.batch, shuffle=False,
                             learning_rate_init=s.rate, epsilon=0.5e-8, tol=0, n_iter_no_change=10**9)
        model.partial_fit(*rows(0))
        del model._optimizer
        for k, (weights, biases) in enumerate(layers):
            model.coefs_[k][:], model.intercepts_[k][:] = weights, biases
        for round in range(rounds):
            model.partial_fit(*rows(round))
            if losses is not None:
                losses.append(2 * model.loss_)

    # The batches one by one, whose losses it tells; then all of them in a call, which spares it checks.
    losses = []
    train(min(TRACE, s.count), lambda k: (x[k % len(x)], y[k % len(x)].ravel()), losses)

    def once():
        train(s.count // len(x), lambda k: (epoch_x, epoch_y))
        return {"losses": losses}

    return once


def training_cases():
    """Those of the tests, and the losses that `training.py` has besides."""
    cases = json.loads((REFERENCE / "training.json").read_text())["cases"]
    names = [f"{case['optimizer']} {case['loss']} {case['activation']}" for case in cases]
    more = ["logistic_nll", "huber_nll", "quantiles", "gaussian_nll_common", "student_t_nll_df"]
    optimizers = dict.fromkeys(case["optimizer"] for case in cases)
    return names + [f"{optimizer} {loss} tanh" for optimizer in optimizers for loss in more]


@library("noisefit", "train, agreement", how="program", package="noisefit")
def training_traces(problem, name):
    return [RUST, "traces", *training_cases()]


@library("PyTorch", "train, agreement", package="python:torch")
def torch_traces(problem):
    sys.path.append(str(REFERENCE))
    import torch
    import training

    torch.set_num_threads(THREADS)
    return lambda: {case: training.trace(*case.split()) for case in training_cases()}


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


@library("one sweep", "loss", how="program", package="crate:noisefit-bench", like="")
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
