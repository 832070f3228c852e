"""Losses of PyTorch: the numbers of its own losses and of our likelihoods, exact gradients, a scale that is learned."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")

import noisefit as nf  # noqa: E402
from noisefit.torch import NoiseLoss  # noqa: E402

GENERATOR = torch.Generator().manual_seed(5)
MU = torch.randn(60, generator=GENERATOR, dtype=torch.float64)
Y = 2.0 * torch.randn(60, generator=GENERATOR, dtype=torch.float64)
NOISES = ["gaussian", "laplace", "quantile:0.8", "huber", "huber:1.5", "student-t:4", "student-t:0.7", "logistic", "cauchy"]


@pytest.mark.parametrize("noise", NOISES)
def test_gradients_are_exact(noise: str) -> None:
    loss = NoiseLoss(noise, scale="head", reduction="sum").double()
    mu, log_scale = MU.clone().requires_grad_(), torch.linspace(-1, 1, 60, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: loss(a, Y, b), (mu, log_scale), eps=1e-6, atol=1e-6)


def test_a_learned_df_has_an_exact_gradient() -> None:
    loss = NoiseLoss("student-t", scale=1.5, df="learned").double()
    assert loss.log_df is not None

    def of(log_df: Any) -> Any:
        return torch.func.functional_call(loss, {"log_df": log_df}, (MU, Y))

    assert torch.autograd.gradcheck(of, (torch.tensor(0.7, dtype=torch.float64, requires_grad=True),))


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_our_kernels_and_torchs_operations_agree(noise: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mu, y = MU.to(dtype), Y.to(dtype)
    found = []
    for ours in (True, False):
        if not ours:
            monkeypatch.setattr("noisefit.torch._is_ours", lambda *_: False)
        loss = NoiseLoss(noise, scale="learned").to(dtype)
        own = mu.clone().requires_grad_()
        value = loss(own, y)
        value.backward()
        found.append((value.item(), own.grad, loss.log_scale.grad.item()))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert found[0][0] == pytest.approx(found[1][0], rel=tolerance)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=tolerance, atol=tolerance)
    assert found[0][2] == pytest.approx(found[1][2], rel=10 * tolerance, abs=tolerance)


def test_it_takes_the_place_of_torchs_losses() -> None:
    """Each differs from PyTorch's by a factor and a constant that do not depend on the prediction."""
    half_log = 0.5 * math.log(2 * math.pi)
    assert NoiseLoss("gaussian", 1.0)(MU, Y) == pytest.approx(torch.nn.MSELoss()(MU, Y) / 2 + half_log)
    assert NoiseLoss("laplace", 1.0)(MU, Y) == pytest.approx(torch.nn.L1Loss()(MU, Y) + math.log(2))
    constant = NoiseLoss("huber:1.5", 1.0)(MU[:1], MU[:1])
    assert NoiseLoss("huber:1.5", 1.0)(MU, Y) == pytest.approx(torch.nn.HuberLoss(delta=1.5)(MU, Y) + constant)
    variance = torch.linspace(0.5, 2.0, 60, dtype=torch.float64)
    theirs = torch.nn.GaussianNLLLoss(full=True)(MU, Y, variance)
    assert NoiseLoss("gaussian", "head")(MU, Y, 0.5 * variance.log()) == pytest.approx(theirs)
    assert NoiseLoss("gaussian", 1.0, reduction="none")(MU, Y).shape == (60,)
    assert NoiseLoss("gaussian", 1.0, reduction="sum")(MU, Y) == pytest.approx(60 * NoiseLoss("gaussian", 1.0)(MU, Y))


def test_a_training_loop_learns_the_scale_of_the_exact_fit() -> None:
    x = torch.linspace(-1, 1, 400, dtype=torch.float64).unsqueeze(1)
    y = 1 + 2 * x[:, 0] + 0.5 * torch.distributions.StudentT(4.0).sample((400,)).to(torch.float64)
    network, loss = torch.nn.Linear(1, 1).double(), NoiseLoss("student-t", scale="learned", df="learned").double()
    optimiser = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=0.05)
    for _ in range(1500):
        optimiser.zero_grad()
        value = loss(network(x)[:, 0], y)
        value.backward()
        optimiser.step()
    exact = nf.fit("y ~ x", {"x": x[:, 0].numpy(), "y": y.numpy()}, noise="student-t")
    assert -400 * value.item() == pytest.approx(exact.log_likelihood, abs=1e-3)
    assert loss.scale == pytest.approx(exact.scale, rel=1e-2)
    assert network.weight.item() == pytest.approx(exact.coef["x"], abs=1e-2)


def test_wrong_words() -> None:
    for words, sentence in [
        ({"noise": "normal"}, 'noise="normal": there are gaussian'),
        ({"scale": -1.0}, "scale=-1.0: a positive number"),
        ({"reduction": "median"}, "reduction="),
        ({"noise": "quantile"}, "a quantile is written quantile:0.9"),
        ({"df": 3.0}, "df goes with"),
    ]:
        with pytest.raises(nf.UsageError, match=sentence):
            NoiseLoss(**words)  # type: ignore[arg-type]
    with pytest.raises(nf.UsageError, match="log_scale goes with"):
        NoiseLoss()(MU, Y, MU)
    with pytest.raises(nf.UsageError, match="prediction has the shape"):
        NoiseLoss()(MU, Y[:3])
