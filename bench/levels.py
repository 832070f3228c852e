"""What a category costs by the number of its levels: processor and wall seconds, the better of two runs each, and the peak memory.

    pip install pyarrow pandas && cargo build --release && python bench/levels.py target/release/noisefit [ROWS]

The rows are one Parquet file a number of levels, with five numbers and a category: among the terms (`y ~ x1 + ... + g`, up to the 10,000
levels that a term may have) and absorbed (`| g`). With pyfixest installed its `feols` on the same frame in memory is timed, too.
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

try:
    import pyfixest
except ImportError:
    pyfixest = None

LEVELS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
TERMS = "y ~ x1 + x2 + x3 + x4 + x5"
MOST_TERMS = 10_000


def frame(rows: int, levels: int) -> pd.DataFrame:
    """Columns that go with the levels a little."""
    random = np.random.default_rng(levels)
    # Every level has a row where there are rows for it.
    level = random.permutation(np.arange(rows) % levels)
    means = random.normal(size=levels)
    x = random.normal(size=(rows, 5)) + 0.3 * means[level][:, None]
    y = x @ np.arange(1, 6) * 0.2 + means[level] + random.normal(size=rows)
    names = np.array([f"g{k:07d}" for k in range(levels)])
    columns = {f"x{j + 1}": x[:, j] for j in range(5)}
    return pd.DataFrame({"y": y, **columns, "g": pd.Categorical.from_codes(level, names)})


def children(work: object) -> tuple[float, float]:
    """Processor and wall seconds of what it starts."""
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before, begun = spent(), time.perf_counter()
    work()
    return spent() - before, time.perf_counter() - begun


def own(work: object) -> tuple[float, float]:
    """The same of this process."""
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    before, begun = spent(), time.perf_counter()
    work()
    return spent() - before, time.perf_counter() - begun


def peak(command: list[str]) -> float:
    """The peak memory of a command in MB."""
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    run = subprocess.run([sys.executable, "-c", script, *command], check=True, capture_output=True, text=True)
    return float(run.stdout)


def main() -> None:
    warnings.filterwarnings("ignore")
    program, rows = sys.argv[1], int(float(sys.argv[2])) if len(sys.argv) > 2 else 1_000_000
    print(f"{rows:,} rows, seconds of processor time (wall), peak memory\n")
    print("| levels | among the terms | absorbed | pyfixest, absorbed |\n|--:|--:|--:|--:|")
    costs: dict[str, list[tuple[int, float]]] = {"terms": [], "absorbed": []}
    with tempfile.TemporaryDirectory() as folder:
        for levels in (levels for levels in LEVELS if levels <= rows):
            data, path = frame(rows, levels), str(Path(folder) / f"{levels}.parquet")
            data.to_parquet(path)
            cells = []
            for what, formula in (("terms", f"{TERMS} + g"), ("absorbed", f"{TERMS} | g")):
                if what == "terms" and levels > MOST_TERMS or levels == rows:
                    cells.append("")
                    continue
                command = [program, "fit", path, "-f", formula, "--threads", "2"]
                quiet = lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                processor, wall = min(children(quiet) for _ in range(2))
                costs[what].append((levels, processor))
                cells.append(f"{processor:.2f} ({wall:.2f}), {peak(command):.0f} MB")
            if pyfixest is None or levels == rows:
                cells.append("")
            else:
                fit = lambda: pyfixest.feols(f"{TERMS} | g", data, vcov="iid", fixef_rm="none")
                processor, wall = min(own(fit) for _ in range(3))
                cells.append(f"{processor:.2f} ({wall:.2f})")
            print(f"| {levels:,} | " + " | ".join(cells) + " |", flush=True)
            os.remove(path)
    for what, of in costs.items():
        slope = np.polyfit(np.log10([levels for levels, _ in of]), np.log10([cost for _, cost in of]), 1)[0]
        print(f"\n{what}: the processor time grows as the {slope:.2f}th power of the levels")


if __name__ == "__main__":
    main()
