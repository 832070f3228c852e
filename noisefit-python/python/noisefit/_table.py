"""Data of any kind as a table: frames, arrays, streams, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from noisefit import _noisefit
from noisefit._columns import columns
from noisefit._engines import engine_of, engine_reading
from noisefit._engines._engine import Engine
from noisefit._errors import DataError, UsageError, warn
from noisefit._frames import BACKENDS, Like

#: Keywords of `reading`: how files are read, and how much memory is used.
READING = (
    "input_format", "delimiter", "header", "na", "text", "number", "decimal", "date", "threads", "memory", "engine", "persist",
)  # fmt: skip

Needed = tuple[list[str], bool] | None


def table(data: Any, settings: Mapping[str, Any], needed: Needed = None, frame: str | None = None) -> tuple[_noisefit.Table, Like]:
    """Make a table of data, and say what they were given as.

    Parameters
    ----------
    data
        A pandas, polars or pyarrow frame, a dict of arrays, a NumPy array, anything with `__arrow_c_stream__`, or the path of
        a file, a folder, a pattern, or several of them.
    settings
        The keywords of a call, of which those that say how data are read are used.
    needed
        The columns that are needed, and whether all others are, too; all where it is None.
    frame
        What frames come back as; as what was given where it is None.
    """
    reading = {name: settings[name] for name in READING if settings.get(name) is not None}
    engine, persist = reading.pop("engine", None), reading.pop("persist", True)
    held = _held(data, engine)
    made, like = _made(data, reading, needed) if held is None else (_noisefit.Table.engine(held, reading), Like(_here(), None, held, persist))
    if frame is not None:
        if frame not in BACKENDS:
            raise UsageError(f'frame="{frame}": there are {", ".join(BACKENDS)}')
        like = Like(frame, like.index if frame == like.backend else None)
    return made, like


def _held(data: Any, engine: Any) -> Engine | None:
    """The engine that holds the data, or that is to read their files."""
    if engine is None:
        root = type(data).__module__.partition(".")[0]
        return engine_of(data) if root in ("pyspark", "dask", "dask_expr", "ray") else None
    paths = [data] if isinstance(data, (str, os.PathLike)) else data
    if not isinstance(paths, (list, tuple)) or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        raise UsageError("engine goes with the paths of Parquet files; a table of an engine's own says itself whose it is")
    return engine_reading([os.fspath(path) for path in paths], engine)


def _here() -> str:
    """What frames of an engine's tables come back as."""
    from importlib.util import find_spec

    return "pandas" if find_spec("pandas") and find_spec("narwhals") else "dict"


def _made(data: Any, reading: dict[str, Any], needed: Needed) -> tuple[_noisefit.Table, Like]:
    if isinstance(data, (str, os.PathLike)):
        return _noisefit.Table.files([os.fspath(data)], reading), Like()
    if isinstance(data, (list, tuple)) and data and all(isinstance(path, (str, os.PathLike)) for path in data):
        return _noisefit.Table.files([os.fspath(path) for path in data], reading), Like()
    kind = type(data)
    root = kind.__module__.partition(".")[0]
    if root == "pandas" and kind.__name__ == "DataFrame":
        series = ((name, data.iloc[:, place]) for place, name in enumerate(data.columns))
        return _of_columns(series, reading, needed), Like("pandas", data.index)
    if root == "polars" and kind.__name__ in ("DataFrame", "LazyFrame"):
        if kind.__name__ == "LazyFrame":
            return _noisefit.Table.rerun(_of_lazy(data, needed), reading), Like("polars")
        return _noisefit.Table.stream(data, reading), Like("polars")
    if root == "pyarrow" and hasattr(data, "to_table") and not hasattr(data, "__arrow_c_stream__"):
        return _noisefit.Table.rerun(_of_dataset(data, needed), reading), Like("pyarrow")
    # The first is what newer versions of DuckDB call it.
    reader = getattr(data, "to_arrow_reader", None) or getattr(data, "fetch_arrow_reader", None)
    if root in ("duckdb", "_duckdb") and reader is not None:
        return _noisefit.Table.rerun(lambda: iter([reader(100_000)]), reading), Like("pyarrow")
    if isinstance(data, Mapping):
        return _of_columns(data.items(), reading, needed), Like()
    if root == "numpy" and kind.__name__ in ("ndarray", "recarray", "MaskedArray"):
        return _of_columns(_of_array(data), reading, needed), Like()
    if hasattr(data, "__arrow_c_stream__"):
        return _noisefit.Table.stream(data, reading), Like("pyarrow" if root in ("pyarrow", "duckdb", "_duckdb") else "dict")
    return _of_other(data, reading)


def _of_columns(named: Any, reading: dict[str, Any], needed: Needed) -> _noisefit.Table:
    made, left_out = columns(named, needed)
    if not made:
        raise DataError("the table has no columns" if not left_out else f"the table has no columns that can be read: {left_out[0][1]}")
    warn(left_out, stacklevel=6)
    return _noisefit.Table.columns(made, reading)


def _of_array(data: Any) -> list[tuple[str, Any]]:
    """The columns of a matrix are V1, V2, ..., as those of a file without a header."""
    if data.dtype.names is not None:
        return [(name, data[name]) for name in data.dtype.names]
    if data.ndim != 2:
        raise DataError(f"an array of {data.ndim} dimensions is no table; one has 2, or named fields")
    return [(f"V{place + 1}", data[:, place]) for place in range(data.shape[1])]


def _of_lazy(data: Any, needed: Needed) -> Callable[[], Iterator[Any]]:
    """A query that is run for every pass, for the columns that are needed."""
    if needed is not None and not needed[1]:
        names = data.collect_schema().names()
        if set(needed[0]) <= set(names):
            data = data.select([name for name in names if name in set(needed[0])])

    def run() -> Iterator[Any]:
        yield data.head(0).collect()
        if hasattr(data, "collect_batches"):
            yield from data.collect_batches()
        else:
            yield data.collect(engine="streaming")

    return run


def _of_dataset(data: Any, needed: Needed) -> Callable[[], Iterator[Any]]:
    """A data set of pyarrow, of which the columns are read that are needed."""
    names = list(data.schema.names)
    if needed is not None and not needed[1] and set(needed[0]) <= set(names):
        names = [name for name in names if name in set(needed[0])]
    return lambda: iter([data.scanner(columns=names).to_reader()])


def _of_other(data: Any, reading: dict[str, Any]) -> tuple[_noisefit.Table, Like]:
    """A frame of another library that narwhals knows."""
    import narwhals as nw

    try:
        frame: Any = nw.from_native(data)
    except TypeError:
        kind = type(data)
        raise UsageError(
            f"data of type {kind.__module__}.{kind.__qualname__} are no table: give a pandas, polars or pyarrow frame, a dict of"
            " arrays, anything with __arrow_c_stream__, or a path"
        ) from None
    if hasattr(frame, "collect"):
        frame = frame.collect()
    return _noisefit.Table.stream(frame.to_arrow(), reading), Like("pyarrow")
