"""Ray: a task for every block of a dataset."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from noisefit._engines._engine import Asked, Engine, group_size
from noisefit._engines._files import Files
from noisefit._engines._worker import ROW_BITS, fold_part, fold_stream, merge_answers, predict_table
from noisefit._errors import DataError


class Ray(Engine):
    """A Dataset of Ray."""

    name = "Ray"

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._blocks: dict[tuple[str, ...], list[Any]] = {}
        self._keeps = False

    def rows(self) -> Iterator[Any]:
        import ray

        blocks = self._dataset.limit(1).to_arrow_refs()
        if not blocks:
            raise DataError("the dataset of Ray has no block, and so no columns")
        yield ray.get(blocks[0]).slice(0, 0)
        for batch in self._dataset.iter_batches(batch_format="pyarrow", batch_size=None):
            yield batch

    def _references(self, columns: list[str]) -> list[Any]:
        """The blocks with these columns, kept while several passes need them."""
        key = tuple(columns)
        if key not in self._blocks:
            blocks = self._dataset.select_columns(columns).to_arrow_refs()
            if not self._keeps:
                return list(blocks)
            self._blocks[key] = list(blocks)
        return self._blocks[key]

    def ask(self, columns: Sequence[str], task: bytes) -> Asked:
        import ray

        running: list[Any] = []

        def work() -> list[bytes]:
            fold, merge = ray.remote(_fold), ray.remote(merge_answers)
            sent = ray.put(task)
            blocks = self._references(list(columns))
            answers = [fold.remote(sent, number, block, list(columns)) for number, block in enumerate(blocks)]
            size = group_size(len(answers))
            if size:
                answers = [merge.remote(sent, *answers[first : first + size]) for first in range(0, len(answers), size)]
            running.extend(answers)
            return list(ray.get(answers))

        def cancel() -> None:
            for reference in running:
                ray.cancel(reference)

        return Asked(work, cancel)

    def keep(self) -> bool:
        self._keeps = True
        return True

    def release(self) -> None:
        self._keeps = False
        self._blocks.clear()

    def predict(self, model: str, settings: dict[str, Any], names: list[str]) -> Any:
        append = functools.partial(predict_table, model=model, settings=settings, names=names)
        return self._dataset.map_batches(append, batch_format="pyarrow", batch_size=None)


def files(paths: list[str]) -> Files:
    """Parquet files that Ray's workers read."""
    running: list[Any] = []

    def run(parts: list[Any], columns: list[str], task: bytes) -> list[bytes]:
        import ray

        fold, merge = ray.remote(fold_part), ray.remote(merge_answers)
        sent = ray.put(task)
        answers = [fold.remote(sent, number, part, columns) for number, part in enumerate(parts)]
        size = group_size(len(answers))
        if size:
            answers = [merge.remote(sent, *answers[first : first + size]) for first in range(0, len(answers), size)]
        running[:] = answers
        return list(ray.get(answers))

    def cancel() -> None:
        import ray

        for reference in running:
            ray.cancel(reference)

    return Files("Ray", run, cancel, paths)


def _fold(task: bytes, partition: int, block: Any, columns: list[str]) -> bytes:
    return fold_stream(task, partition << ROW_BITS, block.select(columns))
