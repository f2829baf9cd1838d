"""Calls of a package's functions, and batches of its types."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def call(function: Callable, scope: dict, settings: Any) -> Any:
    """Calls a function of a component: wires by name, parameters from its settings."""
    parameters = inspect.signature(function).parameters.values()
    options = {p.name: getattr(settings, p.name) for p in parameters if p.kind == p.KEYWORD_ONLY}
    return function(*(scope[p.name] for p in parameters if p.kind != p.KEYWORD_ONLY), **options)


def rows_of(batch: Any, which: Tensor) -> Any:
    """Some rows of examples, of corrupted states, or of corrupted sets."""
    if torch.is_tensor(batch):
        return batch[which]
    return type(batch)(*(a[which] if torch.is_tensor(a) else a for a in batch))
