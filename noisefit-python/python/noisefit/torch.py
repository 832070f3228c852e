"""Losses of PyTorch whose noise is named: complete likelihoods with a learned scale.

>>> import torch
>>> from noisefit.torch import NoiseLoss
>>> loss = NoiseLoss("student-t", scale="learned", df="learned")
>>> value = loss(torch.zeros(4), torch.tensor([0.1, -0.2, 0.3, 9.0]))
>>> value.backward()
>>> sorted(name for name, _ in loss.named_parameters())
['log_df', 'log_scale']
"""

from __future__ import annotations

import math
from typing import Any, cast


from noisefit import _noisefit
from noisefit._errors import UsageError

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover
    raise ImportError("noisefit.torch needs PyTorch: pip install torch") from error

__all__ = ["NoiseLoss"]

_REDUCTIONS = ("mean", "sum", "none")


class NoiseLoss(nn.Module):  # type: ignore[misc]
    """The negative log-likelihood of residuals under a named noise, every constant in it.

    `loss(prediction, target)` takes the place of `nn.MSELoss`, `nn.L1Loss`, `nn.HuberLoss` or `nn.GaussianNLLLoss` in a training
    loop. On the processor the compiled kernels of noisefit compute it, on other devices PyTorch's own operations.

    Parameters
    ----------
    noise
        `gaussian`, `laplace`, `quantile:0.9`, `huber`, `huber:DELTA`, `student-t`, `student-t:4`, `logistic`, `cauchy`.
    scale
        A number; `learned`, for a parameter `log_scale` that an optimiser is given with those of the network; or `head`, where
        `loss(prediction, target, log_scale)` is given the logarithm of every row's scale, another output of the network.
    df
        Of `student-t` without degrees of freedom: a number, or `learned`, for a parameter `log_df`.
    huber_k
        Where the tails of `huber` begin, in scales; those of `huber:DELTA` begin at DELTA, in units of the target.
    reduction
        `mean`, `sum` or `none`.
    """

    def __init__(
        self,
        noise: str = "gaussian",
        scale: float | str = "learned",
        *,
        df: float | str | None = None,
        huber_k: float = 1.345,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if reduction not in _REDUCTIONS:
            raise UsageError(f'reduction="{reduction}": there are {", ".join(_REDUCTIONS)}')
        family, _, number = noise.partition(":")
        if family not in _DENSITIES:
            raise UsageError(f'noise="{noise}": there are {", ".join(_DENSITIES)}')
        self.family, self.reduction, self.scale_kind = family, reduction, scale
        self.number = _number(noise, family, number)
        self.huber_k = _positive("huber_k", huber_k)
        self.log_df: nn.Parameter | None = None
        if family == "student-t":
            if number and df is not None:
                raise UsageError(f'df goes with noise="student-t" alone, not with noise="{noise}"')
            df = float(number) if number else ("learned" if df is None else df)
            if df == "learned":
                self.log_df = nn.Parameter(torch.tensor(math.log(4.0)))
            else:
                self.number = _positive("df", df)
        elif df is not None:
            raise UsageError(f'df goes with noise="student-t" alone, not with noise="{noise}"')
        self.log_scale: nn.Parameter | None = None
        if scale == "learned":
            self.log_scale = nn.Parameter(torch.tensor(0.0))
        elif scale != "head":
            self.scale_kind = _positive("scale", scale)

    @property
    def scale(self) -> float:
        """The scale, given or as far as it is learned; NaN where every row has its own."""
        if self.log_scale is not None:
            return float(self.log_scale.detach().exp())
        return float("nan") if self.scale_kind == "head" else float(self.scale_kind)

    @property
    def df(self) -> float:
        """The degrees of freedom of `student-t`, given or as far as they are learned."""
        return float(self.log_df.detach().exp()) if self.log_df is not None else float(self.number)

    def extra_repr(self) -> str:
        """Say what it was made with."""
        return f"noise={self.family!r}, scale={self.scale_kind!r}, reduction={self.reduction!r}"

    def forward(self, prediction: Tensor, target: Tensor, log_scale: Tensor | None = None) -> Tensor:
        """Give the negative log-likelihood of the targets.

        Parameters
        ----------
        prediction, target
            Of one shape.
        log_scale
            With `scale="head"` the logarithm of the scale of every target, of the same shape or one that broadcasts to it.
        """
        if prediction.shape != target.shape:
            raise UsageError(f"prediction has the shape {tuple(prediction.shape)}, and target has {tuple(target.shape)}")
        if (log_scale is not None) != (self.scale_kind == "head"):
            raise UsageError('log_scale goes with scale="head", and is needed there')
        if log_scale is None:
            if self.log_scale is not None:
                log_scale = self.log_scale.to(prediction.dtype)
            else:
                log_scale = prediction.new_tensor(math.log(float(self.scale_kind)))
        by_ours = self.log_df is None and not (self.family == "huber" and self.number == self.number)
        if by_ours and _is_ours(prediction, target, log_scale):
            losses = _Kernel.apply(prediction, target, log_scale.expand_as(prediction), self._written(), self.huber_k)
        else:
            number: Any = self.log_df.exp() if self.log_df is not None else self.number
            if self.family == "huber":
                number = self.number * torch.exp(-log_scale) if self.number == self.number else self.huber_k
            residual = (target - prediction) * torch.exp(-log_scale)
            losses = _DENSITIES[self.family](residual, number) + log_scale
        losses = cast(Tensor, losses)
        if self.reduction == "none":
            return losses
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def _written(self) -> str:
        """The noise as the compiled module takes it."""
        return f"{self.family}:{self.number!r}" if self.family in ("student-t", "quantile") else self.family


def _is_ours(*tensors: Tensor) -> bool:
    dtype = tensors[0].dtype
    return all(t.device.type == "cpu" and t.dtype == dtype for t in tensors) and dtype in (torch.float32, torch.float64)


class _Kernel(torch.autograd.Function):  # type: ignore[misc]
    """The compiled kernels: losses of the rows and their derivatives in one sweep."""

    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor, log_scale: Tensor, noise: str, k: float) -> Tensor:
        arrays = [t.detach().contiguous().numpy().ravel() for t in (prediction, target, log_scale)]
        losses, by_prediction, by_log_scale = _noisefit.likelihood_of(noise, k, *arrays)
        shape = prediction.shape
        ctx.save_for_backward(*(torch.from_numpy(array).reshape(shape) for array in (by_prediction, by_log_scale)))
        return torch.from_numpy(losses).reshape(shape)

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> Any:
        by_prediction, by_log_scale = ctx.saved_tensors
        slope = gradient * by_prediction
        return slope, -slope, gradient * by_log_scale, None, None


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (0.0 < number < math.inf):
        raise UsageError(f"{name}={value!r}: a positive number is needed")
    return number


