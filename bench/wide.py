"""Tables of many columns beside numpy, statsmodels and quantreg: wall seconds in one run, taken in turn, and the median of their ratios.

    pip install numpy statsmodels && python bench/wide.py     (where the release wheel is installed; Rscript with quantreg for quantiles)

All have their rows in memory and two threads, and give standard errors; numpy's normal equations are the products, a Cholesky factor, the
residuals and the inverse's diagonal. quantreg's time is its own `system.time`, its errors (`nid` there as here) included.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Callable

os.environ.update({name: "2" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")})

import numpy as np

import noisefit as nf


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def beside(name: str, ours: Callable[[], object], theirs: dict[str, Callable[[], object]], repeats: int) -> None:
    """Each in turn, so that what else the machine does hits all alike."""
    times: dict[str, list[float]] = {peer: [] for peer in ("noisefit", *theirs)}
    for work in (ours, *theirs.values()):
        work()
    for _ in range(repeats):
        times["noisefit"].append(seconds(ours))
        for peer, work in theirs.items():
            times[peer].append(seconds(work))
    own = times["noisefit"]
    line = ", ".join(
        f"{peer} {median(taken):.4f} s ({median(t / o for t, o in zip(taken, own)):.2f} of ours)"
        for peer, taken in times.items()
        if peer != "noisefit"
    )
    print(f"{name:32} noisefit {median(own):.4f} s; {line}", flush=True)


def normal_equations(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    Z = np.column_stack([np.ones(len(y)), X])
    inverse = np.linalg.inv(Z.T @ Z)
    b = inverse @ (Z.T @ y)
    e = y - Z @ b
    return b, np.sqrt(np.diag(inverse) * (e @ e) / (len(y) - Z.shape[1]))


def quantreg(X: np.ndarray, y: np.ndarray, method: str) -> tuple[float, np.ndarray]:
    """The seconds of a median regression by R's quantreg, and its coefficients."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x").write_bytes(np.asfortranarray(X).tobytes(order="F"))
        Path(folder, "y").write_bytes(y.tobytes())
        code = f"""
        suppressMessages(library(quantreg)); n <- {len(y)}; p <- {X.shape[1]}
        x <- matrix(readBin("{folder}/x", "double", n * p), n, p); y <- readBin("{folder}/y", "double", n)
        took <- system.time({{fit <- rq(y ~ x, method = "{method}"); s <- summary(fit, se = "nid", covariance = FALSE)}})[["elapsed"]]
        writeBin(c(took, coef(fit)), "{folder}/out")"""
        subprocess.run(["Rscript", "-e", code], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = np.fromfile(Path(folder, "out"))
    return float(found[0]), found[1:]


def main() -> None:
    random = np.random.default_rng(0)
    for n, p, repeats in ((100_000, 200, 5), (20_000, 1_000, 3)):
        X = random.normal(size=(n, p))
        y = X.sum(axis=1) + random.normal(size=n)
        peers: dict[str, Callable[[], object]] = {"numpy": lambda: normal_equations(X, y)}
        try:
            import statsmodels.api as sm

            peers["statsmodels"] = lambda: sm.OLS(y, sm.add_constant(X)).fit().bse
        except ImportError:
            print("no statsmodels")
        beside(f"gaussian {n} x {p}", lambda: nf.fit_array(X, y, threads=2), peers, repeats)
    X = random.normal(size=(20, 3_000))
    y = random.normal(size=20)
    beside("gaussian 20 x 3000", lambda: nf.fit_array(X, y), {"lstsq": lambda: np.linalg.lstsq(X, y, rcond=None)}, 5)
    for n, p, repeats in ((50_000, 300, 1), (100_000, 50, 3)):
        X = random.normal(size=(n, p))
        y = X.sum(axis=1) + random.standard_t(3, size=n)
        gaussian = median(seconds(lambda: nf.fit_array(X, y, threads=2)) for _ in range(3))
        for noise in ("student-t", "logistic", "huber", "laplace"):
            took = median(seconds(lambda: nf.fit_array(X, y, noise=noise, threads=2)) for _ in range(repeats))
            print(f"{noise} {n} x {p}: {took:.3f} s, {took / gaussian:.1f} gaussian fits", flush=True)
        for method in ("fnb", "pfn"):
            try:
                took, coefficients = quantreg(X, y, method)
            except (OSError, subprocess.CalledProcessError):
                print(f"quantreg {method}: not here, or it failed")
                continue
            ours = nf.fit_array(X, y, noise="laplace", threads=2)
            loss = lambda b: np.abs(y - b[0] - X @ b[1:]).sum()
            print(f"  quantreg {method}: {took:.3f} s, its loss {loss(coefficients) / loss(np.asarray(ours.coef)) - 1:.1e} more than ours")


if __name__ == "__main__":
    main()
