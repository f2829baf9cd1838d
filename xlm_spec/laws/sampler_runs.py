"""A sampler of the package: its parameters, and its runs."""

from __future__ import annotations

from ast import literal_eval
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch

from .config_values import with_parameters

if TYPE_CHECKING:
    from .method import Method


def config_path(m: Method, sampler: str) -> str:
    """The dotted name of its parameters in the config."""
    return f"sampler.{sampler}" if len(m.samplers) > 1 else "sampler"


def parameters_of(m: Method, sampler: str, config=None):
    """The parameters of a sampler, with its rules."""
    return reduce(getattr, config_path(m, sampler).split("."), config or m.config)


def exact_at(m: Method, sampler: str) -> dict[str, Any] | None:
    """The parameters with which a sampler is exact; None if it never is."""
    exact = m.plan.get("exact_at", {}).get(sampler)
    return None if exact is None else {k: literal_eval(v) for k, v in exact.items()}


def run_sampler(
    m: Method, sampler: str, model, start, parameters: dict[str, Any], seed: int = 0
) -> list:
    """All states of a run of a sampler."""
    config = with_parameters(m.config, parameters)
    rng = torch.Generator().manual_seed(seed)
    return [*m.module.SAMPLERS[sampler](model, config, start, rng)]
