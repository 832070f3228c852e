"""What is done on an engine's workers."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from noisefit import _noisefit

#: The column that numbers the partition a row is in.
PARTITION = "__noisefit_partition"

#: The column that has an answer.
ANSWER = "answer"


def fold_stream(task: bytes, partition: int, stream: Any) -> bytes:
    """Fold an object with `__arrow_c_stream__`."""
    return _noisefit.fold_partition(task, partition, stream)


def fold_batches(batches: Iterator[Any], task: bytes) -> Iterator[Any]:
    """Fold batches whose last column numbers their partition; a batch of a number and an answer for each partition."""
    import pyarrow as pa

    filled = (batch for batch in batches if batch.num_rows > 0)
    for number, of_partition in itertools.groupby(filled, key=lambda batch: batch.column(batch.num_columns - 1)[0].as_py()):
        first = next(of_partition)
        schema = pa.schema(list(first.schema)[:-1])

        def rest(first: Any = first, of_partition: Iterator[Any] = of_partition, schema: Any = schema) -> Iterator[Any]:
            for batch in itertools.chain([first], of_partition):
                yield pa.RecordBatch.from_arrays(batch.columns[:-1], schema=schema)

        answer = fold_stream(task, number, pa.RecordBatchReader.from_batches(schema, rest()))
        yield pa.RecordBatch.from_pydict(
            {PARTITION: pa.array([number], pa.int64()), ANSWER: pa.array([answer], pa.binary())}
        )


def merge_batches(batches: Iterator[Any], task: bytes, size: int) -> Iterator[Any]:
    """Merge the answers of each group of consecutive partitions."""
    import pyarrow as pa

    groups: dict[int, list[bytes]] = {}
    for batch in batches:
        for number, answer in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            groups.setdefault(number // size, []).append(answer)
    for group, answers in groups.items():
        merged = _noisefit.merge_answers(task, answers)
        yield pa.RecordBatch.from_pydict(
            {PARTITION: pa.array([group], pa.int64()), ANSWER: pa.array([merged], pa.binary())}
        )


def fold_frame(task: bytes, partition: int, frame: Any, columns: list[str], schema: Any) -> bytes:
    """Fold a frame of pandas."""
    import pyarrow as pa

    return fold_stream(task, partition, pa.Table.from_pandas(frame[columns], schema=schema, preserve_index=False))


def merge_answers(task: bytes, *answers: bytes) -> bytes:
    """Merge some answers."""
    return _noisefit.merge_answers(task, list(answers))


@functools.lru_cache(maxsize=4)
def _model(text: str) -> Any:
    return _noisefit.Fitted.from_json(text)


def predictions(table: Any, model: str, settings: dict[str, Any]) -> tuple[list[str], list[Any]]:
    """Predict the rows of an object with `__arrow_c_stream__`."""
    (names, columns), _ = _model(model).predict(_noisefit.Table.stream(table, {}), settings, None)
    return names, columns


def predict_batches(batches: Iterator[Any], model: str, settings: dict[str, Any], names: list[str]) -> Iterator[Any]:
    """Append predictions to batches."""
    import pyarrow as pa

    for batch in batches:
        table = pa.Table.from_batches([batch])
        columns = predictions(table, model, settings)[1] if batch.num_rows else [[] for _ in names]
        made = [pa.array(column, pa.float64(), from_pandas=True) for column in columns]
        schema = pa.schema([*batch.schema, *(pa.field(name, pa.float64()) for name in names)])
        yield pa.RecordBatch.from_arrays([*batch.columns, *made], schema=schema)


def predict_table(table: Any, model: str, settings: dict[str, Any], names: list[str]) -> Any:
    """Append predictions to a table of pyarrow."""
    import pyarrow as pa

    batches = predict_batches(iter(table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]), model, settings, names)
    return pa.Table.from_batches(list(batches))


def predict_frame(frame: Any, model: str, settings: dict[str, Any], names: list[str], columns: list[str], schema: Any) -> Any:
    """Append predictions to a frame of pandas."""
    import pyarrow as pa

    found: list[Any] = [[] for _ in names]
    if len(frame):
        found = predictions(pa.Table.from_pandas(frame[columns], schema=schema, preserve_index=False), model, settings)[1]
    return frame.assign(**dict(zip(names, found, strict=True)))
