"""The data of the benchmarks: seeded, made once into bench/data, never committed.

What makes data imports what it needs: the harness asks for paths alone, and stays small."""

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

    def make(folder):
        import numpy as np

        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(SEED)
        x = random.standard_normal((rows, columns))
        x += random.uniform(-2, 2, columns)
        y = 1.5 + x @ random.uniform(-1, 1, columns) + random.standard_normal(rows)
        x.tofile(folder / "x.f64")
        y.tofile(folder / "y.f64")

    return once(FOLDER / f"matrix_{rows}x{columns}", make)


def robust(rows, columns, noise):
    """The same files on a design whose columns are correlated by 0.36: with `heavy` noise, twice Student's t on 3
    degrees of freedom, or with `modelled` noise, normal with a scale whose logarithm is linear in the design."""

    def make(folder):
        import numpy as np

        folder.mkdir(exist_ok=True)
        x, y = correlated(rows, columns, noise, np.random.default_rng(SEED + 1), np.random.default_rng(SEED))
        x.tofile(folder / "x.f64")
        y.tofile(folder / "y.f64")

    return once(FOLDER / f"{noise}_{rows}x{columns}", make)


def correlated(rows, columns, noise, truth, random):
    """Rows of such data; `truth` draws the coefficients, `random` the rows."""
    import numpy as np

    location, slopes, spread = (truth.uniform(-bound, bound, columns) for bound in (2, 1, 0.2))
    x = 0.8 * random.standard_normal((rows, columns)) + 0.6 * random.standard_normal((rows, 1))
    if noise == "heavy":
        error = 2 * random.standard_t(3, rows)
    else:
        error = np.exp(x @ spread) * random.standard_normal(rows)
    x += location
    return x, 1.5 + x @ slopes + error


def losses(rows):
    """A folder with `truth.f32`, `prediction.f32` and `variance.f32`: errors on both sides of every kink."""

    def make(folder):
        import numpy as np

        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(SEED)
        truth = random.standard_normal(rows, dtype=np.float32)
        truth.tofile(folder / "truth.f32")
        (truth + random.standard_normal(rows, dtype=np.float32)).tofile(folder / "prediction.f32")
        random.uniform(0.5, 2, rows).astype(np.float32).tofile(folder / "variance.f32")

    return once(FOLDER / f"losses_{rows}", make)


def training(rows, columns, hidden):
    """A folder with `x.f32` (row-major), `y.f32`, linear with noise, and `start.f32`: of each layer of a network the weights
    by input, then the biases, drawn as PyTorch draws them."""

    def make(folder):
        import numpy as np

        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(SEED)
        x = random.standard_normal((rows, columns), dtype=np.float32)
        y = 0.5 + x @ random.uniform(-1, 1, columns) + 0.3 * random.standard_normal(rows)
        x.tofile(folder / "x.f32")
        y.astype(np.float32).tofile(folder / "y.f32")
        widths = [columns, *hidden, 1]
        start = [random.uniform(-1, 1, (a + 1) * b) / a**0.5 for a, b in zip(widths, widths[1:])]
        np.concatenate(start).astype(np.float32).tofile(folder / "start.f32")

    name = "-".join(map(str, [columns, *hidden, 1]))
    return once(FOLDER / f"training_{rows}x{name}", make)


def table(rows, kind):
    """A table `x1 ... x10, y` as CSV, each number the shortest decimal that reads back to it (16 or 17 digits), or as
    Parquet with the settings that pandas and pyarrow have by default."""

    def make(file):
        import numpy as np
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet

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


def long_table(rows, columns):
    """Heavy-tailed noise on `columns` regressors as Parquet, a million rows at a time; each table begins with the rows of
    the shorter ones."""
    part_rows = 1_000_000

    def make(file):
        import numpy as np
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([(name, pyarrow.float64()) for name in names])
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for part in range(-(-rows // part_rows)):
                count = min(part_rows, rows - part * part_rows)
                truth, random = np.random.default_rng(SEED + 1), np.random.default_rng([SEED, part])
                x, y = correlated(count, columns, "heavy", truth, random)
                writer.write_table(pyarrow.table([*np.ascontiguousarray(x.T), y], names=names))

    names = [*(f"x{j + 1}" for j in range(columns)), "y"]
    return once(FOLDER / f"heavy_{rows}x{columns + 1}.parquet", make)
