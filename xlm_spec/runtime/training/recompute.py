"""`train.gradient_checkpointing`: the blocks of a backbone are computed again in the backward pass.

Then a block keeps its input alone, not its activations (arXiv:1604.06174). Gradients are the same,
also with dropout, and the names of the weights do not change.
"""

from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

from xlm_spec.diagnostics import Diagnostic, Failed


def recompute_blocks(model: nn.Module) -> None:
    """Raises Failed (X602) if the backbone has no list of blocks."""
    found = blocks_of(model)
    if not found:
        message = "`train.gradient_checkpointing`: the backbone has no list of blocks"
        hint = "keep its blocks in an nn.ModuleList, each called once for its output"
        raise Failed(Diagnostic("X602", message, hint))
    for block in found:
        block.forward = partial(recomputed, block.forward)


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The members of the longest nn.ModuleList of the backbone whose members have parts."""
    backbone = getattr(model, "backbone", model)
    lists = [[*m] for m in backbone.modules() if isinstance(m, nn.ModuleList)]
    whole = [blocks for blocks in lists if all([*b.children()] for b in blocks)]
    return max(whole, key=len, default=[])


def recomputed(forward: Any, *arguments: Any, **named: Any) -> Any:
    return checkpoint(forward, *arguments, use_reentrant=False, **named)
