"""The optimiser of a run, `train.optimizer`, and its learning rate, `train.lr_schedule`."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.choices import kind_of
from xlm_spec.runtime.config.extensions import called, checked
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.training.lr_schedules import Progress

OPTIMIZER, SCHEDULE = "train.optimizer", "train.lr_schedule"


def optimizer_class(run: Run) -> tuple[Any, dict]:
    """The class, and its keyword arguments. Raises Failed: X602, X617."""
    train = run.train
    given = {
        "lr": train.lr,
        "weight_decay": train.weight_decay,  # of matrices
        "betas": (0.9, train.beta2),
        "fused": train.precision == "32-true",
    }
    found, arguments = checked(OPTIMIZER, train.optimizer, given, leading=1)
    if not (isinstance(found, type) and issubclass(found, Optimizer)):
        message = f"`{OPTIMIZER}`: `{kind_of(train.optimizer)}` is not an optimiser of torch"
        raise Failed(Diagnostic("X617", message, "derive it from torch.optim.Optimizer"))
    return found, arguments


def optimizer_of(run: Run, model: nn.Module) -> Optimizer:
    """The optimiser of a model. A class with `groups(model, weight_decay)` makes its own groups.

    Otherwise matrices have `weight_decay`, and norms and biases have none, if the class has any.
    """
    found, arguments = optimizer_class(run)
    decay = arguments.pop("weight_decay", None)
    if hasattr(found, "groups"):
        groups = called(OPTIMIZER, run.train.optimizer, found.groups, model, decay or 0.0)
    elif decay is None:
        groups = [{"params": [*model.parameters()]}]
    else:
        matrices = [p for p in model.parameters() if p.ndim > 1]
        others = [p for p in model.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ]
    return called(OPTIMIZER, run.train.optimizer, found, groups, **arguments)


def try_optimizer(run: Run) -> None:
    """Makes the optimiser for a tiny model, before anything starts, and a step without gradients.

    Raises Failed: X602, X617, also if `step` ignores its closure, which computes the loss. What
    else a step raises, the run will raise too: it may need the device or the gradients of the run.
    """
    with torch.random.fork_rng(devices=[]):
        model = run.package.Model(run.package.Config.small())
    optimizer = optimizer_of(run, model)
    calls: list[int] = []

    def closure() -> Any:
        calls.append(1)
        return torch.zeros(())

    with suppress(Exception):
        optimizer.step(closure)
        calls.append(0)  # the step has ended
    if calls == [0]:
        message = f"`{OPTIMIZER}`: `step` of `{kind_of(run.train.optimizer)}` ignores its closure"
        hint = "call it first, `loss = closure()`: it computes the gradients"
        raise Failed(Diagnostic("X617", message, hint))


def law_of(run: Run) -> Callable[[Progress], float]:
    """The share of the peak learning rate after the warm-up. Raises Failed: X602, X617."""
    law, options = checked(SCHEDULE, run.train.lr_schedule, {}, leading=1)
    law = partial(law, **options)
    for done in (0.0, 0.5, 1.0):
        step = int(done * run.train.steps)
        at = Progress(step, done, run.train.warmup, run.train.lr_end)
        share = called(SCHEDULE, run.train.lr_schedule, law, at)
        if not isinstance(share, int | float) or not torch.tensor(float(share)).isfinite():
            message = f"`{SCHEDULE}`: `{kind_of(run.train.lr_schedule)}` returns {share!r}"
            hint = "a function (Progress) -> float, as in xlm_spec/runtime/training/lr_schedules.py"
            raise Failed(Diagnostic("X617", message, hint))
    return law
