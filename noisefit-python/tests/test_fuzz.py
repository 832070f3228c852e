"""Whatever stands in a column: an exception of ours, or the answer that the same numbers give as plain doubles."""

from __future__ import annotations

import datetime
import decimal
import warnings
from typing import Any

import numpy as np
import pytest

import noisefit as nf


def odd(rng: np.random.Generator, n: int) -> Any:
    """A column of some kind, as somebody may have it."""
    numbers = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4)
    whole = rng.integers(-5, 300, size=n)
    kinds: list[Any] = [
        lambda: numbers, lambda: numbers.astype(rng.choice(["f2", "f4", ">f4", ">f8", "g"])),
        lambda: whole.astype(rng.choice(["i2", "i4", "i8", ">i4", ">u8", "u4"])),
        lambda: np.repeat(numbers, 3)[::3], lambda: numbers[::-1], lambda: numbers > 0, lambda: numbers.tolist(),
        lambda: [None if rng.random() < 0.1 else value for value in numbers.tolist()],
        lambda: np.where(rng.random(n) < 0.1, np.nan, numbers), lambda: np.where(rng.random(n) < 0.05, np.inf, numbers),
        lambda: rng.choice(["a", "b", "c"], size=n), lambda: rng.choice(["a", "b", None], size=n).tolist(),
        lambda: [decimal.Decimal(int(value)) / 100 for value in whole], lambda: whole.astype(object),
        lambda: [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(value)) for value in whole],
        lambda: np.datetime64("2024-01-01T00", rng.choice(["h", "m", "s", "ms", "us", "ns"])) + whole,
        lambda: np.full(n, 1.5), lambda: np.full(n, np.nan), lambda: [object()] * n, lambda: [1, "a", None] * n,
        lambda: numbers + 1j, lambda: numbers[: n // 2], lambda: numbers.reshape(1, -1), lambda: [10**30] * n, lambda: [[]] * n,
        lambda: np.ma.MaskedArray(numbers, mask=rng.random(n) < 0.2), lambda: b"abc", lambda: None, lambda: 3.0,
        lambda: np.array([], dtype=float), lambda: range(n), lambda: [float("nan")] * n, lambda: np.zeros(n, dtype="S3"),
        lambda: np.full(n, 1e308), lambda: whole * 2**55, lambda: np.array(["1", "2"] * n)[:n], lambda: [True, None] * (n // 2),
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]()


@pytest.mark.parametrize("seed", range(150))
def test_an_exception_of_ours_or_an_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([0, 1, 2, 4, 30, 31]))
    data = {"y": rng.normal(size=n) if rng.random() < 0.8 else odd(rng, n), "x": odd(rng, n), "a b": odd(rng, n)}
    formula = rng.choice(["y ~ x", "y ~ .", "y ~ `a b` + x", "log(y) ~ x", "y ~ x:`a b`", "y ~ poly(x, 2)"])
    noise = rng.choice(["gaussian", "laplace", "student-t:4", "quantile:0.3", "huber"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nf.NoisefitWarning)
        try:
            fitted = nf.fit(str(formula), data, noise=str(noise))
            fitted.predict(data)
        except nf.NoisefitError as error:
            assert not isinstance(error, nf.InternalError), error
            assert str(error) and "--" not in str(error).replace("---", "")


def plain(values: Any) -> Any:
    """The same numbers, as doubles."""
    if isinstance(values, np.ma.MaskedArray):
        return values.astype(float).filled(np.nan)
    if isinstance(values, np.ndarray) and values.dtype.kind == "c":
        raise TypeError("complex numbers are no doubles")
    return np.array([np.nan if value is None else float(value) for value in values])


@pytest.mark.parametrize("seed", range(150))
def test_numbers_of_any_kind_are_the_same_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed + 1000)
    n = 30
    x, y = odd(rng, n), rng.normal(size=n)
    try:
        doubles = plain(x)
    except (TypeError, ValueError, OverflowError):
        return
    # Of text, truth values and times NumPy make numbers; here they are categories or times.
    if isinstance(x, np.ndarray) and x.dtype.kind in "bMUS" or np.ndim(doubles) != 1:
        return
    if any(isinstance(value, (bool, str)) for value in list(x)[:1]):
        return

    def answer(values: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nf.NoisefitWarning)
            try:
                return list(nf.fit("y ~ x", {"y": y, "x": values}).coef.values())
            except nf.NoisefitError as error:
                return type(error)

    wanted = answer(doubles)
    assert answer(x) == (wanted if isinstance(wanted, type) else pytest.approx(wanted, rel=1e-9, nan_ok=True))
