"""The untrained model of a run, tested on a sequence before anything expensive starts."""

import inspect
from functools import partial

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.positions import ERRORS, SETTING, guard, is_limit, read, require
from xlm_spec.runtime.config.run import Run


def new_model(run: Run):
    """An untrained model, with the teacher of the run outside of its parameters."""
    model = run.package.Model(run.config)
    if run.teacher is not None:
        object.__setattr__(model, "teacher", run.teacher)
    return model


def build_model(run: Run, length: int):
    """The model, tested on a sequence of `length` positions. Raises Failed (X604, X616)."""
    settings = {k: v for k, v in run.settings.items() if k.startswith("backbone.")}
    positions = settings.get(SETTING)
    try:
        model = new_model(run)
        if isinstance(positions, int) and is_limit(model, positions, partial(probe, run)):
            require("a sequence has", positions, length)
            guard(model, positions)
        probe(run, model, length)
        return model
    except ERRORS as e:
        listed = ", ".join(f"{k}={v}" for k, v in settings.items())
        message = f"cannot build a model from these settings: {e}"
        raise Failed(Diagnostic("X604", message, listed)) from e


def probe(run: Run, model, length: int) -> None:
    """Calls the model on a sequence of `length` positions.

    A model that requires more than tokens gets the rest from the objective, as in training.
    """
    arguments = inspect.signature(model.forward).parameters.values()
    if sum(p.default is p.empty for p in arguments) <= 2:
        read(model, length)
        return
    tokens = torch.zeros(1, length, dtype=torch.long)
    fixed = (torch.arange(length) == 0)[None]
    x = run.package.Examples(tokens, tokens == 0, fixed)
    with torch.no_grad():
        run.package.objective(model, x, run.config, torch.Generator())
