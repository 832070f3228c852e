"""Parquet files that an engine's workers read: each folds some row groups of a file, which are the same in every pass."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from typing import Any

from noisefit._engines._engine import Asked, Engine
from noisefit._errors import DataError, UsageError

#: Rows of a part, about.
PART_ROWS = 1 << 20

#: A file's path, its first row group, and the one behind its last.
Part = tuple[str, int, int]


def opened(path: str) -> Any:
    """A Parquet file, here or where its address says."""
    import pyarrow.fs as fs
    import pyarrow.parquet as pq

    if "://" not in path:
        return pq.ParquetFile(path)
    system, place = fs.FileSystem.from_uri(path)
    return pq.ParquetFile(system.open_input_file(place))


def found(paths: list[str]) -> list[str]:
    """The files of paths, patterns and folders."""
    files: list[str] = []
    for path in paths:
        if "://" in path:
            files.append(path)
            continue
        inside = os.path.join(path, "**", "*.parquet") if os.path.isdir(path) else path
        matched = sorted(glob.glob(inside, recursive=True)) if inside != path or glob.has_magic(path) else [path]
        if not matched:
            raise DataError(f"{path}: there is no Parquet file")
        files.extend(os.path.abspath(name) for name in matched)
    return files


def parts(files: list[str]) -> tuple[Any, list[Part]]:
    """The schema, and the parts that files are read in."""
    schema, made = None, []
    for path in files:
        try:
            file = opened(path)
        except Exception as error:
            raise DataError(f"{path}: {error}") from error
        if schema is None:
            schema = file.schema_arrow.remove_metadata()
        elif not schema.equals(file.schema_arrow.remove_metadata()):
            raise DataError(f"{path}: its columns are not those of {files[0]}")
        first, rows = 0, 0
        for group in range(file.metadata.num_row_groups):
            rows += file.metadata.row_group(group).num_rows
            if rows >= PART_ROWS or group + 1 == file.metadata.num_row_groups:
                made.append((path, first, group + 1))
                first, rows = group + 1, 0
    return schema, made


def stream(part: Part, columns: Sequence[str]) -> Any:
    """The rows of a part as an object with `__arrow_c_stream__`, read one batch after another."""
    import pyarrow as pa

    path, first, last = part
    file = opened(path)
    whole = file.schema_arrow.remove_metadata()
    schema = pa.schema([whole.field(name) for name in columns])
    batches = file.iter_batches(batch_size=1 << 16, row_groups=list(range(first, last)), columns=list(columns), use_threads=False)
    named = (pa.RecordBatch.from_arrays([batch.column(name) for name in columns], schema=schema) for batch in batches)
    return pa.RecordBatchReader.from_batches(schema, named)


class Files(Engine):
    """Files, and who reads them: `run(parts, columns, task)` has each part folded and gives the answers."""

    def __init__(self, name: str, run: Any, cancel: Any, paths: list[str]) -> None:
        self.name = name
        self._run = run
        self._cancel = cancel
        self._schema, self._parts = parts(found(paths))

    def rows(self) -> Iterator[Any]:
        yield self._schema.empty_table()
        for part in self._parts:
            yield stream(part, self._schema.names)

    def predict(self, model: str, settings: dict[str, Any], names: list[str]) -> Any:
        raise UsageError(f"these are files that {self.name} has read: give `predict` their paths, or a table of {self.name}")

    def ask(self, columns: Sequence[str], task: bytes) -> Asked:
        return Asked(lambda: self._run(self._parts, list(columns), task), self._cancel)
