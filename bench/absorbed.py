"""Absorbed effects beside pyfixest: processor and wall seconds in one run, the better of two repetitions each.

    pip install pyfixest==0.60.0 pyarrow && cargo build --release && python bench/absorbed.py target/release/noisefit

pyfixest has its rows in a frame in memory; the command reads them from a Parquet file in every pass. Both have two threads.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.update({name: "2" for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")})

import numpy as np
import pandas as pd
import pyfixest

ROWS, WORKERS, FIRMS = 1_000_000, 100_000, 10_000
TERMS = "y ~ x1 + x2 + x3 + x4 + x5"


def panel(rows: int) -> pd.DataFrame:
    """Workers who are in their own firm four times out of five, and anywhere else."""
    random = np.random.default_rng(3)
    worker, home = random.integers(0, WORKERS, rows), random.integers(0, FIRMS, WORKERS)
    firm = np.where(random.random(rows) < 0.8, home[worker], random.integers(0, FIRMS, rows))
    x = random.normal(size=(rows, 5)) + 0.3 * random.normal(size=FIRMS)[firm][:, None]
    y = x @ np.arange(1, 6) * 0.2 + random.normal(size=FIRMS)[firm] + random.normal(size=WORKERS)[worker]
    columns = {"y": y + random.normal(size=rows), **{f"x{j + 1}": x[:, j] for j in range(5)}}
    return pd.DataFrame({**columns, "firm": firm.astype("int32"), "worker": worker.astype("int32")})


def seconds(work: object) -> tuple[float, float]:
    """Processor and wall seconds of this process and of those that it starts."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    spent = lambda: sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))
    before, begun = spent(), time.perf_counter()
    work()
    return spent() - before, time.perf_counter() - begun


def main() -> None:
    warnings.filterwarnings("ignore")
    program, data = sys.argv[1], panel(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "panel.parquet")
        data.to_parquet(path)
        # Compiled before it is timed.
        pyfixest.feols("y ~ x1 | worker + firm", data.head(5000), vcov={"CRV1": "firm"}, fixef_rm="none")
        for effects in ("firm", "worker + firm"):
            formula = f"{TERMS} | {effects}"
            for vcov, named in (("iid", "classical"), ("hetero", "hc1"), ({"CRV1": "firm"}, "cluster:firm")):
                peer = lambda: pyfixest.feols(formula, data, vcov=vcov, fixef_rm="none")
                command = [program, "fit", path, "-f", formula, "--vcov", named, "--threads", "2"]
                own = lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
                (a, b), (c, d) = (tuple(map(min, zip(*[seconds(work) for _ in range(2)]))) for work in (peer, own))
                print(f"| {effects} | {named} | {a:.2f} | {c:.2f} | {a / c:.1f} | {b:.2f} | {d:.2f} | {b / d:.1f} |", flush=True)


if __name__ == "__main__":
    main()
