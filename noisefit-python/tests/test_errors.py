"""What goes wrong is an exception of ours that names the keyword or the column; what is to be said is a warning of its category."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

import noisefit as nf

ENGEL = "testdata/engel.csv"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"noise": "gausian"}, r"noise=\"gausian\": no noise family 'gausian'; did you mean 'gaussian'"),
        ({"vcov": "hc9"}, r"vcov=\"hc9\": "),
        ({"level": 1.5}, r"level=1\.5: "),
        ({"huber_k": 2.0}, r"huber_k says where .* goes with noise=\"huber\" alone, not with noise=\"gaussian\""),
        ({"epochs": 5}, r"epochs"),
        ({"epochs": 0, "model": "network"}, r"epochs=0: a whole number of 1 or more is needed"),
        ({"model": "network", "hidden": "many"}, r"hidden=\"many\": units of hidden layers are whole numbers"),
        ({"folds": 5}, r"folds goes with conformal alone"),
        ({"conformal": "split", "folds": 5}, r"folds"),
        ({"one_pass": "perhaps"}, r"one_pass='perhaps': True or False is needed"),
        ({"missing": "keep"}, r"missing=\"keep\": no 'keep' here; there are drop, fail"),
        ({"digits": 99}, r"digits=99: digits lie between 0 and 15"),
        ({"memory": "much"}, r"memory=\"much\": a size is a number and a unit"),
        ({"frame": "spark"}, r"frame=\"spark\": there are pandas, polars, pyarrow, dict"),
    ],
)
def test_a_keyword_that_cannot_be(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(nf.UsageError, match=sentence) as caught:
        nf.fit("foodexp ~ income", ENGEL, **settings)
    assert "--" not in str(caught.value)


def test_a_keyword_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nois'; did you mean noise"):
        nf.fit("foodexp ~ income", ENGEL, nois="laplace")  # type: ignore[call-arg]


def test_formulas_and_columns() -> None:
    with pytest.raises(nf.UsageError, match=r"\^"):
        nf.fit("foodexp ~ log(income", ENGEL)
    for data in (ENGEL, {"income": [1.0, 2.0, 3.0], "foodexp": [1.0, 2.0, 4.0], "other": ["a", "b", "c"]}):
        with pytest.raises(nf.DataError, match="incomes"):
            nf.fit("foodexp ~ incomes", data)
    with pytest.raises(nf.DataError, match=r"nowhere\.csv"):
        nf.fit("y ~ x", "nowhere.csv")
    with pytest.raises(nf.UsageError, match="no table: give a pandas"):
        nf.fit("y ~ x", 3)
    with pytest.raises(nf.DataError, match="no columns"):
        nf.fit("y ~ x", {})


def test_options_of_files_are_keywords(tmp_path: Any) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("y;x\n1;2,5\n2;3,5\n4;oops\n" + "5;6,5\n" * 3)
    with pytest.raises(nf.NoisefitError) as caught:
        nf.fit("y ~ x", path, number="x")
    assert "--" not in str(caught.value)
    path.write_text("y,x\n1,\n")
    with pytest.raises(nf.DataError, match=r'missing="fail" names the first, na a text that stands for one'):
        nf.fit("y ~ x", path)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1.0, "a", 2.0], "column `x`: its objects, of float, str, are neither"),
        ([[1.0], [2.0], [3.0]], "column `x`: its objects, of list"),
        (np.ones((3, 2)), "column `x`: its shape is 3 x 2"),
        (np.array([1 + 2j, 3, 4]), "column `x`: its type complex128 is neither"),
        (np.array([1, 2, 3], dtype="m8[s]"), "column `x`: its type timedelta64"),
        ([10**400, 1, 2], "column `x`: it has a whole number that is beyond"),
        ([1.0, 2.0], r"column `x` has 2 values, and column `y` has 3|column `y` has 3 values, and column `x` has 2"),
        ("abc", "column `x`: str is no sequence"),
    ],
)
def test_a_column_that_cannot_be_read(values: Any, sentence: str) -> None:
    with pytest.raises(nf.DataError, match=sentence):
        nf.fit("y ~ x", {"y": [1.0, 2.0, 4.0], "x": values})


def test_a_column_that_nobody_names_may_be_anything() -> None:
    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [1.0, 2.0, 3.0, 4.0], "z": [1, "a", object(), None]}
    assert nf.fit("y ~ x", data).nobs == 4
    with pytest.warns(nf.DataWarning, match="column `z`: its objects.*it is left out"):
        assert nf.fit("y ~ .", data).terms == ["(Intercept)", "x"]


def test_duplicate_names_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["y", "x", "x"])
    with pytest.raises(nf.DataError, match="both named `x`"):
        nf.fit("y ~ x", frame)


@pytest.mark.parametrize(
    "array",
    [
        lambda x: x.astype(">f8"),
        lambda x: x.astype("f4").astype("f8"),
        lambda x: np.repeat(x, 2)[::2],
        lambda x: x[::-1][::-1],
        lambda x: np.asfortranarray(np.column_stack([x, x]))[:, 0],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), dtype="u1")[1:].view("f8"),
        lambda x: x.astype(np.longdouble),
        lambda x: np.ma.MaskedArray(x, mask=np.zeros(len(x), bool)),
        lambda x: x.tolist(),
        lambda x: x.astype(object),
    ],
)
def test_arrays_of_any_layout_give_the_right_answer(array: Any) -> None:
    x = np.arange(20.0)
    x.flags.writeable = False
    y = np.sin(x)
    wanted = nf.fit("y ~ x", {"y": y, "x": x}).coef
    assert nf.fit("y ~ x", {"y": y, "x": array(x)}).coef == pytest.approx(wanted, rel=1e-6)


def test_huge_integers_are_told_apart() -> None:
    keys = [2**62 + i for i in range(6)] * 2
    fitted = nf.fit("y ~ C(k) - 1", {"y": [float(i) for i in range(12)], "k": np.array(keys)})
    assert len(fitted.terms) == 6


def test_warnings_have_categories() -> None:
    x = np.arange(10.0)
    with pytest.warns(nf.CollinearityWarning, match="z"):
        fitted = nf.fit("y ~ x + z", {"y": np.sin(x), "x": x, "z": 2 * x})
    assert np.isnan(fitted.coef["z"]) and fitted.warnings
    with pytest.warns(nf.PredictionWarning, match="collinear"):
        fitted.predict({"x": x, "z": x})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nf.fit("y ~ x", {"y": np.sin(x), "x": x})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nf.CollinearityWarning)
        nf.fit("y ~ x + z", {"y": np.sin(x), "x": x, "z": 2 * x})


def test_a_warning_points_at_the_call() -> None:
    x = np.arange(10.0)
    with pytest.warns(nf.CollinearityWarning) as caught:
        nf.fit("y ~ x + z", {"y": np.sin(x), "x": x, "z": 2 * x})
    assert caught[0].filename == __file__


SLOW = """
import numpy as np, noisefit as nf, sys
rng = np.random.default_rng(1)
data = {"y": rng.normal(size=200_000), "x": rng.normal(size=200_000)}
print("ready", flush=True)
try:
    nf.fit("y ~ x", data, %s)
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(7)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("how", ['model="network", epochs=100000, patience=100000', 'noise="student-t", vcov="bootstrap:100000"'])
def test_ctrl_c_stops_a_fit_within_a_second(how: str) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW % how], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(2.0)
        process.send_signal(signal.SIGINT)
        # A second, and what a busy machine adds: the work would take minutes.
        assert (process.wait(timeout=30), process.stdout.read()) == (7, "stopped\n")


