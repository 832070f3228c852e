"""Tables that engines hold in partitions: their workers fold the passes of a fit, and the driver merges what they tell.

| what is given | who works |
|---|---|
| a DataFrame of Spark, classic or Connect (so Sail, too) | the session's workers, by `mapInArrow` |
| a Dask DataFrame | the workers of the client, else Dask's own scheduler |
| a Ray Dataset | Ray's workers |
| paths with `engine=` a session, a client, `"dask"` or `"ray"` | the same, who read the files themselves |
"""

from __future__ import annotations

from typing import Any

from noisefit._engines._engine import Engine
from noisefit._errors import UsageError


def engine_of(data: Any) -> Engine | None:
    """Give the engine that holds these data; None for data that are here."""
    kind = type(data)
    root, name = kind.__module__.partition(".")[0], kind.__name__
    if root == "pyspark" and name == "DataFrame":
        from noisefit._engines._spark import Spark

        return Spark(data)
    if root in ("dask", "dask_expr") and hasattr(data, "npartitions") and hasattr(data, "to_delayed"):
        from noisefit._engines._dask import Dask

        if not hasattr(data, "columns"):
            raise UsageError("a Dask collection that is no DataFrame: give one with named columns, as of dask.dataframe")
        return Dask(data)
    if root == "ray" and name in ("Dataset", "MaterializedDataset"):
        from noisefit._engines._ray import Ray

        return Ray(data)
    return None


def engine_reading(paths: list[str], engine: Any) -> Engine:
    """Give the engine that reads Parquet files by itself, as its workers see their paths."""
    kind = type(engine)
    root = kind.__module__.partition(".")[0]
    if root == "pyspark" and hasattr(engine, "read"):
        from noisefit._engines import _spark

        return _spark.files(engine, paths)
    if engine == "dask" or root == "distributed":
        from noisefit._engines import _dask

        return _dask.files(None if engine == "dask" else engine, paths)
    if engine == "ray" or getattr(engine, "__name__", "") == "ray":
        from noisefit._engines import _ray

        return _ray.files(paths)
    raise UsageError(
        f"engine={engine!r}: give a session of Spark, a client of Dask, 'dask' or 'ray'; without it noisefit reads the files itself"
    )
