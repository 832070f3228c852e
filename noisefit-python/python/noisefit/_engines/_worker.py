"""What is done on an engine's workers."""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from noisefit import _noisefit

#: The column that numbers rows, or answers by their first row: the number of the partition, shifted by so many bits, and the row in it.
PARTITION = "__noisefit_partition"
ROW_BITS = 33

#: The column that tells the answers of several runs of the same work apart.
RUN = "run"

#: The column that has an answer, or a piece of it: some engines send no message of more than 4 MB.
ANSWER = "answer"
PIECE = "piece"
PIECE_BYTES = 1 << 20


def fold_stream(task: bytes, partition: int, stream: Any) -> bytes:
    """Fold an object with `__arrow_c_stream__`."""
    return _noisefit.fold_partition(task, partition, stream)


def fold_batches(batches: Iterator[Any], task: bytes) -> Iterator[Any]:
    """Fold batches whose last column numbers their rows among all (partition * 2^33 + row); an answer in pieces."""
    import pyarrow as pa

    filled = (batch for batch in batches if batch.num_rows > 0)
    first = next(filled, None)
    if first is None:
        return
    number, schema = first.column(first.num_columns - 1)[0].as_py(), pa.schema(list(first.schema)[:-1])
    rest = (pa.RecordBatch.from_arrays(batch.columns[:-1], schema=schema) for batch in itertools.chain([first], filled))
    yield from _pieces(number, fold_stream(task, number, pa.RecordBatchReader.from_batches(schema, rest)))


def _pieces(number: int, answer: bytes) -> Iterator[Any]:
    """An answer as batches of a row, each with a piece of it."""
    import pyarrow as pa

    # An engine may have work done twice: pieces of two answers are not to be mixed.
    run = uuid.uuid4().hex
    for piece, first in enumerate(range(0, max(len(answer), 1), PIECE_BYTES)):
        part = answer[first : first + PIECE_BYTES]
        columns = [pa.array([number], pa.int64()), pa.array([run]), pa.array([piece], pa.int32()), pa.array([part], pa.binary())]
        yield pa.RecordBatch.from_arrays(columns, names=[PARTITION, RUN, PIECE, ANSWER])


def answers_of(rows: Iterable[tuple[int, str, int, bytes]]) -> list[tuple[int, bytes]]:
    """Whole answers with their numbers, of their pieces in any order."""
    pieces: dict[tuple[int, str], list[tuple[int, bytes]]] = {}
    for number, run, piece, part in rows:
        pieces.setdefault((number, run), []).append((piece, part))
    return [(number, b"".join(part for _, part in sorted(parts))) for (number, _), parts in pieces.items()]


def merge_batches(batches: Iterator[Any], task: bytes, size: int) -> Iterator[Any]:
    """Merge the answers of each group of consecutive partitions."""
    rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
    groups: dict[int, list[bytes]] = {}
    for number, answer in answers_of(rows):
        groups.setdefault((number >> ROW_BITS) // size, []).append(answer)
    for group, answers in groups.items():
        yield from _pieces(group, _noisefit.merge_answers(task, answers))


def fold_part(task: bytes, number: int, part: Any, columns: list[str]) -> bytes:
    """Fold some row groups of a file."""
    from noisefit._engines._files import stream

    return fold_stream(task, number << ROW_BITS, stream(part, columns))


def fold_parts(batches: Iterator[Any], task: bytes, parts: list[Any], columns: list[str]) -> Iterator[Any]:
    """Fold the parts whose numbers are the first column; each an answer in pieces."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from _pieces(number << ROW_BITS, fold_part(task, number, parts[number], columns))


def fold_frame(task: bytes, partition: int, frame: Any, columns: list[str], schema: Any) -> bytes:
    """Fold a frame of pandas."""
    import pyarrow as pa

    return fold_stream(task, partition << ROW_BITS, pa.Table.from_pandas(frame[columns], schema=schema, preserve_index=False))


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