LOOKING = """
import os, signal, threading, time, numpy as np, noisefit as nf
rng = np.random.default_rng(1)
data = {"y": rng.normal(size=3_000_000), "x": rng.normal(size=3_000_000)}
it = %s
def timed():
    begun = time.perf_counter()
    try:
        it.%s()
    except KeyboardInterrupt:
        print("stopped")
    return time.perf_counter() - begun
whole = timed()
threading.Timer(0.1 * whole, os.kill, (os.getpid(), signal.SIGINT)).start()
print(timed() < 0.6 * whole)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("verb", ["diagnose", "charts", "report"])
@pytest.mark.parametrize("made", ['nf.fit("y ~ x", data)', 'nf.diagnose("y ~ x", data)'], ids=["fit", "diagnosis"])
def test_ctrl_c_stops_looking(made: str, verb: str) -> None:
    """Passes over many rows are given up soon after, and not when they are done."""
    if verb == "diagnose" and "diagnose" in made:
        return
    done = subprocess.run([sys.executable, "-c", LOOKING % (made, verb)], capture_output=True, text=True, timeout=300)
    assert done.stdout == "stopped\nTrue\n", done.stdout + done.stderr


def test_other_threads_run_during_a_fit() -> None:
    rng = np.random.default_rng(1)
    data = {"y": rng.normal(size=50_000), "x": rng.normal(size=50_000)}
    ticks, done = 0, threading.Event()

    def fit() -> None:
        nf.fit("y ~ x", data, noise="student-t", vcov="bootstrap:60")
        done.set()

    thread = threading.Thread(target=fit)
    thread.start()
    while not done.wait(0.001):
        ticks += 1
    thread.join()
    assert ticks > 20


def test_a_panic_is_an_exception() -> None:
    """None is known; what would become of one is what the class promises."""
    assert issubclass(nf.InternalError, nf.NoisefitError) and issubclass(nf.InternalError, Exception)
