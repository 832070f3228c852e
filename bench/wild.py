"""The wild cluster bootstrap of a test beside pyfixest: wall seconds in one run, taken in turn, and the median of their ratios.

    pip install pyfixest==0.60.0 wildboottest pyarrow && cargo build --release && python bench/wild.py target/release/noisefit

pyfixest has its rows in a frame in memory and gives a p-value; the command starts, reads them from a Parquet file and inverts the test to an
interval, too. Both have two threads.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

os.environ.update({name: "2" for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")})

import numpy as np
import pandas as pd
import pyfixest

ROWS, CLUSTERS, DRAWS, REPEATS = 100_000, 20, 9_999, 11


def main() -> None:
    warnings.filterwarnings("ignore")
    random = np.random.default_rng(0)
    group = random.integers(0, CLUSTERS, ROWS)
    data = pd.DataFrame({"g": group, "x1": random.normal(size=ROWS) + random.normal(size=CLUSTERS)[group]})
    data["x2"] = random.normal(size=ROWS)
    data["y"] = 1 + 0.1 * data.x2 + random.normal(size=ROWS) + 0.3 * random.normal(size=CLUSTERS)[group]
    with tempfile.TemporaryDirectory() as folder:
        table, model = str(Path(folder) / "wild.parquet"), str(Path(folder) / "wild.json")
        data.to_parquet(table)
        program = sys.argv[1]
        fit = [program, "fit", table, "-f", "y ~ x1 + x2", "--vcov", "cluster:g", "-o", model]
        subprocess.run(fit, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        test = [program, "test", model, "x1", "--wild", "--draws", str(DRAWS), "--data", table, "--threads", "2"]
        fitted = pyfixest.feols("y ~ x1 + x2", data, vcov={"CRV1": "g"})
        peer = lambda: fitted.wildboottest(param="x1", reps=DRAWS, cluster="g", seed=1)
        own = lambda: subprocess.run(test, stdout=subprocess.DEVNULL, check=True)
        # Compiled before it is timed.
        peer()
        times: list[list[float]] = [[], []]
        for _ in range(REPEATS):
            for work, taken in zip((peer, own), times):
                begun = time.perf_counter()
                work()
                taken.append(time.perf_counter() - begun)
        ratio = median(theirs / ours for theirs, ours in zip(*times))
        print(f"pyfixest {pyfixest.__version__}: {median(times[0]):.3f} s, noisefit: {median(times[1]):.3f} s, {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
