"""What a fit costs on an engine: sizes of what travels, a tree of merging, and times beside one machine.

    python bench/cluster.py states                   what workers send, by family and number of columns
    python bench/cluster.py tree [PARTITIONS]        a merge tree of so many partitions, with the sizes and times of its stages
    python bench/cluster.py times ROWS [ENGINE ...]  Parquet of so many rows of 10 numbers: noisefit alone, then sail, dask, ray, spark

Sail takes `SAIL_MODE=local-cluster`; all engines get two workers.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import noisefit as nf
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from noisefit import _table
from noisefit._engines import _engine, _worker

warnings.simplefilter("ignore")

SERVERS: list[Any] = []

FAMILIES = ["gaussian", "huber", "student-t", "logistic", "laplace", "quantile:0.1,0.5,0.9"]


class Parts(_engine.Engine):
    """Partitions in this process, folded one after another; notes what each stage takes and sends."""

    name = "here"

    def __init__(self, tables: list[Any]) -> None:
        self.tables = tables
        self.passes: list[dict[str, float]] = []

    def rows(self) -> Any:
        yield self.tables[0].slice(0, 0)

    def ask(self, columns: Any, task: bytes) -> _engine.Asked:
        def work() -> list[bytes]:
            began = time.perf_counter()
            answers = [_worker.fold_stream(task, k << _worker.ROW_BITS, table.select(list(columns))) for k, table in enumerate(self.tables)]
            folded = time.perf_counter()
            sizes, size = [len(answer) for answer in answers], _engine.group_size(len(answers))
            slowest = 0.0
            if size:
                merged = []
                for first in range(0, len(answers), size):
                    start = time.perf_counter()
                    merged.append(_worker.merge_answers(task, *answers[first : first + size]))
                    slowest = max(slowest, time.perf_counter() - start)
                answers = merged
            self.passes.append(
                {"task": len(task), "largest": max(sizes), "stage1": sum(sizes), "stage2": sum(map(len, answers)), "group": size,
                 "fold": folded - began, "slowest": slowest}
            )  # fmt: skip
            return answers

        return _engine.Asked(work, lambda: None)


def fit(formula: str, engine: Parts, **how: Any) -> nf.Fitted:
    _table._held = lambda data, _: data  # type: ignore[assignment]
    return nf.fit(formula, engine, **how)


def rows(count: int, columns: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = {f"x{k}": rng.normal(size=count) for k in range(columns)}
    y = sum(x.values()) + rng.standard_t(5, count)
    return pa.table({"y": y, **x})


def states() -> None:
    print("| noise | columns | passes | largest task | largest answer of a partition | answers in all |\n|---|---|---|---|---|---|")
    for columns in (10, 100):
        whole = rows(2_000_000 // columns * 10, columns)
        step = whole.num_rows // 20
        for noise in FAMILIES:
            engine = Parts([whole.slice(first, step) for first in range(0, whole.num_rows, step)])
            fit("y ~ .", engine, noise=noise, one_pass=False)
            passes = engine.passes
            print(
                f"| {noise} | {columns} | {len(passes)} | {max(p['task'] for p in passes):,.0f} | {max(p['largest'] for p in passes):,.0f} |"
                f" {sum(p['stage1'] for p in passes):,.0f} |"
            )


def tree(partitions: int) -> None:
    print("| noise | partitions | passes | a group has | most sent by workers in a pass | most sent to the driver | slowest group's merging, s |")
    print("|---|---|---|---|---|---|---|")
    whole = rows(2_000_000, 10)
    step = -(-whole.num_rows // partitions)
    for noise in FAMILIES[:5]:
        engine = Parts([whole.slice(first, step) for first in range(0, whole.num_rows, step)])
        fit("y ~ .", engine, noise=noise)
        passes = engine.passes
        print(
            f"| {noise} | {len(engine.tables):,} | {len(passes)} | {passes[0]['group']:.0f} | {max(p['stage1'] for p in passes):,.0f} |"
            f" {max(p['stage2'] for p in passes):,.0f} | {max(p['slowest'] for p in passes):.3f} |"
        )


def times(count: int, engines: list[str]) -> None:
    folder, pieces = Path(__file__).parent / "data" / f"cluster-{count}", 20
    folder.mkdir(parents=True, exist_ok=True)
    for piece in range(pieces):
        path = folder / f"{piece:02d}.parquet"
        if not path.exists():
            pq.write_table(rows(count // pieces, 10, piece), path, row_group_size=500_000)
    folder = str(folder)
    fits = [("gaussian", {}), ("gaussian hc1", {"vcov": "hc1"}), ("huber", {"noise": "huber"}), ("laplace", {"noise": "laplace"})]
    alone = {}
    for name, how in fits:
        began = time.perf_counter()
        nf.fit("y ~ .", folder, threads=2, **how)
        alone[name] = time.perf_counter() - began
        print(f"| noisefit | {name} | {alone[name]:.2f} s | |", flush=True)
    for engine in engines:
        data, how_to_hold = held(engine, folder)
        for name, how in fits:
            began = time.perf_counter()
            fitted = nf.fit("y ~ .", data, **how_to_hold, **how)
            seconds = time.perf_counter() - began
            print(f"| {engine} | {name} | {seconds:.2f} s | {seconds / alone[name]:.2f} times, {fitted.passes['passes']} passes |", flush=True)
        if engine in ("sail", "spark"):
            peer(engine, data)


def peer(engine: str, data: Any) -> None:
    """Spark ML's own least squares, where the session has it."""
    try:
        from pyspark.ml.feature import VectorAssembler
        from pyspark.ml.regression import LinearRegression

        began = time.perf_counter()
        named = [name for name in data.columns if name != "y"]
        LinearRegression(labelCol="y", solver="normal").fit(VectorAssembler(inputCols=named, outputCol="features").transform(data))
        print(f"| {engine}, Spark ML LinearRegression | gaussian | {time.perf_counter() - began:.2f} s | |")
    except Exception as error:
        print(f"| {engine}, Spark ML | not there | {str(error).splitlines()[0][:80]} | |")


def held(engine: str, folder: str) -> tuple[Any, dict[str, Any]]:
    if engine == "dask":
        import dask.dataframe as dd
        from distributed import Client, LocalCluster

        Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        return dd.read_parquet(folder), {"persist": False}
    if engine == "ray":
        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        return ray.data.read_parquet(folder), {}
    from pyspark.sql import SparkSession

    if engine == "spark":
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        return session.read.parquet(folder), {"persist": False}
    os.environ.setdefault("SAIL_MODE", "local-cluster")
    os.environ.setdefault("SAIL_EXECUTION__DEFAULT_PARALLELISM", "2")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(port=0)
    server.start(background=True)
    SERVERS.append(server)  # it ends with the last who knows it
    session = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
    return session.read.parquet(folder), {"persist": False}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["states"]:
            states()
        case ["tree", *more]:
            tree(int(more[0]) if more else 1000)
        case ["times", count, *engines]:
            times(int(float(count)), engines or ["sail", "dask"])
        case _:
            print(__doc__)
