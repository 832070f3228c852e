"""Tables that engines hold: the same numbers as here, whoever folds the rows and however often they have to be folded again.

Real engines are started where they are installed (the test script installs pysail with Spark's client, and Dask with its workers); what is
not there is skipped by name.
"""

from __future__ import annotations

import _thread
import itertools
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import noisefit as nf
import numpy as np
import pytest
from noisefit import _noisefit
from noisefit._engines import _engine, _worker

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

#: What every engine must fit as it is fitted here: a formula, and how.
FITS: list[tuple[str, dict[str, Any]]] = [
    ("y ~ x + g", {"vcov": "hc3"}),
    ("y ~ x", {"vcov": "cluster:firm"}),
    ("y ~ x", {"vcov": "hac:4"}),
    ("y ~ scale(x) + z", {"scale": "~z", "weights": "w"}),
    ("y ~ x", {"frequency_weights": "k"}),
    ("y ~ x", {"sampling_weights": "w"}),
    ("y ~ x | firm", {}),
    ("y ~ x | firm + g", {"vcov": "cluster:firm"}),
    ("y ~ x", {"conformal": "split"}),
    ("log(positive) ~ x", {"noise": "logistic"}),
    ("y ~ poly(x, 3) + bs(z, df=5)", {"noise": "laplace"}),
    ("y ~ x * g", {"noise": "quantile:0.1,0.5,0.9"}),
    ("y ~ x + z", {"noise": "huber"}),
    ("y ~ x + z", {"noise": "student-t"}),
    ("y ~ x", {"noise": "cauchy"}),
    ("y ~ x + z", {"noise": "logistic", "scale": "~z"}),
]


@pytest.fixture(scope="module")
def frame() -> Any:
    """Rows with categories, weights, frequencies and missing values."""
    rng = np.random.default_rng(3)
    n = 1800
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.uniform(1, 3, size=n),
            "g": rng.choice(list("abcdef"), n),
            "firm": rng.choice([f"f{i}" for i in range(40)], n),
            "w": rng.uniform(0.5, 2, n),
            "k": rng.integers(1, 4, n),
        }
    )
    frame["y"] = 1 + frame["x"] + 0.3 * frame["z"] + 0.5 * (frame["g"] == "b") + rng.standard_t(4, n) * np.exp(0.2 * frame["z"])
    frame["positive"] = np.exp(frame["y"] / 4)
    frame.loc[rng.choice(n, 30, replace=False), "x"] = np.nan
    frame.loc[rng.choice(n, 20, replace=False), "g"] = None
    return frame


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session of Sail with a driver and workers."""
    os.environ.setdefault("SAIL_MODE", "local-cluster")
    pytest.importorskip("pyspark", reason="Spark's client is not installed")
    sail = pytest.importorskip("pysail.spark", reason="pysail is not installed")
    server = sail.SparkConnectServer(port=0)
    server.start(background=True)
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
        yield session
        session.stop()
    server.stop()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes of Dask."""
    distributed = pytest.importorskip("distributed", reason="Dask's workers are not installed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            yield client


def parts(frame: Any, sizes: list[int]) -> list[Any]:
    """A frame in parts of these sizes, the last of what is left."""
    ends = list(itertools.accumulate(sizes))
    return [frame.iloc[first:last] for first, last in itertools.pairwise([0, *ends, len(frame)])]


def dask_of(frame: Any, sizes: list[int]) -> Any:
    dask = pytest.importorskip("dask", reason="Dask is not installed")
    dd = pytest.importorskip("dask.dataframe", reason="Dask's frames are not installed")
    made = [dask.delayed(part) for part in parts(frame, sizes)]
    return dd.from_delayed(made, meta=frame.iloc[:0], verify_meta=False)


def same(found: nf.Fitted, here: nf.Fitted, tolerance: float = 1e-10) -> None:
    assert len(found.fits) == len(here.fits) > 0
    for one, other in zip(found.fits, here.fits, strict=True):
        for name in ("coef", "std_error"):
            ours, theirs = (np.array(list(dict(getattr(fit, name)).values()), float) for fit in (one, other))
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=name)
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=tolerance)
        assert one.nobs == other.nobs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("formula", "how"), FITS[::3])