def _number(noise: str, family: str, number: str) -> float:
    """The number behind a family's name."""
    if family == "quantile":
        tau = _positive("noise", number or None) if number else float("nan")
        if not 0.0 < tau < 1.0:
            raise UsageError(f'noise="{noise}": a quantile is written quantile:0.9, its level between 0 and 1')
        return tau
    if family == "huber":
        return _positive("noise", number) if number else float("nan")
    if family == "student-t":
        return _positive("noise", number) if number else float("nan")
    if number:
        raise UsageError(f'noise="{noise}": {family} has no number')
    return float("nan")


# The negative log densities of standardised residuals, by PyTorch's own operations.


def _gaussian(r: Tensor, _: Any) -> Tensor:
    return 0.5 * r * r + 0.5 * math.log(2.0 * math.pi)


def _laplace(r: Tensor, _: Any) -> Tensor:
    return r.abs() + math.log(2.0)


def _quantile(r: Tensor, tau: Any) -> Tensor:
    return torch.where(r > 0, tau * r, (tau - 1.0) * r) - math.log(tau * (1.0 - tau))


def _huber(r: Tensor, k: Any) -> Tensor:
    k = torch.as_tensor(k, dtype=r.dtype, device=r.device)
    inside = math.sqrt(2.0 * math.pi) * torch.erf(k / math.sqrt(2.0))
    size = r.abs()
    loss = torch.where(size <= k, 0.5 * r * r, k * (size - 0.5 * k))
    return loss + torch.log(inside + 2.0 / k * torch.exp(-0.5 * k * k))


def _student_t(r: Tensor, df: Any) -> Tensor:
    df = torch.as_tensor(df, dtype=r.dtype, device=r.device)
    constant = torch.lgamma(0.5 * df) - torch.lgamma(0.5 * (df + 1.0)) + 0.5 * torch.log(math.pi * df)
    return 0.5 * (df + 1.0) * torch.log1p(r * r / df) + constant


def _logistic(r: Tensor, _: Any) -> Tensor:
    size = r.abs()
    return size + 2.0 * torch.log1p(torch.exp(-size))


def _cauchy(r: Tensor, _: Any) -> Tensor:
    return torch.log1p(r * r) + math.log(math.pi)


_DENSITIES = {
    "gaussian": _gaussian,
    "laplace": _laplace,
    "quantile": _quantile,
    "huber": _huber,
    "student-t": _student_t,
    "logistic": _logistic,
    "cauchy": _cauchy,
}
