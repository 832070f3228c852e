"""Losses of arrays, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import noisefit as nf

RNG = np.random.default_rng(5)
TRUTH, MU = RNG.normal(size=500) * 3, RNG.normal(size=500)
R = TRUTH - MU
W = RNG.random(500) + 0.1
S = RNG.random(500) + 0.5

CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("mse", {}, R**2),
    ("half_squared_error", {}, R**2 / 2),
    ("mae", {}, abs(R)),
    ("huber", {"delta": 1.5}, np.where(abs(R) <= 1.5, R**2 / 2, 1.5 * (abs(R) - 0.75))),
    ("smooth_l1", {"beta": 1.5}, np.where(abs(R) <= 1.5, R**2 / 3, abs(R) - 0.75)),
    ("pinball", {"tau": 0.8}, np.where(R > 0, 0.8 * R, -0.2 * R)),
    ("log_cosh", {}, np.log(np.cosh(R))),
    ("gaussian_nll", {"variance": 2.0}, R**2 / 4 + np.log(2) / 2 + np.log(2 * np.pi) / 2),
    ("gaussian_nll", {"variance": S, "full": False}, R**2 / (2 * S) + np.log(S) / 2),
    ("laplace_nll", {"scale": S}, abs(R) / S + np.log(2 * S)),
]


@pytest.mark.parametrize(("name", "settings", "wanted"), CASES)
def test_a_loss_is_its_formula(name: str, settings: dict[str, Any], wanted: Any) -> None:
    loss = getattr(nf.losses, name)
    assert loss(MU, TRUTH, reduction="none", **settings) == pytest.approx(wanted, rel=1e-12, abs=1e-14)
    assert loss(MU, TRUTH, **settings) == pytest.approx(wanted.mean(), rel=1e-12)
    assert loss(MU, TRUTH, reduction="sum", **settings) == pytest.approx(wanted.sum(), rel=1e-12)
    assert loss(MU, TRUTH, weights=W, **settings) == pytest.approx((W * wanted).sum() / W.sum(), rel=1e-12)


@pytest.mark.parametrize(("name", "settings"), [(name, settings) for name, settings, _ in CASES])
def test_a_gradient_is_the_slope(name: str, settings: dict[str, Any]) -> None:
    loss = getattr(nf.losses, name)
    value, gradient = loss(MU, TRUTH, gradient=True, reduction="sum", **settings)
    assert value == loss(MU, TRUTH, reduction="sum", **settings)
    h = 1e-6
    up, down = (loss(MU + sign * h, TRUTH, reduction="none", **settings) for sign in (1, -1))
    assert gradient == pytest.approx((up - down) / (2 * h), abs=1e-6)


def test_single_precision_shapes_and_what_they_come_as() -> None:
    value, gradient = nf.losses.mse(MU.astype("f4").reshape(50, 10), TRUTH.astype("f4").reshape(50, 10), gradient=True)
    assert gradient.dtype == np.float32 and gradient.shape == (50, 10)
    assert value == pytest.approx((R**2).mean(), rel=1e-6)
    assert nf.losses.mse([1, 2], [3, 4]) == 4.0 and nf.losses.mse(1.0, 3.0) == 4.0
    assert nf.losses.mse(memoryview(MU.copy()), TRUTH) == nf.losses.mse(MU, TRUTH)
    assert nf.losses.mse(MU[::-1], TRUTH[::-1]) == pytest.approx(nf.losses.mse(MU, TRUTH))
    root, slopes = nf.losses.rmse(MU, TRUTH, gradient=True)
    assert root == pytest.approx(np.sqrt((R**2).mean())) and slopes == pytest.approx(-R / 500 / root)

    class Device:
        """What another library hands over."""

        def __init__(self, array: Any) -> None:
            self.array = array

        def __dlpack__(self, **words: Any) -> Any:
            return self.array.__dlpack__(**words)

        def __dlpack_device__(self) -> Any:
            return self.array.__dlpack_device__()

    assert nf.losses.mae(Device(MU.copy()), Device(TRUTH.copy())) == nf.losses.mae(MU, TRUTH)


def test_wrong_arguments() -> None:
    with pytest.raises(nf.DataError, match=r"prediction has the shape \(2,\), and truth has \(3,\)"):
        nf.losses.mse([1, 2], [1, 2, 3])
    with pytest.raises(nf.DataError, match="prediction: its type <U1 is no number"):
        nf.losses.mse(["a"], [1.0])
    with pytest.raises(nf.UsageError, match='reduction="median": there are mean, sum and none'):
        nf.losses.mse([1.0], [1.0], reduction="median")
    with pytest.raises(nf.NoisefitError, match="delta is -1"):
        nf.losses.huber([1.0], [1.0], delta=-1.0)
    with pytest.raises(nf.NoisefitError):
        nf.losses.mse([], [])