def test_dask_gives_the_numbers_of_one_machine(frame: Any, client: Any, formula: str, how: dict[str, Any]) -> None:
    held = dask_of(frame, [1, 0, 700, 13, 400, 200])
    found = nf.fit(formula, held, **how)
    same(found, nf.fit(formula, frame, **how))
    assert found.passes is not None and found.passes["engine"] == "Dask" and found.passes["kept"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("formula", "how"), FITS)
def test_sail_gives_the_numbers_of_one_machine(frame: Any, spark: Any, tmp_path_factory: Any, formula: str, how: dict[str, Any]) -> None:
    # What depends on the order of the rows takes that of the engine, which deals files out as it likes.
    ordered = how.get("vcov") == "hac:4" or "conformal" in how
    folder = tmp_path_factory.getbasetemp() / ("ordered" if ordered else "held")
    if not folder.exists():
        folder.mkdir()
        for number, part in enumerate(parts(frame, [] if ordered else [700, 13, 400, 200])):
            part.to_parquet(folder / f"{number}.parquet")
    found = nf.fit(formula, spark.read.parquet(str(folder)), **how)
    same(found, nf.fit(formula, frame, **how))
    assert found.passes is not None and found.passes["engine"] == "Spark"
    assert f"{found.passes['passes']} passes" in found.summary()


