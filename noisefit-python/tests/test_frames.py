"""Frames of every kind: the same numbers, and results in the caller's own type."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pytest

import noisefit as nf

RNG = np.random.default_rng(7)
N = 60
X = RNG.normal(size=N)
Z = RNG.integers(0, 100, size=N)
CITY = RNG.choice(["Bern", "Oslo", "Rome"], size=N)
DAY = np.datetime64("2024-01-01") + RNG.integers(0, 300, size=N).astype("timedelta64[D]")
FLAG = RNG.random(N) < 0.4
Y = 1 + X - 0.02 * Z + (CITY == "Oslo") + 0.01 * DAY.astype(int) / 100 + FLAG + RNG.normal(size=N)
FORMULA = "y ~ x + z + city + day + flag"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> nf.Fitted:
    path = tmp_path_factory.mktemp("frames") / "table.csv"
    rows = [f"{y!r},{x!r},{z},{c},{d},{str(f).lower()}" for y, x, z, c, d, f in zip(Y.tolist(), X.tolist(), Z, CITY, DAY, FLAG)]
    path.write_text("\n".join(["y,x,z,city,day,flag", *rows]) + "\n")
    return nf.fit(FORMULA, path)


def plain() -> dict[str, Any]:
    return {"y": Y, "x": X, "z": Z, "city": CITY, "day": DAY, "flag": FLAG}


def lists() -> dict[str, Any]:
    days = [day.item() for day in DAY]
    return {"y": Y.tolist(), "x": X.tolist(), "z": Z.tolist(), "city": CITY.tolist(), "day": days, "flag": FLAG.tolist()}


def pandas_frame() -> Any:
    """Its days are objects: the times of pandas are times, whose unit is a second."""
    return pytest.importorskip("pandas").DataFrame(plain() | {"day": [day.item() for day in DAY]})


def pandas_nullable() -> Any:
    frame = pandas_frame().convert_dtypes()
    frame["city"] = frame["city"].astype("category")
    return frame


def pandas_objects() -> Any:
    return pytest.importorskip("pandas").DataFrame(lists(), dtype=object)


def polars_frame() -> Any:
    return pytest.importorskip("polars").DataFrame(lists())


def polars_enum() -> Any:
    pl = pytest.importorskip("polars")
    return polars_frame().with_columns(pl.col("city").cast(pl.Enum(["Rome", "Oslo", "Bern", "Lima"])), pl.col("z").cast(pl.Int16))


def polars_categorical() -> Any:
    pl = pytest.importorskip("polars")
    return polars_frame().with_columns(pl.col("city").cast(pl.Categorical))


def polars_lazy() -> Any:
    return polars_frame().lazy()


def pyarrow_table() -> Any:
    return pytest.importorskip("pyarrow").table(lists())


def pyarrow_chunks() -> Any:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(lists())
    return pa.concat_tables([table.slice(0, 17), table.slice(17)])


def pyarrow_reader() -> Any:
    return pyarrow_table().to_reader(max_chunksize=13)


def pyarrow_dataset() -> Any:
    dataset = pytest.importorskip("pyarrow.dataset")
    return dataset.dataset(pyarrow_table())


def duckdb_relation() -> Any:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    connection = duckdb.connect()
    connection.register("t", pyarrow_table())
    return connection.sql("select * from t")


KINDS = [
    plain, lists, pandas_frame, pandas_nullable, pandas_objects, polars_frame, polars_enum, polars_categorical, polars_lazy,
    pyarrow_table, pyarrow_chunks, pyarrow_reader, pyarrow_dataset, duckdb_relation,
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_the_numbers_of_the_file(make: Any, expected: nf.Fitted) -> None:
    fitted = nf.fit(FORMULA, make())
    assert fitted.terms == expected.terms
    for name in ("coef", "std_error"):
        found, wanted = dict(getattr(fitted, name)), dict(getattr(expected, name))
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-13), name


def test_results_come_back_as_what_was_given() -> None:
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    labelled = pandas_frame().set_index(np.arange(N) + 100)
    fitted = nf.fit("y ~ x", labelled)
    assert isinstance(fitted.coef, pd.Series) and list(fitted.coef.index) == ["(Intercept)", "x"]
    assert isinstance(fitted.vcov, pd.DataFrame) and list(fitted.vcov.columns) == ["(Intercept)", "x"]
    assert list(fitted.predict(labelled.iloc[5:7]).index) == [105, 106]
    assert list(fitted.augment().index) == list(labelled.index)
    assert isinstance(fitted.tidy(), pd.DataFrame)
    assert isinstance(fitted.predict(polars_frame()), pl.DataFrame)
    for make, kind in ((polars_frame, pl.DataFrame), (pyarrow_table, pa.Table), (plain, dict)):
        fitted = nf.fit("y ~ x", make())
        assert isinstance(fitted.tidy(), kind) and isinstance(fitted.augment(), kind)
        assert isinstance(fitted.coef, dict)
    assert isinstance(nf.fit("y ~ x", plain(), frame="polars").tidy(), pl.DataFrame)


def test_missing_values_stay_in_their_rows() -> None:
    pd = pytest.importorskip("pandas")
    frame = pandas_frame()
    frame.loc[3, "x"] = np.nan
    frame["z"] = frame["z"].astype("Int64")
    frame.loc[5, "z"] = pd.NA
    frame["city"] = frame["city"].astype(object)
    frame.loc[7, "city"] = None
    fitted = nf.fit("y ~ x + z + city", frame)
    assert fitted.nobs == N - 3
    rows = fitted.augment()
    assert len(rows) == N and list(np.flatnonzero(rows["fitted"].isna())) == [3, 5, 7]
    assert list(np.flatnonzero(fitted.predict(frame)["prediction"].isna())) == [3, 5, 7]


def test_decimals_times_and_names_that_are_no_identifiers() -> None:
    pa = pytest.importorskip("pyarrow")
    prices = [decimal.Decimal(f"{i}.{i:02d}") for i in range(1, 21)]
    times = [datetime.datetime(2024, 1, 1, i * i % 24, tzinfo=datetime.timezone.utc) for i in range(20)]
    y = [float(i % 7) for i in range(20)]
    table = pa.table({"my y": y, "price (EUR)": prices, "at": times})
    arrow = nf.fit("`my y` ~ `price (EUR)` + at", table)
    objects = nf.fit("`my y` ~ `price (EUR)` + at", {"my y": y, "price (EUR)": prices, "at": times})
    assert arrow.terms == ["(Intercept)", "price (EUR)", "at"] or "price (EUR)" in arrow.terms[1]
    assert dict(objects.coef) == pytest.approx(dict(arrow.coef), rel=1e-9)


def test_matrices_and_records() -> None:
    matrix = np.column_stack([Y, X])
    structured = np.array(list(zip(Y, X)), dtype=[("y", float), ("x", float)])
    assert nf.fit("V1 ~ V2", matrix).coef["V2"] == nf.fit("y ~ x", structured).coef["x"] == nf.fit("y ~ x", plain()).coef["x"]


def test_arrays_are_not_copied() -> None:
    """A fit of columns of 80 MB takes little memory beyond the blocks that passes work on."""
    resource = pytest.importorskip("resource")
    n = 2_000_000
    x = np.arange(n, dtype=float) % 1013
    data = {f"x{j}": np.roll(x, j) for j in range(5)} | {"y": x + 1.0}
    nf.fit("y ~ x1", {"y": x[:1000] * 1.5 + 1, "x1": x[:1000]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    nf.fit("y ~ x1 + x2 + x3 + x4", data, memory="0")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 60, f"{grown:.0f} MB more for {6 * n * 8 / 1e6:.0f} MB of columns"
