"""Dask: the workers of a client, or the scheduler of this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from noisefit._engines._engine import Asked, Engine, group_size
from noisefit._engines._files import Files
from noisefit._engines._worker import fold_frame, fold_part, merge_answers, predict_frame


class Dask(Engine):
    """A DataFrame of Dask."""

    name = "Dask"

    def __init__(self, frame: Any, client: Any = None) -> None:
        self._frame = frame
        self._client = client if client is not None else _current_client()
        self._kept: Any = None
        self._schema = _schema(frame)

    def rows(self) -> Iterator[Any]:
        import pyarrow as pa

        yield self._schema.empty_table()
        for part in self._frame.to_delayed():
            frame = part.compute()
            yield pa.Table.from_pandas(frame[self._schema.names], schema=self._schema, preserve_index=False)

    def ask(self, columns: Sequence[str], task: bytes) -> Asked:
        import dask
        import pyarrow as pa

        frame = self._kept if self._kept is not None else self._frame
        named = list(columns)
        schema = pa.schema([self._schema.field(name) for name in named])
        size = group_size(frame.npartitions)
        fold, merge = dask.delayed(fold_frame, pure=False), dask.delayed(merge_answers, pure=False)
        answers = [fold(task, number, part, named, schema) for number, part in enumerate(frame[named].to_delayed())]
        if size:
            answers = [merge(task, *answers[first : first + size]) for first in range(0, len(answers), size)]
        if self._client is None:
            return Asked(lambda: list(dask.compute(*answers)), lambda: None)
        client = self._client
        futures = client.compute(answers)
        return Asked(lambda: client.gather(futures), lambda: client.cancel(futures, force=True))

    def keep(self) -> bool:
        # Without workers of its own the rows would be kept here.
        if self._client is None:
            return False
        self._kept = self._client.persist(self._frame)
        return True

    def release(self) -> None:
        self._kept = None

    def predict(self, model: str, settings: dict[str, Any], names: list[str]) -> Any:
        meta = self._frame._meta.assign(**dict.fromkeys(names, 0.0))
        meta = meta.astype(dict.fromkeys(names, float))
        return self._frame.map_partitions(
            predict_frame, model, settings, names, self._schema.names, self._schema, meta=meta
        )


def files(client: Any, paths: list[str]) -> Files:
    """Parquet files that Dask's workers read."""
    client = client if client is not None else _current_client()
    running: list[Any] = []

    def run(parts: list[Any], columns: list[str], task: bytes) -> list[bytes]:
        import dask

        fold, merge = dask.delayed(fold_part, pure=False), dask.delayed(merge_answers, pure=False)
        answers = [fold(task, number, part, columns) for number, part in enumerate(parts)]
        size = group_size(len(answers))
        if size:
            answers = [merge(task, *answers[first : first + size]) for first in range(0, len(answers), size)]
        if client is None:
            return list(dask.compute(*answers))
        running[:] = client.compute(answers)
        return list(client.gather(running))

    return Files("Dask", run, lambda: client and client.cancel(running, force=True), paths)


def _current_client() -> Any:
    try:
        from distributed import default_client
    except ImportError:
        return None
    try:
        return default_client()
    except ValueError:
        return None


def _schema(frame: Any) -> Any:
    """The types of the columns as all partitions have them; a column of objects is text."""
    import pyarrow as pa

    schema = pa.Schema.from_pandas(frame._meta, preserve_index=False)
    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema]
    return pa.schema(fields)