def test_ray_gives_the_numbers_of_one_machine(frame: Any) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        held = ray.data.from_pandas(frame).repartition(5)
        for formula, how in (FITS[0], FITS[10]):
            same(nf.fit(formula, held, **how), nf.fit(formula, frame, **how))
        assert len(nf.fit("y ~ x", frame).predict(held).take(3)) == 3
    finally:
        ray.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_classic_spark_gives_the_numbers_of_one_machine(frame: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
    if not shutil.which("java") or not (Path(pyspark.__file__).parent / "jars").exists():
        pytest.skip("Spark itself, or Java, is not installed")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        frame.to_parquet(tmp_path / "d.parquet")
        held = session.read.parquet(str(tmp_path / "d.parquet")).repartition(3)
        same(nf.fit("y ~ x + g", held, vcov="hc3"), nf.fit("y ~ x + g", frame, vcov="hc3"))
    finally:
        session.stop()


def test_the_page_runs(spark: Any, tmp_path: Any) -> None:
    with open("docs/cluster.md", encoding="utf-8") as file:
        (block,) = [part.partition("```")[0] for part in file.read().split("```python\n")[1:]]
    # As a file: Spark's client looks for one.
    (tmp_path / "page.py").write_text(block)
    told = subprocess.run([sys.executable, tmp_path / "page.py"], capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    passes, count = told.stdout.splitlines()
    assert passes.startswith("Spark: ") and "with 442 rows" in passes and count == "442"


@pytest.mark.filterwarnings("ignore")
def test_predictions_are_columns_of_the_engine(frame: Any, client: Any, spark: Any, tmp_path: Any) -> None:
    fitted = nf.fit("y ~ x + g", frame)
    expected = fitted.predict(frame, interval=0.9)
    found = fitted.predict(dask_of(frame, [0, 900]), interval=0.9)
    assert list(found.columns) == [*frame.columns, *expected.columns]
    for name in expected.columns:
        np.testing.assert_array_equal(found.compute()[name].to_numpy(float), expected[name].to_numpy(float))
    frame.to_parquet(tmp_path / "d.parquet")
    found = fitted.predict(spark.read.parquet(str(tmp_path / "d.parquet")), interval=0.9).toPandas()
    for name in expected.columns:
        np.testing.assert_array_equal(found[name].to_numpy(float), expected[name].to_numpy(float))


@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_changes_no_bit(frame: Any, client: Any) -> None:
    big = pd.concat([frame] * 30, ignore_index=True)
    held = dask_of(big, [len(big) // 12] * 11)
    expected = nf.fit("y ~ x + z", held, noise="student-t", persist=False)
    workers = client.run(os.getpid)
    killed = threading.Timer(0.3, os.kill, (next(iter(workers.values())), signal.SIGKILL))
    killed.start()
    found = nf.fit("y ~ x + z", held, noise="student-t", persist=False)
    killed.join()
    assert dict(found.coef) == dict(expected.coef)
    assert dict(found.std_error) == dict(expected.std_error)
    assert found.log_likelihood == expected.log_likelihood
    deadline = time.monotonic() + 30
    while set(client.run(os.getpid).values()) == set(workers.values()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert set(client.run(os.getpid).values()) != set(workers.values()), "no worker was killed"


DRIVER = """
import sys, time
import dask, dask.dataframe as dd, pandas as pd, numpy as np, noisefit as nf
from distributed import Client

client = Client(sys.argv[1])

def part(k):
    time.sleep(1)
    x = np.arange(100.0) + k
    return pd.DataFrame({"x": x, "y": np.sin(x)})

held = dd.from_delayed([dask.delayed(part)(k) for k in range(200)], meta=part(0).iloc[:0], verify_meta=False)
print("begun", flush=True)
nf.fit("y ~ x", held)
"""


def test_a_killed_driver_leaves_nothing_running(client: Any, tmp_path: Any) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    driver = subprocess.Popen([sys.executable, tmp_path / "driver.py", client.scheduler.address], stdout=subprocess.PIPE)
    assert driver.stdout is not None and driver.stdout.readline() == b"begun\n"

    def running() -> int:
        return sum(len(tasks) for tasks in client.processing().values())

    def until(done: Any) -> bool:
        deadline = time.monotonic() + 30
        while not done() and time.monotonic() < deadline:
            time.sleep(0.1)
        return bool(done())

    assert until(lambda: running() > 0), "nothing was begun"
    driver.kill()
    driver.wait()
    assert until(lambda: running() == 0), "work goes on that nobody waits for"


def test_files_are_read_by_the_workers(frame: Any, client: Any, spark: Any, tmp_path: Any) -> None:
    for number, part in enumerate(parts(frame, [800])):
        part.to_parquet(tmp_path / f"{number}.parquet")
    paths = [str(tmp_path / f"{number}.parquet") for number in range(2)]
    for engine in ("dask", client, spark):
        found = nf.fit("y ~ x + g", paths, engine=engine, noise="laplace")
        same(found, nf.fit("y ~ x + g", paths, noise="laplace"))
        assert found.passes is not None and found.passes["partitions"] == 2
        same(nf.fit("y ~ x", str(tmp_path), engine=engine), nf.fit("y ~ x", paths))
        with pytest.raises(nf.UsageError, match="give `predict` their paths"):
            found.predict()
    with pytest.raises(nf.DataError, match="absent.parquet"):
        nf.fit("y ~ x", [str(tmp_path / "absent.parquet")], engine="dask")
    frame.rename(columns={"x": "other"}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(nf.DataError, match=r"2\.parquet: its columns are not those of .*0\.parquet"):
        nf.fit("y ~ x", str(tmp_path), engine="dask")
    with pytest.raises(nf.UsageError, match="give a session of Spark"):
        nf.fit("y ~ x", paths, engine="hadoop")
    with pytest.raises(nf.UsageError, match="goes with the paths of Parquet files"):
        nf.fit("y ~ x", frame, engine="dask")


class Parts(_engine.Engine):
    """An engine of this process, that can be made to go wrong; what it holds are tables of pyarrow."""

    name = "Parts"

    def __init__(self, tables: list[Any], direct: bool = True) -> None:
        self.tables = tables
        self.direct = direct
        self.asked = 0
        self.received: list[int] = []

    def rows(self) -> Iterator[Any]:
        yield self.tables[0].slice(0, 0)
        yield from self.tables

    def answers(self, columns: list[str], task: bytes) -> list[bytes]:
        self.asked += 1
        return [
            _worker.fold_stream(task, number << _worker.ROW_BITS, table.select(columns)) for number, table in enumerate(self.tables)
        ]

    def ask(self, columns: Any, task: bytes) -> _engine.Asked:
        def work() -> list[bytes]:
            answers = self.answers(list(columns), task)
            size = 0 if self.direct else _engine.group_size(len(answers))
            if size:
                answers = [_worker.merge_answers(task, *answers[first : first + size]) for first in range(0, len(answers), size)]
            self.received.append(len(answers))
            return answers

        return _engine.Asked(work, lambda: None)


@pytest.fixture
def fit_on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that fits what an engine holds."""
    from noisefit import _table

    def fit(formula: str, engine: Any, **how: Any) -> nf.Fitted:
        monkeypatch.setattr(_table, "_held", lambda data, _: data if isinstance(data, _engine.Engine) else None)
        return nf.fit(formula, engine, **how)

    return fit


def tables(frame: Any, count: int) -> list[Any]:
    whole = pa.Table.from_pandas(frame, preserve_index=False)
    ends = np.linspace(0, len(frame), count + 1).astype(int)
    return [whole.slice(first, last - first) for first, last in itertools.pairwise(ends)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("formula", "how"), FITS)
def test_parts_give_the_numbers_of_the_whole(frame: Any, fit_on: Any, formula: str, how: dict[str, Any]) -> None:
    rng = np.random.default_rng(len(formula))
    whole, sizes = pa.Table.from_pandas(frame, preserve_index=False), rng.integers(0, 60, 100)
    ends = [0, *itertools.accumulate(sizes[sizes.cumsum() < len(frame)]), len(frame)]
    held = [whole.slice(first, last - first) for first, last in itertools.pairwise(ends)]
    same(fit_on(formula, Parts(held), **how), nf.fit(formula, frame, **how))


@pytest.mark.filterwarnings("ignore")
def test_what_is_asked_of_models_is_asked_of_engines(frame: Any, fit_on: Any) -> None:
    fitted = fit_on("y ~ x + z", Parts(tables(frame, 5)))
    held = fitted._data
    ours, theirs = (nf.compare("y ~ x", data, noise=["gaussian", "student-t", "laplace"], folds=3) for data in (held, frame))
    assert ours.preferred == theirs.preferred
    assert [model["log_likelihood"] for model in ours["models"]] == pytest.approx([model["log_likelihood"] for model in theirs["models"]], rel=1e-12)
    ours, theirs = (nf.diagnose("y ~ x + z", data) for data in (held, frame))
    # A row is named by its partition and its place there.
    assert "partition" in str(ours) and "partition" not in str(theirs)
    ours, theirs = (nf.fit("y ~ x + g", frame).evaluate(data) for data in (held, frame))
    assert ours["rmse"] == pytest.approx(theirs["rmse"], rel=1e-12)


def test_many_partitions_and_one_huge_one(frame: Any, fit_on: Any) -> None:
    whole = nf.fit("y ~ x + g", frame)
    for count in (1, 2, 65, 500):
        same(fit_on("y ~ x + g", Parts(tables(frame, count), direct=False)), whole)
    big = pd.concat([frame[["x", "y"]]] * 400, ignore_index=True)
    engine = Parts(tables(big, 10_000), direct=False)
    thousands = fit_on("y ~ x", engine)
    one = fit_on("y ~ x", Parts([pa.Table.from_pandas(big, preserve_index=False)]))
    same(thousands, one, 1e-12)
    assert thousands.passes["partitions"] == 10_000
    # What came to the driver in a pass is a hundred answers, and not ten thousand.
    assert set(engine.received) == {100}


def test_the_schedule_has_no_say_in_the_digits(frame: Any, fit_on: Any) -> None:
    class Shuffled(Parts):
        def answers(self, columns: list[str], task: bytes) -> list[bytes]:
            answers = super().answers(columns, task)
            order = np.random.default_rng(self.asked).permutation(len(answers))
            # Some are folded twice, as where a worker was taken for dead.
            return [answers[place] for place in order] + [answers[order[0]]]

    for how in ({}, {"noise": "laplace"}, {"noise": "student-t"}):
        plain, shuffled = (fit_on("y ~ x + z", kind(tables(frame, 9)), **how) for kind in (Parts, Shuffled))
        assert dict(plain.coef) == dict(shuffled.coef)
        assert dict(plain.std_error) == dict(shuffled.std_error)


def test_rows_that_change_are_an_error_by_name(frame: Any, fit_on: Any) -> None:
    class Changing(Parts):
        def __init__(self, change: Any) -> None:
            super().__init__(tables(frame[["x", "y"]].dropna(), 4))
            self.change = change

        def answers(self, columns: list[str], task: bytes) -> list[bytes]:
            if self.asked == 1:
                self.change(self.tables)
            return super().answers(columns, task)

    def other_value(held: list[Any]) -> None:
        values = held[2].column("y").to_numpy().copy()
        values[5] += 1e-9
        held[2] = held[2].set_column(held[2].column_names.index("y"), "y", pa.array(values))

    def other_order(held: list[Any]) -> None:
        held[1] = held[1].take(np.arange(held[1].num_rows)[::-1])

    def lost(held: list[Any]) -> None:
        held[3] = held[3].slice(0, 0)

    def more(held: list[Any]) -> None:
        held[0] = pa.concat_tables([held[0], held[0]])

    for change, said in [
        (other_value, "partition 2 of the table has other values, or its rows in another order"),
        (other_order, "partition 1 of the table has other values, or its rows in another order"),
        (lost, "partition 3 of the table, which had .* rows in an earlier pass, has none now"),
        (more, "partition 0 of the table had .* rows in an earlier pass and has .* now"),
    ]:
        with pytest.raises(nf.DataError, match=said):
            fit_on("y ~ x", Changing(change))


def test_what_is_wrong_with_a_row_is_said_with_its_place(frame: Any, fit_on: Any) -> None:
    bad = frame.copy()
    bad.loc[1000, "z"] = np.inf
    with pytest.raises(nf.DataError, match=r"partition 5, record 1: column z is inf"):
        fit_on("y ~ z", Parts(tables(bad, 9)))
    with pytest.raises(nf.DataError, match="no column 'nothing'"):
        fit_on("y ~ nothing", Parts(tables(frame, 2)))

    class Vanishing(Parts):
        def answers(self, columns: list[str], task: bytes) -> list[bytes]:
            if self.asked == 1:
                self.tables[1] = self.tables[1].drop_columns(["x"])
            return super().answers(columns, task)

    with pytest.raises(nf.DataError, match="could not do it"):
        fit_on("y ~ x", Vanishing(tables(frame, 2)))


def test_another_version_is_refused(frame: Any, fit_on: Any) -> None:
    class Older(Parts):
        def answers(self, columns: list[str], task: bytes) -> list[bytes]:
            ours = nf.__version__.encode()
            assert ours in task
            return super().answers(columns, task.replace(ours, b"9" * len(ours), 1))

    with pytest.raises(nf.DataError, match=r"was sent work by noisefit 9.*: install the same version"):
        fit_on("y ~ x", Older(tables(frame, 2)))
    garbled = _noisefit.merge_answers(b"\x00nonsense", [b"more of it"])
    assert b"between the driver and a worker" in garbled


def test_work_that_waits_can_be_interrupted(frame: Any, fit_on: Any) -> None:
    stopped = threading.Event()

    class Slow(Parts):
        def ask(self, columns: Any, task: bytes) -> _engine.Asked:
            return _engine.Asked(lambda: stopped.wait(60) and [], stopped.set)

    # As Ctrl-C does, but for this interpreter alone: a server of Sail in the process would end, too.
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fit_on("y ~ x", Slow(tables(frame, 2)))
    assert stopped.is_set() and time.monotonic() - begun < 20


def test_what_needs_the_rows_here_is_refused_by_name(frame: Any, fit_on: Any) -> None:
    engine = Parts(tables(frame, 3))
    with pytest.raises(nf.UsageError, match="write the table to Parquet files and train on these"):
        fit_on("y ~ x", engine, model="network")
    fitted = fit_on("y ~ x", engine)
    with pytest.raises(nf.UsageError, match="appends columns there"):
        fitted.augment()
    # The engine does not travel with the model.
    assert dict(pickle.loads(pickle.dumps(fitted)).coef) == dict(fitted.coef)
