"""Spark, classic or Connect, and whatever speaks its protocol, as Sail does."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from noisefit._engines._engine import Asked, Engine, group_size
from noisefit._engines._files import Files
from noisefit._engines._worker import ANSWER, PARTITION, PIECE, ROW_BITS, RUN, answers_of, fold_batches, fold_parts, merge_batches, predict_batches

_SCHEMA = f"{PARTITION} long, {RUN} string, {PIECE} int, {ANSWER} binary"


class Spark(Engine):
    """A DataFrame of Spark."""

    name = "Spark"

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._partitions: int | None = None
        self._kept: Any = None

    def rows(self) -> Iterator[Any]:
        frame = self._frame
        yield frame.limit(0).toArrow()
        # One partition after another, in the order of their numbers, which is that of the passes.
        for number in range(self._count()):
            yield self._numbered(frame.columns).where(f"shiftright({PARTITION}, {ROW_BITS}) = {number}").drop(PARTITION).toArrow()

    def _numbered(self, columns: Sequence[str]) -> Any:
        from pyspark.sql import functions

        frame = self._kept if self._kept is not None else self._frame
        named = [functions.col(_quoted(name)) for name in columns]
        return frame.select(*named, functions.monotonically_increasing_id().alias(PARTITION))

    def _count(self) -> int:
        """The partitions, those without rows perhaps not among them."""
        if self._partitions is None:
            from pyspark.sql import functions

            last = self._numbered([]).agg(functions.max(PARTITION)).collect()[0][0]
            self._partitions = 0 if last is None else (int(last) >> ROW_BITS) + 1
        return self._partitions

    def ask(self, columns: Sequence[str], task: bytes) -> Asked:
        session, tag = self._frame.sparkSession, f"noisefit-{uuid.uuid4()}"

        def work() -> list[bytes]:
            count = self._count()
            answers = self._numbered(columns).mapInArrow(functools.partial(fold_batches, task=task), _SCHEMA)
            return _collected(session, tag, answers, task, count)

        return Asked(work, lambda: _interrupt(session, tag))

    def keep(self) -> bool:
        from pyspark.storagelevel import StorageLevel

        try:
            level = self._frame.storageLevel
            if level.useMemory or level.useDisk:
                return False
            self._kept = self._frame.persist(StorageLevel.MEMORY_AND_DISK)
        except Exception:  # not every engine behind the protocol keeps anything
            self._kept = None
            return False
        return True

    def release(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.unpersist()

    def predict(self, model: str, settings: dict[str, Any], names: list[str]) -> Any:
        from pyspark.sql.types import DoubleType, StructField, StructType

        schema = StructType([*self._frame.schema.fields, *(StructField(name, DoubleType()) for name in names)])
        return self._frame.mapInArrow(
            functools.partial(predict_batches, model=model, settings=settings, names=names), schema
        )


def files(session: Any, paths: list[str]) -> Files:
    """Parquet files that the workers of a session read."""

    tag = f"noisefit-{uuid.uuid4()}"

    def run(parts: list[Any], columns: list[str], task: bytes) -> list[bytes]:
        numbers = session.range(0, len(parts), 1, len(parts))
        answers = numbers.mapInArrow(functools.partial(fold_parts, task=task, parts=parts, columns=columns), _SCHEMA)
        return _collected(session, tag, answers, task, len(parts))

    return Files("Spark", run, lambda: _interrupt(session, tag), paths)


def _collected(session: Any, tag: str, answers: Any, task: bytes, partitions: int) -> list[bytes]:
    """The answers, merged by groups of partitions where these are many; under a tag, by which they can be interrupted."""
    size = group_size(partitions)
    if size:
        answers = _merged_by_group(answers, task, size, -(-partitions // size))
    tagged = _tagging(session, tag)
    try:
        rows = ((row[0], row[1], row[2], bytes(row[3])) for row in answers.collect())
        return [answer for _, answer in answers_of(rows)]
    finally:
        if tagged:
            session.removeTag(tag)


def _interrupt(session: Any, tag: str) -> None:
    try:
        session.interruptTag(tag)
    except Exception:  # an engine that cannot stop goes on alone, and nobody waits for it
        pass


def _merged_by_group(answers: Any, task: bytes, size: int, groups: int) -> Any:
    """A second stage of workers, each of which merges whole groups."""
    from pyspark.sql import functions

    group = functions.floor(functions.shiftright(functions.col(PARTITION), ROW_BITS) / size).cast("long").alias("__noisefit_group")
    answers = answers.select(PARTITION, RUN, PIECE, ANSWER, group).repartition(groups, "__noisefit_group").drop("__noisefit_group")
    return answers.mapInArrow(functools.partial(merge_batches, task=task, size=size), _SCHEMA)


def _tagging(session: Any, tag: str) -> bool:
    try:
        session.addTag(tag)
    except Exception:  # older ones have no tags, and cannot be stopped
        return False
    return True


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"

