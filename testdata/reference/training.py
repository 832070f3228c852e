"""Loss traces of PyTorch for a small network: `python training.py > training.json` (torch 2, CPU).

The data, the first parameters and the order of the rows are formulas, so that another program can start from the same.
"""

import json
import math
import sys

import torch

ROWS, INPUTS, BATCH, STEPS = 48, 3, 16, 200
HIDDEN = [8, 5]
KEPT = [0, 1, 2, 5, 10, 20, 50, 100, 150, 199]


def single(value):
    return torch.tensor(value, dtype=torch.float32)


X = single([[((i * 7919 + j * 104729) % 1000) / 500.0 - 1.0 for j in range(INPUTS)] for i in range(ROWS)])
Y = single(
    [
        (lambda a, b, c: a - 0.5 * b * c + ((i * 31) % 17) / 17.0 - 0.5)(
            *[((i * 7919 + j * 104729) % 1000) / 500.0 - 1.0 for j in range(INPUTS)]
        )
        for i in range(ROWS)
    ]
)


def network(activation, outputs):
    widths = [INPUTS, *HIDDEN, outputs]
    layers = []
    place = 0
    for k, (inputs, out) in enumerate(zip(widths, widths[1:])):
        layer = torch.nn.Linear(inputs, out)
        with torch.no_grad():
            # Weights by input, then bias: number k of all is ((12345 k + 6789) mod 2000 / 1000 - 1) / 2.
            values = [((12345 * (place + n) + 6789) % 2000 / 1000.0 - 1.0) / 2.0 for n in range(inputs * out + out)]
            place += inputs * out + out
            layer.weight.copy_(single(values[: inputs * out]).reshape(inputs, out).T)
            layer.bias.copy_(single(values[inputs * out :]))
        layers.append(layer)
        if k < len(HIDDEN):
            layers.append(activation())
    return torch.nn.Sequential(*layers)


def pinball(tau):
    def loss(out, y):
        e = y - out[:, 0]
        return torch.where(e < 0, (tau - 1) * e, tau * e).mean()

    return loss


def likelihood(distribution):
    return lambda out, y: -distribution(out[:, 0], out[:, 1].exp()).log_prob(y).mean()


LOSSES = {
    "mse": (1, lambda out, y: torch.nn.functional.mse_loss(out[:, 0], y)),
    "mae": (1, lambda out, y: torch.nn.functional.l1_loss(out[:, 0], y)),
    "huber": (1, lambda out, y: torch.nn.functional.huber_loss(out[:, 0], y, delta=0.5)),
    "pinball": (1, pinball(0.9)),
    "gaussian_nll": (
        2,
        lambda out, y: torch.nn.functional.gaussian_nll_loss(out[:, 0], y, (2 * out[:, 1]).exp(), full=True, eps=1e-12),
    ),
    "laplace_nll": (2, likelihood(torch.distributions.Laplace)),
    "student_t_nll": (2, likelihood(lambda mu, s: torch.distributions.StudentT(4.0, mu, s))),
}


def steps_up(out):
    """Quantiles of a first output and steps to the next."""
    return torch.cumsum(torch.cat([out[:, :1], torch.nn.functional.softplus(out[:, 1:])], 1), 1)


def pinballs(levels):
    def loss(out, y):
        e = y[:, None] - steps_up(out)
        tau = single(levels)
        return torch.where(e < 0, (tau - 1) * e, tau * e).mean()

    return loss


def logistic(out, y):
    r = (y - out[:, 0]) / out[:, 1].exp()
    return (r + 2 * torch.nn.functional.softplus(-r) + out[:, 1]).mean()


def huber_nll(k):
    holds = math.sqrt(2 * math.pi) * math.erf(k / math.sqrt(2)) + 2 / k * math.exp(-k * k / 2)

    def loss(out, y):
        r = (y - out[:, 0]) / out[:, 1].exp()
        rho = torch.nn.functional.huber_loss(r, torch.zeros_like(r), delta=k, reduction="none")
        return (rho + out[:, 1] + math.log(holds)).mean()

    return loss


# More that a live comparison looks at; those of `SHAPED` end with parameters of the noise, and where those start.
MORE = {
    "logistic_nll": (2, logistic),
    "huber_nll": (2, huber_nll(1.345)),
    "quantiles": (3, pinballs([0.1, 0.5, 0.9])),
}
# One scale for all rows: its logarithm; and of Student's t the logit of half the inverse degrees of freedom, 4.
SHAPED = {
    "gaussian_nll_common": (
        [0.0],
        lambda out, y, noise: -torch.distributions.Normal(out[:, 0], noise[0].exp()).log_prob(y).mean(),
    ),
    "student_t_nll_df": (
        [0.0, math.log(0.125 / 0.875)],
        lambda out, y, noise: -torch.distributions.StudentT(0.5 / torch.sigmoid(noise[1]), out[:, 0], noise[0].exp())
        .log_prob(y)
        .mean(),
    ),
}
ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05),
}


def trace(optimizer, loss, activation):
    """The losses of all steps."""
    if loss in SHAPED:
        start, shaped = SHAPED[loss]
        noise = torch.nn.Parameter(single(start))
        outputs, function, parameters = 1, lambda out, y: shaped(out, y, noise), [noise]
    else:
        outputs, function = (LOSSES | MORE)[loss]
        parameters = []
    model = network(ACTIVATIONS[activation], outputs)
    # What the noise is is not shrunk.
    groups = [{"params": list(model.parameters())}]
    if parameters:
        groups.append({"params": parameters, "weight_decay": 0.0})
    steps = OPTIMIZERS[optimizer](groups)
    losses = []
    for step in range(STEPS):
        rows = [(step * BATCH + k) % ROWS for k in range(BATCH)]
        steps.zero_grad()
        value = function(model(X[rows]), Y[rows])
        value.backward()
        steps.step()
        losses.append(float(value.detach()))
    return losses


def main():
    torch.set_num_threads(1)
    cases = []
    for optimizer in OPTIMIZERS:
        for k, loss in enumerate(LOSSES):
            # With two slopes and relu gradients cancel to rounding, whose sign Adam follows.
            for activation in [["tanh", "gelu", "silu"][k % 3]] + ([] if loss in ("mae", "pinball") else ["relu"]):
                losses = trace(optimizer, loss, activation)
                cases.append(
                    {
                        "optimizer": optimizer,
                        "loss": loss,
                        "activation": activation,
                        "losses": [losses[step] for step in KEPT],
                    }
                )
    json.dump({"torch": torch.__version__, "steps": KEPT, "cases": cases}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
