"""What a call from Python costs, beside the peers, in one run: `python bench/python_calls.py` where the release wheel is installed.

Each figure is the least of several rounds: what a call costs when nothing else runs.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Callable

import numpy as np

import noisefit as nf


def least(call: Callable[[], object], rounds: int = 7, seconds: float = 0.2) -> float:
    """The time of one call, the least of several rounds."""
    call()
    begun = time.perf_counter()
    call()
    once = max(time.perf_counter() - begun, 1e-7)
    count = max(1, int(seconds / rounds / once))
    best = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(count):
            call()
        best = min(best, (time.perf_counter() - begun) / count)
    return best


def line(name: str, ours: float, theirs: float | None, peer: str = "", goal: str = "") -> None:
    ratio = "" if theirs is None else f"{peer} {theirs * 1e6:12.1f} us, {ours / theirs:6.2f} of it"
    print(f"{name:44} {ours * 1e6:12.1f} us  {goal:14} {ratio}")


def main() -> None:
    rng = np.random.default_rng(1)
    code = "import time; t = time.perf_counter(); import noisefit; print(time.perf_counter() - t)"
    imports = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout) for _ in range(7)]
    line("import noisefit", min(imports), None, goal="< 150 ms")
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    fitted = nf.fit_array(X, y)
    try:
        from sklearn.linear_model import LinearRegression

        from noisefit.sklearn import NoiseRegressor
    except ImportError:
        LinearRegression = NoiseRegressor = None
    line("fit_array 100 x 3", least(lambda: nf.fit_array(X, y)), None, goal="< 100 us")
    line("predict of one row", least(lambda: fitted.predict(X[:1])), None, goal="< 20 us")
    line("fit of a dict 100 x 3", least(lambda: nf.fit("y ~ a + b", {"y": y, "a": X[:, 0].copy(), "b": X[:, 1].copy()})), None)
    for n, p in ((100, 3), (10_000, 10), (1_000_000, 20)):
        X, y = rng.normal(size=(n, p)), rng.normal(size=n)
        line(f"fit_array {n} x {p}", least(lambda: nf.fit_array(X, y), 3), None)
        columns = {f"x{j}": X[:, j].copy() for j in range(p)} | {"y": y}
        line(f"fit of a dict {n} x {p}", least(lambda: nf.fit("y ~ .", columns), 3), None)
        if LinearRegression is not None:
            peer = least(lambda: LinearRegression().fit(X, y), 3)
            line(f"NoiseRegressor {n} x {p}", least(lambda: NoiseRegressor().fit(X, y), 3), peer, "LinearRegression", "<= 1")
            one, other = NoiseRegressor().fit(X, y), LinearRegression().fit(X, y)
            line(f"predict {n} x {p}", least(lambda: one.predict(X), 3), least(lambda: other.predict(X), 3), "LinearRegression", "<= 1")


if __name__ == "__main__":
    main()
