"""The data of the benchmarks: seeded, made once into bench/data, never committed."""

from pathlib import Path

FOLDER = Path(__file__).parent / "data"
SEED = 20_250_101


def once(path, make):
    """Makes `path` through a temporary neighbour, so that what an interrupted run left is never taken for data."""
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        part = path.with_name(path.name + ".part")
        make(part)
        part.rename(path)
    return path


def matrix(rows, columns):
    """A folder with `x.f64` (row-major) and `y.f64`: normal regressors, some off centre, and normal noise."""
    import numpy as np

    def make(folder):
        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(SEED)
        x = random.standard_normal((rows, columns))
        x += random.uniform(-2, 2, columns)
        y = 1.5 + x @ random.uniform(-1, 1, columns) + random.standard_normal(rows)
        x.tofile(folder / "x.f64")
        y.tofile(folder / "y.f64")

    return once(FOLDER / f"matrix_{rows}x{columns}", make)


def losses(rows):
    """A folder with `truth.f32`, `prediction.f32` and `variance.f32`: errors on both sides of every kink."""
    import numpy as np

    def make(folder):
        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(SEED)
        truth = random.standard_normal(rows, dtype=np.float32)
        truth.tofile(folder / "truth.f32")
        (truth + random.standard_normal(rows, dtype=np.float32)).tofile(folder / "prediction.f32")
        random.uniform(0.5, 2, rows).astype(np.float32).tofile(folder / "variance.f32")

    return once(FOLDER / f"losses_{rows}", make)


def table(rows, kind):
    """A table `x1 ... x10, y` as CSV, each number the shortest decimal that reads back to it (16 or 17 digits), or as
    Parquet with the settings that pandas and pyarrow have by default."""
    import numpy as np
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    def make(file):
        folder = matrix(rows, 10)
        x = np.fromfile(folder / "x.f64").reshape(rows, 10)
        columns = {f"x{j + 1}": x[:, j] for j in range(10)} | {"y": np.fromfile(folder / "y.f64")}
        write = {"csv": pyarrow.csv.write_csv, "parquet": pyarrow.parquet.write_table}[kind]
        write(pyarrow.table(columns), file)

    return once(FOLDER / f"table_{rows}x11.{kind}", make)


def repeated_table(rows, times):
    """The CSV table with its rows `times` over: the same coefficients, more bytes."""

    def make(file):
        header, body = table(rows, "csv").read_bytes().split(b"\n", 1)
        with file.open("wb") as out:
            out.write(header + b"\n")
            for _ in range(times):
                out.write(body)

    return once(FOLDER / f"table_{rows}x11_times_{times}.csv", make)
