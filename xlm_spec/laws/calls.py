"""Calls of a package's functions, and batches of its types."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


def call(function: Callable, scope: dict, settings: Any) -> Any:
    """Calls a function of a component: wires by name, parameters from its settings."""
    wires, parameters = signature(function)
    options = {name: getattr(settings, name) for name in parameters}
    return function(*(scope[name] for name in wires), **options)


@lru_cache(maxsize=256)
def signature(function: Callable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of its wires, and of its parameters."""
    found = inspect.signature(function).parameters.values()
    parameters = tuple(p.name for p in found if p.kind == p.KEYWORD_ONLY)
    return tuple(p.name for p in found if p.kind != p.KEYWORD_ONLY), parameters


def rows_of(batch: Any, which: Tensor) -> Any:
    """Some rows of examples, of corrupted states, or of corrupted sets."""
    if torch.is_tensor(batch):
        return batch[which]
    return type(batch)(*(a[which] if torch.is_tensor(a) else a for a in batch))
