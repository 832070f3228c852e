"""Columns of any kind as the arrays that the compiled module reads: name, kind, values, and what goes with them."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from noisefit._errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column = tuple[str, str, Any, Any]

_UNITS = ("s", "ms", "us", "ns")


def column(name: str, values: Any) -> Column:
    """Make a column of what somebody gives: a Series, an array, a list.

    Raises
    ------
    DataError
        For values that are neither numbers, nor times, nor categories; the message names the column.
    """
    import numpy as np

    root = type(values).__module__.partition(".")[0]
    if root == "pandas":
        return _of_pandas(name, values)
    if root == "polars":
        return (name, "arrow", values.to_frame(name).rechunk(), None)
    if root == "pyarrow":
        return _of_pyarrow(name, values)
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise DataError(f"column `{name}`: {type(values).__name__} is no sequence of values")
    if isinstance(values, np.ma.MaskedArray):
        return _of_numpy(name, np.asarray(values.data), np.ma.getmaskarray(values))
    if isinstance(values, (list, tuple)):
        return _of_objects(name, values)
    return _of_numpy(name, np.asarray(values), None)


def _of_pandas(name: str, values: Any) -> Column:
    import numpy as np
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        levels = [_level(level) for level in dtype.categories]
        return (name, "category", np.ascontiguousarray(values.cat.codes.to_numpy(), dtype=np.int32), levels)
    text = isinstance(dtype, pd.StringDtype) or (dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "string")
    if text:
        # Each text once, and of every row which of them: nothing is done for every row in Python.
        codes, texts = pd.factorize(values)
        if len(texts):
            return (name, "category", np.ascontiguousarray(codes, dtype=np.int32), [str(text) for text in texts])
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return _of_numpy(name, values.to_numpy(), None)
    if isinstance(dtype, np.dtype):
        return _of_numpy(name, values.to_numpy(), None)
    masked = getattr(dtype, "numpy_dtype", None)
    if masked is not None and masked.kind in "iufb" and not hasattr(dtype, "pyarrow_dtype"):
        missing = values.isna().to_numpy(dtype=bool)
        return _of_numpy(name, values.to_numpy(dtype=masked, na_value=masked.type(0)), missing)
    if hasattr(dtype, "pyarrow_dtype"):
        import pyarrow as pa

        return _of_pyarrow(name, pa.array(values, from_pandas=True))
    missing = values.isna()
    return _of_objects(name, [None if gone else value for value, gone in zip(values, missing, strict=True)])


def _of_pyarrow(name: str, values: Any) -> Column:
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks else pa.array([], values.type)
    return (name, "arrow", pa.table({name: values}), None)


def _of_numpy(name: str, values: NDArray[Any], missing: NDArray[Any] | None) -> Column:
    import numpy as np

    if values.ndim != 1:
        shape = " x ".join(str(length) for length in values.shape) or "a single value"
        raise DataError(f"column `{name}`: its shape is {shape}; a column has one dimension")
    kind = values.dtype.kind
    if kind == "O":
        return _of_objects(name, values.tolist())
    if kind == "U" or kind == "T":
        return (name, "text", [str(value) for value in values.tolist()], None)
    if kind == "S":
        return (name, "text", [value.decode("utf-8", "replace") for value in values.tolist()], None)
    if kind == "M":
        return _of_times(name, values, missing)
    if kind not in "iufb":
        raise DataError(f"column `{name}`: its type {values.dtype} is neither a number nor a category")
    native = values.dtype.newbyteorder("=")
    if native == np.float16:
        native = np.dtype(np.float32)
    elif kind == "f" and native.itemsize > 8:
        native = np.dtype(np.float64)
    values = np.require(values, dtype=native, requirements=["C", "A"])
    return (name, values.dtype.name, values, missing)


def _of_times(name: str, values: NDArray[Any], missing: NDArray[Any] | None) -> Column:
    import numpy as np

    unit, _ = np.datetime_data(values.dtype)
    if unit == "D":
        gone = np.isnat(values)
        days = np.where(gone, 0, values.astype("M8[D]").astype(np.int64)).astype(np.int32)
        return (name, "date", days, gone if missing is None else gone | missing)
    if unit not in _UNITS:
        unit = "s" if unit in ("Y", "M", "W", "h", "m", "generic") else "ns"
    values = np.require(values, dtype=np.dtype(f"=M8[{unit}]"), requirements=["C", "A"])
    gone = np.isnat(values)
    return (name, unit, values.view(np.int64), gone if missing is None else gone | missing)


def _of_objects(name: str, values: Sequence[Any]) -> Column:
    """Find out what objects are: all of one kind, missing ones among them, or none that a model can read."""
    import numpy as np

    values = [None if _is_missing(value) else value for value in values]
    there = [value for value in values if value is not None]
    missing: NDArray[Any] | None = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    if len(there) == len(values):
        missing = None

    def filled(default: Any, dtype: Any) -> NDArray[Any]:
        return np.array([default if value is None else value for value in values], dtype=dtype)

    if not there:
        return (name, "float64", np.full(len(values), np.nan), missing)
    if all(isinstance(value, str) for value in there):
        return (name, "text", [None if value is None else str(value) for value in values], None)
    if all(isinstance(value, (bool, np.bool_)) for value in there):
        return (name, "bool", filled(False, bool), missing)
    if all(isinstance(value, (numbers.Real, decimal.Decimal)) and not _is_bool(value) for value in there):
        if all(isinstance(value, numbers.Integral) for value in there):
            limits = np.iinfo(np.int64)
            if all(limits.min <= int(value) <= limits.max for value in there):
                return (name, "int64", filled(0, np.int64), missing)
        try:
            return (name, "float64", np.array([np.nan if value is None else float(value) for value in values]), missing)
        except OverflowError:
            raise DataError(f"column `{name}`: it has a whole number that is beyond the range of a double") from None
    if all(isinstance(value, datetime.datetime) for value in there):
        times = [None if value is None else _utc(value) for value in values]
        return _of_times(name, np.array(times, dtype="M8[us]"), missing)
    if all(isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) for value in there):
        return _of_times(name, np.array(values, dtype="M8[D]"), missing)
    kinds = sorted({type(value).__name__ for value in there})
    mixed = f"of {', '.join(kinds)}" if len(kinds) < 6 else f"of {len(kinds)} types"
    raise DataError(
        f"column `{name}`: its objects, {mixed}, are neither all numbers, nor all text, nor all times; convert it to one of them"
    )


def _is_bool(value: Any) -> bool:
    import numpy as np

    return isinstance(value, (bool, np.bool_))


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _utc(value: datetime.datetime) -> datetime.datetime:
    return value if value.tzinfo is None else value.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _level(level: Any) -> str:
    """A level of a category as a file would have it."""
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


def columns(named: Iterable[tuple[Any, Any]], needed: tuple[list[str], bool] | None) -> tuple[list[Column], list[tuple[str, str]]]:
    """Make the columns that a model needs, and say what is left out of those that it could have.

    `needed` are names, and whether all others are needed, too; all where it is None. A column that nobody names and that
    cannot be read is left out.
    """
    named = [(str(name), values) for name, values in named]
    there = {name for name, _ in named}
    names = set(needed[0]) if needed is not None else set()
    # Of a name that is wrong the message lists all columns.
    everything = needed is None or needed[1] or not names <= there
    made: list[Column] = []
    left_out: list[tuple[str, str]] = []
    for name, values in named:
        if not everything and name not in names:
            continue
        try:
            made.append(column(name, values))
        except DataError as error:
            if name in names:
                raise
            left_out.append(("data", f"{error}; it is left out"))
    return made, left_out
