"""The small model of a package, trained on a toy distribution with the package's own objective.

This needs no knowledge of the method: neither its noise nor its exact model.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from .method import Method

STEPS = (300, 800)  # the second number if the bound is loose or imprecise after the first
BATCH, RATE = 128, 3e-3
ROWS = 2000
DRAWS, MOST = 20, 80  # an estimate: 20 times ROWS samples, up to 80 times if they vary much
PRECISE, IMPRECISE = 0.03, 0.1  # a standard error, in nats, that needs no more samples; too large
ERRORS = 5.0  # standard errors: a false-alarm rate of 3e-7
LOOSE = 0.5  # nats above the entropy; a correct method can need more than 300 steps


@dataclass(frozen=True)
class Trained:
    """A trained model in eval mode, its config, and samples of the objective, in nats.

    `before`: of the untrained model, `after`: of the trained one, on the same sequences.
    `minus_bound`: samples for the trained model; none if the package has no bound.
    """

    model: Any
    config: Any
    steps: int
    before: Tensor
    after: Tensor
    minus_bound: Tensor


def trained_model(m: Method) -> Trained:
    """The small model of the package, trained on the toy distribution once."""
    return m.once(("trained model",), lambda: train(m))


def train(m: Method) -> Trained:
    """Trains in few steps, and again in more steps if the bound is loose or imprecise."""
    done = trained(m, STEPS[0])
    if len(done.minus_bound):
        mean, error = mean_and_error(done.minus_bound)
        loose = mean - m.toy_distribution().entropy > LOOSE + ERRORS * error
        if loose or error > IMPRECISE:
            return trained(m, STEPS[1])
    return done


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """The mean, and its standard error."""
    return float(values.mean()), float(values.std()) / len(values) ** 0.5


def trained(m: Method, steps: int) -> Trained:
    """Adam with a cosine schedule, from a fixed seed."""
    config = m.at_bound(replace(m.module.Config.small(), vocab=m.vocab))
    torch.manual_seed(0)
    model = m.module.Model(config)
    before = samples(m, objective(m), model, config, 1)
    rng = torch.Generator().manual_seed(0)
    optimizer = Adam(model.parameters(), lr=RATE)
    schedule = CosineAnnealingLR(optimizer, steps)
    model.train()
    for step in range(steps):
        loss = objective(m)(model, batch(m, BATCH, rng, step), config, rng).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    after = samples(m, objective(m), model, config, 1)
    bounded = hasattr(m.module, "log_likelihood_bound")
    bound = estimate(m, model, config) if bounded else torch.tensor([])
    return Trained(model, config, steps, before, after, bound)


def estimate(m: Method, model, config) -> Tensor:
    """Samples of minus the bound: as many as a precise mean needs."""
    values: list[Tensor] = []
    while len(values) < MOST:
        seeds = range(3 + len(values), 3 + len(values) + DRAWS)
        bound = m.module.log_likelihood_bound
        values += [-samples(m, bound, model, config, seed) for seed in seeds]
        if mean_and_error(torch.cat(values))[1] <= PRECISE:
            break
    return torch.cat(values)


def objective(m: Method):
    """The sum of the terms of each row."""
    return lambda *args: torch.stack([*m.module.objective(*args).values()]).sum(0)


def batch(m: Method, rows: int, rng: torch.Generator, step: int | None = None):
    """Sequences of the toy distribution; in training with the number of the step."""
    w = m.toy_distribution()
    tokens, valid = w.batch()
    which = torch.multinomial(w.p, rows, True, generator=rng)
    x = m.examples(tokens[which], valid[which])
    return x._replace(step=step) if "step" in x._fields else x


def samples(m: Method, function, model, config, seed: int) -> Tensor:
    """Values of a function of the package for sampled sequences, in float64."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        return function(model, batch(m, ROWS, rng), config, rng).double()
