"""What a category costs by the number of its levels, under other noise and with other errors: processor and wall seconds, the better of
two runs each, and the peak memory.

    pip install pyarrow pandas && cargo build --release && python bench/levels.py target/release/noisefit [ROWS]

The rows are one Parquet file a number of levels, with five numbers and a category: among the terms (`y ~ x1 + ... + g`, up to the 10,000
levels that a term may have) and absorbed (`| g`). With pyfixest installed its `feols` on the same frame in memory is timed, too. What is
printed is written to `bench/results/levels.md`, from where `bench/run` takes it to `docs/benchmarks.md`.
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
NOISE = ("gaussian", "huber", "logistic", "student-t:5", "student-t")
ERRORS = ("classical", "hc1", "cluster:g", "cluster:week")
PAGE = Path(__file__).parent / "results" / "levels.md"


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
    week = np.array([f"w{k:02d}" for k in range(52)])[random.integers(0, 52, rows)]
    return pd.DataFrame({"y": y, **columns, "g": pd.Categorical.from_codes(level, names), "week": week})


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


def cost(command: list[str]) -> tuple[float, float]:
    """The better of two runs."""
    quiet = lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return min(children(quiet) for _ in range(2))


def by_levels(program: str, rows: int, folder: Path, say: object) -> None:
    """The first table: among the terms and absorbed."""
    say("| levels | among the terms | absorbed | pyfixest, absorbed |\n|--:|--:|--:|--:|")
    costs: dict[str, list[tuple[int, float]]] = {"terms": [], "absorbed": []}
    for levels in (levels for levels in LEVELS if levels <= rows):
        data, path = frame(rows, levels), str(folder / f"{levels}.parquet")
        data.to_parquet(path)
        cells = []
        for what, formula in (("terms", f"{TERMS} + g"), ("absorbed", f"{TERMS} | g")):
            if what == "terms" and levels > MOST_TERMS or levels == rows:
                cells.append("")
                continue
            command = [program, "fit", path, "-f", formula, "--threads", "2"]
            processor, wall = cost(command)
            costs[what].append((levels, processor))
            cells.append(f"{processor:.2f} ({wall:.2f}), {peak(command):.0f} MB")
        if pyfixest is None or levels == rows:
            cells.append("")
        else:
            fit = lambda: pyfixest.feols(f"{TERMS} | g", data, vcov="iid", fixef_rm="none")
            processor, wall = min(own(fit) for _ in range(3))
            cells.append(f"{processor:.2f} ({wall:.2f})")
        say(f"| {levels:,} | " + " | ".join(cells) + " |")
        os.remove(path)
    slopes = []
    for what, of in costs.items():
        slope = np.polyfit(np.log10([levels for levels, _ in of]), np.log10([cost for _, cost in of]), 1)[0]
        slopes.append(f"{'among the terms' if what == 'terms' else 'absorbed'} the {slope:.2f}th")
    say(f"\nThe processor time grows as a power of the levels: {', '.join(slopes)}.\n")


def of_one_shape(program: str, rows: int, folder: Path, say: object) -> None:
    """The other tables: noise, and errors."""
    levels = min(10_000, rows // 100)
    path = str(folder / "data.parquet")
    frame(rows, levels).to_parquet(path)
    say(f"{rows:,} rows, {levels:,} levels:\n\n| noise, classical errors | among the terms | of gaussian | absorbed | of gaussian |")
    say("|---|--:|--:|--:|--:|")
    first: dict[str, tuple[float, float]] = {}
    for noise in NOISE:
        cells = []
        for formula in (f"{TERMS} + g", f"{TERMS} | g"):
            found = cost([program, "fit", path, "-f", formula, "--noise", noise, "--threads", "2"])
            of_gaussian = found[0] / first.setdefault(formula, found)[0]
            cells += [f"{found[0]:.2f} ({found[1]:.2f})", f"{of_gaussian:.1f}"]
        say(f"| {noise} | " + " | ".join(cells) + " |")
    say("\n| errors, gaussian noise | among the terms | of classical | absorbed | of classical |\n|---|--:|--:|--:|--:|")
    first.clear()
    for vcov in ERRORS:
        cells = []
        for formula in (f"{TERMS} + g", f"{TERMS} | g"):
            found = cost([program, "fit", path, "-f", formula, "--vcov", vcov, "--threads", "2"])
            cells += [f"{found[0]:.2f} ({found[1]:.2f})", f"{found[0] / first.setdefault(formula, found)[0]:.1f}"]
        say(f"| {vcov} | " + " | ".join(cells) + " |")


def main() -> None:
    warnings.filterwarnings("ignore")
    program, rows = sys.argv[1], int(float(sys.argv[2])) if len(sys.argv) > 2 else 1_000_000
    build = "the development profile (opt-level 1)" if "/debug/" in program else "a release"
    lines: list[str] = []

    def say(text: str) -> None:
        lines.append(text)
        print(text, flush=True)

    peer = "" if pyfixest is None else f"; pyfixest {pyfixest.__version__} has them in a frame in memory"
    say(f"## Levels of a category, {rows:,} rows\n\nSeconds of processor time, of the clock in brackets, and the peak memory, the better of "
        f"two runs (`bench/levels.py`), of {build}. The rows are read from a Parquet file{peer}. Ratios are of processor time; on a machine that others use, seconds by the clock say less.\n")
    with tempfile.TemporaryDirectory() as folder:
        by_levels(program, rows, Path(folder), say)
        of_one_shape(program, rows, Path(folder), say)
    PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
