"""`backbone.positions`: a backbone with learned absolute positions reads at most so many of them.

A process or a sampler may make sequences longer than those of the task, for example with
insertions. The width is known only when it runs, so the model checks it in every call.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from xlm_spec.diagnostics import Diagnostic, Failed

SETTING = "backbone.positions"
ERRORS = (ValueError, RuntimeError, IndexError, AssertionError)  # torch raises all of them


def read(model: nn.Module, width: int) -> None:
    """Calls the model on a sequence of `width` positions."""
    tokens = torch.zeros(1, width, dtype=torch.long)
    with torch.no_grad():
        model(tokens, tokens == 0, torch.ones(1, 1))


def is_limit(
    model: nn.Module, positions: int, read: Callable[[nn.Module, int], None] = read
) -> bool:
    """Can the model, on a CPU, read no more than `positions`? Not if they are zero or relative."""
    if positions <= 0:
        return False
    try:
        read(model, positions + 1)
    except ERRORS:
        return True
    return False


def watch(model: nn.Module, positions: int, see: Callable[[int], None]) -> None:
    """Calls `see` with the width of each input of the model, and of its learned positions.

    A method of the backbone such as `open_cache` reads the latter, but is no call of the model.
    """

    def of_model(module: nn.Module, args: tuple, kwargs: dict) -> None:
        see((args[0] if args else kwargs["tokens"]).shape[1])

    def of_embedding(module: nn.Module, args: tuple[Tensor]) -> None:
        see(args[0].shape[-1])

    model.register_forward_pre_hook(of_model, with_kwargs=True)
    for module in model.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings == positions:
            module.register_forward_pre_hook(of_embedding)


def guard(model: nn.Module, positions: int) -> None:
    """Makes the model raise Failed (X616) if an input has more positions."""
    watch(model, positions, partial(require, "the model is given", positions))


def require(source: str, positions: int, width: int) -> None:
    """Raises Failed (X616) if `width` is above `positions`."""
    if width > positions:
        message = f"{source} {width} positions, but {SETTING} is {positions}"
        hint = f"train with {SETTING}={width} or more, or {SETTING}=0 for no learned positions"
        raise Failed(Diagnostic("X616", message, hint))
